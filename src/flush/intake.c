#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "flush/flusher.h"
#include "spool/scan.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"
#include "util/xalloc.h"

#define LOOK_EVERY 60000    /* milliseconds between two looks at the whole queue, */
#define LOOK_UNWATCHED 5000 /* where inotify does not tell what happens */
#define STALE_EVERY 3600000 /* between two at tmp/ */
#define LOOK_MOST 1000      /* entries looked at in a row */
#define TAKE_MOST 64        /* entries opened before the servers have their turn again */
#define RCPTS_MOST 20000    /* in memory, but for one entry more */
#define SKEW_MOST 30000     /* by which the clock may be set back without a word */

static struct job *
find(const struct jobs *list, const char *id)
{
	struct job *j = list->first;

	while (j != NULL && strcmp(j->entry.id, id) != 0)
		j = j->next;
	return j;
}

/* The job that has an entry; NULL: none. What is held after a probe is not TAKEN. */
static struct job *
job_of(const struct flusher *f, const char *id)
{
	struct job *j = find(&f->held, id);

	if (j != NULL || schedule_state(f->schedule, id) != 'T')
		return j;
	j = find(&f->running, id);
	return j != NULL ? j : find(&f->finished, id);
}

/* What is no queue file, or cannot be read, and said so. */
static void
set_aside(struct flusher *f, const char *id, enum entry_result why, struct error *err)
{
	time_t later = time(NULL) + SCHEDULE_SOONEST;

	if (why == ENTRY_GONE) {
		schedule_forget(f->schedule, id);
		return;
	}
	log_line(LOG_ERR, "%s", err->text);
	if (why == ENTRY_SKIPPED) {
		schedule_ignore(f->schedule, id);
	} else if (why == ENTRY_FAILED) {
		schedule_put(f->schedule, id, later);
	} else if (removal_move(&f->removal, id, "corrupt", err) == 0) {
		log_line(LOG_ERR, "%s: moved to corrupt", id);
		schedule_forget(f->schedule, id);
	} else {
		log_line(LOG_ERR, "%s", err->text);
		schedule_put(f->schedule, id, later);
	}
}

struct joining {
	time_t now;
	bool asked;
};

static bool
joins(void *arg, const struct entry *e, size_t i)
{
	const struct joining *joining = arg;

	return joining->asked || schedule_joins(e, i, joining->now);
}

/* The place of a wish for an entry; NULL: there is none. */
static char *
wish_for(struct flusher *f, const char *id)
{
	size_t n = f->nasked < FLUSHER_ASKED ? f->nasked : FLUSHER_ASKED;

	for (size_t i = 0; i < n; i++)
		if (strcmp(f->asked[i], id) == 0)
			return f->asked[i];
	return NULL;
}

/* The message, when all of it came along. */
static char *
whole_message(const struct entry *e, const char *first, size_t n)
{
	char *message;

	if (n != e->length)
		return NULL;
	message = xmalloc(n + 1);
	memcpy(message, first, n);
	return message;
}

/* p: who gets it; NULL: it is only looked at. */
static void
begin(struct flusher *f, const char *id, struct pool *p)
{
	char *wish = wish_for(f, id);
	struct entry e;
	struct error err;
	struct joining joining = { .now = time(NULL) };
	char first[ENTRY_PEEK];
	size_t n;
	enum entry_result result =
	    entry_peek(&e, &f->setup->spool, id, true, first, sizeof(first), &n, &err);
	time_t when;
	struct job *j;

	f->due = false;
	if (result != ENTRY_OK) {
		set_aside(f, id, result, &err);
		return;
	}
	joining.asked = wish != NULL || schedule_touched(&e);
	when = joining.asked ? joining.now : schedule_when(&e, joining.now);
	if (when > joining.now) {
		schedule_put(f->schedule, id, when);
		entry_close(&e);
		return;
	}
	if (p == NULL && entry_count(&e, 'K') + entry_count(&e, 'D') < e.n) {
		schedule_put(f->schedule, id, when);
		entry_close(&e);
		f->due = true;
		return;
	}
	if (wish != NULL)
		*wish = '\0';
	f->rcpts += e.n;
	j = job_new(&e, whole_message(&e, first, n), f->fleet, joins, &joining);
	jobs_add(&f->running, j);
	job_begin(j, p);
	if (j->over) {
		jobs_remove(&f->running, j);
		jobs_add(&f->finished, j);
	}
}

static bool
may_be_due(const struct flusher *f)
{
	time_t next = schedule_next(f->schedule);

	return next != SCHEDULE_NEVER && next <= time(NULL);
}

static bool
is_full(const struct flusher *f)
{
	return f->rcpts >= RCPTS_MOST ||
	    f->running.n + f->finished.n + f->held.n >= f->most;
}

/* The server that has room for one more; NULL: nobody, or too much is open. */
static struct pool *
with_room(const struct flusher *f)
{
	struct pool *p;

	if (f->stopping || is_full(f))
		return NULL;
	p = fleet_first(f->fleet, clock_ms());
	return p != NULL && pool_has_room(p) ? p : NULL;
}

bool
intake_is_due(const struct flusher *f)
{
	return may_be_due(f) && (f->due || with_room(f) != NULL);
}

bool
intake_has_work(const struct flusher *f)
{
	if (f->stopping || !may_be_due(f) || is_full(f))
		return false;
	return !f->due || with_room(f) != NULL;
}

void
intake_check(struct flusher *f)
{
	char id[SPOOL_ID];

	for (int i = 0; i < LOOK_MOST && !f->due && with_room(f) == NULL; i++) {
		if (is_full(f) || !schedule_take(f->schedule, time(NULL), id))
			return;
		begin(f, id, NULL);
	}
}

void
intake_take(struct flusher *f)
{
	char id[SPOOL_ID];
	struct pool *p;

	for (int i = 0; i < TAKE_MOST && (p = with_room(f)) != NULL; i++) {
		if (!schedule_take(f->schedule, time(NULL), id))
			return;
		begin(f, id, p);
	}
}

/* It is opened before anything is believed. */
static void
now_due(struct flusher *f, const char *id)
{
	struct job *j = job_of(f, id);

	if (j != NULL)
		j->again = true;
	else
		schedule_put(f->schedule, id, time(NULL));
}

static void
asked_for(struct flusher *f, const char *id)
{
	char *wish = wish_for(f, id);

	if (wish == NULL)
		wish = f->asked[f->nasked++ % FLUSHER_ASKED];
	snprintf(wish, SPOOL_ID, "%s", id);
	now_due(f, id);
}

static void
gone(struct flusher *f, const char *id)
{
	struct job *j = job_of(f, id);

	if (j != NULL)
		j->gone = true;
	else
		schedule_forget(f->schedule, id);
}

static void
event(void *arg, enum watch_event what, const char *name)
{
	struct flusher *f = arg;

	if (!spool_is_id(name))
		return; /* the next look at all of it will find it */
	if (what == WATCH_ARRIVED)
		now_due(f, name);
	else if (what == WATCH_TOUCHED)
		asked_for(f, name);
	else
		gone(f, name);
}

/* What was ignored is looked at again when it has become a plain file. */
static bool
is_plain(const struct flusher *f, const char *id)
{
	struct stat sb;

	return fstatat(f->setup->spool.queue, id, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(sb.st_mode) && sb.st_nlink == 1 &&
	    strtoull(strchr(id, '.') + 1, NULL, 16) == sb.st_ino;
}

static void
found(void *arg, const char *name)
{
	struct flusher *f = arg;
	char state;

	if (!spool_is_id(name)) {
		if (f->counted++ == 0 && f->strangers == 0) {
			char *clean = text_cleaned(name, strlen(name), TEXT_LOG_MAX);

			log_line(LOG_WARNING,
			    "queue/%s: a file whose name is no id: left alone", clean);
			free(clean);
		}
		return;
	}
	schedule_seen(f->schedule, name);
	state = schedule_state(f->schedule, name);
	if ((state == 0 && job_of(f, name) == NULL) || (state == 'W' && f->anew) ||
	    (state == 'I' && is_plain(f, name)))
		schedule_put(f->schedule, name, time(NULL));
}

static void
look(struct flusher *f, int64_t now)
{
	struct error err;

	schedule_sweep_begin(f->schedule);
	f->counted = 0;
	if (scan_queue(&f->setup->spool, found, f, &err) == 0) {
		schedule_sweep_end(f->schedule);
		f->strangers = f->counted;
		f->anew = false;
	} else {
		log_line(LOG_ERR, "%s", err.text);
	}
	f->look_at = now + (f->watch.fd >= 0 ? LOOK_EVERY : LOOK_UNWATCHED);
	if (now >= f->stale_at) {
		scan_stale(&f->setup->spool, time(NULL));
		f->stale_at = now + STALE_EVERY;
	}
}

/* The schedule is in the time of a clock that may be set back. */
static void
compare_clocks(struct flusher *f, int64_t now)
{
	int64_t skew = (int64_t)time(NULL) * 1000 - now;

	if (skew < f->skew - SKEW_MOST) {
		log_line(LOG_WARNING, "the clock was set back by %lld s",
		    (long long)(f->skew - skew) / 1000);
		f->anew = true;
		f->look_at = now;
	}
	f->skew = skew;
}

void
intake_begin(struct flusher *f)
{
	struct error err;
	int64_t now = clock_ms();

	/* A single run looks again before it ends; a watch costs as much as a tenth of it. */
	if (!f->setup->once && watch_open(&f->watch, f->setup->queue_path, &err) < 0)
		log_line(LOG_WARNING, "%s; looking at it every %d s instead", err.text,
		    LOOK_UNWATCHED / 1000);
	f->skew = (int64_t)time(NULL) * 1000 - now;
	f->stale_at = now;
	f->anew_at = now + LOOK_EVERY;
	look(f, now);
}

void
intake_listen(struct flusher *f, int64_t now)
{
	compare_clocks(f, now);
	if (watch_read(&f->watch, event, f) < 0) {
		f->anew = true; /* wishes may be among what was lost */
		f->look_at = now;
	}
	if (f->watch.fd < 0 && now >= f->anew_at) {
		f->anew = true;
		f->anew_at = now + LOOK_EVERY;
	}
	if (now >= f->look_at)
		look(f, now);
}
