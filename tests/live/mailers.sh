# shellcheck shell=sh disable=SC2154 # the variables of callers.sh
# mailers.sh: the programs that people and scripts send mail with.

printf 'body\n.\nFrom here\nx\n' >"$T/body"
printf 'b\303\266dy no newline' >"$T/8bit"
printf 'b\366dy no newline' >"$T/latin1"
printf 'b\303\266dy\n..\nFrom here' >"$T/text"
printf '\0\1\2' >"$T/a.bin"
: >"$T/empty"
chmod 644 "$T/body" "$T/8bit" "$T/latin1" "$T/text" "$T/a.bin" "$T/empty"

# sendmail -i -t [-f SENDER]; Bcc is left to sendmail, and nobody waits for its exit code
bsd_mailx_cases() {
	run "bsd-mailx" 0 bsd-mailx -s subj bob@example.com <"$T/body"
	arrived root@lab.example bob@example.com <<-'END'
		Date: DATE
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: subj
		MIME-Version: 1.0
		Content-Type: text/plain; charset="ANSI_X3.4-1968"
		Content-Transfer-Encoding: 8bit

		body
		.
		From here
		x
	END

	web_run "bsd-mailx, every option" 0 env LC_ALL=C.UTF-8 bsd-mailx -s süj \
	    -r sender@lab.example -a 'X-Foo: bar' -c cc@example.com -b x@hidden.example \
	    bob@example.com carol@example.com <"$T/8bit"
	arrived sender@lab.example bob@example.com carol@example.com cc@example.com \
	    x@hidden.example <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: sender@lab.example
		To: bob@example.com, carol@example.com
		Subject: süj
		Cc: cc@example.com
		X-Foo: bar
		MIME-Version: 1.0
		Content-Type: text/plain; charset="UTF-8"
		Content-Transfer-Encoding: 8bit

		bödy no newline
	END

	run "bsd-mailx: an alias, and nothing to say" 0 bsd-mailx -E -s empty staff <"$T/empty"
	nothing_accepted
	run "bsd-mailx: an alias" 0 bsd-mailx -s alias staff <"$T/body"
	arrived root@lab.example carol@example.net dave@example.net <<-'END'
		Date: DATE
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: staff@lab.example
		Subject: alias
		MIME-Version: 1.0
		Content-Type: text/plain; charset="ANSI_X3.4-1968"
		Content-Transfer-Encoding: 8bit

		body
		.
		From here
		x
	END
}

# sendmail -oi -f SENDER -t, descriptors 1 and 2 closed; without -r, SENDER is USER@HOST
mailutils_cases() {
	run "mailutils" 0 mail.mailutils -s subj bob@example.com <"$T/text"
	arrived root@vm bob@example.com <<-'END'
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: subj
		To: <bob@example.com>
		User-Agent: mail (GNU Mailutils VERSION)
		Date: DATE

		bödy
		..
		From here
	END

	web_run "mailutils, every option" 0 env LC_ALL=C.UTF-8 mail.mailutils -s süj \
	    -r sender@lab.example -a 'X-Foo: bar' -a 'Cc: cc@example.com' \
	    -a 'Bcc: x@hidden.example, y@hidden.example' -A "$T/a.bin" \
	    bob@example.com carol@example.com <"$T/text"
	arrived sender@lab.example cc@example.com x@hidden.example y@hidden.example \
	    bob@example.com carol@example.com <<-'END'
		From: www-data <www-data@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		MIME-Version: 1.0
		Content-Type: multipart/mixed; boundary="BOUNDARY1"
		Subject: süj
		X-Foo: bar
		Cc: <cc@example.com>
		To: <bob@example.com>,<carol@example.com>
		User-Agent: mail (GNU Mailutils VERSION)
		Date: DATE

		--BOUNDARY1
		Content-Type: text/plain; charset=UTF-8
		Content-Disposition: inline
		Content-Transfer-Encoding: 8bit
		Content-ID: <ID@vm>

		bödy
		..
		From here

		--BOUNDARY1
		Content-Type: application/octet-stream; name="a.bin"
		Content-Disposition: attachment; filename="a.bin"
		Content-Transfer-Encoding: base64
		Content-ID: <ID@vm>

		AAEC
		--BOUNDARY1--
	END

	run "mailutils: refused" 1 mail.mailutils -s subj no@refused.example <"$T/text"
	said '*cannot send message*'
	nothing_accepted
}

# sendmail -i [-F NAME -f SENDER] -- RECIPIENTS, umask 077
s_nail_cases() {
	run "s-nail" 0 s-nail -Ssendwait -s subj bob@example.com <"$T/body"
	arrived root@lab.example bob@example.com <<-'END'
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Date: DATE
		To: bob@example.com
		Subject: subj
		User-Agent: s-nail VERSION
		MIME-Version: 1.0
		Content-Type: text/plain; charset=us-ascii
		Content-Transfer-Encoding: quoted-printable

		body
		=2E
		=46rom here
		x
	END

	web_run "s-nail, every option" 0 env LC_ALL=C.UTF-8 s-nail -Ssendwait -s süj \
	    -r 'Send <sender@lab.example>' -c cc@example.com -b x@hidden.example \
	    bob@example.com <"$T/8bit"
	arrived sender@lab.example bob@example.com cc@example.com x@hidden.example <<-'END'
		Date: DATE
		From: Send <sender@lab.example>
		To: bob@example.com
		Cc: cc@example.com
		Subject: =?utf-8?B?c8O8ag==?=
		Message-ID: <ID@lab.example>
		User-Agent: s-nail VERSION
		MIME-Version: 1.0
		Content-Type: text/plain; charset=utf-8
		Content-Transfer-Encoding: quoted-printable

		b=C3=B6dy no newline=
	END

	run "s-nail: refused" 4 s-nail -Ssendwait -s subj no@refused.example <"$T/body"
	said '*no@refused.example*no such user here*'
	nothing_accepted
}

# sendmail -oem -oi [-f SENDER -N .. -R ..] -- RECIPIENTS, umask 077, SIGCHLD blocked
mutt_cases() {
	cat >"$T/muttrc" <<-'END'
		set copy = no
		set hostname = lab.example
		set from = "Fr <f@lab.example>"
		set realname = Fr
	END
	run "mutt" 0 mutt -n -F "$T/muttrc" -s subj bob@example.com <"$T/body"
	arrived root@lab.example bob@example.com <<-'END'
		Date: DATE
		From: Fr <f@lab.example>
		To: bob@example.com
		Subject: subj
		Message-ID: <ID@lab.example>
		MIME-Version: 1.0
		Content-Type: text/plain; charset=us-ascii
		Content-Disposition: inline

		body
		.
		From here
		x
	END

	cat >>"$T/muttrc" <<-'END'
		set charset = iso-8859-1
		set use_8bitmime = yes
		set envelope_from_address = "env@lab.example"
		set use_envelope_from = yes
		set dsn_notify = "failure,delay"
		set dsn_return = hdrs
		set write_bcc = yes
	END
	chmod 644 "$T/muttrc"
	web_run "mutt, every option" 0 mutt -n -F "$T/muttrc" -s subj \
	    -c cc@example.com -b x@hidden.example bob@example.com <"$T/latin1"
	arrived env@lab.example bob@example.com cc@example.com x@hidden.example <<-END
		Date: DATE
		From: Fr <f@lab.example>
		To: bob@example.com
		Cc: cc@example.com
		Subject: subj
		Message-ID: <ID@lab.example>
		MIME-Version: 1.0
		Content-Type: text/plain; charset=iso-8859-1
		Content-Disposition: inline
		Content-Transfer-Encoding: 8bit

		$(cat "$T/latin1")
	END

	run "mutt: refused" 1 mutt -n -F "$T/muttrc" -s subj no@refused.example <"$T/body"
	said '*no@refused.example*no such user here*'
	nothing_accepted
}

# sendmail -f SENDER -i RECIPIENTS; says "Sent ..." even with --quiet, ends with our exit code
git_send_email_cases() {
	cp "$live/change.patch" "$T/change.patch"
	tab=$(printf '\t')
	git config --global user.name 'Alice A'
	git config --global user.email alice@lab.example
	cd "$T" || exit 99
	run "git send-email" 0 sh -c 'exec git send-email "$@" >/dev/null' git --quiet \
	    --no-thread --confirm=never --from='Alice A <alice@lab.example>' --to=bob@example.com \
	    --cc=cc@example.com --bcc=x@hidden.example --envelope-sender=auto "$T/change.patch"
	arrived alice@lab.example bob@example.com cc@example.com alice@lab.example \
	    x@hidden.example <<-END
		From: Alice A <alice@lab.example>
		To: bob@example.com
		Cc: cc@example.com,
		${tab}Alice A <alice@lab.example>
		Subject: [PATCH] =?UTF-8?q?first:=20=C3=BCtf?=
		Date: DATE
		Message-Id: <ID@lab.example>
		X-Mailer: git-send-email VERSION
		MIME-Version: 1.0
		Content-Type: text/plain; charset=UTF-8
		Content-Transfer-Encoding: 8bit

		$(sed '1,/^$/d' "$live/change.patch")

	END

	run "git send-email: refused" 67 git send-email --quiet --no-thread --confirm=never \
	    --from='Alice A <alice@lab.example>' --to=no@refused.example --suppress-cc=all \
	    "$T/change.patch"
	said '*no@refused.example*no such user here*'
	nothing_accepted
}

# As old scripts call it
run "/usr/lib/sendmail" 0 /usr/lib/sendmail -t -oi -oem -ff@lab.example <<END
From: f@lab.example
To: bob@example.com
Bcc: x@hidden.example
Content-Length: 6
Subject: s

hi
.
x
END
arrived f@lab.example bob@example.com x@hidden.example <<END
Date: DATE
Message-ID: <TOKEN@vm.lab.example>
From: f@lab.example
To: bob@example.com
Subject: s

hi
.
x
END

have bsd-mailx && bsd_mailx_cases
have mail.mailutils && mailutils_cases
have s-nail && s_nail_cases
have mutt && mutt_cases
PATH=$PATH:$(git --exec-path)
have git-send-email && git_send_email_cases
