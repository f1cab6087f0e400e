#include "queue/own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "spool/entry.h"
#include "spool/scan.h"
#include "spool/schedule.h"
#include "util/text.h"

bool
own_uid(uid_t uid)
{
	uid_t me = getuid();

	return me == 0 || me == uid;
}

static bool
is_own(const struct stat *sb, const char *id)
{
	return S_ISREG(sb->st_mode) && sb->st_nlink == 1 && own_uid(sb->st_uid) &&
	    strtoull(strchr(id, '.') + 1, NULL, 16) == sb->st_ino;
}

bool
own_entry(const struct spool *s, const char *id)
{
	struct stat sb;

	return spool_is_id(id) && fstatat(s->queue, id, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    is_own(&sb, id);
}

int
own_refuse(struct peer *p, int code, const char *text)
{
	struct buf line = { 0 };

	buf_printf(&line, "no %d ", code);
	text_clean(&line, text, strlen(text), TEXT_LOG_MAX);
	buf_byte(&line, '\n');
	if (peer_write(p, line.data, line.len) < 0)
		code = EX_IOERR;
	buf_free(&line);
	return code;
}

static int
not_there(struct peer *p)
{
	return own_refuse(p, EX_NOUSER, "no such entry");
}

/* What the system would not do; errno says why. */
static int
not_done(struct peer *p, const char *id, const char *doing)
{
	struct error err;
	int code = errno == EPERM || errno == EACCES ? EX_NOPERM : EX_IOERR;

	error_sys(&err, code, id, doing);
	return own_refuse(p, code, err.text);
}

static int
agree(struct peer *p)
{
	return peer_write(p, "ok\n", 3) < 0 ? EX_IOERR : EX_OK;
}

static int
agree_number(struct peer *p, uint64_t n)
{
	struct buf line = { 0 };
	int code = EX_OK;

	buf_printf(&line, "ok %" PRIu64 "\n", n);
	if (peer_write(p, line.data, line.len) < 0)
		code = EX_IOERR;
	buf_free(&line);
	return code;
}

static int
send_message(struct peer *p, const struct entry *e)
{
	static char data[PEER_BLOCK];
	uint64_t done = 0;

	if (agree_number(p, e->length) != EX_OK)
		return EX_IOERR;
	while (done < e->length) {
		uint64_t left = e->length - done;
		ssize_t n =
		    pread(e->fd, data, left < sizeof(data) ? (size_t)left : sizeof(data),
			(off_t)(e->message + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || peer_write(p, data, (size_t)n) < 0)
			return EX_IOERR;
		done += (uint64_t)n;
	}
	return EX_OK;
}

int
own_show(const struct spool *s, struct peer *p, const char *id)
{
	struct entry e;
	struct error err;
	int code;

	if (!own_entry(s, id))
		return not_there(p);
	switch (entry_open(&e, s, id, false, &err)) {
	case ENTRY_OK:
		break;
	case ENTRY_DAMAGED:
		return own_refuse(p, EX_DATAERR, err.text);
	case ENTRY_FAILED:
		return not_done(p, id, "opening a queue file");
	default:
		return not_there(p);
	}
	code = own_uid(e.owner) ? send_message(p, &e) : not_there(p);
	entry_close(&e);
	return code;
}

int
own_remove(const struct spool *s, struct peer *p, const char *id)
{
	if (!own_entry(s, id))
		return not_there(p);
	if (unlinkat(s->queue, id, 0) < 0)
		return errno == ENOENT ? not_there(p)
				       : not_done(p, id, "removing a queue file");
	if (fsync(s->queue) < 0)
		return not_done(p, id, "syncing the queue");
	return agree(p);
}

enum touched { TOUCHED, NOT_THERE, NOT_DONE };

/*
 * By a descriptor: what is looked at is what is touched, into the future (SCHEDULE_TOUCH).
 * Both times: of one alone inotify(7) tells no IN_ATTRIB, and the flusher would not wake.
 */
static enum touched
touch(const struct spool *s, const char *id)
{
	const struct timespec then = { .tv_sec = time(NULL) + SCHEDULE_TOUCH };
	const struct timespec times[2] = { then, then };
	enum touched result = NOT_DONE;
	struct stat sb;
	int fd, e;

	if (!own_entry(s, id))
		return NOT_THERE;
	fd = openat(
	    s->queue, id, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? NOT_THERE : NOT_DONE;
	if (fstat(fd, &sb) == 0) {
		if (!is_own(&sb, id))
			result = NOT_THERE;
		else if (futimens(fd, times) == 0)
			result = TOUCHED;
	}
	e = errno;
	close(fd);
	errno = e;
	return result;
}

struct touching {
	const struct spool *spool;
	uint64_t n;
	int failed; /* the errno of the first that would not be touched */
};

static void
touch_one(void *arg, const char *name)
{
	struct touching *t = arg;

	switch (touch(t->spool, name)) {
	case TOUCHED:
		t->n++;
		break;
	case NOT_DONE:
		if (t->failed == 0)
			t->failed = errno;
		break;
	case NOT_THERE:
		break;
	}
}

static int
retry_all(const struct spool *s, struct peer *p)
{
	struct touching t = { .spool = s };
	struct error err;

	if (scan_queue(s, touch_one, &t, &err) < 0)
		return own_refuse(p, err.code, err.text);
	errno = t.failed;
	return t.failed != 0 ? not_done(p, "queue", "touching its files")
			     : agree_number(p, t.n);
}

int
own_retry(const struct spool *s, struct peer *p, const char *id)
{
	if (strcmp(id, "all") == 0)
		return retry_all(s, p);
	switch (touch(s, id)) {
	case TOUCHED:
		return agree(p);
	case NOT_THERE:
		return not_there(p);
	default:
		return not_done(p, id, "touching a queue file");
	}
}
