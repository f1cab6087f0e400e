#!/bin/sh
# qmtp-queue serve and listen: the same through a socket, for whom the kernel says it is; what
# comes too slowly, is broken off or does not fit leaves nothing behind.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

DIALOGUE=${DIALOGUE:-$top_builddir/tests/integration/dialogue}
HASTY=$QUEUE-hasty
ONE='5:\nabc\n,5:s@x.y,8:5:r@x.y,,'

# fresh CASE: an empty spool
fresh() {
	begin "$1"
	chmod 755 "$T" "$D"
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue"
	chmod 1777 "$D/spool/tmp" "$D/spool/queue"
}

# holds WHAT [WORD ...]: the conversation on standard input goes as it is written
holds() {
	lib_what=$1
	shift
	[ $# -gt 0 ] || set -- --socket "$QUEUE" serve
	if lib_said=$(cd "$D" && "$DIALOGUE" "$@" 2>"$D/err"); then
		ok "$CASE: $lib_what"
	else
		not_ok "$CASE: $lib_what" "$lib_said"
	fi
	is "$CASE: $lib_what: stderr" "$(cat "$D/err")" ''
}

# kept N: so many entries, and nothing half done
kept() {
	is "$CASE: entries" "$(find "$D/spool/queue" -type f | wc -l | tr -d ' ')" "$1"
	is "$CASE: nothing is left in tmp" "$(ls "$D/spool/tmp")" ''
}

# ---- the line

fresh 'one write'
holds store <<END
>> store\n$ONE
reply
exit 0
END
kept 1
cat "$D/spool/queue"/* >"$D/file"
printf '%b' "$ONE" >"$D/package"
head -c "$(wc -c <"$D/package")" "$D/file" >"$D/got"
same "$CASE: the package as it came" "$D/got" "$D/package"

fresh 'byte for byte'
holds doubt <<'END'
>> d
pause 20
>> oub
pause 20
>> t
pause 20
>> \n
silence
>> 5
pause 20
>> :\nabc\n,5:s@x.y
pause 20
>> ,8:5:r@x.y,
silence
>> ,
reply
exit 0
END
kept 1
like "$CASE: in doubt" "$(cat "$D/spool/queue"/*)" '*
abc
,5:s@x.y,8:5:r@x.y,,?????????
P????????'

fresh 'verbs'
holds store <<END
>> store\n$ONE
reply
exit 0
END
id=$(ls "$D/spool/queue")
holds 'show' <<END
>> show $id\n
<< ok 4\nabc\n
exit 0
END
holds 'show, with bytes behind it' <<END
>> show $id\nstore\n$ONE
<< ok 4\nabc\n
exit 0
END
holds 'retry' <<END
>> retry $id\n
<< ok\n
exit 0
END
holds 'retry all' <<'END'
>> retry all\n
<< ok 1\n
exit 0
END
holds 'list' <<END
>> list\n
<< ok\nentry $id\nuid $(id -u)\nsize 4\n
<< arrived $(printf '%d' "0x${id%.*}")\n
<< tried $(stat -c %Y "$D/spool/queue/$id")\nstate P $(printf '%d' "0x${id%.*}")\n
<< sender s@x.y\nrcpt P $(printf '%d' "0x${id%.*}") r@x.y\nend\ndone 1\n
exit 0
END
holds 'remove' <<END
>> remove $id\n
<< ok\n
exit 0
END
holds 'remove again' <<END
>> remove $id\n
<< no 67 no such entry\n
exit 67
END
kept 0

fresh 'no request'
for line in '' '\n' 'stor\n' 'stored\n' ' store\n' 'store \n' 'store x\n' 'STORE\n' 'store\r\n' \
    'store\0\n' '\0store\n' 'list \n' 'show\n' 'serve\n' 'listen\n' 'retry\n' "$ONE"; do
	[ -n "$line" ] || continue
	holds "'$line'" <<END
>> $line
close
<< no 64 that is no request\n
exit 64
END
done
holds 'a line that breaks off' <<'END'
>> list
close
<< no 64 that is no request\n
exit 64
END
long=$(printf '%058d' 0)
holds '64 bytes' <<END
>> show $long\n
<< no 67 no such entry\n
exit 67
END
holds '65 bytes' <<END
>> show 0$long\n
<< no 64 that is no request\n
exit 64
END
holds 'a line without an end' <<'END'
fill 64
<< no 64 that is no request\n
exit 64
END
holds 'nothing at all' <<'END'
close
exit 0
END
kept 0

# ---- the package

fresh 'bytes behind the package'
holds 'at once' <<END
>> store\n${ONE}x
<< 25:Dbytes behind the package,
exit 65
END
holds 'two packages' <<END
>> store\n${ONE}${ONE}
<< 25:Dbytes behind the package,
exit 65
END
kept 0
holds 'the second later' <<END
>> store\n${ONE}
reply
exit 0
END
kept 1

fresh 'what is no package, or breaks off'
for package in 'x' '5:\nabc\n,5:s@x.y,8:5:r@x.y,' '5:\nabc\n,5:s@x.y,8:5:r@x.y,x' '99:\n'; do
	holds "'$package'" <<END
>> store\n$package
close
exit 65
END
done
kept 0

# ---- limits of time: a second without a byte, four seconds in all

fresh 'time'
holds 'no request' --socket "$HASTY" serve <<'END'
exit 74
END
holds 'half a request' --socket "$HASTY" serve <<'END'
>> stor
exit 74
END
holds 'half a package' --socket "$HASTY" serve <<'END'
>> store\n5:\nab
exit 74
END
holds 'all but its last byte, without a socket' "$HASTY" store <<'END'
>> 5:\nabc\n,5:s@x.y,8:5:r@x.y,
exit 74
END
holds 'a package that drips, while there is time' --socket "$HASTY" serve <<'END'
>> store\n5:\n
pause 400
>> abc\n
pause 400
>> ,5:s@x.y,
pause 400
>> 8:5:r@x.y,,
reply
exit 0
END
kept 1
rm "$D/spool/queue"/*
{
	printf '99:\n'
	while sleep 0.2; do printf x; done
} 2>/dev/null | (
	cd "$D" && "$HASTY" store >out 2>err
	echo $? >code
)
is "$CASE: a package that drips for ever" "$(cat "$D/code" "$D/out" "$D/err")" 74
kept 0
{
	printf '4000001:\n'
	yes 'a message that no socket holds' | head -c 4000000
	printf ',0:,4:1:a,,'
} >"$D/in"
(cd "$D" && exec "$QUEUE" store <in >out)
big=$(ls "$D/spool/queue")
for how in show list; do
	if [ $how = list ]; then
		# The list too must be more than a pipe holds.
		list=$(awk 'BEGIN { for (i = 0; i < 10000; i++) printf "3:a@b," }')
		printf '1:\n,0:,60000:%s,' "$list" >"$D/in"
		(cd "$D" && exec "$QUEUE" store <in >out)
		big=''
	fi
	rm -f "$D/code"
	# shellcheck disable=SC2086
	{
		(cd "$D" && exec "$HASTY" $how $big)
		echo $? >"$D/code.new"
		mv "$D/code.new" "$D/code"
	} | {
		wait_for_file "$D/code"
		head -c 2 >"$D/got"
	}
	is "$CASE: $how: nobody reads" "$(cat "$D/code") $(cat "$D/got")" '74 ok'
done

# ---- breaking off by signals

# half CASE SIGNAL: a helper that has half a package gets it
half() {
	fresh "$1"
	mkfifo "$D/fifo"
	# The shell has its jobs in the background ignore some.
	(cd "$D" && exec "$STAGE" run --default 2 --default 3 "$QUEUE" store <fifo >out 2>err) &
	pid=$!
	at_end $pid
	exec 9>"$D/fifo"
	printf '5:\nab' >&9
	wait_for sh -c "ls '$D/spool/tmp' | grep -q ."
	kill -s "$2" "$pid"
	wait "$pid"
	CODE=$?
	exec 9>&-
}
for sig in TERM INT HUP QUIT ALRM USR1; do
	half "SIG$sig" $sig
	is "$CASE: exit code" "$CODE" 74
	is "$CASE: no answer" "$(cat "$D/out")" ''
	kept 0
done 2>/dev/null
half SIGKILL KILL 2>/dev/null
is "$CASE: nothing in the queue" "$(ls "$D/spool/queue")" ''
is "$CASE: what is left is in tmp" "$(find "$D/spool/tmp" -type f | wc -l | tr -d ' ')" 1

# ---- limits of the caller

fresh 'RLIMIT_FSIZE'
{
	printf '300001:\n'
	head -c 300000 /dev/zero | tr '\0' x
	printf ',0:,4:1:a,,'
} >"$D/in"
for n in 0 1000 65536 299999 300029; do
	(cd "$D" && exec "$STAGE" run --limit fsize $n "$QUEUE" store <in >/dev/null 2>err)
	is "$CASE: $n: exit code" $? 75
done
kept 0
(cd "$D" && exec "$STAGE" run --limit fsize 300040 "$QUEUE" store <in | cat >out)
like "$CASE: enough" "$(cat "$D/out")" '*:Kqueued as *'
kept 1

fresh 'RLIMIT_NOFILE'
printf '%b' "$ONE" >"$D/in"
for n in 3 4 5 6 7; do
	(cd "$D" && exec "$STAGE" run --limit nofile $n "$QUEUE" store <in >out 2>err)
	CODE=$?
	case $CODE:$(cat "$D/out"):$(ls "$D/spool/queue") in
	0:*:Kqueued*:*.*)
		ok "$CASE: $n: stored"
		rm "$D/spool/queue"/*
		;;
	7[1357]:'': | 75:*:Z*: | 127::) ok "$CASE: $n: not stored" ;;
	*) not_ok "$CASE: $n" "$CODE $(cat "$D/out") $(ls "$D/spool/queue")" ;;
	esac
done
kept 0

if [ "${SANITIZERS:-no}" = no ]; then # which need more room than there is
	fresh 'RLIMIT_AS'
	awk 'BEGIN { for (i = 0; i < 9000; i++) printf "3:a@b," }' >"$D/rcpts"
	printf '1:\n,0:,54000:%s,' "$(cat "$D/rcpts")" >"$D/in"
	wrong='' n=1000000
	while [ $n -lt 8000000 ]; do
		(cd "$D" && exec "$STAGE" run --limit as $n "$QUEUE" store <in >out 2>err)
		CODE=$?
		answers=$(tr -cd K <"$D/out" | wc -c | tr -d ' ')
		case $CODE:$answers:$(ls "$D/spool/queue"):$(ls "$D/spool/tmp") in
		0:9000:*.*:) rm "$D/spool/queue"/* ;;
		*:0::) ;;
		*) wrong="$wrong $n: $CODE $answers" ;;
		esac
		n=$((n + 100000))
	done
	is "$CASE: stored and said so, or neither" "$wrong" ''
	is "$CASE: at last it is enough" "$CODE" 0
fi

fresh 'closed descriptors'
printf '%b' "$ONE" >"$D/in"
(cd "$D" && exec "$QUEUE" store <&- >out 2>err)
is "$CASE: 0" $? 74
(cd "$D" && exec "$QUEUE" store <&- >&- 2>&-)
is "$CASE: 0 1 2" $? 74
kept 0
(cd "$D" && exec "$QUEUE" store <in >out 2>&-)
is "$CASE: 2" $? 0
kept 1

fresh 'serve without a socket'
(cd "$D" && exec "$QUEUE" serve </dev/null >out 2>err)
is "$CASE: a device" $? 64
printf 'list\n' | (cd "$D" && exec "$QUEUE" serve >out 2>err)
is "$CASE: a pipe" $? 64
(cd "$D" && exec "$QUEUE" serve <&- >out 2>err)
is "$CASE: nothing" $? 64
is "$CASE: silence" "$(cat "$D/out" "$D/err")" ''

# ---- a socket of its own

# listens [COMMAND ...]: it does, in $D; its id is $LISTENER
listens() {
	(cd "$D" && exec "$@" "$QUEUE" listen 2>listen.err) &
	LISTENER=$!
	at_end $LISTENER
	wait_for test -S "$D/queue.sock"
}

# stops: it ends well
stops() {
	kill "$LISTENER"
	wait "$LISTENER"
	is "$CASE: exit code of the listener" $? 0
	is "$CASE: the socket is gone" "$(ls "$D/queue.sock" 2>/dev/null)" ''
	is "$CASE: stderr of the listener" "$(cat "$D/listen.err")" ''
}

fresh 'listen'
listens
is "$CASE: everybody may" "$(stat -c '%F %a' "$D/queue.sock")" 'socket 666'
holds store --connect queue.sock <<END
>> store\n$ONE
reply
end
END
kept 1
holds list --connect queue.sock <<END
>> list\n
<< ok\nentry $(ls "$D/spool/queue")\nuid $(id -u)\n
END
(cd "$D" && exec timeout 20 "$QUEUE" listen)
is "$CASE: there is one already" $? 69
holds 'still there' --connect queue.sock <<'END'
>> retry all\n
<< ok 1\n
end
END
stops

fresh 'a socket that was left'
listens
kill -KILL "$LISTENER"
wait "$LISTENER" 2>/dev/null
check "$CASE: it is there" test -S "$D/queue.sock"
old=$(stat -c %i "$D/queue.sock")
(cd "$D" && exec "$QUEUE" listen 2>listen.err) &
LISTENER=$!
at_end $LISTENER
listening() {
	(cd "$D" && exec "$DIALOGUE" --connect queue.sock) <<'END'
>> retry all\n
<< ok 0\n
end
END
}
check "$CASE: another took its place (was $old)" wait_for listening
stops

fresh 'what is no socket is left alone'
echo text >"$D/queue.sock"
(cd "$D" && exec timeout 20 "$QUEUE" listen 2>listen.err)
is "$CASE: exit code" $? 73
is "$CASE: a file" "$(cat "$D/queue.sock")" text
rm "$D/queue.sock"
ln -s elsewhere "$D/queue.sock"
(cd "$D" && exec timeout 20 "$QUEUE" listen 2>listen.err)
is "$CASE: a symlink: exit code" $? 73
is "$CASE: a symlink" "$(readlink "$D/queue.sock") $(ls "$D/elsewhere" 2>/dev/null)" 'elsewhere '

fresh 'another socket in its place'
listens
rm "$D/queue.sock"
(cd "$D" && exec "$STAGE" log queue.sock syslog) &
at_end $!
wait_for test -S "$D/queue.sock"
kill "$LISTENER"
wait "$LISTENER"
is "$CASE: exit code" $? 0
check "$CASE: it is not ours to remove" test -S "$D/queue.sock"

fresh 'more than 64 at a time'
listens
i=0
while [ $i -lt 64 ]; do
	i=$((i + 1))
	(cd "$D" && exec "$DIALOGUE" --connect queue.sock >"$D/said.$i" <<END
>> store\n5:\nabc\n,5:s@x.y,
await $D/go
>> 8:5:r@x.y,,
reply
end
END
	) &
	at_end $!
done
children() {
	wc -w <"/proc/$LISTENER/task/$LISTENER/children" | tr -d ' '
}
some() {
	[ "$(children)" -ge 64 ]
}
if [ -e "/proc/$LISTENER/task/$LISTENER/children" ]; then
	check "$CASE: 64 are served" wait_for some
	(cd "$D" && exec "$DIALOGUE" --connect queue.sock >"$D/said.more" <<END
>> retry all\n
silence
silence
await $D/go
<< ok 
END
	) &
	more=$!
	sleep 0.3
	is "$CASE: one more waits" "$(children)" 64
	: >"$D/go"
	wait "$more"
	is "$CASE: and is served in the end" "$? $(cat "$D/said.more")" '0 '
	all() {
		[ "$(find "$D/spool/queue" -type f | wc -l)" -eq 64 ]
	}
	check "$CASE: all of them are kept" wait_for all
else
	: >"$D/go"
	skip "$CASE" 'the kernel does not tell of children'
fi
stops

# ---- who it is

if [ "$(id -u)" -ne 0 ]; then
	skip 'other users' 'needs root'
	done_testing
fi

# As root with two capabilities and no more; the spool as it is installed
narrow='setpriv --bounding-set -all,+setuid,+setgid --inh-caps -all'
for how in $QUEUE 'with two capabilities'; do
	fresh "other users ($how)"
	chgrp 4712 "$D/spool/tmp" "$D/spool/queue"
	chmod 3777 "$D/spool/tmp" "$D/spool/queue"
	chgrp 4711 "$D/spool"
	chmod 710 "$D/spool"
	# shellcheck disable=SC2086
	if [ "$how" = "$QUEUE" ]; then listens; else listens $narrow; fi
	for uid in 1234 1235; do
		(cd "$D" && setpriv --reuid $uid --regid $uid --clear-groups "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> store\n$ONE
reply
end
END
		)
		is "$CASE: $uid: store" "$? $(cat "$D/said")" '0 '
	done
	ids=$(cd "$D/spool/queue" && stat -c '%u:%g %a %n' -- * | sort)
	is "$CASE: whose they are" "$(echo "$ids" | sed 's/ [^ ]*$//')" '1234:4712 660
1235:4712 660'
	mine=$(echo "$ids" | sed -n 's/^1234.* //p')
	other=$(echo "$ids" | sed -n 's/^1235.* //p')
	(cd "$D" && setpriv --reuid 1234 --regid 1234 --clear-groups "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> retry all\n
<< ok 1\n
end
END
	)
	is "$CASE: retry all" "$? $(cat "$D/said")" '0 '
	for verb in show remove retry; do
		(cd "$D" && setpriv --reuid 1234 --regid 1234 --clear-groups "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> $verb $other\n
<< no 67 no such entry\n
end
END
		)
		is "$CASE: $verb: another's" "$? $(cat "$D/said")" '0 '
	done
	(cd "$D" && setpriv --reuid 1234 --regid 1234 --clear-groups "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> list\n
<< ok\nentry $mine\nuid 1234\nsize 4\n
END
	)
	is "$CASE: list" "$? $(cat "$D/said")" '0 '
	(cd "$D" && setpriv --reuid 1234 --regid 1234 --clear-groups "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> remove $mine\n
<< ok\n
end
END
	)
	is "$CASE: remove" "$? $(cat "$D/said") $(ls "$D/spool/queue")" "0  $other"
	stops
done

fresh 'what the one who serves is then'
listens setpriv --groups 4999,5000
(cd "$D" && exec setpriv --reuid 1234 --regid 1234 --groups 4713 "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> store\n5:\n
await $D/go
close
end
END
) &
asked=$!
served() {
	child=$(tr -d ' ' <"/proc/$LISTENER/task/$LISTENER/children")
	[ -n "$child" ] && grep -q '^Uid:	1234' "/proc/$child/status"
}
wait_for served
gid=$(stat -c %g "$D/spool")
is "$CASE" "$(grep -E '^(Uid|Gid|Groups|CapEff|CapPrm):' "/proc/$child/status" | tr -d ' ')" "Uid:	1234	1234	1234	1234
Gid:	$gid	$gid	$gid	$gid
Groups:	
CapPrm:	0000000000000000
CapEff:	0000000000000000"
is "$CASE: nobody looks into it" "$(stat -c %u "/proc/$child/mem")" 0
: >"$D/go"
wait "$asked"
is "$CASE: end" "$? $(cat "$D/said")" '0 '
stops

fresh 'who is not root serves himself alone'
chmod 777 "$D"
chgrp 4711 "$D/spool"
listens setpriv --reuid 1234 --regid 4711 --clear-groups
for uid in 0 1234 1235; do
	(cd "$D" && setpriv --reuid $uid --regid 4711 --clear-groups "$DIALOGUE" --connect queue.sock >"$D/said" <<END
>> retry all\n
<< ok 0\n
end
END
	)
	is "$CASE: $uid" $? $((uid != 1234))
done
stops

fresh 'no room'
if unshare -m true 2>/dev/null; then
	# 20 MiB in all, of which 16 MiB must stay free
	cat >"$D/room" <<'END'
mount -t tmpfs -o size=20m,nr_inodes="$1" none spool && mkdir spool/tmp spool/queue || exit 99
"$2" store <in >out
echo $? $(ls spool/queue | wc -l) $(ls spool/tmp | wc -l)
mkfifo fifo
"$2" store <fifo >out.2 &
exec 9>fifo
head -c 1000000 in >&9
until [ "$(ls spool/tmp | wc -l)" -eq 1 ]; do sleep 0.02; done
head -c 4000000 /dev/zero >spool/other
tail -c +1000001 in >&9
exec 9>&-
wait $!
echo $? $(ls spool/queue | wc -l) $(ls spool/tmp | wc -l)
END
	{
		printf '2000001:\n'
		head -c 2000000 /dev/zero
		printf ',0:,4:1:a,,'
	} >"$D/in"
	said=$(cd "$D" && unshare -m sh room 0 "$QUEUE")
	is "$CASE: room for one, and none when the second is complete" "$said" '0 1 0
75 1 0'
	like "$CASE: the answer" "$(cat "$D/out.2")" '*:Zspool: no room left while storing a message,'
	rm "$D/fifo"
	{
		printf '5000001:\n'
		head -c 5000000 /dev/zero
		printf ',0:,4:1:a,,'
	} >"$D/in"
	# shellcheck disable=SC2016 # the $ are of the inner shell
	said=$(cd "$D" && unshare -m sh -c 'mount -t tmpfs -o size=20m none spool && mkdir spool/tmp spool/queue &&
	    "$0" store <in >out; echo $? $(ls spool/queue | wc -l)' "$QUEUE")
	is "$CASE: none from the beginning" "$said" '75 0'
	# shellcheck disable=SC2016 # the $ are of the inner shell
	said=$(cd "$D" && unshare -m sh -c 'mount -t tmpfs -o size=40m,nr_inodes=90 none spool && mkdir spool/tmp spool/queue &&
	    "$0" store <in >out; echo $? $(ls spool/queue | wc -l)' "$QUEUE")
	is "$CASE: no inodes" "$said" '75 0'
else
	skip "$CASE" 'nothing can be mounted here'
fi

done_testing
