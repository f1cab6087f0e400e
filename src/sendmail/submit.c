#include "sendmail/submit.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "delivery/bounce.h"
#include "delivery/deliver.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/recipients.h"
#include "mail/rewrite.h"
#include "sendmail/complain.h"
#include "sendmail/dryrun.h"
#include "sendmail/report.h"
#include "util/log.h"
#include "util/text.h"
#include "util/xalloc.h"

struct submission {
	const struct options *options;
	const struct conf *conf;
	const struct startup *start;
	struct identity identity;
	char token[IDENTITY_TOKEN + 1]; /* the message's; a bounce makes a new one */
	struct message message;
	struct envelope envelope;
	time_t now;
};

void
submit_drain(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char data[16384];
	ssize_t n;

	if (isatty(STDIN_FILENO))
		return;
	do {
		n = read(STDIN_FILENO, data, sizeof(data));
		if (n < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
}

static void
alias_problem(void *arg, const char *text)
{
	(void)arg;
	log_line(LOG_WARNING, "%s", text);
}

static int
read_message(struct submission *s, struct error *err)
{
	const struct options *o = s->options;
	const struct conf *c = s->conf;
	struct message_source source = {
		.fd = STDIN_FILENO,
		.dots = !(o->dots_given ? o->ignore_dots : c->ignore_dots),
		.max_header = c->max_header_size,
		.max_size = c->max_message_size,
		.tmpdir = s->start->tmpdir,
	};

	return message_read(&s->message, &source, err);
}

static int
find_recipients(struct submission *s, struct error *err)
{
	const struct options *o = s->options;
	struct recipients r = {
		.identity = &s->identity,
		.aliases = o->no_aliases ? NULL : s->conf->aliases,
		.max = s->conf->max_recipients,
		.problem = alias_problem,
	};
	int result = 0;

	for (size_t i = 0; i < o->noperands && result == 0; i++)
		result = recipients_operand(&r, o->operands[i], &s->envelope, err);
	if (result == 0 && o->from_header)
		result = recipients_header(&r, &s->message.header, &s->envelope, err);
	if (result == 0 && s->envelope.n == 0)
		result = error_set(err, EX_USAGE, "no recipients%s",
		    o->from_header ? " in the header or on the command line" : "");
	recipients_free(&r);
	return result;
}

static int
find_sender(struct submission *s, struct error *err)
{
	const struct conf *c = s->conf;
	char *plain;

	if (s->options->sender == NULL || !c->allow_from_override) {
		s->envelope.sender = identity_sender(&s->identity, c->envelope_from);
	} else {
		if (address_sender(s->options->sender, &plain, err) < 0)
			return -1;
		s->envelope.sender = identity_qualify(&s->identity, plain);
		free(plain);
	}
	if (strlen(s->envelope.sender) > ADDRESS_MAX)
		return error_set(err, EX_DATAERR,
		    "sender: longer than %d bytes with its domain", ADDRESS_MAX);
	return 0;
}

static int
finish_message(struct submission *s, struct error *err)
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

static int
prepare(struct submission *s, struct error *err)
{
	const struct options *o = s->options;
	const char *name = o->name;

	if (name == NULL && s->start->name != NULL && *s->start->name != '\0')
		name = s->start->name;
	if (identity_init(&s->identity, s->conf->hostname, s->conf->default_domain, name,
		err) < 0) {
		submit_drain();
		return -1;
	}
	memcpy(s->token, s->identity.token, sizeof(s->token));
	if (read_message(s, err) < 0)
		return -1;
	if (find_recipients(s, err) < 0 || find_sender(s, err) < 0)
		return -1;
	return finish_message(s, err);
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
 * Some were refused and all others accepted: the caller must not send to everybody
 * again, so the sender gets a bounce.
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

static int
send_message(struct submission *s)
{
	struct deliver d = way_out(s);
	struct error err;

	report_message(&s->identity, &s->envelope, &s->message, s->options->gateway);
	if (deliver(&d, &s->message, &s->envelope, &err) < 0) {
		complain("%s", err.text);
		return err.code;
	}
	return settle(s, &d);
}

int
submit(const struct options *o, const struct conf *conf, const struct startup *start)
{
	struct submission s = { .options = o,
		.conf = conf,
		.start = start,
		.message = { .fd = -1 },
		.now = time(NULL) };
	struct error err;
	int code;

	if (prepare(&s, &err) < 0) {
		complain("%s", err.text);
		code = err.code;
	} else if (o->dry_run) {
		code = dryrun(&s.envelope, &s.message);
	} else {
		code = send_message(&s);
	}
	envelope_free(&s.envelope);
	message_free(&s.message);
	identity_free(&s.identity);
	return code;
}
