/*
 * sendmail/smtp.h: -bs: an SMTP server on standard input and output (RFC 5321, with the
 * codes of RFC 2034): one submission for each DATA, the same way as a message on
 * standard input.
 *
 * Its client is a program on this host, which names any sender the configuration
 * allows. Nothing is written to stderr.
 */
#ifndef SENDMAIL_SMTP_H
#define SENDMAIL_SMTP_H

#include "conf/conf.h"
#include "sendmail/options.h"
#include "sendmail/startup.h"

/*
 * Talk until QUIT or the end of input. Returns the exit code: EX_OK; EX_IOERR when
 * input or output fails, EX_OSERR.
 */
int smtp_serve(
    const struct options *o, const struct conf *conf, const struct startup *start);

#endif
