#include "delivery/dial.h"

/* "" stands for nothing in the configuration, NULL in libqmtp. */
static const char *
given(const char *value)
{
	return *value != '\0' ? value : NULL;
}

static void
tls_options(struct qmtp_tls *tls, const struct server *server)
{
	*tls = (struct qmtp_tls){
		.name = server->tls_name,
		.ca = given(server->tls_ca),
		.fingerprint = given(server->tls_fingerprint),
		.certificate = given(server->tls_certificate),
		.key = given(server->tls_key),
		.module = TLS_MODULE,
	};
}

void
dial_options(struct qmtp_options *o, struct qmtp_tls *tls, const struct server *server)
{
	o->host = server->host;
	o->port = server->port;
	o->connect_timeout = server->connect_timeout * 1000;
	o->send_timeout = server->send_timeout * 1000;
	o->reply_timeout = server->reply_timeout * 1000;
	o->answers_one = server->answers_one;
	o->window = server->in_flight;
	o->tls = NULL;
	if (server->tls) {
		tls_options(tls, server);
		o->tls = tls;
	}
}

struct qmtp_session *
dial(
    const struct server *server, const struct qmtp_options *hooks, struct qmtp_error *err)
{
	struct qmtp_options o = *hooks;
	struct qmtp_tls tls;

	dial_options(&o, &tls, server);
	return qmtp_session_new(&o, err);
}

const char *
dial_forbidden(const struct server *server)
{
	if (!server->tls || server->tls_key_readable)
		return NULL;
	return "tls-key cannot be read by this user: left to qmtp-flush";
}
