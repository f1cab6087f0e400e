/*
 * quiet.c: the library raises no signal, says nothing, and needs no descriptor 0 to 2.
 *
 *	quiet SOCKET PORT DEAD-PORT FILE
 *
 * At SOCKET and PORT are servers that end each connection in the middle of a message, at
 * DEAD-PORT nobody is. FILE is larger than a socket holds. SIGPIPE is as it was when the
 * program began: it ends it. Exit code: 0, or the number of what went wrong.
 */
#include <qmtp.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* A message into a connection that ends: -1 it must be, and not sent. */
static int
broken(const char *host, int port, const char *file, bool from_memory)
{
	const struct qmtp_options options = { .host = host, .port = port };
	struct qmtp_package *p = qmtp_package_new();
	struct qmtp_error err;
	int fd = open(file, O_RDONLY | O_CLOEXEC), bad = 1;
	size_t len = 16000000;
	char *text = calloc(1, len);

	if (p == NULL || fd < 0 || text == NULL || qmtp_package_sender(p, "") < 0 ||
	    qmtp_package_rcpt(p, "a@example.net") < 0 ||
	    (from_memory ? qmtp_package_lend(p, text, len)
			 : qmtp_package_read(p, fd, &err)) < 0)
		goto out;
	bad = 2;
	if (qmtp_send(&options, p, &err) < 0)
		bad = qmtp_package_committed(p) ? 3 : 0;
out:
	qmtp_package_free(p);
	free(text);
	if (fd >= 0)
		close(fd);
	return bad;
}

/* The signals of the caller are its own. */
static bool
same_signals(const sigset_t *before)
{
	sigset_t after, pending;
	struct sigaction sa;

	if (sigprocmask(SIG_SETMASK, NULL, &after) < 0 || sigpending(&pending) < 0 ||
	    sigaction(SIGPIPE, NULL, &sa) < 0)
		return false;
	for (int i = 1; i < 32; i++)
		if (sigismember(&after, i) != sigismember(before, i))
			return false;
	return !sigismember(&pending, SIGPIPE) && sa.sa_handler == SIG_DFL;
}

int
main(int argc, char *argv[])
{
	sigset_t before;
	int bad = argc == 5 ? 0 : 99;

	sigprocmask(SIG_SETMASK, NULL, &before);
	for (int i = 0; i < 4 && bad == 0; i++)
		bad = broken(argv[1], 0, argv[4], i % 2 == 0);
	for (int i = 0; i < 4 && bad == 0; i++)
		bad = broken("127.0.0.1", atoi(argv[2]), argv[4], i % 2 == 0);
	if (bad == 0)
		bad = broken("localhost", atoi(argv[3]), argv[4], true);
	return bad == 0 && !same_signals(&before) ? 4 : bad;
}
