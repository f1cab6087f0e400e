/*
 * The strict reader of packages (QMTP §4): three netstrings, the third full of
 * netstrings. Inside the list each step sees no more input than the list has left, so
 * that a recipient cannot reach beyond it.
 */
#include "qmtp/netstring.h"
#include "qmtp/qmtp_reader.h"

enum {
	MESSAGE_LENGTH,
	MESSAGE_CODE,
	MESSAGE_TEXT,
	MESSAGE_COMMA,
	SENDER_LENGTH,
	SENDER_CONTENT,
	SENDER_COMMA,
	LIST_LENGTH,
	RCPT_LENGTH,
	RCPT_CONTENT,
	RCPT_COMMA,
	LIST_COMMA,
	DEAD
};

void
qmtp_reader_init(struct qmtp_reader *r)
{
	*r = (struct qmtp_reader){ .state = MESSAGE_LENGTH };
}

bool
qmtp_reader_idle(const struct qmtp_reader *r)
{
	return r->state == MESSAGE_LENGTH && r->outer.state == QMTP__FRESH;
}

int
qmtp_reader_skip(struct qmtp_reader *r, uint64_t n)
{
	if (r->state != MESSAGE_TEXT || n > r->outer.left)
		return -1;
	r->outer.left -= n;
	return 0;
}

static enum qmtp_item
broken(struct qmtp_reader *r)
{
	r->state = DEAD;
	return QMTP_BROKEN;
}

/* One step through the list of recipients with the input it may see. */
static enum qmtp__progress
list_step(
    struct qmtp_reader *r, const char **input, size_t *len, struct qmtp_piece *piece)
{
	size_t room = *len < r->outer.left ? *len : (size_t)r->outer.left, before = room;
	enum qmtp__progress p = QMTP__COMPLETE;

	if (r->state == RCPT_LENGTH)
		p = qmtp__netstring_length(&r->inner, input, &room);
	else if (r->state == RCPT_CONTENT)
		piece->len =
		    qmtp__netstring_content(&r->inner, input, &room, &piece->data);
	else
		p = qmtp__netstring_comma(&r->inner, input, &room);
	*len -= before - room;
	r->outer.left -= before - room;
	if (p == QMTP__WANT_MORE && r->outer.left == 0)
		return QMTP__WRONG;
	return p;
}

static enum qmtp_item
next_in_list(
    struct qmtp_reader *r, const char **input, size_t *len, struct qmtp_piece *piece)
{
	enum qmtp__progress p;

	if (r->state == RCPT_CONTENT && *len == 0 && r->inner.left > 0)
		return QMTP_MORE;
	p = list_step(r, input, len, piece);
	if (p == QMTP__WRONG)
		return broken(r);
	if (p == QMTP__WANT_MORE)
		return QMTP_MORE;
	if (r->state == RCPT_LENGTH) {
		if (r->inner.left >= r->outer.left) /* its comma too must fit */
			return broken(r);
		r->state = RCPT_CONTENT;
		return QMTP_MORE;
	}
	if (r->state == RCPT_CONTENT) {
		piece->last = r->inner.left == 0;
		if (piece->last)
			r->state = RCPT_COMMA;
		return QMTP_RCPT;
	}
	r->state = r->outer.left > 0 ? RCPT_LENGTH : LIST_COMMA;
	return QMTP_MORE;
}

/* Content of message or sender; the state behind it once it is complete. */
static enum qmtp_item
content(struct qmtp_reader *r, enum qmtp_item item, int behind, const char **input,
    size_t *len, struct qmtp_piece *piece)
{
	if (*len == 0 && r->outer.left > 0)
		return QMTP_MORE;
	piece->len = qmtp__netstring_content(&r->outer, input, len, &piece->data);
	piece->last = r->outer.left == 0;
	if (piece->last)
		r->state = behind;
	return item;
}

/* A length or a comma; the state behind it once it is complete. */
static enum qmtp_item
mark(struct qmtp_reader *r, enum qmtp__progress p, int behind)
{
	if (p == QMTP__WRONG)
		return broken(r);
	if (p == QMTP__COMPLETE)
		r->state = behind;
	return QMTP_MORE;
}

static enum qmtp_item
step(struct qmtp_reader *r, const char **input, size_t *len, struct qmtp_piece *piece)
{
	struct qmtp_netstring *n = &r->outer;
	enum qmtp_item item;

	switch (r->state) {
	case MESSAGE_LENGTH:
		item = mark(r, qmtp__netstring_length(n, input, len), MESSAGE_CODE);
		if (r->state != MESSAGE_CODE)
			return item;
		if (n->left == 0)
			return broken(r);
		piece->size = n->left - 1;
		return QMTP_BEGIN;
	case MESSAGE_CODE:
		if (*len == 0)
			return QMTP_MORE;
		r->state = MESSAGE_TEXT;
		piece->data = *input;
		piece->len = 1;
		piece->last = true;
		(*input)++;
		(*len)--;
		n->left--;
		return QMTP_CODE;
	case MESSAGE_TEXT:
		return content(r, QMTP_TEXT, MESSAGE_COMMA, input, len, piece);
	case MESSAGE_COMMA:
		return mark(r, qmtp__netstring_comma(n, input, len), SENDER_LENGTH);
	case SENDER_LENGTH:
		return mark(r, qmtp__netstring_length(n, input, len), SENDER_CONTENT);
	case SENDER_CONTENT:
		return content(r, QMTP_SENDER, SENDER_COMMA, input, len, piece);
	case SENDER_COMMA:
		return mark(r, qmtp__netstring_comma(n, input, len), LIST_LENGTH);
	case LIST_LENGTH:
		item = mark(r, qmtp__netstring_length(n, input, len), RCPT_LENGTH);
		if (r->state == RCPT_LENGTH && n->left == 0)
			r->state = LIST_COMMA;
		return item;
	case RCPT_LENGTH:
	case RCPT_CONTENT:
	case RCPT_COMMA:
		return next_in_list(r, input, len, piece);
	case LIST_COMMA:
		item = mark(r, qmtp__netstring_comma(n, input, len), MESSAGE_LENGTH);
		return r->state == MESSAGE_LENGTH ? QMTP_END : item;
	default:
		return QMTP_BROKEN;
	}
}

enum qmtp_item
qmtp_reader_next(
    struct qmtp_reader *r, const char **input, size_t *len, struct qmtp_piece *piece)
{
	enum qmtp_item item;
	int before;

	do {
		before = r->state;
		*piece = (struct qmtp_piece){ .data = *input };
		item = step(r, input, len, piece);
	} while (item == QMTP_MORE && r->state != before);
	return item;
}
