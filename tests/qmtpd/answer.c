#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

struct answers *
answers_new(void)
{
	return xcalloc(1, sizeof(struct answers));
}

void
answers_free(struct answers *a)
{
	if (a != NULL)
		buf_free(&a->verdicts);
	free(a);
}

void
answers_clear(struct answers *a)
{
	struct buf verdicts = a->verdicts;

	buf_clear(&verdicts);
	*a = (struct answers){ .verdicts = verdicts };
}

/* One answer for all: the worst one. */
static unsigned char
choose(const struct answers *a, const struct script *s)
{
	static const char order[] = "DZ";

	for (const char *letter = order; *letter != '\0'; letter++)
		for (size_t i = 0; i < a->verdicts.len; i++)
			if (script_letter(s, (unsigned char)a->verdicts.data[i]) ==
			    *letter)
				return (unsigned char)a->verdicts.data[i];
	return a->verdicts.len > 0 ? (unsigned char)a->verdicts.data[0] : VERDICT_DEFAULT;
}

void
answers_decide(struct answers *a, const struct script *s, uint64_t number)
{
	a->script = s;
	a->number = number;
	a->total = s->one_answer ? 1 : a->verdicts.len;
	if (s->one_answer)
		a->chosen = choose(a, s);
	if (s->raw.data != NULL)
		a->total = 1;
	else
		a->total = (a->total > s->fewer ? a->total - s->fewer : 0) + s->extra;
}

uint64_t
answers_accepted(const struct answers *a)
{
	uint64_t n = 0;

	if (a->script->one_answer && script_letter(a->script, a->chosen) != 'K')
		return 0;
	for (size_t i = 0; i < a->verdicts.len; i++)
		n += script_letter(a->script, (unsigned char)a->verdicts.data[i]) == 'K';
	return n;
}

void
answers_text(const struct answers *a, uint64_t i, struct buf *b)
{
	const struct script *s = a->script;
	unsigned char verdict = VERDICT_DEFAULT;

	if (s->raw.data != NULL) {
		buf_add(b, s->raw.data, s->raw.len);
		return;
	}
	if (s->one_answer)
		verdict = a->chosen;
	else if (a->verdicts.len > 0)
		verdict =
		    (unsigned char)
			a->verdicts.data[i < a->verdicts.len ? i : a->verdicts.len - 1];
	script_answer(s, verdict, a->number, b);
}

void
answers_packed(const struct answers *a, uint64_t i, struct buf *b, struct buf *scratch)
{
	if (a->script->raw.data != NULL) {
		answers_text(a, i, b);
		return;
	}
	buf_clear(scratch);
	answers_text(a, i, scratch);
	buf_printf(b, "%zu:", scratch->len);
	buf_add(b, scratch->data, scratch->len);
	buf_byte(b, ',');
}
