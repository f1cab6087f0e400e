#include "sendmail/submission.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "delivery/bounce.h"
#include "delivery/deliver.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/rewrite.h"
#include "sendmail/complain.h"
#include "sendmail/handover.h"
#include "sendmail/report.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/text.h"

static void
alias_problem(void *arg, const char *text)
{
	(void)arg;
	log_line(LOG_WARNING, "%s", text);
}

int
submission_init(struct submission *s, const struct options *o, const struct conf *conf,
    const struct startup *start, struct error *err)
{
	const char *name = o->name;

	if (name == NULL && start->name != NULL && *start->name != '\0')
		name = start->name;
	*s = (struct submission){
		.options = o,
		.conf = conf,
		.start = start,
		.message = { .fd = -1 },
		.now = time(NULL),
	};
	if (identity_init(&s->identity, conf->hostname, conf->default_domain, name, err) <
	    0)
		return -1;
	memcpy(s->token, s->identity.token, sizeof(s->token));
	s->recipients = (struct recipients){
		.identity = &s->identity,
		.aliases = o->no_aliases ? NULL : conf->aliases,
		.max = conf->max_recipients,
		.problem = alias_problem,
	};
	return 0;
}

int
submission_read(struct submission *s, struct message_source *source, struct error *err)
{
	source->max_header = s->conf->max_header_size;
	source->max_size = s->conf->max_message_size;
	source->tmpdir = s->start->tmpdir;
	return message_read(&s->message, source, err);
}

int
submission_sender(struct submission *s, const char *given, struct error *err)
{
	const struct conf *c = s->conf;
	char *plain;

	if (given == NULL || !c->allow_from_override) {
		s->envelope.sender = identity_sender(&s->identity, c->envelope_from);
	} else {
		if (address_sender(given, &plain, err) < 0)
			return -1;
		s->envelope.sender = identity_qualify(&s->identity, plain);
		free(plain);
	}
	if (strlen(s->envelope.sender) > ADDRESS_MAX)
		return error_set(err, EX_DATAERR,
		    "sender: longer than %d bytes with its domain", ADDRESS_MAX);
	return 0;
}

int
submission_finish(struct submission *s, struct error *err)
{
	static const enum rewrite_from from[] = {
		[CONF_FROM_NO] = REWRITE_FROM_NO,
		[CONF_FROM_MISSING] = REWRITE_FROM_MISSING,
		[CONF_FROM_ALWAYS] = REWRITE_FROM_ALWAYS,
	};
	struct rewrite how = {
		.identity = &s->identity,
		.sender = s->envelope.sender,
		.from = from[s->conf->rewrite_from],
		.gateway = s->options->gateway,
		.now = s->now,
	};

	rewrite_finish(&s->message.header, &how, &s->message.head);
	if (message_size(&s->message) >= MESSAGE_MAX)
		return error_set(
		    err, EX_DATAERR, "message: larger than %d bytes", MESSAGE_MAX);
	return 0;
}

static void
on_commit(void *arg)
{
	(void)arg;
	startup_hold_signals();
}

static void
on_report(void *arg, const struct envelope *e, const struct deliver_report *r)
{
	const struct submission *s = arg;

	report_verdict(s->identity.token, e, r);
}

static void
on_trace(
    void *arg, const char *server, enum qmtp_trace what, const char *data, size_t len)
{
	static const char mark[] = {
		[QMTP_TRACE_NOTE] = '*', [QMTP_TRACE_SENT] = '>', [QMTP_TRACE_GOT] = '<'
	};
	struct buf line = { 0 };

	(void)arg;
	buf_printf(&line, "%s %c ", server, mark[what]);
	text_clean(&line, data, len, TEXT_BOUNCE_MAX);
	buf_byte(&line, '\n');
	complain_trace(line.data, line.len);
	buf_free(&line);
}

/* The last server on the list. */
static int
on_keep(void *arg, const struct message *m, struct envelope *e, struct error *err)
{
	struct submission *s = arg;
	const struct handover h = {
		.commit = on_commit,
		.report = on_report,
		.trace = s->options->verbose ? on_trace : NULL,
		.arg = s,
		.sigmask = &startup_sleepmask,
		.begun = s->begun,
	};

	return handover(&h, m, e, err);
}

/* What the caller says counts, else what is configured. */
static bool
spool_first(const struct submission *s)
{
	if (s->options->delivery == DELIVERY_DEFAULT)
		return s->conf->delivery == CONF_QUEUE;
	return s->options->delivery == DELIVERY_QUEUE;
}

static struct deliver
way_out(struct submission *s)
{
	const struct conf *c = s->conf;

	return (struct deliver){
		.servers = c->servers,
		.nservers = c->nservers,
		.connect_delay = c->connect_delay,
		.direct_timeout = c->direct_timeout * 1000,
		.soft_bounce = c->soft_bounce,
		.keep = on_keep,
		.keep_first = spool_first(s),
		.commit = on_commit,
		.report = on_report,
		.trace = s->options->verbose ? on_trace : NULL,
		.arg = s,
		.stop = &startup_signal,
		.sigmask = &startup_sleepmask,
	};
}

/* EX_NOUSER when every refusal says that there is no such user, else EX_UNAVAILABLE. */
static int
refusal_code(const struct envelope *e)
{
	char code[DSN_STATUS_MAX];

	for (size_t i = 0; i < e->n; i++) {
		if (e->rcpts[i].state != RCPT_REFUSED)
			continue;
		dsn_status(e->rcpts[i].reply, code);
		if (strcmp(code, "5.1.1") != 0)
			return EX_UNAVAILABLE;
	}
	return EX_NOUSER;
}

/*
 * Some were refused and all others accepted or queued: the caller must not send to
 * everybody again, so the sender gets a bounce.
 */
static int
bounce_refused(struct submission *s, const struct deliver *d)
{
	struct bounce b = {
		.identity = &s->identity,
		.envelope = &s->envelope,
		.head = &s->message.head,
		.postmaster = s->conf->postmaster,
		.now = s->now,
	};
	struct error err;

	if (bounce_send(d, &b, &err) == 0) {
		log_line(LOG_INFO, "%s bounce=%s", s->token, s->identity.token);
		return EX_OK;
	}
	report_unserved(&s->envelope, RCPT_REFUSED, "refused by ");
	complain("%s", err.text);
	return EX_UNAVAILABLE;
}

/* failures.md, Mixtures. */
static int
settle(struct submission *s, const struct deliver *d)
{
	const struct envelope *e = &s->envelope;
	size_t refused = envelope_count(e, RCPT_REFUSED);

	if (envelope_count(e, RCPT_PENDING) + envelope_count(e, RCPT_IN_DOUBT) > 0) {
		report_unserved(e, RCPT_REFUSED, "refused by ");
		report_unserved(e, RCPT_IN_DOUBT, "may have been sent, no answer from ");
		report_unserved(e, RCPT_PENDING, "not sent: ");
		return EX_CANTCREAT;
	}
	if (refused == 0)
		return EX_OK;
	if (refused < e->n)
		return bounce_refused(s, d);
	report_unserved(e, RCPT_REFUSED, "refused by ");
	return refusal_code(e);
}

int
submission_send(struct submission *s)
{
	struct deliver d = way_out(s);
	struct error err;

	s->begun = clock_ms();
	report_message(&s->identity, &s->envelope, &s->message, s->options->gateway);
	if (deliver(&d, &s->message, &s->envelope, &err) < 0) {
		complain("%s", err.text);
		return err.code;
	}
	return settle(s, &d);
}

void
submission_free(struct submission *s)
{
	recipients_free(&s->recipients);
	envelope_free(&s->envelope);
	message_free(&s->message);
	identity_free(&s->identity);
}
