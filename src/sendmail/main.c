/*
 * sendmail(8): the command that every program calls. A switchboard: which mode was
 * asked for, and who does it.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "sendmail/complain.h"
#include "sendmail/inspect.h"
#include "sendmail/mailq.h"
#include "sendmail/options.h"
#include "sendmail/probe.h"
#include "sendmail/runq.h"
#include "sendmail/smtp.h"
#include "sendmail/startup.h"
#include "sendmail/submit.h"
#include "util/file.h"
#include "util/log.h"

#define LOG_TAG "qmtp-sendmail"

/* A mode that needs no configuration; -1 when it does. */
static int
without_configuration(const struct options *o)
{
	const char *help = options_help();

	switch (o->mode) {
	case MODE_NOTHING:
		return EX_OK;
	case MODE_HELP:
		return file_write(STDOUT_FILENO, help, strlen(help)) < 0 ? EX_IOERR
									 : EX_OK;
	case MODE_VERSION:
		return inspect_version();
	case MODE_QUEUE:
		return mailq(o);
	case MODE_QUEUE_COUNT:
		return mailq_count(o);
	case MODE_QUEUE_RUN:
		return runq(o);
	default:
		return -1;
	}
}

static int
with_configuration(
    const struct options *o, const struct conf *conf, const struct startup *start)
{
	switch (o->mode) {
	case MODE_CHECK:
		return inspect_configuration(conf);
	case MODE_ALIASES:
		return inspect_aliases(conf);
	case MODE_VERIFY:
		return inspect_addresses(o, conf);
	case MODE_SMTP:
		return smtp_serve(o, conf, start, STDIN_FILENO, STDOUT_FILENO);
	case MODE_PROBE:
		return probe(conf, o->json);
	default:
		return submit(o, conf, start);
	}
}

int
main(int argc, char **argv)
{
	static struct startup start; /* what it keeps lives as long as the program */
	struct options o;
	struct conf conf;
	struct error err;
	int code;

	if (startup(&start, &err) < 0) {
		complain("%s", err.text);
		return err.code;
	}
	log_open(LOG_TAG, LOG_MAIL);
	if (options_parse(&o, argc, argv, &err) < 0) {
		complain_as(o.program, o.quiet);
		complain("%s", err.text);
		submit_drain();
		return err.code;
	}
	complain_as(o.program, o.quiet);
	code = without_configuration(&o);
	if (code >= 0)
		return code;
	if (conf_load(&conf, o.conf_path != NULL ? o.conf_path : CONF_FILE, &err) < 0) {
		complain("%s", err.text);
		if (o.mode == MODE_MESSAGE)
			submit_drain();
		return err.code;
	}
	log_open(o.tag != NULL ? o.tag : LOG_TAG, conf.syslog_facility);
	code = with_configuration(&o, &conf, &start);
	conf_free(&conf);
	return code;
}
