/*
 * mail/recipients.h: who a message goes to: operands, header fields, aliases.
 *
 * Every address ends in the envelope in plain form with a domain: a name of this host
 * is looked up in the alias file first (mail/alias.h); what has no domain then gets
 * default-domain. The alias file is read at the first name of this host, and not at all
 * without one.
 */
#ifndef MAIL_RECIPIENTS_H
#define MAIL_RECIPIENTS_H

#include "mail/alias.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/identity.h"
#include "util/error.h"

struct recipients {
	struct identity *identity;
	const char *aliases; /* path; NULL or "": no alias expansion */
	size_t max;          /* recipients in the envelope */
	alias_problem_fn
	    *problem; /* hears what is wrong with the alias file; may be NULL */
	void *arg;
	struct alias_table *table; /* NULL until needed */
};

/*
 * Add the addresses of an operand, itself an address list ("a,b"). Returns 0, or -1
 * with err: EX_DATAERR (no address, too many), EX_CONFIG (the alias file is there and
 * cannot be read).
 */
int recipients_operand(
    struct recipients *r, const char *operand, struct envelope *e, struct error *err);

/*
 * Add those of Resent-To, Resent-Cc and Resent-Bcc if any of these is there, else those of
 * To, Cc and Bcc. Fields in which every address has a domain are marked as whole, so that
 * nobody need read them again. Returns as above; the error names the field.
 */
int recipients_header(
    struct recipients *r, struct header *h, struct envelope *e, struct error *err);

void recipients_free(struct recipients *r);

#endif
