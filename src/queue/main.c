/*
 * qmtp-queue(8): the only part with a privilege, the group of the spool. It has no
 * configuration, no names to look up and nothing from the environment; every byte it
 * reads is hostile. A switchboard.
 *
 *	qmtp-queue VERB [ID]	see queue/request.h
 *	qmtp-queue serve	a request through the socket on descriptor 0, queue/serve.h
 *	qmtp-queue listen	... through a socket of its own, queue/listener.h
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/listener.h"
#include "queue/request.h"
#include "queue/serve.h"
#include "queue/signals.h"
#include "util/file.h"

/* Whatever whoever starts it has set up. */
static int
own_surroundings(void)
{
	static const struct rlimit none = { 0, 0 };

	if (file_sane_descriptors() < 0 || clearenv() != 0)
		return -1;
	umask(0);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	setpgid(0, 0); /* what is sent to the caller's group is not meant */
	signals_start();
	return 0;
}

int
main(int argc, char **argv)
{
	static struct peer peer;
	struct request request;

	if (own_surroundings() < 0)
		return EX_OSERR;
	if (getuid() != geteuid())
		return EX_NOPERM; /* set-user-id: then nobody's entries are his own */
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return serve(&peer, STDIN_FILENO);
	if (argc == 2 && strcmp(argv[1], "listen") == 0)
		return listener_run(&peer);
	if (argc < 2 || argc > 3 || !request_parse(&request, argv[1], argv[2]))
		return EX_USAGE;
	peer_init(&peer, STDIN_FILENO, STDOUT_FILENO);
	return request_serve(&request, &peer);
}
