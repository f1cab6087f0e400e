/*
 * qmtp_reader_next() of qmtp/qmtp_reader.h. First byte: where the input is cut. The rest: what a
 * client sends, packages one behind the other.
 *
 * Read in pieces it must come to the same; and packages have one form only, so that what
 * was read, written again, is what came.
 */
#include <string.h>

#include "fuzz.h"
#include "qmtp/qmtp_reader.h"

/* What was read, in words that do not tell where it was cut. */
struct told {
	struct buf words;
	struct buf form;  /* the packages that were read, written again */
	struct buf field; /* that is being read */
	struct buf message, sender, rcpts;
	uint64_t size;
	bool broken;
};

static void
netstring(struct buf *b, const struct buf *content)
{
	buf_printf(b, "%zu:", content->len);
	buf_add(b, content->data, content->len);
	buf_byte(b, ',');
}

/* A field is complete: into its place. */
static void
end_field(struct told *t, enum qmtp_item item)
{
	buf_printf(&t->words, "%d=", (int)item);
	buf_add(&t->words, t->field.data, t->field.len);
	if (item == QMTP_RCPT)
		netstring(&t->rcpts, &t->field);
	else if (item == QMTP_SENDER)
		buf_add(&t->sender, t->field.data, t->field.len);
	else
		buf_add(&t->message, t->field.data, t->field.len);
	buf_clear(&t->field);
}

static void
end_package(struct told *t)
{
	must(t->message.len == t->size + 1, "the size that was announced");
	netstring(&t->form, &t->message);
	netstring(&t->form, &t->sender);
	netstring(&t->form, &t->rcpts);
	buf_clear(&t->message);
	buf_clear(&t->sender);
	buf_clear(&t->rcpts);
	buf_str(&t->words, "END");
}

static void
tell(struct told *t, enum qmtp_item item, const struct qmtp_piece *piece)
{
	switch (item) {
	case QMTP_BEGIN:
		t->size = piece->size;
		must(piece->size < 1000000000000000000, "below 10^18");
		buf_printf(&t->words, "BEGIN %llu", (unsigned long long)piece->size);
		break;
	case QMTP_CODE:
		must(piece->len == 1 && piece->last, "a code is one byte");
		buf_add(&t->field, piece->data, piece->len);
		end_field(t, item);
		break;
	case QMTP_TEXT:
	case QMTP_SENDER:
	case QMTP_RCPT:
		buf_add(&t->field, piece->data, piece->len);
		if (piece->last)
			end_field(t, item);
		break;
	case QMTP_END:
		end_package(t);
		break;
	default:
		buf_str(&t->words, "BROKEN");
		t->broken = true;
	}
}

/* Read on; returns whether the reader can. */
static bool
feed(struct qmtp_reader *r, struct told *t, const char *data, size_t n)
{
	const char *begin = data, *end = data + n;
	struct qmtp_piece piece;
	enum qmtp_item item;

	while ((item = qmtp_reader_next(r, &data, &n, &piece)) != QMTP_MORE) {
		must(data + n == end, "the input moves forward");
		must(piece.data >= begin && piece.data + piece.len <= data,
		    "a piece lies in the input");
		tell(t, item, &piece);
		if (item == QMTP_BROKEN)
			return false;
	}
	must(n == 0, "all input is used up");
	return true;
}

/* What some bytes are. */
enum verdict { WHOLE, CUT, WRONG };

/*
 * The netstring at *at, of which there are *n bytes: *content of *len bytes, of which
 * *there are there. Moves behind it when it is whole.
 */
static enum verdict
judge_netstring(
    const char **at, size_t *n, const char **content, uint64_t *len, size_t *there)
{
	size_t digits = 0;

	*len = 0;
	*there = 0;
	while (digits < *n && (*at)[digits] >= '0' && (*at)[digits] <= '9') {
		if (digits == 18 || (digits == 1 && (*at)[0] == '0'))
			return WRONG;
		*len = *len * 10 + (uint64_t)((*at)[digits++] - '0');
	}
	if (digits == *n)
		return CUT;
	if (digits == 0 || (*at)[digits] != ':')
		return WRONG;
	*content = *at + digits + 1;
	*there = *n - digits - 1;
	if (*there <= *len)
		return CUT;
	*there = (size_t)*len;
	if ((*content)[*len] != ',')
		return WRONG;
	*at = *content + *len + 1;
	*n -= digits + *len + 2;
	return WHOLE;
}

/* The recipients at *at, in a list of size bytes, of which there are n. */
static enum verdict
judge_list(const char *at, size_t n, uint64_t size)
{
	const char *end = at + n;

	while (n > 0) {
		const char *begin = at, *content = NULL;
		uint64_t len;
		size_t there;
		enum verdict v = judge_netstring(&at, &n, &content, &len, &there);

		if (content != NULL && len >= size - (uint64_t)(content - begin))
			return WRONG; /* with its comma it is more than the list */
		if (v == CUT && content == NULL && (uint64_t)(end - begin) == size)
			return WRONG;
		if (v != WHOLE)
			return v;
		size -= (uint64_t)(at - begin);
	}
	return WHOLE;
}

/* What all of the input is: CUT: more must come. */
static enum verdict
judge(const char *at, size_t n)
{
	while (n > 0) {
		const char *content = NULL;
		enum verdict v, list;
		uint64_t len;
		size_t there;

		v = judge_netstring(&at, &n, &content, &len, &there);
		if (content != NULL && len == 0)
			return WRONG; /* a message has its encoding byte */
		if (v == WHOLE)
			v = judge_netstring(&at, &n, &content, &len, &there);
		if (v != WHOLE)
			return v;
		content = NULL;
		v = judge_netstring(&at, &n, &content, &len, &there);
		list = content == NULL ? v : judge_list(content, there, len);
		if (v != WHOLE || list != WHOLE)
			return list == WRONG ? WRONG : v;
	}
	return WHOLE;
}

static void
told_free(struct told *t)
{
	buf_free(&t->words);
	buf_free(&t->form);
	buf_free(&t->field);
	buf_free(&t->message);
	buf_free(&t->sender);
	buf_free(&t->rcpts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told whole = { 0 }, pieces = { 0 };
	struct qmtp_reader r;
	const char *text = (const char *)data + 1;
	size_t n = size - 1;
	unsigned cut;

	if (size == 0)
		return 0;
	qmtp_reader_init(&r);
	feed(&r, &whole, text, n);
	must(whole.form.len <= n &&
		(whole.form.len == 0 ||
		    memcmp(whole.form.data, text, whole.form.len) == 0),
	    "a package has one form");
	must(whole.broken == (judge(text, n) == WRONG), "broken is what is no package");
	must(whole.broken || qmtp_reader_idle(&r) == (whole.form.len == n),
	    "idle between packages and nowhere else");
	if (whole.broken) {
		struct qmtp_piece piece;
		const char *more = "1:K,";
		size_t four = 4;

		must(qmtp_reader_next(&r, &more, &four, &piece) == QMTP_BROKEN,
		    "what is broken stays broken");
	}

	qmtp_reader_init(&r);
	cut = data[0];
	for (size_t i = 0, step; i < n; i += step) {
		cut = cut * 1103515245 + 12345;
		step = 1 + (cut >> 16) % 8;
		if (step > n - i)
			step = n - i;
		if (!feed(&r, &pieces, text + i, step))
			break;
	}
	must(same_bytes(&whole.words, &pieces.words), "in pieces as in one");
	told_free(&whole);
	told_free(&pieces);
	return 0;
}
