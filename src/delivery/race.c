#include "delivery/race.h"

#include "delivery/dial.h"
#include "delivery/wait.h"
#include "util/clock.h"

static void
start(const struct race *race, struct runner *r)
{
	struct qmtp_options hooks = *race->hooks;
	struct qmtp_error error;

	hooks.arg = r;
	r->session = dial(r->server, &hooks, &error);
	if (r->session == NULL)
		r->out = true; /* no memory: as if it could not be reached */
}

static void
stop(struct runner *r)
{
	qmtp_session_free(r->session);
	r->session = NULL;
}

/* Step all that run. Those that failed are out; the eldest that stands is returned. */
static struct runner *
step_all(const struct race *race, bool *failed)
{
	struct runner *first = NULL;

	*failed = false;
	for (size_t i = 0; i < race->n; i++) {
		struct runner *r = &race->runners[i];
		enum qmtp_state state;

		if (r->session == NULL)
			continue;
		state = qmtp_session_step(r->session);
		if (state == QMTP_OPEN && first == NULL)
			first = r;
		if (state == QMTP_CLOSED) {
			race->failed(r);
			r->out = true;
			*failed = true;
			stop(r);
		}
	}
	return first;
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
sleep_until_news(
    const struct race *race, struct wait *w, int64_t deadline, int64_t next_at)
{
	wait_begin(w);
	wait_until(w, deadline);
	if (next_to_start(race) != NULL)
		wait_until(w, next_at);
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

struct runner *
race_run(struct race *race, int64_t deadline)
{
	struct wait w = { 0 };
	struct runner *winner = NULL;
	int64_t next_at = 0;
	bool failed = false;

	while (clock_ms() < deadline && !stopped(race)) {
		struct runner *next = next_to_start(race);

		if (next != NULL &&
		    (failed || !anybody_runs(race) || clock_ms() >= next_at)) {
			start(race, next);
			next_at = clock_ms() + race->deliver->connect_delay;
		}
		winner = step_all(race, &failed);
		if (winner != NULL ||
		    (!anybody_runs(race) && next_to_start(race) == NULL))
			break;
		if (!failed)
			sleep_until_news(race, &w, deadline, next_at);
	}
	for (size_t i = 0; i < race->n; i++)
		if (&race->runners[i] != winner)
			stop(&race->runners[i]);
	wait_free(&w);
	return winner;
}
