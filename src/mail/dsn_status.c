#include "mail/dsn_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/dsn_line.h"
#include "mail/rewrite.h"
#include "util/text.h"

static const struct {
	const char *action;
	const char *classes; /* of the codes that are believed */
	const char *none;    /* the code when a server gave none */
} kinds[] = {
	[DSN_FAILED] = { "failed", "5", "5.0.0" },
	[DSN_EXPIRED] = { "failed", "45", "4.4.7" },
	[DSN_DELAYED] = { "delayed", "4", "4.0.0" },
};

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

/*
 * How many bytes of s are an RFC 3463 §2 code of one of the classes, standing alone; 0 if
 * none.
 */
static size_t
status_length(const char *s, const char *classes)
{
	size_t len = 1;

	if (*s == '\0' || strchr(classes, *s) == NULL)
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		if (s[len++] != '.')
			return 0;
		while (dsn_is_digit(s[len + digits]))
			digits++;
		if (digits == 0 || digits > 3)
			return 0;
		len += digits;
	}
	if (dsn_is_alnum(s[len]) || (s[len] == '.' && dsn_is_alnum(s[len + 1])))
		return 0; /* an address or a version */
	return len;
}

/* The first code in a reply, best with a '#'; none if there is none. */
static void
find_status(
    const char *reply, const char *classes, const char *none, char status[DSN_STATUS_MAX])
{
	size_t server;
	const char *text = reply_text(reply, &server);
	const char *found = NULL;

	for (const char *s = text; *s != '\0'; s++) {
		if (status_length(s, classes) == 0)
			continue;
		if (s > text && s[-1] == '#') {
			found = s;
			break;
		}
		if (found == NULL &&
		    (s == text || (!dsn_is_alnum(s[-1]) && s[-1] != '.')))
			found = s;
	}
	snprintf(status, DSN_STATUS_MAX, "%.*s",
	    found != NULL ? (int)status_length(found, classes) : 5,
	    found != NULL ? found : none);
}

void
dsn_status(const char *reply, char status[DSN_STATUS_MAX])
{
	find_status(reply, "5", "5.0.0", status);
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
	    (dsn_is_alnum(server[len]) || server[len] == '-' || server[len] == '.')) {
		dot = dot || server[len] == '.';
		letter = letter || !(dsn_is_digit(server[len]) || server[len] == '.');
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
	dsn_fold(out, sizeof(name), " ", ascii.data != NULL ? ascii.data : "");
	buf_byte(out, '\n');
	buf_free(&ascii);
}

/* ---- addresses ---- */

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
	if (!dsn_fits_header(addr, &written)) {
		buf_clear(&written);
		text_clean(&written, addr, strlen(addr), DSN_WORD_MAX);
	}
	if (!dsn_is_wide(written.data, written.len)) {
		buf_printf(out, "Final-Recipient: rfc822; %s\n", written.data);
	} else {
		write_xtext(&coded, written.data);
		if (coded.len > DSN_WORD_MAX) {
			buf_clear(&written);
			buf_clear(&coded);
			text_clean(&written, addr, strlen(addr), DSN_WORD_MAX / 7);
			write_xtext(&coded, written.data);
		}
		buf_printf(out, "Final-Recipient: utf-8; %s\n", coded.data);
	}
	buf_free(&coded);
	buf_free(&written);
}

/* ---- the part ---- */

void
dsn_status_write(struct buf *out, const struct dsn *dsn)
{
	const struct envelope *e = dsn->envelope;

	buf_printf(out, "Reporting-MTA: dns; %s\n", identity_hostname(dsn->identity));
	for (size_t i = 0; i < e->n; i++) {
		char status[DSN_STATUS_MAX];
		size_t server;
		char *reply;
		const char *text;

		if (!dsn_concerns(dsn, i))
			continue;
		reply = dsn_reply(dsn, i);
		text = reply_text(reply, &server);
		find_status(
		    reply, kinds[dsn->kind].classes, kinds[dsn->kind].none, status);
		buf_byte(out, '\n');
		write_final_recipient(out, e->rcpts[i].addr);
		buf_printf(
		    out, "Action: %s\nStatus: %s\n", kinds[dsn->kind].action, status);
		write_remote(out, reply, server);
		write_diagnostic(out, text);
		if (dsn->kind == DSN_DELAYED) {
			buf_str(out, "Will-Retry-Until: ");
			rewrite_date(out, dsn->until);
			buf_byte(out, '\n');
		}
		free(reply);
	}
}
