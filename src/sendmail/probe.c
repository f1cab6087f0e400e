#include "sendmail/probe.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "delivery/dial.h"
#include "delivery/outcome.h"
#include "delivery/wait.h"
#include "qmtp/qmtp.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/text.h"
#include "util/xalloc.h"

/* A QMTP server never speaks first; one for SMTP does, soon. */
#define GREETING 300 /* milliseconds to listen for that */

struct trial {
	const struct server *server;
	struct qmtp_session *session; /* NULL: it was not tried */
	struct buf why;               /* it does not stand */
	int64_t begun;
	int64_t took; /* milliseconds, once it stands or is over */
	bool stands;
	bool over; /* it stood and nothing was heard, or it does not stand */
};

static void
begin(struct trial *t, const struct server *server)
{
	static const struct qmtp_options no_hooks;
	const char *forbidden = dial_forbidden(server);
	struct qmtp_error error;

	*t = (struct trial){ .server = server, .begun = clock_ms() };
	if (forbidden == NULL)
		t->session = dial(server, &no_hooks, &error);
	t->over = t->session == NULL;
	if (t->over)
		buf_str(&t->why, forbidden != NULL ? forbidden : error.text);
}

static void
step(struct trial *t)
{
	enum qmtp_state state = qmtp_session_step(t->session);
	int64_t now = clock_ms();

	if (state == QMTP_OPEN && !t->stands) {
		t->stands = true;
		t->took = now - t->begun;
	}
	if (state == QMTP_CLOSED) {
		t->took = t->stands ? t->took : now - t->begun;
		t->stands = false;
		outcome_why(&t->why, t->session);
	}
	t->over =
	    state == QMTP_CLOSED || (t->stands && now >= t->begun + t->took + GREETING);
}

/* Each has its own deadline, so this ends. */
static void
run(struct trial *trials, size_t n)
{
	struct wait w = { 0 };
	size_t running;

	for (;;) {
		running = 0;
		wait_begin(&w);
		for (size_t i = 0; i < n; i++) {
			if (!trials[i].over)
				step(&trials[i]);
			if (trials[i].over)
				continue;
			if (trials[i].stands)
				wait_until(
				    &w, trials[i].begun + trials[i].took + GREETING);
			wait_session(&w, trials[i].session);
			running++;
		}
		if (running == 0)
			break;
		wait_sleep(&w, NULL);
	}
	wait_free(&w);
}

/*
 * The address that was tried, with its port unless it is a path; "-" when it did not
 * come to that.
 */
static void
add_address(struct buf *b, const struct trial *t)
{
	const char *peer = t->session != NULL ? qmtp_session_peer(t->session) : "";

	if (*peer == '\0')
		buf_str(b, "-");
	else if (*peer == '/')
		buf_str(b, peer);
	else
		buf_printf(b, "%s:%d", peer, t->server->port);
}

/* How the connection is protected, "" when it does not stand or is not. */
static const char *
security(const struct trial *t)
{
	return t->stands ? qmtp_session_security(t->session) : "";
}

static void
add_row(struct buf *b, const struct trial *t)
{
	struct buf address = { 0 };

	add_address(&address, t);
	buf_printf(b, "%-21s %-21s %5lld ms  %s%s%s\n", t->server->name, address.data,
	    (long long)t->took, t->stands ? "ok" : t->why.data,
	    *security(t) != '\0' ? ", " : "", security(t));
	buf_free(&address);
}

static void
add_object(struct buf *b, const struct trial *t)
{
	const char *peer = t->session != NULL ? qmtp_session_peer(t->session) : "";

	buf_str(b, "{\"server\":");
	text_json(b, t->server->name);
	buf_str(b, ",\"host\":");
	text_json(b, t->server->host);
	buf_printf(b, ",\"port\":%d,\"address\":", t->server->port);
	text_json(b, *peer != '\0' ? peer : NULL);
	buf_printf(b, ",\"milliseconds\":%lld,\"ok\":%s,\"error\":", (long long)t->took,
	    t->stands ? "true" : "false");
	text_json(b, t->stands ? NULL : t->why.data);
	buf_str(b, ",\"security\":");
	text_json(b, *security(t) != '\0' ? security(t) : NULL);
	buf_str(b, "}\n");
}

int
probe(const struct conf *conf, bool json)
{
	struct trial *trials = xcalloc(conf->nservers, sizeof(*trials));
	struct buf out = { 0 };
	int code = EX_UNAVAILABLE;

	for (size_t i = 0; i < conf->nservers; i++)
		begin(&trials[i], &conf->servers[i]);
	run(trials, conf->nservers);
	if (!json)
		buf_printf(
		    &out, "%-21s %-21s %8s  %s\n", "SERVER", "ADDRESS", "TIME", "RESULT");
	for (size_t i = 0; i < conf->nservers; i++) {
		if (trials[i].stands)
			code = EX_OK;
		if (json)
			add_object(&out, &trials[i]);
		else
			add_row(&out, &trials[i]);
		buf_free(&trials[i].why);
		qmtp_session_free(trials[i].session);
	}
	if (file_write(STDOUT_FILENO, out.data, out.len) < 0)
		code = EX_IOERR;
	buf_free(&out);
	free(trials);
	return code;
}
