/* The helper is a shell script here, in a directory that the test is run in. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sendmail/helper.h"
#include "util/buf.h"

#include "suite.h"

static char directory[] = "/tmp/test_helper.XXXXXX";

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void
tear_down(void)
{
	unlink(QUEUE_HELPER);
	unlink(QUEUE_SOCKET);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void
script(const char *text)
{
	FILE *f = fopen(QUEUE_HELPER, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(QUEUE_HELPER, 0755), 0);
}

/* Whoever connects says a line and is told text; the line comes out of the pipe. */
static pid_t
listener(const char *text, int *said)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), ends[2];
	char line[100];
	pid_t pid;

	memcpy(to.sun_path, QUEUE_SOCKET, sizeof(QUEUE_SOCKET));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		int peer = accept(fd, NULL, NULL);
		ssize_t n = read(peer, line, sizeof(line));

		_exit(n < 0 || write(ends[1], line, (size_t)n) != n ||
		    write(peer, text, strlen(text)) < 0);
	}
	close(ends[1]);
	close(fd);
	*said = ends[0];
	return pid;
}

static int
collect(void *arg, const char *data, size_t len, struct error *err)
{
	struct buf *b = arg;

	buf_add(b, data, len);
	return b->len < 1000000 ? 0 : error_set(err, EX_DATAERR, "enough");
}

/* Ask; what came is in got. */
static int
ask(const char *verb, const char *arg, struct buf *got, uint64_t *n, struct error *err)
{
	struct helper_question q = {
		.verb = verb, .arg = arg, .data = collect, .data_arg = got
	};
	int r;

	buf_add(got, "", 0);
	r = helper_ask(&q, err);
	*n = q.n;
	return r;
}

static const struct {
	const char *script;
	int code; /* 0: it went well */
	const char *text;
	uint64_t n;
} cases[] = {
	{ "echo ok", 0, "", 0 },
	{ "echo ok 17; echo $*; exit 0", 0, "show 4.5\n", 17 },
	{ "printf o; sleep 0.1; printf 'k\\na'; sleep 0.1; printf b", 0, "ab", 0 },
	{ "echo ok; echo no 67 data", 0, "no 67 data\n", 0 },
	{ "echo no 67 not yours; exit 67", EX_NOUSER, "not yours", 0 },
	{ "printf 'no 64 x\\033y\\n'", EX_USAGE, "x?y", 0 },
	{ "echo no 64", EX_USAGE, "queue: no", 0 },
	{ "echo no 0 fine", EX_IOERR, "fine", 0 },
	{ "echo no 999 fine", EX_IOERR, "fine", 0 },
	{ "echo ok x", EX_IOERR, "queue: words that make no sense", 0 },
	{ "echo ok -1", EX_IOERR, "queue: words that make no sense", 0 },
	{ "echo ok 18446744073709551616", EX_IOERR, "queue: words that make no sense",
	    0 },
	{ "echo", EX_IOERR, "queue: words that make no sense", 0 },
	{ "echo yes", EX_IOERR, "queue: words that make no sense", 0 },
	{ "head -c 3000 /dev/zero", EX_IOERR, "queue: words that make no sense", 0 },
	{ "printf ok", EX_IOERR, "queue: it hung up without an answer", 0 },
	{ "exit 0", EX_IOERR, "queue: it hung up without an answer", 0 },
	{ "kill -9 $$", EX_IOERR, "queue: it hung up without an answer", 0 },
	{ "echo ok; head -c 2000000 /dev/zero", EX_DATAERR, "enough", 0 },
	{ "exit 77", EX_UNAVAILABLE,
	    "no spool: ./qmtp-queue: no spool there, or not its group; "
	    "queue.sock: No such file or directory while connecting",
	    0 },
};

START_TEST(answers)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct buf got = { 0 };
	struct error err = { 0 };
	uint64_t n;
	int r;

	set_up();
	script(cases[_i].script);
	sigaction(SIGCHLD, &ignore, NULL); /* some callers do */
	r = ask("show", "4.5", &got, &n, &err);
	ck_assert_int_eq(r, cases[_i].code == 0 ? 0 : -1);
	ck_assert_int_eq(err.code, cases[_i].code);
	ck_assert_str_eq(r == 0 ? got.data : err.text, cases[_i].text);
	ck_assert_uint_eq(n, cases[_i].n);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	buf_free(&got);
	tear_down();
}
END_TEST

/* Where there is no helper, or it has no group, the socket is asked the same. */
START_TEST(other_road)
{
	char line[100] = "";
	struct buf got = { 0 };
	struct error err;
	uint64_t n;
	pid_t pid;
	int said;

	set_up();
	if (_i == 1)
		script("exit 77");
	pid = listener("ok 3\nabc", &said);
	ck_assert_int_eq(ask("retry", _i == 0 ? "all" : NULL, &got, &n, &err), 0);
	ck_assert_str_eq(got.data, "abc");
	ck_assert_uint_eq(n, 3);
	ck_assert_int_gt(read(said, line, sizeof(line) - 1), 0);
	ck_assert_str_eq(line, _i == 0 ? "retry all\n" : "retry\n");
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	buf_free(&got);
	tear_down();
}
END_TEST

START_TEST(too_long)
{
	char arg[HELPER_LINE_MAX + 1] = "";
	struct buf got = { 0 };
	struct error err;
	uint64_t n;

	set_up();
	script("echo ok");
	memset(arg, 'a', HELPER_LINE_MAX - strlen("show \n"));
	ck_assert_int_eq(ask("show", arg, &got, &n, &err), 0);
	arg[strlen(arg)] = 'a';
	ck_assert_int_eq(ask("show", arg, &got, &n, &err), -1);
	ck_assert_int_eq(err.code, EX_USAGE);
	buf_free(&got);
	tear_down();
}
END_TEST

/* One that does not end: killed, unless it may be storing something. */
START_TEST(parting)
{
	struct helper h;
	struct error err;
	pid_t pid;

	set_up();
	script("exec sleep 30");
	ck_assert_int_eq(helper_start(&h, "store", NULL, &err), HELPER_OK);
	pid = h.pid;
	ck_assert_int_eq(helper_finish(&h, _i == 1, &err), HELPER_OK);
	ck_assert_int_eq(h.fd, -1);
	ck_assert_int_eq(kill(pid, SIGKILL), _i == 1 ? 0 : -1);
	if (_i == 1)
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	tear_down();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("helper");
	TCase *t = tcase_create("helper");

	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, answers, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_loop_test(t, other_road, 0, 2);
	tcase_add_test(t, too_long);
	tcase_add_loop_test(t, parting, 0, 2);
	suite_add_tcase(s, t);
	return run_suite(s);
}
