/*
 * qmtpd: a scriptable QMTP server for tests, demo and benchmarks. README.md beside this
 * file describes the command line, the files of --store, the lines of --log and the places
 * where it can be told to fail.
 *
 *	qmtpd --store got --log log                  prints its port
 *	qmtpd --unix sock --rule 'bad@*=D#5.1.1 no'  a unix socket
 *	qmtpd --on 1 --reset-after-byte last-1       the first connection fails
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "args.h"
#include "listen.h"
#include "serve.h"

/* As many connections as the system allows. */
static void
raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
die_with_parent(struct error *err)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return error_sys(err, EX_OSERR, "--parent", "setting up");
	if (getppid() != parent)
		return error_set(err, 1, "--parent: it has gone");
	return 0;
}

static int
run(const struct settings *settings, const struct scripts *scripts, struct error *err)
{
	struct listener listener = { .fd = -1 };
	struct world world = {
		.scripts = scripts, .store = { -1, -1 }, .journal.fd = -1
	};
	char where[512] = " stdio";
	int result = -1;

	serve_signals();
	raise_limits();
	if (settings->parent && die_with_parent(err) < 0)
		goto out;
	if (store_open(&world.store, settings->store, settings->ledger, err) < 0 ||
	    journal_open(&world.journal, settings->log, err) < 0)
		goto out;
	if (!settings->stdio &&
	    listener_open(&listener, settings, where, sizeof(where), err) < 0)
		goto out;
	journal_event(&world.journal, 0, "listen", 0, "%s", where);
	result = serve(&world, settings, listener.accepts ? listener.fd : -1, err);
out:
	listener_close(&listener);
	journal_close(&world.journal);
	store_close(&world.store);
	return result;
}

int
main(int argc, char **argv)
{
	static struct scripts scripts;
	struct settings settings;
	struct error err;
	int status = 0;

	if (args_parse(argc, argv, &settings, &scripts, &err) < 0) {
		fprintf(stderr, "qmtpd: %s\n", err.text);
		status = EX_USAGE;
	} else if (settings.help) {
		args_help(stdout);
	} else if (run(&settings, &scripts, &err) < 0) {
		fprintf(stderr, "qmtpd: %s\n", err.text);
		status = 1;
	}
	scripts_free(&scripts);
	return status;
}
