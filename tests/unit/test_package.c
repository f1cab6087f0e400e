/*
 * Packages: envelopes that can be read back, messages of pieces from everywhere, what can
 * go wrong with them, and the bytes that come out on the other end of a socket pair.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qmtp/qmtp.h"

#include "suite.h"

#define SIZE(a) (sizeof(a) / sizeof(*(a)))

static struct qmtp_package *p;
static struct qmtp_error err;

static void
set_up(void)
{
	p = qmtp_package_new();
	ck_assert_ptr_nonnull(p);
	err = (struct qmtp_error){ 0 };
}

static void
tear_down(void)
{
	qmtp_package_free(p);
}

/* An unlinked file with these bytes, its position behind the first skip of them. */
static int
file_of(const void *data, size_t len, off_t skip)
{
	char name[] = "package-XXXXXX";
	int fd = mkstemp(name);

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(lseek(fd, skip, SEEK_SET), skip);
	return fd;
}

/* A pipe that holds these bytes, and its end. */
static int
pipe_of(const char *text)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
	close(fds[1]);
	return fds[0];
}

/* A descriptor into which a child writes len bytes, "0123456789" over and over. */
static int
stream_of(size_t len, int flags, pid_t *child)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fcntl(fds[0], F_SETFL, flags), 0);
	*child = fork();
	ck_assert_int_ge(*child, 0);
	if (*child == 0) {
		for (size_t i = 0; i < len; i++) {
			char digit = (char)('0' + i % 10);

			if (write(fds[1], &digit, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* The message as it can be read back, in one go. */
static const char *
message(void)
{
	static char text[1 << 20];
	ssize_t n = qmtp_package_get_message(p, 0, text, sizeof(text) - 1, &err);

	ck_assert_int_eq(n, (ssize_t)qmtp_package_size(p));
	text[n] = '\0';
	return text;
}

START_TEST(envelope)
{
	char out[32];

	ck_assert_ptr_null(qmtp_package_get_sender(p));
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 0, out, sizeof(out)), -1);
	ck_assert_int_eq(qmtp_package_sender(p, ""), 0);
	ck_assert_str_eq(qmtp_package_get_sender(p), "");
	ck_assert_int_eq(qmtp_package_sender(p, "list-@host-@[]"), 0);
	ck_assert_str_eq(qmtp_package_get_sender(p), "list-@host-@[]");
	ck_assert_int_eq(qmtp_package_rcpt(p, "foo@example.org"), 0);
	ck_assert_int_eq(qmtp_package_rcpt(p, "bar@example.org"), 0);
	ck_assert_uint_eq(qmtp_package_rcpts(p), 2);
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 0, out, sizeof(out)), 15);
	ck_assert_str_eq(out, "foo@example.org");
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 1, out, 16), 15);
	ck_assert_str_eq(out, "bar@example.org");
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 1, out, 15), 15);
	ck_assert_str_eq(out, "bar@example.or");
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 1, out, 1), 15);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 1, NULL, 0), 15);
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 2, out, sizeof(out)), -1);
	qmtp_package_new_envelope(p);
	ck_assert_ptr_null(qmtp_package_get_sender(p));
	ck_assert_uint_eq(qmtp_package_rcpts(p), 0);
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 0, out, sizeof(out)), -1);
}
END_TEST

START_TEST(many_rcpts)
{
	char addr[16], out[16];

	for (int round = 0; round < 2; round++) {
		qmtp_package_sender(p, "");
		for (size_t i = 0; i < QMTP_RCPTS_MAX; i++) {
			snprintf(addr, sizeof(addr), "r%zu", i);
			ck_assert_int_eq(qmtp_package_rcpt(p, addr), 0);
		}
		ck_assert_int_eq(qmtp_package_rcpt(p, "one too many"), -1);
		ck_assert_uint_eq(qmtp_package_rcpts(p), QMTP_RCPTS_MAX);
		ck_assert_int_eq(qmtp_package_check(p, &err), 0);
		for (size_t i = 0; i < QMTP_RCPTS_MAX; i++) {
			ssize_t n = snprintf(addr, sizeof(addr), "r%zu", i);

			if (qmtp_package_get_rcpt(p, i, out, sizeof(out)) != n ||
			    strcmp(addr, out) != 0)
				ck_abort_msg("%zu: %s", i, out);
		}
		qmtp_package_new_envelope(p);
	}
}
END_TEST

/* Send the package, take what arrives, answer, and be done. */
static const char *
wire(void)
{
	static char got[1 << 20];
	struct qmtp_options options = { .host = "peer" };
	struct qmtp_session *s;
	size_t len = 0;
	ssize_t n;
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	s = qmtp_session_adopt(fds[0], &options, &err);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), 0);
	for (int turn = 0; turn < 10000 && !qmtp_package_committed(p); turn++) {
		ck_assert_int_eq(qmtp_session_step(s), QMTP_OPEN);
		while ((n = read(fds[1], got + len, sizeof(got) - 1 - len)) > 0)
			len += (size_t)n;
	}
	ck_assert(qmtp_package_committed(p));
	got[len] = '\0';
	ck_assert_int_eq(write(fds[1], "1:K,", 4), 4);
	qmtp_session_step(s);
	ck_assert(qmtp_package_done(p));
	qmtp_session_free(s);
	close(fds[1]);
	return got;
}

static void
address(void)
{
	ck_assert_int_eq(qmtp_package_sender(p, "s@x.y"), 0);
	ck_assert_int_eq(qmtp_package_rcpt(p, "r@x.y"), 0);
}

#define ENVELOPE ",5:s@x.y,8:5:r@x.y,,"

START_TEST(pieces_on_the_wire)
{
	int range = file_of("xxrange\nyy", 10, 0), rest = file_of("..rest\n", 7, 2);
	int pipe = pipe_of("pipe\n");
	char name[] = "package-XXXXXX";
	int named = mkstemp(name);

	ck_assert_int_eq(write(named, "path\n", 5), 5);
	close(named);
	address();
	ck_assert_int_eq(qmtp_package_append(p, "head", 4), 0);
	ck_assert_int_eq(qmtp_package_append(p, "ers\n", 4), 0);
	ck_assert_int_eq(qmtp_package_file(p, range, 2, 6), 0);
	ck_assert_int_eq(qmtp_package_read(p, pipe, &err), 0);
	close(pipe);
	ck_assert_int_eq(qmtp_package_append(p, "appended\n", 9), 0);
	ck_assert_int_eq(qmtp_package_path(p, name, &err), 0);
	unlink(name);
	ck_assert_int_eq(qmtp_package_read(p, rest, &err), 0);
	ck_assert_int_eq(qmtp_package_lend(p, "lent\n", 5), 0);
	ck_assert_int_eq(qmtp_package_append(p, "tail\n", 5), 0);
	ck_assert_str_eq(
	    message(), "headers\nrange\npipe\nappended\npath\nrest\nlent\ntail\n");
	ck_assert_str_eq(wire(),
	    "49:\nheaders\nrange\npipe\nappended\npath\nrest\nlent\ntail\n" ENVELOPE);
	ck_assert_int_eq(lseek(range, 0, SEEK_CUR), 0);
	ck_assert_int_eq(lseek(rest, 0, SEEK_CUR), 2);
	/* the same again, and another message after it */
	ck_assert_str_eq(wire(),
	    "49:\nheaders\nrange\npipe\nappended\npath\nrest\nlent\ntail\n" ENVELOPE);
	qmtp_package_new_message(p);
	ck_assert_uint_eq(qmtp_package_size(p), 0);
	ck_assert_str_eq(wire(), "1:\n" ENVELOPE);
	close(range);
	close(rest);
}
END_TEST

START_TEST(no_bytes_no_piece)
{
	int nothing = file_of("", 0, 0), end = file_of("abc", 3, 3),
	    far = file_of("a", 1, 9);
	int pipe = pipe_of("");

	address();
	ck_assert_int_eq(qmtp_package_append(p, NULL, 0), 0);
	ck_assert_int_eq(qmtp_package_lend(p, NULL, 0), 0);
	ck_assert_int_eq(qmtp_package_file(p, nothing, 0, 0), 0);
	ck_assert_int_eq(qmtp_package_read(p, nothing, &err), 0);
	ck_assert_int_eq(qmtp_package_read(p, end, &err), 0);
	ck_assert_int_eq(qmtp_package_read(p, far, &err), 0);
	ck_assert_int_eq(qmtp_package_read(p, pipe, &err), 0);
	ck_assert_uint_eq(qmtp_package_size(p), 0);
	ck_assert_str_eq(wire(), "1:\n" ENVELOPE);
	close(nothing);
	close(end);
	close(far);
	close(pipe);
}
END_TEST

/* More than a pipe holds, byte by byte, from a descriptor that blocks and one that does not. */
START_TEST(read_a_stream)
{
	enum { LEN = 300000 };
	pid_t child;
	int fd = stream_of(LEN, _i ? O_NONBLOCK : 0, &child), status;
	const char *text;

	ck_assert_int_eq(qmtp_package_append(p, "before", 6), 0);
	ck_assert_int_eq(qmtp_package_read(p, fd, &err), 0);
	close(fd);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(qmtp_package_size(p), 6 + LEN);
	text = message();
	for (size_t i = 0; i < LEN; i++)
		if (text[6 + i] != (char)('0' + i % 10))
			ck_abort_msg("byte %zu is %c", i, text[6 + i]);
}
END_TEST

/* Whatever never ends is given up at the limit, and leaves the package as it was. */
START_TEST(read_without_end)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(qmtp_package_append(p, "before", 6), 0);
	ck_assert_int_eq(qmtp_package_read(p, fd, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_str_eq(err.text, "the message is longer than 200000000 bytes");
	ck_assert_str_eq(message(), "before");
	close(fd);
}
END_TEST

/* To the byte. */
START_TEST(read_just_enough)
{
	int fits = pipe_of("abc"), more = pipe_of("abcd");

	ck_assert_int_eq(qmtp_package_file(p, 0, 0, QMTP_MESSAGE_MAX - 3), 0);
	ck_assert_int_eq(qmtp_package_read(p, more, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_uint_eq(qmtp_package_size(p), QMTP_MESSAGE_MAX - 3);
	ck_assert_int_eq(qmtp_package_read(p, fits, &err), 0);
	ck_assert_uint_eq(qmtp_package_size(p), QMTP_MESSAGE_MAX);
	close(fits);
	close(more);
}
END_TEST

START_TEST(read_too_much)
{
	int fd = file_of("", 0, 0);

	ck_assert_int_eq(ftruncate(fd, QMTP_MESSAGE_MAX + 1), 0);
	ck_assert_int_eq(qmtp_package_read(p, fd, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_uint_eq(qmtp_package_size(p), 0);
	ck_assert_int_eq(lseek(fd, 1, SEEK_SET), 1);
	ck_assert_int_eq(qmtp_package_read(p, fd, &err), 0);
	ck_assert_uint_eq(qmtp_package_size(p), QMTP_MESSAGE_MAX);
	address();
	ck_assert_int_eq(qmtp_package_check(p, &err), 0);
	ck_assert_int_eq(qmtp_package_append(p, "x", 1), 0);
	ck_assert_int_eq(qmtp_package_check(p, &err), -1);
	ck_assert_int_eq(qmtp_package_read(p, fd, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	close(fd);
}
END_TEST

START_TEST(unreadable)
{
	int folder = open(".", O_RDONLY | O_CLOEXEC), fds[2], free_before;

	ck_assert_int_eq(qmtp_package_append(p, "before", 6), 0);
	ck_assert_int_eq(qmtp_package_read(p, folder, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_SYSTEM);
	ck_assert_int_eq(err.phase, QMTP_IDLE);
	ck_assert_int_eq(err.errnum, EISDIR);
	ck_assert_str_eq(err.text, "Is a directory while reading the descriptor");
	close(folder);
	ck_assert_int_eq(qmtp_package_read(p, folder, &err), -1);
	ck_assert_int_eq(err.errnum, EBADF);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(qmtp_package_read(p, fds[1], &err), -1); /* its other end */
	ck_assert_int_eq(err.errnum, EBADF);
	close(fds[0]);
	close(fds[1]);

	free_before = lowest_free();
	ck_assert_int_eq(qmtp_package_path(p, ".", &err), -1);
	ck_assert_str_eq(err.text, "Is a directory while reading .");
	ck_assert_int_eq(err.errnum, EISDIR);
	ck_assert_int_eq(qmtp_package_path(p, "no\nsuch/file", &err), -1);
	ck_assert_str_eq(
	    err.text, "No such file or directory while reading no?such/file");
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert_int_eq(lowest_free(), free_before);
	ck_assert_str_eq(message(), "before");
}
END_TEST

/* The package's own descriptor: not inherited, and closed when it is needed no more. */
START_TEST(path_is_closed)
{
	char name[] = "package-XXXXXX";
	int fd = mkstemp(name), next;

	ck_assert_int_eq(write(fd, "abc\n", 4), 4);
	close(fd);
	next = lowest_free();
	ck_assert_int_eq(qmtp_package_path(p, name, &err), 0);
	ck_assert_int_eq(fcntl(next, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	unlink(name);
	ck_assert_str_eq(message(), "abc\n");
	qmtp_package_new_envelope(p);
	ck_assert_str_eq(message(), "abc\n");
	qmtp_package_new_message(p);
	ck_assert_int_eq(lowest_free(), next);
	ck_assert_int_eq(qmtp_package_path(p, "/dev/null", &err), 0);
	ck_assert_int_eq(lowest_free(), next);
	ck_assert_int_eq(qmtp_package_path(p, "/etc/passwd", &err), 0);
	ck_assert_int_ne(lowest_free(), next);
	qmtp_package_free(p);
	p = NULL;
	ck_assert_int_eq(lowest_free(), next);
}
END_TEST

/* A file that says it is empty, and is not. */
START_TEST(path_in_proc)
{
	char text[64] = "";
	FILE *f = fopen("/proc/self/comm", "r");

	if (f == NULL)
		return;
	ck_assert_ptr_nonnull(fgets(text, sizeof(text), f));
	fclose(f);
	ck_assert_int_eq(qmtp_package_path(p, "/proc/self/comm", &err), 0);
	ck_assert_str_eq(message(), text);
}
END_TEST

START_TEST(line_by_line)
{
	enum { LINES = 20000 };
	static char expected[LINES * 20];
	size_t len = 0;

	for (int i = 0; i < LINES; i++) {
		size_t n = (size_t)sprintf(expected + len, "line %d\n", i);

		ck_assert_int_eq(qmtp_package_append(p, expected + len, n), 0);
		len += n;
	}
	ck_assert_str_eq(message(), expected);
}
END_TEST

START_TEST(get_message)
{
	int fd = file_of("defg", 4, 0);
	const char *whole = "abcdefghi";
	char out[16];

	qmtp_package_append(p, "abc", 3);
	qmtp_package_read(p, fd, &err);
	qmtp_package_lend(p, "hi", 2);
	for (size_t from = 0; from <= 12; from++)
		for (size_t size = 0; size <= 12; size++) {
			size_t left = from < 9 ? 9 - from : 0;
			size_t n = size < left ? size : left;

			memset(out, '.', sizeof(out));
			ck_assert_int_eq(
			    qmtp_package_get_message(p, from, out, size, &err),
			    (ssize_t)n);
			ck_assert_mem_eq(out, &whole[from < 9 ? from : 9], n);
			ck_assert_int_eq(out[n], '.');
		}
	ck_assert_int_eq(
	    qmtp_package_get_message(p, UINT64_MAX, out, sizeof(out), &err), 0);
	ck_assert_int_eq(ftruncate(fd, 3), 0);
	ck_assert_int_eq(qmtp_package_get_message(p, 0, out, 6, &err), 6);
	ck_assert_int_eq(qmtp_package_get_message(p, 0, out, 7, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_SOURCE);
	close(fd);
}
END_TEST

START_TEST(encoding)
{
	ck_assert_int_eq(qmtp_package_get_encoding(p), QMTP_LF);
	qmtp_package_encoding(p, QMTP_CRLF);
	ck_assert_int_eq(qmtp_package_get_encoding(p), QMTP_CRLF);
	address();
	ck_assert_str_eq(wire(), "1:\r" ENVELOPE);
	qmtp_package_encoding(p, QMTP_LF);
	ck_assert_str_eq(wire(), "1:\n" ENVELOPE);
}
END_TEST

static const struct {
	const char *pieces[4];
	enum qmtp_encoding is;
} lines[] = {
	{ { NULL }, QMTP_LF },
	{ { "no line" }, QMTP_LF },
	{ { "\r" }, QMTP_LF },
	{ { "a\rb\r" }, QMTP_LF },
	{ { "\n" }, QMTP_LF },
	{ { "\r\n" }, QMTP_CRLF },
	{ { "a\r\nb" }, QMTP_CRLF },
	{ { "a\r\n\r\nb\r\n" }, QMTP_CRLF },
	{ { "a\r\nb\nc\r\n" }, QMTP_LF },
	{ { "a\nb\r\n" }, QMTP_LF },
	{ { "a\r\n\n" }, QMTP_LF },
	{ { "a\r\r\n" }, QMTP_CRLF },
	{ { "a\n\r" }, QMTP_LF },
	{ { "a\r", "\nb" }, QMTP_CRLF },
	{ { "a\r", "\n", "\r", "\n" }, QMTP_CRLF },
	{ { "a", "\nb\r\n" }, QMTP_LF },
	{ { "a\r\n", "\n" }, QMTP_LF },
	{ { "a\r\n", "b\r", "\nc\r\n", "d\n" }, QMTP_LF },
	{ { "a\r", "b\n" }, QMTP_LF },
};

/* In memory, in files, and by turns. */
START_TEST(detection)
{
	int i = _i / 4, files = _i % 4;

	qmtp_package_encoding(p, QMTP_CRLF);
	for (size_t k = 0; k < 4 && lines[i].pieces[k] != NULL; k++) {
		const char *text = lines[i].pieces[k];
		int fd;

		if (files == 0 || (files < 3 && k % 2 == (size_t)files % 2)) {
			qmtp_package_lend(p, text, strlen(text));
			continue;
		}
		fd = file_of(text, strlen(text), 0);
		ck_assert_int_eq(qmtp_package_read(p, fd, &err), 0);
	}
	ck_assert_int_eq(qmtp_package_detect(p, &err), 0);
	ck_assert_int_eq(qmtp_package_get_encoding(p), lines[i].is);
}
END_TEST

/* A file larger than what is read of it at a time, CR and LF at every place about it. */
START_TEST(detection_of_large_files)
{
	enum { EDGE = 16384 };
	static char text[3 * EDGE];

	for (size_t at = EDGE - 3; at < EDGE + 3; at++) {
		int fd;

		memset(text, 'a', sizeof(text));
		memcpy(text + at, "\r\n", 2);
		fd = file_of(text, sizeof(text), 0);
		qmtp_package_new_message(p);
		ck_assert_int_eq(qmtp_package_file(p, fd, 0, sizeof(text)), 0);
		ck_assert_int_eq(qmtp_package_detect(p, &err), 0);
		ck_assert_int_eq(qmtp_package_get_encoding(p), QMTP_CRLF);
		ck_assert_int_eq(pwrite(fd, "\n", 1, sizeof(text) - 1), 1);
		ck_assert_int_eq(qmtp_package_detect(p, &err), 0);
		ck_assert_int_eq(qmtp_package_get_encoding(p), QMTP_LF);
		close(fd);
	}
}
END_TEST

START_TEST(detection_fails)
{
	int fd = file_of("a\r\n", 3, 0);

	qmtp_package_encoding(p, QMTP_CRLF);
	ck_assert_int_eq(qmtp_package_file(p, fd, 0, 4), 0);
	ck_assert_int_eq(qmtp_package_detect(p, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_SOURCE);
	ck_assert_int_eq(qmtp_package_get_encoding(p), QMTP_CRLF);
	close(fd);
	ck_assert_int_eq(qmtp_package_detect(p, &err), -1);
}
END_TEST

/* While it is in a session a package stays as it is, whoever tries. */
START_TEST(in_a_session)
{
	struct qmtp_options options = { .host = "peer" };
	struct qmtp_session *s;
	char got[100] = "", out[10];
	int fds[2], fd = file_of("x", 1, 0);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	s = qmtp_session_adopt(fds[0], &options, &err);
	address();
	qmtp_package_append(p, "abc\n", 4);
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), 0);
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_str_eq(err.text, "the package is in a session");
	ck_assert_int_eq(qmtp_send(&options, p, &err), -1);
	ck_assert_str_eq(err.text, "the package is in a session");
	ck_assert_int_eq(qmtp_package_sender(p, "t@x.y"), -1);
	ck_assert_int_eq(qmtp_package_rcpt(p, "q@x.y"), -1);
	ck_assert_int_eq(qmtp_package_append(p, "x", 1), -1);
	ck_assert_int_eq(qmtp_package_append(p, "", 0), -1);
	ck_assert_int_eq(qmtp_package_lend(p, "x", 1), -1);
	ck_assert_int_eq(qmtp_package_file(p, fd, 0, 1), -1);
	ck_assert_int_eq(qmtp_package_read(p, fd, &err), -1);
	ck_assert_int_eq(qmtp_package_path(p, "/dev/null", &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_int_eq(qmtp_package_detect(p, &err), -1);
	qmtp_package_encoding(p, QMTP_CRLF);
	qmtp_package_new_envelope(p);
	qmtp_package_new_message(p);
	ck_assert_int_eq(qmtp_package_get_rcpt(p, 0, out, sizeof(out)), 5);
	ck_assert_str_eq(message(), "abc\n");
	qmtp_session_step(s);
	ck_assert_int_gt(read(fds[1], got, sizeof(got) - 1), 0);
	ck_assert_str_eq(got, "5:\nabc\n" ENVELOPE);
	ck_assert_int_eq(write(fds[1], "3:Kok,", 6), 6);
	qmtp_session_step(s);

	ck_assert(qmtp_package_done(p));
	ck_assert_int_eq(qmtp_package_rcpt(p, "q@x.y"), 0);
	ck_assert_int_eq(qmtp_package_reply(p, 0).code, 'K');
	ck_assert_int_eq(qmtp_package_reply(p, 1).code, 0);
	ck_assert_int_eq(qmtp_package_result(p, 1).fate, QMTP_UNSENT);
	ck_assert_int_eq(qmtp_package_append(p, "x", 1), 0);
	qmtp_session_free(s);
	close(fds[1]);
	close(fd);
}
END_TEST

/* A descriptor that cannot be read is a fault of the message, not of the connection. */
START_TEST(file_for_writing_only)
{
	struct qmtp_options options = { .host = "peer" };
	struct qmtp_session *s;
	char name[] = "package-XXXXXX";
	int fds[2], fd = mkstemp(name), blind = open(name, O_WRONLY | O_CLOEXEC);

	unlink(name);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	s = qmtp_session_adopt(fds[0], &options, &err);
	address();
	ck_assert_int_eq(qmtp_package_file(p, blind, 0, 1 << 20), 0);
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), 0);
	ck_assert_int_eq(qmtp_session_step(s), QMTP_CLOSED);
	ck_assert_int_eq(qmtp_session_error(s)->cause, QMTP_SOURCE);
	ck_assert_int_eq(qmtp_package_result(p, 0).cause, QMTP_SOURCE);
	ck_assert_int_eq(qmtp_package_result(p, 0).fate, QMTP_UNSENT);
	qmtp_session_free(s);
	close(fds[1]);
	close(fd);
	close(blind);
}
END_TEST

/* Bytes of a file are not waited for on a socket that was handed over as it was made. */
START_TEST(adopted_socket_that_blocks)
{
	struct qmtp_options options = { .host = "peer", .send_timeout = 100 };
	struct qmtp_session *s;
	int fds[2], fd = file_of("", 0, 0);

	ck_assert_ptr_null(qmtp_session_adopt(-1, &options, &err));
	ck_assert_int_eq(err.errnum, EBADF);
	ck_assert_int_eq(ftruncate(fd, 16 << 20), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	s = qmtp_session_adopt(fds[0], &options, &err);
	address();
	ck_assert_int_eq(qmtp_package_file(p, fd, 0, 16 << 20), 0);
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), 0);
	ck_assert_int_eq(qmtp_session_run(s, qmtp_now() + 20000, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_TIMEOUT);
	ck_assert_int_eq(err.phase, QMTP_SEND);
	qmtp_session_free(s);
	close(fds[1]);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("package");
	TCase *t = tcase_create("package");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, envelope);
	tcase_add_test(t, many_rcpts);
	tcase_add_test(t, pieces_on_the_wire);
	tcase_add_test(t, no_bytes_no_piece);
	tcase_add_loop_test(t, read_a_stream, 0, 2);
	tcase_add_test(t, read_without_end);
	tcase_add_test(t, read_just_enough);
	tcase_add_test(t, read_too_much);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, path_is_closed);
	tcase_add_test(t, path_in_proc);
	tcase_add_test(t, line_by_line);
	tcase_add_test(t, get_message);
	tcase_add_test(t, encoding);
	tcase_add_loop_test(t, detection, 0, (int)(4 * SIZE(lines)));
	tcase_add_test(t, detection_of_large_files);
	tcase_add_test(t, detection_fails);
	tcase_add_test(t, in_a_session);
	tcase_add_test(t, file_for_writing_only);
	tcase_add_test(t, adopted_socket_that_blocks);
	suite_add_tcase(s, t);
	return run_suite(s);
}
