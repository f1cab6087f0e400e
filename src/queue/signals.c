#include "queue/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "util/clock.h"

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	(void)sig;
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
	static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1,
		SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU };
	sigset_t held;

	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		sigaddset(&held, deadly[i]);
	sigprocmask(SIG_BLOCK, &held, NULL);
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++) {
		struct sigaction old;

		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			set(deadly[i], catch);
	}
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
		if (ready >= 0 || errno != EINTR || caught)
			return ready;
	}
}
