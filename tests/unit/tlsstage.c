#include "tlsstage.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qmtp/qmtp.h"

#define PATIENCE 30000 /* milliseconds, for what must happen */
#define ARGS_MAX 60
#define LIFETIME "200" /* seconds */

struct qmtp_options options;
struct qmtp_tls tls;
struct qmtp_error err;
struct qmtp_package *package;
char security[100];

static char stage[] = "/tmp/qmtp-tls-XXXXXX";
static int server_port;

const char *
program(const char *variable, const char *otherwise)
{
	const char *name = getenv(variable);

	return name != NULL ? name : otherwise;
}

const char *
at(const char *name)
{
	static char names[8][128];
	static size_t k;
	char *out = names[k++ % 8];

	snprintf(out, sizeof(names[0]), "%s/%s", stage, name);
	return out;
}

int
shell(const char *command, const char *argument)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sh", "sh", "-c", command, "sh", argument, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void
must(const char *command, const char *argument)
{
	if (shell(command, argument) == 0)
		return;
	fprintf(stderr, "failed: %s %s\n", command, argument);
	exit(99);
}

void
stage_make(int want)
{
	char command[4096];

	if (want && shell("openssl version >/dev/null 2>&1", "") != 0) {
		puts("1..0 # SKIP openssl(1) is missing");
		exit(0);
	}
	if (mkdtemp(stage) == NULL)
		exit(99);
	snprintf(command, sizeof(command), "exec '%s/tests/tls/certs.sh' \"$1\"",
	    program("srcdir", "../src"));
	if (want)
		must(command, at("certs"));
}

void
stage_remove(void)
{
	must("rm -rf \"$1\"", stage);
}

const char *
content(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

void
await(const char *path, const char *words)
{
	int64_t until = qmtp_now() + PATIENCE;

	while (strstr(content(path), words) == NULL) {
		ck_assert_msg(qmtp_now() < until, "no \"%s\" in %s: %s", words, path,
		    content(path));
		poll(NULL, 0, 2);
	}
}

static pid_t
child(void)
{
	pid_t parent = getpid(), pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

pid_t
start(const char *const *argv, int fd)
{
	pid_t pid = child();

	if (pid > 0)
		return pid;
	if (fd >= 0 && (dup2(fd, 0) < 0 || dup2(fd, 1) < 0))
		_exit(1);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Returns the port that the server says it has. */
static int
serve(const char **argv, size_t n, const char *how, const char *port_file)
{
	char words[1000], *rest = words;

	snprintf(words, sizeof(words), "%s", how);
	for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;) {
		ck_assert_uint_lt(n, ARGS_MAX - 6);
		argv[n++] = word;
	}
	argv[n++] = "--parent";
	argv[n++] = "--lifetime";
	argv[n++] = LIFETIME;
	argv[n++] = "--port-file";
	argv[n++] = port_file;
	argv[n] = NULL;
	unlink(port_file);
	start(argv, -1);
	await(port_file, "\n");
	return (int)strtol(content(port_file), NULL, 10);
}

int
start_server(const char *how)
{
	const char *argv[ARGS_MAX] = { program("QMTPD", "tests/qmtpd/qmtpd"), "--store",
		at("store"), "--log", at("qmtpd.log") };

	server_port = serve(argv, 5, how, at("qmtpd.port"));
	return server_port;
}

int
start_front(const char *certificate, const char *how)
{
	char cert[100], key[100], to[12];
	const char *argv[ARGS_MAX] = { program("TLSFRONT", "tests/tls/tlsfront"),
		"--cert", cert, "--key", key, "--to", to, "--log", at("front.log") };

	snprintf(cert, sizeof(cert), "%s/certs/%s.pem", stage, certificate);
	snprintf(key, sizeof(key), "%s/certs/%s.key", stage, certificate);
	snprintf(to, sizeof(to), "%d", server_port);
	return serve(argv, 9, how, at("front.port"));
}

/* ---- a message ---- */

void
set_up(void)
{
	static char ca[128];

	must("cd \"$1\" && rm -rf store *.log *.port sock *.file", stage);
	options = (struct qmtp_options){ .host = "127.0.0.1", .tls = &tls };
	snprintf(ca, sizeof(ca), "%s", at("certs/ca.pem"));
	tls = (struct qmtp_tls){ .ca = ca };
	package = NULL;
}

void
tear_down(void)
{
	qmtp_package_free(package);
}

void
new_package(void)
{
	qmtp_package_free(package);
	package = qmtp_package_new();
	ck_assert_int_eq(qmtp_package_sender(package, "s@x.y"), 0);
	ck_assert_int_eq(qmtp_package_rcpt(package, "r@x.y"), 0);
	ck_assert_int_eq(qmtp_package_lend(package, "abc\n", 4), 0);
}

/* Send one message. 0, or -1 with err. */
int
deliver(void)
{
	struct qmtp_session *s;
	int r;

	new_package();
	s = qmtp_session_new(&options, &err);
	ck_assert_msg(s != NULL, "%s", err.text);
	r = qmtp_session_submit(s, package, &err);
	if (r == 0)
		r = qmtp_session_run(s, INT64_MAX, &err);
	snprintf(security, sizeof(security), "%s", qmtp_session_security(s));
	qmtp_session_free(s);
	return r;
}

void
delivers(void)
{
	ck_assert_msg(deliver() == 0, "%s", err.text);
	ck_assert_int_eq(qmtp_package_reply(package, 0).code, 'K');
}

void
fails(enum qmtp_phase phase, enum qmtp_cause cause, const char *text)
{
	ck_assert_int_eq(deliver(), -1);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.phase, phase);
	ck_assert_int_eq(err.cause, cause);
	ck_assert(!qmtp_package_committed(package));
}

/* ---- the line that breaks ---- */

static int
loopback(int port, struct sockaddr_in *in)
{
	*in = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int
connect_to(int port)
{
	struct sockaddr_in in;
	int fd = loopback(port, &in);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static int
pass(int from, int to, size_t most)
{
	char data[16384];
	ssize_t n = recv(from, data, most < sizeof(data) ? most : sizeof(data), 0);

	return n > 0 && send(to, data, (size_t)n, MSG_NOSIGNAL) == n ? (int)n : -1;
}

static void
carry(int near, int far, size_t bytes)
{
	struct pollfd p[2] = { { .fd = near, .events = POLLIN },
		{ .fd = far, .events = POLLIN } };
	struct linger hard = { 1, 0 };

	while (bytes > 0) {
		int n;

		poll(p, 2, -1);
		if (p[0].revents != 0 && pass(near, far, SIZE_MAX) < 0)
			break;
		if (p[1].revents == 0)
			continue;
		n = pass(far, near, bytes);
		if (n < 0)
			break;
		bytes -= (size_t)n;
	}
	/* the far side loses it all at once, the near one sees an end */
	setsockopt(far, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	shutdown(near, SHUT_WR);
	p[0].revents = 0;
	while (poll(p, 1, 2000) == 1 && recv(near, &hard, sizeof(hard), 0) > 0)
		;
	close(near);
	close(far);
}

static _Noreturn void
cut(int listener, int port, size_t bytes, size_t step)
{
	for (;; bytes += step) {
		int near = accept(listener, NULL, NULL);

		if (near < 0)
			_exit(1);
		carry(near, connect_to(port), bytes);
	}
}

int
start_cutter(int port, size_t bytes, size_t step)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	int listener = loopback(0, &in);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(listener, 10), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&in, &len), 0);
	if (child() == 0)
		cut(listener, port, bytes, step);
	close(listener);
	return ntohs(in.sin_port);
}
