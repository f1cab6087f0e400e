#include "args.h"

#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sysexits.h>

#define DAY_MS 86400000 /* no delay is longer */
#define MANY 1000000

enum kind {
	FLAG,
	NUMBER,
	STRING,
	TEXT,
	RULE,
	EARLY,
	SECTION,
	THEN,
	MAILFRONT,
	HOLD,
	CUT_AT_BYTE,
	CUT_AT_ANSWER
};

struct option_row {
	const char *name;
	enum kind kind;
	bool script;   /* of the script that is being written, not of the server */
	size_t offset; /* in struct script or struct settings */
	uint64_t max;  /* NUMBER */
	enum action action;
	const char *help;
};

#define SERVER(member) false, offsetof(struct settings, member)
#define SCRIPT(member) true, offsetof(struct script, member)
#define SPECIAL true, 0

static const struct option_row rows[] = {
	{ "addr", STRING, SERVER(addr), 0, ACT_NONE,
	    "A         numeric address (127.0.0.1)" },
	{ "port", NUMBER, SERVER(port), 65535, ACT_NONE,
	    "N         0: a free one, printed" },
	{ "unix", STRING, SERVER(unix_path), 0, ACT_NONE,
	    "PATH      a unix socket instead" },
	{ "stdio", FLAG, SERVER(stdio), 0, ACT_NONE,
	    "         one connection on descriptors 0 and 1" },
	{ "port-file", STRING, SERVER(port_file), 0, ACT_NONE,
	    "FILE write the port there" },
	{ "backlog", NUMBER, SERVER(backlog), 65535, ACT_NONE,
	    "N      of listen(2) (1024)" },
	{ "rcvbuf", NUMBER, SERVER(rcvbuf), INT_MAX, ACT_NONE,
	    "N       bytes, SO_RCVBUF" },
	{ "sndbuf", NUMBER, SERVER(sndbuf), INT_MAX, ACT_NONE,
	    "N       bytes, SO_SNDBUF" },
	{ "refuse", FLAG, SERVER(refuse), 0, ACT_NONE, "        bind, do not listen" },
	{ "blackhole", FLAG, SERVER(blackhole), 0, ACT_NONE,
	    "     listen with a full backlog" },
	{ "once", NUMBER, SERVER(once), UINT64_MAX, ACT_NONE,
	    "N         exit after N connections" },
	{ "lifetime", NUMBER, SERVER(lifetime), MANY, ACT_NONE,
	    "S     seconds, then exit 1 (600)" },
	{ "parent", FLAG, SERVER(parent), 0, ACT_NONE, "        die with the parent" },
	{ "ledger", STRING, SERVER(ledger), 0, ACT_NONE,
	    "FILE    keep it in one file: recipients that were accepted, message" },
	{ "store", STRING, SERVER(store), 0, ACT_NONE, "DIR      keep what arrives" },
	{ "log", STRING, SERVER(log), 0, ACT_NONE, "FILE       a line per event" },
	{ "help", FLAG, SERVER(help), 0, ACT_NONE, "          this" },
	{ "on", SECTION, SPECIAL, 0, ACT_NONE,
	    "C[-D][:P[-Q]] what follows: for these connections, packages" },
	{ "answer", TEXT, SCRIPT(answer), 0, ACT_NONE,
	    "TEXT    letter and text (Kok NUMBER)" },
	{ "rule", RULE, SPECIAL, 0, ACT_NONE,
	    "PATTERN=TEXT the same to recipients that match" },
	{ "one-answer", FLAG, SCRIPT(one_answer), 0, ACT_NONE, "    one per package" },
	{ "mailfront", MAILFRONT, SPECIAL, 0, ACT_NONE,
	    "     that, Z for CR LF and for garbage" },
	{ "raw", TEXT, SCRIPT(raw), 0, ACT_NONE, "BYTES      instead of the answers" },
	{ "extra", NUMBER, SCRIPT(extra), MANY, ACT_NONE, "N        more answers" },
	{ "short", NUMBER, SCRIPT(fewer), UINT64_MAX, ACT_NONE,
	    "N        fewer answers" },
	{ "then", THEN, SCRIPT(then), 0, ACT_NONE,
	    "WHAT      close, reset, drop, hold after them" },
	{ "early", EARLY, SPECIAL, 0, ACT_NONE, "PLACE=BYTES send these at PLACE" },
	{ "delay", NUMBER, SCRIPT(delay), DAY_MS, ACT_NONE, "MS       before answering" },
	{ "serial", FLAG, SCRIPT(serial), 0, ACT_NONE, "        read nothing meanwhile" },
	{ "between", NUMBER, SCRIPT(between), DAY_MS, ACT_NONE,
	    "MS     between answers" },
	{ "drip", NUMBER, SCRIPT(drip), DAY_MS, ACT_NONE, "MS        between bytes" },
	{ "connect-delay", NUMBER, SCRIPT(connect_delay), DAY_MS, ACT_NONE,
	    "MS before reading" },
	{ "close-after-byte", CUT_AT_BYTE, SPECIAL, 0, ACT_CLOSE,
	    "PLACE  N, connect, last-1 or last" },
	{ "reset-after-byte", CUT_AT_BYTE, SPECIAL, 0, ACT_RESET, "PLACE" },
	{ "drop-after-byte", CUT_AT_BYTE, SPECIAL, 0, ACT_DROP, "PLACE" },
	{ "stall-after-byte", CUT_AT_BYTE, SPECIAL, 0, ACT_STALL, "PLACE" },
	{ "close-after-answer", CUT_AT_ANSWER, SPECIAL, 0, ACT_CLOSE, "K" },
	{ "reset-after-answer", CUT_AT_ANSWER, SPECIAL, 0, ACT_RESET, "K" },
	{ "drop-after-answer", CUT_AT_ANSWER, SPECIAL, 0, ACT_DROP, "K" },
	{ "stall-after-answer", CUT_AT_ANSWER, SPECIAL, 0, ACT_STALL, "K" },
	{ "hold", HOLD, SPECIAL, 0, ACT_STALL, "          never read" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int
then(const char *arg, enum action *to, struct error *err)
{
	static const char *const names[] = { [ACT_CLOSE] = "close",
		[ACT_RESET] = "reset",
		[ACT_DROP] = "drop",
		[ACT_STALL] = "hold" };

	for (enum action a = ACT_CLOSE; a <= ACT_STALL; a++) {
		if (strcmp(arg, names[a]) == 0) {
			*to = a;
			return 0;
		}
	}
	return error_set(err, EX_USAGE, "%s: not close, reset, drop or hold", arg);
}

static int
answer_text(struct scripts *scripts, const char *arg, struct text *to,
    const struct option_row *row, struct error *err)
{
	if (scripts_text(scripts, arg, to, err) < 0)
		return -1;
	if (to->len == 0 && row->offset == offsetof(struct script, answer))
		return error_set(err, EX_USAGE, "an answer has a letter");
	return 0;
}

/* The options that are more than one value. */
static int
special(const struct option_row *row, const char *arg, struct scripts *scripts,
    struct error *err)
{
	struct script *script = &scripts->v[scripts->len - 1];

	switch (row->kind) {
	case SECTION:
		return scripts_section(scripts, arg, err);
	case RULE:
		return scripts_rule(scripts, arg, err);
	case EARLY:
		return scripts_early(scripts, arg, err);
	case MAILFRONT:
		script->mailfront = script->one_answer = true;
		return 0;
	case HOLD:
		arg = "0";
		break;
	case CUT_AT_ANSWER:
		script->answer_cut = row->action;
		return script_number(arg, strlen(arg), UINT64_MAX, &script->count, err);
	default:
		break;
	}
	script->cut = row->action;
	return scripts_place(scripts, arg, strlen(arg), &script->cut_place, err);
}

static int
apply(const struct option_row *row, const char *arg, struct settings *settings,
    struct scripts *scripts, struct error *err)
{
	struct script *script = &scripts->v[scripts->len - 1];
	char *base = row->script ? (char *)script : (char *)settings;
	void *to = base + row->offset;

	if (row->script && row->kind != SECTION)
		scripts->fresh = false;
	switch (row->kind) {
	case FLAG:
		*(bool *)to = true;
		return 0;
	case NUMBER:
		return script_number(arg, strlen(arg), row->max, to, err);
	case STRING:
		*(const char **)to = arg;
		return 0;
	case TEXT:
		return answer_text(scripts, arg, to, row, err);
	case THEN:
		return then(arg, to, err);
	default:
		return special(row, arg, scripts, err);
	}
}

static bool
takes_argument(enum kind kind)
{
	return kind != FLAG && kind != MAILFRONT && kind != HOLD;
}

int
args_parse(int argc, char **argv, struct settings *settings, struct scripts *scripts,
    struct error *err)
{
	struct option options[ROWS + 1] = { 0 };
	int i;

	*settings =
	    (struct settings){ .addr = "127.0.0.1", .backlog = 1024, .lifetime = 600 };
	scripts_init(scripts);
	for (size_t row = 0; row < ROWS; row++)
		options[row] = (struct option){ .name = rows[row].name,
			.has_arg = takes_argument(rows[row].kind) ? required_argument
								  : no_argument,
			.val = (int)row };
	opterr = 0;
	while ((i = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		struct error why;

		if (i == '?' || i == ':')
			return error_set(err, EX_USAGE, "%s: %s", argv[optind - 1],
			    i == ':' ? "takes a value" : "not an option");
		if (apply(&rows[i], optarg, settings, scripts, &why) < 0)
			return error_set(
			    err, why.code, "--%s: %s", rows[i].name, why.text);
		if (scripts->fresh && rows[i].kind == SECTION && optind == argc)
			return error_set(err, EX_USAGE, "--on: no option follows it");
	}
	if (optind < argc)
		return error_set(err, EX_USAGE, "%s: not an option", argv[optind]);
	return 0;
}

void
args_help(FILE *to)
{
	fputs("usage: qmtpd [OPTION ...]    a QMTP server that does as it is told\n", to);
	for (size_t row = 0; row < ROWS; row++)
		fprintf(to, "  --%s %s\n", rows[row].name, rows[row].help);
}
