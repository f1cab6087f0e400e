#include "mail/dsn.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/dsn_line.h"
#include "mail/dsn_status.h"
#include "mail/dsn_text.h"
#include "mail/header.h"
#include "mail/rewrite.h"

#define LINE_LONGEST 998 /* RFC 5322 §2.1.1 */

/*
 * The header block of the original, without the empty line behind it. Lines that are too
 * long are folded (RFC 5322 §2.2.3).
 */
static void
write_original(struct buf *out, const struct buf *head)
{
	size_t column = 0;
	size_t at = 0;

	while (at < head->len && (column > 0 || head->data[at] != '\n')) {
		const char *s = head->data + at;
		const char *lf = memchr(s, '\n', head->len - at);
		size_t n = lf != NULL ? (size_t)(lf - s) : head->len - at;
		size_t len = n;

		if (column + n > LINE_LONGEST) {
			len = LINE_LONGEST - column;
			while (len > 1 && s[len] != ' ' && s[len] != '\t')
				len--;
			if (len <= 1)
				len = dsn_whole_chars(s, n, DSN_WORD_MAX);
		}
		buf_add(out, s, len);
		buf_byte(out, '\n');
		at += len;
		column = 0;
		if (len == n) {
			at++;
		} else if (s[len] != ' ' && s[len] != '\t') {
			buf_byte(out, ' ');
			column = 1;
		}
	}
}

/* ---- the header ---- */

/* One RFC 5322 §3.6.4 msg-id, as far as others could be misled. */
static bool
is_message_id(const char *s, size_t n)
{
	if (n < 3 || n > DSN_WORD_MAX || s[0] != '<' || s[n - 1] != '>')
		return false;
	for (size_t i = 1; i < n - 1; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == '<' || s[i] == '>')
			return false;
	return true;
}

static void
push(struct header *h, struct buf *line)
{
	header_push(h, line->data, line->len);
	buf_clear(line);
}

/* "In-Reply-To" and "References" from the Message-ID of the original, if it has one in
 * order. */
static void
push_threading(struct header *h, const struct buf *head, struct buf *line)
{
	struct header original = { 0 };
	const struct header_field *f;
	const char *s = head->len > 0 ? head->data : "";
	const char *end = s + head->len;
	const char *lf;
	size_t n;

	for (; s < end && (lf = memchr(s, '\n', (size_t)(end - s))) != NULL; s = lf + 1)
		if (header_push(&original, s, (size_t)(lf - s)) != HEADER_TAKEN)
			break;
	f = header_find(&original, HEADER_MESSAGE_ID);
	if (f != NULL) {
		s = header_body(&original, f, &n);
		for (; n > 0 && (*s == ' ' || *s == '\t' || *s == '\n'); n--)
			s++;
		while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\n'))
			n--;
		if (is_message_id(s, n)) {
			buf_printf(line, "In-Reply-To: %.*s", (int)n, s);
			push(h, line);
			buf_printf(line, "References: %.*s", (int)n, s);
			push(h, line);
		}
	}
	header_free(&original);
}

static void
push_fields(struct header *h, const struct dsn *dsn, bool wide)
{
	const char *to = dsn->to != NULL ? dsn->to : dsn->envelope->sender;
	struct buf written = { 0 };
	struct buf line = { 0 };

	buf_printf(&line, "From: Mail Delivery System <MAILER-DAEMON@%s>",
	    identity_hostname(dsn->identity));
	push(h, &line);
	address_write(&written, to);
	if (dsn_fits_header(to, &written))
		buf_printf(&line, "To: <%s>", written.data);
	else
		buf_str(&line, "To: undisclosed-recipients:;");
	push(h, &line);
	buf_printf(&line, "Subject: %s", dsn_text_subject(dsn));
	push(h, &line);
	push_threading(h, dsn->head, &line);
	buf_str(&line, "Auto-Submitted: auto-replied");
	push(h, &line);
	buf_str(&line, "MIME-Version: 1.0");
	push(h, &line);
	buf_str(&line, "Content-Type: multipart/report; report-type=delivery-status;");
	push(h, &line);
	buf_printf(&line, "\tboundary=\"=_%s\"", dsn->identity->token);
	push(h, &line);
	buf_printf(&line, "Content-Transfer-Encoding: %s", wide ? "8bit" : "7bit");
	push(h, &line);
	buf_free(&line);
	buf_free(&written);
}

static void
add_part(struct buf *out, const struct dsn *dsn, const char *type, const struct buf *part)
{
	bool wide = dsn_is_wide(part->data, part->len);

	buf_printf(out, "--=_%s\nContent-Type: %s%s\nContent-Transfer-Encoding: %s\n\n",
	    dsn->identity->token, type, wide ? "; charset=utf-8" : "",
	    wide ? "8bit" : "7bit");
	buf_add(out, part->data, part->len);
	buf_byte(out, '\n');
}

void
dsn_write(struct buf *out, const struct dsn *dsn)
{
	const struct rewrite how = {
		.identity = dsn->identity,
		.sender = "",
		.from = REWRITE_FROM_NO,
		.now = dsn->now,
	};
	struct buf human = { 0 };
	struct buf status = { 0 };
	struct buf original = { 0 };
	struct header header = { 0 };

	dsn_text_write(&human, dsn);
	dsn_status_write(&status, dsn);
	write_original(&original, dsn->head);
	push_fields(&header, dsn,
	    dsn_is_wide(human.data, human.len) ||
		dsn_is_wide(original.data, original.len));
	/* Received, Date and Message-ID come as they come to every message. */
	rewrite_finish(&header, &how, out);
	add_part(out, dsn, "text/plain", &human);
	add_part(out, dsn, "message/delivery-status", &status);
	add_part(out, dsn, "text/rfc822-headers", &original);
	buf_printf(out, "--=_%s--\n", dsn->identity->token);
	header_free(&header);
	buf_free(&original);
	buf_free(&status);
	buf_free(&human);
}
