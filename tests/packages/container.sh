# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systems.sh
# container.sh: packaging/Dockerfile, its instructions carried out one by one without an engine, and then
# what it makes, without an init system. The first stage is this very system, which has what the build
# needs; there is no network, so apt has the packages of the last one as files.

# What an engine leaves to root in a container
capabilities=-all,+audit_write,+chown,+dac_override,+fowner,+fsetid,+kill,+mknod,+net_bind_service,+net_raw
capabilities=$capabilities,+setfcap,+setgid,+setpcap,+setuid,+sys_chroot
init='' engine=''

# instructions: of the Dockerfile, each on a line of its own
instructions() {
	sed -e '/^#/d' -e '/^$/d' "$top_srcdir/packaging/Dockerfile" |
	    sed -e ':more' -e '/\\$/ { N; s/\\\n//; b more' -e '}'
}

# stage NAME LOWER: the next image is begun.
stage() {
	room "$1" "$2"
	printf 'Dir::Cache::archives "/debs";\n' >"$ROOT/etc/apt/apt.conf.d/debs"
	mount --bind /dev "$ROOT/dev"
	directory=/
}

# words JSON: of ["a", "b"], none of which has a blank
words() {
	echo "$1" | sed 's/^\[ *"\(.*\)" *\]$/\1/; s/" *, *"/ /g'
}

# instruction NAME ARGUMENTS: an unknown one fails.
instruction() {
	case $1.$2 in
	'FROM.debian:bookworm-slim AS build') stage build / && build=$ROOT ;;
	'FROM.debian:bookworm-slim') stage image "$base/root" ;;
	'COPY.. '*)
		mkdir -p "$ROOT${2#. }"
		git -C "$top_srcdir" archive HEAD | tar -x -C "$ROOT${2#. }" -f -
		;;
	'COPY.--from=build /out /') cp -a "$build/out/." "$ROOT/" ;;
	WORKDIR.*) directory=$2 ;;
	RUN.*) inside setpriv --bounding-set "$capabilities" sh -c "cd $directory && $2" ;;
	VOLUME.*) volume=$2 ;;
	CMD.\[*) command=$(words "$2") ;;
	*) echo "what is $1?" && false ;;
	esac </dev/null
}

# ---- containers

# container NAME [OPTION OF SETPRIV] COMMAND ...: of the image, with the volume; $init is its process 1
container() {
	room "$1" "$ROOM/image/new:$base/root"
	shift
	quietly mount --bind "$T/volume" "$ROOT$volume"
	rm -f "$T/log"
	"$STAGE" log "$ROOT/dev/log" "$T/log" &
	at_end $!
	wait_for test -S "$ROOT/dev/log"
	cp "$T/container.conf" "$ROOT/etc/qmtp-sendmail.conf"
	unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc="$ROOT/proc" chroot "$ROOT" \
	    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv --bounding-set "$capabilities" "$@" \
	    </dev/null >"$T/engine.out" 2>&1 &
	engine=$!
	at_end "$engine"
	wait_for init_is_there
}

init_is_there() {
	init=$(awk -v parent="$engine" '$4 == parent { print $1; exit }' /proc/[0-9]*/stat 2>/dev/null)
	[ -n "$init" ] && ! grep -q -E '^(unshare|chroot|env|setpriv)$' "/proc/$init/comm"
}

# enter [OPTION OF SETPRIV ...] COMMAND ...: one more process in there
enter() {
	nsenter --target "$init" --mount --uts --ipc --pid --root --wd env -i \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin setpriv --bounding-set "$capabilities" "$@"
}

# letter SUBJECT [OPTION OF SETPRIV]: sent there by alice
letter() {
	to=$1@example.net
	shift
	printf 'Subject: from a container\n\nIt has no init system.\n' |
	    enter --reuid alice --regid alice --init-groups "$@" sendmail "$to"
}

letter_came() {
	came "$1" alice "$2@example.net" <<-'END'
		Date: DATE
		From: Alice <alice@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: from a container

		It has no init system.
	END
}

# alone: there is no other process, not even one that ended and was not waited for.
alone() {
	[ "$(enter sh -c 'cat /proc/[0-9]*/stat' | grep -c -v -E '^[0-9]+ \((sh|cat)\)')" -eq 1 ]
}

# stopped WHAT: as "docker stop" does it
stopped() {
	kill -TERM "$init"
	if wait_for sh -c "! kill -0 $init"; then
		wait "$engine"
		is "$1: its exit code" "$?" 0
	else
		not_ok "$1: it ends" "$(cat "$T/log")"
		kill -KILL "$engine"
	fi
}

# ---- the image

echo '# container'
is "it is the system that is wanted" "$(sed -n 's/^VERSION_CODENAME=//p' "$base/root/etc/os-release")" bookworm
instructions >"$T/instructions"
while read -r name arguments; do
	if ! instruction "$name" "$arguments" >"$T/said" 2>&1; then
		not_ok "$name $arguments" "$(tail -n 40 "$T/said")"
		break
	fi
	ok "$name $(echo "$arguments" | cut -c 1-60)"
done <"$T/instructions"
is "the helper has its bit" "$(inside stat -c '%U %G %a' /usr/libexec/qmtp-sendmail/qmtp-queue)" \
    'root qmtpdrop 2755'
# A new volume begins as what the image has there.
cp -a "$ROOT$volume" "$T/volume"
umount -R "$ROOT"
cat >"$T/container.conf" <<-END
	hostname = vm.lab.example
	default-domain = lab.example
	server local { host = 127.0.0.1 port = $port }
END

# ---- the flusher is process 1

# shellcheck disable=SC2086 # words
container first $command
is "process 1 is the flusher, and not as root" \
    "$(cat "/proc/$init/comm") $(stat -c %u "/proc/$init")" "qmtp-flush $(inside id -u qmtpq)"
up container
check "up: mail" letter up
letter_came "up" up
stop_server
check "down: mail" letter down
waits "down: it waits" 1
check "down: a process that nobody waits for" enter sh -c 'sleep 0.1 &'
if wait_for alone; then
	ok "down: no zombie is left"
else
	not_ok "down: no zombie is left" "$(enter sh -c 'cat /proc/[0-9]*/stat')"
fi
up container
WAIT=30
letter_came "back, by itself" down
WAIT=''
waits "back: nothing waits" 0
stop_server
check "down: mail again" letter again
stopped "with mail that waits"
waits "it still waits" 1

# ---- the volume in another container, whose programs may gain nothing

up container
container second --no-new-privs sh -c 'mkdir /run/qmtp-sendmail
    /usr/libexec/qmtp-sendmail/qmtp-queue listen & exec qmtp-flush'
letter_came "what waited in the volume" again
waits "nothing waits" 0
stop_server
wait_for test -S "$ROOT/run/qmtp-sendmail/queue.sock"
check "no-new-privileges: mail" letter narrow --no-new-privs
waits "no-new-privileges: it waits" 1
is "no-new-privileges: whose it is" "$(find "$ROOT$spool/queue" -type f -printf '%U')" "$(inside id -u alice)"
stopped "no-new-privileges"

# ---- no flusher but that of cron

container third sleep 300
up container
check "qmtp-flush --once" enter qmtp-flush --once
letter_came "by qmtp-flush --once" narrow
waits "nothing waits" 0
kill -KILL "$engine"
stop_server
