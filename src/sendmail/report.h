/*
 * sendmail/report.h: what the log says of a message, and what stderr says of recipients
 * that were not served.
 *
 *	TOKEN from=<alice@example.org> uid=1000 size=2048 nrcpt=2 msgid=<x@example.org>
 *	TOKEN to=<bob@example.net>,<carol@example.net> relay=NAME[192.0.2.1]:209 delay=0.02
 *	    status=sent (ok 1234)						(one line)
 *	TOKEN to=<bob@example.net> relay=queue delay=0.02 status=queued (queued as ID)
 */
#ifndef SENDMAIL_REPORT_H
#define SENDMAIL_REPORT_H

#include <stdbool.h>

#include "delivery/deliver.h"
#include "mail/envelope.h"
#include "mail/identity.h"
#include "mail/message.h"

#define REPORT_NAMES 20 /* addresses in one line */

/*
 * A message was accepted from the caller. id still has its token; gateway (-G): no
 * Message-ID was made, msgid=<> if it has none.
 */
void report_message(
    struct identity *id, const struct envelope *e, const struct message *m, bool gateway);

/* A server's or the spool's word on some recipients: a deliver_report hook body. */
void report_verdict(
    const char *token, const struct envelope *e, const struct deliver_report *r);

/*
 * Complain of every recipient in a state: "<a>, <b>: PREFIX REPLY", one line per cause,
 * REPORT_NAMES to a line.
 */
void report_unserved(const struct envelope *e, enum rcpt_state state, const char *prefix);

#endif
