#include "sendmail/options.h"

#include <stddef.h>

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
	{ "--show",    ARGUMENT_NONE,     OPTION_ACTION,      ACTION_SHOW },
	{ "--remove",  ARGUMENT_NONE,     OPTION_ACTION,      ACTION_REMOVE },
	{ "--retry",   ARGUMENT_NONE,     OPTION_ACTION,      ACTION_RETRY },

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
/* clang-format on */

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
	       "       mailq [--json] [-v] | --show | --remove | --retry [id ...]\n"
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
