#include "flush/last.h"

#include <stdlib.h>
#include <string.h>

#include "spool/words.h"
#include "util/xalloc.h"

/* One copy, however many it is about: the lines of the tail are anybody's. */
static void
take(void *arg, size_t from, size_t to, const char *text, time_t when)
{
	struct last *l = arg;
	char *copy = xstrdup(text);

	(void)when;
	l->texts = xgrow(l->texts, l->ntexts, &l->cap, sizeof(*l->texts));
	l->texts[l->ntexts++] = copy;
	for (size_t i = from; i <= to; i++)
		l->words[i] = copy;
}

void
last_read(struct last *l, const struct entry *e, const struct envelope *envelope,
    const char *otherwise)
{
	*l = (struct last){ .words = xcalloc(e->n, sizeof(*l->words)) };
	words_read(e, take, l);
	for (size_t i = 0; i < e->n; i++) {
		if (envelope->rcpts[i].reply != NULL)
			l->words[i] = envelope->rcpts[i].reply;
		else if (l->words[i] == NULL)
			l->words[i] = otherwise;
	}
}

static bool
wanted(const struct last *l, const struct entry *e, size_t i)
{
	char state = e->rcpts[i].state;

	return l->words[i] != NULL && (state == 'P' || state == '?');
}

void
last_write(const struct last *l, const struct entry *e, time_t now)
{
	struct buf lines = { 0 };

	for (size_t from = 0, to; from < e->n; from = to) {
		to = from + 1;
		if (!wanted(l, e, from))
			continue;
		while (to < e->n && wanted(l, e, to) &&
		    strcmp(l->words[from], l->words[to]) == 0)
			to++;
		words_add(&lines, from, to - 1, l->words[from], now);
	}
	words_write(e, &lines);
	buf_free(&lines);
}

void
last_free(struct last *l)
{
	for (size_t i = 0; i < l->ntexts; i++)
		free(l->texts[i]);
	free(l->texts);
	free(l->words);
	*l = (struct last){ 0 };
}
