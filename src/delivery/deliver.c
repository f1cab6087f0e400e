#include "delivery/deliver.h"

#include <stdlib.h>

#include "delivery/dial.h"
#include "delivery/offer.h"
#include "delivery/race.h"
#include "util/clock.h"
#include "util/xalloc.h"

static bool
stopped(const struct deliver *d)
{
	return d->stop != NULL && *d->stop;
}

/* Runners that were put off have their turn when no other is left. */
static bool
bring_back(struct runner *runners, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		any |= runners[i].again;
		if (runners[i].again)
			runners[i].out = runners[i].again = false;
	}
	return any;
}

static void
enter(struct runner *r, const struct server *server, struct delivery *v)
{
	const char *forbidden = dial_forbidden(server);

	*r = (struct runner){ .server = server, .owner = v };
	if (forbidden != NULL) {
		r->out = true;
		offer_declined(r, forbidden);
	}
}

/* One server after the other, until nothing is pending or no server is left. */
static int
serve(const struct deliver *d, struct delivery *v, struct error *err)
{
	const struct qmtp_options hooks = {
		.commit = offer_commit,
		.trace = d->trace != NULL ? offer_trace : NULL,
	};
	struct runner *runners = xcalloc(d->nservers, sizeof(*runners));
	struct race race = { d, runners, d->nservers, &hooks, offer_failed };

	for (size_t i = 0; i < d->nservers; i++)
		enter(&runners[i], &d->servers[i], v);
	while (envelope_count(v->envelope, RCPT_PENDING) > 0 && !v->failed &&
	    !stopped(d) && clock_ms() < v->until) {
		struct runner *winner = race_run(&race, v->until);

		if (winner != NULL)
			offer_make(v, winner);
		else if (!bring_back(runners, d->nservers))
			break;
	}
	for (size_t i = 0; i < d->nservers; i++)
		qmtp_shared_free(runners[i].shared);
	free(runners);
	if (!v->failed)
		return 0;
	*err = v->error;
	return -1;
}

/* What is left goes to the spool, if there is one. */
static int
keep(const struct deliver *d, const struct message *m, struct envelope *e,
    struct error *err)
{
	if (d->keep == NULL ||
	    envelope_count(e, RCPT_PENDING) + envelope_count(e, RCPT_IN_DOUBT) == 0)
		return 0;
	return d->keep(d->arg, m, e, err);
}

int
deliver(const struct deliver *d, const struct message *m, struct envelope *e,
    struct error *err)
{
	struct delivery v = {
		.deliver = d,
		.message = m,
		.envelope = e,
		.begun = clock_ms(),
		.until = CLOCK_NEVER,
	};

	if (d->keep_first && keep(d, m, e, err) < 0)
		return -1;
	if (envelope_count(e, RCPT_PENDING) > 0 && serve(d, &v, err) < 0)
		return -1;
	return d->keep_first ? 0 : keep(d, m, e, err);
}
