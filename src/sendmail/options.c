#include "sendmail/options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "util/text.h"

/* clang-format off */
static const struct option_row table[] = {
	/* What to do: the last one wins. */
	{ "-b",        ARGUMENT_REQUIRED, OPTION_B,     0 },
	{ "-bm",       ARGUMENT_NONE,     OPTION_MODE,  MODE_MESSAGE },
	{ "-ba",       ARGUMENT_NONE,     OPTION_MODE,  MODE_MESSAGE },
	{ "-bs",       ARGUMENT_NONE,     OPTION_MODE,  MODE_SMTP },
	{ "-bp",       ARGUMENT_NONE,     OPTION_MODE,  MODE_QUEUE },
	{ "-bP",       ARGUMENT_NONE,     OPTION_MODE,  MODE_QUEUE_COUNT },
	{ "-bv",       ARGUMENT_NONE,     OPTION_MODE,  MODE_VERIFY },
	{ "-bi",       ARGUMENT_NONE,     OPTION_MODE,  MODE_ALIASES },
	{ "-I",        ARGUMENT_NONE,     OPTION_MODE,  MODE_ALIASES },
	{ "-bC",       ARGUMENT_NONE,     OPTION_MODE,  MODE_CHECK },
	{ "--check",   ARGUMENT_NONE,     OPTION_MODE,  MODE_CHECK },
	{ "-bV",       ARGUMENT_NONE,     OPTION_MODE,  MODE_VERSION },
	{ "--version", ARGUMENT_NONE,     OPTION_MODE,  MODE_VERSION },
	{ "-d",        ARGUMENT_ATTACHED, OPTION_DEBUG, 0 },
	{ "-bh",       ARGUMENT_NONE,     OPTION_MODE,  MODE_NOTHING },
	{ "-bH",       ARGUMENT_NONE,     OPTION_MODE,  MODE_NOTHING },
	{ "-q",        ARGUMENT_ATTACHED, OPTION_QUEUE, 0 },
	{ "--help",    ARGUMENT_NONE,     OPTION_MODE,  MODE_HELP },
	{ "--probe",   ARGUMENT_NONE,     OPTION_MODE,  MODE_PROBE },

	/* How to do it. */
	{ "-t",        ARGUMENT_NONE,     OPTION_FROM_HEADER, 0 },
	{ "-f",        ARGUMENT_REQUIRED, OPTION_SENDER,      0 },
	{ "-r",        ARGUMENT_REQUIRED, OPTION_SENDER,      0 },
	{ "-F",        ARGUMENT_REQUIRED, OPTION_NAME,        0 },
	{ "-i",        ARGUMENT_NONE,     OPTION_IGNORE_DOTS, 0 },
	{ "-oi",       ARGUMENT_ATTACHED, OPTION_IGNORE_DOTS, 0 },
	{ "-e",        ARGUMENT_REQUIRED, OPTION_QUIET,       0 },
	{ "-oe",       ARGUMENT_ATTACHED, OPTION_QUIET,       0 },
	{ "-od",       ARGUMENT_ATTACHED, OPTION_DELIVERY,    0 },
	{ "-o",        ARGUMENT_REQUIRED, OPTION_SETTING,     0 },
	{ "-O",        ARGUMENT_REQUIRED, OPTION_NAMED,       0 },
	{ "-O IgnoreDots",   ARGUMENT_ATTACHED, OPTION_IGNORE_DOTS, 2 },
	{ "-O ErrorMode",    ARGUMENT_ATTACHED, OPTION_QUIET,       6 },
	{ "-O DeliveryMode", ARGUMENT_ATTACHED, OPTION_DELIVERY,    8 },
	{ "-C",        ARGUMENT_REQUIRED, OPTION_CONF_PATH,   0 },
	{ "-n",        ARGUMENT_NONE,     OPTION_NO_ALIASES,  0 },
	{ "-L",        ARGUMENT_REQUIRED, OPTION_TAG,         0 },
	{ "-G",        ARGUMENT_NONE,     OPTION_GATEWAY,     0 },
	{ "-N",        ARGUMENT_REQUIRED, OPTION_NOTIFY,      0 },
	{ "-R",        ARGUMENT_REQUIRED, OPTION_RETURN,      0 },
	{ "-v",        ARGUMENT_NONE,     OPTION_VERBOSE,     0 },
	{ "--dry-run", ARGUMENT_NONE,     OPTION_DRY_RUN,     0 },
	{ "--json",    ARGUMENT_NONE,     OPTION_JSON,        0 },

	/* Known to callers, without effect here. */
	{ "-A",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-B",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-c",        ARGUMENT_NONE,     OPTION_IGNORED, 0 },
	{ "-D",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-E",        ARGUMENT_ATTACHED, OPTION_IGNORED, 0 },
	{ "-h",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-J",        ARGUMENT_ATTACHED, OPTION_IGNORED, 0 },
	{ "-M",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-m",        ARGUMENT_NONE,     OPTION_IGNORED, 0 },
	{ "-p",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-s",        ARGUMENT_NONE,     OPTION_IGNORED, 0 },
	{ "-T",        ARGUMENT_ATTACHED, OPTION_IGNORED, 0 },
	{ "-U",        ARGUMENT_NONE,     OPTION_IGNORED, 0 },
	{ "-V",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-X",        ARGUMENT_REQUIRED, OPTION_IGNORED, 0 },
	{ "-x",        ARGUMENT_NONE,     OPTION_IGNORED, 0 },

	/* Known, and not this program's job. Any -b that is not above is refused as well. */
	{ "-bD",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-bd",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-bl",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-bq",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-bS",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-bt",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-bz",       ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-Q",        ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-S",        ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-4",        ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-6",        ARGUMENT_NONE,     OPTION_REFUSED, 0 },
	{ "-a",        ARGUMENT_NONE,     OPTION_REFUSED, 0 },

	{ NULL,        ARGUMENT_NONE,     OPTION_REFUSED, 0 }
};

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

const struct option_row *
options_table(void)
{
	return table;
}

const char *
options_help(void)
{
	return "usage: sendmail [-C file] [-t] [-i] [-f address] [-F name] [option ...]\n"
	       "                [--] [recipient ...]\n"
	       "Takes a message on standard input and delivers it over QMTP.\n"
	       "\n"
	       "  -t            recipients from To, Cc and Bcc, too\n"
	       "  -i            a line with a single dot does not end the message\n"
	       "  -f ADDRESS    envelope sender; '' is the null sender\n"
	       "  -F NAME       full name for a From field that is missing\n"
	       "  -n            do not expand aliases\n"
	       "  -G            add no missing header fields\n"
	       "  -e q          nothing on standard error\n"
	       "  -L TAG        tag of the lines in the system's log\n"
	       "  -v            show the conversation with the servers\n"
	       "  -C FILE       this configuration, only as the first argument\n"
	       "  -bv           show where each recipient's mail would go\n"
	       "  -bi           check the alias file\n"
	       "  --check       check the configuration\n"
	       "  --dry-run     print envelope and message, send nothing\n"
	       "  --probe       connect to each server and print what happens (or "
	       "--json)\n"
	       "  --version     version and what was compiled in\n"
	       "\n"
	       "sendmail(8) has the other options and the exit codes.\n";
}

/* The row whose name is a prefix and one letter: "-" and 't', "-b" and 'm'; or NULL. */
static const struct option_row *
find(const char *prefix, char letter)
{
	size_t n = strlen(prefix);

	if (letter == '\0')
		return NULL;
	for (const struct option_row *row = table; row->name != NULL; row++)
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

	if (!interval && strcmp(arg, "f") != 0 && arg[0] != '\0' &&
	    strchr("IRS", arg[0]) == NULL)
		return refuse(err, "-q", arg, "not supported");
	if (o->mode != MODE_QUEUE && o->mode != MODE_QUEUE_COUNT)
		o->mode = interval ? MODE_NOTHING : MODE_QUEUE_RUN;
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
	for (const struct option_row *row = table; row->name != NULL; row++)
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
	for (const struct option_row *row = table; row->name != NULL; row++)
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
	/* As Postfix: what a header would give is shown by --dry-run. */
	if (o->mode == MODE_VERIFY && o->from_header)
		return error_set(err, EX_USAGE, "-t: not possible together with -bv");
	return 0;
}
