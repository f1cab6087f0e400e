# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systems.sh
# booted.sh: a room with systemd as its PID 1. What runs "inside" then runs there.
#
# boot		until all that is to be started has been. 1: it does not come up, 2: there are no control groups
#		for it; why is in $T/boot.out
# power_off	as its administrator does it, until nothing of it is left
# power_cut	everything in it is killed
# active UNIT	is it?
# main_pid	of the flusher
# running	programs and libraries of ours that are at work
# journal OPTION ...	journalctl, the texts alone

cgroups=$ROOM/cgroup boot=''

boot() {
	control_group 2>"$T/boot.out" || return 2
	# shellcheck disable=SC2016 # that shell's own
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$cgroups/$GROUP" \
	    unshare --mount --pid --uts --ipc --cgroup --fork --kill-child=SIGKILL \
	    sh "$top_srcdir/tests/packages/boot.sh" "$ROOT" </dev/null >"$T/boot.out" 2>&1 &
	boot=$!
	WAIT=60 wait_for init_is_there && WAIT=60 wait_for active multi-user.target
}

# A mount of one's own: the system's may be read-only, or have the older groups in its place.
control_group() {
	mkdir -p "$cgroups"
	mountpoint -q "$cgroups" || mount -t cgroup2 cgroup2 "$cgroups" || return
	mkdir "$cgroups/$GROUP"
}

init_is_there() {
	INIT=$(awk -v parent="$boot" '$4 == parent { print $1; exit }' /proc/[0-9]*/stat 2>/dev/null)
	[ -n "$INIT" ] && [ "$(cat "/proc/$INIT/comm")" = systemd ]
}

power_off() {
	inside systemctl start --no-block --job-mode=replace-irreversibly poweroff.target
	WAIT=90 wait_for init_is_gone
	power_cut
}

init_is_gone() {
	[ ! -d "/proc/$INIT" ]
}

power_cut() {
	kill -KILL "$boot" 2>/dev/null
	wait "$boot" 2>/dev/null
	INIT=''
	check "nothing of systemd is left" sh "$top_srcdir/tests/packages/cgroup.sh" "$cgroups" "$GROUP"
}

active() {
	[ "$(inside systemctl is-active "$1")" = active ]
}

main_pid() {
	inside systemctl show -p MainPID --value qmtp-sendmail.service
}

another_flusher() {
	active qmtp-sendmail.service && [ "$(main_pid)" != "$flusher" ] && [ "$(main_pid)" != 0 ]
}

running() {
	# shellcheck disable=SC2016 # that shell's own
	inside sh -c 'cat /proc/[0-9]*/maps 2>/dev/null | sed -n "s|.* /|/|p" | grep qmtp | sort -u'
}

journal() {
	inside journalctl --quiet --no-pager -o cat "$@"
}
