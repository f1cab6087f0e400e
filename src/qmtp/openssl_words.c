#include "qmtp/openssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>

#include "qmtp/failure.h"

#define NOT_ACCEPTED 1 /* the alert is about the handshake */

static const struct {
	int alert;
	int about;
	const char *name;
} alerts[] = {
	{ 0, 0, "close notify" },
	{ 10, 0, "unexpected message" },
	{ 20, 0, "bad record MAC" },
	{ 22, 0, "record overflow" },
	{ 40, NOT_ACCEPTED, "handshake failure" },
	{ 42, NOT_ACCEPTED, "bad certificate" },
	{ 43, NOT_ACCEPTED, "unsupported certificate" },
	{ 44, NOT_ACCEPTED, "certificate revoked" },
	{ 45, NOT_ACCEPTED, "certificate expired" },
	{ 46, NOT_ACCEPTED, "certificate unknown" },
	{ 47, NOT_ACCEPTED, "illegal parameter" },
	{ 48, NOT_ACCEPTED, "unknown CA" },
	{ 49, NOT_ACCEPTED, "access denied" },
	{ 50, 0, "decode error" },
	{ 51, NOT_ACCEPTED, "decrypt error" },
	{ 70, 0, "protocol version" },
	{ 71, NOT_ACCEPTED, "insufficient security" },
	{ 80, 0, "internal error" },
	{ 86, 0, "inappropriate fallback" },
	{ 90, 0, "user canceled" },
	{ 109, NOT_ACCEPTED, "missing extension" },
	{ 110, 0, "unsupported extension" },
	{ 112, 0, "unrecognized name" },
	{ 113, 0, "bad certificate status response" },
	{ 115, 0, "unknown PSK identity" },
	{ 116, NOT_ACCEPTED, "certificate required" },
	{ 120, 0, "no application protocol" },
};

#define ALERTS (sizeof(alerts) / sizeof(alerts[0]))

const char *
qmtp__openssl_alert_name(int alert)
{
	for (size_t i = 0; i < ALERTS; i++)
		if (alerts[i].alert == alert)
			return alerts[i].name;
	return "unknown alert";
}

bool
qmtp__openssl_is_refusal(int alert)
{
	for (size_t i = 0; i < ALERTS; i++)
		if (alerts[i].alert == alert)
			return alerts[i].about == NOT_ACCEPTED;
	return false;
}

int
qmtp__openssl_alert(unsigned long e)
{
	int reason = ERR_GET_REASON(e);

	if (ERR_GET_LIB(e) != ERR_LIB_SSL || reason < SSL_AD_REASON_OFFSET ||
	    reason > SSL_AD_REASON_OFFSET + 255)
		return -1;
	return reason - SSL_AD_REASON_OFFSET;
}

size_t
qmtp__openssl_clean(char *out, size_t size, const void *data, size_t len)
{
	const unsigned char *in = data;
	size_t n = 0;

	for (; n < len && n + 1 < size; n++)
		out[n] = in[n] >= 0x20 && in[n] < 0x7f ? (char)in[n] : '?';
	out[n] = '\0';
	return n;
}

void
qmtp__openssl_reason(char *out, size_t size, unsigned long e)
{
	const char *words = ERR_reason_error_string(e);

	if (words != NULL)
		snprintf(out, size, "%s", words);
	else
		snprintf(out, size, "OpenSSL's error %lX", e);
}

static bool
too_old(unsigned long e)
{
	int reason = ERR_GET_REASON(e);

	return ERR_GET_LIB(e) == ERR_LIB_SSL &&
	    (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION ||
		reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
}

/* A server's first record is of the handshake, or an alert: RFC 8446 §5.1. */
bool
qmtp__openssl_speaks_tls(const struct qmtp__tls_connection *c)
{
	return (c->nfirst < 1 || c->first[0] == 21 || c->first[0] == 22) &&
	    (c->nfirst < 2 || c->first[1] == 3);
}

int
qmtp__openssl_handshake_failed(
    const struct qmtp__tls_connection *c, struct qmtp_error *err)
{
	unsigned long e = ERR_peek_error();
	const char *phase = qmtp_phase_name(QMTP_SECURE);
	int alert = qmtp__openssl_alert(e);
	char reason[120];

	if (*c->untrusted != '\0')
		return qmtp__fail(
		    err, QMTP_SECURE, QMTP_UNTRUSTED, "%s while %s", c->untrusted, phase);
	if (!qmtp__openssl_speaks_tls(c))
		return qmtp__fail(err, QMTP_SECURE, QMTP_TLS,
		    "the server does not speak TLS while %s", phase);
	if (too_old(e))
		return qmtp__fail(err, QMTP_SECURE, QMTP_TLS,
		    "the server has no TLS 1.2 or newer while %s", phase);
	if (alert >= 0)
		return qmtp__fail(err, QMTP_SECURE, QMTP_TLS,
		    "the server refused the handshake: %s while %s",
		    qmtp__openssl_alert_name(alert), phase);
	if (c->errnum != 0) {
		errno = c->errnum;
		return qmtp__fail_errno(err, QMTP_SECURE, "");
	}
	if (c->eof)
		return qmtp__fail(err, QMTP_SECURE, QMTP_EOF,
		    c->nfirst == 0 ? "the server closed the connection without a word of "
				     "TLS while %s"
				   : "the server closed the connection while %s",
		    phase);
	if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
		return qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	qmtp__openssl_reason(reason, sizeof(reason), e);
	return qmtp__fail(err, QMTP_SECURE, QMTP_TLS, "%s while %s", reason, phase);
}
