/*
 * sendmail/options.h. The input: a command line, one word a line, the first one argv[0].
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "fuzz.h"
#include "sendmail/options.h"
#include "util/xalloc.h"

#define WORDS_MAX 64

struct line {
	struct buf text;           /* the words, each with its NUL */
	char *argv[WORDS_MAX + 2]; /* and room for one more */
	int argc;
};

static void
split(struct line *l, const uint8_t *data, size_t size)
{
	*l = (struct line){ 0 };
	buf_add(&l->text, data, size);
	buf_byte(&l->text, '\n');
	for (char *s = l->text.data;
	     s < l->text.data + l->text.len && l->argc < WORDS_MAX;) {
		char *lf = memchr(s, '\n', (size_t)(l->text.data + l->text.len - s));

		*lf = '\0';
		l->argv[l->argc++] = s;
		s = lf + 1;
	}
}

/* Whether the string lies in the words; NULL and "" may be anybody's. */
static bool
is_lent(const struct line *l, const char *s)
{
	return s == NULL || *s == '\0' ||
	    (s >= l->text.data && s < l->text.data + l->text.len);
}

static void
check_taken(const struct line *l, const struct options *o)
{
	must(o->noperands < (size_t)l->argc || l->argc == 0, "operands are not argv[0]");
	must(o->noperands == 0 ? o->operands == NULL
			       : o->operands + o->noperands == l->argv + l->argc,
	    "operands are the end of argv");
	must(is_lent(l, o->sender) && is_lent(l, o->name) && is_lent(l, o->conf_path) &&
		is_lent(l, o->tag),
	    "strings are lent from argv");
	must(o->nfilters <= OPTIONS_FILTERS_MAX, "room for the filters");
	for (size_t i = 0; i < o->nfilters; i++)
		must(is_lent(l, o->filters[i].part) && *o->filters[i].part != '\0',
		    "a filter looks for something of argv");
	must(o->action == ACTION_LIST ||
		(o->mode == MODE_QUEUE && o->noperands > 0 && o->nfilters == 0),
	    "entries are only touched as mailq, and by name");
	must(o->conf_path == NULL || strncmp(l->argv[1], "-C", 2) == 0,
	    "-C counts only as the first argument");
	must(
	    o->sender == NULL || strcmp(o->sender, "<>") != 0, "the null sender is \"\"");
	must(o->mode != MODE_VERIFY || !o->from_header, "-bv and -t are never together");
	must(o->mode >= MODE_MESSAGE && o->mode <= MODE_NOTHING, "a mode");
}

/* All but the operands. */
static bool
same_options(const struct options *a, const struct options *b)
{
	return strcmp(a->program, b->program) == 0 && a->mode == b->mode &&
	    a->from_header == b->from_header && a->dots_given == b->dots_given &&
	    a->ignore_dots == b->ignore_dots && a->quiet == b->quiet &&
	    a->no_aliases == b->no_aliases && a->gateway == b->gateway &&
	    a->verbose == b->verbose && a->dry_run == b->dry_run &&
	    a->delivery == b->delivery && a->sender == b->sender && a->name == b->name &&
	    a->conf_path == b->conf_path && a->tag == b->tag;
}

/* What stands behind an operand is no option, whatever it looks like. */
static void
check_behind_operand(struct line *l, const struct options *o)
{
	static char words[][8] = { "-bs", "-t", "-C", "--", "-X" };
	struct options more;
	struct error err;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		l->argv[l->argc] = words[i];
		must(options_parse(&more, l->argc + 1, l->argv, &err) == 0 &&
			same_options(o, &more) && more.operands == o->operands &&
			more.noperands == o->noperands + 1,
		    "options end at the first operand");
	}
	l->argv[l->argc] = NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options o;
	struct error err = { 0 };
	struct line l;
	struct buf before = { 0 };
	int argc;

	split(&l, data, size);
	argc = size == 0 ? 0 : l.argc;
	l.argc = argc;
	l.argv[argc] = NULL;
	buf_add(&before, l.text.data, l.text.len);
	if (options_parse(&o, argc, l.argv, &err) < 0) {
		must(err.code == EX_USAGE, "a wrong command line");
		must(err.text[0] != '\0' && is_clean(err.text), "and what is wrong");
	} else {
		check_taken(&l, &o);
		if (o.noperands > 0)
			check_behind_operand(&l, &o);
	}
	must(o.program[0] != '\0' && is_clean(o.program), "a program name");
	must(strlen(o.program) < OPTIONS_PROGRAM_MAX, "that fits");
	must(same_bytes(&before, &l.text), "argv stays as it is");
	buf_free(&before);
	buf_free(&l.text);
	return 0;
}
