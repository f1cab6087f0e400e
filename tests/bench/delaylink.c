/*
 * delaylink: two programs with a slow line between them. For benchmarks; Linux, root.
 *
 *	delaylink MILLISECONDS FAR [ARGUMENT]... -- NEAR [ARGUMENT]...
 *
 * NEAR and FAR run in network namespaces of their own that share nothing but the line: NEAR
 * is 10.9.0.1, FAR is 10.9.0.2, every packet takes so long each way, whatever there are in
 * between. (A pair of tun devices: it delays handshakes and acknowledgements too, and
 * needs no scheduler in the kernel.) NEAR starts once the line is up; when it ends FAR is
 * ended. Exits as NEAR did; 77 when the system has no such devices or does not let us.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 16384 /* on the way in one direction; more are lost */
#define PACKET_MAX 2048
#define READS 256 /* packets taken from one side before the other's turn */

struct direction {
	char (*data)[PACKET_MAX];
	size_t len[PACKETS];
	int64_t due[PACKETS]; /* nanoseconds */
	size_t first, next;   /* counted from the start */
};

static struct side {
	int namespace, tun;
	pid_t pid;
} near, far;

static _Noreturn void
unable(const char *what)
{
	perror(what);
	exit(77);
}

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
set_address(int s, struct ifreq *r, unsigned long what, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	inet_pton(AF_INET, address, &in.sin_addr);
	memcpy(&r->ifr_addr, &in, sizeof(in));
	if (ioctl(s, what, r) < 0)
		unable(address);
}

/* A namespace with one end of the line in it. This process is in it afterwards. */
static void
make_side(struct side *side, const char *address)
{
	struct ifreq r = { .ifr_name = "line" }, lo = { .ifr_name = "lo" };
	int s;

	if (unshare(CLONE_NEWNET) < 0)
		unable("unshare");
	side->namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	side->tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (side->namespace < 0 || side->tun < 0 || s < 0)
		unable("/dev/net/tun");
	r.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (ioctl(side->tun, TUNSETIFF, &r) < 0)
		unable("a tun device");
	set_address(s, &r, SIOCSIFADDR, address);
	set_address(s, &r, SIOCSIFNETMASK, "255.255.255.0");
	r.ifr_qlen = 10000;
	if (ioctl(s, SIOCSIFTXQLEN, &r) < 0)
		unable("its queue");
	r.ifr_flags = lo.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r) < 0 || ioctl(s, SIOCSIFFLAGS, &lo) < 0)
		unable("bringing it up");
	close(s);
}

static void
start(struct side *side, char **argv, const sigset_t *mask)
{
	side->pid = fork();
	if (side->pid < 0)
		unable("fork");
	if (side->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (setns(side->namespace, CLONE_NEWNET) < 0)
		unable("setns");
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static void
take(struct direction *d, int from, int64_t delay)
{
	for (int i = 0; i < READS; i++) {
		size_t at = d->next % PACKETS;
		char lost[PACKET_MAX];
		bool room = d->next - d->first < PACKETS;
		ssize_t n = read(from, room ? d->data[at] : lost, PACKET_MAX);

		if (n <= 0)
			return;
		if (!room)
			continue;
		d->len[at] = (size_t)n;
		d->due[at] = now() + delay;
		d->next++;
	}
}

static void
give(struct direction *d, int to)
{
	int64_t t = now();

	for (; d->first < d->next && d->due[d->first % PACKETS] <= t; d->first++) {
		size_t at = d->first % PACKETS;

		if (write(to, d->data[at], d->len[at]) < 0)
			continue; /* lost, as happens */
	}
}

/*
 * What else the machine has to do is not to be measured: both ends go before it, and the line
 * before them. Where that is not allowed, as far as it is.
 */
static void
go_before(int priority)
{
	const struct sched_param first = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_RR, &first) < 0)
		setpriority(PRIO_PROCESS, 0, -20);
}

/* Carry packets until NEAR has ended. Returns its status. */
static int
carry(int64_t delay, const sigset_t *mask)
{
	static struct direction there, back;
	struct pollfd p[2] = { { .fd = near.tun, .events = POLLIN },
		{ .fd = far.tun, .events = POLLIN } };
	int status;

	there.data = malloc(PACKETS * sizeof(*there.data));
	back.data = malloc(PACKETS * sizeof(*back.data));
	if (there.data == NULL || back.data == NULL)
		unable("memory");
	while (waitpid(near.pid, &status, WNOHANG) != near.pid) {
		int64_t until = now() + 1000000000, left;
		struct timespec t = { 0 };

		if (there.first < there.next)
			until = there.due[there.first % PACKETS];
		if (back.first < back.next && back.due[back.first % PACKETS] < until)
			until = back.due[back.first % PACKETS];
		left = until - now();
		if (left > 0) {
			t.tv_sec = left / 1000000000;
			t.tv_nsec = left % 1000000000;
		}
		ppoll(p, 2, &t, mask); /* a child that ends wakes it too */
		give(&there, far.tun);
		give(&back, near.tun);
		take(&there, near.tun, delay);
		take(&back, far.tun, delay);
	}
	return status;
}

static void
wake(int sig)
{
	(void)sig;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = wake };
	sigset_t child, before;
	char *end = NULL;
	double ms = argc > 4 ? strtod(argv[1], &end) : -1;
	int split = 2, status;

	while (split < argc && strcmp(argv[split], "--") != 0)
		split++;
	if (end == NULL || ms < 0 || *end != '\0' || split == 2 || split >= argc - 1) {
		fputs("usage: delaylink MILLISECONDS FAR... -- NEAR...\n", stderr);
		return 64;
	}
	argv[split] = NULL;
	sigaction(SIGCHLD, &sa, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	prctl(PR_SET_TIMERSLACK, 1);
	make_side(&far, "10.9.0.2");
	make_side(&near, "10.9.0.1");
	go_before(1);
	start(&far, argv + 2, &before);
	start(&near, argv + split + 1, &before);
	go_before(2);
	status = carry((int64_t)(ms * 1e6), &before);
	kill(far.pid, SIGTERM);
	waitpid(far.pid, NULL, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
