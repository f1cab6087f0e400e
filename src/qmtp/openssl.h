/*
 * qmtp/openssl.h: the inside of the module qmtp-tls, the only part that knows OpenSSL:
 * openssl.c (a connection), openssl_context.c (settings of a server), openssl_verify.c
 * (whether to trust it), openssl_words.c (what went wrong, in words).
 *
 * What others chose, names in certificates for instance, is cleaned before it gets into a
 * text: printable ASCII, else "?".
 */
#ifndef QMTP_OPENSSL_H
#define QMTP_OPENSSL_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "qmtp/tls_module.h"

#define QMTP__PIN_SIZE 32          /* SHA-256 */
#define QMTP__TLS_RECORD_MAX 16384 /* RFC 8446 §5.1 */

struct qmtp__tls_context {
	SSL_CTX *ctx;
	BIO_METHOD *method;
	char *name;   /* that the certificate must have; "": none, with a pin */
	bool address; /* it is an IP address */
	bool pinned;  /* the key is to be pin, and nothing else matters */
	unsigned char pin[QMTP__PIN_SIZE];
	pthread_mutex_t mutex; /* of the session */
	SSL_SESSION *session;  /* to resume, or NULL */
};

struct qmtp__tls_connection {
	struct qmtp__tls_context *context;
	SSL *ssl;
	int fd;

	/* of the socket */
	int errnum; /* why it failed, or 0 */
	bool eof;
	bool drained;           /* it had no more when it was asked last */
	unsigned char first[2]; /* bytes that came from it */
	size_t nfirst;

	bool up;       /* the handshake was done */
	bool accepted; /* the server has taken part since */
	bool refused;
	bool broken; /* trouble says how */
	short wanted;
	char security[96];
	char trouble[160];
	char untrusted[240]; /* why the server is not trusted, or "" */

	size_t waiting; /* bytes of record that OpenSSL has and that did not go out yet */
	char record[QMTP__TLS_RECORD_MAX];
};

/* As qmtp__tls_ops says. */
struct qmtp__tls_context *qmtp__openssl_context(
    const struct qmtp_tls *options, struct qmtp_error *err);
void qmtp__openssl_context_free(struct qmtp__tls_context *context);

/* The session to resume, which is then the caller's, or NULL. */
SSL_SESSION *qmtp__openssl_take_session(struct qmtp__tls_context *context);

/* Keep one, and own it. */
void qmtp__openssl_keep_session(struct qmtp__tls_context *context, SSL_SESSION *session);

/* Have the server of this name, or with this key, verified. 0, or -1: no memory. */
int qmtp__openssl_verify(struct qmtp__tls_context *context);

/*
 * The authorities to trust: those of the file or directory, or of the system. 0, or -1
 * with err.
 */
int qmtp__openssl_trust(SSL_CTX *ctx, const char *ca, struct qmtp_error *err);

/* One's own certificate, with the chain behind it, and its key. 0, or -1 with err. */
int qmtp__openssl_own(
    SSL_CTX *ctx, const char *certificate, const char *key, struct qmtp_error *err);

/* Make bytes fit to be shown; out is terminated. Returns its length. */
size_t qmtp__openssl_clean(char *out, size_t size, const void *data, size_t len);

/* An alert, RFC 8446 §6. */
const char *qmtp__openssl_alert_name(int alert);

/* The fatal alert in OpenSSL's error e, or -1. */
int qmtp__openssl_alert(unsigned long e);

/* Whether it says that a handshake was not accepted. */
bool qmtp__openssl_is_refusal(int alert);

/* What OpenSSL calls its error e. */
void qmtp__openssl_reason(char *out, size_t size, unsigned long e);

/* Whether the first bytes that have come may be those of TLS. */
bool qmtp__openssl_speaks_tls(const struct qmtp__tls_connection *c);

/* The handshake failed. Fills err, returns -1. */
int qmtp__openssl_handshake_failed(
    const struct qmtp__tls_connection *c, struct qmtp_error *err);

#endif
