# shellcheck shell=sh disable=SC2154 # the variables of callers.sh
# arrived.sh: run a caller, and compare what came of it.
#
#	run "php: plain" 0 php ...		the caller's exit code; it says nothing if that is 0
#	arrived SENDER RECIPIENT ... <<'END'	envelope, log lines, and this message behind
#	...					Received, where TOKEN, DATE, ID and VERSION stand
#	END					for what differs each time

what='' user=0 number=0 got='' entry=''
spool=/var/spool/qmtp-sendmail
web=$(id -u www-data)
HOME=/run/home
TZ=UTC
export HOME TZ
unset EMAIL MAIL NAME REPLYTO XDG_CONFIG_HOME GIT_DIR GIT_AUTHOR_EMAIL GIT_COMMITTER_EMAIL
mkdir -p "$HOME"

# have PROGRAM: or the cases are skipped.
have() {
	command -v "$1" >/dev/null || { skip "$1" "$1 is not here" && return 1; }
}

# run WHAT CODE COMMAND ...: as root
run() {
	user=0
	run_it "$@"
}

# web_run WHAT CODE COMMAND ...: as www-data
web_run() {
	user=$web web_what=$1 web_code=$2
	shift 2
	run_it "$web_what as www-data" "$web_code" setpriv --reuid www-data --regid www-data \
	    --clear-groups env HOME=/var/www USER=www-data LOGNAME=www-data "$@"
}

run_it() {
	what=$1 want=$2
	shift 2
	timeout -k 5 60 "$@" >"$T/out" 2>&1
	code=$?
	if [ "$code" -ne "$want" ]; then
		not_ok "$what: exit code" "got: $code, wanted: $want" "$(cat "$T/out")"
	elif [ "$code" -eq 0 ] && [ -s "$T/out" ]; then
		not_ok "$what: quiet" "$(cat "$T/out")"
	else
		ok "$what: exit code $code"
	fi
}

# said PATTERN: the caller printed it.
said() {
	like "$what: the reason" "$(cat "$T/out")" "$1"
}

# next_package: moves on to the next package, but not to cron's, which come when they like.
next_package() {
	while got=$T/got/$(printf %06d $((number + 1))) && [ -e "$got.done" ]; do
		number=$((number + 1))
		grep -q '^X-Cron-Env: ' "$got.message" || return 0
	done
	return 1
}

# nothing_accepted: no package came, or the server refused all of it.
nothing_accepted() {
	if next_package && [ -s "$got.accepted" ]; then
		not_ok "$what: nothing was accepted" "$(cat "$got.accepted" "$got.message")"
	else
		ok "$what: nothing was accepted"
	fi
}

token() {
	sed -n '2s/^	id \([0-9a-z]\{16\}\); .*/\1/p' "$1"
}

# boundaries FILE: commands for sed -E that make BOUNDARY1, BOUNDARY2 ... of those of MIME
boundaries() {
	sed -nE 's/.*[ ;]boundary="?([^";]*).*/\1/p' "$1" | sed 's/[].*^$+?(){}|/[]/\\&/g' |
	    awk '{ print "s/" $0 "/BOUNDARY" NR "/" }'
}

# same_message FILE: Received, and then standard input
same_message() {
	{
		echo "Received: by vm.lab.example (qmtp-sendmail, from userid $user)"
		printf '\tid TOKEN; DATE\n'
		cat
	} >"$T/want"
	clock='[0-9:]{8} [-+][0-9]{4}'
	made=$(token "$1" | grep . || echo none)
	sed -E "/^Message-I[dD]: <${made}[@.]/!s/^(Message-I[dD]: <)[^@>]*@/\\1ID@/
	    s/$made/TOKEN/g
	    s/(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} $clock/DATE/
	    s/^(Content-ID: <)[^@>]*@/\\1ID@/
	    s/^(User-Agent: s-nail) v[0-9.]+\$/\\1 VERSION/
	    s/^(User-Agent: mail \(GNU Mailutils) [0-9.]+\)\$/\\1 VERSION)/
	    s/^(X-Mailer: (git-send-email|PHPMailer|MIME::Lite)) [0-9.]+/\\1 VERSION/
	    s/^(X-Mailer: MIME::Lite VERSION) .*/\\1/
	    s/^( #+ Logwatch) [0-9].* (#+ )\$/\\1 VERSION \\2/
	    s/^( +Processing Initiated:) .*/\\1 DATE/
	    s/^(vm : )[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} /\\1DATE /
	    $(boundaries "$1")" "$1" >"$T/have"
	if cmp -s "$T/have" "$T/want"; then
		ok "$what: message"
	else
		not_ok "$what: message" "$(diff -au "$T/want" "$T/have")"
	fi
}

# logged BASE: what is to be in the log of a package that mail1 (down) did not get and mail2 took
logged() {
	id=$(token "$1.message")
	to="<22>TIME qmtp-sendmail[PID]: $id to=$(sed 's/.*/<&>/' "$1.rcpts" | paste -sd,)"
	{
		printf '<22>TIME qmtp-sendmail[PID]: %s from=<%s> uid=%s size=%s nrcpt=%s msgid=%s\n' \
		    "$id" "$(cat "$1.sender")" "$user" "$(field "$1.done" message)" \
		    "$(field "$1.done" recipients)" \
		    "$(sed -n '/^$/q; s/^Message-I[dD]: //p' "$1.message")"
		echo "$to relay=mail1[127.0.0.1]:$dead delay=D status=deferred (Connection refused ..)" |
		    sed 's/^<22>/<20>/'
		echo "$to relay=mail2[127.0.0.1]:$PORT delay=D status=sent ($(sed -n '1s/^K//p' "$1.answers"))"
	} >"$T/want"
	wait_for_line "$T/log" "$id to=.*relay=mail2"
	grep -a -e "${id:-none}" "$T/log" | sed -E \
	    's/^(<[0-9]+>)[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} ([^ []+)\[[0-9]+\]: /\1TIME \2[PID]: /
	    s/ delay=[0-9]+\.[0-9]{2} / delay=D /
	    s/(Connection refused) .*\)/\1 ..)/' >"$T/have"
	if cmp -s "$T/have" "$T/want"; then
		ok "$what: log"
	else
		not_ok "$what: log" "$(diff -au "$T/want" "$T/have")"
	fi
}

new_entry() {
	entry=$(grep -a " to=<$1> relay=queue delay=.* status=queued " "$T/log" |
	    sed -n '$s/.*queued as \([0-9a-f.]*\).*/\1/p')
	[ -n "$entry" ] && [ "$entry" != "$entry_before" ]
}

# queued RECIPIENT: that mail is in the spool, by the log, and belongs to the user; sets $entry.
queued() {
	entry_before=$entry
	wait_for new_entry "$1"
	is "$what: the entry $entry of the queue" "$(stat -c '%u %G %a %h' "$spool/queue/$entry" 2>&1)" \
	    "$user qmtpq 660 1"
	is "$what: nothing is left beside it" "$(ls "$spool/tmp")" ''
}

# arrived SENDER RECIPIENT ...
arrived() {
	if ! wait_for next_package; then
		not_ok "$what: arrived" "$(cat "$T/out")" "$(tail -n 20 "$T/server.log" "$T/log")"
		return
	fi
	is "$what: sender" "$(cat "$got.sender")" "$1"
	shift
	is "$what: recipients" "$(cat "$got.rcpts")" "$(printf '%s\n' "$@")"
	same_message "$got.message"
	logged "$got"
}
