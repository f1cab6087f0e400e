# shellcheck shell=sh disable=SC2154,SC2034 # the variables of callers.sh
# php.sh: mail() of php-cli without php.ini: sendmail -t -i; header lines end with CR LF, body
# lines as they are.

cp "$live/mail.php" "$T/mail.php"

# php_mail CASE
php_mail() {
	run "php: $1" 0 php -n "$T/mail.php" "$1"
}

# web_mail CASE: as a web server does, no root
web_mail() {
	web_run "php: $1" 0 php -n "$T/mail.php" "$1"
}

# php_fails CASE REASON
php_fails() {
	run "php: $1" 1 php -n "$T/mail.php" "$1"
	said "$2"
	nothing_accepted
}

php_cases() {
	php_mail plain
	arrived root@lab.example bob@example.com <<-'END'
		Date: DATE
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj

		line1
		line2
		.
		end
	END

	web_mail plain
	arrived www-data@lab.example bob@example.com <<-'END'
		Date: DATE
		From: www-data <www-data@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj

		line1
		line2
		.
		end
	END

	web_mail header-string
	arrived www-data@lab.example bob@example.com c@example.com cc@example.com \
	    x@hidden.example y@hidden.example <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		To: Bob <bob@example.com>, c@example.com
		Subject: =?UTF-8?B?w7w=?=
		From: web@lab.example
		Cc: Cc <cc@example.com>
		X-A: 1

		héllo

	END

	web_mail header-array
	arrived bounce@lab.example bob@example.com z@hidden.example <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj
		From: Shop <shop@lab.example>
		Reply-To: help@lab.example
		X-B: folded
		 here

		body
	END

	php_mail two-words
	arrived bounce@lab.example bob@example.com <<-'END'
		Date: DATE
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj

		body
	END

	# PHP quotes < and >, and its shell takes the quotes off again.
	php_mail null-sender
	arrived '' bob@example.com <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj
		From: auto@lab.example

		body
	END

	php_mail evil
	arrived root@lab.example bob@example.com <<-'END'
		Date: DATE
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj

		body
	END
	is "$what: no file was made" "$(find /run -name 'evil*')" ''

	# Over 1 MiB: through a temporary file
	php_mail long
	{
		cat <<-'END'
			Date: DATE
			From: root <root@lab.example>
			Message-ID: <TOKEN@vm.lab.example>
			To: bob@example.com
			Subject: Subj

		END
		awk 'BEGIN {
			for (i = 0; i < 150; i++)
				line = line "0123456789"
			for (i = 0; i < 1000; i++)
				print line
			print ""
		}'
	} >"$T/long"
	arrived root@lab.example bob@example.com <"$T/long"

	php_fails other-configuration '*-C*'
	php_fails refused '*no@refused.example*no such user here*'
	check "$what: log" grep -q "to=<no@refused.example> relay=mail2\[127.0.0.1\]:$PORT.* \
status=refused (no such user here (#5.1.1))" "$T/log"
	web_mail later
	nothing_accepted
	queued no@later.example
	php_later=$entry
	check "$what: log" grep -q "to=<no@later.example> relay=mail2\[127.0.0.1\]:$PORT.* \
status=deferred (come back later (#4.3.0))" "$T/log"
	php_fails nobody '*no recipients*'
}

if command -v php >/dev/null; then
	php_cases
else
	skip "php" "php is not here"
fi
