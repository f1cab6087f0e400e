/*
 * dialogue: holds a conversation with a program, step by step, and says where it goes
 * otherwise. The program's standard input and output are pipes; its stderr stays.
 *
 *	dialogue --connect PATH <<'END'		with whoever listens on a unix socket
 *	dialogue [--socket] PROGRAM [ARG ...] <<'END'
 *	< 220 host.lab.example ESMTP
 *	> NOOP
 *	< 250 2.0.0 ok
 *	exit 0
 *	END
 *
 *	> TEXT		send a line with CR LF; TEXT knows \r \n \t \0 \\ and \xHH
 *	>> TEXT		the same without a line end
 *	fill N		send N bytes: lines of 64, CR LF
 *	< TEXT		a line with CR LF comes, and is this one; "TOKEN" stands for 16 bytes
 *			of a-z 2-7
 *	<< TEXT		these bytes come, escapes as above
 *	reply		an answer of qmtp-queue's with K comes: its text is "queued as ID"
 *	silence		nothing comes for 100 ms
 *	await FILE	until there is such a file
 *	pause MS
 *	kill N		send that signal
 *	close		no more is sent
 *	deaf		nobody reads what it says
 *	remember	how much memory it has now ...
 *	grown KB	... and that it is not more than so much above that
 *	exit N		it ends with that code (128 and the signal if it was killed) and
 *			has said nothing more
 *	end		it hangs up and has said nothing more
 *
 * An empty line is no step. Each step has ten seconds, exit twenty. --socket: one
 * socket, as from inetd(8). Exit status 0; 1 and a line on stdout when something is not
 * as it should be; 64.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TOKEN "TOKEN"
#define TOKEN_LENGTH 16
#define PATIENCE 10000 /* milliseconds */
#define LINE_MOST 70000

static struct {
	pid_t pid;
	int to;
	int from;
	bool socket;
	char got[LINE_MOST + 1];
	size_t n; /* bytes in it */
	long memory;
	int number; /* of the step */
} talk = { .to = -1, .from = -1 };

static int
wrong(const char *what, const char *detail)
{
	printf("step %d: %s %s\n", talk.number, what, detail);
	return -1;
}

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static int
hex(char c)
{
	const char *digits = "0123456789abcdef", *p = strchr(digits, c);

	return c != '\0' && p != NULL ? (int)(p - digits) : -1;
}

/* Take the escapes out, in place. Returns how many bytes are left. */
static size_t
unescape(char *s)
{
	static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
	char *out = s, *begin = s;

	while (*s != '\0') {
		const char *known;

		if (s[0] == '\\' && s[1] == 'x' && hex(s[2]) >= 0 && hex(s[3]) >= 0) {
			*out++ = (char)(hex(s[2]) * 16 + hex(s[3]));
			s += 4;
		} else if (s[0] == '\\' && s[1] != '\0' &&
		    (known = strchr(names, s[1])) != NULL) {
			*out++ = bytes[known - names];
			s += 2;
		} else {
			*out++ = *s++;
		}
	}
	return (size_t)(out - begin);
}

/* Read what there is within so many milliseconds: 1, 0 at the end, -1 nothing. */
static int
hear(long ms)
{
	struct pollfd p = { .fd = talk.from, .events = POLLIN };
	ssize_t n;

	if (talk.n == LINE_MOST || poll(&p, 1, (int)(ms > 0 ? ms : 0)) <= 0)
		return -1;
	n = read(talk.from, talk.got + talk.n, LINE_MOST - talk.n);
	if (n <= 0)
		return 0;
	talk.n += (size_t)n;
	return 1;
}

/* It always listens while it speaks, or both might wait for each other. */
static int
speak(const char *data, size_t n)
{
	long until = now_ms() + PATIENCE;

	while (n > 0) {
		struct pollfd p = { .fd = talk.to, .events = POLLOUT };
		ssize_t done = -1;

		hear(0);
		if (poll(&p, 1, 10) == 1)
			done = write(talk.to, data, n);
		if (done < 0 && errno != EAGAIN && errno != EINTR && errno != 0)
			return wrong("cannot send:", strerror(errno));
		if (done > 0) {
			data += done;
			n -= (size_t)done;
		} else if (now_ms() > until) {
			return wrong("cannot send:", "it does not read");
		}
		errno = 0;
	}
	return 0;
}

static int
speak_line(char *text)
{
	size_t n = unescape(text);

	return speak(text, n) < 0 || speak("\r\n", 2) < 0 ? -1 : 0;
}

static int
fill(long n)
{
	static const char line[] =
	    "..............................................................\r\n";

	for (; n > 0; n -= 64)
		if (speak(line, n < 64 ? (size_t)n : 64) < 0)
			return -1;
	return 0;
}

static bool
is_token(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyz234567") >= TOKEN_LENGTH;
}

/* Whether the line, a string, is the one that is wanted. */
static bool
matches(const char *line, const char *wanted)
{
	while (*wanted != '\0') {
		if (strncmp(wanted, TOKEN, strlen(TOKEN)) == 0 && is_token(line)) {
			line += TOKEN_LENGTH;
			wanted += strlen(TOKEN);
		} else if (*line++ != *wanted++) {
			return false;
		}
	}
	return *line == '\0';
}

static void
used(size_t n)
{
	memmove(talk.got, talk.got + n, talk.n -= n);
}

static int
expect(const char *wanted)
{
	long until = now_ms() + PATIENCE;
	char line[LINE_MOST + 1];
	const char *lf;
	size_t n;

	while ((lf = memchr(talk.got, '\n', talk.n)) == NULL) {
		int r = hear(until - now_ms());

		if (r <= 0)
			return wrong(
			    r < 0 ? "nothing comes, wanted:" : "it has hung up, wanted:",
			    wanted);
	}
	n = (size_t)(lf - talk.got) + 1;
	memcpy(line, talk.got, n);
	line[n] = '\0';
	used(n);
	if (n < 2 || line[n - 2] != '\r' || strlen(line) != n)
		return wrong("not a line with CR LF:", line);
	line[n - 2] = '\0';
	if (matches(line, wanted))
		return 0;
	printf("step %d: wanted: %s\n", talk.number, wanted);
	return wrong("got:   ", line);
}

/* So many bytes have come. */
static int
gather(size_t n, const char *what)
{
	long until = now_ms() + PATIENCE;

	while (talk.n < n) {
		int r = hear(until - now_ms());

		if (r <= 0)
			return wrong(
			    r < 0 ? "nothing comes, wanted:" : "it has hung up, wanted:",
			    what);
	}
	return 0;
}

static int
expect_bytes(char *wanted)
{
	size_t n = unescape(wanted);

	if (gather(n, wanted) < 0)
		return -1;
	if (memcmp(talk.got, wanted, n) != 0) {
		printf("step %d: wanted: %s\n", talk.number, wanted);
		talk.got[n] = '\0';
		return wrong("got:   ", talk.got);
	}
	used(n);
	return 0;
}

static int
expect_reply(void)
{
	static const char text[] = "Kqueued as ";
	size_t n;

	if (gather(3, text) < 0)
		return -1;
	n = (size_t)strtol(talk.got, NULL, 10) + 4; /* "NN:" and the comma */
	if (talk.got[2] != ':' || n < 4 + strlen(text) || gather(n, text) < 0 ||
	    memcmp(talk.got + 3, text, strlen(text)) != 0 || talk.got[n - 1] != ',')
		return wrong("no such reply:", talk.got);
	used(n);
	return 0;
}

static int
hung_up(void)
{
	int r = hear(2 * PATIENCE);

	if (r == 1 || talk.n > 0)
		return wrong("it has said more:", talk.got);
	return r == 0 ? 0 : wrong("it does not hang up", "");
}

static int
silence(void)
{
	if (talk.n > 0 || hear(100) != -1)
		return wrong("not silent", "");
	return 0;
}

static int
await(const char *path)
{
	long until = now_ms() + PATIENCE;

	while (access(path, F_OK) < 0) {
		if (now_ms() > until)
			return wrong("there is no", path);
		hear(20);
	}
	return 0;
}

static long
memory(void)
{
	char path[64], line[256];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)talk.pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

static int
grown(long most)
{
	char text[64];
	long kb = memory();

	snprintf(text, sizeof(text), "%ld KB from %ld KB", kb, talk.memory);
	if (kb < 0 || kb > talk.memory + most)
		return wrong("grown to", text);
	return 0;
}

static void
no_more(void)
{
	if (talk.socket)
		shutdown(talk.to, SHUT_WR);
	else if (talk.to >= 0)
		close(talk.to);
	talk.to = -1;
}

static void
deaf(void)
{
	close(talk.from);
	talk.from = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int
ended(int wanted)
{
	long until = now_ms() + 2 * PATIENCE;
	char text[64];
	int status, code;

	while (waitpid(talk.pid, &status, WNOHANG) == 0) {
		if (now_ms() > until)
			return wrong("it does not end", "");
		if (hear(5) >= 0)
			nap(1);
	}
	talk.pid = -1;
	while (hear(0) == 1)
		;
	if (talk.n > 0) {
		talk.got[talk.n < LINE_MOST ? talk.n : LINE_MOST - 1] = '\0';
		return wrong("it has said more:", talk.got);
	}
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	snprintf(text, sizeof(text), "%d, wanted %d", code, wanted);
	return code == wanted ? 0 : wrong("exit code", text);
}

static int
simple_step(const char *name, const char *arg)
{
	long n = strtol(arg, NULL, 10);

	if (strcmp(name, "fill") == 0)
		return fill(n);
	if (strcmp(name, "silence") == 0)
		return silence();
	if (strcmp(name, "reply") == 0)
		return expect_reply();
	if (strcmp(name, "end") == 0)
		return hung_up();
	if (strcmp(name, "await") == 0)
		return await(arg);
	if (strcmp(name, "pause") == 0)
		nap(n);
	else if (strcmp(name, "kill") == 0)
		kill(talk.pid, (int)n);
	else if (strcmp(name, "close") == 0)
		no_more();
	else if (strcmp(name, "deaf") == 0)
		deaf();
	else if (strcmp(name, "remember") == 0)
		talk.memory = memory();
	else if (strcmp(name, "grown") == 0)
		return grown(n);
	else if (strcmp(name, "exit") == 0)
		return ended((int)n);
	else
		return wrong("unknown step", name);
	return 0;
}

static int
step(char *line)
{
	char *arg = line + strcspn(line, " ");

	if (*arg != '\0')
		*arg++ = '\0';
	if (*line == '\0')
		return 0;
	if (strcmp(line, "<") == 0)
		return expect(arg);
	if (strcmp(line, "<<") == 0)
		return expect_bytes(arg);
	if (strcmp(line, ">") == 0)
		return speak_line(arg);
	if (strcmp(line, ">>") == 0)
		return speak(arg, unescape(arg));
	return simple_step(line, arg);
}

static int
start(char **argv)
{
	int in[2], out[2] = { -1, -1 };

	if (talk.socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, in) < 0
			: pipe(in) < 0 || pipe(out) < 0)
		return -1;
	talk.to = in[1];
	talk.from = talk.socket ? in[1] : out[0];
	fcntl(talk.to, F_SETFL, O_NONBLOCK);
	fcntl(talk.to, F_SETFD, FD_CLOEXEC);
	fcntl(talk.from, F_SETFD, FD_CLOEXEC);
	talk.pid = fork();
	if (talk.pid != 0) {
		close(in[0]);
		if (!talk.socket)
			close(out[1]);
		return talk.pid < 0 ? -1 : 0;
	}
	dup2(in[0], STDIN_FILENO);
	dup2(talk.socket ? in[0] : out[1], STDOUT_FILENO);
	signal(SIGPIPE, SIG_DFL);
	execv(argv[0], argv);
	_exit(127);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(sun.sun_path))
		return -1;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	talk.to = talk.from = fd;
	talk.pid = -1;
	return 0;
}

int
main(int argc, char **argv)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	bool connected;
	int result = 0;

	signal(SIGPIPE, SIG_IGN);
	connected = argc == 3 && strcmp(argv[1], "--connect") == 0;
	talk.socket = connected || (argc > 1 && strcmp(argv[1], "--socket") == 0);
	argv += talk.socket ? 2 : 1;
	if (*argv == NULL)
		return 64;
	if (connected ? connect_to(*argv) < 0 : start(argv) < 0)
		return wrong("cannot start", *argv) < 0;
	while (result == 0 && (n = getline(&line, &cap, stdin)) > 0) {
		talk.number++;
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		result = step(line);
	}
	free(line);
	if (talk.pid > 0) {
		if (result == 0)
			wrong("the last step is not", "exit");
		kill(talk.pid, SIGKILL);
		waitpid(talk.pid, NULL, 0);
		result = -1;
	}
	return result < 0;
}
