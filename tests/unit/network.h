/*
 * tests/unit/network.h: a network for the tests of connecting. Included once by a program;
 * the functions of the C library that it has of its own then serve the library under test.
 *
 * Names: getaddrinfo(3) answers each with names.addresses or fails with names.result, once
 * names.open is set. Numbers go to the C library.
 *
 * Addresses: each does as the table says (put_address), whatever its family: real sockets
 * on 127.0.0.1 stand behind them, one that listens, one that does not, and one whose queue
 * is full, so that a connection to it is never refused and never stands.
 *
 * Time: stands still at clock_now (milliseconds) while clock_stands is set.
 */
#ifndef UNIT_NETWORK_H
#define UNIT_NETWORK_H

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "qmtp/qmtp.h"

#define PATIENCE 30000 /* milliseconds that anything may take on a busy machine */

enum fate {
	GOOD,
	REFUSED,
	HOLE,
	INTERRUPTED, /* EINTR, and good */
	UNREACHABLE  /* ENETUNREACH, at once */
};

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool open;
	int result, errnum;
	const char *addresses; /* separated by blanks */
	int lookups;           /* that were begun */
	int lists;             /* that were given out and not freed, in addresses */
	bool masked;           /* the last one was made with all signals blocked */
} names = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct {
	const char *addr;
	enum fate fate;
} fates[128];
static size_t nfates;

static atomic_llong clock_now;
static atomic_bool clock_stands;

static int ports[3] = { -1, -1, -1 }; /* sockets: GOOD, REFUSED, HOLE */
static int fillers[4];

static pthread_mutex_t tried_mutex = PTHREAD_MUTEX_INITIALIZER;
static char tried[8192]; /* the addresses, a blank behind each */
static size_t tried_len;
static atomic_bool fresh[1024]; /* descriptors that were not connected yet */

/* ---- what stands in for the C library ---- */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long long now = atomic_load(&clock_now);

	if (id != CLOCK_MONOTONIC || !atomic_load(&clock_stands))
		return (int)syscall(SYS_clock_gettime, id, ts);
	*ts = (struct timespec){ .tv_sec = now / 1000, .tv_nsec = now % 1000 * 1000000 };
	return 0;
}

static struct addrinfo *
make_address(const char *text, size_t len)
{
	static char mark;
	struct sockaddr_storage *to;
	struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(*to));
	char addr[64];

	ck_assert_ptr_nonnull(a);
	to = (struct sockaddr_storage *)(void *)(a + 1);
	snprintf(addr, sizeof(addr), "%.*s", (int)len, text);
	if (inet_pton(AF_INET, addr, &((struct sockaddr_in *)to)->sin_addr) == 1) {
		a->ai_family = AF_INET;
		a->ai_addrlen = sizeof(struct sockaddr_in);
	} else {
		ck_assert_int_eq(
		    inet_pton(AF_INET6, addr, &((struct sockaddr_in6 *)to)->sin6_addr),
		    1);
		a->ai_family = AF_INET6;
		a->ai_addrlen = sizeof(struct sockaddr_in6);
	}
	to->ss_family = (sa_family_t)a->ai_family;
	a->ai_addr = (struct sockaddr *)to;
	a->ai_canonname = &mark;
	names.lists++;
	return a;
}

typedef int getaddrinfo_t(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **list)
{
	sigset_t mask;
	int result;

	if (hints->ai_flags & AI_NUMERICHOST) {
		getaddrinfo_t *real;

		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
		return real(host, service, hints, list);
	}
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	pthread_mutex_lock(&names.mutex);
	names.masked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGALRM);
	names.lookups++;
	pthread_cond_broadcast(&names.changed);
	while (!names.open)
		pthread_cond_wait(&names.changed, &names.mutex);
	result = names.result;
	if (result == 0) {
		for (const char *at = names.addresses; *at != '\0';) {
			size_t len = strcspn(at, " ");

			*list = make_address(at, len);
			list = &(*list)->ai_next;
			at += len + strspn(at + len, " ");
		}
	}
	errno = names.errnum;
	pthread_mutex_unlock(&names.mutex);
	return result;
}

void
freeaddrinfo(struct addrinfo *list)
{
	void (*real)(struct addrinfo *);

	if (list->ai_canonname == NULL) {
		*(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
		real(list);
		return;
	}
	pthread_mutex_lock(&names.mutex);
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list);
		names.lists--;
		list = next;
	}
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.mutex);
}

int
socket(int family, int type, int protocol)
{
	int fd = (int)syscall(
	    SYS_socket, family == AF_INET6 ? AF_INET : family, type, protocol);

	if (fd >= 0 && fd < (int)(sizeof(fresh) / sizeof(*fresh)))
		atomic_store(&fresh[fd], true);
	return fd;
}

static inline enum fate
fate_of(const char *addr)
{
	for (size_t i = 0; i < nfates; i++)
		if (strcmp(fates[i].addr, addr) == 0)
			return fates[i].fate;
	return REFUSED;
}

static inline int
connect_to(int fd, int port)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(port, (struct sockaddr *)&sin, &len) < 0)
		return -1;
	return (int)syscall(SYS_connect, fd, &sin, len);
}

/* The C library declares it with a union of pointers to addresses of all families. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
int
connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	char text[128] = "?";
	bool first = atomic_exchange(&fresh[fd], false);
	enum fate fate;
	int r;

	if (addr->sa_family == AF_UNIX)
		return (int)syscall(SYS_connect, fd, addr, len);
	getnameinfo(addr, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST);
	if (first) {
		pthread_mutex_lock(&tried_mutex);
		tried_len += (size_t)snprintf(
		    tried + tried_len, sizeof(tried) - tried_len, "%s ", text);
		ck_assert_uint_lt(tried_len, sizeof(tried));
		pthread_mutex_unlock(&tried_mutex);
	}
	fate = fate_of(text);
	if (fate == UNREACHABLE) {
		errno = ENETUNREACH;
		return -1;
	}
	r = connect_to(fd, ports[fate == INTERRUPTED ? GOOD : fate]);
	if (fate == INTERRUPTED && first && r < 0 && errno == EINPROGRESS)
		errno = EINTR;
	return r;
}
#pragma GCC diagnostic pop

/* ---- setting the scene ---- */

static inline int
make_port(int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	if (backlog >= 0)
		ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

static inline void
put_address(const char *addr, enum fate fate)
{
	ck_assert_uint_lt(nfates, sizeof(fates) / sizeof(*fates));
	fates[nfates].addr = addr;
	fates[nfates++].fate = fate;
}

static inline void *
no_thread(void *arg)
{
	return arg;
}

static inline void
network_up(void)
{
	pthread_t thread;

	/* with the first one ThreadSanitizer starts one of its own, which is not counted */
	ck_assert_int_eq(pthread_create(&thread, NULL, no_thread, NULL), 0);
	pthread_join(thread, NULL);
	ports[GOOD] = make_port(1024);
	ports[REFUSED] = make_port(-1);
	ports[HOLE] = make_port(0);
	for (size_t i = 0; i < sizeof(fillers) / sizeof(*fillers); i++) {
		fillers[i] =
		    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		ck_assert_int_ge(fillers[i], 0);
		connect_to(fillers[i], ports[HOLE]);
	}
	names.open = true;
	names.result = names.errnum = names.lookups = 0;
	names.addresses = "";
	nfates = 0;
	*tried = '\0';
	tried_len = 0;
	atomic_store(&clock_now, qmtp_now());
	atomic_store(&clock_stands, true);
}

static inline void
network_down(void)
{
	atomic_store(&clock_stands, false);
	for (size_t i = 0; i < 3; i++)
		close(ports[i]);
	for (size_t i = 0; i < sizeof(fillers) / sizeof(*fillers); i++)
		close(fillers[i]);
}

/* The resolver answers from now on, or hangs. */
static inline void
set_names(bool open)
{
	pthread_mutex_lock(&names.mutex);
	names.open = open;
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.mutex);
}

static inline int
lookups(void)
{
	int n;

	pthread_mutex_lock(&names.mutex);
	n = names.lookups;
	pthread_mutex_unlock(&names.mutex);
	return n;
}

/* Wait until so many look-ups were begun. */
static inline void
wait_lookups(int n)
{
	pthread_mutex_lock(&names.mutex);
	while (names.lookups < n)
		pthread_cond_wait(&names.changed, &names.mutex);
	pthread_mutex_unlock(&names.mutex);
}

static inline void
advance_clock(int ms)
{
	atomic_fetch_add(&clock_now, ms);
}

/* The addresses that were tried, in order, each with a blank behind it. */
static inline void
get_tried(char *out)
{
	pthread_mutex_lock(&tried_mutex);
	memcpy(out, tried, sizeof(tried));
	pthread_mutex_unlock(&tried_mutex);
}

/* ---- what there is of something ---- */

/* Entries of a directory; of /proc/self/fd and /proc/self/task the one for reading it. */
static inline int
count_entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static inline int
count_descriptors(void)
{
	return count_entries("/proc/self/fd");
}

static inline int
count_threads(void)
{
	return count_entries("/proc/self/task");
}

/* Wait until the counts are as they were: look-ups clean up in their own time. */
static inline void
wait_counts(int descriptors, int threads)
{
	int lists;

	for (int i = 0; i < PATIENCE; i++) {
		if (count_threads() == threads && count_descriptors() == descriptors)
			break;
		usleep(1000);
	}
	ck_assert_int_eq(count_threads(), threads);
	ck_assert_int_eq(count_descriptors(), descriptors);
	pthread_mutex_lock(&names.mutex);
	lists = names.lists;
	pthread_mutex_unlock(&names.mutex);
	ck_assert_int_eq(lists, 0);
}

/* ---- sessions ---- */

static inline struct qmtp_session *
begin_session(const struct qmtp_options *options)
{
	struct qmtp_error err = { 0 };
	struct qmtp_session *s = qmtp_session_new(options, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	return s;
}

/* Step after each event, at this time of the clock, until these addresses were tried. */
static inline void
until_tried(struct qmtp_session *s, const char *addresses)
{
	struct pollfd v[QMTP_POLL_MAX];
	char now[sizeof(tried)];

	for (int i = 0; i < PATIENCE; i++) {
		ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
		get_tried(now);
		if (strcmp(now, addresses) == 0)
			return;
		poll(v, qmtp_session_poll(s, v), 1);
	}
	ck_assert_str_eq(now, addresses);
}

/* Step after each event until the session is connected or closed. */
static inline enum qmtp_state
finish(struct qmtp_session *s)
{
	struct pollfd v[QMTP_POLL_MAX];

	while (qmtp_session_step(s) == QMTP_CONNECTING) {
		size_t n = qmtp_session_poll(s, v);

		ck_assert_int_gt(poll(v, n, PATIENCE), 0);
	}
	return qmtp_session_state(s);
}

#endif
