#include "mail/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/phrase.h"

#define ADDED_ROOM 1024 /* about what is added to a header block */
#define LINE_WIDTH 76

/* What becomes of a field. */
enum fate {
	KEEP,
	REMOVE,
	QUALIFY /* its addresses without a domain get one */
};

static enum fate
fate_of(const struct header_field *f)
{
	switch (f->id) {
	case HEADER_BCC:
	case HEADER_RESENT_BCC:
	case HEADER_RETURN_PATH:
	case HEADER_CONTENT_LENGTH:
		return REMOVE;
	case HEADER_FROM:
	case HEADER_SENDER:
	case HEADER_REPLY_TO:
	case HEADER_TO:
	case HEADER_CC:
	case HEADER_RESENT_FROM:
	case HEADER_RESENT_SENDER:
	case HEADER_RESENT_REPLY_TO:
	case HEADER_RESENT_TO:
	case HEADER_RESENT_CC:
		return f->whole ? KEEP : QUALIFY;
	default:
		return KEEP;
	}
}

void
rewrite_date(struct buf *out, time_t now)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
		"Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	long zone;

	if (localtime_r(&now, &tm) == NULL) /* a year that no int holds: say 1970 */
		tm = (struct tm){ .tm_mday = 1, .tm_wday = 4, .tm_year = 70 };
	zone = labs(tm.tm_gmtoff) / 60;
	buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d %c%02ld%02ld", days[tm.tm_wday],
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, tm.tm_gmtoff < 0 ? '-' : '+', zone / 60, zone % 60);
}

static void
add_received(struct buf *out, const struct rewrite *how)
{
	buf_printf(out, "Received: by %s (qmtp-sendmail, from userid %lu)\n\tid %s; ",
	    identity_hostname(how->identity), (unsigned long)how->identity->uid,
	    how->identity->token);
	rewrite_date(out, how->now);
	buf_byte(out, '\n');
}

static void
add_date(struct buf *out, const struct rewrite *how, const char *field)
{
	buf_str(out, field);
	rewrite_date(out, how->now);
	buf_byte(out, '\n');
}

static void
add_message_id(
    struct buf *out, const struct rewrite *how, const char *field, const char *mark)
{
	buf_printf(out, "%s<%s%s@%s>\n", field, how->identity->token, mark,
	    identity_hostname(how->identity));
}

static void
add_from(struct buf *out, const struct rewrite *how, const char *field)
{
	const char *name = identity_name(how->identity);
	struct buf addr = { 0 };
	char *caller = NULL;
	size_t column;

	if (how->from == REWRITE_FROM_NO || how->sender[0] == '\0')
		caller = identity_sender(how->identity, "");
	address_write(&addr, caller != NULL ? caller : how->sender);
	buf_str(out, field);
	if (name[0] == '\0') {
		buf_add(out, addr.data, addr.len);
	} else {
		column = phrase_write(out, name, strlen(field));
		buf_str(out, column + addr.len + 3 > LINE_WIDTH ? "\n <" : " <");
		buf_add(out, addr.data, addr.len);
		buf_byte(out, '>');
	}
	buf_byte(out, '\n');
	free(caller);
	buf_free(&addr);
}

static void
add_missing(struct buf *out, const struct header *h, const struct rewrite *how)
{
	if (header_resent(h) && h->count[HEADER_RESENT_DATE] == 0)
		add_date(out, how, "Resent-Date: ");
	if (header_resent(h) && h->count[HEADER_RESENT_FROM] == 0)
		add_from(out, how, "Resent-From: ");
	if (header_resent(h) && h->count[HEADER_RESENT_MESSAGE_ID] == 0)
		add_message_id(out, how, "Resent-Message-ID: ", ".resent");
	if (h->count[HEADER_DATE] == 0)
		add_date(out, how, "Date: ");
	if (h->count[HEADER_FROM] == 0)
		add_from(out, how, "From: ");
	if (h->count[HEADER_MESSAGE_ID] == 0)
		add_message_id(out, how, "Message-ID: ", "");
}

/* A field with addresses: between those that are completed or replaced nothing changes.
 */
static void
add_addresses(struct buf *out, const struct header *h, const struct header_field *f,
    const struct rewrite *how)
{
	struct address_list list = { 0 };
	struct error err;
	size_t len, done = 0;
	const char *body = header_body(h, f, &len);
	bool replace = f->id == HEADER_FROM && how->from == REWRITE_FROM_ALWAYS &&
	    how->sender[0] != '\0';

	buf_add(out, h->text.data + f->begin, f->body - f->begin);
	if (address_parse(body, len, &list, &err) < 0)
		address_list_free(&list);
	for (size_t i = 0; i < list.n; i++) {
		const struct address *a = &list.v[i];

		if (replace && i == 0) {
			buf_add(out, body + done, a->begin - done);
			address_write(out, how->sender);
			done = a->end;
		} else if (!a->has_domain) {
			buf_add(out, body + done, a->end - done);
			buf_byte(out, '@');
			buf_str(out, identity_domain(how->identity));
			done = a->end;
		}
	}
	buf_add(out, body + done, len - done);
	buf_byte(out, '\n');
	address_list_free(&list);
}

void
rewrite_finish(const struct header *h, const struct rewrite *how, struct buf *out)
{
	buf_reserve(out, h->text.len + ADDED_ROOM);
	add_received(out, how);
	if (!how->gateway)
		add_missing(out, h, how);
	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->v[i];

		switch (fate_of(f)) {
		case REMOVE:
			break;
		case KEEP:
			buf_add(out, h->text.data + f->begin, f->end - f->begin);
			break;
		case QUALIFY:
			add_addresses(out, h, f, how);
			break;
		}
	}
	buf_byte(out, '\n');
}
