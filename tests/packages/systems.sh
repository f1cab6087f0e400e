#!/bin/sh
# Inside the namespaces of debian.sh: the packages, and one system after the other. TAP.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
# shellcheck source=tests/packages/room.sh
. "$top_srcdir/tests/packages/room.sh"

quietly mount --make-rprivate /
quietly mount -t tmpfs -o mode=755 rooms "$ROOM"
quietly hostname vm
quietly "$STAGE" loopback
chmod 755 "$T"
port=6280
spool=/var/spool/qmtp-sendmail

# ---- the packages

# build_bare: by an ordinary user of a bare system, who has installed what they ask for
build_bare() {
	room build "$bare/root"
	terminals
	for dir in debs var/lib/apt/lists; do
		mkdir -p "$ROOT/$dir"
		quietly mount --bind "$base/root/$dir" "$ROOT/$dir"
	done
	quietly git clone -q "$top_srcdir" "$ROOT/src"
	quietly apt install build-essential git
	check "what packaging/debian/control asks for is installed" apt build-dep /src/packaging
	quietly inside useradd -m alice
	quietly inside chown -R alice:alice /src
	check "the packages are built, with their tests" as alice /src/packaging/build-deb /home/alice/debs
	cp -R "$ROOT/home/alice/debs" "$T/debs/new"
}

# older: $T/old is a tree of an older version, which has another example of a configuration
older() {
	rm -rf "$T/old"
	git clone -q "$top_srcdir" "$T/old" || exit 99
	sed -i 's/^\(AC_INIT(\[qmtp-sendmail\], \[\).*\])/\10.0.1])/' "$T/old/configure.ac"
	echo '# As it was once' >>"$T/old/conf/qmtp-sendmail.conf"
	git -C "$T/old" -c user.name=test -c user.email=test@lab.example commit -qam older || exit 99
}

build_old_and_new() {
	mkdir "$T/debs"
	build_bare
	check "and once more, elsewhere and otherwise" packages "$top_srcdir" "$T/debs/again" \
	    DEB_BUILD_OPTIONS=nocheck TZ=Asia/Tokyo LC_ALL=C.UTF-8 sh -c 'umask 077; exec "$@"' sh
	for file in "$T"/debs/new/*.deb "$T"/debs/new/*.dsc "$T"/debs/new/*.tar.*; do
		name=${file##*/}
		is "$name is the same bit for bit" "$(sha256sum <"$file")" \
		    "$(sha256sum <"$T/debs/again/$name")"
	done
	is "lintian has nothing to say, and no override is there" \
	    "$(TMPDIR=$T lintian --allow-root --show-overrides --display-info "$T"/debs/new/*.changes 2>&1 |
	    sed '/^I: /{ /-override/!d; }')" ''

	older
	check "an older version is built" packages "$T/old" "$T/debs/old" DEB_BUILD_OPTIONS=nocheck
}

# ---- mail

# up STORE: the server that the rooms are told of, until stop_server
up() {
	start_server --port "$port" --store "$T/$1"
	store=$T/$1
}

# mail_of USER STATE: one mail each by mail(1) and PHP, to an address of its own
mail_of() {
	printf 'line\n.\nFrom here\n\303\266 no newline' >"$T/body"
	check "$2: mail(1) as $1" as "$1" env LC_ALL=C.UTF-8 mail -s "a mail" "mail.$1.$2@example.net" \
	    <"$T/body"
	# shellcheck disable=SC2016 # the $ are PHP's
	check "$2: PHP as $1" as "$1" php -n -r '
	    exit(mail($argv[1], "a mail", "line\n.\nFrom here\n\u{f6} no newline") ? 0 : 1);' \
	    "php.$1.$2@example.net"
}

package_to() {
	got=$(grep -lx "$1" "$store"/*.rcpts 2>/dev/null | head -n 1)
	got=${got%.rcpts}
	[ -n "$got" ] && [ -e "$got.done" ]
}

# came WHAT USER RECIPIENT: the package that went to that address, behind Received as on standard input. Not in
# a pipe, which is a subshell.
came() {
	cat >"$T/message"
	if ! wait_for package_to "$3"; then
		not_ok "$1 came" "$(ls "$store")" "$(cat "$T/log")" "$(cat "$T/job.out")"
		return
	fi
	is "$1: sender" "$(cat "$got.sender")" "$2@lab.example"
	is "$1: recipient" "$(cat "$got.rcpts")" "$3"
	{
		printf 'Received: by vm.lab.example (qmtp-sendmail, from userid %s)\n' \
		    "$(inside id -u "$2")"
		printf '\tid TOKEN; DATE\n'
		cat "$T/message"
	} >"$T/want"
	token=$(sed -n '2s/^	id \([a-z2-7]\{16\}\); .*/\1/p' "$got.message")
	sed -E "s/${token:-no token}/TOKEN/
	    s/(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{1,2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} [-+][0-9]{4}/DATE/" \
	    "$got.message" >"$T/have"
	if cmp -s "$T/have" "$T/want"; then
		ok "$1: every byte"
	else
		not_ok "$1: every byte" "$(diff -au "$T/want" "$T/have")"
	fi
}

full_name() {
	inside getent passwd "$1" | cut -d : -f 5 | cut -d , -f 1
}

# mail_came USER STATE
mail_came() {
	came "$2: mail(1) as $1" "$1" "mail.$1.$2@example.net" <<-END
		Date: DATE
		From: $(full_name "$1") <$1@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: mail.$1.$2@example.net
		Subject: a mail
		MIME-Version: 1.0
		Content-Type: text/plain; charset="UTF-8"
		Content-Transfer-Encoding: 8bit

		line
		.
		From here
		ö no newline
	END
	came "$2: PHP as $1" "$1" "php.$1.$2@example.net" <<-END
		Date: DATE
		From: $(full_name "$1") <$1@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: php.$1.$2@example.net
		Subject: a mail

		line
		.
		From here
		ö no newline
	END
}

# cron_of STATE: a cron daemon, $cron, with a job of each user that runs when it starts
cron_of() {
	for name in alice www-data; do
		printf 'MAILTO=cron.%s.%s@example.net\n@reboot %s echo job\n' "$name" "$1" "$name" \
		    >"$ROOT/etc/cron.d/$name"
		chmod 644 "$ROOT/etc/cron.d/$name"
	done
	rm -f "$ROOT/run/crond.reboot"
	start_inside cron -f
	# shellcheck disable=SC2034 # for replace.sh
	cron=$JOB
}

# cron_came USER STATE
cron_came() {
	came "$2: cron as $1" "$1" "cron.$1.$2@example.net" <<-END
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: root@lab.example (Cron Daemon)
		To: cron.$1.$2@example.net
		Subject: Cron <$1@vm> echo job
		MIME-Version: 1.0
		Content-Type: text/plain; charset=UTF-8
		Content-Transfer-Encoding: 8bit
		X-Cron-Env: <MAILTO=cron.$1.$2@example.net>
		X-Cron-Env: <SHELL=/bin/sh>
		X-Cron-Env: <HOME=$(inside getent passwd "$1" | cut -d : -f 6)>
		X-Cron-Env: <PATH=/usr/bin:/bin>
		X-Cron-Env: <LOGNAME=$1>

		job
	END
}

waiting() {
	find "$ROOT$spool/queue" -type f 2>/dev/null | wc -l | tr -d ' '
}

# waits WHAT NUMBER: until so many messages are in the queue
waits() {
	if wait_for waits_now "$2"; then
		ok "$1"
	else
		not_ok "$1" "$(inside mailq)" "$(cat "$T/log")"
	fi
}

waits_now() {
	[ "$(waiting)" -eq "$1" ]
}

# queue_sums: every file of the queue
queue_sums() {
	inside sh -c "cd $spool/queue && find . -type f -exec cksum {} + | sort"
}

# flusher: as its unit has it
flusher() {
	start_inside setpriv --reuid qmtpq --regid qmtpq --groups qmtpdrop /usr/sbin/qmtp-flush
}

# ---- packages inside

state_of() {
	# shellcheck disable=SC2016 # dpkg's own
	inside dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || echo 'not known'
}

# answers: to the questions of the package
answers() {
	answer qmtp-sendmail qmtp-sendmail/servers string "127.0.0.1/$port"
	answer qmtp-sendmail qmtp-sendmail/default-domain string lab.example
}

install_ours() {
	# shellcheck disable=SC2046 # one word for each file
	apt install $(inside find /new -name '*.deb')
}

# ours WHAT: the command one types
ours() {
	answers
	quietly install_ours
	ok "$1"
	in_place
}

in_place() {
	is "sendmail is ours" "$(inside sendmail --version | head -n 1 | cut -d ' ' -f 1)" qmtp-sendmail
	is "the helper" "$(inside stat -c '%U %G %a' /usr/libexec/qmtp-sendmail/qmtp-queue)" \
	    'root qmtpdrop 2755'
	is "the spool" "$(inside sh -c "cd $spool && stat -c '%n %U %G %a' . *")" \
	    '. root qmtpdrop 710
corrupt qmtpq qmtpq 700
failed qmtpq qmtpq 700
lock qmtpq qmtpq 600
queue qmtpq qmtpq 3777
tmp qmtpq qmtpq 3777'
	check "the configuration is right" inside sendmail --check
}

# everything: all that is in a room but what dpkg, apt, debconf and the logs keep for themselves
everything() {
	(
		cd "$ROOT" || exit
		find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache \
		    -o -path ./var/log -o -path ./debs -o -path ./new -o -path ./tmp \
		    -o -name passwd- -o -name group- -o -name shadow- -o -name gshadow- \
		    -o -name 'hashfile.[0-9]' -o -name 'registry.[0-9]' \) -prune \
		    -o -printf '%p %y %m %U %G %l\n' | sort
		find etc var/lib/ucf var/lib/systemd -type f ! -name '*-' ! -name '*.[0-9]' \
		    -exec cksum {} + | sort
	)
	inside dpkg-query -W
	inside dpkg-statoverride --list
	inside debconf-show qmtp-sendmail
}

# begin_room NAME [PACKAGES]
begin_room() {
	echo "# $1"
	room "$1"
	[ -z "${2:-}" ] || bring "$T/debs/$2"
	rm -f "$T/log"
	"$STAGE" log "$ROOT/dev/log" "$T/log" &
	at_end $!
	wait_for test -S "$ROOT/dev/log"
	chmod 666 "$ROOT/dev/log"
}

if [ -n "${PACKAGES:-}" ]; then
	cp -R "$PACKAGES" "$T/debs"
else
	build_old_and_new
fi

for part in ${PACKAGES_PARTS:-policy autopkgtest debconf leave replace container logcheck rpm systemd}; do
	# shellcheck source=/dev/null
	. "$top_srcdir/tests/packages/$part.sh"
done
done_testing
