/*
 * conf/conf.h: /etc/qmtp-sendmail.conf, read and judged. The only part that knows
 * libconfuse.
 *
 * The file is opened, bounded and checked before libconfuse sees a byte of it. After
 * conf_load() a struct conf is constant. qmtp-sendmail.conf(5) has every option with its
 * meaning, unit, range and default; conf/option.c is the same as a table.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

#define CONF_FILE_MAX (64 * 1024) /* bytes */
#define CONF_SERVERS_MAX 64

enum conf_delivery {
	CONF_DIRECT, /* servers first, then the spool */
	CONF_QUEUE   /* spool first, servers only if it cannot take it */
};

enum conf_rewrite_from { CONF_FROM_NO, CONF_FROM_MISSING, CONF_FROM_ALWAYS };

/* One smarthost. Strings are never NULL. */
struct server {
	char *name; /* printable ASCII without a space */
	/* host name, address, or /path of a unix socket that fits; never "" */
	char *host;
	int port;
	int priority; /* 0: after those that have one */
	bool tls;
	char *tls_name;        /* never "" */
	char *tls_ca;          /* absolute path, or "" */
	char *tls_fingerprint; /* 64 lower-case hex digits, or "" */
	char *tls_certificate; /* absolute path, or "" */
	char *tls_key;         /* absolute path; "" exactly when tls_certificate is */
	bool tls_key_readable; /* false: this process leaves the server to the flusher */
	int connect_timeout;   /* seconds, as all of these */
	int send_timeout;
	int reply_timeout;
	bool answers_one;
	int recipients_per_package;
	int in_flight;
	int connections;
};

/* Strings are never NULL. */
struct conf {
	char *path; /* the file it came from */
	char *hostname;
	char *default_domain;
	char *envelope_from;
	bool allow_from_override;
	enum conf_rewrite_from rewrite_from;
	char *aliases; /* absolute path; "": none */
	enum conf_delivery delivery;
	bool ignore_dots;
	uint64_t max_message_size;
	size_t max_header_size;
	size_t max_recipients;
	int connect_delay;  /* milliseconds */
	int direct_timeout; /* seconds */
	bool soft_bounce;
	int64_t queue_lifetime; /* seconds */
	int64_t delay_warning;  /* seconds; 0 = never */
	char *postmaster;
	int syslog_facility; /* LOG_MAIL, ... */

	struct server *servers; /* sorted: by priority, then as written; at least one */
	size_t nservers;
};

/*
 * Read and check a configuration file. Not for two threads at a time (libconfuse has one
 * state for all). A '$' outside comments is refused, so that libconfuse's "${NAME}" never
 * happens.
 *
 * Returns 0, or -1 with err (EX_CONFIG; EX_OSERR when there is no memory): "FILE:LINE:
 * what", without LINE when it is about the whole file. conf need not be initialised;
 * after -1 there is nothing to free.
 */
int conf_load(struct conf *conf, const char *path, struct error *err);

/*
 * What is right and still worth a word to the person who checks the configuration: a line
 * for each server that this process leaves to the flusher. Nothing to say: nothing is
 * appended.
 */
void conf_remarks(const struct conf *conf, struct buf *out);

void conf_free(struct conf *conf);

#endif
