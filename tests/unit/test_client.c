/*
 * Connecting for real, on loopback: addresses, names, unix sockets, what is refused and
 * what never answers; and the whole in one call.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmtp/qmtp.h"
#include "qmtp/qmtp_reader.h"

#include "suite.h"

static int listener = -1;
static struct qmtp_options options;
static char path[64];

static void
set_up(void)
{
	options = (struct qmtp_options){ .connect_timeout = 3000 };
}

static void
tear_down(void)
{
	if (listener >= 0)
		close(listener);
	listener = -1;
	if (*path != '\0')
		unlink(path);
	*path = '\0';
}

static void
listen_inet(int backlog)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	if (backlog >= 0)
		ck_assert_int_eq(listen(listener, backlog), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	options.port = ntohs(sin.sin_port);
}

static void
listen_unix(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(path, sizeof(path), "/tmp/qmtp-test-%ld", (long)getpid());
	unlink(path);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	options.host = path;
}

/* One connection: read packages, answer K to each recipient once the package is complete. */
static void *
serve_one(void *arg)
{
	int fd = accept(listener, NULL, NULL);
	struct qmtp_reader r;
	char data[1024];
	size_t rcpts = 0;
	ssize_t n;

	(void)arg;
	qmtp_reader_init(&r);
	while ((n = read(fd, data, sizeof(data))) > 0) {
		const char *in = data;
		size_t left = (size_t)n;
		struct qmtp_piece piece;
		enum qmtp_item item;

		while ((item = qmtp_reader_next(&r, &in, &left, &piece)) != QMTP_MORE &&
		    item != QMTP_BROKEN) {
			rcpts += item == QMTP_RCPT && piece.last;
			for (; item == QMTP_END && rcpts > 0; rcpts--)
				if (write(fd, "3:Kok,", 6) != 6)
					break;
		}
	}
	close(fd);
	return NULL;
}

static void
delivers(void)
{
	struct qmtp_package *p = qmtp_package_new();
	struct qmtp_error err = { 0 };
	pthread_t thread;
	int r;

	qmtp_package_sender(p, "a@b.c");
	qmtp_package_rcpt(p, "d@e.f");
	qmtp_package_rcpt(p, "g@h.i");
	qmtp_package_append(p, "text\n", 5);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve_one, NULL), 0);
	r = qmtp_send(&options, p, &err);
	if (r < 0)
		shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_int_eq(qmtp_package_reply(p, 1).code, 'K');
	qmtp_package_free(p);
}

static struct qmtp_error
fails(void)
{
	struct qmtp_error err = { 0 };
	struct qmtp_session *s = qmtp_session_new(&options, &err);

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(qmtp_session_connect(s, &err), -1);
	qmtp_session_free(s);
	return err;
}

START_TEST(by_address)
{
	listen_inet(5);
	options.host = "127.0.0.1";
	delivers();
}
END_TEST

START_TEST(by_name)
{
	listen_inet(5);
	options.host = "localhost";
	delivers();
}
END_TEST

START_TEST(by_path)
{
	listen_unix();
	delivers();
}
END_TEST

START_TEST(refused)
{
	struct qmtp_error err;

	listen_inet(-1);
	options.host = "127.0.0.1";
	err = fails();
	ck_assert_int_eq(err.cause, QMTP_SYSTEM);
	ck_assert_int_eq(err.phase, QMTP_CONNECT);
	ck_assert_int_eq(err.errnum, ECONNREFUSED);
	ck_assert_str_eq(err.text, "Connection refused while connecting to 127.0.0.1");
}
END_TEST

START_TEST(refused_by_name)
{
	struct qmtp_error err;

	listen_inet(-1);
	options.host = "localhost";
	err = fails();
	ck_assert_int_eq(err.errnum, ECONNREFUSED);
}
END_TEST

/* Nobody accepts, and the queue of connections is full: connect(2) hangs. */
START_TEST(black_hole)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fill[4];
	struct qmtp_error err;
	int64_t begun;

	listen_inet(0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)options.port);
	for (size_t i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fill[i], (struct sockaddr *)&sin, sizeof(sin)) < 0)
			ck_assert_int_eq(errno, EINPROGRESS);
	}
	options.host = "127.0.0.1";
	options.connect_timeout = 200;
	begun = qmtp_now();
	err = fails();
	ck_assert_int_eq(err.cause, QMTP_TIMEOUT);
	ck_assert_int_eq(err.phase, QMTP_CONNECT);
	ck_assert_int_ge(qmtp_now() - begun, 190);
	for (size_t i = 0; i < 4; i++)
		close(fill[i]);
}
END_TEST

START_TEST(no_such_path)
{
	options.host = "/nonexistent/socket";
	ck_assert_int_eq(fails().errnum, ENOENT);
}
END_TEST

START_TEST(path_too_long)
{
	char longer[200];

	memset(longer, 'a', sizeof(longer));
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	options.host = longer;
	ck_assert_int_eq(fails().cause, QMTP_INVALID);
}
END_TEST

START_TEST(no_such_name)
{
	struct qmtp_error err;

	options.host = "no such name";
	err = fails();
	ck_assert_int_eq(err.phase, QMTP_RESOLVE);
	ck_assert(err.cause == QMTP_RESOLVER || err.cause == QMTP_SYSTEM);
}
END_TEST

/*
 * The session is given up while the look-up is under way: the thread cleans up behind
 * itself.
 */
START_TEST(abandoned_lookup)
{
	struct qmtp_error err;

	options.host = "localhost";
	options.port = 1;
	for (int i = 0; i < 50; i++) {
		struct qmtp_session *s = qmtp_session_new(&options, &err);

		ck_assert_ptr_nonnull(s);
		if (i % 2)
			qmtp_session_step(s);
		qmtp_session_free(s);
	}
	usleep(200000);
}
END_TEST

START_TEST(bad_options)
{
	struct qmtp_error err;

	ck_assert_ptr_null(qmtp_session_new(&options, &err));
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	options.host = "";
	ck_assert_ptr_null(qmtp_session_new(&options, &err));
	options.host = "127.0.0.1";
	options.port = 65536;
	ck_assert_ptr_null(qmtp_session_new(&options, &err));
	options.port = 209;
	options.reply_timeout = -1;
	ck_assert_ptr_null(qmtp_session_new(&options, &err));
	options.reply_timeout = 0;
	options.session_timeout = QMTP_SESSION_MAX + 1;
	ck_assert_ptr_null(qmtp_session_new(&options, &err));
}
END_TEST

static volatile sig_atomic_t pipes;

static void
count_pipe(int sig)
{
	(void)sig;
	pipes++;
}

/*
 * A server that resets while a file is on its way: sendfile(2) must not raise SIGPIPE
 * either.
 */
START_TEST(no_sigpipe_from_files)
{
	struct sigaction count = { .sa_handler = count_pipe };
	char name[] = "/tmp/qmtp-test-XXXXXX";
	int file = mkstemp(name), fds[2];
	struct qmtp_package *p = qmtp_package_new();
	struct qmtp_session *s;
	struct qmtp_error err;

	unlink(name);
	ck_assert_int_eq(ftruncate(file, 32 << 20), 0);
	sigaction(SIGPIPE, &count, NULL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	options.host = "peer";
	s = qmtp_session_adopt(fds[0], &options, &err);
	qmtp_package_sender(p, "");
	qmtp_package_rcpt(p, "a@b.c");
	ck_assert_int_eq(qmtp_package_file(p, file, 0, 32 << 20), 0);
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), 0);
	ck_assert_int_eq(qmtp_session_step(s), QMTP_OPEN);
	close(fds[1]);
	ck_assert_int_eq(qmtp_session_run(s, qmtp_now() + 5000, &err), -1);
	ck_assert_int_ne(err.cause, QMTP_TIMEOUT);
	ck_assert(!qmtp_package_committed(p));
	ck_assert_int_eq(pipes, 0);
	qmtp_session_free(s);
	qmtp_package_free(p);
	close(file);
}
END_TEST

/* A bare system may have no /etc/hosts; delivery.sh says then that it skips a name. */
static bool
have_names(void)
{
	struct addrinfo *list;

	if (getaddrinfo("localhost", NULL, NULL, &list) != 0)
		return false;
	freeaddrinfo(list);
	return true;
}

int
main(void)
{
	Suite *s = suite_create("client");
	TCase *t = tcase_create("client");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, by_address);
	tcase_add_test(t, by_path);
	tcase_add_test(t, refused);
	if (have_names()) {
		tcase_add_test(t, by_name);
		tcase_add_test(t, refused_by_name);
	}
	tcase_add_test(t, black_hole);
	tcase_add_test(t, no_such_path);
	tcase_add_test(t, path_too_long);
	tcase_add_test(t, no_such_name);
	tcase_add_test(t, abandoned_lookup);
	tcase_add_test(t, bad_options);
	tcase_add_test(t, no_sigpipe_from_files);
	suite_add_tcase(s, t);
	return run_suite(s);
}
