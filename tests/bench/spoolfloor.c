/*
 * spoolfloor: the least a program can do with a spool. For benchmarks.
 *
 *	spoolfloor store SPOOL	what is on stdin becomes durable: a file in SPOOL/tmp, synced,
 *				renamed to SPOOL/queue, that synced
 *	spoolfloor pair SPOOL	the same by a second program: stdin is read, then written to a
 *				"spoolfloor store" on the other end of a socket pair, which says K
 *	spoolfloor read SPOOL	every file of SPOOL/queue is opened and read once
 *
 * Nothing is looked at, nothing is checked. Exit 0 when all went well, 2 when not.
 */
#include <dirent.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX (1024 * 1024)

extern char **environ;

static char data[MESSAGE_MAX];

static _Noreturn void
broken(const char *what)
{
	perror(what);
	exit(2);
}

static void
enter(const char *directory)
{
	if (chdir(directory) < 0)
		broken(directory);
}

static void
store(void)
{
	char from[32], to[32];
	ssize_t n;
	int fd, queue;

	snprintf(from, sizeof(from), "tmp/%ld", (long)getpid());
	snprintf(to, sizeof(to), "queue/%ld", (long)getpid());
	fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	queue = open("queue", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || queue < 0)
		broken("spool");
	while ((n = read(STDIN_FILENO, data, sizeof(data))) > 0)
		if (write(fd, data, (size_t)n) != n)
			broken(from);
	if (n < 0 || fsync(fd) < 0 || rename(from, to) < 0 || fsync(queue) < 0 ||
	    write(STDOUT_FILENO, "K", 1) != 1)
		broken(from);
}

static void
pair(char *self, char *spool)
{
	char *argv[] = { self, (char[]){ "store" }, spool, NULL };
	posix_spawn_file_actions_t files;
	size_t len = 0;
	ssize_t n = 1;
	int ends[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		broken("socketpair");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
	while (n > 0 && len < sizeof(data)) {
		n = read(STDIN_FILENO, data + len, sizeof(data) - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n != 0 || posix_spawn(&pid, self, &files, NULL, argv, environ) != 0)
		broken(self);
	close(ends[1]);
	if (write(ends[0], data, len) != (ssize_t)len || shutdown(ends[0], SHUT_WR) < 0 ||
	    read(ends[0], data, sizeof(data)) != 1 || data[0] != 'K' ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		broken("the second program");
}

static void
read_all(void)
{
	DIR *d = opendir("queue");
	const struct dirent *e;

	if (d == NULL)
		broken("queue");
	while ((e = readdir(d)) != NULL) {
		int fd;

		if (e->d_name[0] == '.')
			continue;
		fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			broken(e->d_name);
		while (read(fd, data, sizeof(data)) > 0)
			;
		close(fd);
	}
	closedir(d);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: spoolfloor store|pair|read SPOOL\n", stderr);
		return 64;
	}
	if (strcmp(argv[1], "pair") == 0) {
		pair(argv[0], argv[2]);
		return 0;
	}
	enter(argv[2]);
	if (strcmp(argv[1], "store") == 0)
		store();
	else
		read_all();
	return 0;
}
