#include "conf/conf.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/option.h"
#include "conf/scan.h"
#include "conf/value.h"
#include "util/file.h"
#include "util/text.h"
#include "util/xalloc.h"

#define PORT 209 /* qmtp */
#define PORT_TLS 6209
#define OVERFLOW_UID 65534  /* Linux, where /proc does not say */
#define SERVER_NAME_MAX 255 /* of a server: it stands in every line of the log */
#define OPTIONS_MAX 32      /* of one table; one bit each in an uint32_t */

struct reader {
	const char *path; /* fit to be shown */
	struct conf conf;
	struct server server; /* the section that is being read */
	uint32_t seen;        /* options given so far, by their place in the table */
	uint32_t seen_server;
	cfg_t *cfg;
	bool failed;
	struct error *err; /* the first error */
};

static struct reader *reading; /* libconfuse hands its callbacks nothing of ours */

static void
server_free(struct server *s)
{
	free(s->name);
	free(s->host);
	free(s->tls_name);
	free(s->tls_ca);
	free(s->tls_fingerprint);
	free(s->tls_certificate);
	free(s->tls_key);
}

/* An error at a line, unless there was one before. Returns -1. */
static int
fail_at(struct reader *r, int line, const char *what)
{
	if (!r->failed)
		error_set(r->err, EX_CONFIG, "%s:%d: %s", r->path, line, what);
	r->failed = true;
	return -1;
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512];
	char *shown;

	vsnprintf(text, sizeof(text), fmt, ap);
	shown = text_cleaned(text, strlen(text), TEXT_LOG_MAX);
	fail_at(reading, cfg->line, shown);
	free(shown);
}

/* libconfuse has read NAME = VALUE; cfg is the file or the section. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct reader *r = reading;
	bool global = cfg == r->cfg;
	const struct option *table = global ? option_global : option_server;
	const struct option *o = option_find(table, opt->name);
	void *base = global ? (void *)&r->conf : (void *)&r->server;
	uint32_t *seen = global ? &r->seen : &r->seen_server;
	uint32_t bit = (uint32_t)1 << (o - table);
	struct error why;

	*(void **)result = NULL;
	if (*seen & bit) {
		error_set(&why, EX_CONFIG, "%s: given twice", o->name);
		return fail_at(r, cfg->line, why.text);
	}
	*seen |= bit;
	if (option_set(o, base, value, &why) < 0)
		return fail_at(r, cfg->line, why.text);
	return 0;
}

static bool
is_server_name(const char *s)
{
	size_t n = strlen(s);

	for (; *s > ' ' && *s < 0x7f; s++)
		;
	return *s == '\0' && n > 0 && n <= SERVER_NAME_MAX;
}

/* What the options of a server must be to each other. NULL, or what is wrong. */
static const char *
contradiction(const struct server *s)
{
	bool unix_socket = s->host[0] == '/';

	if (unix_socket && s->port != 0)
		return "port: a unix socket has none";
	if (unix_socket && s->tls)
		return "tls: not on a unix socket";
	if (!s->tls && s->tls_name[0] != '\0')
		return "tls-name: without tls = true";
	if (!s->tls && s->tls_ca[0] != '\0')
		return "tls-ca: without tls = true";
	if (!s->tls && s->tls_fingerprint[0] != '\0')
		return "tls-fingerprint: without tls = true";
	if (!s->tls && s->tls_certificate[0] != '\0')
		return "tls-certificate: without tls = true";
	if (!s->tls && s->tls_key[0] != '\0')
		return "tls-key: without tls = true";
	if (s->tls_ca[0] != '\0' && s->tls_fingerprint[0] != '\0')
		return "tls-fingerprint: stands instead of tls-ca, not beside it";
	if (s->tls_certificate[0] != '\0' && s->tls_key[0] == '\0')
		return "tls-certificate: without tls-key";
	if (s->tls_key[0] != '\0' && s->tls_certificate[0] == '\0')
		return "tls-key: without tls-certificate";
	return NULL;
}

/* Give a server what its section left open. Returns 0, or -1 with what is wrong with it.
 */
static int
complete(struct server *s, const char *name, struct error *why)
{
	const struct option *host = option_find(option_server, "host");
	const char *what;
	struct stat st;

	if (!is_server_name(name))
		return error_set(why, EX_CONFIG,
		    "its name is not 1 to %d printable characters", SERVER_NAME_MAX);
	s->name = xstrdup(name);
	if (s->host[0] == '\0' && option_set(host, s, name, why) < 0)
		return -1;
	what = contradiction(s);
	if (what != NULL)
		return error_set(why, EX_CONFIG, "%s", what);
	if (s->port == 0)
		s->port = s->tls ? PORT_TLS : PORT;
	if (s->tls_name[0] == '\0') {
		free(s->tls_name);
		s->tls_name = xstrdup(s->host);
	}
	s->tls_key_readable = true;
	if (s->tls_key[0] != '\0') {
		if (stat(s->tls_key, &st) == 0 && (st.st_mode & S_IROTH))
			return error_set(
			    why, EX_CONFIG, "tls-key: everybody can read it");
		s->tls_key_readable = access(s->tls_key, R_OK) == 0;
	}
	return 0;
}

/* Where a server comes: those without a priority last. */
static int
rank(const struct server *s)
{
	return s->priority != 0 ? s->priority : INT_MAX;
}

/* Put the section that was read behind those of its priority. */
static void
insert(struct reader *r)
{
	struct conf *c = &r->conf;
	size_t i = c->nservers++;

	c->servers = xreallocarray(c->servers, c->nservers, sizeof(*c->servers));
	for (; i > 0 && rank(&c->servers[i - 1]) > rank(&r->server); i--)
		c->servers[i] = c->servers[i - 1];
	c->servers[i] = r->server;
}

static void
begin_server(struct reader *r)
{
	r->server = (struct server){ 0 };
	r->seen_server = 0;
	option_defaults(option_server, &r->server);
}

/* libconfuse has read the end of a section. */
static int
on_server(cfg_t *cfg, cfg_opt_t *opt)
{
	struct reader *r = reading;
	const char *name = cfg_title(cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1));
	struct error why;
	struct error what;
	char *shown;

	if (r->conf.nservers == CONF_SERVERS_MAX) {
		error_set(&what, EX_CONFIG, "more than %d servers", CONF_SERVERS_MAX);
		return fail_at(r, cfg->line, what.text);
	}
	if (complete(&r->server, name, &why) < 0) {
		shown = text_cleaned(name, strlen(name), SERVER_NAME_MAX);
		error_set(&what, EX_CONFIG, "server '%s': %s", shown, why.text);
		free(shown);
		return fail_at(r, cfg->line, what.text);
	}
	insert(r);
	begin_server(r);
	return 0;
}

/* The table once more, in libconfuse's words. Returns the number of entries. */
static size_t
describe(const struct option *table, cfg_opt_t *opts)
{
	size_t n = 0;

	for (; table->name != NULL; table++)
		opts[n++] =
		    (cfg_opt_t)CFG_PTR_CB(table->name, NULL, CFGF_NONE, on_value, NULL);
	opts[n] = (cfg_opt_t)CFG_END();
	return n;
}

static int
parse(struct reader *r, const char *text)
{
	cfg_opt_t server[OPTIONS_MAX + 1];
	cfg_opt_t global[OPTIONS_MAX + 2];
	size_t n = describe(option_global, global);
	int rc;

	describe(option_server, server);
	global[n] = (cfg_opt_t)CFG_SEC(
	    "server", server, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	global[n].validcb = on_server;
	global[n + 1] = (cfg_opt_t)CFG_END();

	r->cfg = cfg_init(global, CFGF_NONE);
	if (r->cfg == NULL)
		return error_set(r->err, EX_OSERR, "%s: out of memory", r->path);
	cfg_set_error_function(r->cfg, on_error);
	option_defaults(option_global, &r->conf);
	begin_server(r);
	reading = r;
	rc = cfg_parse_buf(r->cfg, text);
	reading = NULL;
	server_free(&r->server);
	cfg_free(r->cfg);
	if (r->failed)
		return -1;
	if (rc != CFG_SUCCESS)
		return error_set(r->err, EX_OSERR, "%s: out of memory", r->path);
	if (r->conf.nservers == 0)
		return error_set(r->err, EX_CONFIG, "%s: no server is given", r->path);
	return 0;
}

/* In a user namespace the files of everybody who is not mapped are the overflow uid's. */
static bool
is_overflow_uid(uid_t uid)
{
	struct buf text = { 0 };
	int64_t overflow = OVERFLOW_UID;
	int fd = open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (file_read(fd, &text, 32) < 0 || text.len == 0 ||
		    !value_number(text.data, strcspn(text.data, "\n"), &overflow))
			overflow = OVERFLOW_UID;
		close(fd);
	}
	buf_free(&text);
	return uid == overflow;
}

/* What is wrong with the file; NULL: nothing. */
static const char *
unfit(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others than its owner can write to it";
	if (st->st_uid != 0 && st->st_uid != getuid() && !is_overflow_uid(st->st_uid))
		return "owned neither by root nor by you";
	if (st->st_size > CONF_FILE_MAX)
		return "too large";
	return NULL;
}

/* Nothing that path names can hold this up or have an effect: no FIFO, no terminal, no
 * tape. */
static int
read_file(const char *path, const char *shown, struct buf *text, struct error *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	const char *what;
	struct stat st;
	int rc = -1;

	if (fd < 0)
		return error_sys(err, EX_CONFIG, shown, "opening the configuration");
	if (fstat(fd, &st) < 0) {
		error_sys(err, EX_CONFIG, shown, "asking for its status");
		goto out;
	}
	what = unfit(&st);
	if (what != NULL) {
		error_set(err, EX_CONFIG, "%s: %s", shown, what);
		goto out;
	}
	if (file_read(fd, text, CONF_FILE_MAX) < 0) {
		if (errno == EFBIG)
			error_set(err, EX_CONFIG, "%s: too large", shown);
		else
			error_sys(err, EX_CONFIG, shown, "reading the configuration");
		goto out;
	}
	rc = 0;
out:
	close(fd);
	return rc;
}

int
conf_load(struct conf *conf, const char *path, struct error *err)
{
	char *shown = text_cleaned(path, strlen(path), TEXT_LOG_MAX);
	struct reader r = { .path = shown, .err = err };
	struct buf text = { 0 };
	int rc = -1;

	if (read_file(path, shown, &text, err) < 0)
		goto out;
	if (scan_check(text.data, text.len, shown, err) < 0)
		goto out;
	if (parse(&r, text.data) < 0)
		goto out;
	r.conf.path = xstrdup(path);
	*conf = r.conf;
	rc = 0;
out:
	if (rc < 0)
		conf_free(&r.conf);
	buf_free(&text);
	free(shown);
	return rc;
}

void
conf_remarks(const struct conf *conf, struct buf *out)
{
	for (size_t i = 0; i < conf->nservers; i++) {
		const struct server *s = &conf->servers[i];
		int why = EACCES;
		char *key;

		if (s->tls_key_readable)
			continue;
		if (access(s->tls_key, R_OK) < 0)
			why = errno;
		key = text_cleaned(s->tls_key, strlen(s->tls_key), TEXT_LOG_MAX);
		buf_printf(out,
		    "server '%s': tls-key %s cannot be read by this user: %s: "
		    "left to qmtp-flush\n",
		    s->name, key, strerror(why));
		free(key);
	}
}

void
conf_free(struct conf *conf)
{
	for (size_t i = 0; i < conf->nservers; i++)
		server_free(&conf->servers[i]);
	free(conf->servers);
	free(conf->path);
	free(conf->hostname);
	free(conf->default_domain);
	free(conf->envelope_from);
	free(conf->aliases);
	free(conf->postmaster);
	*conf = (struct conf){ 0 };
}
