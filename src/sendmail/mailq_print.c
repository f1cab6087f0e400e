#include "sendmail/mailq_print.h"

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "sendmail/listed.h"
#include "spool/schedule.h"
#include "util/text.h"

#define ADDRESS_SHOWN (2 * ENTRY_ADDR_MAX + 2) /* with all its quotes */
#define REASON_COLUMN 76

static const char damage[] = "no message with its recipients; "
			     "the flusher moves it to corrupt/";

/* As RFC 5321 writes it, so that a blank in it ends no column. */
static void
add_address(struct buf *out, const char *addr)
{
	struct buf quoted = { 0 };

	if (*addr == '\0')
		return;
	address_write(&quoted, addr);
	text_clean(out, quoted.data, quoted.len, ADDRESS_SHOWN);
	buf_free(&quoted);
}

static void
add_sender(struct buf *out, const struct listing *l)
{
	if (*l->sender == '\0')
		buf_str(out, LISTED_NULL_SENDER);
	else
		add_address(out, l->sender);
}

/* asctime(3) without the year. */
static void
add_time(struct buf *out, time_t t)
{
	struct tm tm = { 0 };
	char text[32] = "";

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a %b %e %H:%M:%S", &tm);
	buf_str(out, text);
}

/* A damaged entry has no more than its name to tell when it came. */
static time_t
arrived(const struct listing *l)
{
	return l->damaged ? (time_t)strtoull(l->id, NULL, 16) : l->arrived;
}

/* The last words on the recipient at a position count; NULL: there are none. */
static const char *
words_on(const struct listing *l, size_t position)
{
	for (size_t i = l->nwords; i-- > 0;)
		if (l->words[i].from <= position && position <= l->words[i].to)
			return l->words[i].text;
	return NULL;
}

/* Not before this; servers that cannot be reached may make it later. */
static time_t
next_try(const struct listing *l, time_t now)
{
	struct entry e = {
		.arrived = l->arrived,
		.touched = l->tried,
		.rcpts = l->rcpts,
		.n = l->n,
		.state = l->state,
		.since = l->since,
		.fd = -1,
	};

	memcpy(e.id, l->id, sizeof(e.id));
	return schedule_when(&e, now);
}

static void
add_reason(struct buf *out, const char *text)
{
	struct buf clean = { 0 };

	text_clean(&clean, text, strlen(text), TEXT_LOG_MAX);
	if (clean.len == 0)
		buf_str(&clean, "reason unavailable");
	if (clean.len < REASON_COLUMN)
		buf_printf(out, "%*s", (int)(REASON_COLUMN - clean.len), "");
	buf_byte(out, '(');
	buf_add(out, clean.data, clean.len);
	buf_str(out, ")\n");
	buf_free(&clean);
}

static void
add_about(struct buf *out, const struct listing *l, time_t now)
{
	struct buf text = { 0 };

	if (*l->token != '\0')
		buf_printf(&text, "%s, ", l->token);
	buf_printf(&text, "uid %lu, next try ", (unsigned long)l->uid);
	add_time(&text, next_try(l, now));
	add_reason(out, text.data);
	buf_free(&text);
}

static void
add_recipients(struct buf *out, const struct listing *l)
{
	const char *before = "", *words;

	for (size_t i = 0; i < l->n; i++) {
		if (!listed_waits(&l->rcpts[i]))
			continue;
		words = words_on(l, i);
		if (words == NULL)
			words = "";
		if (strcmp(words, before) != 0)
			add_reason(out, words);
		before = words;
		buf_printf(out, "%-17s %8s %-19s ", "", "", "");
		add_address(out, l->rcpts[i].addr);
		buf_byte(out, '\n');
	}
}

void
mailq_text(struct buf *out, const struct listing *l, bool first, bool verbose, time_t now)
{
	if (first)
		buf_str(out,
		    "----Queue ID----- --Size-- ---Arrival Time---- "
		    "--Sender/Recipient------\n");
	else
		buf_byte(out, '\n');
	buf_printf(out, "%-17s %8llu ", l->id, (unsigned long long)l->size);
	add_time(out, arrived(l));
	buf_byte(out, ' ');
	if (l->damaged) {
		buf_str(out, "(damaged)\n");
		add_reason(out, damage);
		return;
	}
	add_sender(out, l);
	buf_byte(out, '\n');
	if (verbose)
		add_about(out, l, now);
	add_recipients(out, l);
}

void
mailq_text_end(struct buf *out, size_t n, uint64_t bytes, bool filtered)
{
	if (n == 0 && !filtered)
		buf_str(out, "Mail queue is empty\n");
	else
		buf_printf(out, "%s-- %llu Kbytes in %zu Request%s.\n", n > 0 ? "\n" : "",
		    (unsigned long long)(bytes / 1024), n, n == 1 ? "" : "s");
}

static void
add_string(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\":", name);
	text_json(out, value);
}

static void
add_json_address(struct buf *out, const char *name, const char *addr)
{
	struct buf text = { 0 };

	add_address(&text, addr);
	add_string(out, name, text.data);
	buf_free(&text);
}

static void
add_json_recipient(struct buf *out, const struct listing *l, size_t i)
{
	const struct entry_rcpt *rcpt = &l->rcpts[i];
	const char *words = words_on(l, i);
	struct buf clean = { 0 };

	buf_byte(out, '{');
	add_json_address(out, "address", rcpt->addr);
	if (words != NULL && *words != '\0') {
		text_clean(&clean, words, strlen(words), TEXT_LOG_MAX);
		buf_byte(out, ',');
		add_string(out, "delay_reason", clean.data);
	}
	buf_printf(out, ",\"state\":\"%s\",\"state_time\":%lld}",
	    rcpt->state == '?' ? "in doubt" : "pending", (long long)rcpt->when);
	buf_free(&clean);
}

static void
add_json_recipients(struct buf *out, const struct listing *l)
{
	bool any = false;

	buf_str(out, ",\"recipients\":[");
	for (size_t i = 0; i < l->n; i++) {
		if (!listed_waits(&l->rcpts[i]))
			continue;
		if (any)
			buf_byte(out, ',');
		any = true;
		add_json_recipient(out, l, i);
	}
	buf_byte(out, ']');
}

static size_t
count(const struct listing *l, char state)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->rcpts[i].state == state;
	return n;
}

/* Whether anybody was spoken to about it. */
static bool
was_tried(const struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->rcpts[i].state != 'P' || l->rcpts[i].when != l->arrived)
			return true;
	return l->nwords > 0;
}

/* What is ours and not in Postfix's. */
static void
add_json_more(struct buf *out, const struct listing *l, time_t now)
{
	buf_byte(out, ',');
	add_string(out, "token", *l->token != '\0' ? l->token : NULL);
	buf_printf(out, ",\"uid\":%lu,\"state\":\"%s\",\"state_time\":%lld",
	    (unsigned long)l->uid,
	    l->state == 'W'       ? "warned"
		: l->state == 'E' ? "expiring"
				  : "pending",
	    (long long)l->since);
	buf_printf(out, ",\"accepted\":%zu,\"refused\":%zu,\"next_try\":%lld",
	    count(l, 'K'), count(l, 'D'), (long long)next_try(l, now));
}

void
mailq_json(struct buf *out, const struct listing *l, time_t now)
{
	buf_printf(out,
	    "{\"queue_name\":\"%s\",\"queue_id\":\"%s\",\"arrival_time\":%lld,"
	    "\"message_size\":%llu",
	    l->damaged         ? "corrupt"
		: was_tried(l) ? "deferred"
			       : "incoming",
	    l->id, (long long)arrived(l), (unsigned long long)l->size);
	if (!l->damaged) {
		struct buf sender = { 0 };

		add_sender(&sender, l);
		buf_byte(out, ',');
		add_string(out, "sender", sender.data);
		buf_free(&sender);
		add_json_recipients(out, l);
		add_json_more(out, l, now);
	} else {
		buf_str(out, ",\"sender\":\"\",\"recipients\":[]");
	}
	buf_str(out, "}\n");
}
