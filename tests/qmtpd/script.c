#include "script.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "util/xalloc.h"

void
scripts_init(struct scripts *s)
{
	*s = (struct scripts){ .len = 1 };
	s->v[0].conn_first = s->v[0].pack_first = 1;
	s->v[0].conn_last = s->v[0].pack_last = UINT64_MAX;
}

void
scripts_free(struct scripts *s)
{
	for (size_t i = 0; i < s->texts_len; i++)
		free(s->texts[i]);
	free(s->texts);
}

int
script_number(const char *arg, size_t len, uint64_t max, uint64_t *to, struct error *err)
{
	uint64_t n = 0;

	if (len == 0)
		return error_set(err, EX_USAGE, "a number is missing");
	for (size_t i = 0; i < len; i++) {
		unsigned d = (unsigned)(arg[i] - '0');

		if (arg[i] < '0' || arg[i] > '9')
			return error_set(err, EX_USAGE, "%s: not a number", arg);
		if (n > (max - d) / 10 || d > max)
			return error_set(
			    err, EX_USAGE, "%s: more than %" PRIu64, arg, max);
		n = n * 10 + d;
	}
	*to = n;
	return 0;
}

/* "N", "N-", "N-M" */
static int
range(const char *arg, size_t len, uint64_t *first, uint64_t *last, struct error *err)
{
	const char *dash = memchr(arg, '-', len);
	size_t head = dash != NULL ? (size_t)(dash - arg) : len;

	if (script_number(arg, head, UINT64_MAX, first, err) < 0)
		return -1;
	*last = *first;
	if (dash == NULL)
		return 0;
	*last = UINT64_MAX;
	if (head + 1 == len)
		return 0;
	return script_number(dash + 1, len - head - 1, UINT64_MAX, last, err);
}

int
scripts_section(struct scripts *s, const char *arg, struct error *err)
{
	const char *colon = strchr(arg, ':');
	size_t head = colon != NULL ? (size_t)(colon - arg) : strlen(arg);
	struct script *new = &s->v[s->len];

	if (s->len == SCRIPT_SECTIONS_MAX)
		return error_set(
		    err, EX_USAGE, "more than %d sections", SCRIPT_SECTIONS_MAX);
	*new = s->v[0];
	new->own_rules = false;
	if (head == 0 && colon == NULL)
		return error_set(err, EX_USAGE, "a number is missing");
	if (head > 0 && range(arg, head, &new->conn_first, &new->conn_last, err) < 0)
		return -1;
	if (colon != NULL) {
		new->per_package = true;
		if (range(colon + 1, strlen(colon + 1), &new->pack_first, &new->pack_last,
			err) < 0)
			return -1;
	}
	if (new->conn_first == 0 || new->pack_first == 0 ||
	    new->conn_first > new->conn_last || new->pack_first > new->pack_last)
		return error_set(err, EX_USAGE, "%s: not a range from 1 up", arg);
	s->len++;
	s->fresh = true;
	return 0;
}

const struct script *
scripts_select(const struct scripts *s, uint64_t conn, uint64_t package)
{
	size_t i = s->len;

	while (--i > 0) {
		const struct script *v = &s->v[i];

		if (conn >= v->conn_first && conn <= v->conn_last &&
		    package >= v->pack_first && package <= v->pack_last)
			break;
	}
	return &s->v[i];
}

static int
digit(char c, unsigned base)
{
	unsigned d = 99;

	if (c >= '0' && c <= '9')
		d = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		d = (unsigned)(c - 'a') + 10;
	else if (c >= 'A' && c <= 'F')
		d = (unsigned)(c - 'A') + 10;
	return d < base ? (int)d : -1;
}

/* Up to max digits. Returns how many there were. */
static size_t
digits(const char *p, unsigned base, size_t max, unsigned *to)
{
	size_t n = 0;

	for (*to = 0; n < max && digit(p[n], base) >= 0; n++)
		*to = *to * base + (unsigned)digit(p[n], base);
	return n;
}

/*
 * One escape; p stands behind the backslash. Returns how many characters it took, 0 if
 * it is none.
 */
static size_t
escape(const char *p, struct buf *b)
{
	static const char names[] = "nrtabfv\\'\"", values[] = "\n\r\t\a\b\f\v\\'\"";
	const char *found = *p != '\0' ? strchr(names, *p) : NULL;
	unsigned value;
	size_t n;

	if (found != NULL) {
		buf_byte(b, values[found - names]);
		return 1;
	}
	if (*p == '*') { /* the byte before it, again and again */
		n = digits(p + 1, 10, 7, &value);
		if (n == 0 || b->len == 0 || value == 0 || value > SCRIPT_TEXT_MAX)
			return 0;
		for (char c = b->data[b->len - 1]; value > 1; value--)
			buf_byte(b, c);
		return n + 1;
	}
	n = *p == 'x' ? digits(p + 1, 16, 2, &value) : digits(p, 8, 3, &value);
	if (n == 0 || value > 255)
		return 0;
	buf_byte(b, (char)value);
	return *p == 'x' ? n + 1 : n;
}

int
scripts_text(struct scripts *s, const char *arg, struct text *to, struct error *err)
{
	struct buf b = { 0 };

	for (const char *p = arg; *p != '\0';) {
		size_t n = 1;

		if (*p == '\\') {
			n = escape(p + 1, &b);
			if (n == 0 || b.len > SCRIPT_TEXT_MAX) {
				buf_free(&b);
				return error_set(err, EX_USAGE, "%s: bad escape", p);
			}
			n++;
		} else {
			buf_byte(&b, *p);
		}
		p += n;
	}
	to->len = b.len;
	s->texts = xgrow(s->texts, s->texts_len, &s->texts_cap, sizeof(*s->texts));
	to->data = s->texts[s->texts_len++] = buf_detach(&b);
	return 0;
}

int
scripts_rule(struct scripts *s, const char *arg, struct error *err)
{
	struct script *now = &s->v[s->len - 1];
	const char *eq = strchr(arg, '=');
	struct rule *rule;
	char *pattern;

	while (eq != NULL && (eq[1] == '\0' || strchr("KZD", eq[1]) == NULL))
		eq = strchr(eq + 1, '=');
	if (eq == NULL)
		return error_set(
		    err, EX_USAGE, "%s: not PATTERN=K..., Z... or D...", arg);
	if (s->len > 1 && !now->own_rules)
		now->rules_len = 0; /* they would hide those of the section */
	now->own_rules = true;
	if (now->rules_len == SCRIPT_RULES_MAX)
		return error_set(err, EX_USAGE, "more than %d rules", SCRIPT_RULES_MAX);
	rule = &now->rules[now->rules_len];
	if (scripts_text(s, eq + 1, &rule->text, err) < 0)
		return -1;
	pattern = xstrndup(arg, (size_t)(eq - arg));
	s->texts = xgrow(s->texts, s->texts_len, &s->texts_cap, sizeof(*s->texts));
	rule->pattern = s->texts[s->texts_len++] = pattern;
	now->rules_len++;
	return 0;
}

int
scripts_place(
    struct scripts *s, const char *arg, size_t len, struct place *to, struct error *err)
{
	*to = (struct place){ .kind = PLACE_BYTE };
	if (len == strlen("connect") && strncmp(arg, "connect", len) == 0)
		return 0;
	if (len == strlen("last") && strncmp(arg, "last", len) == 0) {
		to->kind = PLACE_LAST;
		return 0;
	}
	if (len == strlen("last-1") && strncmp(arg, "last-1", len) == 0) {
		to->kind = PLACE_BEFORE_LAST;
		s->watch_last = true;
		return 0;
	}
	return script_number(arg, len, UINT64_MAX, &to->byte, err);
}

int
scripts_early(struct scripts *s, const char *arg, struct error *err)
{
	struct script *now = &s->v[s->len - 1];
	const char *eq = strchr(arg, '=');

	if (eq == NULL)
		return error_set(err, EX_USAGE, "%s: not PLACE=BYTES", arg);
	if (scripts_place(s, arg, (size_t)(eq - arg), &now->early_place, err) < 0)
		return -1;
	return scripts_text(s, eq + 1, &now->early, err);
}

unsigned char
script_verdict(const struct script *s, const char *addr)
{
	for (size_t i = 0; i < s->rules_len; i++)
		if (fnmatch(s->rules[i].pattern, addr, 0) == 0)
			return (unsigned char)i;
	return VERDICT_DEFAULT;
}

char
script_letter(const struct script *s, unsigned char verdict)
{
	if (verdict < s->rules_len)
		return s->rules[verdict].text.data[0];
	return s->answer.data != NULL ? s->answer.data[0] : 'K';
}

void
script_answer(
    const struct script *s, unsigned char verdict, uint64_t number, struct buf *b)
{
	const struct text *text = &s->answer;

	if (verdict < s->rules_len)
		text = &s->rules[verdict].text;
	if (text->data != NULL)
		buf_add(b, text->data, text->len);
	else
		buf_printf(b, "Kok %" PRIu64, number);
}
