#!/bin/sh
# Who a message is from: envelope-from, allow-from-override, rewrite-from, default-domain, -f, -r, -F and NAME.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

login=$(id -un)

# given CASE LINE...: a configuration of these lines alone
given() {
	begin "$1"
	shift
	printf '%s\n' 'server "nobody" {' 'host = "/nonexistent"' '}' 'aliases = ""' "$@" >"$D/conf"
}

# from MESSAGE: the header that comes in, \n and all; its body is "x"
from() {
	printf '%b\n\nx\n' "$1" >"$D/in"
}

# shows SENDER FROM-FIELD [ARGUMENT ...]: what --dry-run says of a message to bob
shows() {
	shows_sender=$1 shows_from=$2
	shift 2
	send --dry-run "$@" bob@example.net
	is "$CASE: exit code" "$CODE" 0
	is "$CASE: sender" "$(sed -n 's/^sender //p;q' "$D/out")" "$shows_sender"
	is "$CASE: From" "$(sed '1,/^$/d' "$D/out" | sed -n '/^$/q;/^From:/,/^[^ \t]/p' |
	    sed '/^From:\|^[ \t]/!d')" "$shows_from"
}

lab='default-domain = "lab.example"'

given 'envelope-from: login@default-domain' "$lab"
from 'From: a@b.example'
shows "<$login@lab.example>" 'From: a@b.example'
shows '<x@y.example>' 'From: a@b.example' -f x@y.example
shows '<x@lab.example>' 'From: a@b.example' -f x
shows '<>' 'From: a@b.example' -f ''
shows '<z@y.example>' 'From: a@b.example' -fx@y.example -r z@y.example
shows '<list-@host-@[]>' 'From: a@b.example' -f 'list-@host-@[]'

given 'envelope-from: %U and %H' "$lab" 'hostname = "h.lab.example"' 'envelope-from = "%U+%H@bounce.example"'
from 'From: a@b.example'
shows "<$login+h.lab.example@bounce.example>" 'From: a@b.example'
shows '<x@y.example>' 'From: a@b.example' -f x@y.example

given 'envelope-from: without a domain' "$lab" 'envelope-from = "100%%"'
from 'From: a@b.example'
shows '<100%@lab.example>' 'From: a@b.example'

given 'allow-from-override = false' "$lab" 'allow-from-override = false' 'envelope-from = "fixed@lab.example"'
from 'From: a@b.example'
shows '<fixed@lab.example>' 'From: a@b.example' -f x@y.example
shows '<fixed@lab.example>' 'From: a@b.example' -f ''

given 'allow-from-override = false, no envelope-from' "$lab" 'allow-from-override = false'
from 'From: a@b.example'
shows "<$login@lab.example>" 'From: a@b.example' -r x@y.example

given 'rewrite-from = "no": a missing From is the caller' "$lab" 'rewrite-from = "no"'
from 'Subject: s'
shows '<x@y.example>' "From: Al <$login@lab.example>" -f x@y.example -F Al

given 'rewrite-from = "missing": a missing From is the sender' "$lab" 'rewrite-from = "missing"'
from 'Subject: s'
shows '<x@y.example>' 'From: Al <x@y.example>' -f x@y.example -F Al
shows '<>' "From: Al <$login@lab.example>" -f '' -F Al
from 'From: "A. B." (c) <a@b.example>'
shows '<x@y.example>' 'From: "A. B." (c) <a@b.example>' -f x@y.example

given 'rewrite-from = "always"' "$lab" 'rewrite-from = "always"'
from 'From: "A. B." (c)\n\t<a@b.example> (d)'
shows '<x@y.example>' "$(printf 'From: "A. B." (c)\n\t<x@y.example> (d)')" -f x@y.example
shows '<>' "$(printf 'From: "A. B." (c)\n\t<a@b.example> (d)')" -f ''
from 'From: root (Cron Daemon)'
shows '<x@y.example>' 'From: x@y.example (Cron Daemon)' -f x@y.example

given 'a From without a domain' "$lab"
from 'From: root (Cron Daemon)'
shows "<$login@lab.example>" 'From: root@lab.example (Cron Daemon)'
shows "<$login@lab.example>" 'From: root@lab.example (Cron Daemon)' -FCronDaemon

given 'names' "$lab"
from 'Subject: s'
shows "<$login@lab.example>" "From: \"A, B\" <$login@lab.example>" -F 'A, B'
shows "<$login@lab.example>" "From: =?UTF-8?Q?Jos=C3=A9?= <$login@lab.example>" -F 'José'
NAME='Env Name'
export NAME
shows "<$login@lab.example>" "From: Env Name <$login@lab.example>"
shows "<$login@lab.example>" "From: Al <$login@lab.example>" -F Al
unset NAME
shows "<$login@lab.example>" "From: $login@lab.example" -F ''

given 'default-domain: where it comes from' 'hostname = "h.lab.example"'
from 'From: a@b.example'
domain=h.lab.example
if [ -r /etc/mailname ]; then
	domain=$(sed q /etc/mailname)
fi
shows "<$login@$domain>" 'From: a@b.example'

done_testing
