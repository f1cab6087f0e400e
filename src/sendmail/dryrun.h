/*
 * sendmail/dryrun.h: --dry-run: what would be sent, on stdout.
 *
 *	sender <alice@example.org>
 *	recipient <bob@example.net>
 *
 *	Received: ...				the finished message, byte for byte
 */
#ifndef SENDMAIL_DRYRUN_H
#define SENDMAIL_DRYRUN_H

#include "mail/envelope.h"
#include "mail/message.h"

/* Returns the exit code: EX_OK, EX_IOERR when stdout or the message fails. */
int dryrun(const struct envelope *e, const struct message *m);

#endif
