#include "sendmail/startup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/file.h"
#include "util/xalloc.h"

volatile sig_atomic_t startup_signal;
sigset_t startup_sleepmask;

static bool holding; /* startup_sleepmask is the mask from before that */

static const int fatal_signals[] = { SIGHUP, SIGINT, SIGTERM };

static int
drop_privileges(struct error *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresgid(&rgid, &egid, &sgid) < 0 || getresuid(&ruid, &euid, &suid) < 0)
		return error_sys(err, EX_OSERR, "user and group", "asking for the ids");
	if (rgid == egid && rgid == sgid && ruid == euid && ruid == suid)
		return 0;
	if (setresgid(rgid, rgid, rgid) < 0 || setresuid(ruid, ruid, ruid) < 0)
		return error_sys(err, EX_OSERR, "privileges", "giving them up");
	if (getresgid(&rgid, &egid, &sgid) < 0 || getresuid(&ruid, &euid, &suid) < 0 ||
	    rgid != egid || rgid != sgid || ruid != euid || ruid != suid)
		return error_set(
		    err, EX_OSERR, "privileges: still there after giving them up");
	return 0;
}

static char *
taken(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? xstrdup(value) : NULL;
}

static int
clean_environment(struct startup *s, struct error *err)
{
	char *zone = taken("TZ");
	int r = 0;

	s->name = taken("NAME");
	s->tmpdir = taken("TMPDIR");
	if (clearenv() != 0 || (zone != NULL && setenv("TZ", zone, 1) < 0))
		r = error_sys(err, EX_OSERR, "environment", "emptying it");
	free(zone);
	return r;
}

static int
set_signals(struct error *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	sigemptyset(&none);
	if (sigaction(SIGPIPE, &ignore, NULL) < 0 ||
	    sigaction(SIGXFSZ, &ignore, NULL) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return error_sys(err, EX_OSERR, "signals", "setting them up");
	return 0;
}

int
startup(struct startup *s, struct error *err)
{
	*s = (struct startup){ 0 };
	if (file_sane_descriptors() < 0)
		return error_sys(
		    err, EX_OSERR, "/dev/null", "opening standard descriptors");
	if (drop_privileges(err) < 0 || set_signals(err) < 0)
		return -1;
	return clean_environment(s, err);
}

static void
note_signal(int sig)
{
	startup_signal = sig;
}

void
startup_hold_signals(void)
{
	struct sigaction note = { .sa_handler = note_signal }, before;
	sigset_t held;

	if (holding)
		return;
	holding = true;
	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(*fatal_signals); i++)
		sigaddset(&held, fatal_signals[i]);
	sigprocmask(SIG_BLOCK, &held, &startup_sleepmask);
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(*fatal_signals); i++)
		if (sigaction(fatal_signals[i], &note, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			sigaction(fatal_signals[i], &before, NULL);
}

void
startup_release_signals(void)
{
	struct sigaction kill_again = { .sa_handler = SIG_DFL }, before;

	if (!holding)
		return;
	holding = false;
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(*fatal_signals); i++)
		if (sigaction(fatal_signals[i], &kill_again, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			sigaction(fatal_signals[i], &before, NULL);
	sigprocmask(SIG_SETMASK, &startup_sleepmask, NULL);
	if (startup_signal != 0)
		raise(startup_signal);
}
