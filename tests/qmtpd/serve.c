#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/clock.h"

#define EVENTS 256
#define ACCEPTS 64 /* before the others have their turn */

struct server {
	struct world *world;
	const struct settings *settings;
	int epoll, listen_fd, signal_fd;
	bool asked_to_end;
	bool deaf;          /* no descriptor left: new clients wait */
	bool always;        /* descriptor 0 is a plain file: always ready */
	struct conn *conns; /* all */
	uint64_t accepted, ended;
};

static void
end_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void
serve_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	end_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static void
listen_again(struct server *s, bool on)
{
	struct epoll_event e = { .events = on ? EPOLLIN : 0, .data.ptr = NULL };

	if (s->listen_fd >= 0 && s->deaf == on &&
	    epoll_ctl(s->epoll, EPOLL_CTL_MOD, s->listen_fd, &e) == 0)
		s->deaf = !on;
}

static void
add(struct server *s, int in, int out, int64_t now)
{
	struct conn *c = conn_new(s->world, ++s->accepted, in, out, now);

	c->next = s->conns;
	s->conns = c;
	conn_step(c, now);
}

static void
accept_some(struct server *s, int64_t now)
{
	int on = 1;

	for (int i = 0; i < ACCEPTS; i++) {
		int fd;

		if (s->settings->once > 0 && s->accepted >= s->settings->once) {
			listen_again(s, false);
			return;
		}
		fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				listen_again(s, false);
			return;
		}
		if (s->settings->unix_path == NULL)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		add(s, fd, fd, now);
	}
}

static void
watch(struct server *s, struct conn *c, int fd, unsigned events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (events == 0) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd, NULL);
		return;
	}
	if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &e) < 0 &&
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0 && errno == EPERM)
		s->always = true;
}

/*
 * Ask for what the connection waits for. Nothing at all for one that waits for time
 * alone: a hang-up, which cannot be turned off, would wake us again and again.
 */
static void
interest(struct server *s, struct conn *c)
{
	unsigned in = conn_wants_in(c) ? EPOLLIN : 0;
	unsigned out = wire_wants_out(&c->wire) ? EPOLLOUT : 0;

	if (c->stalled && !c->eof)
		in = EPOLLRDHUP;
	if ((in | out) == c->interest)
		return;
	if (c->wire.in == c->wire.out) {
		watch(s, c, c->wire.in, in | out);
	} else {
		watch(s, c, c->wire.in, in);
		watch(s, c, c->wire.out, out);
	}
	c->interest = in | out;
}

/*
 * Free those that are over, step those whose time has come. Returns when the next
 * one's time comes.
 */
static int64_t
sweep(struct server *s, int64_t now)
{
	int64_t next = CLOCK_NEVER;

	for (struct conn **p = &s->conns, *c; (c = *p) != NULL;) {
		if (!c->over && conn_deadline(c) <= now)
			conn_step(c, now);
		if (c->over) {
			*p = c->next;
			conn_free(c);
			s->ended++;
			listen_again(s, true);
			continue;
		}
		interest(s, c);
		next = clock_earlier(next, conn_deadline(c));
		p = &c->next;
	}
	return next;
}

static bool
is_over(const struct server *s)
{
	uint64_t once = s->settings->stdio ? 1 : s->settings->once;

	return s->asked_to_end || s->world->failed || (once > 0 && s->ended >= once);
}

static int
wait_until(struct server *s, struct epoll_event *events, int64_t when)
{
	int64_t left = when - clock_ms();
	int n;

	if (s->always || left < 0)
		left = 0;
	n = epoll_wait(s->epoll, events, EVENTS, left > 60000 ? 60000 : (int)left);
	return n < 0 && errno == EINTR ? 0 : n;
}

static void
handle(struct server *s, const struct epoll_event *e, int64_t now)
{
	struct conn *c = e->data.ptr;

	if (e->data.ptr == s)
		s->asked_to_end = true;
	else if (c == NULL)
		accept_some(s, now);
	else if (c->stalled && e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn_hangup(c);
	else if (!c->over)
		conn_step(c, now);
}

static int
loop(struct server *s, struct error *err)
{
	struct epoll_event events[EVENTS];
	int64_t end = clock_ms() + (int64_t)s->settings->lifetime * 1000;
	int64_t next = sweep(s, clock_ms());

	while (!is_over(s)) {
		int64_t now;
		int n;

		journal_flush(&s->world->journal);
		n = wait_until(s, events, clock_earlier(next, end));
		if (n < 0)
			return error_sys(err, EX_OSERR, "epoll", "waiting");
		now = clock_ms();
		if (now >= end)
			return error_set(err, 1, "%llu s are over",
			    (unsigned long long)s->settings->lifetime);
		for (int i = 0; i < n; i++)
			handle(s, &events[i], now);
		if (s->always && s->conns != NULL)
			conn_step(s->conns, now);
		next = sweep(s, now);
	}
	if (s->world->failed)
		*err = s->world->err;
	return s->world->failed ? -1 : 0;
}

/* What the loop waits for besides connections: clients (data NULL) and signals (data s). */
static int
set_up(struct server *s, struct error *err)
{
	struct epoll_event client = { .events = EPOLLIN, .data.ptr = NULL };
	struct epoll_event signals = { .events = EPOLLIN, .data.ptr = s };
	sigset_t set;

	end_signals(&set);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->signal_fd < 0 || s->epoll < 0 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signal_fd, &signals) < 0 ||
	    (s->listen_fd >= 0 &&
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listen_fd, &client) < 0))
		return error_sys(err, EX_OSERR, "epoll", "setting up");
	return 0;
}

int
serve(struct world *world, const struct settings *settings, int listen_fd,
    struct error *err)
{
	struct server s = {
		.world = world, .settings = settings, .listen_fd = listen_fd
	};
	int result = -1;

	if (set_up(&s, err) < 0)
		goto out;
	if (settings->stdio) {
		fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
		fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
		add(&s, 0, 1, clock_ms());
	}
	result = loop(&s, err);
out:
	while (s.conns != NULL) {
		struct conn *c = s.conns;

		s.conns = c->next;
		conn_abandon(c, "server ends");
		conn_free(c);
	}
	if (s.epoll >= 0)
		close(s.epoll);
	if (s.signal_fd >= 0)
		close(s.signal_fd);
	return result;
}
