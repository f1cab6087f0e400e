#include "conn.h"

#include <stdlib.h>
#include <string.h>

#include "package.h"
#include "reply.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define READ_MAX 262144
#define WAITING_MAX 10000 /* packages that wait for their answers */
#define ROUNDS 16         /* reads before the others have their turn */

struct conn *
conn_new(struct world *world, uint64_t id, int in, int out, int64_t now)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->world = world;
	c->id = id;
	c->record.conn = id;
	c->package = 1;
	c->script = scripts_select(world->scripts, id, 1);
	c->start = now + (int64_t)c->script->connect_delay;
	c->coming = answers_new();
	qmtp_reader_init(&c->reader);
	wire_init(&c->wire, in, out);
	journal_event(&world->journal, id, "connect", 0, "%s", "");
	return c;
}

void
conn_free(struct conn *c)
{
	record_drop(&c->world->store, &c->record);
	reply_drop(c);
	answers_free(c->coming);
	wire_free(&c->wire);
	buf_free(&c->input);
	buf_free(&c->addr);
	buf_free(&c->scratch);
	free(c);
}

void
conn_conclude(struct conn *c, const char *why)
{
	if (c->why != NULL)
		return;
	c->why = why;
	package_break(c, why);
	reply_drop(c);
	buf_free(&c->input);
	journal_event(&c->world->journal, c->id, "end", c->received,
	    " packages=%llu answers=%llu why=%s", (unsigned long long)c->package - 1,
	    (unsigned long long)c->answered, why);
}

void
conn_abandon(struct conn *c, const char *why)
{
	conn_conclude(c, why);
	c->over = true;
}

void
conn_hangup(struct conn *c)
{
	if (c->stalled || c->wire.ending != ACT_NONE)
		conn_abandon(c, "peer closed");
}

void
conn_act(struct conn *c, enum action action, int64_t now)
{
	static const char *const words[] = {
		[ACT_CLOSE] = "closed", [ACT_RESET] = "reset", [ACT_DROP] = "dropped"
	};

	if (c->why != NULL || c->stalled || action == ACT_NONE)
		return;
	if (action == ACT_STALL) {
		c->stalled = true;
		reply_drop(c);
		journal_event(&c->world->journal, c->id, "stall", c->received, "%s", "");
		return;
	}
	conn_conclude(c, words[action]);
	wire_end(&c->wire, action, now);
}

static bool
may_look(const struct conn *c)
{
	return c->why == NULL && !c->stalled && c->begun &&
	    wire_waiting(&c->wire) < REPLY_OUTPUT_MAX && c->waiting < WAITING_MAX &&
	    !(c->script->serial && c->first != NULL);
}

bool
conn_wants_in(const struct conn *c)
{
	if (c->wire.shut)
		return true;
	return may_look(c) && !c->eof && c->input.len == 0;
}

int64_t
conn_deadline(const struct conn *c)
{
	int64_t when = wire_deadline(&c->wire);

	if (!c->begun)
		return clock_earlier(when, c->start);
	if (c->first != NULL && wire_waiting(&c->wire) < REPLY_OUTPUT_MAX)
		when = clock_earlier(when, c->first->due);
	if (c->input.len > 0 && may_look(c))
		when = 0;
	return when;
}

/* Bytes from here to a place of the script that is counted in bytes, at most len. */
static size_t
up_to(const struct conn *c, const struct place *place, size_t len)
{
	uint64_t here = c->received - (c->script->per_package ? c->package_start : 0);

	if (place->kind != PLACE_BYTE || place->byte <= here || place->byte - here > len)
		return len;
	return (size_t)(place->byte - here);
}

static bool
at(const struct conn *c, const struct place *place)
{
	uint64_t here = c->received - (c->script->per_package ? c->package_start : 0);

	if (place->kind == PLACE_BEFORE_LAST)
		return frame_at_last(&c->frame);
	return place->kind == PLACE_BYTE && place->byte == here;
}

void
conn_speak_early(struct conn *c)
{
	const struct script *s = c->script;

	wire_add(&c->wire, s->early.data, s->early.len, s->drip);
	c->early_done = true;
	journal_event(
	    &c->world->journal, c->id, "early", c->received, " sent=%zu", s->early.len);
}

/* Where the script wanted to do something, it is done. */
static void
places(struct conn *c, int64_t now)
{
	if (c->why != NULL || c->stalled)
		return;
	if (!c->early_done && at(c, &c->script->early_place))
		conn_speak_early(c);
	if (at(c, &c->script->cut_place))
		conn_act(c, c->script->cut, now);
}

/* Look at input. Returns how much of it was used up. */
static size_t
look(struct conn *c, const char *data, size_t len, int64_t now)
{
	size_t done = 0;

	while (done < len && may_look(c)) {
		size_t room = up_to(c, &c->script->early_place, len - done);

		room = up_to(c, &c->script->cut_place, room);
		if (c->world->scripts->watch_last)
			room = frame_run(&c->frame, data + done, room);
		done += package_read(c, data + done, room, now);
		places(c, now);
	}
	return done;
}

/* Look at what had to wait. */
static void
look_again(struct conn *c, int64_t now)
{
	struct buf input = c->input;
	size_t done;

	c->input = (struct buf){ 0 };
	done = look(c, input.data, input.len, now);
	if (done < input.len && c->why == NULL)
		buf_add(&c->input, input.data + done, input.len - done);
	buf_free(&input);
}

/* Read once. Returns whether it is worth trying again. */
static bool
read_more(struct conn *c, int64_t now)
{
	static char bytes[READ_MAX];
	size_t want = up_to(c, &c->script->cut_place, sizeof(bytes)), done;
	ssize_t n = wire_read(&c->wire, bytes, want);

	if (n == WIRE_AGAIN)
		return false;
	if (n == WIRE_RESET) {
		conn_abandon(c, "peer reset");
		return false;
	}
	if (n == WIRE_EOF) {
		c->eof = true;
		package_break(c, "peer closed");
		return false;
	}
	done = look(c, bytes, (size_t)n, now);
	if (done < (size_t)n && c->why == NULL)
		buf_add(&c->input, bytes + done, (size_t)n - done);
	return (size_t)n == want;
}

/* Read and answer in turn. */
static void
converse(struct conn *c, int64_t now)
{
	bool more = true;

	for (int round = 0; more && round < ROUNDS && !c->over; round++) {
		if (may_look(c) && c->input.len > 0)
			look_again(c, now);
		else if (may_look(c) && !c->eof)
			more = read_more(c, now);
		else
			more = false;
		if (c->why == NULL)
			reply_make(c, now);
		journal_flush(&c->world->journal);
		wire_flush(&c->wire, now);
	}
	if (c->wire.gone)
		conn_abandon(c, "peer reset");
	else if (c->wire.ending == ACT_NONE && c->eof && c->input.len == 0 &&
	    c->first == NULL && wire_waiting(&c->wire) == 0)
		conn_abandon(c, "peer closed");
}

void
conn_step(struct conn *c, int64_t now)
{
	if (!c->begun && now < c->start)
		return;
	if (!c->begun) {
		c->begun = true;
		places(c, now); /* those at byte 0 */
	}
	converse(c, now);
	if (c->over || c->wire.ending == ACT_NONE)
		return;
	journal_flush(&c->world->journal);
	c->over = wire_ended(&c->wire, now);
	if (c->over && c->wire.swallowed > 0)
		journal_event(&c->world->journal, c->id, "swallowed", c->received,
		    " came=%llu", (unsigned long long)c->wire.swallowed);
}
