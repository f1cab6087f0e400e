/*
 * Messages through every kind of descriptor. A SOCK_SEQPACKET socket gives each record to a
 * read(2) of its own, so that a message is cut exactly where a case wants it cut.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/message.h"
#include "util/file.h"

#include "suite.h"

#define BLOCK 65536 /* what message_read() reads at once */

static const struct message_source plain = { .max_header = 1 << 20, .max_size = 1 << 30 };

static struct buf
body_of(const struct message *m)
{
	struct buf b = { 0 };

	if (m->fd < 0) {
		ck_assert_uint_eq(m->length, m->memory.len);
		buf_add(&b, m->length > 0 ? m->memory.data : "", m->length);
		return b;
	}
	buf_reserve(&b, m->length);
	ck_assert_int_eq(pread(m->fd, b.data, m->length, (off_t)m->offset), m->length);
	b.len = m->length;
	b.data[b.len] = '\0';
	return b;
}

static void
expect_bytes(const char *what, const char *got, size_t len, const char *want, size_t n)
{
	if (len != n || (n > 0 && memcmp(got, want, n) != 0))
		ck_abort_msg("%s: %zu bytes \"%.200s\", not %zu bytes \"%.200s\"", what,
		    len, len > 0 ? got : "", n, n > 0 ? want : "");
}

static void
expect(const struct message *m, const char *header, const char *body, size_t n)
{
	struct buf b = body_of(m);

	expect_bytes(
	    "header", m->header.text.data, m->header.text.len, header, strlen(header));
	expect_bytes("body", b.data, b.len, body, n);
	buf_free(&b);
}

static struct message
read_well(int fd, bool dots)
{
	struct message_source source = plain;
	struct message m;
	struct error err = { .text = "?" };

	source.fd = fd;
	source.dots = dots;
	if (message_read(&m, &source, &err) < 0)
		ck_abort_msg("%s", err.text);
	return m;
}

/* A file with data in it, standing at offset `at`. */
static int
file_with(const char *data, size_t n, off_t at)
{
	struct error err;
	int fd = file_temporary(NULL, &err);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write(fd, data, n), 0);
	ck_assert_int_eq(lseek(fd, at, SEEK_SET), at);
	return fd;
}

/* Writes a message in pieces of `piece` bytes. */
struct writer {
	pthread_t thread;
	int fd;
	const char *data;
	size_t n;
	size_t piece;
	int error; /* of write(2), 0 when all was taken */
};

static void *
write_pieces(void *arg)
{
	struct writer *w = arg;

	for (size_t at = 0; at < w->n && w->error == 0; at += w->piece) {
		size_t len = w->n - at < w->piece ? w->n - at : w->piece;

		if (file_write(w->fd, w->data + at, len) < 0)
			w->error = errno;
	}
	close(w->fd);
	return NULL;
}

/* Start it; returns the descriptor to read from. */
static int
start_writer(struct writer *w, bool records, const char *data, size_t n, size_t piece)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	if (records)
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	else
		ck_assert_int_eq(pipe(fds), 0);
	*w = (struct writer){ .fd = fds[1], .data = data, .n = n, .piece = piece };
	ck_assert_int_eq(pthread_create(&w->thread, NULL, write_pieces, w), 0);
	return fds[0];
}

static void
end_writer(struct writer *w, int fd)
{
	pthread_join(w->thread, NULL);
	close(fd);
}

struct example {
	const char *in;
	const char *header;
	const char *body;
	bool dots;
};

static const struct example examples[] = {
	{ "", "", "", true },
	{ "\n", "", "", true },
	{ "\r\n", "", "", true },
	{ "\r", "", "", true },
	{ "Subject: a\n\nb\n", "Subject: a\n", "b\n", true },
	{ "Subject: a\r\n\r\nb\r\n", "Subject: a\n", "b\n", true },
	/* PHP: header lines end in CR LF, the body as it is */
	{ "To: a@example.com\r\nX: 1\r\n\r\nb\nc\n", "To: a@example.com\nX: 1\n",
	    "b\nc\n", false },
	{ "Subject: a\r\r\n\r\r\nb\r\r\r\n", "Subject: a\n", "b\n", true },
	{ "Subject: a\rb\n\nc\rd\n", "Subject: a b\n", "c\rd\n", true },
	/* no empty line, no last line end */
	{ "Subject: a", "Subject: a\n", "", true },
	{ "Subject: a\r", "Subject: a\n", "", true },
	{ "To: a@example.com\nCc: b@example.com\n",
	    "To: a@example.com\nCc: b@example.com\n", "", true },
	{ "Subject: a\n\nb", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\nb\r", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\nb\n\r", "Subject: a\n", "b\n\n", true },
	/* the body begins with a line that is no field */
	{ "Subject: a\nplain text\nmore: b\n", "Subject: a\n", "plain text\nmore: b\n",
	    true },
	{ "just text\r\n\r\nmore\r\n", "", "just text\n\nmore\n", true },
	{ "just text", "", "just text\n", true },
	{ " folded: first\nSubject: a\n", "", " folded: first\nSubject: a\n", true },
	{ "From alice Sun Nov 22\n>From bob\nSubject: a\n\nb\n", "Subject: a\n", "b\n",
	    true },
	{ "Subject: a\n b\n\tc\n\nd\n", "Subject: a\n b\n\tc\n", "d\n", true },
	/* the dot */
	{ ".\n", "", "", true },
	{ ".", "", "", true },
	{ ".\r\n", "", "", true },
	{ "Subject: a\n.\nb\n", "Subject: a\n", "", true },
	{ "Subject: a\n\nb\n.\nc\n", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\nb\n.\r\nc\n", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\nb\n.\r\r\nc\n", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\nb\n.", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\nb\n.\r", "Subject: a\n", "b\n", true },
	{ "Subject: a\n\n.\nb\n", "Subject: a\n", "", true },
	{ "Subject: a\n\nb.\n.c\n..\n. \n.\rd\n", "Subject: a\n",
	    "b.\n.c\n..\n. \n.\rd\n", true },
	{ "Subject: a\n\nb\n.\nc\n", "Subject: a\n", "b\n.\nc\n", false },
	{ "Subject: a\n\nb\n.\r\nc\n.", "Subject: a\n", "b\n.\nc\n.\n", false },
	{ ".\nb\n", "", ".\nb\n", false },
};

START_TEST(example_cut_anywhere)
{
	const struct example *e = &examples[_i];
	size_t n = strlen(e->in);

	for (size_t cut = 0; cut <= n; cut++) {
		struct message m;
		int fds[2];

		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
		if (cut > 0)
			ck_assert_int_eq(write(fds[1], e->in, cut), cut);
		if (n > cut)
			ck_assert_int_eq(write(fds[1], e->in + cut, n - cut), n - cut);
		shutdown(fds[1], SHUT_WR);
		m = read_well(fds[0], e->dots);
		expect(&m, e->header, e->body, strlen(e->body));
		ck_assert_int_eq(m.fd, -1);
		ck_assert_int_eq(read(fds[0], &m, 1), 0);
		message_free(&m);
		close(fds[0]);
		close(fds[1]);
	}
}
END_TEST

START_TEST(example_byte_by_byte)
{
	const struct example *e = &examples[_i];
	struct writer w;
	int fd = start_writer(&w, true, e->in, strlen(e->in), 1);
	struct message m = read_well(fd, e->dots);

	expect(&m, e->header, e->body, strlen(e->body));
	message_free(&m);
	end_writer(&w, fd);
	ck_assert_int_eq(w.error, 0);
}
END_TEST

/* The pieces of the examples at the edges of reads and of what is kept in memory. */
START_TEST(example_at_the_edges)
{
	static const size_t edges[] = { BLOCK, 2 * BLOCK, MESSAGE_MEMORY,
		MESSAGE_MEMORY + BLOCK };
	const struct example *e = &examples[_i];
	const char *split = strstr(e->in, "\n\n");

	if (split == NULL)
		return;
	split += 2;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		size_t tail = strlen(split);

		for (size_t back = 0; back <= tail + 2; back++) {
			struct buf in = { 0 }, want = { 0 };
			struct message m;
			int fd;

			buf_str(&in, "X-Before: not part of it\n");
			buf_str(&in, "Subject: a\n\n");
			buf_reserve(&in, edges[i]);
			while (in.len < edges[i] + 25 - back)
				buf_byte(&in, in.len % 60 == 0 ? '\n' : 'x');
			in.data[in.len - 1] = '\n';
			buf_add(&want, in.data + 37, in.len - 37);
			buf_str(&in, split);
			buf_str(&want, e->body);
			fd = file_with(in.data, in.len, 25);
			m = read_well(fd, e->dots);
			expect(&m, "Subject: a\n", want.data, want.len);
			message_free(&m);
			close(fd);
			buf_free(&in);
			buf_free(&want);
		}
	}
}
END_TEST

START_TEST(nul_and_eight_bits_pass)
{
	static const char in[] = "Subject: a\0b\xe9\n\nx\0y\xff\xfe\n\0";
	struct writer w;
	int fd = start_writer(&w, false, in, sizeof(in) - 1, 3);
	struct message m = read_well(fd, true);

	expect(&m, "Subject: ab\xe9\n", "x\0y\xff\xfe\n\0\n", 8);
	message_free(&m);
	end_writer(&w, fd);
}
END_TEST

/* n bytes of lines of 61 characters with the line end given; the want has LF. */
static void
make_large(struct buf *in, struct buf *want, size_t n, const char *eol)
{
	static const char line[] =
	    "It was the best of times, it was the worst of times: 8 bit \xe9.";

	buf_reserve(in, n);
	while (in->len < n) {
		buf_str(in, line);
		buf_str(in, eol);
		buf_str(want, line);
		buf_byte(want, '\n');
	}
}

START_TEST(large_from_a_pipe)
{
	struct buf in = { 0 }, want = { 0 };
	struct writer w;
	struct message m;
	int fd;

	buf_str(&in, "Subject: a\n\n");
	make_large(&in, &want, 3 << 20, _i == 0 ? "\n" : "\r\n");
	fd = start_writer(&w, false, in.data, in.len, _i == 0 ? in.len : 4099);
	m = read_well(fd, true);
	ck_assert_int_ge(m.fd, 0);
	ck_assert_int_ne(m.fd, fd);
	ck_assert(!m.borrowed);
	ck_assert_int_ne(fcntl(m.fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_ptr_null(m.memory.data);
	expect(&m, "Subject: a\n", want.data, want.len);
	buf_str(&m.head, "12345");
	ck_assert_uint_eq(message_size(&m), want.len + 5);
	end_writer(&w, fd);
	fd = m.fd;
	message_free(&m);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	buf_free(&in);
	buf_free(&want);
}
END_TEST

/* What a file must have for its body to stay where it is. */
static const struct {
	const char *eol;
	const char *last;
	const char *kept; /* of last */
	bool dots;
	bool borrowed;
} files[] = {
	{ "\n", "end\n", "end\n", true, true },
	{ "\n", "a\rb\n", "a\rb\n", true, true },
	{ "\n", ".\n", ".\n", false, true },
	{ "\n", "end\n.\nbehind the dot\n", "end\n", true, true },
	{ "\n", "end\n.", "end\n", true, true },
	{ "\n", "end", "end\n", true, false },
	{ "\n", "end\r\n", "end\n", true, false },
	{ "\n", "end\n\r", "end\n\n", false, false },
	{ "\r\n", "end\r\n", "end\n", true, false },
};

START_TEST(large_file)
{
	struct buf in = { 0 }, want = { 0 };
	struct message m;
	struct error err;
	int fd;

	buf_str(&in, "of the caller before\nSubject: a\n\n");
	make_large(&in, &want, 3 << 20, files[_i].eol);
	buf_str(&in, files[_i].last);
	buf_str(&want, files[_i].kept);
	fd = file_with(in.data, in.len, 21);
	m = read_well(fd, files[_i].dots);
	ck_assert_int_eq(m.borrowed, files[_i].borrowed);
	ck_assert_int_eq(m.fd == fd, files[_i].borrowed);
	ck_assert_uint_eq(m.offset, files[_i].borrowed ? 33 : 0);
	ck_assert_ptr_null(m.memory.data);
	ck_assert_int_eq(message_unchanged(&m, &err), 0);
	expect(&m, "Subject: a\n", want.data, want.len);
	message_free(&m);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	close(fd);
	buf_free(&in);
	buf_free(&want);
}
END_TEST

/* A line that is no field may be of any length; one that is may not. */
START_TEST(line_longer_than_any_header)
{
	struct message_source source = plain;
	struct buf in = { 0 };
	struct message m;
	struct error err;
	struct writer w;

	source.max_header = 1000;
	if (_i == 1)
		buf_str(&in, "X-Long: ");
	buf_reserve(&in, 700000);
	while (in.len < 700000)
		buf_byte(&in, 'x');
	buf_byte(&in, '\n');
	source.fd = start_writer(&w, false, in.data, in.len, in.len);
	if (_i == 0) {
		ck_assert_int_eq(message_read(&m, &source, &err), 0);
		expect(&m, "", in.data, in.len);
		message_free(&m);
	} else {
		ck_assert_int_eq(message_read(&m, &source, &err), -1);
		ck_assert_int_eq(err.code, EX_DATAERR);
	}
	end_writer(&w, source.fd);
	ck_assert_int_eq(w.error, 0);
	buf_free(&in);
}
END_TEST

START_TEST(header_line_over_many_reads)
{
	struct buf in = { 0 };
	struct message m;
	struct writer w;
	int fd;

	buf_str(&in, "X-Long: ");
	while (in.len < 300000)
		buf_str(&in, in.len % 7 == 0 ? "\n " : "y");
	buf_str(&in, "\n");
	while (in.len < 600000)
		buf_byte(&in, 'z');
	buf_byte(&in, ':');
	fd = start_writer(&w, true, in.data, in.len, 10007);
	m = read_well(fd, true);
	buf_byte(&in, '\n');
	expect(&m, in.data, "", 0);
	ck_assert_uint_eq(m.header.n, 2);
	message_free(&m);
	end_writer(&w, fd);
	buf_free(&in);
}
END_TEST

static const struct {
	const char *in;
	size_t max_header;
	size_t max_size;
	int code;
	const char *text;
} limits[] = {
	{ "Subject: a\r\n\r\nbcd\r\n", 11, 15, 0, NULL },
	{ "Subject: a\r\n\r\nbcd", 11, 15, 0, NULL },
	{ "Subject: a\n\nbcd\n", 11, 14, EX_DATAERR,
	    "message: larger than 14 bytes while reading it" },
	{ "Subject: a\n\nbcd", 11, 14, EX_DATAERR,
	    "message: larger than 14 bytes while reading it" },
	{ "Subject: a\n\nbcd\n", 10, 15, EX_DATAERR,
	    "message: header of more than 10 bytes while reading it" },
	{ "Subject: a", 10, 15, EX_DATAERR,
	    "message: header of more than 10 bytes while reading it" },
	{ "Subject: a\nX: b\n\n", 16, 16, 0, NULL },
	{ "Subject: a\nX: b\n\n", 15, 16, EX_DATAERR,
	    "message: header of more than 15 bytes while reading it" },
	{ "Subject: a\nX: b\n\n", 16, 15, EX_DATAERR,
	    "message: larger than 15 bytes while reading it" },
	{ "bcd\n.\nnot counted\n", 0, 4, 0, NULL },
	{ "", 0, 0, 0, NULL },
	{ "\n\n", 0, 0, EX_DATAERR, "message: larger than 0 bytes while reading it" },
};

START_TEST(exact_limit)
{
	struct message_source source = plain;
	struct message m;
	struct error err = { 0 };
	int fds[2], rc;

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(
	    write(fds[1], limits[_i].in, strlen(limits[_i].in)), strlen(limits[_i].in));
	close(fds[1]);
	source.fd = fds[0];
	source.dots = true;
	source.max_header = limits[_i].max_header;
	source.max_size = limits[_i].max_size;
	rc = message_read(&m, &source, &err);
	ck_assert_int_eq(err.code, limits[_i].code);
	ck_assert_int_eq(rc, limits[_i].code == 0 ? 0 : -1);
	if (rc == 0)
		message_free(&m);
	else
		ck_assert_str_eq(err.text, limits[_i].text);
	close(fds[0]);
}
END_TEST

/* Over the limit in memory, in a temporary file, in place: the writer is never cut off. */
START_TEST(large_limit)
{
	struct message_source source = plain;
	struct buf in = { 0 }, want = { 0 };
	struct message m;
	struct error err;
	struct writer w = { .error = 0 };

	make_large(&in, &want, 2 << 20, "\n");
	for (size_t over = 0; over < 2; over++) {
		source.max_size = in.len - over;
		if (_i == 0)
			source.fd = start_writer(&w, false, in.data, in.len, in.len);
		else
			source.fd = file_with(in.data, in.len, 0);
		if (over == 0) {
			ck_assert_int_eq(message_read(&m, &source, &err), 0);
			expect(&m, "", in.data, in.len);
			message_free(&m);
		} else {
			ck_assert_int_eq(message_read(&m, &source, &err), -1);
			ck_assert_int_eq(err.code, EX_DATAERR);
		}
		if (_i == 0)
			end_writer(&w, source.fd);
		else
			close(source.fd);
		ck_assert_int_eq(w.error, 0);
	}
	buf_free(&in);
	buf_free(&want);
}
END_TEST

/* The largest body that stays in memory, and one byte more. */
START_TEST(memory_limit)
{
	struct buf in = { 0 };
	struct message m;
	int fd;

	buf_str(&in, "Subject: a\n\n");
	buf_reserve(&in, MESSAGE_MEMORY + 1);
	while (in.len < (size_t)(12 + MESSAGE_MEMORY - 1 + _i))
		buf_byte(&in, 'x');
	buf_byte(&in, '\n');
	fd = file_with(in.data, in.len, 0);
	m = read_well(fd, true);
	ck_assert_int_eq(m.borrowed, _i == 1);
	expect(&m, "Subject: a\n", in.data + 12, in.len - 12);
	message_free(&m);
	close(fd);
	buf_free(&in);
}
END_TEST

START_TEST(unreadable)
{
	static const char *const paths[] = { "/", "/dev/null" };
	struct message_source source = plain;
	struct message m;
	struct error err;

	/* The second is what a closed stdin becomes: file_sane_descriptors(). */
	source.fd = open(paths[_i], _i == 0 ? O_RDONLY : O_WRONLY);
	ck_assert_int_eq(message_read(&m, &source, &err), -1);
	ck_assert_int_eq(err.code, EX_IOERR);
	ck_assert_str_eq(err.text,
	    _i == 0 ? "standard input: Is a directory while reading the message"
		    : "standard input: Bad file descriptor while reading the message");
	ck_assert_int_eq(m.fd, -1);
	close(source.fd);
}
END_TEST

/* A limit on the size of files stands for a full disk. */
START_TEST(no_room_for_the_body)
{
	struct rlimit limit = { .rlim_cur = 1 << 20, .rlim_max = 1 << 20 };
	struct message_source source = plain;
	struct buf in = { 0 }, want = { 0 };
	struct message m;
	struct error err;
	struct writer w = { .error = 0 };

	make_large(&in, &want, 3 << 20, "\n");
	if (_i == 0) {
		source.fd = start_writer(&w, false, in.data, in.len, 50000);
	} else {
		in.len--; /* a file in which only the very end makes a copy necessary */
		source.fd = file_with(in.data, in.len, 0);
	}
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(message_read(&m, &source, &err), -1);
	ck_assert_int_eq(err.code, EX_OSERR);
	ck_assert_str_eq(
	    err.text, "temporary file: File too large while writing the message");
	if (_i == 0) {
		end_writer(&w, source.fd);
		ck_assert_int_eq(w.error, 0);
	}
	buf_free(&in);
	buf_free(&want);
}
END_TEST

static void *
write_late(void *arg)
{
	struct writer *w = arg;

	usleep(20000);
	return write_pieces(w);
}

START_TEST(source_that_does_not_block)
{
	static const char in[] = "Subject: a\n\nwaited for\n";
	struct writer w = { .data = in, .n = sizeof(in) - 1, .piece = 5 };
	struct message m;
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
	w.fd = fds[1];
	ck_assert_int_eq(pthread_create(&w.thread, NULL, write_late, &w), 0);
	m = read_well(fds[0], true);
	expect(&m, "Subject: a\n", "waited for\n", 11);
	message_free(&m);
	end_writer(&w, fds[0]);
}
END_TEST

/* Behind the dot: read to the end, so that the writer is content. */
START_TEST(drained_behind_the_dot)
{
	struct buf in = { 0 }, want = { 0 };
	struct writer w;
	struct message m;
	int fd;

	buf_str(&in, "Subject: a\n\nb\n.\n");
	make_large(&in, &want, 1 << 20, "\n");
	fd = start_writer(&w, false, in.data, in.len, in.len);
	m = read_well(fd, true);
	expect(&m, "Subject: a\n", "b\n", 2);
	message_free(&m);
	end_writer(&w, fd);
	ck_assert_int_eq(w.error, 0);
	buf_free(&in);
	buf_free(&want);
}
END_TEST

START_TEST(a_dot_on_a_terminal_is_the_end)
{
	struct message m;
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int tty;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	tty = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(tty, 0);
	ck_assert_int_eq(file_write(master, "Subject: a\n\nb\n.\n", 16), 0);
	m = read_well(tty, true);
	expect(&m, "Subject: a\n", "b\n", 2);
	message_free(&m);
	close(tty);
	close(master);
}
END_TEST

START_TEST(changed_after_it_was_read)
{
	static const struct timespec times[2] = { { .tv_sec = 1000000000 },
		{ .tv_sec = 1000000000 } };
	struct buf in = { 0 }, want = { 0 };
	struct message m;
	struct error err;
	int fd;

	make_large(&in, &want, 1 << 20, "\n");
	fd = file_with(in.data, in.len, 0);
	m = read_well(fd, true);
	ck_assert(m.borrowed);
	ck_assert_int_eq(message_unchanged(&m, &err), 0);
	if (_i == 0)
		ck_assert_int_eq(pwrite(fd, "x", 1, (off_t)in.len), 1);
	else if (_i == 1)
		ck_assert_int_eq(ftruncate(fd, 1000), 0);
	else
		ck_assert_int_eq(futimens(fd, times), 0);
	ck_assert_int_eq(message_unchanged(&m, &err), -1);
	ck_assert_int_eq(err.code, EX_IOERR);
	ck_assert_str_eq(
	    err.text, "standard input: file changed while the message was read");
	message_free(&m);
	close(fd);
	buf_free(&in);
	buf_free(&want);
}
END_TEST

struct changer {
	int fd;
	off_t size;
	volatile bool stop;
};

static void *
keep_growing(void *arg)
{
	struct changer *c = arg;

	while (!c->stop && ftruncate(c->fd, ++c->size) == 0)
		;
	return NULL;
}

START_TEST(changed_while_it_is_read)
{
	struct message_source source = plain;
	struct changer c = { .size = 16 << 20 };
	struct message m;
	struct error err = { 0 };
	pthread_t thread;

	source.fd = c.fd = file_with("\n", 1, 0);
	ck_assert_int_eq(ftruncate(c.fd, c.size), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, keep_growing, &c), 0);
	for (int i = 0; i < 100 && err.code == 0; i++) {
		ck_assert_int_eq(lseek(c.fd, 0, SEEK_SET), 0);
		if (message_read(&m, &source, &err) == 0)
			message_free(&m);
	}
	c.stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_eq(err.code, EX_IOERR);
	close(c.fd);
}
END_TEST

#define ADD_ALL(tc, test, table) \
	tcase_add_loop_test(tc, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("message");
	TCase *tc = tcase_create("message");

	tcase_set_timeout(tc, 60);
	ADD_ALL(tc, example_cut_anywhere, examples);
	ADD_ALL(tc, example_byte_by_byte, examples);
	ADD_ALL(tc, example_at_the_edges, examples);
	ADD_ALL(tc, large_file, files);
	ADD_ALL(tc, exact_limit, limits);
	tcase_add_test(tc, nul_and_eight_bits_pass);
	tcase_add_loop_test(tc, large_from_a_pipe, 0, 2);
	tcase_add_loop_test(tc, line_longer_than_any_header, 0, 2);
	tcase_add_test(tc, header_line_over_many_reads);
	tcase_add_loop_test(tc, large_limit, 0, 2);
	tcase_add_loop_test(tc, memory_limit, 0, 2);
	tcase_add_loop_test(tc, unreadable, 0, 2);
	tcase_add_loop_test(tc, no_room_for_the_body, 0, 2);
	tcase_add_test(tc, source_that_does_not_block);
	tcase_add_test(tc, drained_behind_the_dot);
	tcase_add_test(tc, a_dot_on_a_terminal_is_the_end);
	tcase_add_loop_test(tc, changed_after_it_was_read, 0, 3);
	tcase_add_test(tc, changed_while_it_is_read);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
