#include "qmtp/failure.h"

#include <errno.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
qmtp_phase_name(enum qmtp_phase phase)
{
	switch (phase) {
	case QMTP_RESOLVE:
		return "looking up the name";
	case QMTP_CONNECT:
		return "connecting";
	case QMTP_SECURE:
		return "starting TLS";
	case QMTP_SEND:
		return "sending the message";
	case QMTP_COMMIT:
		return "sending the last byte";
	case QMTP_REPLY:
		return "waiting for the answer";
	case QMTP_IDLE:
		break;
	}
	return "preparing";
}

int
qmtp__fail(struct qmtp_error *err, enum qmtp_phase phase, enum qmtp_cause cause,
    const char *fmt, ...)
{
	va_list ap;

	err->phase = phase;
	err->cause = cause;
	err->errnum = 0;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

/*
 * strerror(3) is not safe in threads, and the two strerror_r(3) differ in what they
 * return.
 */
void
qmtp__reason(int errnum, char *out, size_t size)
{
	locale_t c = newlocale(LC_MESSAGES_MASK, "C", (locale_t)0);

	if (c == (locale_t)0) {
		snprintf(out, size, "error %d", errnum);
		return;
	}
	snprintf(out, size, "%s", strerror_l(errnum, c));
	freelocale(c);
}

int
qmtp__fail_system(
    struct qmtp_error *err, enum qmtp_phase phase, const char *doing, const char *what)
{
	int saved = errno;
	char text[100];

	qmtp__reason(saved, text, sizeof(text));
	qmtp__fail(err, phase, saved == ENOMEM ? QMTP_MEMORY : QMTP_SYSTEM,
	    "%s while %s%s%s", text, doing, *what ? " " : "", what);
	err->errnum = saved;
	errno = saved;
	return -1;
}

int
qmtp__fail_errno(struct qmtp_error *err, enum qmtp_phase phase, const char *what)
{
	return qmtp__fail_system(err, phase, qmtp_phase_name(phase), what);
}
