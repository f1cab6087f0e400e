#include "qmtp/openssl.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"

#define NO_DATA_MAX 1000 /* records without data, one behind the other */

/* ---- the beginning and the end ---- */

static void
connection_free(struct qmtp__tls_connection *c)
{
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	ERR_clear_error();
	free(c);
}

static int
set_up(struct qmtp__tls_connection *c)
{
	const struct qmtp__tls_context *context = c->context;
	BIO *b;

	c->ssl = SSL_new(context->ctx);
	b = BIO_new(context->method);
	if (c->ssl == NULL || b == NULL) {
		BIO_free(b);
		return -1;
	}
	BIO_set_data(b, c);
	BIO_set_init(b, 1);
	SSL_set_bio(c->ssl, b, b);
	SSL_set_app_data(c->ssl, c);
	SSL_set_connect_state(c->ssl);
	if (*context->name != '\0' && !context->address && /* RFC 6066 §3 */
	    SSL_set_tlsext_host_name(c->ssl, context->name) != 1)
		return -1;
	return 0;
}

static struct qmtp__tls_connection *
connection(struct qmtp__tls_context *context, int fd, struct qmtp_error *err)
{
	struct qmtp__tls_connection *c = calloc(1, sizeof(*c));
	SSL_SESSION *session;

	if (c == NULL || (c->context = context, c->fd = fd, set_up(c) < 0)) {
		qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory while %s",
		    qmtp_phase_name(QMTP_SECURE));
		connection_free(c);
		return NULL;
	}
	session = qmtp__openssl_take_session(context);
	if (session != NULL)
		SSL_set_session(c->ssl, session); /* if it will not, all begins anew */
	SSL_SESSION_free(session);
	ERR_clear_error();
	return c;
}

/* OpenSSL resumes no session that did not end so, taken by the socket or not. */
static void
farewell(struct qmtp__tls_connection *c)
{
	if (!c->up || c->broken || c->errnum != 0 || c->waiting > 0)
		return;
	SSL_shutdown(c->ssl);
	ERR_clear_error();
}

/* ---- the handshake ---- */

/* Of a resumed session the verdict of then counts. */
static bool
is_verified(struct qmtp__tls_connection *c)
{
	const SSL_SESSION *session = SSL_get0_session(c->ssl);

	return SSL_get_verify_result(c->ssl) == X509_V_OK && session != NULL &&
	    SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session) != NULL;
}

static int
stands(struct qmtp__tls_connection *c, struct qmtp_error *err)
{
	bool resumed = SSL_session_reused(c->ssl),
	     newest = SSL_version(c->ssl) >= TLS1_3_VERSION;

	if (!is_verified(c))
		return qmtp__fail(err, QMTP_SECURE, QMTP_UNTRUSTED,
		    "the server has shown no certificate while %s",
		    qmtp_phase_name(QMTP_SECURE));
	c->up = true;
	/* up to TLS 1.2 the server has the last word in a handshake, and a session can be
	   resumed any number of times */
	c->accepted = c->accepted || !newest;
	if (resumed && !newest)
		qmtp__openssl_keep_session(c->context, SSL_get1_session(c->ssl));
	snprintf(c->security, sizeof(c->security), "%s, %s%s", SSL_get_version(c->ssl),
	    SSL_get_cipher_name(c->ssl), resumed ? ", resumed" : "");
	return 1;
}

static int
handshake(struct qmtp__tls_connection *c, struct qmtp_error *err)
{
	int r, e;

	ERR_clear_error();
	r = SSL_do_handshake(c->ssl);
	e = SSL_get_error(c->ssl, r);
	if (e == SSL_ERROR_NONE)
		r = stands(c, err);
	else if (!qmtp__openssl_speaks_tls(c) ||
	    (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE))
		r = qmtp__openssl_handshake_failed(c, err);
	else
		r = 0;
	c->wanted = e == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
	ERR_clear_error();
	return r;
}

/* ---- bytes ---- */

/* TLS broke; every later read says so too. */
static ssize_t
broke(struct qmtp__tls_connection *c, const char *what, const char *reason)
{
	c->broken = true;
	snprintf(c->trouble, sizeof(c->trouble), "%s: %s", what, reason);
	errno = EPROTO;
	return -1;
}

/* OpenSSL says why, or the server does. */
static ssize_t
broken(struct qmtp__tls_connection *c)
{
	unsigned long e = ERR_peek_error();
	int alert = qmtp__openssl_alert(e);
	char reason[120];

	if (alert < 0) {
		qmtp__openssl_reason(reason, sizeof(reason), e);
		return broke(c, "TLS broke", reason);
	}
	c->refused = !c->accepted && qmtp__openssl_is_refusal(alert);
	return broke(c,
	    c->refused ? "the server refused the handshake" : "the server's alert",
	    qmtp__openssl_alert_name(alert));
}

/* OpenSSL returned no bytes, with this error. Returns what read and write then do. */
static ssize_t
no_bytes(struct qmtp__tls_connection *c, int e)
{
	switch (e) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		c->wanted = e == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		if (c->eof) {
			snprintf(c->trouble, sizeof(c->trouble), "without close_notify");
			return 0;
		}
		if (c->errnum != 0) {
			errno = c->errnum;
			return -1;
		}
		return broken(c);
	default:
		return broken(c);
	}
}

static ssize_t
tls_read(struct qmtp__tls_connection *c, void *data, size_t len)
{
	int n, e = SSL_ERROR_NONE;

	if (c->broken) {
		errno = EPROTO;
		return -1;
	}
	for (int records = 0; records < NO_DATA_MAX; records++) {
		ERR_clear_error();
		c->drained = false;
		n = SSL_read(c->ssl, data, len < INT32_MAX ? (int)len : INT32_MAX);
		if (n > 0) {
			c->accepted = true;
			return n;
		}
		e = SSL_get_error(c->ssl, n);
		if (e != SSL_ERROR_WANT_READ || c->drained)
			return no_bytes(c, e);
		/* a ticket, or new keys; the socket may have more */
	}
	return broke(c, "TLS broke", "nothing but records without data");
}

/* As much as one record holds. */
static size_t
gather(char *record, const struct iovec *v, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < QMTP__TLS_RECORD_MAX; i++) {
		size_t room = QMTP__TLS_RECORD_MAX - len,
		       part = v[i].iov_len < room ? v[i].iov_len : room;

		memcpy(record + len, v[i].iov_base, part);
		len += part;
	}
	return len;
}

static ssize_t
tls_write(struct qmtp__tls_connection *c, const struct iovec *v, size_t n)
{
	ssize_t done;
	int r, e;

	if (c->waiting == 0)
		c->waiting = gather(c->record, v, n);
	if (c->waiting == 0)
		return 0;
	ERR_clear_error();
	r = SSL_write(c->ssl, c->record, (int)c->waiting);
	if (r > 0) {
		done = (ssize_t)c->waiting;
		c->waiting = 0;
		return done;
	}
	e = SSL_get_error(c->ssl, r);
	if (e != SSL_ERROR_SYSCALL && e != SSL_ERROR_ZERO_RETURN)
		return no_bytes(c, e);
	errno = c->errnum != 0 ? c->errnum : EPIPE;
	return -1;
}

/* ---- what is asked ---- */

static short
wanted(const struct qmtp__tls_connection *c)
{
	return c->wanted;
}

static const char *
trouble(const struct qmtp__tls_connection *c)
{
	return c->trouble;
}

static bool
refused(const struct qmtp__tls_connection *c)
{
	return c->refused;
}

static const char *
security(struct qmtp__tls_connection *c)
{
	return c->security;
}

extern const struct qmtp__tls_ops qmtp__tls_module;
const struct qmtp__tls_ops qmtp__tls_module = {
	.version = QMTP__TLS_VERSION,
	.context = qmtp__openssl_context,
	.context_free = qmtp__openssl_context_free,
	.connection = connection,
	.connection_free = connection_free,
	.handshake = handshake,
	.read = tls_read,
	.write = tls_write,
	.wanted = wanted,
	.farewell = farewell,
	.trouble = trouble,
	.refused = refused,
	.describe = security,
};
