/*
 * sendmail/options.h: the command line of sendmail(8), and nothing of what it leads to.
 *
 *	struct options o;
 *
 *	if (options_parse(&o, argc, argv, &err) < 0)
 *		...	err.text is "-Z: unknown option", o.program and o.quiet can be
 * used
 *
 * POSIX order: options end at the first operand and at "--". Letters may be joined (-ti),
 * the argument of an option is the rest of its word or else the next word, whatever that
 * looks like. The grammar is a table (options_table); sendmail.8 lists the same rows,
 * which a test proves.
 */
#ifndef SENDMAIL_OPTIONS_H
#define SENDMAIL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/error.h"

#define OPTIONS_PROGRAM_MAX 64 /* bytes of a program name, its NUL included */
#define OPTIONS_FILTERS_MAX 16

enum mode {
	MODE_MESSAGE,     /* -bm: a message on standard input */
	MODE_SMTP,        /* -bs */
	MODE_QUEUE,       /* -bp, mailq */
	MODE_QUEUE_COUNT, /* -bP */
	MODE_QUEUE_RUN,   /* -q, runq */
	MODE_VERIFY,      /* -bv */
	MODE_ALIASES,     /* -bi, -I, newaliases */
	MODE_CHECK,       /* -bC, --check */
	MODE_VERSION,     /* -bV, --version, -d0.1 */
	MODE_HELP,        /* --help */
	MODE_PROBE,       /* --probe */
	MODE_NOTHING      /* -bh, -bH, -q15m, hoststat, purgestat: exit 0 */
};

enum delivery_mode {
	DELIVERY_DEFAULT, /* as configured */
	DELIVERY_DIRECT,  /* servers first */
	DELIVERY_QUEUE    /* spool first */
};

/* What mailq does with the entries that the operands name. */
enum queue_action {
	ACTION_LIST, /* and the operands mean nothing */
	ACTION_SHOW,
	ACTION_REMOVE,
	ACTION_RETRY
};

/* -qIPART, -qRPART, -qSPART, -q!IPART ... */
struct queue_filter {
	char field; /* I: the queue id, R: a recipient, S: the sender */
	bool negated;
	const char *part; /* lent from argv; never "" */
};

/*
 * What the command line says. All strings but program are lent from argv; NULL is "not
 * given".
 */
struct options {
	char program[OPTIONS_PROGRAM_MAX]; /* the name we were called by, cleaned; never
					      empty */
	enum mode mode;
	bool from_header; /* -t */
	bool dots_given;  /* -i or IgnoreDots decides, not the configuration ... */
	bool ignore_dots; /* ... and this is what it says; false when not given */
	bool quiet;       /* -eq: nothing on stderr */
	bool no_aliases;  /* -n */
	bool gateway;     /* -G */
	bool verbose;     /* -v */
	bool dry_run;     /* --dry-run */
	bool json;        /* --json */
	enum delivery_mode delivery;
	enum queue_action action; /* --show, --remove, --retry; with MODE_QUEUE alone, and
				     then there are operands and no filters */
	struct queue_filter filters[OPTIONS_FILTERS_MAX]; /* -qI, -qR, -qS */
	size_t nfilters;
	const char *sender;    /* -f, -r; "" is the null sender, however it was written */
	const char *name;      /* -F */
	const char *conf_path; /* -C */
	const char *tag;       /* -L */
	char **operands;       /* the part of argv behind the options */
	size_t noperands;
};

/*
 * Read the command line. argc may be 0, and argv[0] NULL or "". o need not be
 * initialised.
 *
 * Returns 0, or -1 with err (EX_USAGE), whose text begins with the option at fault,
 * cleaned. o then holds what came before that option: program is set, and quiet says
 * whether -eq was among it.
 */
int options_parse(struct options *o, int argc, char **argv, struct error *err);

/* What --help prints: at most 23 lines of 79 columns. */
const char *options_help(void);

enum option_argument {
	ARGUMENT_NONE,
	ARGUMENT_REQUIRED, /* the rest of the word, or the next word */
	ARGUMENT_ATTACHED /* the rest of the word, which may be empty; never the next word
			   */
};

/*
 * What an option does: set the field of struct options that has this name, unless it
 * says else.
 */
enum option_effect {
	OPTION_IGNORED, /* taken with its argument; nothing is opened or changed */
	OPTION_REFUSED, /* known, and not supported: EX_USAGE */
	OPTION_MODE,    /* mode = value */
	OPTION_B,       /* the argument is the letter of a mode */
	OPTION_QUEUE,   /* the argument says what of the queue, or how often */
	OPTION_ACTION,  /* action = value */
	OPTION_DEBUG,   /* 0.1 is the version */
	OPTION_SETTING, /* -o: the argument is a letter and a value */
	OPTION_NAMED,   /* -O: the argument is a name and a value */
	OPTION_NOTIFY,  /* checked, otherwise ignored */
	OPTION_RETURN,  /* likewise */
	OPTION_FROM_HEADER,
	OPTION_IGNORE_DOTS, /* and dots_given */
	OPTION_QUIET,
	OPTION_NO_ALIASES,
	OPTION_GATEWAY,
	OPTION_VERBOSE,
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_DELIVERY,
	OPTION_SENDER,
	OPTION_NAME,
	OPTION_CONF_PATH, /* as the first argument; refused elsewhere */
	OPTION_TAG
};

/*
 * One option: "-t", "-bm" (a value of -b), "-oi" and "-O IgnoreDots" (settings),
 * "--help".
 */
struct option_row {
	const char *name;
	enum option_argument argument;
	enum option_effect effect;
	int value; /* a mode or an action; of the settings of -O: how many letters of the name are
		      enough */
};

/* All options; a row without a name ends the table. */
const struct option_row *options_table(void);

#endif
