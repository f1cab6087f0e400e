#include "qmtp/openssl.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"
#include "qmtp/openssl_socket.h"

static int
no_memory(struct qmtp_error *err)
{
	return qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory while %s",
	    qmtp_phase_name(QMTP_SECURE));
}

/*
 * OpenSSL, unless somebody in the process has done so before: with the system's
 * configuration (it may ask for more than this module does), but not with one that the
 * environment names; and without a word at exit, when other threads may be busy yet.
 */
static int
start_openssl(void)
{
	OPENSSL_INIT_SETTINGS *settings = OPENSSL_INIT_new();
	char path[512];
	int ok = settings != NULL;

	snprintf(path, sizeof(path), "%s/openssl.cnf", X509_get_default_cert_area());
	ok = ok && OPENSSL_INIT_set_config_filename(settings, path) == 1 &&
	    OPENSSL_init_ssl(
		OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_CONFIG, settings) == 1;
	OPENSSL_INIT_free(settings);
	return ok ? 0 : -1;
}

/* ---- the session to resume ---- */

SSL_SESSION *
qmtp__openssl_take_session(struct qmtp__tls_context *context)
{
	SSL_SESSION *session;

	pthread_mutex_lock(&context->mutex);
	session = context->session;
	context->session = NULL;
	pthread_mutex_unlock(&context->mutex);
	return session;
}

void
qmtp__openssl_keep_session(struct qmtp__tls_context *context, SSL_SESSION *session)
{
	SSL_SESSION *before;

	pthread_mutex_lock(&context->mutex);
	before = context->session;
	context->session = session;
	pthread_mutex_unlock(&context->mutex);
	SSL_SESSION_free(before);
}

/* A ticket of TLS 1.3 comes when the server has read the end of the handshake. */
static int
new_session(SSL *ssl, SSL_SESSION *session)
{
	struct qmtp__tls_connection *c = SSL_get_app_data(ssl);

	c->accepted = true;
	qmtp__openssl_keep_session(c->context, session);
	return 1;
}

/* ---- the context ---- */

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at == NULL ? -1 : (int)(at - digits) % 16;
}

static int
parse_pin(struct qmtp__tls_context *context, const char *text)
{
	context->pinned = true;
	for (size_t i = 0; i < QMTP__PIN_SIZE; i++) {
		int high = hex(text[2 * i]), low = high < 0 ? -1 : hex(text[2 * i + 1]);

		if (low < 0)
			return -1;
		context->pin[i] = (unsigned char)(16 * high + low);
	}
	return text[2 * QMTP__PIN_SIZE] == '\0' ? 0 : -1;
}

/* The dot of a name that is complete is in no certificate. */
static int
take_name(struct qmtp__tls_context *context, const char *name)
{
	size_t len = strlen(name);

	context->name = strdup(name);
	if (context->name == NULL)
		return -1;
	if (len > 1 && name[len - 1] == '.')
		context->name[len - 1] = '\0';
	return 0;
}

/* TLS 1.2 or newer (RFC 8996); the system's configuration may ask for more. */
static int
set_protocol(SSL_CTX *ctx)
{
	long lowest = SSL_CTX_get_min_proto_version(ctx);

	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, new_session);
	if (lowest >= TLS1_2_VERSION)
		return 0;
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 ? 0 : -1;
}

static int
set_up(struct qmtp__tls_context *context, const struct qmtp_tls *options,
    struct qmtp_error *err)
{
	const char *key = options->key != NULL ? options->key : options->certificate;

	if (start_openssl() < 0 ||
	    (context->ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    (context->method = qmtp__openssl_socket()) == NULL ||
	    set_protocol(context->ctx) < 0 || take_name(context, options->name) < 0)
		return no_memory(err);
	if (options->fingerprint != NULL && parse_pin(context, options->fingerprint) < 0)
		return qmtp__fail(err, QMTP_SECURE, QMTP_TLS,
		    "the fingerprint is not 64 hexadecimal digits while %s",
		    qmtp_phase_name(QMTP_SECURE));
	if (!context->pinned && qmtp__openssl_trust(context->ctx, options->ca, err) < 0)
		return -1;
	if (qmtp__openssl_verify(context) < 0)
		return no_memory(err);
	if (options->certificate != NULL)
		return qmtp__openssl_own(context->ctx, options->certificate, key, err);
	return 0;
}

struct qmtp__tls_context *
qmtp__openssl_context(const struct qmtp_tls *options, struct qmtp_error *err)
{
	struct qmtp__tls_context *context = calloc(1, sizeof(*context));

	if (context == NULL || pthread_mutex_init(&context->mutex, NULL) != 0) {
		free(context);
		no_memory(err);
		return NULL;
	}
	ERR_clear_error();
	if (set_up(context, options, err) < 0) {
		qmtp__openssl_context_free(context);
		context = NULL;
	}
	ERR_clear_error();
	return context;
}

void
qmtp__openssl_context_free(struct qmtp__tls_context *context)
{
	if (context == NULL)
		return;
	SSL_SESSION_free(context->session);
	SSL_CTX_free(context->ctx);
	BIO_meth_free(context->method);
	pthread_mutex_destroy(&context->mutex);
	free(context->name);
	free(context);
}
