#include <time.h>

#include "flush/flusher.h"
#include "flush/notify.h"
#include "util/log.h"

#define HELD_EVERY 10000   /* milliseconds between two attempts to record what is known */
#define OLDER_EVERY 300000 /* between two looks at old entries while no server is there */

/* The message could not be read to its end. If the file says why, it is moved aside. */
static void
look_again(struct flusher *f, const char *id)
{
	struct entry e;
	struct error err;
	enum entry_result result = entry_open(&e, &f->setup->spool, id, false, &err);

	schedule_put(f->schedule, id, time(NULL) + SCHEDULE_SOONEST);
	if (result == ENTRY_OK)
		entry_close(&e);
	else if (result == ENTRY_DAMAGED)
		schedule_put(f->schedule, id, time(NULL)); /* opening it does the rest */
}

/* No server heard of it: nothing is written, and it stays due. */
static void
put_back(struct flusher *f, struct job *j)
{
	if (j->broken)
		look_again(f, j->entry.id);
	else if (!j->again && !j->gone && envelope_count(&j->envelope, RCPT_PENDING) == 0)
		schedule_put(f->schedule, j->entry.id, time(NULL) + SCHEDULE_SOONEST);
	else
		schedule_put(f->schedule, j->entry.id, time(NULL));
}

static enum account_result
account(struct flusher *f, struct job *j, time_t *next, struct error *err)
{
	struct buf why = { 0 };
	enum account_result result;

	if (!j->probed)
		return account_try(&f->account, &j->entry, &j->envelope, &j->work,
		    time(NULL), next, err);
	fleet_why(f->fleet, &why);
	result = account_probe(
	    &f->account, &j->entry, why.data, &j->work, time(NULL), next, err);
	buf_free(&why);
	*next = time(NULL); /* it stays due: it goes as soon as a server is back */
	return result;
}

/* Whether the job is done with; else it is held. */
static bool
account_for(struct flusher *f, struct job *j)
{
	time_t now = time(NULL), next = now;
	struct error err;

	switch (account(f, j, &next, &err)) {
	case ACCOUNT_OVER:
		schedule_forget(f->schedule, j->entry.id);
		break;
	case ACCOUNT_WAITS:
		schedule_put(f->schedule, j->entry.id, next);
		if (j->broken)
			look_again(f, j->entry.id);
		break;
	case ACCOUNT_HELD:
		if (!j->held)
			log_line(LOG_ERR, "%s: held: %s", j->entry.id, err.text);
		j->held = true;
		return false;
	}
	if (j->again || j->gone)
		schedule_put(f->schedule, j->entry.id, now);
	return true;
}

static void
settle(struct flusher *f, struct job *j)
{
	if (!j->offered && !j->probed && !job_is_settled(j))
		put_back(f, j);
	else if (!account_for(f, j)) {
		jobs_add(&f->held, j);
		return;
	}
	f->rcpts -= j->envelope.n;
	job_free(j);
}

void
results_settle(struct flusher *f, int64_t now)
{
	struct job *j;

	if (f->held.n > 0 && now >= f->held_at) {
		struct jobs again = f->held;

		f->held = (struct jobs){ 0 };
		f->held_at = now + HELD_EVERY;
		while ((j = again.first) != NULL) {
			jobs_remove(&again, j);
			settle(f, j);
		}
	}
	while ((j = f->finished.first) != NULL) {
		jobs_remove(&f->finished, j);
		settle(f, j);
		flusher_sync(f, false);
		if (f->held.n > 0 && f->held_at <= now)
			f->held_at = now + HELD_EVERY;
	}
}

static bool
nobody(void *arg, const struct entry *e, size_t i)
{
	(void)arg;
	(void)e;
	(void)i;
	return false;
}

static void
judge_by_probe(void *arg, const char *id)
{
	struct flusher *f = arg;
	struct entry e;
	struct error err;
	struct job *j;

	/* What is wrong with it will be said when its turn comes. */
	if (*f->setup->stop || f->held.n >= f->most ||
	    entry_open(&e, &f->setup->spool, id, true, &err) != ENTRY_OK)
		return;
	f->rcpts += e.n;
	j = job_new(&e, NULL, f->fleet, nobody, NULL);
	j->probed = true;
	schedule_forget(f->schedule, id); /* it comes back, unless it is held or over */
	settle(f, j);
	notify_alive();
}

void
results_of_probe(struct flusher *f, int64_t now)
{
	const struct conf *conf = &f->fleet->conf;
	int64_t age = conf->queue_lifetime;
	time_t wall = time(NULL);

	if (conf->delay_warning > 0 && conf->delay_warning < age)
		age = conf->delay_warning;
	f->older_at = now + OLDER_EVERY;
	schedule_each_older(f->schedule, wall, wall - (time_t)age, judge_by_probe, f);
}
