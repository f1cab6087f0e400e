# shellcheck shell=sh disable=SC2154,SC2034 # the variables of callers.sh and arrived.sh
# libraries.sh: what programs in PHP, Perl, Ruby, Python and Emacs Lisp send mail with. Each has its
# input in a file beside this one.

for name in phpmailer.php symfony.php email-sender.pl mime-lite.pl mail.rb mail.py mail.el; do
	cp "$live/$name" "$T/$name"
	chmod 644 "$T/$name"
done
cd "$T" || exit 99

# brings WHAT COMMAND ...: the command prints "yes"; or the cases are skipped.
brings() {
	brings_what=$1
	shift
	[ "$("$@" 2>/dev/null)" = yes ] || { skip "$brings_what" "$brings_what is not here" && return 1; }
}

# isMail(): mail() and a -f of its own; isSendmail(): a shell and sendmail -t -i -oi -fSENDER -t
phpmailer_cases() {
	run "PHPMailer, isMail" 0 php phpmailer.php mail
	arrived shop@lab.example bob@example.com <<-'END'
		To: "Bob, Jr." <bob@example.com>
		Subject: =?utf-8?Q?Ord=C3=A9r?=
		Date: DATE
		From: =?utf-8?B?U2jDtnA=?= <shop@lab.example>
		Message-ID: <ID@vm>
		X-Mailer: PHPMailer VERSION (https://github.com/PHPMailer/PHPMailer)
		MIME-Version: 1.0
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		grüße
		.
		From here
		..
		end

	END

	phpmailer_parts >"$T/parts"
	web_run "PHPMailer, isMail, every option" 0 php phpmailer.php mail-all
	{
		cat <<-'END'
			To: "Bob, Jr." <bob@example.com>
			Subject: =?utf-8?Q?Ord=C3=A9r?=
			Date: DATE
			From: =?utf-8?B?U2jDtnA=?= <shop@lab.example>
			Cc: cc@example.com
		END
		cat "$T/parts"
		echo
	} >"$T/mail-all"
	arrived bounce@lab.example bob@example.com cc@example.com x@hidden.example \
	    y@hidden.example <"$T/mail-all"

	run "PHPMailer, isSendmail" 0 php phpmailer.php sendmail
	arrived shop@lab.example bob@example.com <<-'END'
		Date: DATE
		To: "Bob, Jr." <bob@example.com>
		From: =?utf-8?B?U2jDtnA=?= <shop@lab.example>
		Subject: =?utf-8?Q?Ord=C3=A9r?=
		Message-ID: <ID@vm>
		X-Mailer: PHPMailer VERSION (https://github.com/PHPMailer/PHPMailer)
		MIME-Version: 1.0
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		grüße
		.
		From here
		..
		end
	END

	web_run "PHPMailer, isSendmail, every option" 0 php phpmailer.php sendmail-all
	{
		cat <<-'END'
			Date: DATE
			To: "Bob, Jr." <bob@example.com>
			From: =?utf-8?B?U2jDtnA=?= <shop@lab.example>
			Cc: cc@example.com
			Subject: =?utf-8?Q?Ord=C3=A9r?=
		END
		cat "$T/parts"
	} >"$T/sendmail-all"
	arrived bounce@lab.example bob@example.com cc@example.com x@hidden.example \
	    y@hidden.example <"$T/sendmail-all"

	run "PHPMailer, isMail: refused" 1 php phpmailer.php mail no@refused.example
	said '*no@refused.example*no such user here*Could not instantiate mail function*'
	nothing_accepted
	run "PHPMailer, isSendmail: refused" 1 php phpmailer.php sendmail no@refused.example
	said '*no@refused.example*no such user here*Could not execute*'
	nothing_accepted
}

phpmailer_parts() {
	cat <<-'END'
		Message-ID: <ID@vm>
		X-Mailer: PHPMailer VERSION (https://github.com/PHPMailer/PHPMailer)
		MIME-Version: 1.0
		Content-Type: multipart/mixed;
		 boundary="BOUNDARY1"
		Content-Transfer-Encoding: 8bit

		This is a multi-part message in MIME format.

		--BOUNDARY1
		Content-Type: multipart/alternative;
		 boundary="BOUNDARY2"

		--BOUNDARY2
		Content-Type: text/plain; charset=us-ascii

		text

		--BOUNDARY2
		Content-Type: text/html; charset=utf-8
		Content-Transfer-Encoding: 8bit

		grüße
		.
		From here
		..
		end


		--BOUNDARY2--

		--BOUNDARY1
		Content-Type: application/macbinary; name=a.bin
		Content-Transfer-Encoding: base64
		Content-Disposition: attachment; filename=a.bin

		AAEC

		--BOUNDARY1--
	END
}

symfony_text() {
	cat <<-'END'
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: quoted-printable

		gr=C3=BC=C3=9Fe
		.
		..
		From here
		xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=
		xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=20
	END
}

# The first message: to Bob, with copies and an attachment
symfony_bob() {
	cat <<-'END'
		From: =?utf-8?Q?Sh=C3=B6p?= <shop@lab.example>
		To: Bob <bob@example.com>
		Subject: =?utf-8?Q?Ord=C3=A9r?= 0
		Cc: cc@example.com
		Sender: bounce@lab.example
		Message-ID: <ID@lab.example>
		MIME-Version: 1.0
		Date: DATE
		Content-Type: multipart/mixed; boundary=BOUNDARY1

		--BOUNDARY1
	END
	symfony_text
	cat <<-'END'
		--BOUNDARY1
		Content-Type: application/octet-stream; name=a.bin
		Content-Transfer-Encoding: base64
		Content-Disposition: attachment; name=a.bin; filename=a.bin

		AAEC
		--BOUNDARY1--
	END
}

# symfony_carol N: a later one
symfony_carol() {
	cat <<-END
		From: =?utf-8?Q?Sh=C3=B6p?= <shop@lab.example>
		To: Bob <carol@example.com>
		Subject: =?utf-8?Q?Ord=C3=A9r?= $1
		Message-ID: <ID@lab.example>
		MIME-Version: 1.0
		Date: DATE
	END
	symfony_text
}

# sendmail -bs for all messages of a process, and by that a final empty line if there is an
# attachment; or sendmail -i -fSENDER -- RECIPIENTS, although that is to be called -t.
symfony_cases() {
	symfony_bob >"$T/bob"
	symfony_carol 1 >"$T/carol"
	{
		cat "$T/bob"
		echo
	} >"$T/bob-smtp"

	web_run "Symfony Mailer, -bs" 0 php symfony.php '' bob@example.com carol@example.com
	arrived bounce@lab.example bob@example.com cc@example.com x@hidden.example \
	    y@hidden.example <"$T/bob-smtp"
	arrived shop@lab.example carol@example.com <"$T/carol"

	run "Symfony Mailer, -bs: refused, and the next" 1 php symfony.php '' \
	    no@refused.example carol@example.com no@later.example
	said '*code "554"*no such user here*'
	nothing_accepted
	arrived shop@lab.example carol@example.com <"$T/carol"
	nothing_accepted
	queued no@later.example
	symfony_later=$entry

	web_run "Symfony Mailer, -t" 0 php symfony.php '-t -i' bob@example.com carol@example.com
	arrived bounce@lab.example bob@example.com cc@example.com x@hidden.example \
	    y@hidden.example <"$T/bob"
	arrived shop@lab.example carol@example.com <"$T/carol"

	run "Symfony Mailer, -t: refused, and the next" 1 php symfony.php '-t -i' \
	    no@refused.example carol@example.com
	said '*exit code 67*no@refused.example*no such user here*'
	nothing_accepted
	arrived shop@lab.example carol@example.com <"$T/carol"

	# Without -i Symfony doubles every first dot, which is for -bs alone to take back.
	run "Symfony Mailer, -t without -i" 0 php symfony.php -t carol@example.com
	symfony_carol 0 | sed 's/^\./../' >"$T/dots"
	arrived shop@lab.example carol@example.com <"$T/dots"
}

# sendmail -i -f SENDER -- RECIPIENTS
email_sender_cases() {
	cat >"$T/email-sender" <<-END
		Message-ID: <TOKEN@vm.lab.example>
		From: Fr <f@lab.example>
		To: bob@example.com,
		$(printf '\t')Carol <carol@example.com>
		Subject: s
		Date: DATE
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		grüße
		.
		From here

	END
	run "Email::Sender" 0 perl email-sender.pl plain
	arrived f@lab.example bob@example.com carol@example.com <"$T/email-sender"
	web_run "Email::Sender, an envelope" 0 perl email-sender.pl envelope
	arrived bounce@lab.example bob@example.com x@hidden.example -dash@example.com \
	    <"$T/email-sender"
	run "Email::Sender: refused" 1 perl email-sender.pl refused
	said '*no@refused.example*no such user here*error when closing pipe*'
	nothing_accepted
}

# /usr/lib/sendmail -t -oi -oem -fSENDER; Bcc and Content-Length are left to sendmail.
mime_lite_cases() {
	run "MIME::Lite" 0 perl mime-lite.pl plain
	arrived f@lab.example bob@example.com <<-'END'
		Message-ID: <TOKEN@vm.lab.example>
		Content-Disposition: inline
		Content-Transfer-Encoding: 8bit
		Content-Type: text/plain; charset="UTF-8"
		MIME-Version: 1.0
		X-Mailer: MIME::Lite VERSION
		Date: DATE
		From: Fr <f@lab.example>
		To: bob@example.com
		Subject: s

		hi
		.
		From here
		grüße
	END
	web_run "MIME::Lite, every option" 0 perl mime-lite.pl all
	arrived f@lab.example bob@example.com carol@example.com x@hidden.example \
	    y@hidden.example <<-'END'
		Message-ID: <TOKEN@vm.lab.example>
		Content-Disposition: inline
		Content-Transfer-Encoding: 8bit
		Content-Type: text/plain; charset="UTF-8"
		MIME-Version: 1.0
		X-Mailer: MIME::Lite VERSION
		Date: DATE
		From: Fr <f@lab.example>
		To: bob@example.com
		Subject: s
		Cc: Carol <carol@example.com>

		hi
		.
		From here
		grüße
	END
	run "MIME::Lite: refused" 67 perl mime-lite.pl refused
	said '*no@refused.example*no such user here*error closing /usr/lib/sendmail*'
	nothing_accepted
}

# sendmail -i -f "SENDER" -- "RECIPIENT" ..., quoted for the shell; its exit code is of no interest.
ruby_cases() {
	run "ruby-mail" 0 env LC_ALL=C.UTF-8 ruby mail.rb plain
	arrived f@lab.example bob@example.com <<-'END'
		Date: DATE
		From: Fr <f@lab.example>
		To: bob@example.com
		Message-ID: <ID@vm.mail>
		Subject: =?UTF-8?Q?Ord=C3=A9r?=
		Mime-Version: 1.0
		Content-Type: text/plain;
		 charset=UTF-8
		Content-Transfer-Encoding: 7bit

		hi
		.
		From here
		..
		end
	END
	web_run "ruby-mail, every option" 0 env LC_ALL=C.UTF-8 ruby mail.rb all
	arrived bounce+x=y@lab.example bob@example.com carol@example.com 'a b@example.com' \
	    x@hidden.example y@hidden.example <<-END
		Date: DATE
		From: Fr <f@lab.example>
		Sender: sender@lab.example
		To: bob@example.com
		Cc: Carol <carol@example.com>,$(printf ' ')
		 "a b"@example.com
		Message-ID: <ID@vm.mail>
		Subject: =?UTF-8?Q?Ord=C3=A9r?=
		Mime-Version: 1.0
		Content-Type: multipart/mixed;
		 boundary="BOUNDARY1";
		 charset=UTF-8
		Content-Transfer-Encoding: 7bit


		--BOUNDARY1
		Content-Type: text/plain;
		 charset=UTF-8
		Content-Transfer-Encoding: base64

		Z3LDvMOfZQ==

		--BOUNDARY1
		Content-Type: application/octet-stream;
		 filename=a.bin
		Content-Transfer-Encoding: base64
		Content-Disposition: attachment;
		 filename=a.bin
		Content-ID: <ID@vm.mail>

		AAEC

		--BOUNDARY1--
	END
	run "ruby-mail: refused" 0 sh -c 'ruby mail.rb refused 2>&1 | grep -q "no such user here"'
	nothing_accepted
}

# The lines of policy.SMTP end with CR LF, those of policy.default with LF.
python_cases() {
	cat >"$T/python" <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: Fr <f@lab.example>
		To: =?utf-8?q?B=C3=B6b?= <bob@example.com>, carol@example.com
		Subject: =?utf-8?q?Ord=C3=A9r=2C?= and a text that is so long that it has to
		 go on in the next line
		Content-Type: text/plain; charset="utf-8"
		Content-Transfer-Encoding: 8bit
		MIME-Version: 1.0

		grüße
		.
		From here
		end
	END
	for policy in default smtp; do
		web_run "python, policy $policy, -t" 0 python3 mail.py "$policy" -t -oi
		arrived www-data@lab.example bob@example.com carol@example.com x@hidden.example \
		    <"$T/python"
		run "python, policy $policy" 0 python3 mail.py "$policy" -i -f b@lab.example -- \
		    dave@example.com
		arrived b@lab.example dave@example.com <"$T/python"
	done

	run "python, policy smtputf8, -t" 0 python3 mail.py smtputf8 -t -oi -f b@lab.example
	arrived b@lab.example bob@example.com carol@example.com x@hidden.example <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: Fr <f@lab.example>
		To: Böb <bob@example.com>, carol@example.com
		Subject:
		 Ordér, and a text that is so long that it has to go on in the next line
		Content-Type: text/plain; charset="utf-8"
		Content-Transfer-Encoding: 8bit
		MIME-Version: 1.0

		grüße
		.
		From here
		end
	END

	# This one makes one encoded word of all addresses.
	run "python, policy compat32, -t" 65 python3 mail.py compat32 -t -oi
	said '*To: bad address*an encoded word is no address'
	nothing_accepted
}

# sendmail -oi [-f SENDER] -oep -odi -t [-N failure,delay], or RECIPIENTS instead of -t
emacs_text() {
	cat <<-'END'
		MIME-version: 1.0
		Content-type: text/plain; charset=utf-8
		Content-Transfer-Encoding: 8bit

		grüße
		.
		From here
		..
		end
	END
}

emacs_cases() {
	{
		cat <<-'END'
			Date: DATE
			Message-ID: <TOKEN@vm.lab.example>
			From: Fr <f@lab.example>
			To: bob@example.com
			Subject: =?utf-8?Q?Ord=C3=A9r?=
		END
		emacs_text
	} >"$T/emacs"
	web_run "emacs" 0 emacs -Q --batch -l mail.el -f plain
	arrived www-data@lab.example bob@example.com <"$T/emacs"

	{
		cat <<-'END'
			Date: DATE
			Message-ID: <TOKEN@vm.lab.example>
			From: Shop <shop@lab.example>
			To: Bob <bob@example.com>,
			    staff@lab.example
			Subject: s
		END
		emacs_text
	} >"$T/emacs"
	run "emacs, every option" 0 emacs -Q --batch -l mail.el -f all
	arrived bounce@lab.example bob@example.com carol@example.net dave@example.net \
	    x@hidden.example y@hidden.example <"$T/emacs"

	{
		cat <<-'END'
			Resent-Date: DATE
			Resent-Message-ID: <TOKEN.resent@vm.lab.example>
			Resent-From: Fr <f@lab.example>
			Resent-To: bob@example.com
			From: shop@lab.example
			To: not-again@example.com
			Date: DATE
			Message-ID: <ID@lab.example>
			Subject: s
		END
		emacs_text
	} >"$T/emacs"
	web_run "emacs, resent" 0 emacs -Q --batch -l mail.el -f resent
	arrived www-data@lab.example bob@example.com <"$T/emacs"

	run "emacs: refused" 255 emacs -Q --batch -l mail.el -f refused
	said '*failed with exit value 67*'
	nothing_accepted
}

brings PHPMailer php -r 'require "libphp-phpmailer/autoload.php"; echo "yes";' &&
    phpmailer_cases
brings "Symfony Mailer" php -r 'require "Symfony/Component/Mailer/autoload.php"; echo "yes";' &&
    symfony_cases
brings Email::Sender perl -MEmail::Sender::Simple -e 'print "yes"' && email_sender_cases
brings MIME::Lite perl -MMIME::Lite -e 'print "yes"' && mime_lite_cases
brings ruby-mail ruby -e 'require "mail"; print "yes"' && ruby_cases
brings python3 python3 -c 'import email.policy; print("yes")' && python_cases
have emacs && emacs_cases
