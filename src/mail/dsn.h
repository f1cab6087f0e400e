/*
 * mail/dsn.h: the text of a bounce, or of a delay warning: multipart/report (RFC 6522) of a plain text for
 * people, message/delivery-status (RFC 3464) for programs, and the header of the
 * original.
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <time.h>

#include "mail/envelope.h"
#include "mail/identity.h"
#include "util/buf.h"

enum dsn_kind {
	DSN_FAILED, /* refused for good: the recipients that are RCPT_REFUSED */
	DSN_EXPIRED, /* given up after its lifetime: the same; 4.4.7 unless a server said more */
	DSN_DELAYED /* still tried: the recipients that are RCPT_PENDING or RCPT_IN_DOUBT */
};

struct dsn {
	enum dsn_kind kind;
	time_t until; /* DSN_DELAYED: when it will be given up */
	/* The reporting host. Its token must be made anew for this message: nothing in
	   the original can be the boundary that is made from it. */
	struct identity *identity;
	/* The original's, whose sender gets the bounce: */
	const struct envelope *envelope;
	/* unless it is "": then who hears of it instead, not as of a mail of their own.
	   Else NULL. */
	const char *to;
	/* The original's header block, which goes with it. */
	const struct buf *head;
	time_t now;
};

/*
 * Append the whole of it, header and body, for the recipients of the envelope that it is
 * about, to out; LF line ends, no line over 998 bytes. From MAILER-DAEMON at the
 * host, "Auto-Submitted: auto-replied". Servers' words are cleaned and cut
 * (TEXT_BOUNCE_MAX; TEXT_LOG_MAX when there are more than a hundred recipients).
 * Total: there is nothing to fail.
 *
 * Non-ASCII text: the part for people and the returned header are 8bit, charset utf-8;
 * the status for programs is 7bit as RFC 3464 has it: addresses as RFC 6533 §3 encodes
 * them ("utf-8;" and "\x{E9}"), '?' in servers' words.
 */
void dsn_write(struct buf *out, const struct dsn *dsn);

#define DSN_STATUS_MAX 10 /* "5.999.999" and its NUL */

/*
 * The RFC 3463 code of a refusal in a reply, "server: text": "#5.1.1" if there is one,
 * else "5.1.1"; 5.0.0 without one, or when it is not of class 5.
 */
void dsn_status(const char *reply, char status[DSN_STATUS_MAX]);

#endif
