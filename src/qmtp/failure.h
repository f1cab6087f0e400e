/*
 * qmtp/failure.h: filling in a struct qmtp_error.
 */
#ifndef QMTP_FAILURE_H
#define QMTP_FAILURE_H

#include "qmtp/qmtp.h"

/* Fill err with a formatted text and return -1. */
int qmtp__fail(struct qmtp_error *err, enum qmtp_phase phase, enum qmtp_cause cause,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * The same for errno (QMTP_SYSTEM, or QMTP_MEMORY for ENOMEM): "<strerror> while
 * <phase>"; what is put behind it.
 */
int qmtp__fail_errno(struct qmtp_error *err, enum qmtp_phase phase, const char *what);

/* The same while doing something else than the phase is named after: "reading". */
int qmtp__fail_system(
    struct qmtp_error *err, enum qmtp_phase phase, const char *doing, const char *what);

/* What errnum means, in English. */
void qmtp__reason(int errnum, char *out, size_t size);

#endif
