/*
 * sendmail/smtp_reply.h: what an SMTP client is told (RFC 5321 §4.2, RFC 2034).
 *
 * Replies are kept until smtp_reply_flush(), so that a client that pipelines gets many in
 * one write.
 */
#ifndef SENDMAIL_SMTP_REPLY_H
#define SENDMAIL_SMTP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

#define SMTP_REPLY_TEXT 400 /* bytes of text in a line: it stays below 512 in all */
#define SMTP_REPLY_LINES 20 /* lines of one reply */

/* {0} with fd and patience is one without replies. */
struct smtp_reply {
	int fd;
	int64_t patience; /* milliseconds for a flush to a socket; 0: for ever, any fd */
	struct buf out;
};

/*
 * One line of a reply; more: others with the same code follow. status is the code of RFC
 * 2034, or "". The text is cut to SMTP_REPLY_TEXT, and what is not printable ASCII in it
 * becomes '?'.
 */
void smtp_reply_line(struct smtp_reply *r, const char *code, bool more,
    const char *status, const char *text);

/*
 * A whole reply. A text of several lines, or of one that is too long for one, becomes
 * several lines; what is too long for SMTP_REPLY_LINES is left out.
 */
void smtp_reply(
    struct smtp_reply *r, const char *code, const char *status, const char *text);

/* Send what is kept. Returns 0, or -1 with errno (ETIMEDOUT: nobody reads). */
int smtp_reply_flush(struct smtp_reply *r);

void smtp_reply_free(struct smtp_reply *r);

#endif
