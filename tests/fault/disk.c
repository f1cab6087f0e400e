#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "util/file.h"

#define SIZE (24 * 1024 * 1024)
#define BLOCK 65536
#define TRIES \
	1000 /* at a loop device, which others may take first, or hold a moment longer */

bool
disk_possible(const char **why)
{
	*why = NULL;
	if (geteuid() != 0)
		*why = "needs root";
	else if (access("/dev/loop-control", R_OK | W_OK) < 0)
		*why = "there are no loop devices";
	else if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		*why = "nothing can be mounted";
	return *why == NULL;
}

void
disk_make(const char *image)
{
	int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int status;
	pid_t pid;

	if (fd < 0 || ftruncate(fd, SIZE) < 0 || close(fd) < 0)
		scene_die("making", image);
	pid = fork();
	if (pid < 0)
		scene_die("fork", "mkfs.ext4");
	if (pid == 0) {
		setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
		execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", "-m", "0", "-b", "1024",
		    "-J", "size=1", "-N", "2048", "-O", "^resize_inode", "-E",
		    "nodiscard,lazy_itable_init=0", image, (char *)NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		scene_die("mkfs.ext4", image);
}

/* A loop device for an open file; it goes when it is unmounted. Its name. */
static void
loop(int fd, char name[32], int *held)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };

	for (unsigned i = 0; i < TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);

		if (number < 0)
			break;
		snprintf(name, 32, "/dev/loop%d", number);
		*held = open(name, O_RDWR | O_CLOEXEC);
		if (*held >= 0 && ioctl(*held, LOOP_SET_FD, fd) == 0) {
			if (ioctl(*held, LOOP_SET_STATUS64, &info) < 0)
				break;
			close(control);
			return;
		}
		if (*held >= 0)
			close(*held);
		usleep(1000);
	}
	scene_die("loop device", name);
}

void
disk_mount(const char *image, const char *where)
{
	int fd = open(image, O_RDWR | O_CLOEXEC), held;
	char name[32] = "";

	if (fd < 0)
		scene_die("opening", image);
	loop(fd, name, &held);
	close(fd);
	if (mount(name, where, "ext4", MS_NODEV | MS_NOSUID,
		"data=ordered,commit=1000,noauto_da_alloc,nodiscard") < 0)
		scene_die("mounting", where);
	close(held);
}

void
disk_unmount(const char *where)
{
	unsigned tries = 0;

	while (umount(where) < 0) {
		if (errno != EBUSY || ++tries == TRIES)
			scene_die("unmounting", where);
		usleep(1000);
	}
}

/* Write n bytes at an offset, unless they are there. Whether they were not. */
static bool
put(int to, const char *data, size_t n, off_t at)
{
	static char there[BLOCK];
	ssize_t got = pread(to, there, n, at);

	if (got == (ssize_t)n && memcmp(there, data, n) == 0)
		return false;
	if (pwrite(to, data, n, at) != (ssize_t)n)
		scene_die("writing", "a copy");
	return true;
}

/* What is a hole in from must read as zeroes in to. */
static bool
put_hole(int to, off_t at, off_t end)
{
	static const char zeroes[BLOCK];
	bool changed = false;
	off_t data;

	while (at < end && (data = lseek(to, at, SEEK_DATA)) >= 0 && data < end) {
		size_t n = end - data < BLOCK ? (size_t)(end - data) : BLOCK;

		changed = put(to, zeroes, n, data) || changed;
		at = data + (off_t)n;
	}
	return changed;
}

bool
disk_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	static char block[BLOCK];
	bool changed = false;
	off_t at = 0;

	if (in < 0 || out < 0 || ftruncate(out, SIZE) < 0)
		scene_die("copying", from);
	while (at < SIZE) {
		off_t data = lseek(in, at, SEEK_DATA), hole;

		if (data < 0)
			data = SIZE;
		changed = put_hole(out, at, data) || changed;
		hole = data < SIZE ? lseek(in, data, SEEK_HOLE) : SIZE;
		for (at = data; at < hole;) {
			size_t want = hole - at < BLOCK ? (size_t)(hole - at) : BLOCK;
			ssize_t n = pread(in, block, want, at);

			if (n <= 0)
				scene_die("reading", from);
			changed = put(out, block, (size_t)n, at) || changed;
			at += n;
		}
	}
	close(in);
	close(out);
	return changed;
}
