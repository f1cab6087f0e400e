/*
 * qmtp-flush(8): delivers what waits in the spool. A switchboard.
 *
 *	qmtp-flush [-C FILE] [--once]
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "flush/flush.h"
#include "flush/notify.h"
#include "flush/process.h"
#include "util/log.h"

#define LOG_TAG "qmtp-flush"

static int
fail(const struct error *err)
{
	fprintf(stderr, "qmtp-flush: %s\n", err->text);
	log_line(LOG_ERR, "%s", err->text);
	return err->code;
}

/* The options; -1: they are wrong. */
static int
parse(int argc, char **argv, struct flush_setup *setup)
{
	int i = 1;

	setup->conf_path = CONF_FILE;
	if (i + 1 < argc && strcmp(argv[i], "-C") == 0) {
		setup->conf_path = argv[i + 1];
		i += 2;
	}
	if (i < argc && strcmp(argv[i], "--once") == 0) {
		setup->once = true;
		i++;
	}
	return i == argc ? 0 : -1;
}

static int
flush(struct flush_setup *setup, struct conf *conf)
{
	struct error err;
	int locked, code = EX_OK;

	if (spool_open(&setup->spool, SPOOL_DIR, &err) < 0) {
		conf_free(conf);
		return fail(&err);
	}
	locked = process_lock(&setup->spool, &err);
	if (locked > 0) {
		code = flush_run(setup, conf);
	} else {
		conf_free(conf);
		if (locked < 0)
			code = fail(&err);
		else
			log_line(LOG_INFO, "another qmtp-flush is at work");
		if (locked == 0 && !setup->once)
			fprintf(stderr, "qmtp-flush: another one is at work\n");
	}
	spool_close(&setup->spool);
	return code;
}

int
main(int argc, char **argv)
{
	struct flush_setup setup = {
		.queue_path = SPOOL_DIR "/queue",
		.stop = &process_stop,
		.reload = &process_reload,
		.sigmask = &process_sleepmask,
	};
	struct conf conf;
	struct error err;

	if (parse(argc, argv, &setup) < 0) {
		fprintf(stderr, "usage: qmtp-flush [-C file] [--once]\n");
		return EX_USAGE;
	}
	notify_init();
	log_open(LOG_TAG, LOG_MAIL);
	if (process_begin(QUEUE_USER, &err) < 0)
		return fail(&err);
	if (conf_load(&conf, setup.conf_path, &err) < 0)
		return fail(&err);
	log_open(LOG_TAG, conf.syslog_facility);
	return flush(&setup, &conf);
}
