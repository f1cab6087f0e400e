# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systemd.sh
# stopped.sh: the flusher is stopped while a server makes it wait; the system is switched off and on.

configured 'delivery = "queue"'
start_server --port "$port" --store "$T/slow" --delay 2000
store=$T/slow
check "restart" inside systemctl restart qmtp-sendmail.service
check "mail to a slow server" letter slow@example.net as alice
comes "it is there" slow@example.net
in_seconds check "the flusher is stopped" inside systemctl stop qmtp-sendmail.service
is "when it knows the answer" "$(waiting)" 0
check "in $TOOK s" [ "$TOOK" -lt 9 ]
stop_server

start_server --port "$port" --store "$T/silent" --stall-after-byte last
store=$T/silent
check "start" inside systemctl start qmtp-sendmail.service
check "mail to a server that never answers" letter silent@example.net as alice
comes "it is there" silent@example.net
in_seconds check "the flusher is stopped" inside systemctl stop qmtp-sendmail.service
check "in $TOOK s" [ "$TOOK" -lt 30 ]
is "by itself" "$(inside systemctl show -p Result --value qmtp-sendmail.service)" success
is "it is in doubt" "$(inside mailq --json | grep -c '"state": *"in doubt"')" 1
stop_server
is "each was sent once" "$(cat "$T/slow"/*.rcpts "$T/silent"/*.rcpts)" "slow@example.net
silent@example.net"

check "mail with no flusher" letter boot@example.net as alice
power_off
up booted
boot
is "systemd is process 1 once more" $? 0
letter_came "the mail that waited" boot@example.net
is "what is in doubt waits" "$(waiting)" 1
check "but not when it is told to" inside mailq --retry all
letter_came "it" silent@example.net
waits "nothing waits" 0
is "once" "$(cat "$store"/*.rcpts | sort)" "boot@example.net
silent@example.net"
stop_server
