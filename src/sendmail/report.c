#include "sendmail/report.h"

#include <string.h>

#include "sendmail/complain.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/text.h"

static void
add_name(struct buf *b, const char *addr, const char *separator)
{
	if (b->len > 0)
		buf_str(b, separator);
	buf_byte(b, '<');
	text_clean(b, addr, strlen(addr), TEXT_LOG_MAX);
	buf_byte(b, '>');
}

/* The Message-ID as the finished header has it: from the message, or made here. */
static void
add_message_id(struct buf *b, struct identity *id, const struct message *m, bool gateway)
{
	const struct header_field *f = header_find(&m->header, HEADER_MESSAGE_ID);
	const char *body, *open, *close;
	size_t len;

	if (f == NULL) {
		if (gateway)
			buf_str(b, "<>");
		else
			buf_printf(b, "<%s@%s>", id->token, identity_hostname(id));
		return;
	}
	body = header_body(&m->header, f, &len);
	open = memchr(body, '<', len);
	close = open != NULL ? memchr(open, '>', len - (size_t)(open - body)) : NULL;
	if (close != NULL)
		text_clean(b, open, (size_t)(close - open) + 1, TEXT_LOG_MAX);
	else
		text_clean(b, body, len, TEXT_LOG_MAX);
}

void
report_message(
    struct identity *id, const struct envelope *e, const struct message *m, bool gateway)
{
	struct buf b = { 0 }, from = { 0 };

	add_name(&from, e->sender, "");
	buf_printf(&b, "%s from=%s uid=%u size=%llu nrcpt=%zu msgid=", id->token,
	    from.data, (unsigned)id->uid, (unsigned long long)message_size(m), e->n);
	add_message_id(&b, id, m, gateway);
	log_line(LOG_INFO, "%s", b.data);
	buf_free(&from);
	buf_free(&b);
}

static const char *
status(enum rcpt_state state)
{
	switch (state) {
	case RCPT_SENT:
		return "sent";
	case RCPT_REFUSED:
		return "refused";
	case RCPT_IN_DOUBT:
		return "in-doubt";
	case RCPT_QUEUED:
		return "queued";
	case RCPT_PENDING:
		break;
	}
	return "deferred";
}

static void
add_relay(struct buf *b, const struct deliver_report *r)
{
	if (r->server == NULL)
		buf_str(b, "queue");
	else
		buf_printf(b, "%s[%s]:%d", r->server->name, r->peer, r->server->port);
}

void
report_verdict(
    const char *token, const struct envelope *e, const struct deliver_report *r)
{
	struct buf names = { 0 }, b = { 0 };

	for (size_t i = 0; i < r->n && i < REPORT_NAMES; i++)
		add_name(&names, e->rcpts[r->rcpts[i]].addr, ",");
	if (r->n > REPORT_NAMES)
		buf_printf(&names, ",.. (%zu in all)", r->n);
	buf_printf(&b, "%s to=%s relay=", token, names.data != NULL ? names.data : "");
	add_relay(&b, r);
	buf_printf(&b, " delay=%lld.%02lld status=%s (", (long long)(r->delay / 1000),
	    (long long)(r->delay % 1000 / 10), status(r->state));
	text_clean(&b, r->text, strlen(r->text), TEXT_LOG_MAX);
	buf_byte(&b, ')');
	log_line(
	    r->state == RCPT_SENT || r->state == RCPT_QUEUED ? LOG_INFO : LOG_WARNING,
	    "%s", b.data);
	buf_free(&names);
	buf_free(&b);
}

static const char *
reply_of(const struct rcpt *r)
{
	return r->reply != NULL ? r->reply : "no server was tried";
}

void
report_unserved(const struct envelope *e, enum rcpt_state state, const char *prefix)
{
	struct buf names = { 0 };
	const struct rcpt *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++) {
		const struct rcpt *r = &e->rcpts[i];

		if (r->state != state)
			continue;
		if (n > 0 &&
		    (n == REPORT_NAMES || strcmp(reply_of(first), reply_of(r)) != 0)) {
			complain("%s: %s%s", names.data, prefix, reply_of(first));
			buf_clear(&names);
			n = 0;
		}
		if (n++ == 0)
			first = r;
		add_name(&names, r->addr, ", ");
	}
	if (n > 0)
		complain("%s: %s%s", names.data, prefix, reply_of(first));
	buf_free(&names);
}
