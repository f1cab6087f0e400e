/*
 * qmtp/options.h: the options of a session: in range, defaults filled in, strings copied.
 */
#ifndef QMTP_OPTIONS_H
#define QMTP_OPTIONS_H

#include "qmtp/qmtp.h"

/*
 * Make of the caller's options those of a session. 0, or -1 with err: what is out of range
 * is named; there is nothing to free then.
 */
int qmtp__options_copy(
    struct qmtp_options *to, const struct qmtp_options *from, struct qmtp_error *err);

/* Free what a copy holds. */
void qmtp__options_free(struct qmtp_options *o);

#endif
