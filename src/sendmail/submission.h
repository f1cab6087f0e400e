/*
 * sendmail/submission.h: one message from its caller to its end: the steps that every
 * way in takes.
 *
 *	submission_init		who calls; a token for the message
 *	submission_sender	the envelope sender, by the rules of the configuration
 *	recipients_operand ...	on s.recipients and s.envelope
 *	submission_read		the message
 *	submission_send		finish it, deliver or queue it, account for every recipient
 *	submission_free
 *
 * Sender and recipients may come before the message or after it.
 */
#ifndef SENDMAIL_SUBMISSION_H
#define SENDMAIL_SUBMISSION_H

#include <stdint.h>
#include <time.h>

#include "conf/conf.h"
#include "mail/envelope.h"
#include "mail/identity.h"
#include "mail/message.h"
#include "mail/recipients.h"
#include "sendmail/options.h"
#include "sendmail/startup.h"

struct submission {
	const struct options *options;
	const struct conf *conf;
	const struct startup *start;
	struct identity identity;
	char token[IDENTITY_TOKEN + 1]; /* the message's; a bounce makes a new one */
	struct recipients recipients;
	struct envelope envelope;
	struct message message;
	time_t now;
	int64_t begun; /* clock_ms() of submission_send() */
};

/*
 * Options, configuration and surroundings are lent. Returns 0, or -1 with err and
 * nothing to free.
 */
int submission_init(struct submission *s, const struct options *o,
    const struct conf *conf, const struct startup *start, struct error *err);

/*
 * Set the envelope sender: the address the caller gave (NULL: none), unless the
 * configuration does not allow it. Returns 0, or -1 with err (EX_DATAERR).
 */
int submission_sender(struct submission *s, const char *given, struct error *err);

/*
 * Read the message; the limits of source come from the configuration. Returns as
 * message_read().
 */
int submission_read(
    struct submission *s, struct message_source *source, struct error *err);

/* Finish the header. Returns 0, or -1 with err (EX_DATAERR: now it is too large). */
int submission_finish(struct submission *s, struct error *err);

/*
 * Log, deliver, queue what is left (or first), bounce what must be bounced. Returns the exit code (sendmail(8), EXIT
 * STATUS); complains of every recipient that was not served.
 */
int submission_send(struct submission *s);

void submission_free(struct submission *s);

#endif
