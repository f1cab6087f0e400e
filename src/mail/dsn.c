#include "mail/dsn.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/header.h"
#include "mail/rewrite.h"
#include "util/text.h"

#define COLUMNS 76   /* where lines are folded when there is a space */
#define WORD_MAX 900 /* bytes without a space before a line is cut, and of an address */
#define LINE_LONGEST 998 /* RFC 5322 §2.1.1 */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_wide(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return true;
	return false;
}

/* The most bytes, up to max, that do not end within a UTF-8 character. */
static size_t
whole_chars(const char *s, size_t n, size_t max)
{
	size_t len = n < max ? n : max;

	while (len > 0 && len < n && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	return len > 0 ? len : (n < max ? n : max);
}

/*
 * Append the words of s, as many to a line as fit; column is how much of the first line
 * is taken, and every other one begins with indent. Words that no line could hold are
 * cut.
 */
static void
fold(struct buf *out, size_t column, const char *indent, const char *s)
{
	bool first = true;

	for (;;) {
		size_t word;

		s += strspn(s, " ");
		if (*s == '\0')
			return;
		word = strcspn(s, " ");
		word = whole_chars(s, word, WORD_MAX);
		if (!first && column + 1 + word > COLUMNS) {
			buf_byte(out, '\n');
			buf_str(out, indent);
			column = strlen(indent);
		} else if (!first) {
			buf_byte(out, ' ');
			column++;
		}
		buf_add(out, s, word);
		column += word;
		s += word;
		first = false;
	}
}

/* ---- replies ---- */

/* The text of a reply "server: text"; *server is how many bytes name the server, 0 if
 * none do. */
static const char *
reply_text(const char *reply, size_t *server)
{
	const char *colon = strstr(reply, ": ");

	*server = 0;
	if (colon == NULL || colon == reply ||
	    memchr(reply, ' ', (size_t)(colon - reply)) != NULL)
		return reply;
	*server = (size_t)(colon - reply);
	return colon + 2;
}

/* How many bytes of s are an RFC 3463 §2 code of class 5, standing alone; 0 if none. */
static size_t
status_length(const char *s)
{
	size_t len = 1;

	if (*s != '5')
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		if (s[len++] != '.')
			return 0;
		while (is_digit(s[len + digits]))
			digits++;
		if (digits == 0 || digits > 3)
			return 0;
		len += digits;
	}
	if (is_alnum(s[len]) || (s[len] == '.' && is_alnum(s[len + 1])))
		return 0; /* an address or a version */
	return len;
}

void
dsn_status(const char *reply, char status[DSN_STATUS_MAX])
{
	size_t server;
	const char *text = reply_text(reply, &server);
	const char *found = NULL;

	for (const char *s = text; *s != '\0'; s++) {
		if (status_length(s) == 0)
			continue;
		if (s > text && s[-1] == '#') {
			found = s;
			break;
		}
		if (found == NULL && (s == text || (!is_alnum(s[-1]) && s[-1] != '.')))
			found = s;
	}
	snprintf(status, DSN_STATUS_MAX, "%.*s",
	    found != NULL ? (int)status_length(found) : 5,
	    found != NULL ? found : "5.0.0");
}

/*
 * "Remote-MTA: dns; NAME" when what names the server is a host name or an address (in
 * brackets, RFC 3464 §2.1.2), with or without an address or a port behind it.
 */
static void
write_remote(struct buf *out, const char *server, size_t n)
{
	size_t len = 0;
	bool dot = false;
	bool letter = false;

	while (len < n && len < 255 &&
	    (is_alnum(server[len]) || server[len] == '-' || server[len] == '.')) {
		dot = dot || server[len] == '.';
		letter = letter || !(is_digit(server[len]) || server[len] == '.');
		len++;
	}
	if (!dot || (len < n && server[len] != '[' && server[len] != ':'))
		return;
	buf_printf(out, letter ? "Remote-MTA: dns; %.*s\n" : "Remote-MTA: dns; [%.*s]\n",
	    (int)len, server);
}

/*
 * The words of the server in ASCII. The type is ours: RFC 3464 §2.2.6 knows "smtp" alone,
 * whose text begins with a reply code, and QMTP has none.
 */
static void
write_diagnostic(struct buf *out, const char *text)
{
	static const char name[] = "Diagnostic-Code: x-qmtp;";
	struct buf ascii = { 0 };

	if (*text == '\0')
		return;
	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			buf_byte(&ascii, (unsigned char)*text < 0x80 ? *text : '?');
	buf_str(out, name);
	buf_byte(out, ' ');
	fold(out, sizeof(name), " ", ascii.data != NULL ? ascii.data : "");
	buf_byte(out, '\n');
	buf_free(&ascii);
}

/* ---- addresses ---- */

/*
 * Whether an address can stand in a header field: nothing in it that would be another
 * character there, or end the address, or make the line too long.
 */
static bool
fits_header(const char *addr, const struct buf *written)
{
	const char *domain = strrchr(addr, '@');
	char *cleaned = text_cleaned(addr, strlen(addr), strlen(addr));
	bool ok =
	    strcmp(cleaned, addr) == 0 && written->len > 0 && written->len <= WORD_MAX;

	free(cleaned);
	for (; ok && domain != NULL && *++domain != '\0';)
		ok = is_alnum(*domain) || strchr("-._[]:", *domain) != NULL ||
		    (unsigned char)*domain >= 0x80;
	return ok;
}

/* RFC 6533 §3, utf-8-addr-xtext, of well-formed UTF-8. */
static void
write_xtext(struct buf *out, const char *addr)
{
	const unsigned char *s = (const unsigned char *)addr;

	while (*s != '\0') {
		size_t len = *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
		unsigned long c = len == 1 ? *s : *s & (0x7fu >> len);

		for (size_t i = 1; i < len; i++)
			c = c << 6 | (s[i] & 0x3f);
		if (c > ' ' && c < 0x7f && strchr("\\+=", (int)c) == NULL)
			buf_byte(out, (char)c);
		else
			buf_printf(out, "\\x{%02lX}", c);
		s += len;
	}
}

/* The field for an address, cut ("...") when no line could hold it. */
static void
write_final_recipient(struct buf *out, const char *addr)
{
	struct buf written = { 0 };
	struct buf coded = { 0 };

	address_write(&written, addr);
	if (!fits_header(addr, &written)) {
		buf_clear(&written);
		text_clean(&written, addr, strlen(addr), WORD_MAX);
	}
	if (!is_wide(written.data, written.len)) {
		buf_printf(out, "Final-Recipient: rfc822; %s\n", written.data);
	} else {
		write_xtext(&coded, written.data);
		if (coded.len > WORD_MAX) {
			buf_clear(&written);
			buf_clear(&coded);
			text_clean(&written, addr, strlen(addr), WORD_MAX / 7);
			write_xtext(&coded, written.data);
		}
		buf_printf(out, "Final-Recipient: utf-8; %s\n", coded.data);
	}
	buf_free(&coded);
	buf_free(&written);
}

/* ---- the three parts ---- */

/* What a server said, cleaned; never NULL, "" for nothing. The caller frees it. */
static char *
clean_reply(const char *reply)
{
	return reply != NULL ? text_cleaned(reply, strlen(reply), TEXT_BOUNCE_MAX)
			     : text_cleaned("", 0, 0);
}

static void
write_human(struct buf *out, const struct dsn *dsn)
{
	const struct envelope *e = dsn->envelope;

	buf_printf(out,
	    "This is the mail system at host %s.\n"
	    "\n"
	    "Your message could not be delivered to the recipients below. A mail server\n"
	    "refused it for good, so it will not be tried again. Its other recipients, "
	    "if\n"
	    "there are any, are not affected. Please do not reply to this mail.\n",
	    identity_hostname(dsn->identity));
	for (size_t i = 0; i < e->n; i++) {
		char *reply;

		if (e->rcpts[i].state != RCPT_REFUSED)
			continue;
		buf_str(out, "\n<");
		text_clean(out, e->rcpts[i].addr, strlen(e->rcpts[i].addr), WORD_MAX);
		buf_str(out, ">:\n    ");
		reply = clean_reply(e->rcpts[i].reply);
		fold(out, 4, "    ",
		    *reply != '\0' ? reply : "The server gave no reason.");
		buf_byte(out, '\n');
		free(reply);
	}
}

static void
write_status(struct buf *out, const struct dsn *dsn)
{
	const struct envelope *e = dsn->envelope;

	buf_printf(out, "Reporting-MTA: dns; %s\n", identity_hostname(dsn->identity));
	for (size_t i = 0; i < e->n; i++) {
		char status[DSN_STATUS_MAX];
		size_t server;
		char *reply;
		const char *text;

		if (e->rcpts[i].state != RCPT_REFUSED)
			continue;
		reply = clean_reply(e->rcpts[i].reply);
		text = reply_text(reply, &server);
		dsn_status(reply, status);
		buf_byte(out, '\n');
		write_final_recipient(out, e->rcpts[i].addr);
		buf_printf(out, "Action: failed\nStatus: %s\n", status);
		write_remote(out, reply, server);
		write_diagnostic(out, text);
		free(reply);
	}
}

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
				len = whole_chars(s, n, WORD_MAX);
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
	if (n < 3 || n > WORD_MAX || s[0] != '<' || s[n - 1] != '>')
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
	const char *s = head->data;
	const char *end = head->data + head->len;
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
	const char *sender = dsn->envelope->sender;
	struct buf written = { 0 };
	struct buf line = { 0 };

	buf_printf(&line, "From: Mail Delivery System <MAILER-DAEMON@%s>",
	    identity_hostname(dsn->identity));
	push(h, &line);
	address_write(&written, sender);
	if (fits_header(sender, &written))
		buf_printf(&line, "To: <%s>", written.data);
	else
		buf_str(&line, "To: undisclosed-recipients:;");
	push(h, &line);
	buf_str(&line, "Subject: Undelivered Mail Returned to Sender");
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
	bool wide = is_wide(part->data, part->len);

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

	write_human(&human, dsn);
	write_status(&status, dsn);
	write_original(&original, dsn->head);
	push_fields(&header, dsn,
	    is_wide(human.data, human.len) || is_wide(original.data, original.len));
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
