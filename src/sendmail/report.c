#include "sendmail/report.h"

#include <string.h>

#include "delivery/outcome.h"
#include "sendmail/complain.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/text.h"

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

	outcome_name(&from, e->sender, "");
	buf_printf(&b, "%s from=%s uid=%u size=%llu nrcpt=%zu msgid=", id->token,
	    from.data, (unsigned)id->uid, (unsigned long long)message_size(m), e->n);
	add_message_id(&b, id, m, gateway);
	log_line(LOG_INFO, "%s", b.data);
	buf_free(&from);
	buf_free(&b);
}

void
report_verdict(
    const char *token, const struct envelope *e, const struct deliver_report *r)
{
	struct buf b = { 0 };

	outcome_line(&b, token, e, r);
	log_line(
	    r->state == RCPT_SENT || r->state == RCPT_QUEUED ? LOG_INFO : LOG_WARNING,
	    "%s", b.data);
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
		outcome_name(&names, r->addr, ", ");
	}
	if (n > 0)
		complain("%s: %s%s", names.data, prefix, reply_of(first));
	buf_free(&names);
}
