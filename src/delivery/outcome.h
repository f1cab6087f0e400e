/*
 * delivery/outcome.h: an offer is over. What that means for its recipients (verdict.h) is
 * entered in the envelope, with the words behind it, and told: recipients that follow one
 * another with the same verdict and the same words in one report.
 *
 *	outcome_begin(&o);
 *	outcome_package(&o, ...);	for each package of the offer
 *	outcome_end(&o);
 */
#ifndef DELIVERY_OUTCOME_H
#define DELIVERY_OUTCOME_H

#include "delivery/deliver.h"
#include "delivery/verdict.h"
#include "util/buf.h"

#define OUTCOME_NAMES 20 /* addresses in one line */

/* The first members are the caller's to fill in, with what is lent until the end. */
struct outcome {
	const struct server *server;
	const struct qmtp_session *session; /* NULL: the server was not spoken to */
	struct envelope *envelope;
	size_t most;   /* recipients that will be entered, at most */
	int64_t begun; /* clock_ms() time from which delays count */
	void (*report)(void *arg, const struct envelope *e,
	    const struct deliver_report *r); /* NULL: nobody is told */
	void *arg;

	/* its own: what was entered and not told yet */
	enum rcpt_state state;
	struct buf text;
	size_t *positions;
	size_t n;
};

void outcome_begin(struct outcome *o);

/* One package of a session, and where the envelope has its recipients. */
struct outcome_offer {
	const struct qmtp_package *package;
	const size_t *positions;
	size_t n;
	enum qmtp_cause end; /* why the connection was closed, as verdict_for() has it */
	struct verdict_policy policy;
};

/*
 * Enter the verdict on each recipient of a package. Those that the same server should have
 * again, one by one, are put into singly; returns how many they are.
 */
size_t outcome_package(
    struct outcome *o, const struct outcome_offer *offer, size_t *singly);

/* Enter a recipient's state and the words, clean, behind it. */
void outcome_enter(
    struct outcome *o, size_t position, enum rcpt_state state, const struct buf *text);

/* Words of the server that concern no recipient. */
void outcome_remark(struct outcome *o);

/* Tell the rest, free what is its own. */
void outcome_end(struct outcome *o);

/* Append why a session ended, with the bytes of the server that made it end, cleaned. */
void outcome_why(struct buf *out, const struct qmtp_session *s);

/* Append "<addr>", cleaned, behind a separator if out is not empty. */
void outcome_name(struct buf *out, const char *addr, const char *separator);

/*
 * Append the line for the log: "WHO to=<a>,<b> relay=NAME[ADDR]:PORT delay=S status=sent
 * (text)"; relay=queue where the spool has spoken.
 */
void outcome_line(struct buf *out, const char *who, const struct envelope *e,
    const struct deliver_report *r);

#endif
