#include "queue/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "util/clock.h"

static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2,
	SIGVTALRM, SIGPROF, SIGXCPU };
static volatile sig_atomic_t caught, child;

static void
note(int sig)
{
	if (sig == SIGCHLD)
		child = 1;
	else
		caught = 1;
}

static void
set(int sig, void (*handler)(int))
{
	struct sigaction act = { .sa_handler = handler };

	sigemptyset(&act.sa_mask);
	sigaction(sig, &act, NULL); /* those that cannot be are not */
}

void
signals_start(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set(SIGPIPE, SIG_IGN);
	set(SIGXFSZ, SIG_IGN);
}

void
signals_hold(void)
{
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		sigaddset(&held, deadly[i]);
	sigprocmask(SIG_BLOCK, &held, NULL);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		struct sigaction old;

		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			set(deadly[i], note);
	}
}

void
signals_hold_children(void)
{
	sigset_t held;

	signals_hold();
	sigemptyset(&held);
	sigaddset(&held, SIGCHLD);
	sigprocmask(SIG_BLOCK, &held, NULL);
	set(SIGCHLD, note);
}

void
signals_release(void)
{
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		struct sigaction old;

		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == note)
			set(deadly[i], SIG_DFL);
	}
	set(SIGCHLD, SIG_DFL);
	signals_start();
}

bool
signals_caught(void)
{
	sigset_t pending;

	/* poll(2) lets none in while there is always something to do. */
	if (caught || sigpending(&pending) < 0)
		return caught != 0;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		struct sigaction act;

		if (sigismember(&pending, deadly[i]) == 1 &&
		    sigaction(deadly[i], NULL, &act) == 0 && act.sa_handler == note)
			return true;
	}
	return false;
}

void
signals_ignore(void)
{
	for (int sig = 1; sig < NSIG; sig++)
		set(sig, SIG_IGN);
}

int
signals_poll(struct pollfd *v, nfds_t n, int64_t deadline)
{
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		int64_t left = deadline - clock_ms();
		struct timespec ts;
		int ready;

		if (left < 0)
			left = 0;
		ts = (struct timespec){ left / 1000, left % 1000 * 1000000 };
		ready = ppoll(v, n, &ts, &none);
		if (ready >= 0 || errno != EINTR || caught || child) {
			child = 0;
			return ready;
		}
	}
}
