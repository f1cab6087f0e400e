/*
 * attack: what somebody could do who has taken over qmtp-queue: the caller's user, with the
 * group of the spool.
 *
 *	attack entry SPOOL ID	tries everything on an entry of somebody else's; a line for
 *				each attempt, "held WHAT: why" or "BROKEN WHAT"
 *	attack plant SPOOL WHAT NAME [TARGET]
 *				puts something into SPOOL/queue that is no entry: symlink
 *				(to TARGET), fifo, directory, socket, link (of TARGET, a file
 *				of its own), file (with the bytes of TARGET)
 *
 * Exit status: 0 when all was held, or planted; 1 else; 64 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static char entry[512];   /* SPOOL/queue/ID */
static char queue[512];   /* SPOOL/queue */
static char mine[512];    /* a file of our own in SPOOL/tmp */
static char another[512]; /* SPOOL/tmp/attack.2 */
static char spool[400];

static void
join(char *out, size_t size, const char *directory, const char *name)
{
	if ((size_t)snprintf(out, size, "%s/%s", directory, name) >= size) {
		fprintf(stderr, "attack: a path that is too long\n");
		exit(64);
	}
}

static int
opened(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int
read_it(void)
{
	return opened(entry, O_RDONLY);
}

static int
write_it(void)
{
	return opened(entry, O_WRONLY);
}

static int
append_to_it(void)
{
	return opened(entry, O_WRONLY | O_APPEND);
}

static int
empty_it(void)
{
	return truncate(entry, 0);
}

static int
open_it_with_truncation(void)
{
	return opened(entry, O_WRONLY | O_TRUNC);
}

static int
create_it_anew(void)
{
	return opened(entry, O_RDWR | O_CREAT);
}

static int
unlink_it(void)
{
	return unlink(entry);
}

static int
rename_it(void)
{
	return rename(entry, another);
}

static int
rename_over_it(void)
{
	return rename(mine, entry);
}

static int
exchange_it(void)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, mine, AT_FDCWD, entry, 2U);
}

static int
link_it(void)
{
	return link(entry, another);
}

static int
link_over_it(void)
{
	return link(mine, entry);
}

static int
chmod_it(void)
{
	return chmod(entry, 0666);
}

static int
chown_it(void)
{
	return chown(entry, getuid(), getgid());
}

static int
give_it_our_group(void)
{
	return chown(entry, (uid_t)-1, getegid());
}

static int
touch_it(void)
{
	return utimensat(AT_FDCWD, entry, NULL, 0);
}

static int
set_its_time(void)
{
	struct timespec t[2] = { { 1, 0 }, { 1, 0 } };

	return utimensat(AT_FDCWD, entry, t, 0);
}

static int
set_an_attribute(void)
{
	return setxattr(entry, "user.attack", "x", 1, 0);
}

static int
remove_the_queue(void)
{
	return rmdir(queue);
}

static int
rename_the_queue(void)
{
	char to[512];

	join(to, sizeof(to), spool, "stolen");
	return rename(queue, to);
}

static int
chmod_the_queue(void)
{
	return chmod(queue, 0777);
}

static int
write_beside_the_queue(void)
{
	char path[512];

	join(path, sizeof(path), spool, "planted");
	return opened(path, O_WRONLY | O_CREAT);
}

static int
open_the_lock(void)
{
	char path[512];

	join(path, sizeof(path), spool, "lock");
	return opened(path, O_RDONLY);
}

static int
look_into(const char *name)
{
	char path[512];

	join(path, sizeof(path), spool, name);
	return opened(path, O_RDONLY | O_DIRECTORY);
}

static int
look_into_failed(void)
{
	return look_into("failed");
}

static int
look_into_corrupt(void)
{
	return look_into("corrupt");
}

static int
move_ours_into_failed(void)
{
	char path[512];

	join(path, sizeof(path), spool, "failed/planted");
	return rename(mine, path);
}

static int
become_the_flusher(void)
{
	struct stat sb;

	if (stat(queue, &sb) < 0)
		return -1;
	return setresuid(sb.st_uid, sb.st_uid, sb.st_uid);
}

static int
gain_the_group_of_the_files(void)
{
	struct stat sb;

	if (stat(queue, &sb) < 0)
		return -1;
	return setresgid(sb.st_gid, sb.st_gid, sb.st_gid);
}

#define ATTEMPT(f)    \
	{             \
#f, f \
	}
static const struct {
	const char *name;
	int (*f)(void);
} attempts[] = {
	ATTEMPT(read_it),
	ATTEMPT(write_it),
	ATTEMPT(append_to_it),
	ATTEMPT(empty_it),
	ATTEMPT(open_it_with_truncation),
	ATTEMPT(create_it_anew),
	ATTEMPT(link_it),
	ATTEMPT(link_over_it),
	ATTEMPT(chmod_it),
	ATTEMPT(chown_it),
	ATTEMPT(give_it_our_group),
	ATTEMPT(touch_it),
	ATTEMPT(set_its_time),
	ATTEMPT(set_an_attribute),
	ATTEMPT(rename_over_it),
	ATTEMPT(exchange_it),
	ATTEMPT(rename_it),
	ATTEMPT(unlink_it),
	ATTEMPT(write_beside_the_queue),
	ATTEMPT(open_the_lock),
	ATTEMPT(look_into_failed),
	ATTEMPT(look_into_corrupt),
	ATTEMPT(move_ours_into_failed),
	ATTEMPT(chmod_the_queue),
	ATTEMPT(rename_the_queue),
	ATTEMPT(remove_the_queue),
	ATTEMPT(gain_the_group_of_the_files),
	ATTEMPT(become_the_flusher),
};

static int
attack(const char *id)
{
	int broken = 0;

	join(entry, sizeof(entry), queue, id);
	join(mine, sizeof(mine), spool, "tmp/attack.1");
	join(another, sizeof(another), spool, "tmp/attack.2");
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
		opened(mine, O_RDWR | O_CREAT);
		if (attempts[i].f() == 0) {
			printf("BROKEN %s\n", attempts[i].name);
			broken = 1;
		} else {
			printf("held %s: %s\n", attempts[i].name, strerror(errno));
		}
		unlink(mine);
		unlink(another);
	}
	return broken;
}

static int
copy(const char *from, const char *to)
{
	static char data[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0660);
	ssize_t n = -1;

	if (in >= 0 && out >= 0)
		while ((n = read(in, data, sizeof(data))) > 0)
			if (write(out, data, (size_t)n) != n)
				return -1;
	return n == 0 ? 0 : -1;
}

static int
plant(const char *what, const char *name, const char *target)
{
	char path[512];
	int r = -1;

	join(path, sizeof(path), queue, name);
	umask(0);
	if (strcmp(what, "symlink") == 0 && target != NULL)
		r = symlink(target, path);
	else if (strcmp(what, "fifo") == 0)
		r = mkfifo(path, 0666);
	else if (strcmp(what, "directory") == 0)
		r = mkdir(path, 0777);
	else if (strcmp(what, "socket") == 0)
		r = mknod(path, S_IFSOCK | 0666, 0);
	else if (strcmp(what, "link") == 0 && target != NULL)
		r = link(target, path);
	else if (strcmp(what, "file") == 0 && target != NULL)
		r = copy(target, path);
	else
		errno = EINVAL;
	if (r == 0)
		return 0;
	printf("%s %s: %s\n", what, path, strerror(errno));
	return 1;
}

int
main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "attack: wrong usage, see attack.c\n");
		return 64;
	}
	if ((size_t)snprintf(spool, sizeof(spool), "%s", argv[2]) >= sizeof(spool))
		return 64;
	join(queue, sizeof(queue), spool, "queue");
	if (argc == 4 && strcmp(argv[1], "entry") == 0)
		return attack(argv[3]);
	if ((argc == 5 || argc == 6) && strcmp(argv[1], "plant") == 0)
		return plant(argv[3], argv[4], argc == 6 ? argv[5] : NULL);
	fprintf(stderr, "attack: wrong usage, see attack.c\n");
	return 64;
}
