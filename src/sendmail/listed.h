/*
 * sendmail/listed.h: what the queue holds, as qmtp-queue(8) tells it, entry by entry.
 */
#ifndef SENDMAIL_LISTED_H
#define SENDMAIL_LISTED_H

#include "sendmail/options.h"
#include "spool/listing.h"
#include "util/error.h"

/* The sender that is shown, and looked for, in the place of the null sender. */
#define LISTED_NULL_SENDER "MAILER-DAEMON"

/*
 * Call each for every entry that the caller may see and that the filters let through; it
 * is lent for the call. -1 with err from it ends the list. One entry is in memory at a
 * time. Returns 0 when the list was whole; or -1 with err: that of each, or
 * EX_UNAVAILABLE and the like when there was no list or it broke off; then what each was
 * told is true, and not all.
 */
int listed_each(const struct options *o,
    int (*each)(void *arg, const struct listing *l, struct error *err), void *arg,
    struct error *err);

/*
 * Filters of one field: one of them must fit; of several fields: all of them. Recipients
 * that are settled are not looked at. Addresses are compared without (ASCII) case.
 */
bool listed_fits(const struct options *o, const struct listing *l);

/* Whether a recipient still waits. */
bool listed_waits(const struct entry_rcpt *rcpt);

#endif
