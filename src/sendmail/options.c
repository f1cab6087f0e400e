#include "sendmail/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "util/text.h"

/* clang-format off */
/* Every other name is sendmail's. */
static const struct {
	const char *name;
	enum mode mode;
} programs[] = {
	{ "mailq",      MODE_QUEUE },
	{ "newaliases", MODE_ALIASES },
	{ "runq",       MODE_QUEUE_RUN },
	{ "hoststat",   MODE_NOTHING },
	{ "purgestat",  MODE_NOTHING },
};
/* clang-format on */

static int take(
    struct options *o, const struct option_row *row, const char *arg, struct error *err);

/* The row whose name is a prefix and one letter: "-" and 't', "-b" and 'm'; or NULL. */
static const struct option_row *
find(const char *prefix, char letter)
{
	size_t n = strlen(prefix);

	if (letter == '\0')
		return NULL;
	for (const struct option_row *row = options_table(); row->name != NULL; row++)
		if (strncmp(row->name, prefix, n) == 0 && row->name[n] == letter &&
		    row->name[n + 1] == '\0')
			return row;
	return NULL;
}

/* "OPTION ARG: reason", with the argument made fit to be shown. Returns -1. */
static int
refuse(struct error *err, const char *option, const char *arg, const char *reason)
{
	char *shown = text_cleaned(arg, strlen(arg), TEXT_LOG_MAX);

	error_set(err, EX_USAGE, "%s%s: %s", option, shown, reason);
	free(shown);
	return -1;
}

static int
take_b(struct options *o, const char *arg, struct error *err)
{
	const struct option_row *row = find("-b", arg[0]);

	if (row == NULL || arg[1] != '\0')
		return refuse(err, "-b", arg, "not supported");
	return take(o, row, "", err);
}

/* [!]I, R or S and a part of what that stands for. */
static int
take_filter(struct options *o, const char *arg, struct error *err)
{
	bool negated = arg[0] == '!';
	const char *field = arg + negated;

	if (field[0] == '\0' || strchr("IRS", field[0]) == NULL)
		return refuse(err, "-q", arg, "not supported");
	/* it would be in everything: somebody has left a blank there */
	if (field[1] == '\0')
		return refuse(err, "-q", arg, "nothing to look for");
	if (o->nfilters == OPTIONS_FILTERS_MAX)
		return refuse(err, "-q", arg, "too many of these");
	o->filters[o->nfilters++] = (struct queue_filter){
		.field = field[0],
		.negated = negated,
		.part = field + 1,
	};
	return 0;
}

/*
 * -q, -qf and the filters are a run of the queue; -qTIME is work of the flusher. In the
 * listing modes a filter chooses what is listed, as sendmail has it.
 */
static int
take_queue(struct options *o, const char *arg, struct error *err)
{
	const char *time = arg[0] == 'p' ? arg + 1 : arg;
	bool interval =
	    *time >= '0' && *time <= '9' && time[strspn(time, "0123456789smhdw")] == '\0';

	if (!interval && arg[0] != '\0' && strcmp(arg, "f") != 0 &&
	    take_filter(o, arg, err) < 0)
		return -1;
	if (o->mode != MODE_QUEUE && o->mode != MODE_QUEUE_COUNT)
		o->mode = interval ? MODE_NOTHING : MODE_QUEUE_RUN;
	return 0;
}

static int
take_action(struct options *o, const struct option_row *row, struct error *err)
{
	if (o->action != ACTION_LIST && o->action != (enum queue_action)row->value)
		return refuse(err, row->name, "", "one of these at a time");
	o->action = (enum queue_action)row->value;
	return 0;
}

/* A letter and its value, as in "-oem". */
static int
take_setting(struct options *o, const char *arg, struct error *err)
{
	const struct option_row *row = find("-o", arg[0]);

	return row == NULL ? 0 : take(o, row, arg + 1, err);
}

/*
 * "Name" or "Name = value". Sendmail takes names in any case, and the beginning of one
 * when no other of its own begins so; a cut name that we did not know would cost a
 * message its tail.
 */
static int
take_named_setting(struct options *o, const char *arg, struct error *err)
{
	size_t n = strcspn(arg, "=");
	const char *value = arg[n] == '=' ? arg + n + 1 : arg + n;

	while (n > 0 && arg[n - 1] == ' ')
		n--;
	value += strspn(value, " ");
	for (const struct option_row *row = options_table(); row->name != NULL; row++)
		if (strncmp(row->name, "-O ", 3) == 0 && n >= (size_t)row->value &&
		    strncasecmp(row->name + 3, arg, n) == 0)
			return take(o, row, value, err);
	return 0;
}

/* What a delivery mode or word begins with; an unknown one is no reason to lose a
 * message. */
static enum delivery_mode
delivery(enum delivery_mode before, char letter)
{
	switch (letter) {
	case '\0':
	case 'i':
		return DELIVERY_DIRECT;
	case 'b':
	case 'd':
	case 'q':
		return DELIVERY_QUEUE;
	default:
		return before;
	}
}

/* RFC 3461 §4.1, the values of NOTIFY. */
static bool
notify_valid(const char *arg)
{
	static const char *const words[] = { "success", "failure", "delay" };
	size_t n, i;

	if (strcasecmp(arg, "never") == 0)
		return true;
	for (const char *s = arg;; s += n + 1) {
		n = strcspn(s, ",");
		for (i = 0; i < 3; i++)
			if (strlen(words[i]) == n && strncasecmp(s, words[i], n) == 0)
				break;
		if (i == 3 || s[n] == '\0')
			return i < 3;
	}
}

/* RFC 3461 §4.3, the values of RET. */
static bool
return_valid(const char *arg)
{
	return strcasecmp(arg, "full") == 0 || strcasecmp(arg, "hdrs") == 0;
}

/* The effects that are one field and cannot fail. */
static void
set_field(struct options *o, const struct option_row *row, const char *arg)
{
	switch (row->effect) {
	case OPTION_MODE:
		o->mode = (enum mode)row->value;
		break;
	case OPTION_FROM_HEADER:
		o->from_header = true;
		break;
	case OPTION_IGNORE_DOTS:
		/* Sendmail's truth: nothing, or a word that begins as true and yes do. */
		o->dots_given = true;
		o->ignore_dots = arg[0] == '\0' || strchr("tTyY", arg[0]) != NULL;
		break;
	case OPTION_QUIET:
		/* Of p, q, m, w, e and whatever else, all but q end in the same way here.
		 */
		o->quiet = arg[0] == 'q';
		break;
	case OPTION_NO_ALIASES:
		o->no_aliases = true;
		break;
	case OPTION_GATEWAY:
		o->gateway = true;
		break;
	case OPTION_VERBOSE:
		o->verbose = true;
		break;
	case OPTION_JSON:
		o->json = true;
		break;
	case OPTION_DRY_RUN:
		o->dry_run = true;
		break;
	case OPTION_DELIVERY:
		o->delivery = delivery(o->delivery, arg[0]);
		break;
	case OPTION_SENDER:
		o->sender = strcmp(arg, "<>") == 0 ? "" : arg;
		break;
	case OPTION_NAME:
		o->name = arg;
		break;
	case OPTION_CONF_PATH:
		o->conf_path = arg;
		break;
	case OPTION_TAG:
		o->tag = arg;
		break;
	default:
		break;
	}
}

/* Do what a row of the table says. arg is "" when there is none. */
static int
take(struct options *o, const struct option_row *row, const char *arg, struct error *err)
{
	switch (row->effect) {
	case OPTION_IGNORED:
		return 0;
	case OPTION_REFUSED:
		return refuse(err, row->name, "", "not supported");
	case OPTION_B:
		return take_b(o, arg, err);
	case OPTION_QUEUE:
		return take_queue(o, arg, err);
	case OPTION_ACTION:
		return take_action(o, row, err);
	case OPTION_DEBUG:
		if (strcmp(arg, "0.1") == 0)
			o->mode = MODE_VERSION;
		return 0;
	case OPTION_SETTING:
		return take_setting(o, arg, err);
	case OPTION_NAMED:
		return take_named_setting(o, arg, err);
	case OPTION_NOTIFY:
		if (notify_valid(arg))
			return 0;
		return refuse(err, "-N ", arg,
		    "neither never nor a list of success, failure and delay");
	case OPTION_RETURN:
		if (return_valid(arg))
			return 0;
		return refuse(err, "-R ", arg, "neither full nor hdrs");
	default:
		set_field(o, row, arg);
		return 0;
	}
}

static int
take_long(struct options *o, const char *word, struct error *err)
{
	for (const struct option_row *row = options_table(); row->name != NULL; row++)
		if (strcmp(row->name, word) == 0)
			return take(o, row, "", err);
	return refuse(err, "", word, "unknown option");
}

/* "-X: unknown option", or "-X in -tiX: ..." when the letter alone would be hard to find.
 */
static int
unknown(const char *word, size_t at, struct error *err)
{
	char letter = word[at];
	char in[] = { '-', letter >= '!' && letter <= '~' ? letter : '?', ' ', 'i', 'n',
		' ', '\0' };

	return refuse(err, word[2] == '\0' ? "" : in, word, "unknown option");
}

/*
 * One word of joined letters, argv[at]. Returns how many words were used, the one that is
 * an argument included; -1 with err.
 */
static int
take_word(struct options *o, int argc, char **argv, int at, struct error *err)
{
	const char *word = argv[at];

	for (size_t i = 1; word[i] != '\0'; i++) {
		const struct option_row *row = find("-", word[i]);

		if (row == NULL)
			return unknown(word, i, err);
		if (row->effect == OPTION_CONF_PATH && (at != 1 || i != 1))
			return refuse(
			    err, row->name, "", "counts only as the first argument");
		if (row->argument == ARGUMENT_NONE) {
			if (take(o, row, "", err) < 0)
				return -1;
			continue;
		}
		if (row->argument == ARGUMENT_ATTACHED || word[i + 1] != '\0')
			return take(o, row, word + i + 1, err) < 0 ? -1 : 1;
		if (at + 1 >= argc)
			return refuse(err, row->name, "", "argument missing");
		return take(o, row, argv[at + 1], err) < 0 ? -1 : 2;
	}
	return 1;
}

/* What we are called: the last part of argv[0] without the "-" of a login shell. */
static int
take_program(struct options *o, int argc, char **argv, struct error *err)
{
	const char *name = argc > 0 && argv[0] != NULL ? argv[0] : "";
	const char *slash = strrchr(name, '/');
	char *shown;

	if (slash != NULL)
		name = slash + 1;
	name += name[0] == '-';
	if (name[0] == '\0')
		name = "sendmail";
	shown = text_cleaned(name, strlen(name), sizeof(o->program) - 1);
	memcpy(o->program, shown, strlen(shown) + 1);
	free(shown);

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(name, programs[i].name) == 0)
			o->mode = programs[i].mode;
	if (strcmp(name, "smtpd") == 0)
		return error_set(err, EX_USAGE, "smtpd: not supported under this name");
	return 0;
}

/* What goes together only when all words are known. */
static int
check(const struct options *o, struct error *err)
{
	static const char *const actions[] = { "", "--show", "--remove", "--retry" };

	/* As Postfix: what a header would give is shown by --dry-run. */
	if (o->mode == MODE_VERIFY && o->from_header)
		return error_set(err, EX_USAGE, "-t: not possible together with -bv");
	if (o->action == ACTION_LIST)
		return 0;
	/* A stranger's argument behind a program's own must not make this of it. */
	if (o->mode != MODE_QUEUE)
		return refuse(err, actions[o->action], "", "only as mailq, or with -bp");
	if (o->nfilters > 0)
		return refuse(
		    err, actions[o->action], "", "not possible together with -q");
	if (o->noperands == 0)
		return refuse(err, actions[o->action], "", "no queue id given");
	return 0;
}

int
options_parse(struct options *o, int argc, char **argv, struct error *err)
{
	int at = 1, used;

	*o = (struct options){ .mode = MODE_MESSAGE };
	if (take_program(o, argc, argv, err) < 0)
		return -1;
	while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0') {
		if (strcmp(argv[at], "--") == 0) {
			at++;
			break;
		}
		if (argv[at][1] == '-')
			used = take_long(o, argv[at], err) < 0 ? -1 : 1;
		else
			used = take_word(o, argc, argv, at, err);
		if (used < 0)
			return -1;
		at += used;
	}
	if (at < argc) {
		o->operands = argv + at;
		o->noperands = (size_t)(argc - at);
	}
	return check(o, err);
}
