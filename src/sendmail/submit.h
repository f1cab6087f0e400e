/*
 * sendmail/submit.h: a message from standard input goes where it should, or the caller
 * is told why not.
 */
#ifndef SENDMAIL_SUBMIT_H
#define SENDMAIL_SUBMIT_H

#include "conf/conf.h"
#include "sendmail/options.h"
#include "sendmail/startup.h"

/*
 * Read the message, make it right, deliver it. Returns the exit code: sendmail(8), EXIT
 * STATUS. Complains itself. With --dry-run: print envelope and finished message on
 * stdout and send nothing.
 */
int submit(const struct options *o, const struct conf *conf, const struct startup *start);

/*
 * Read standard input to its end and throw it away: a caller that is still writing
 * would die of SIGPIPE. Not from a terminal.
 */
void submit_drain(void);

#endif
