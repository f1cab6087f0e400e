#!/bin/bash
# Inside the namespaces of differential.sh: every case of tests/data/differential through our command
# and each oracle. TAP: one line for each case and oracle.
#
# An outcome is what outcome.awk makes of a message and its envelope, or the exit code alone. Two of
# them differ by the lines that diff says are only in ours ("-") or only in the oracle's ("+"):
# exactly what the case declares, or nothing.
#
# What is run: "sendmail ARGUMENTS" as an ordinary user, whose name is caller, in a home of its own.
#   ours        with -C and --dry-run
#   postfix     sendmail, postdrop, pickup and cleanup; the message that then is in the queue. There
#               is no queue manager, nor anything else that could deliver or bounce.
#   msmtp       what it says to an SMTP server on the loopback
#   nullmailer  nullmailer-inject -n -v. It has one code for every failure.

TMPDIR=/run
mode=$1 args=() inject=()
# shellcheck source=tests/live/room.sh
. tests/live/room.sh
furnish || { echo "1..0 # SKIP no private file systems here" && exit 0; }
# shellcheck source=tests/integration/lib.sh
. tests/integration/lib.sh
# shellcheck source=tests/differential/cases.sh
. tests/differential/cases.sh
chmod 755 "$T"

uid=4711
year=$(date +%Y)
postfix_lib=/usr/lib/postfix/sbin
as_caller=(setpriv "--reuid=$uid" "--regid=$uid" --clear-groups env -i HOME=/ LC_ALL=C
    PATH=/usr/sbin:/usr/bin:/sbin:/bin)

give_up() {
	echo "Bail out! $*"
	exit 99
}

furnish_oracles() {
	local dir
	for dir in "$UNPACKED"/*; do
		cp -a "$dir/usr/." /usr/ || return 1
	done
	rm -rf /etc/postfix /var/spool/postfix /var/lib/postfix /etc/nullmailer /etc/msmtprc
	cp -a "$UNPACKED/postfix/usr/sbin/." /usr/sbin/ || return 1
	sed -i '/^\(postfix\|postdrop\|caller\):/d' /etc/passwd /etc/group
	cat >>/etc/passwd <<-END
		postfix:x:4701:4701::/var/spool/postfix:/usr/sbin/nologin
		caller:x:$uid:$uid:Carol Caller:/:/bin/sh
	END
	printf '%s\n' postfix:x:4701: postdrop:x:4702: caller:x:$uid: >>/etc/group
	echo lab.example >/etc/mailname
	hostname host.lab.example
	ldconfig
	ours && postfix && msmtp && nullmailer
}

ours() {
	mkdir -m 755 /run/ours && cp "$SENDMAIL" /run/ours/sendmail && cat >/run/ours/conf <<-END
		hostname = "host.lab.example"
		default-domain = "lab.example"
		aliases = ""
		server "none" { host = "127.0.0.1" port = 1 }
	END
}

postfix() {
	local spool=/var/spool/postfix dir
	mkdir -p /etc/postfix /var/lib/postfix $spool
	for dir in active bounce corrupt defer deferred flush hold incoming private saved trace; do
		mkdir -m 700 $spool/$dir && chown postfix $spool/$dir
	done
	mkdir -m 1730 $spool/maildrop && chown postfix:postdrop $spool/maildrop &&
	    mkdir -m 2710 $spool/public && chown postfix:postdrop $spool/public &&
	    mkdir -m 755 $spool/pid && chown postfix /var/lib/postfix &&
	    chown root:postdrop /usr/sbin/postdrop && chmod 2755 /usr/sbin/postdrop || return 1
	cp /usr/share/postfix/dynamicmaps.cf "$UNPACKED/postfix/etc/postfix/postfix-files" /etc/postfix/
	cat >/etc/postfix/main.cf <<-END
		compatibility_level = 3.6
		append_dot_mydomain = no
		myhostname = host.lab.example
		mydomain = lab.example
		myorigin = lab.example
		mydestination =
		inet_interfaces = loopback-only
		alias_maps =
		alias_database =
		maillog_file = /var/log/postfix.log
		in_flow_delay = 0
	END
	cat >/etc/postfix/master.cf <<-END
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		rewrite unix - - n - - trivial-rewrite
		postlog unix-dgram n - n - 1 postlogd
	END
	# What wakes the queue manager: without it cleanup complains, and waits a second.
	mkfifo -m 622 $spool/public/qmgr && exec 9<>$spool/public/qmgr || return 1
	$postfix_lib/master -c /etc/postfix -d </dev/null >/run/postfix.log 2>&1 &
	at_end $!
	wait_for test -S $spool/public/pickup
}

msmtp() {
	local port
	: >/run/smtp && chmod 666 /run/smtp
	"$SMTPSINK" /run/smtp.port /run/smtp &
	at_end $!
	wait_for test -s /run/smtp.port || return 1
	port=$(cat /run/smtp.port)
	cat >/etc/msmtprc <<-END
		account default
		host 127.0.0.1
		port $port
		domain host.lab.example
		from caller@lab.example
		allow_from_override on
	END
}

nullmailer() {
	mkdir -p /etc/nullmailer && echo host.lab.example >/etc/nullmailer/me &&
	    echo lab.example | tee /etc/nullmailer/defaulthost >/etc/nullmailer/defaultdomain
}

# ---- one case through each; $dir/in and the array args are the case

# outcome FORM FILE: the outcome of a message that was taken.
outcome() {
	od -An -v -tu1 "$2" | awk -v form="$1" -v year="$year" -f tests/differential/outcome.awk
}

# ran NAME FORM COMMAND ...: writes its outcome.
ran() {
	local name=$1 form=$2 code
	shift 2
	timeout 20 "${as_caller[@]}" "$@" <"$dir/in" >"$dir/$name.out" 2>"$dir/$name.err"
	code=$?
	if [ "$code" -ne 0 ]; then
		[ "$name" != nullmailer ] || [ "$code" -ne 1 ] || code=refused
		echo "exit $code" >"$dir/$name"
	elif [ "$form" != later ]; then
		[ "$form" != smtp ] || cp /run/smtp "$dir/$name.out"
		outcome "$form" "$dir/$name.out" >"$dir/$name"
	fi
}

# nullmailer-inject has options of its own: those of the case as its sendmail would give them.
nullmailer_arguments() {
	local operands=() options=() which=-a i
	inject=(env)
	for ((i = 0; i < ${#args[@]}; i++)); do
		case ${args[i]} in
		-t | -ti) which=-b ;;
		-f | -r) options+=(-f "${args[++i]}") ;;
		-f* | -r*) options+=(-f "${args[i]#-?}") ;;
		-F) inject+=("NULLMAILER_NAME=${args[++i]}") ;;
		--) operands+=("${args[@]:i+1}") && break ;;
		-*) ;;
		*) operands+=("${args[i]}") ;;
		esac
	done
	inject+=(nullmailer-inject -n -v "$which" "${options[@]}" -- "${operands[@]}")
}

run_case() {
	ran ours ours /run/ours/sendmail -C /run/ours/conf --dry-run "${args[@]}"
	ran postfix later /usr/sbin/sendmail -V "$case" "${args[@]}"
	: >/run/smtp
	ran msmtp smtp msmtp -C /etc/msmtprc "${args[@]}"
	nullmailer_arguments
	ran nullmailer nullmailer "${inject[@]}"
}

taken_from_maildrop() {
	[ -z "$(ls -A /var/spool/postfix/maildrop)" ]
}

# All that Postfix took is in its queue, with the case's name in the envelope.
collect_postfix() {
	local file envelope id
	if ! WAIT=30 wait_for taken_from_maildrop; then
		echo "# postfix left in maildrop: $(ls -A /var/spool/postfix/maildrop)"
		sed 's/^/# /' /var/log/postfix.log
	fi
	for file in /var/spool/postfix/incoming/*; do
		id=${file##*/}
		envelope=$(postcat -e -q "$id") || continue
		case=$(sed -n 's/^named_attribute: envelope_id=//p' <<<"$envelope")
		dir=$T/$case
		if [ -z "$case" ] || [ ! -d "$dir" ]; then
			continue
		fi
		{
			sed -n 's/^sender: \(.*\)/sender <\1>/p; s/^recipient: \(.*\)/recipient <\1>/p' \
			    <<<"$envelope"
			echo
			postcat -bh -q "$id"
		} >"$dir/postfix.out"
		outcome ours "$dir/postfix.out" >"$dir/postfix"
	done
}

# ---- what is declared, against what is

compare() {
	local oracle=$1 what="$file: $case: $1"
	if [ ! -e "$dir/$oracle" ]; then
		echo 'exit 0, and then it was lost' >"$dir/$oracle"
	fi
	cp "$dir/ours" "$dir/mine"
	[ "$oracle" != nullmailer ] || sed -i 's/^exit [1-9].*/exit refused/' "$dir/mine"
	diff --unchanged-line-format= --old-line-format='- %L' --new-line-format='+ %L' \
	    "$dir/mine" "$dir/$oracle" >"$dir/diff.$oracle"
	[ -e "$dir/declared.$oracle" ] || : >"$dir/declared.$oracle"
	if [ "$mode" = update ]; then
		return
	elif cmp -s "$dir/diff.$oracle" "$dir/declared.$oracle"; then
		if [ -s "$dir/diff.$oracle" ]; then
			ok "$what differs as declared: $(cat "$dir/reason.$oracle")"
		else
			ok "$what agrees"
		fi
	elif [ ! -s "$dir/diff.$oracle" ]; then
		not_ok "$what no longer differs, and a difference is declared"
	else
		not_ok "$what differs otherwise than declared" "differs:" "$(cat "$dir/diff.$oracle")" \
		    "declared:" "$(cat "$dir/declared.$oracle")" "said:" "$(cat "$dir/ours.err")" \
		    "$(head -n 3 "$dir/$oracle.err" 2>/dev/null)"
	fi
}

furnish_oracles || give_up "the oracles cannot be set up: $(cat /run/postfix.log)"
read_cases run_case tests/data/differential/*.txt
collect_postfix
[ "$mode" != update ] || mkdir -p "$UPDATED"
for path in tests/data/differential/*.txt; do
	file=$(basename "$path" .txt)
	while read -r case; do
		dir=$T/$case
		for oracle in postfix msmtp nullmailer; do
			compare $oracle
		done
	done < <(sed -n 's/^case: //p' "$path")
	[ "$mode" != update ] || update_file "$path" >"$UPDATED/$file.txt"
done
done_testing
