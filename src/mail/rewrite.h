/*
 * mail/rewrite.h: from the header block that came to the one that goes.
 *
 * Out: Bcc, Resent-Bcc, Return-Path, Content-Length. In, at the top: Received, and what
 * is missing of Resent-Date, Resent-From and Resent-Message-ID (resent mail: RFC 5322
 * §3.6.6), Date, From and Message-ID, in this order. In place: addresses without a domain get the default domain,
 * and From gets the sender's address when asked to. Every other byte stays as it was, in
 * its order (signed mail must survive).
 */
#ifndef MAIL_REWRITE_H
#define MAIL_REWRITE_H

#include <stdbool.h>
#include <time.h>

#include "mail/header.h"
#include "mail/identity.h"
#include "util/buf.h"

enum rewrite_from {
	REWRITE_FROM_NO, /* a From field stays; a missing one has the caller's address */
	REWRITE_FROM_MISSING, /* ... a missing one has the envelope sender's address */
	REWRITE_FROM_ALWAYS /* ... and the first address in From becomes it, names stay */
};

struct rewrite {
	struct identity *identity;
	const char *sender; /* envelope sender; with "" From is neither made from it nor
			       changed */
	enum rewrite_from from;
	bool gateway; /* -G: no missing fields; Received all the same */
	time_t now;
};

/*
 * Append the finished header block to out, its last empty line included. A field whose
 * addresses cannot be parsed stays as it is. Total: there is nothing to fail.
 */
void rewrite_finish(const struct header *h, const struct rewrite *how, struct buf *out);

/*
 * Append date and time of now in the local zone, RFC 5322 §3.3, whatever the locale:
 * "Sun, 22 Nov 2026 03:30:31 +0000".
 */
void rewrite_date(struct buf *out, time_t now);

#endif
