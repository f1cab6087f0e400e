#include "flush/account.h"

#include <stdlib.h>
#include <string.h>

#include "flush/last.h"
#include "flush/tell.h"
#include "spool/schedule.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"
#include "util/xalloc.h"

#define LOG_ADDRESSES 20 /* in one line */

/* One call. */
struct accounting {
	const struct account *a;
	struct entry *e;
	const struct envelope *envelope;
	struct account_work *work;
	const char *otherwise; /* what is said of recipients on whom nothing else is */
	time_t now;
	int64_t begun;
	bool unsynced; /* marks that have to be synced */
	struct error *err;
};

/* ---- recipients ---- */

static bool
is_settled(const struct entry *e, size_t i)
{
	return e->rcpts[i].state == 'K' || e->rcpts[i].state == 'D';
}

static bool
is_refused(const struct accounting *c, size_t i)
{
	return !is_settled(c->e, i) && c->envelope->rcpts[i].state == RCPT_REFUSED;
}

static bool
is_open(const struct accounting *c, size_t i)
{
	enum rcpt_state state = c->envelope->rcpts[i].state;

	return !is_settled(c->e, i) && state != RCPT_SENT && state != RCPT_REFUSED;
}

/* Those of a kind, in an array for tell(); NULL if there are none. */
static bool *
pick(const struct accounting *c, bool (*of)(const struct accounting *c, size_t i))
{
	bool *about = xcalloc(c->e->n, sizeof(*about));
	size_t n = 0;

	for (size_t i = 0; i < c->e->n; i++)
		n += about[i] = of(c, i);
	if (n > 0)
		return about;
	free(about);
	return NULL;
}

/* ---- marks ---- */

/*
 * The time of a mark. A slow disk must not make our own mark look like somebody's wish for a
 * try (spool/schedule.h), nor may a try in the second of the arrival look like none.
 */
static time_t
mark_time(const struct accounting *c)
{
	time_t t = c->now + (time_t)((clock_ms() - c->begun) / 1000);

	return t != c->e->arrived ? t : t + 1;
}

/* What the try says of a recipient; 0: nothing new. */
static char
verdict(const struct accounting *c, size_t i)
{
	const struct rcpt *r = &c->envelope->rcpts[i];

	/* A mark that was not synced may be gone, whatever we read back. */
	if (is_settled(c->e, i))
		return c->work->unsynced ? c->e->rcpts[i].state : 0;
	if (r->state == RCPT_SENT)
		return 'K';
	if (r->state == RCPT_IN_DOUBT)
		return r->reply != NULL || c->e->rcpts[i].state != '?' ? '?' : 0;
	return r->state == RCPT_PENDING && r->reply != NULL ? 'P' : 0;
}

static int
mark_verdicts(struct accounting *c)
{
	for (size_t i = 0; i < c->e->n; i++) {
		char state = verdict(c, i);

		if (is_settled(c->e, i))
			c->unsynced = true; /* by the caller, perhaps */
		if (state == 0)
			continue;
		if (entry_mark(c->e, i, state, mark_time(c), c->err) < 0)
			return -1;
		c->unsynced = c->unsynced || state != 'P';
	}
	return 0;
}

static int
mark_refused(struct accounting *c, const bool *about)
{
	for (size_t i = 0; i < c->e->n; i++) {
		if (!about[i])
			continue;
		if (entry_mark(c->e, i, 'D', mark_time(c), c->err) < 0)
			return -1;
		c->unsynced = true;
	}
	return 0;
}

static int
sync_marks(struct accounting *c)
{
	if (!c->unsynced)
		return 0;
	if (entry_sync(c->e, c->err) < 0) {
		c->work->unsynced = true;
		return -1;
	}
	c->unsynced = false;
	c->work->unsynced = false;
	return 0;
}

static int
mark_message(struct accounting *c, char state, time_t when)
{
	return entry_mark(c->e, c->e->n, state, when, c->err);
}

/* ---- telling ---- */

static int
tell_once(struct accounting *c, enum dsn_kind kind, const bool *about, struct error *err)
{
	struct last last;
	struct news news = {
		.kind = kind,
		.entry = c->e,
		.about = about,
		.last = &last,
		.now = mark_time(c),
	};
	int r;

	if (c->work->told[kind])
		return 0;
	last_read(&last, c->e, c->envelope, c->otherwise);
	r = tell(c->a, &news, err);
	c->work->told[kind] = r == 0;
	last_free(&last);
	return r;
}

static int
settle_refused(struct accounting *c)
{
	bool *about = pick(c, is_refused);
	int r = 0;

	if (about == NULL)
		return 0;
	if (tell_once(c, DSN_FAILED, about, c->err) < 0 || mark_refused(c, about) < 0 ||
	    sync_marks(c) < 0)
		r = -1;
	free(about);
	return r;
}

static void
log_expired(const struct accounting *c, const bool *about)
{
	struct buf to = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < c->e->n; i++) {
		const char *addr = c->e->rcpts[i].addr;

		if (!about[i] || ++n > LOG_ADDRESSES)
			continue;
		buf_str(&to, n > 1 ? ",<" : "<");
		text_clean(&to, addr, strlen(addr), TEXT_LOG_MAX);
		buf_byte(&to, '>');
	}
	log_line(LOG_NOTICE, "%s: to=%s%s status=expired", c->e->id, to.data,
	    n > LOG_ADDRESSES ? ",..." : "");
	buf_free(&to);
}

static int
expire(struct accounting *c, const bool *about)
{
	bool told = c->work->told[DSN_EXPIRED];

	if (tell_once(c, DSN_EXPIRED, about, c->err) < 0)
		return -1;
	if (!told)
		log_expired(c, about);
	return mark_refused(c, about) < 0 ? -1 : sync_marks(c);
}

static int
warn(struct accounting *c, const bool *about)
{
	struct error err;

	if (*c->e->sender == '\0')
		return 0;
	if (tell_once(c, DSN_DELAYED, about, &err) < 0) {
		log_line(LOG_WARNING, "%s: its sender is not told that it is late: %s",
		    c->e->id, err.text);
		return 0;
	}
	if (mark_message(c, 'W', mark_time(c)) < 0)
		return -1;
	c->unsynced = true;
	return sync_marks(c);
}

/* The try has failed for some: is it the last, or is the sender to be warned? */
static int
judge_age(struct accounting *c)
{
	time_t tried = c->work->tried, age = tried - c->e->arrived;
	const struct conf *conf = c->a->conf;
	bool old = age > conf->queue_lifetime;
	bool *about = pick(c, is_open);
	int r = 0;

	if (about == NULL)
		return 0;
	if (c->e->state == 'E' && (!old || c->e->since > tried))
		r = mark_message(c, 'P', mark_time(c));
	if (r == 0 && old && c->e->state != 'E')
		r = mark_message(c, 'E', tried);
	else if (r == 0 && old && tried - c->e->since >= EXPIRY_SECOND_TRY)
		r = expire(c, about);
	else if (r == 0 && c->e->state == 'P' && conf->delay_warning > 0 &&
	    age > conf->delay_warning)
		r = warn(c, about);
	free(about);
	return r;
}

/* ---- the whole ---- */

static bool
is_over(const struct accounting *c)
{
	for (size_t i = 0; i < c->e->n; i++)
		if (!is_settled(c->e, i) && c->envelope->rcpts[i].state != RCPT_SENT)
			return false;
	return true;
}

static int
leave(const struct accounting *c, struct error *err)
{
	bool *untold = tell_untold(c->a, c->e), failed = false;
	int r;

	for (size_t i = 0; i < c->e->n; i++)
		failed = failed || (untold[i] && c->e->rcpts[i].state == 'D');
	free(untold);
	if (!failed)
		return removal_unlink(c->a->removal, c->e->id, err);
	r = removal_move(c->a->removal, c->e->id, "failed", err);
	if (r == 0)
		log_line(LOG_ERR, "%s: nobody can be told: kept in failed/", c->e->id);
	return r;
}

static int
account_for(struct accounting *c)
{
	struct error unlikely;

	if (is_over(c) && leave(c, &unlikely) == 0)
		return 0;
	if (mark_verdicts(c) < 0 || sync_marks(c) < 0 || settle_refused(c) < 0 ||
	    judge_age(c) < 0)
		return -1;
	return is_over(c) ? leave(c, c->err) : 0;
}

static enum account_result
conclude(struct accounting *c, time_t *next)
{
	if (!c->work->begun)
		*c->work = (struct account_work){ .begun = true, .tried = c->now };
	if (account_for(c) < 0)
		return ACCOUNT_HELD;
	if (is_over(c))
		return ACCOUNT_OVER;
	*next = schedule_when(c->e, c->now);
	return ACCOUNT_WAITS;
}

enum account_result
account_try(struct account *a, struct entry *e, const struct envelope *envelope,
    struct account_work *work, time_t now, time_t *next, struct error *err)
{
	struct accounting c = {
		.a = a,
		.e = e,
		.envelope = envelope,
		.work = work,
		.now = now,
		.begun = clock_ms(),
		.err = err,
	};
	enum account_result result = conclude(&c, next);
	struct last last;

	if (result == ACCOUNT_WAITS) {
		last_read(&last, e, envelope, NULL);
		last_write(&last, e, mark_time(&c));
		last_free(&last);
	}
	return result;
}

enum account_result
account_probe(struct account *a, struct entry *e, const char *why,
    struct account_work *work, time_t now, time_t *next, struct error *err)
{
	struct envelope envelope = {
		.sender = e->sender,
		.rcpts = xcalloc(e->n, sizeof(struct rcpt)),
		.n = e->n,
	};
	struct accounting c = {
		.a = a,
		.e = e,
		.envelope = &envelope,
		.work = work,
		.otherwise = why,
		.now = now,
		.begun = clock_ms(),
		.err = err,
	};
	enum account_result result;

	for (size_t i = 0; i < e->n; i++)
		envelope.rcpts[i].state = e->rcpts[i].state == 'K' ? RCPT_SENT
		    : e->rcpts[i].state == 'D'                     ? RCPT_REFUSED
		    : e->rcpts[i].state == '?'                     ? RCPT_IN_DOUBT
								   : RCPT_PENDING;
	result = conclude(&c, next);
	free(envelope.rcpts);
	return result;
}
