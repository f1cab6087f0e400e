#include "flush/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/file.h"
#include "util/xalloc.h"

#define FILES_WANTED 8192

volatile sig_atomic_t process_stop, process_reload;
sigset_t process_sleepmask;

static void
note_stop(int sig)
{
	(void)sig;
	process_stop = 1;
}

static void
note_reload(int sig)
{
	(void)sig;
	process_reload = 1;
}

/* It has no children but those that a container's process 1 is given when their parents end. */
static int
set_signals(struct error *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	const struct sigaction stop = { .sa_handler = note_stop };
	const struct sigaction again = { .sa_handler = note_reload };
	sigset_t held;

	sigemptyset(&process_sleepmask);
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGHUP);
	if (sigprocmask(SIG_SETMASK, &held, NULL) < 0 ||
	    sigaction(SIGPIPE, &ignore, NULL) < 0 ||
	    sigaction(SIGXFSZ, &ignore, NULL) < 0 ||
	    sigaction(SIGCHLD, &ignore, NULL) < 0 ||
	    sigaction(SIGTERM, &stop, NULL) < 0 || sigaction(SIGINT, &stop, NULL) < 0 ||
	    sigaction(SIGHUP, &again, NULL) < 0)
		return error_sys(err, EX_OSERR, "signals", "setting them up");
	return 0;
}

static int
clean_environment(struct error *err)
{
	const char *value = getenv("TZ");
	char *zone = value != NULL ? xstrdup(value) : NULL;
	int r = 0;

	if (clearenv() != 0 || (zone != NULL && setenv("TZ", zone, 1) < 0))
		r = error_sys(err, EX_OSERR, "environment", "emptying it");
	free(zone);
	return r;
}

static void
raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= FILES_WANTED)
		return;
	files.rlim_cur =
	    files.rlim_max < FILES_WANTED ? files.rlim_max : (rlim_t)FILES_WANTED;
	setrlimit(RLIMIT_NOFILE, &files); /* else fewer entries are open at a time */
}

static int
become(const char *user, struct error *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL && errno != 0)
		return error_sys(err, EX_NOPERM, user, "looking up the user");
	if (pw == NULL)
		return error_set(err, EX_NOPERM,
		    "%s: no such user, and root does not do its work", user);
	if (initgroups(user, pw->pw_gid) < 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return error_sys(err, EX_NOPERM, user, "becoming that user");
	if (getresgid(&rgid, &egid, &sgid) < 0 || getresuid(&ruid, &euid, &suid) < 0 ||
	    rgid != pw->pw_gid || egid != rgid || sgid != rgid || ruid != pw->pw_uid ||
	    euid != ruid || suid != ruid || (ruid != 0 && setuid(0) == 0))
		return error_set(
		    err, EX_NOPERM, "%s: still root after becoming it", user);
	return 0;
}

int
process_begin(const char *user, struct error *err)
{
	if (file_sane_descriptors() < 0)
		return error_sys(
		    err, EX_OSERR, "/dev/null", "opening standard descriptors");
	if (set_signals(err) < 0 || clean_environment(err) < 0)
		return -1;
	umask(077);
	raise_limit();
	if (getuid() != 0 && geteuid() != 0)
		return 0;
	return become(user, err);
}

int
process_lock(const struct spool *s, struct error *err)
{
	int fd = openat(s->top, "lock",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_sys(err, EX_CANTCREAT, "lock", "opening it in the spool");
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK) {
			close(fd);
			return 0;
		}
		error_sys(err, EX_CANTCREAT, "lock", "taking it");
		close(fd);
		return -1;
	}
	return 1; /* fd stays open: that is the lock */
}
