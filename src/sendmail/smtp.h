/*
 * sendmail/smtp.h: -bs: an SMTP server (RFC 5321, with the codes of RFC 2034): one
 * submission for each DATA, the same way as a message on standard input.
 *
 * Its client is a program on this host, which names any sender the configuration
 * allows. What goes wrong is a reply, and in the log; nothing is written to stderr once
 * the greeting is out.
 */
#ifndef SENDMAIL_SMTP_H
#define SENDMAIL_SMTP_H

#include "conf/conf.h"
#include "sendmail/options.h"
#include "sendmail/startup.h"

/*
 * Talk on these descriptors until QUIT, the end of input, or, on a socket, until the
 * client has said nothing for five minutes. With --dry-run everything is done but
 * sending. Returns the exit code: EX_OK; EX_IOERR when input or output fails, EX_OSERR.
 */
int smtp_serve(const struct options *o, const struct conf *conf,
    const struct startup *start, int in, int out);

#endif
