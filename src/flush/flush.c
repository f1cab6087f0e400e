#include "flush/flush.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>

#include "flush/flusher.h"
#include "flush/notify.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

#define STOP_GRACE 10000 /* milliseconds for answers that are owed */
#define JOBS_MOST 4096   /* entries open at a time, however large the windows are */
#define FILES_SPARE 128  /* descriptors for all but entries and connections */
#define LOG_TAG "qmtp-flush"

void
jobs_add(struct jobs *list, struct job *j)
{
	j->prev = list->last;
	j->next = NULL;
	if (list->last != NULL)
		list->last->next = j;
	else
		list->first = j;
	list->last = j;
	list->n++;
}

void
jobs_remove(struct jobs *list, struct job *j)
{
	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		list->first = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	else
		list->last = j->prev;
	list->n--;
}

void
flusher_stop(struct flusher *f, int code)
{
	if (code != EX_OK)
		f->code = code;
	if (f->stopping)
		return;
	f->stopping = true;
	f->stop_at = clock_ms() + STOP_GRACE;
	fleet_close(f->fleet);
	for (struct fleet *old = f->old; old != NULL; old = old->next)
		fleet_close(old);
	notify_stopping();
}

int
flusher_sync(struct flusher *f, bool now)
{
	struct error err;

	if (f->code != EX_OK)
		return -1;
	if ((!now && !removal_due(&f->removal)) || removal_sync(&f->removal, &err) == 0)
		return 0;
	log_line(LOG_CRIT, "%s: nothing more is sent", err.text);
	flusher_stop(f, err.code);
	return -1;
}

/* ---- hooks of the pools ---- */

static void
finish_if_over(struct flusher *f, struct job *j)
{
	if (!j->over)
		return;
	jobs_remove(&f->running, j);
	jobs_add(&f->finished, j);
}

static void
over(void *arg, struct pool *p, struct parcel *parcel, const struct pool_end *end)
{
	struct job *j = parcel->job;

	job_parcel_over(p, parcel, end);
	finish_if_over(arg, j);
}

static bool
ready(void *arg, struct pool *p, struct parcel *parcel)
{
	struct job *j = parcel->job;

	if (job_parcel_ready(p, parcel))
		return true;
	finish_if_over(arg, j);
	return false;
}

/* A power cut would bring back what was removed and not synced: first things first. */
static int
commit(void *arg)
{
	struct flusher *f = arg;

	if (*f->setup->stop)
		flusher_stop(f, EX_OK);
	return f->stopping ? -1 : flusher_sync(f, false);
}

/* ---- configurations ---- */

/* As many entries as keep all connections busy, and no more than may be open. */
static void
measure(struct flusher *f)
{
	size_t want = 2 * fleet_window(f->fleet), other = FILES_SPARE;
	struct rlimit files;

	f->most = want < JOBS_MOST ? want : JOBS_MOST;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	other += QMTP_POLL_MAX * fleet_connections(f->fleet);
	want = files.rlim_cur > 2 * other ? files.rlim_cur - other : files.rlim_cur / 2;
	if (f->most > want)
		f->most = want;
}

/* Takes conf over. The identity for bounces is as it says. */
static int
employ(struct flusher *f, struct conf *conf, struct error *err)
{
	struct identity identity;

	if (identity_init(&identity, conf->hostname, conf->default_domain, NULL, err) <
	    0) {
		conf_free(conf);
		return -1;
	}
	identity_free(&f->identity);
	f->identity = identity;
	if (f->fleet != NULL) {
		f->fleet->next = f->old;
		f->old = f->fleet;
	}
	f->fleet = fleet_new(conf, &f->hooks);
	f->account.conf = &f->fleet->conf;
	log_open(LOG_TAG, f->fleet->conf.syslog_facility);
	measure(f);
	return 0;
}

static void
reload(struct flusher *f)
{
	struct conf conf;
	struct error err;

	notify_reloading();
	if (conf_load(&conf, f->setup->conf_path, &err) < 0 || employ(f, &conf, &err) < 0)
		log_line(LOG_ERR, "%s: the configuration stays as it was", err.text);
	else
		log_line(LOG_INFO, "%s: read again", f->setup->conf_path);
	notify_ready();
}

/* What an earlier configuration began is finished with it. */
static void
step_old(struct flusher *f, int64_t now)
{
	struct fleet **at = &f->old;

	while (*at != NULL) {
		struct fleet *fleet = *at;

		fleet_step(fleet, now);
		if (fleet->jobs > 0) {
			at = &fleet->next;
			continue;
		}
		*at = fleet->next;
		fleet_free(fleet);
	}
}

/* ---- the loop ---- */

static bool
is_owed(const struct flusher *f)
{
	if (fleet_is_owed(f->fleet))
		return true;
	for (const struct fleet *old = f->old; old != NULL; old = old->next)
		if (fleet_is_owed(old))
			return true;
	return false;
}

static bool
is_down(const struct flusher *f, int64_t now)
{
	return !f->stopping && fleet_is_down(f->fleet, now) && intake_is_due(f);
}

/* Whether this was the last round. */
static bool
is_over(const struct flusher *f, int64_t now)
{
	if (f->stopping)
		return !is_owed(f) || now >= f->stop_at;
	if (!f->setup->once || f->running.n > 0 || f->finished.n > 0 ||
	    intake_has_work(f))
		return false;
	return !intake_is_due(f) || fleet_is_down(f->fleet, now);
}

static void
wait_for_news(struct flusher *f, struct wait *w, int64_t now)
{
	time_t next = schedule_next(f->schedule), wall = time(NULL);
	bool due = intake_is_due(f);

	wait_begin(w);
	wait_until(w, notify_deadline());
	wait_until(w, f->look_at);
	if (f->code == EX_OK)
		wait_until(w, removal_deadline(&f->removal));
	if (f->stopping)
		wait_until(w, f->stop_at);
	else if (due)
		wait_until(w, fleet_race_again(f->fleet, now));
	else if (next > wall && next - wall < 60)
		wait_until(w, now + (int64_t)(next - wall) * 1000);
	if (is_down(f, now))
		wait_until(w, f->older_at);
	if (f->held.n > 0)
		wait_until(w, f->held_at);
	if (f->watch.fd >= 0)
		wait_readable(w, f->watch.fd);
	fleet_wait(f->fleet, w);
	for (const struct fleet *old = f->old; old != NULL; old = old->next)
		fleet_wait(old, w);
	wait_sleep(w, f->setup->sigmask);
}

/* All that can be done without waiting, once. Whether there is more. */
static bool
work(struct flusher *f)
{
	int64_t now = clock_ms();

	if (*f->setup->stop)
		flusher_stop(f, EX_OK);
	if (*f->setup->reload && !f->stopping) {
		*f->setup->reload = 0;
		reload(f);
	}
	if (!f->stopping) {
		intake_listen(f, now);
		intake_check(f);
		if (intake_is_due(f))
			fleet_race(f->fleet, now);
		intake_take(f);
	}
	fleet_step(f->fleet, now);
	step_old(f, now);
	results_settle(f, now);
	flusher_sync(f, false);
	if (is_down(f, now) && now >= f->older_at)
		results_of_probe(f, now);
	if (f->setup->once && !f->stopping && f->running.n == 0 && !intake_is_due(f)) {
		if (f->watch.fd < 0) /* a bounce may have come in */
			f->look_at = now;
		intake_listen(f, now);
	}
	notify_alive();
	return intake_has_work(f);
}

static void
loop(struct flusher *f)
{
	struct wait w = { 0 };
	bool more;

	do {
		more = work(f);
		if (is_over(f, clock_ms()))
			break;
		notify_status("%zu in the queue, %zu on their way",
		    schedule_count(f->schedule), f->running.n);
		if (!more)
			wait_for_news(f, &w, clock_ms());
	} while (true);
	wait_free(&w);
}

/* What is on its way comes back, and what is known of it is recorded. */
static void
end(struct flusher *f)
{
	struct job *j;

	flusher_stop(f, EX_OK);
	fleet_recall(f->fleet);
	for (struct fleet *fleet = f->old; fleet != NULL; fleet = fleet->next)
		fleet_recall(fleet);
	f->held_at = 0;
	results_settle(f, clock_ms());
	flusher_sync(f, true);
	while ((j = f->held.first) != NULL) {
		jobs_remove(&f->held, j);
		log_line(LOG_ERR, "%s: what is known of it could not be recorded",
		    j->entry.id);
		job_free(j);
	}
	while (f->old != NULL) {
		struct fleet *next = f->old->next;

		fleet_free(f->old);
		f->old = next;
	}
	fleet_free(f->fleet);
}

int
flush_run(const struct flush_setup *setup, struct conf *conf)
{
	struct flusher f = {
		.setup = setup,
		.schedule = schedule_new(),
		.watch = { .fd = -1 },
		.hooks = { .over = over, .ready = ready, .commit = commit },
		.code = EX_OK,
	};
	struct error err;

	f.hooks.arg = &f;
	f.removal.spool = &setup->spool;
	f.account.spool = &setup->spool;
	f.account.removal = &f.removal;
	f.account.identity = &f.identity;
	if (employ(&f, conf, &err) < 0) {
		log_line(LOG_ERR, "%s", err.text);
		schedule_free(f.schedule);
		return err.code;
	}
	intake_begin(&f);
	notify_ready();
	loop(&f);
	end(&f);
	watch_close(&f.watch);
	schedule_free(f.schedule);
	identity_free(&f.identity);
	return f.code;
}
