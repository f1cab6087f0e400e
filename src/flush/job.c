#include "flush/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delivery/outcome.h"
#include "delivery/pack.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

static enum rcpt_state
state_of(char slot, bool joins)
{
	switch (slot) {
	case 'K':
		return RCPT_SENT;
	case 'D':
		return RCPT_REFUSED;
	default:
		return joins ? RCPT_PENDING : RCPT_IN_DOUBT;
	}
}

struct job *
job_new(struct entry *e, char *message, struct fleet *f,
    bool (*joins)(void *arg, const struct entry *e, size_t i), void *arg)
{
	struct job *j = xcalloc(1, sizeof(*j));
	struct envelope *to = &j->envelope;

	j->entry = *e;
	j->message = message;
	j->fleet = f;
	f->jobs++;
	j->begun = clock_ms() - (int64_t)(time(NULL) - e->arrived) * 1000;
	to->sender = e->sender;
	to->rcpts = xcalloc(e->n, sizeof(*to->rcpts));
	to->n = to->cap = e->n;
	for (size_t i = 0; i < e->n; i++) {
		char slot = e->rcpts[i].state;

		to->rcpts[i].addr = e->rcpts[i].addr;
		to->rcpts[i].state =
		    state_of(slot, slot == 'P' || (slot == '?' && joins(arg, e, i)));
	}
	return j;
}

void
job_free(struct job *j)
{
	for (size_t i = 0; i < j->envelope.n; i++)
		free(j->envelope.rcpts[i].reply);
	free(j->envelope.rcpts);
	free(j->message);
	entry_close(&j->entry);
	j->fleet->jobs--;
	free(j);
}

bool
job_has_work(const struct job *j)
{
	return envelope_count(&j->envelope, RCPT_PENDING) > 0;
}

bool
job_is_settled(const struct job *j)
{
	return envelope_count(&j->envelope, RCPT_SENT) +
	    envelope_count(&j->envelope, RCPT_REFUSED) ==
	    j->envelope.n;
}

static void
parcel_free(struct parcel *parcel)
{
	qmtp_package_free(parcel->package);
	free(parcel->positions);
	free(parcel);
}

/* What memory does not suffice for is not offered in this try. */
static void
submit(struct job *j, struct pool *p, const size_t *positions, size_t n)
{
	const struct message m = {
		.memory = { .data = j->message, .len = j->entry.length },
		.fd = j->message != NULL ? -1 : j->entry.fd,
		.offset = j->entry.message,
		.length = j->entry.length,
	};
	struct qmtp_package *package = pack_make(&m, &j->envelope, positions, n);
	struct parcel *parcel;

	if (package == NULL)
		return;
	parcel = xmalloc(sizeof(*parcel));
	*parcel = (struct parcel){ .job = j, .package = package, .n = n };
	parcel->positions = xreallocarray(NULL, n, sizeof(*positions));
	memcpy(parcel->positions, positions, n * sizeof(*positions));
	j->parcels++;
	pool_submit(p, parcel);
}

static void
submit_all(struct job *j, struct pool *p, const size_t *positions, size_t n)
{
	size_t most = p->singly ? 1 : (size_t)p->server->recipients_per_package;

	for (size_t at = 0; at < n; at += most)
		submit(j, p, positions + at, n - at < most ? n - at : most);
}

void
job_begin(struct job *j, struct pool *p)
{
	size_t *positions = xcalloc(j->envelope.n, sizeof(*positions)), n = 0;

	for (size_t i = 0; i < j->envelope.n; i++)
		if (j->envelope.rcpts[i].state == RCPT_PENDING)
			positions[n++] = i;
	if (n > 0) {
		j->tried |= (uint64_t)1 << (p - j->fleet->pools);
		submit_all(j, p, positions, n);
	}
	free(positions);
	j->over = j->parcels == 0;
}

/* The record of recipient i, if it has none yet. It counts when the entry was synced. */
static int
mark(struct job *j, size_t i, struct error *err)
{
	enum rcpt_state state = j->envelope.rcpts[i].state;
	char slot = j->entry.rcpts[i].state;
	char letter = state == RCPT_SENT ? 'K' : '?';

	if ((state != RCPT_SENT && state != RCPT_IN_DOUBT) || slot == letter)
		return 0;
	j->marked = true;
	return entry_mark(&j->entry, i, letter, time(NULL), err);
}

/*
 * Before anything else is begun on the entry all that is known is on disk. What cannot be
 * written ends the try: account_try() has it then. A refusal needs its bounce first, which
 * is made at the end of the try.
 */
static bool
record(struct job *j)
{
	struct error err;
	bool written = true;

	for (size_t i = 0; i < j->envelope.n && written; i++)
		written = mark(j, i, &err) == 0;
	if (written && j->marked)
		written = entry_sync(&j->entry, &err) == 0;
	if (!written)
		log_line(LOG_ERR, "%s: %s", j->entry.id, err.text);
	j->marked = j->marked && !written;
	return written;
}

/* On to the next server, unless nobody is left, or no server. */
static void
go_on(struct job *j)
{
	int64_t now = clock_ms();

	j->over = true;
	if (j->broken || j->gone || j->fleet->closed || !job_has_work(j))
		return;
	for (size_t i = 0; i < j->fleet->n; i++) {
		struct pool *p = &j->fleet->pools[i];

		if ((j->tried >> i & 1) != 0 || pool_is_down(p, now))
			continue;
		if (record(j))
			job_begin(j, p);
		return;
	}
}

static void
report(void *arg, const struct envelope *e, const struct deliver_report *r)
{
	const struct job *j = arg;
	struct buf line = { 0 };
	char who[SPOOL_ID + 1];

	snprintf(who, sizeof(who), "%s:", j->entry.id);
	outcome_line(&line, who, e, r);
	log_line(r->state == RCPT_SENT ? LOG_INFO : LOG_WARNING, "%s", line.data);
	buf_free(&line);
}

/* The package was on a connection. Returns how many are to be asked for one by one. */
static size_t
judge(struct pool *p, const struct parcel *parcel, const struct pool_end *end,
    size_t *singly)
{
	struct job *j = parcel->job;
	struct outcome o = {
		.server = p->server,
		.session = end->session,
		.envelope = &j->envelope,
		.most = parcel->n,
		.begun = j->begun,
		.report = report,
		.arg = j,
	};
	const struct outcome_offer offer = {
		.package = parcel->package,
		.positions = parcel->positions,
		.n = parcel->n,
		.end = end->cause,
		.policy = end->policy,
	};
	size_t n;

	outcome_begin(&o);
	n = outcome_package(&o, &offer, singly);
	outcome_end(&o);
	return n;
}

/* It cannot be sent at all: no server can be blamed, and the try counts. */
static void
note_unfit(struct pool *p, const struct parcel *parcel, const char *why)
{
	struct job *j = parcel->job;
	struct outcome o = {
		.server = p->server,
		.envelope = &j->envelope,
		.most = parcel->n,
		.begun = j->begun,
		.report = report,
		.arg = j,
	};
	struct buf text = { 0 };

	buf_str(&text, why);
	outcome_begin(&o);
	for (size_t i = 0; i < parcel->n; i++)
		outcome_enter(&o, parcel->positions[i], RCPT_PENDING, &text);
	outcome_end(&o);
	buf_free(&text);
}

static void
offered(struct pool *p, struct parcel *parcel, const struct pool_end *end)
{
	struct job *j = parcel->job;
	size_t *singly = xcalloc(parcel->n, sizeof(*singly));
	size_t n = judge(p, parcel, end, singly);

	if (end->cause == QMTP_SOURCE && !qmtp_package_committed(parcel->package))
		j->broken = true;
	else
		j->offered = true;
	if (verdict_answered_once(parcel->package, end->cause, &end->policy))
		j->tried &= ~((uint64_t)1 << (p - j->fleet->pools));
	if (n > 0 && !j->broken && !j->fleet->closed && record(j))
		for (size_t i = 0; i < n; i++)
			submit(j, p, &singly[i], 1);
	free(singly);
}

void
job_parcel_over(struct pool *p, struct parcel *parcel, const struct pool_end *end)
{
	struct job *j = parcel->job;
	struct error err;

	j->parcels--;
	if (end->session != NULL) {
		offered(p, parcel, end);
	} else if (end->cause == QMTP_INVALID) {
		note_unfit(p, parcel, end->why);
		j->offered = true;
	}
	/* One parcel of several: a kill must not undo it while the others take their time. */
	for (size_t i = 0; i < parcel->n && j->parcels > 0; i++)
		if (mark(j, parcel->positions[i], &err) < 0)
			break;
	parcel_free(parcel);
	if (j->parcels == 0)
		go_on(j);
}

bool
job_parcel_ready(struct pool *p, struct parcel *parcel)
{
	struct job *j = parcel->job;

	bool over = j->gone || j->broken;

	if (!over && (!p->singly || parcel->n == 1))
		return true;
	j->parcels--;
	if (!over)
		submit_all(j, p, parcel->positions, parcel->n);
	parcel_free(parcel);
	j->over = j->parcels == 0;
	return false;
}
