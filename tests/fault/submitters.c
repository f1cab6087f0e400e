/*
 * submitters: many callers at once who call sendmail without looking.
 *
 *	submitters CALLERS MESSAGES SENDMAIL
 *
 * Each caller sends so many messages one after the other; every eighth has three
 * recipients, the others one. Message M of caller C has the line "soak C.M" for a body and
 * goes to soak.C.M.R@example.net, R from 0. Prints a line for each message whose exit
 * status is not 0, "C.M STATUS". Exit status: 0 when all were sent, whatever came of them.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static long
number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n < 1 || n > 1000000) {
		fprintf(stderr, "submitters: not a number: %s\n", text);
		exit(64);
	}
	return n;
}

static void
give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void
send_one(long caller, long message, char *sendmail)
{
	static char dots[] = "-i", from[] = "-fsoak@example.org";
	char rcpt[3][64], text[200];
	char *argv[] = { sendmail, dots, from, rcpt[0], NULL, NULL, NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status, fd = memfd_create("message", MFD_CLOEXEC);
	int n = snprintf(
	    text, sizeof(text), "Subject: soak\n\nsoak %ld.%ld\n", caller, message);

	if (fd < 0 || write(fd, text, (size_t)n) != n || lseek(fd, 0, SEEK_SET) != 0)
		give_up("submitters: making a message");
	for (int r = 0; r < 3; r++)
		snprintf(rcpt[r], sizeof(rcpt[r]), "soak.%ld.%ld.%d@example.net", caller,
		    message, r);
	if (message % 8 == 0) {
		argv[4] = rcpt[1];
		argv[5] = rcpt[2];
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (posix_spawn(&pid, sendmail, &actions, NULL, argv, environ) != 0)
		give_up("submitters: starting sendmail");
	posix_spawn_file_actions_destroy(&actions);
	close(fd);
	if (waitpid(pid, &status, 0) != pid)
		give_up("submitters: waiting for sendmail");
	if (status != 0) {
		n = snprintf(text, sizeof(text), "%ld.%ld %d\n", caller, message, status);
		if (write(STDOUT_FILENO, text, (size_t)n) != n)
			give_up("submitters: telling of a failure");
	}
}

int
main(int argc, char **argv)
{
	long callers, messages;
	int status, failed = 0;

	if (argc != 4) {
		fprintf(stderr, "usage: submitters CALLERS MESSAGES SENDMAIL\n");
		return 64;
	}
	callers = number(argv[1]);
	messages = number(argv[2]);
	for (long c = 0; c < callers; c++) {
		pid_t pid = fork();

		if (pid < 0)
			give_up("submitters: starting a caller");
		if (pid > 0)
			continue;
		for (long m = 0; m < messages; m++)
			send_one(c, m, argv[3]);
		exit(0);
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	return failed;
}
