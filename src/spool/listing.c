#include "spool/listing.h"

#include <stdlib.h>
#include <string.h>

#include "spool/words.h"
#include "util/xalloc.h"

/* The lines of an entry, in the order they have; what was seen is a set of them. */
enum {
	ENTRY = 1u << 0,
	UID = 1u << 1,
	SIZE = 1u << 2,
	ARRIVED = 1u << 3,
	TRIED = 1u << 4,
	STATE = 1u << 5,
	TOKEN = 1u << 6,
	SENDER = 1u << 7,
	RCPT = 1u << 8,
	WORDS = 1u << 9,
	END = 1u << 10,
	DONE = 1u << 11
};
#define NEEDED (ENTRY | UID | SIZE | ARRIVED | TRIED | STATE | SENDER | RCPT)

/* A number and what ends it. By hand: lists are long, and printf is slow. */
static void
add_number(struct buf *out, uint64_t n, char end)
{
	char digits[24];
	size_t k = sizeof(digits);

	digits[--k] = end;
	do
		digits[--k] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_add(out, digits + k, sizeof(digits) - k);
}

/* A time before 1970 is one of a name that nobody of ours gave. */
static void
add_time(struct buf *out, time_t t, char end)
{
	add_number(out, t < 0 ? 0 : (uint64_t)t, end);
}

static void
add_text(struct buf *out, const char *keyword, const char *text)
{
	buf_str(out, keyword);
	buf_str(out, text);
	buf_byte(out, '\n');
}

static void
add_state(struct buf *out, const char *keyword, char state, time_t when, char end)
{
	buf_str(out, keyword);
	buf_byte(out, state);
	buf_byte(out, ' ');
	add_time(out, when, end);
}

static void
add_words(void *arg, size_t from, size_t to, const char *text, time_t when)
{
	struct buf *out = arg;

	(void)when;
	buf_str(out, "words ");
	add_number(out, from, ' ');
	add_number(out, to, ' ');
	add_text(out, "", text);
}

void
listing_write(struct buf *out, const struct entry *e, const char *token)
{
	add_text(out, "entry ", e->id);
	buf_str(out, "uid ");
	add_number(out, e->owner, '\n');
	buf_str(out, "size ");
	add_number(out, e->length, '\n');
	buf_str(out, "arrived ");
	add_time(out, e->arrived, '\n');
	buf_str(out, "tried ");
	add_time(out, e->touched, '\n');
	add_state(out, "state ", e->state, e->since, '\n');
	if (*token != '\0')
		add_text(out, "token ", token);
	add_text(out, "sender ", e->sender);
	for (size_t i = 0; i < e->n; i++) {
		add_state(out, "rcpt ", e->rcpts[i].state, e->rcpts[i].when, ' ');
		add_text(out, "", e->rcpts[i].addr);
	}
	words_read(e, add_words, out);
	buf_str(out, "end\n");
}

void
listing_write_damaged(struct buf *out, const char *id)
{
	buf_printf(out, "damaged %s\n", id);
}

void
listing_write_done(struct buf *out, size_t n)
{
	buf_printf(out, "done %zu\n", n);
}

/* Ready for the next entry; the memory goes. */
static void
forget(struct listing *l)
{
	struct listing next = { .told = l->told };

	for (size_t i = 0; i < l->n; i++)
		free(l->rcpts[i].addr);
	for (size_t i = 0; i < l->nwords; i++)
		free(l->words[i].text);
	free(l->rcpts);
	free(l->words);
	free(l->sender);
	*l = next;
}

/* A decimal number of the form in which it was written, up to the character end. */
static bool
take_number(const char **p, char end, uint64_t *n)
{
	const char *s = *p;

	for (*n = 0; *s >= '0' && *s <= '9'; s++) {
		if (*n > (INT64_MAX - (uint64_t)(*s - '0')) / 10)
			return false;
		*n = *n * 10 + (uint64_t)(*s - '0');
	}
	if (s == *p || *s != end || (**p == '0' && s != *p + 1))
		return false;
	*p = s + (end != '\0');
	return true;
}

static bool
take_time(const char **p, char end, time_t *t)
{
	uint64_t n;

	if (!take_number(p, end, &n))
		return false;
	*t = (time_t)n;
	return true;
}

/* "L N", up to the character end. */
static bool
take_state(const char **p, const char *letters, char *state, char end, time_t *when)
{
	if (**p == '\0' || strchr(letters, **p) == NULL || (*p)[1] != ' ')
		return false;
	*state = **p;
	*p += 2;
	return take_time(p, end, when);
}

static bool
take_id(struct listing *l, const char *value)
{
	if (!spool_is_id(value))
		return false;
	memcpy(l->id, value, strlen(value) + 1);
	return true;
}

static bool
take_uid(struct listing *l, const char *value)
{
	uint64_t n;

	if (!take_number(&value, '\0', &n) || n > UINT32_MAX)
		return false;
	l->uid = (uid_t)n;
	return true;
}

static bool
take_token(struct listing *l, const char *value)
{
	size_t n = strlen(value);

	if (n == 0 || n > LISTING_TOKEN_MAX)
		return false;
	memcpy(l->token, value, n + 1);
	return true;
}

static bool
take_rcpt(struct listing *l, const char *value)
{
	struct entry_rcpt rcpt = { 0 };

	if (l->n == ENTRY_RCPTS_MAX ||
	    !take_state(&value, "P?KD", &rcpt.state, ' ', &rcpt.when) || *value == '\0')
		return false;
	rcpt.addr = xstrdup(value);
	l->rcpts = xgrow(l->rcpts, l->n, &l->cap, sizeof(*l->rcpts));
	l->rcpts[l->n++] = rcpt;
	return true;
}

static bool
take_words(struct listing *l, const char *value)
{
	uint64_t from, to;

	if (l->nwords == ENTRY_RCPTS_MAX || !take_number(&value, ' ', &from) ||
	    !take_number(&value, ' ', &to) || from > to || to >= l->n)
		return false;
	l->words = xgrow(l->words, l->nwords, &l->words_cap, sizeof(*l->words));
	l->words[l->nwords++] =
	    (struct listing_words){ (size_t)from, (size_t)to, xstrdup(value) };
	return true;
}

static bool
take(struct listing *l, unsigned kind, const char *value)
{
	switch (kind) {
	case ENTRY:
		return take_id(l, value);
	case UID:
		return take_uid(l, value);
	case SIZE:
		return take_number(&value, '\0', &l->size);
	case ARRIVED:
		return take_time(&value, '\0', &l->arrived);
	case TRIED:
		return take_time(&value, '\0', &l->tried);
	case STATE:
		return take_state(&value, "PWE", &l->state, '\0', &l->since);
	case TOKEN:
		return take_token(l, value);
	case SENDER:
		l->sender = xstrdup(value);
		return true;
	case RCPT:
		return take_rcpt(l, value);
	case WORDS:
		return take_words(l, value);
	default:
		return *value == '\0';
	}
}

static unsigned
kind_of(const char *word, size_t len)
{
	static const char *const names[] = { "entry", "uid", "size", "arrived", "tried",
		"state", "token", "sender", "rcpt", "words", "end" };

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == len && memcmp(names[i], word, len) == 0)
			return 1u << i;
	return 0;
}

/* A line inside of an entry, or its first. */
static enum listing_line
read_entry(struct listing *l, const char *line, size_t word)
{
	unsigned kind = kind_of(line, word);
	const char *value = line + word + (kind != END);

	/* Each once, recipients and words often, all in their order. */
	if (kind == 0 || (kind == END) != (line[word] == '\0') ||
	    (kind == ENTRY) != (l->seen == 0) || l->seen >= kind << 1 ||
	    (l->seen & kind & ~(RCPT | WORDS)) != 0 || !take(l, kind, value))
		return LISTING_BAD;
	l->seen |= kind;
	if (kind != END)
		return LISTING_MORE;
	if ((l->seen & NEEDED) != NEEDED)
		return LISTING_BAD;
	l->told++;
	return LISTING_ENTRY;
}

static enum listing_line
read_line(struct listing *l, const char *line)
{
	size_t word = strcspn(line, " ");
	const char *value = line + word + (line[word] != '\0');
	uint64_t n;

	if (l->seen == 0 && strncmp(line, "done ", 5) == 0) {
		if (!take_number(&value, '\0', &n) || n != l->told)
			return LISTING_BAD;
		l->seen = DONE;
		return LISTING_DONE;
	}
	if (l->seen == 0 && strncmp(line, "damaged ", 8) == 0) {
		if (!take_id(l, value))
			return LISTING_BAD;
		l->damaged = true;
		l->seen = END;
		l->told++;
		return LISTING_ENTRY;
	}
	return read_entry(l, line, word);
}

enum listing_line
listing_read(struct listing *l, const char *line, size_t len)
{
	enum listing_line result;
	char *copy;

	if ((l->seen & END) != 0)
		forget(l);
	if (len >= LISTING_LINE_MAX || (l->seen & DONE) != 0)
		return LISTING_BAD;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return LISTING_BAD;
	copy = xstrndup(line, len);
	result = read_line(l, copy);
	free(copy);
	return result;
}

void
listing_free(struct listing *l)
{
	forget(l);
	*l = (struct listing){ 0 };
}
