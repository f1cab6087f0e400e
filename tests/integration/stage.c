/*
 * stage: sets the scene for the integration scripts: what a shell cannot do, or not everywhere.
 *
 *	stage run [OPTION ...] PROGRAM [ARG ...]	run it in odd surroundings
 *	    --argv0 NAME  --no-argv			called by that name; argc 0
 *	    --block SIG  --ignore SIG  --default SIG	signals, by number
 *	    --limit WHAT N				as, fsize, nofile or nproc
 *	    --user UID					only root can
 *	    --no-new-privs				set-group-id bits do nothing any more
 *	stage log SOCKET FILE	a syslog: every datagram becomes a line of FILE
 *	stage deaf-log SOCKET	a syslog that is full and never reads
 *	stage deaf-udp ADDR PORT FILE	never answers; FILE is made when it is there
 *	stage dns ADDR PORT FILE NAME IPV4	likewise, a name server: it knows one address of one name
 *	stage door SOCKET PROGRAM [ARG ...]	listens; who comes says a line, and then is 0 and 1 of
 *				the program, which has the words of the line behind its arguments
 *	stage peak FILE PROGRAM [ARG ...]	run it; FILE is told how many KiB it had at most
 *	stage fill		write to stdout, a pipe, until it takes no more
 *	stage loopback		bring the loopback interface up
 *
 * Those that stay end when nothing has happened for 300 s. Exit status 64: wrong usage; 1: it cannot be done.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFETIME 300 /* seconds */

static int
usage(void)
{
	fprintf(stderr, "stage: wrong usage, see stage.c\n");
	return 64;
}

static int
failed(const char *what)
{
	fprintf(stderr, "stage: %s: %s\n", what, strerror(errno));
	return 1;
}

static int
number(const char *text, long *n)
{
	char *end;

	errno = 0;
	*n = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *n >= 0 ? 0 : -1;
}

static int
limit(const char *what, long n)
{
	static const struct {
		const char *name;
		int resource;
	} known[] = {
		{ "as", RLIMIT_AS },
		{ "fsize", RLIMIT_FSIZE },
		{ "nofile", RLIMIT_NOFILE },
		{ "nproc", RLIMIT_NPROC },
	};
	struct rlimit r = { (rlim_t)n, (rlim_t)n };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(what, known[i].name) == 0)
			return setrlimit((unsigned)known[i].resource, &r);
	errno = EINVAL;
	return -1;
}

static int
signals(const char *option, int sig)
{
	struct sigaction act = {
		.sa_handler = strcmp(option, "--ignore") == 0 ? SIG_IGN : SIG_DFL
	};
	sigset_t one;

	sigemptyset(&one);
	if (sigaddset(&one, sig) < 0)
		return -1;
	if (strcmp(option, "--block") == 0)
		return sigprocmask(SIG_BLOCK, &one, NULL);
	return sigaction(sig, &act, NULL);
}

static int
become(long uid)
{
	return setgid((gid_t)uid) < 0 || setuid((uid_t)uid) < 0 ? -1 : 0;
}

/* One option of run, with its arguments at *argv; moves on behind them. 0, -1 with errno, or 64. */
static int
prepare(const char *option, char ***argv, char **argv0)
{
	const char *value = *(*argv)++;
	long n;

	if (value == NULL)
		return usage();
	if (strcmp(option, "--argv0") == 0) {
		*argv0 = (*argv)[-1];
		return 0;
	}
	if (strcmp(option, "--limit") == 0) {
		if (**argv == NULL || number(*(*argv)++, &n) < 0)
			return usage();
		return limit(value, n);
	}
	if (number(value, &n) < 0)
		return usage();
	if (strcmp(option, "--user") == 0)
		return become(n);
	return signals(option, (int)n);
}

static int
run(char **argv)
{
	char *argv0 = NULL, *none[] = { NULL }, *file;
	bool bare = false;

	while (*argv != NULL && strncmp(*argv, "--", 2) == 0) {
		const char *option = *argv++;
		int r = 0;

		if (strcmp(option, "--no-argv") == 0)
			bare = true;
		else if (strcmp(option, "--no-new-privs") == 0)
			r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		else
			r = prepare(option, &argv, &argv0);
		if (r != 0)
			return r < 0 ? failed(option) : r;
	}
	if (*argv == NULL)
		return usage();
	file = *argv;
	if (argv0 != NULL)
		*argv = argv0;
	execv(file, bare ? none : argv);
	return failed(file);
}

/* A unix socket with a name. */
static int
named_socket(const char *path, int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	unlink(path);
	return bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ? -1 : fd;
}

static int
keep_log(const char *path, const char *file)
{
	static char line[65536];
	int out = open(file, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int in = out < 0 ? -1 : named_socket(path, SOCK_DGRAM);
	ssize_t n;

	if (in < 0)
		return failed(path);
	while (poll(&(struct pollfd){ .fd = in, .events = POLLIN }, 1, LIFETIME * 1000) >
	    0) {
		n = recv(in, line, sizeof(line) - 1, 0);
		if (n < 0)
			return failed(path);
		line[n] = '\n';
		if (write(out, line, (size_t)n + 1) < 0)
			return failed(file);
	}
	return 0;
}

/* Write until there is no room. */
static int
fill(int fd)
{
	static const char junk[512];
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return failed("fcntl");
	while (write(fd, junk, sizeof(junk)) > 0 || write(fd, junk, 1) > 0)
		;
	return fcntl(fd, F_SETFL, flags) < 0 ? failed("fcntl") : 0;
}

static int
deaf_log(const char *path)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);
	int in = named_socket(path, SOCK_DGRAM), out = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (in < 0 || out < 0 || getsockname(in, (struct sockaddr *)&sun, &len) < 0 ||
	    connect(out, (const struct sockaddr *)&sun, len) < 0)
		return failed(path);
	if (fill(out) != 0)
		return 1;
	sleep(LIFETIME);
	return 0;
}

/* A socket of UDP with an address, and FILE says that it is there. -1 and a line on stderr. */
static int
named_udp(const char *addr, const char *port, const char *file)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long n;

	if (number(port, &n) < 0 || n > 65535 ||
	    inet_pton(AF_INET, addr, &sin.sin_addr) != 1) {
		usage();
		return -1;
	}
	sin.sin_port = htons((uint16_t)n);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0 ||
	    open(file, O_WRONLY | O_CREAT, 0644) < 0) {
		failed(addr);
		return -1;
	}
	return fd;
}

static int
deaf_udp(const char *addr, const char *port, const char *file)
{
	if (named_udp(addr, port, file) < 0)
		return 1;
	sleep(LIFETIME);
	return 0;
}

/* The name as it stands in a question (RFC 1035, 3.1): its length there, the root with it. */
static size_t
labels(unsigned char to[256], const char *name)
{
	size_t at = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > 63 || at + n > 253)
			return 0;
		to[at++] = (unsigned char)n;
		memcpy(to + at, name, n);
		at += n;
		name += n + (name[n] == '.' ? 1 : 0);
	}
	to[at++] = 0;
	return at;
}

/* A question of one name becomes its answer; the new length, 0: it is none. */
static size_t
answer(unsigned char *packet, size_t len, const unsigned char *name, size_t name_len,
    const unsigned char ip[4])
{
	static const unsigned char address[] = { 0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0,
		4 };
	size_t end = 12;
	bool known;

	while (end < len && packet[end] != 0)
		end += packet[end] + 1U;
	end += 5; /* the root, the type, the class */
	if (len < end)
		return 0;
	known = end - 16 == name_len && memcmp(packet + 12, name, name_len) == 0;
	packet[2] = 0x81 | (packet[2] & 0x79); /* an answer */
	packet[3] = known ? 0x80 : 0x83;       /* NXDOMAIN */
	memset(packet + 6, 0, 6);              /* and nothing behind the question */
	if (!known || packet[end - 4] != 0 || packet[end - 3] != 1)
		return end;
	packet[7] = 1;
	memcpy(packet + end, address, sizeof(address));
	memcpy(packet + end + sizeof(address), ip, 4);
	return end + sizeof(address) + 4;
}

static int
dns(const char *addr, const char *port, const char *file, const char *name,
    const char *ip)
{
	static unsigned char packet[512 + 16], known[256];
	size_t known_len = labels(known, name), len;
	struct in_addr in;
	int fd;

	if (known_len == 0 || inet_pton(AF_INET, ip, &in) != 1)
		return usage();
	fd = named_udp(addr, port, file);
	if (fd < 0)
		return 1;
	while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, LIFETIME * 1000) >
	    0) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t n =
		    recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_len);

		if (n < 12)
			continue;
		len = answer(packet, (size_t)n, known, known_len,
		    (const unsigned char *)&in.s_addr);
		if (len > 0)
			sendto(fd, packet, len, 0, (struct sockaddr *)&from, from_len);
	}
	return 0;
}

/* Reads a line and becomes the program. */
static void
let_in(int fd, char **argv, size_t n)
{
	static char line[65], *words[32];
	size_t len = 0;

	while (
	    len < sizeof(line) - 1 && read(fd, line + len, 1) == 1 && line[len] != '\n')
		len++;
	line[len] = '\0';
	for (size_t i = 0; i < n; i++)
		words[i] = argv[i];
	for (char *w = strtok(line, " "); w != NULL && n < 31; w = strtok(NULL, " "))
		words[n++] = w;
	if (dup2(fd, STDIN_FILENO) == STDIN_FILENO &&
	    dup2(fd, STDOUT_FILENO) == STDOUT_FILENO)
		execv(words[0], words);
	_exit(failed(words[0]));
}

static int
door(const char *path, char **argv)
{
	int fd = named_socket(path, SOCK_STREAM);
	size_t n = 0;

	while (argv[n] != NULL)
		n++;
	if (n == 0 || n > 16)
		return usage();
	if (fd < 0 || listen(fd, 16) < 0 || signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return failed(path);
	while (poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, LIFETIME * 1000) >
	    0) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		pid_t pid = peer < 0 ? -1 : fork();

		if (pid == 0)
			let_in(peer, argv, n);
		if (pid < 0)
			return failed(path);
		close(peer);
	}
	return 0;
}

static int
peak(const char *file, char **argv)
{
	struct rusage use;
	int status, out;
	pid_t pid = fork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(failed(argv[0]));
	}
	out = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (pid < 0 || out < 0 || wait4(pid, &status, 0, &use) != pid ||
	    dprintf(out, "%ld\n", use.ru_maxrss) < 0)
		return failed(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? failed("lo") : 0;
}

int
main(int argc, char **argv)
{
	const char *scene = argc > 1 ? argv[1] : "";

	if (strcmp(scene, "run") == 0)
		return run(argv + 2);
	if (strcmp(scene, "log") == 0 && argc == 4)
		return keep_log(argv[2], argv[3]);
	if (strcmp(scene, "deaf-log") == 0 && argc == 3)
		return deaf_log(argv[2]);
	if (strcmp(scene, "deaf-udp") == 0 && argc == 5)
		return deaf_udp(argv[2], argv[3], argv[4]);
	if (strcmp(scene, "dns") == 0 && argc == 7)
		return dns(argv[2], argv[3], argv[4], argv[5], argv[6]);
	if (strcmp(scene, "door") == 0 && argc > 3)
		return door(argv[2], argv + 3);
	if (strcmp(scene, "peak") == 0 && argc > 3)
		return peak(argv[2], argv + 3);
	if (strcmp(scene, "fill") == 0 && argc == 2)
		return fill(STDOUT_FILENO);
	if (strcmp(scene, "loopback") == 0 && argc == 2)
		return loopback();
	return usage();
}
