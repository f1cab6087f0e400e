#include "look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/entry.h"
#include "util/file.h"
#include "util/xalloc.h"

#define FILE_MAX 1000000

void
look_free(struct look *l)
{
	free(l->names);
	buf_free(&l->wrong);
	buf_free(&l->text);
	*l = (struct look){ 0 };
}

static struct look_name *
name(struct look *l, const char *addr, size_t len)
{
	static struct look_name spill;
	struct look_name *it;

	if (l->names == NULL)
		l->names = xcalloc(LOOK_NAMES, sizeof(*l->names));
	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->names[i].addr) == len &&
		    memcmp(l->names[i].addr, addr, len) == 0)
			return &l->names[i];
	if (l->n == LOOK_NAMES || len >= LOOK_ADDR) {
		buf_printf(&l->wrong, "too much to look at\n");
		return &spill;
	}
	it = &l->names[l->n++];
	memcpy(it->addr, addr, len);
	it->addr[len] = '\0';
	return it;
}

const struct look_name *
look_name(struct look *l, const char *addr)
{
	return name(l, addr, strlen(addr));
}

/* Whom a bounce is about: f for each of them. */
static void
bounce_about(struct look *l, const char *text, void (*f)(struct look_name *))
{
	static const char field[] = "Final-Recipient: rfc822; ";
	const char *p = text;

	if (p == NULL)
		return;
	while ((p = strstr(p, field)) != NULL) {
		p += sizeof(field) - 1;
		f(name(l, p, strcspn(p, "\n")));
	}
}

/* ---- the spool */

static void
is_bouncing(struct look_name *it)
{
	it->bouncing++;
}

static void
bounce_settled(struct look_name *it)
{
	it->bounces_settled++;
}

static void
count_bounce(struct look *l, const struct entry *e)
{
	char *text = xcalloc(1, e->length + 1);

	if (pread(e->fd, text, e->length, (off_t)e->message) != (ssize_t)e->length)
		buf_printf(&l->wrong, "%s: its message cannot be read\n", e->id);
	bounce_about(l, text,
	    entry_count(e, 'P') + entry_count(e, '?') > 0 ? is_bouncing : bounce_settled);
	free(text);
}

static void
count_entry(struct look *l, const struct entry *e)
{
	l->entries++;
	l->over += entry_count(e, 'P') + entry_count(e, '?') == 0;
	buf_printf(&l->text, "%s %c from <%s>", e->id, e->state, e->sender);
	for (size_t i = 0; i < e->n; i++) {
		const struct entry_rcpt *r = &e->rcpts[i];
		struct look_name *it = name(l, r->addr, strlen(r->addr));

		buf_printf(&l->text, " %c<%s>", r->state, r->addr);
		it->waiting += r->state == 'P' || r->state == '?';
		it->settled += r->state == 'K';
		it->refused += r->state == 'D';
	}
	buf_byte(&l->text, '\n');
	if (e->sender[0] == '\0')
		count_bounce(l, e);
}

static void
look_at_file(struct look *l, const struct spool *s, const char *id)
{
	static const char *const how[] = {
		[ENTRY_GONE] = "gone",
		[ENTRY_SKIPPED] = "nothing to touch",
		[ENTRY_DAMAGED] = "damaged",
		[ENTRY_FAILED] = "unreadable",
	};
	struct entry e;
	struct error err;
	enum entry_result result = entry_open(&e, s, id, false, &err);

	if (result != ENTRY_OK) {
		buf_printf(&l->wrong, "queue/%s: %s: %s\n", id, how[result], err.text);
		return;
	}
	count_entry(l, &e);
	entry_close(&e);
}

static size_t
count_files(const char *path, const char *sub)
{
	struct buf name_of = { 0 };
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	buf_printf(&name_of, "%s/%s", path, sub);
	dir = opendir(name_of.data);
	buf_free(&name_of);
	if (dir == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* All names in the queue to f. */
static int
each(const char *path, void (*f)(void *arg, const struct spool *s, const char *id),
    void *arg)
{
	struct spool s;
	struct error err;
	struct buf queue = { 0 };
	struct dirent *d;
	DIR *dir;

	if (spool_open(&s, path, &err) < 0) {
		fprintf(stderr, "fault: %s\n", err.text);
		return -1;
	}
	buf_printf(&queue, "%s/queue", path);
	dir = opendir(queue.data);
	buf_free(&queue);
	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			f(arg, &s, d->d_name);
	if (dir != NULL)
		closedir(dir);
	spool_close(&s);
	return dir == NULL ? -1 : 0;
}

static void
each_look(void *arg, const struct spool *s, const char *id)
{
	look_at_file(arg, s, id);
}

void
look_spool(struct look *l, const char *path)
{
	if (each(path, each_look, l) < 0)
		buf_printf(&l->wrong, "%s: no spool\n", path);
	l->temporary += count_files(path, "tmp");
	l->aside += count_files(path, "failed") + count_files(path, "corrupt");
}

static void
each_age(void *arg, const struct spool *s, const char *id)
{
	time_t seconds = *(const time_t *)arg;
	struct entry e;
	struct error err;

	if (entry_open(&e, s, id, true, &err) != ENTRY_OK)
		return;
	for (size_t i = 0; i < e.n; i++)
		entry_mark(&e, i, e.rcpts[i].state, e.rcpts[i].when - seconds, &err);
	entry_close(&e);
}

int
look_age(const char *path, time_t seconds)
{
	return each(path, each_age, &seconds);
}

/* ---- what a server has stored */

static void
was_bounced(struct look_name *it)
{
	it->bounced++;
}

static void
read_whole(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	buf_clear(b);
	if (fd < 0)
		return;
	file_read(fd, b, FILE_MAX);
	close(fd);
}

static void
count_package(struct look *l, const char *path, const char *number)
{
	struct buf file = { 0 }, data = { 0 };
	bool any = false;

	buf_printf(&file, "%s/%s.accepted", path, number);
	read_whole(file.data, &data);
	for (const char *p = data.len > 0 ? data.data : ""; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		name(l, p, n)->accepted++;
		any = true;
		p += n + (p[n] == '\n');
	}
	buf_clear(&file);
	buf_printf(&file, "%s/%s.sender", path, number);
	read_whole(file.data, &data);
	if (any && data.len == 0) {
		buf_clear(&file);
		buf_printf(&file, "%s/%s.message", path, number);
		read_whole(file.data, &data);
		bounce_about(l, data.data, was_bounced);
	}
	buf_free(&file);
	buf_free(&data);
}

void
look_store(struct look *l, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		char *dot = strrchr(d->d_name, '.');

		if (dot != NULL && strcmp(dot, ".accepted") == 0) {
			*dot = '\0';
			count_package(l, path, d->d_name);
		}
	}
	if (dir != NULL)
		closedir(dir);
}

void
look_tell(const struct look *l, struct buf *out)
{
	if (l->text.len > 0)
		buf_add(out, l->text.data, l->text.len);
	for (size_t i = 0; i < l->n; i++) {
		const struct look_name *it = &l->names[i];

		buf_printf(out,
		    "<%s> accepted %u waiting %u settled %u refused %u"
		    " bounced %u bouncing %u\n",
		    it->addr, it->accepted, it->waiting, it->settled, it->refused,
		    it->bounced, it->bouncing);
	}
	if (l->wrong.len > 0)
		buf_add(out, l->wrong.data, l->wrong.len);
}
