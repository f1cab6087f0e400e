#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/file.h"

#include "suite.h"

/*
 * In a child of its own: 0 when every descriptor is as it should be, else the number of the
 * check that failed. Nothing may be printed: the descriptors of the test are gone.
 */
static int
check_descriptors(int closed)
{
	struct stat null, st;
	char c;

	if (stat("/dev/null", &null) < 0 || dup2(1, 700) != 700)
		return 1;
	for (int fd = 0; fd < 3; fd++)
		if ((closed & 1 << fd) != 0)
			close(fd);
	if (file_sane_descriptors() < 0)
		return 2;
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) != 0)
			return 3; /* closed, or would be in another program */
		if ((closed & 1 << fd) == 0)
			continue;
		if (fstat(fd, &st) < 0 || st.st_rdev != null.st_rdev)
			return 4;
		if ((fcntl(fd, F_GETFL) & O_ACCMODE) != (fd == 0 ? O_WRONLY : O_RDWR))
			return 5;
	}
	if ((closed & 1) != 0 && (read(0, &c, 1) != -1 || errno != EBADF))
		return 6;
	if (fcntl(3, F_GETFD) != -1 || fcntl(700, F_GETFD) != -1)
		return 7;
	return 0;
}

START_TEST(sane_descriptors)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(check_descriptors(_i));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(write_to_a_full_pipe)
{
	static char data[300000];
	int fds[2], status;
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		fcntl(fds[1], F_SETFL, O_NONBLOCK);
		_exit(file_write(fds[1], data, sizeof(data)) == 0 ? 0 : 1);
	}
	close(fds[1]);
	while ((n = read(fds[0], data, 4099)) > 0)
		got += (size_t)n;
	ck_assert_uint_eq(got, sizeof(data));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(write_that_fails)
{
	int fd = open("/dev/full", O_WRONLY);

	ck_assert_int_eq(file_write(fd, "", 0), 0);
	ck_assert_int_eq(file_write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
	ck_assert_int_eq(file_write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* Sizes of a file and the most that is wanted of it. */
static const struct {
	size_t size;
	size_t max;
} reads[] = {
	{ 0, 0 },
	{ 0, 100 },
	{ 1, 0 },
	{ 100, 99 },
	{ 100, 100 },
	{ 8192, 8192 },
	{ 8193, 8192 },
	{ 8192, 8191 },
	{ 50000, 49999 },
	{ 50000, 50000 },
	{ 50000, 1000000 },
};

START_TEST(read_all)
{
	static char data[50000];
	size_t size = reads[_i].size, max = reads[_i].max;
	size_t want = size < max ? size : max;
	struct buf b = { 0 };
	struct error err;
	int fd = file_temporary(NULL, &err);

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 % 251);
	ck_assert_int_eq(file_write(fd, data, size), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	buf_str(&b, "before");
	errno = 0;
	ck_assert_int_eq(file_read(fd, &b, max), size > max ? -1 : 0);
	if (size > max)
		ck_assert_int_eq(errno, EFBIG);
	ck_assert_uint_eq(b.len, 6 + want);
	ck_assert_mem_eq(b.data, "before", 6);
	ck_assert(memcmp(b.data + 6, data, want) == 0);
	ck_assert_int_eq(b.data[b.len], 0);
	buf_free(&b);
	close(fd);
}
END_TEST

START_TEST(read_that_fails)
{
	struct buf b = { 0 };
	int fd = open("/", O_RDONLY);

	ck_assert_int_eq(file_read(fd, &b, 100), -1);
	ck_assert_int_eq(errno, EISDIR);
	close(fd);
	buf_free(&b);
}
END_TEST

START_TEST(temporary)
{
	static const char *const dirs[] = { NULL, "", "/tmp", "/nonexistent/dir",
		"/dev/null", "/proc" };
	struct error err;
	struct stat st;
	char c;
	int fd = file_temporary(dirs[_i], &err);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_uint_eq(st.st_nlink, 0);
	ck_assert_int_eq(file_write(fd, "x", 1), 0);
	ck_assert_int_eq(pread(fd, &c, 1, 0), 1);
	ck_assert_int_eq(c, 'x');
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("file");
	TCase *tc = tcase_create("file");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, sane_descriptors, 0, 8);
	tcase_add_test(tc, write_to_a_full_pipe);
	tcase_add_test(tc, write_that_fails);
	tcase_add_loop_test(tc, read_all, 0, sizeof(reads) / sizeof(reads[0]));
	tcase_add_test(tc, read_that_fails);
	tcase_add_loop_test(tc, temporary, 0, 6);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
