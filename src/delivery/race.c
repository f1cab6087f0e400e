#include "delivery/race.h"

#include "delivery/dial.h"
#include "delivery/wait.h"
#include "util/clock.h"

/* Whether it could be begun. */
static bool
start(const struct race *race, struct runner *r)
{
	struct qmtp_options hooks = *race->hooks;
	struct qmtp_error error;

	if (r->shared == NULL)
		r->shared = qmtp_shared_new();
	hooks.shared = r->shared;
	hooks.arg = r;
	r->securing = 0;
	r->session = dial(r->server, &hooks, &error);
	if (r->session != NULL)
		return true;
	race->failed(r, &error);
	r->out = true;
	return false;
}

static void
stop(struct runner *r)
{
	qmtp_session_free(r->session);
	r->session = NULL;
}

/*
 * Step all that run. Those that failed are out, and *failed is set; the eldest that stands
 * is returned.
 */
static struct runner *
step_all(const struct race *race, bool *failed)
{
	struct runner *first = NULL;

	for (size_t i = 0; i < race->n; i++) {
		struct runner *r = &race->runners[i];
		enum qmtp_state state;

		if (r->session == NULL)
			continue;
		state = qmtp_session_step(r->session);
		if (state == QMTP_SECURING && r->securing == 0)
			r->securing = clock_ms();
		if (state == QMTP_OPEN && first == NULL)
			first = r;
		if (state == QMTP_CLOSED) {
			race->failed(r, qmtp_session_error(r->session));
			r->out = true;
			*failed = true;
			stop(r);
		}
	}
	return first;
}

/* Until when one that stands waits for those before it; 0: it does not. */
static int64_t
elders_wait(const struct race *race, const struct runner *stands)
{
	int64_t until = 0;

	for (const struct runner *r = race->runners; r < stands; r++)
		if (r->session != NULL &&
		    qmtp_session_state(r->session) == QMTP_SECURING &&
		    r->securing + DIAL_PATIENCE > until)
			until = r->securing + DIAL_PATIENCE;
	return until;
}

static struct runner *
next_to_start(const struct race *race)
{
	for (size_t i = 0; i < race->n; i++)
		if (!race->runners[i].out && race->runners[i].session == NULL)
			return &race->runners[i];
	return NULL;
}

static bool
anybody_runs(const struct race *race)
{
	for (size_t i = 0; i < race->n; i++)
		if (race->runners[i].session != NULL)
			return true;
	return false;
}

static void
sleep_until_news(const struct race *race, struct wait *w, int64_t until)
{
	wait_begin(w);
	wait_until(w, until);
	for (size_t i = 0; i < race->n; i++)
		if (race->runners[i].session != NULL)
			wait_session(w, race->runners[i].session);
	wait_sleep(w, race->deliver->sigmask);
}

static bool
stopped(const struct race *race)
{
	return race->deliver->stop != NULL && *race->deliver->stop;
}

/* What one look at the race has shown, and the next one goes by. */
struct look {
	struct runner *stands; /* the eldest that does; it may have to wait for elders */
	int64_t next_at;       /* when the next one is started, */
	bool failed;           /* or at once: one failed */
};

/* Start who is to be started, and see how all of them do. Whether the race goes on. */
static bool
look(const struct race *race, struct look *l)
{
	struct runner *next = l->stands == NULL ? next_to_start(race) : NULL;
	bool now = l->failed || !anybody_runs(race) || clock_ms() >= l->next_at;

	l->failed = false;
	if (next != NULL && now) {
		l->failed = !start(race, next);
		l->next_at = clock_ms() + race->deliver->connect_delay;
	}
	l->stands = step_all(race, &l->failed);
	if (l->stands != NULL)
		return elders_wait(race, l->stands) > clock_ms();
	return anybody_runs(race) || next_to_start(race) != NULL;
}

static int64_t
next_look(const struct race *race, const struct look *l)
{
	if (l->stands != NULL)
		return elders_wait(race, l->stands);
	return next_to_start(race) != NULL ? l->next_at : CLOCK_NEVER;
}

struct runner *
race_run(struct race *race, int64_t deadline)
{
	struct wait w = { 0 };
	struct look l = { 0 };
	struct runner *winner = NULL;

	while (clock_ms() < deadline && !stopped(race)) {
		if (!look(race, &l)) {
			winner = l.stands;
			break;
		}
		if (!l.failed)
			sleep_until_news(
			    race, &w, clock_earlier(deadline, next_look(race, &l)));
	}
	for (size_t i = 0; i < race->n; i++)
		if (&race->runners[i] != winner)
			stop(&race->runners[i]);
	wait_free(&w);
	return winner;
}
