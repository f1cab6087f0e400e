/*
 * fill: a queue full of mail for one recipient each, at once. For benchmarks.
 *
 *	fill SPOOL COUNT SIZE
 *
 * SPOOL is made, or was emptied: it is an error if anything is left in its queue. COUNT
 * entries with messages of SIZE bytes come, as qmtp-queue would have left them now; all is
 * on the disk before it exits with 0.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void
broken(const char *what)
{
	perror(what);
	exit(2);
}

static void
make_spool(const char *spool)
{
	static const char *const names[] = { "tmp", "queue", "failed", "corrupt" };
	int lock;

	if ((mkdir(spool, 0710) < 0 && errno != EEXIST) || chdir(spool) < 0)
		broken(spool);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (mkdir(names[i], 0700) < 0 && errno != EEXIST)
			broken(names[i]);
	lock = open("lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		broken("lock");
	close(lock);
}

static DIR *
open_empty(const char *name)
{
	DIR *d = opendir(name);
	const struct dirent *e;

	if (d == NULL)
		broken(name);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			errno = ENOTEMPTY;
			broken(name);
		}
	return d;
}

/* A queue file: a package and two slots. Returns its bytes. */
static size_t
make(char *entry, size_t size, const char *rcpt, time_t now)
{
	static const char head[] =
	    "Received: by host.lab.example (qmtp-sendmail, from userid 0)\n"
	    "\tid abcdefgh234567ab; Sun, 22 Nov 2026 03:30:31 +0000\n"
	    "From: Alice <alice@example.org>\nSubject: bench\n\n";
	char *at = entry + sprintf(entry, "%zu:\n", size + 1);

	memset(at, 'x', size);
	for (size_t i = 71; i < size; i += 72)
		at[i] = '\n';
	memcpy(at, head, size < sizeof(head) - 1 ? size : sizeof(head) - 1);
	at += size;
	at += sprintf(at, ",17:alice@example.org,%zu:%zu:%s,,", strlen(rcpt) + 4,
	    strlen(rcpt), rcpt);
	at += sprintf(
	    at, "P%08llx\nP%08llx\n", (unsigned long long)now, (unsigned long long)now);
	return (size_t)(at - entry);
}

int
main(int argc, char **argv)
{
	size_t count, size, len;
	time_t now = time(NULL);
	DIR *queue;
	char *entry, rcpt[64], id[40];
	struct stat sb;

	if (argc != 4) {
		fputs("usage: fill SPOOL COUNT SIZE\n", stderr);
		return 64;
	}
	count = strtoul(argv[2], NULL, 10);
	size = strtoul(argv[3], NULL, 10);
	entry = malloc(size + 1024);
	if (entry == NULL)
		broken("memory");
	make_spool(argv[1]);
	queue = open_empty("queue");
	for (size_t i = 0; i < count; i++) {
		int fd = openat(
		    dirfd(queue), "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

		snprintf(rcpt, sizeof(rcpt), "user%06zu@example.net", i);
		len = make(entry, size, rcpt, now);
		if (fd < 0 || write(fd, entry, len) != (ssize_t)len || fstat(fd, &sb) < 0)
			broken("new");
		close(fd);
		snprintf(id, sizeof(id), "%08llx.%llx", (unsigned long long)now,
		    (unsigned long long)sb.st_ino);
		if (renameat(dirfd(queue), "new", dirfd(queue), id) < 0)
			broken(id);
	}
	if (syncfs(dirfd(queue)) < 0)
		broken("sync");
	free(entry);
	closedir(queue);
	return 0;
}
