# shellcheck shell=sh disable=SC2154,SC2034 # the variables of callers.sh and arrived.sh
# system.sh: the programs of the system that send mail by themselves: atd, anacron, sudo, logwatch.

# A daemon with a spool of its own, woken by at(1)
atd_start() {
	mkdir -p /var/spool/cron/atjobs /var/spool/cron/atspool
	: >/var/spool/cron/atjobs/.SEQ
	chown -R daemon:daemon /var/spool/cron/atjobs /var/spool/cron/atspool
	chmod 1770 /var/spool/cron/atjobs /var/spool/cron/atspool
	chmod 600 /var/spool/cron/atjobs/.SEQ
	: >/etc/at.deny
	/usr/sbin/atd -f >"$T/atd.out" 2>&1 &
	atd_pid=$!
	at_end "$atd_pid"
	wait_for test -s /run/atd.pid
}

# at(1) always says these two lines. $1: the job, $2: an option
# shellcheck disable=SC2016 # the $ are of the inner shell
at_now='echo "$1" | at $2 now 2>&1 | { ! grep -v "^warning: \|^job "; }'

# sendmail -i USER, as the user of the job
at_cases() {
	atd_start
	run "at, for root, to an alias" 0 sh -c "$at_now" at \
	    'echo grüße; echo .; printf no; echo newline >&2; printf end'
	arrived root@lab.example admin@lab.example <<-'END'
		Date: DATE
		From: root <root@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: Output from your job        1
		To: root@lab.example

		grüße
		.
		nonewline
		end
	END
	web_run "at" 0 sh -c "$at_now" at 'printf here'
	arrived www-data@lab.example www-data@lab.example <<-'END'
		Date: DATE
		From: www-data <www-data@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: Output from your job        2
		To: www-data@lab.example

		here
	END
	web_run "at -m" 0 sh -c "$at_now" at true -m
	arrived www-data@lab.example www-data@lab.example <<-'END'
		Date: DATE
		From: www-data <www-data@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: Output from your job        3
		To: www-data@lab.example

	END
	stop_server "$atd_pid" 2>/dev/null
}

# sendmail -FAnacron -odi MAILTO, without -i
anacron_cases() {
	mkdir "$T/anacron"
	cat >"$T/anacrontab" <<-'END'
		SHELL=/bin/sh
		PATH=/usr/bin:/bin
		MAILTO=root
		1 0 lab.daily echo grüße; echo ..; echo From here; echo err >&2; printf end
	END
	# shellcheck disable=SC2016 # the $ are of the inner shell
	run "anacron, to an alias" 0 env LC_ALL=C.UTF-8 sh -c 'exec "$@" 2>"$0"' "$T/anacron.out" \
	    anacron -d -f -n -t "$T/anacrontab" -S "$T/anacron"
	arrived root@lab.example admin@lab.example <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: Anacron <root@lab.example>
		To: root@lab.example
		Subject: Anacron job 'lab.daily' on vm
		Content-Type: text/plain; charset=UTF-8

		grüße
		..
		From here
		err
		end
	END
}

# sudo_mail USER TEXT: such a message
sudo_mail() {
	cat >"$T/sudo" <<-END
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		To: staff@lab.example
		From: $1@lab.example
		Auto-Submitted: auto-generated
		Subject: *** SECURITY information for vm ***

		vm : DATE : $1 : $2

	END
}

# sendmail -t in the background, as the user who called sudo
sudo_cases() {
	cat >/etc/sudoers <<-'END'
		Defaults	!syslog, logfile = /run/sudo.log, mailto = "staff@lab.example"
		Defaults:www-data	mail_always
		Defaults:games	mail_badpass, passwd_tries = 1
		www-data	ALL = NOPASSWD: /bin/sleep
		games	ALL = ALL
	END
	chmod 440 /etc/sudoers

	web_run "sudo, mail_always" 0 env -C / sudo -n /bin/sleep 1
	sudo_mail www-data 'PWD=/ ; USER=root ; COMMAND=/bin/sleep 1'
	arrived www-data@lab.example staff@lab.example <"$T/sudo"
	sudo_mail www-data 'PWD=/ ; USER=root ; COMMAND=/bin/sleep 1 ; EXIT=0'
	arrived www-data@lab.example staff@lab.example <"$T/sudo"

	user=$(id -u games)
	run_it "sudo, mail_badpass" 1 setpriv --reuid games --regid games --clear-groups env -C / \
	    sh -c 'echo wrong | sudo -S -p "" /bin/true'
	said '*incorrect password attempt*'
	sudo_mail games '1 incorrect password attempt ; PWD=/ ; USER=root ; COMMAND=/bin/true'
	arrived games@lab.example staff@lab.example <"$T/sudo"
}

# sendmail -t, umask 177, a To: for each address
logwatch_cases() {
	etc=/etc/logwatch
	mkdir -p /var/cache/logwatch $etc/conf/services $etc/conf/logfiles $etc/scripts/services
	echo 'LogFile = live.log' >$etc/conf/logfiles/live.conf
	printf '%s\n' 'Title = "live"' 'LogFile = live' >$etc/conf/services/live.conf
	echo 'print while <STDIN>;' >$etc/scripts/services/live
	printf 'grüße\nFrom here\n..\n' >/var/log/live.log
	run "logwatch" 0 logwatch --output mail --mailto 'root bob@example.com' --service live \
	    --range all --hostname vm
	arrived root@lab.example admin@lab.example bob@example.com <<-END
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		To: root@lab.example
		To: bob@example.com
		From: root@lab.example
		Subject: Logwatch for vm (Linux)
		Auto-Submitted: auto-generated
		Precedence: bulk
		MIME-Version: 1.0
		Content-Transfer-Encoding: 8bit
		Content-Type: text/plain; charset="UTF-8"

		$(logwatch_report | sed 's/_$//')

	END
}

# Some of its lines end with a space; "_" shows where.
logwatch_report() {
	cat <<-'END'
		 _
		 ################### Logwatch VERSION #################### _
		        Processing Initiated: DATE
		        Date Range Processed: all
		        Detail Level of Output: 0
		        Type of Output/Format: mail / text
		        Logfiles for Host: vm
		 ################################################################## _
		 _
		 --------------------- live Begin ------------------------ _

		 grüße
		 From here
		 ..
		 _
		 ---------------------- live End ------------------------- _

		 _
		 ###################### Logwatch End ######################### _
	END
}

have atd && at_cases
have anacron && anacron_cases
have sudo && sudo_cases
have logwatch && logwatch_cases
