/*
 * qmtp-queue(8): the only part with a privilege, the group of the spool. It has no
 * configuration, no names to look up and nothing from the environment; every byte it
 * reads is hostile. A switchboard.
 *
 *	qmtp-queue store	a package on standard input, its recipients pending
 *	qmtp-queue doubt	the same, its recipients in doubt
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/receive.h"
#include "util/file.h"

/*
 * Whether this process has the group that owns the spool: else nothing may be promised,
 * and nothing is read.
 */
static int
has_group(void)
{
	struct stat sb;

	return stat(SPOOL_DIR, &sb) == 0 && sb.st_gid == getegid();
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct spool spool;
	struct error err;
	char state = 0;
	int code;

	if (file_sane_descriptors() < 0 || clearenv() != 0)
		return EX_OSERR;
	umask(0);
	setpgid(0, 0); /* what is sent to the caller's group is not meant */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	if (argc == 2 && strcmp(argv[1], "store") == 0)
		state = 'P';
	else if (argc == 2 && strcmp(argv[1], "doubt") == 0)
		state = '?';
	if (state == 0)
		return EX_USAGE;
	if (!has_group())
		return EX_NOPERM;
	if (spool_open(&spool, SPOOL_DIR, &err) < 0)
		return err.code;
	code = receive(&spool, STDIN_FILENO, STDOUT_FILENO, state);
	spool_close(&spool);
	return code;
}
