/*
 * logsink: a syslog that throws away. For benchmarks.
 *
 *	logsink PATH
 *
 * Reads datagrams from the unix socket PATH (made, and removed at the end) until SIGTERM; then
 * prints how many there were. Ends by itself after an hour.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LIFETIME 3600 /* seconds */

static volatile sig_atomic_t ended;

static void
on_signal(int sig)
{
	ended = sig;
}

int
main(int argc, char **argv)
{
	struct sigaction end = { .sa_handler = on_signal }; /* interrupts recv() */
	struct timeval lifetime = { .tv_sec = LIFETIME };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	unsigned long lines = 0;
	char data[8192];
	int s;

	if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path)) {
		fputs("usage: logsink PATH\n", stderr);
		return 64;
	}
	memcpy(at.sun_path, argv[1], strlen(argv[1]));
	unlink(argv[1]);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &lifetime, sizeof(lifetime)) < 0 ||
	    sigaction(SIGTERM, &end, NULL) < 0) {
		perror(argv[1]);
		return 1;
	}
	while (!ended && recv(s, data, sizeof(data), 0) >= 0)
		lines++;
	unlink(argv[1]);
	printf("%lu\n", lines);
	return ended ? 0 : 1;
}
