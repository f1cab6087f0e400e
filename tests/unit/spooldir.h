/*
 * tests/unit/spooldir.h: a spool of a test's own, in a scratch directory, with real files
 * in it.
 */
#ifndef UNIT_SPOOLDIR_H
#define UNIT_SPOOLDIR_H

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/entry.h"
#include "spool/store.h"
#include "util/buf.h"

static char spooldir[64]; /* its path */
static struct spool spool;
static struct error err;

static inline const char *
spooldir_path(const char *directory, const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s/%s", spooldir, directory, name);
	return path;
}

static inline void
spooldir_set_up(void)
{
	static const char *const inside[] = { "tmp", "queue", "failed", "corrupt" };

	snprintf(spooldir, sizeof(spooldir), "tmp-spool-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(spooldir));
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(mkdir(spooldir_path(inside[i], ""), 0700), 0);
	ck_assert_msg(spool_open(&spool, spooldir, &err) == 0, "%s", err.text);
}

/*
 * Count what is in a directory of the spool, put the last name into last (of 300 bytes;
 * may be NULL), and with sweep remove it all.
 */
static inline size_t
spooldir_list(const char *directory, char *last, bool sweep)
{
	DIR *dir = opendir(spooldir_path(directory, ""));
	struct dirent *d;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		n++;
		if (last != NULL)
			snprintf(last, 300, "%s", d->d_name);
		if (sweep && unlinkat(dirfd(dir), d->d_name, 0) < 0)
			ck_assert_int_eq(
			    unlinkat(dirfd(dir), d->d_name, AT_REMOVEDIR), 0);
	}
	closedir(dir);
	if (sweep)
		ck_assert_int_eq(rmdir(spooldir_path(directory, "")), 0);
	return n;
}

static inline size_t
spooldir_count(const char *directory)
{
	return spooldir_list(directory, NULL, false);
}

static inline void
spooldir_tear_down(void)
{
	spool_close(&spool);
	spooldir_list("tmp", NULL, true);
	spooldir_list("queue", NULL, true);
	spooldir_list("failed", NULL, true);
	spooldir_list("corrupt", NULL, true);
	ck_assert_int_eq(rmdir(spooldir), 0);
}

/* A file of these bytes, not through store. */
static inline void
spooldir_file(const char *directory, const char *name, const char *text)
{
	int fd = open(spooldir_path(directory, name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* What a file says, as a string that lives until the next call. */
static inline const char *
spooldir_text(const char *directory, const char *name)
{
	static char text[65536];
	int fd = open(spooldir_path(directory, name), O_RDONLY);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

/*
 * An entry: message from sender to n recipients in a state, at a time; its id into id.
 * The message's lines end with LF.
 */
static inline void
spooldir_store(const char *message, const char *sender, const char *const *rcpts,
    size_t n, char state, time_t when, char id[SPOOL_ID])
{
	struct buf package = { 0 }, list = { 0 };
	struct store st;

	for (size_t i = 0; i < n; i++)
		buf_printf(&list, "%zu:%s,", strlen(rcpts[i]), rcpts[i]);
	buf_printf(&package, "%zu:\n%s,%zu:%s,%zu:%s,", strlen(message) + 1, message,
	    strlen(sender), sender, list.len, list.data);
	ck_assert_int_eq(store_begin(&st, &spool, &err), 0);
	ck_assert_int_eq(store_write(&st, package.data, package.len, &err), 0);
	ck_assert_int_eq(store_slots(&st, n, state, when, &err), 0);
	ck_assert_msg(store_commit(&st, when, id, &err) == 0, "%s", err.text);
	buf_free(&package);
	buf_free(&list);
}

#endif
