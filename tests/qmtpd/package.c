#include "package.h"

#include <string.h>

#include "qmtp/qmtp.h"
#include "reply.h"

#define ADDRESS_KEPT 65536
#define RCPTS_MAX 1000000

typedef unsigned long long ull;

/* A store that cannot be written is the end of the server. */
static void
check(struct conn *c, int result)
{
	if (result < 0)
		c->world->failed = true;
}

static void
keep(struct conn *c, enum part part, const void *data, size_t len)
{
	if (!c->world->failed)
		check(c,
		    record_add(
			&c->world->store, &c->record, part, data, len, &c->world->err));
}

void
package_break(struct conn *c, const char *why)
{
	struct world *w = c->world;
	uint64_t came = c->received - c->package_start;
	struct buf text = { 0 };

	if (came == 0)
		return;
	w->packages++;
	journal_event(&w->journal, c->id, "broken", c->received,
	    " package=%llu number=%llu came=%llu why=%s", (ull)c->package,
	    (ull)w->packages, (ull)came, why);
	buf_printf(&text, "connection %llu\npackage %llu\nbytes %llu\nwhy %s\n",
	    (ull)c->id, (ull)c->package, (ull)came, why);
	if (!w->failed)
		check(c,
		    record_break(&w->store, &c->record, w->packages, text.data, &w->err));
	buf_free(&text);
	c->package_start = c->received;
}

/* A piece of an address. Returns whether it is complete in c->addr. */
static bool
address(struct conn *c, const struct qmtp_piece *piece)
{
	size_t room = ADDRESS_KEPT - c->addr.len;

	buf_add(&c->addr, piece->data, piece->len < room ? piece->len : room);
	return piece->last;
}

static void
recipient(struct conn *c)
{
	unsigned char verdict = script_verdict(c->script, c->addr.data);

	buf_byte(&c->coming->verdicts, (char)verdict);
	buf_byte(&c->addr, '\n');
	keep(c, PART_RCPTS, c->addr.data, c->addr.len);
	if (script_letter(c->script, verdict) == 'K')
		keep(c, PART_ACCEPTED, c->addr.data, c->addr.len);
	buf_clear(&c->addr);
}

/* All of a complete package that is not on record yet. */
static void
commit(struct conn *c, const struct answers *a)
{
	struct world *w = c->world;
	uint64_t accepted = answers_accepted(a);
	struct buf text = { 0 };

	journal_event(&w->journal, c->id, "package", c->received,
	    " package=%llu number=%llu size=%llu rcpts=%zu accepted=%llu",
	    (ull)c->package, (ull)a->number, (ull)c->size, a->verdicts.len,
	    (ull)accepted);
	if (!store_keeps(&w->store))
		return;
	if (accepted == 0)
		check(c, record_clear(&c->record, PART_ACCEPTED, &w->err));
	for (uint64_t i = 0; i < a->total && !w->failed; i++) {
		buf_clear(&text);
		answers_text(a, i, &text);
		if (a->script->raw.data == NULL)
			buf_byte(&text, '\n');
		keep(c, PART_ANSWERS, text.data, text.len);
	}
	buf_clear(&text);
	buf_printf(&text,
	    "connection %llu\npackage %llu\nbytes %llu\nencoding %02x\nmessage %llu\n"
	    "recipients %zu\naccepted %llu\nanswers %llu\n",
	    (ull)c->id, (ull)c->package, (ull)(c->received - c->package_start),
	    (unsigned)(unsigned char)c->code, (ull)c->size, a->verdicts.len,
	    (ull)accepted, (ull)a->total);
	if (!w->failed)
		check(c,
		    record_commit(&w->store, &c->record, a->number, text.data, &w->err));
	buf_free(&text);
}

static void
end(struct conn *c, int64_t now)
{
	const struct script *s = c->script;

	c->coming->package = c->package;
	answers_decide(c->coming, s, ++c->world->packages);
	commit(c, c->coming);
	c->package++;
	c->package_start = c->received;
	c->script = scripts_select(c->world->scripts, c->id, c->package);
	if (s->early_place.kind == PLACE_LAST)
		conn_speak_early(c);
	if (c->script->per_package || c->script->early_place.kind != PLACE_BYTE)
		c->early_done = false;
	if (s->cut_place.kind == PLACE_LAST) {
		answers_clear(c->coming);
		conn_act(c, s->cut, now);
	} else {
		reply_add(c, now);
	}
}

/* What follows would never end well: a word if mailfront would have one, and out. */
static void
reject(struct conn *c, const char *word, const char *why, int64_t now)
{
	if (c->script->mailfront)
		wire_add(&c->wire, word, strlen(word), c->script->drip);
	conn_conclude(c, why);
	wire_end(&c->wire, ACT_DROP, now);
}

/* Returns whether to read on. */
static bool
item(struct conn *c, enum qmtp_item what, const struct qmtp_piece *piece, int64_t now)
{
	switch (what) {
	case QMTP_BEGIN:
		c->size = piece->size;
		journal_event(&c->world->journal, c->id, "begin", c->received,
		    " package=%llu size=%llu", (ull)c->package, (ull)c->size);
		return true;
	case QMTP_CODE:
		c->code = piece->data[0];
		if (c->code == QMTP_LF || (c->code == QMTP_CRLF && !c->script->mailfront))
			return true;
		reject(c, "20:Zencoding is refused,", "refused encoding", now);
		return false;
	case QMTP_TEXT:
		keep(c, PART_MESSAGE, piece->data, piece->len);
		return true;
	case QMTP_SENDER:
		if (address(c, piece)) {
			keep(c, PART_SENDER, c->addr.data, c->addr.len);
			buf_clear(&c->addr);
		}
		return true;
	case QMTP_RCPT:
		if (address(c, piece))
			recipient(c);
		if (c->coming->verdicts.len <= RCPTS_MAX)
			return true;
		reject(c, "20:Ztoo many recipients,", "too many recipients", now);
		return false;
	case QMTP_END:
		end(c, now);
		return false;
	case QMTP_BROKEN:
		reject(c, "14:Znot a package,", "not a package", now);
		return false;
	case QMTP_MORE:
		break;
	}
	return false;
}

size_t
package_read(struct conn *c, const char *data, size_t len, int64_t now)
{
	const char *p = data;
	enum qmtp_item what;
	struct qmtp_piece piece;

	do {
		const char *before = p;

		what = qmtp_reader_next(&c->reader, &p, &len, &piece);
		c->received += (uint64_t)(p - before);
	} while (item(c, what, &piece, now));
	return (size_t)(p - data);
}
