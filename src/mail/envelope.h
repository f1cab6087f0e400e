/*
 * mail/envelope.h: who a message is from, who it goes to, and how far each recipient has
 * got. {0} with a sender is an envelope without recipients.
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

enum rcpt_state {
	RCPT_PENDING,  /* no server has it, and none has refused it for good */
	RCPT_IN_DOUBT, /* a last byte was sent and no whole answer came: somebody may have
			  it */
	RCPT_SENT,     /* accepted (K). Final. */
	RCPT_REFUSED,  /* refused (D). Final. */
	RCPT_QUEUED    /* durable in the spool, which goes on with it. Final here. */
};

struct rcpt {
	char *addr; /* plain form, 1 to ADDRESS_MAX bytes, a string */
	enum rcpt_state state;
	char *reply; /* cleaned: the last word on it, "server: text"; NULL when there was
			none */
};

/* Of the hash table for duplicates. */
struct envelope_slot {
	uint32_t hash;
	uint32_t position; /* + 1; 0: empty */
};

struct envelope {
	char *sender; /* plain form; "" is the null sender */
	struct rcpt *rcpts;
	size_t n;
	size_t cap;
	struct envelope_slot *index; /* for duplicates */
	size_t slots;                /* of it */
};

/*
 * Add a recipient, RCPT_PENDING, unless it is there already: addresses are the same when
 * their domains are without case and the rest is byte for byte. envelope_add() copies the
 * string, envelope_give() takes it over, whatever comes of it. Returns 0, or -1 with err
 * (EX_DATAERR) when there would be more than max, which is below 2^31.
 */
int envelope_add(struct envelope *e, const char *addr, size_t max, struct error *err);
int envelope_give(struct envelope *e, char *addr, size_t max, struct error *err);

/*
 * Make room for so many more recipients, which will mostly be new ones: at most max in
 * all.
 */
void envelope_reserve(struct envelope *e, size_t more, size_t max);

/* How many recipients are in a state. */
size_t envelope_count(const struct envelope *e, enum rcpt_state state);

/* Whether two addresses are the same, as above. */
bool envelope_same_address(const char *a, const char *b);

/* Replace the reply of recipient i by a string that the envelope then owns. */
void envelope_reply(struct envelope *e, size_t i, char *reply);

void envelope_free(struct envelope *e);

#endif
