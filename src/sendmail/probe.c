#include "sendmail/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "delivery/dial.h"
#include "delivery/wait.h"
#include "qmtp/qmtp.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/text.h"
#include "util/xalloc.h"

struct trial {
	const struct server *server;
	struct qmtp_session *session; /* NULL: it was not tried */
	struct qmtp_error error;
	int64_t begun;
	int64_t took; /* milliseconds, once it is over */
	bool over;
	bool stands;
};

static void
begin(struct trial *t, const struct server *server)
{
	static const struct qmtp_options no_hooks;
	const char *forbidden = dial_forbidden(server);

	*t = (struct trial){ .server = server, .begun = clock_ms() };
	if (forbidden != NULL)
		snprintf(t->error.text, sizeof(t->error.text), "%s", forbidden);
	else
		t->session = dial(server, &no_hooks, &t->error);
	t->over = t->session == NULL;
}

static void
step(struct trial *t)
{
	enum qmtp_state state = qmtp_session_step(t->session);

	if (state != QMTP_OPEN && state != QMTP_CLOSED)
		return;
	t->over = true;
	t->stands = state == QMTP_OPEN;
	t->took = clock_ms() - t->begun;
	t->error = *qmtp_session_error(t->session);
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
	    (long long)t->took, t->stands ? "ok" : t->error.text,
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
	text_json(b, t->stands ? NULL : t->error.text);
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
		qmtp_session_free(trials[i].session);
	}
	if (file_write(STDOUT_FILENO, out.data, out.len) < 0)
		code = EX_IOERR;
	buf_free(&out);
	free(trials);
	return code;
}
