#include "conf/option.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>

#include "conf/conf.h"
#include "conf/value.h"
#include "util/log.h"
#include "util/text.h"
#include "util/xalloc.h"

#define VALUE_SHOWN 100 /* bytes of a bad value in an error */
#define HEX_SHA256 64

#define MINUTE 60
#define DAY (24 * 60 * 60)

static option_set_fn set_int, set_size, set_u64, set_duration, set_duration_or_never;
static option_set_fn set_bool, set_delivery, set_rewrite_from, set_answers, set_facility;
static option_set_fn set_domain, set_template, set_address, set_path;
static option_set_fn set_host, set_tls_name, set_fingerprint;

#define GLOBAL(member) offsetof(struct conf, member)
#define SERVER(member) offsetof(struct server, member)

/* clang-format off */
const struct option option_global[] = {
	{ "hostname",            set_domain,       GLOBAL(hostname),            "", 0, 0 },
	{ "default-domain",      set_domain,       GLOBAL(default_domain),      "", 0, 0 },
	{ "envelope-from",       set_template,     GLOBAL(envelope_from),       "", 0, 0 },
	{ "allow-from-override", set_bool,         GLOBAL(allow_from_override), "true", 0, 0 },
	{ "rewrite-from",        set_rewrite_from, GLOBAL(rewrite_from),        "no", 0, 0 },
	{ "aliases",             set_path,         GLOBAL(aliases),             "/etc/aliases", 0, 0 },
	{ "delivery",            set_delivery,     GLOBAL(delivery),            "direct", 0, 0 },
	{ "ignore-dots",         set_bool,         GLOBAL(ignore_dots),         "false", 0, 0 },
	{ "max-message-size",    set_u64,          GLOBAL(max_message_size),    "200000000", 1, 200000000 },
	{ "max-header-size",     set_size,         GLOBAL(max_header_size),     "1048576", 1, 1048576 },
	{ "max-recipients",      set_size,         GLOBAL(max_recipients),      "10000", 1, 10000 },
	{ "connect-delay",       set_int,          GLOBAL(connect_delay),       "250", 0, 60000 },
	{ "direct-timeout",      set_int,          GLOBAL(direct_timeout),      "60", 1, 3600 },
	{ "soft-bounce",         set_bool,         GLOBAL(soft_bounce),         "false", 0, 0 },
	{ "queue-lifetime",      set_duration,     GLOBAL(queue_lifetime),      "5d", MINUTE, 365 * DAY },
	{ "delay-warning",       set_duration_or_never, GLOBAL(delay_warning),  "", MINUTE, 365 * DAY },
	{ "postmaster",          set_address,      GLOBAL(postmaster),          "", 0, 0 },
	{ "syslog-facility",     set_facility,     GLOBAL(syslog_facility),     "mail", 0, 0 },
	{ NULL, NULL, 0, NULL, 0, 0 }
};

const struct option option_server[] = {
	{ "host",            set_host,        SERVER(host),            "", 0, 0 },
	{ "port",            set_int,         SERVER(port),            NULL, 1, 65535 }, /* 209, 6209 */
	{ "priority",        set_int,         SERVER(priority),        "0", 0, 65535 },
	{ "tls",             set_bool,        SERVER(tls),             "false", 0, 0 },
	{ "tls-name",        set_tls_name,    SERVER(tls_name),        "", 0, 0 },
	{ "tls-ca",          set_path,        SERVER(tls_ca),          "", 0, 0 },
	{ "tls-fingerprint", set_fingerprint, SERVER(tls_fingerprint), "", 0, 0 },
	{ "tls-certificate", set_path,        SERVER(tls_certificate), "", 0, 0 },
	{ "tls-key",         set_path,        SERVER(tls_key),         "", 0, 0 },
	{ "connect-timeout", set_int,         SERVER(connect_timeout), "10", 1, 3600 },
	{ "send-timeout",    set_int,         SERVER(send_timeout),    "60", 1, 3600 },
	{ "reply-timeout",   set_int,         SERVER(reply_timeout),   "300", 1, 3600 },
	{ "answers",         set_answers,     SERVER(answers_one),     "each", 0, 0 },
	{ "recipients-per-package", set_int,  SERVER(recipients_per_package), "1000", 1, 10000 },
	{ "in-flight",       set_int,         SERVER(in_flight),       "64", 1, 1000 },
	{ "connections",     set_int,         SERVER(connections),     "2", 1, 64 },
	{ NULL, NULL, 0, NULL, 0, 0 }
};
/* clang-format on */

static int
fail(const struct option *o, const char *value, const char *what, struct error *err)
{
	char *shown = text_cleaned(value, strlen(value), VALUE_SHOWN);

	error_set(err, EX_CONFIG, "%s: '%s' %s", o->name, shown, what);
	free(shown);
	return -1;
}

static int
fail_range(const struct option *o, const char *value, const char *unit, struct error *err)
{
	char *shown = text_cleaned(value, strlen(value), VALUE_SHOWN);

	error_set(err, EX_CONFIG, "%s: '%s' is not between %lld and %lld%s", o->name,
	    shown, (long long)o->min, (long long)o->max, unit);
	free(shown);
	return -1;
}

static void
store(void *field, const char *value)
{
	char **s = field;

	free(*s);
	*s = xstrdup(value);
}

static int
number(const struct option *o, const char *value, int64_t *n, struct error *err)
{
	if (!value_number(value, strlen(value), n))
		return fail(o, value, "is not a plain decimal number", err);
	if (*n < o->min || *n > o->max)
		return fail_range(o, value, "", err);
	return 0;
}

static int
set_int(const struct option *o, const char *value, void *field, struct error *err)
{
	int64_t n;

	if (number(o, value, &n, err) < 0)
		return -1;
	*(int *)field = (int)n;
	return 0;
}

static int
set_size(const struct option *o, const char *value, void *field, struct error *err)
{
	int64_t n;

	if (number(o, value, &n, err) < 0)
		return -1;
	*(size_t *)field = (size_t)n;
	return 0;
}

static int
set_u64(const struct option *o, const char *value, void *field, struct error *err)
{
	int64_t n;

	if (number(o, value, &n, err) < 0)
		return -1;
	*(uint64_t *)field = (uint64_t)n;
	return 0;
}

static int
set_duration(const struct option *o, const char *value, void *field, struct error *err)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, MINUTE, 60 * MINUTE, DAY };
	size_t n = strlen(value);
	const char *unit = n > 0 ? strchr(units, value[n - 1]) : NULL;
	int64_t factor = unit != NULL ? seconds[unit - units] : 1;
	int64_t count;

	if (!value_number(value, unit != NULL ? n - 1 : n, &count))
		return fail(
		    o, value, "is not a duration such as 90s, 30m, 4h or 5d", err);
	if (count > o->max / factor || count * factor < o->min)
		return fail_range(o, value, " seconds", err);
	*(int64_t *)field = count * factor;
	return 0;
}

static int
set_duration_or_never(
    const struct option *o, const char *value, void *field, struct error *err)
{
	if (value[0] != '\0')
		return set_duration(o, value, field, err);
	*(int64_t *)field = 0;
	return 0;
}

/* The index of value in words, or -1. */
static int
word(const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int
set_bool(const struct option *o, const char *value, void *field, struct error *err)
{
	/* libconfuse's words, without case as there */
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on",
		NULL };

	for (int i = 0; words[i] != NULL; i++) {
		if (strcasecmp(value, words[i]) == 0) {
			*(bool *)field = i % 2 != 0;
			return 0;
		}
	}
	return fail(o, value, "is neither true nor false", err);
}

static int
set_delivery(const struct option *o, const char *value, void *field, struct error *err)
{
	static const char *const words[] = { "direct", "queue", NULL };
	int i = word(value, words);

	if (i < 0)
		return fail(o, value, "is neither direct nor queue", err);
	*(enum conf_delivery *)field = i == 0 ? CONF_DIRECT : CONF_QUEUE;
	return 0;
}

static int
set_rewrite_from(
    const struct option *o, const char *value, void *field, struct error *err)
{
	static const char *const words[] = { "no", "missing", "always", NULL };
	static const enum conf_rewrite_from meaning[] = { CONF_FROM_NO, CONF_FROM_MISSING,
		CONF_FROM_ALWAYS };
	int i = word(value, words);

	if (i < 0)
		return fail(o, value, "is none of no, missing, always", err);
	*(enum conf_rewrite_from *)field = meaning[i];
	return 0;
}

static int
set_answers(const struct option *o, const char *value, void *field, struct error *err)
{
	static const char *const words[] = { "each", "one", NULL };
	int i = word(value, words);

	if (i < 0)
		return fail(o, value, "is neither each nor one", err);
	*(bool *)field = i == 1;
	return 0;
}

static int
set_facility(const struct option *o, const char *value, void *field, struct error *err)
{
	int facility = log_facility(value);

	if (facility < 0)
		return fail(o, value, "is no syslog facility", err);
	*(int *)field = facility;
	return 0;
}

static int
set_domain(const struct option *o, const char *value, void *field, struct error *err)
{
	if (value[0] != '\0' && !value_is_domain(value))
		return fail(o, value, "is not a domain name", err);
	store(field, value);
	return 0;
}

static int
set_address(const struct option *o, const char *value, void *field, struct error *err)
{
	if (!value_is_address(value))
		return fail(o, value, "is not an address", err);
	store(field, value);
	return 0;
}

static int
set_template(const struct option *o, const char *value, void *field, struct error *err)
{
	if (!value_is_address(value))
		return fail(o, value, "is not an address", err);
	for (const char *p = strchr(value, '%'); p != NULL; p = strchr(p + 2, '%'))
		if (p[1] == '\0' || strchr("UH%", p[1]) == NULL)
			return fail(o, value, "has a % without U, H or % behind it", err);
	store(field, value);
	return 0;
}

static int
set_path(const struct option *o, const char *value, void *field, struct error *err)
{
	if (value[0] != '\0' && value[0] != '/')
		return fail(o, value, "is not an absolute path", err);
	store(field, value);
	return 0;
}

static int
set_host(const struct option *o, const char *value, void *field, struct error *err)
{
	if (value[0] == '/') {
		if (strlen(value) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
			return fail(o, value, "is too long for a unix socket", err);
	} else if (value[0] != '\0' && !value_is_host(value)) {
		return fail(o, value, "is no host name, address or /path", err);
	}
	store(field, value);
	return 0;
}

static int
set_tls_name(const struct option *o, const char *value, void *field, struct error *err)
{
	if (value[0] != '\0' && !value_is_host(value))
		return fail(o, value, "is no host name or address", err);
	store(field, value);
	return 0;
}

/* "AB:CD:..." as openssl(1) prints it, or without the colons. Kept as lower-case digits.
 */
static int
set_fingerprint(const struct option *o, const char *value, void *field, struct error *err)
{
	char hex[HEX_SHA256 + 1];
	size_t n = 0;

	for (const char *p = value; *p != '\0'; p++) {
		if (*p == ':' && n > 0 && n % 2 == 0 && p[-1] != ':' && p[1] != '\0')
			continue;
		if (n == HEX_SHA256 || strchr("0123456789abcdefABCDEF", *p) == NULL)
			return fail(o, value, "is not 64 hexadecimal digits", err);
		hex[n++] = (char)(*p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p);
	}
	if (n != 0 && n != HEX_SHA256)
		return fail(o, value, "is not 64 hexadecimal digits", err);
	hex[n] = '\0';
	store(field, hex);
	return 0;
}

const struct option *
option_find(const struct option *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

int
option_set(const struct option *o, void *base, const char *value, struct error *err)
{
	return o->set(o, value, (char *)base + o->field, err);
}

void
option_defaults(const struct option *table, void *base)
{
	struct error none;

	for (; table->name != NULL; table++)
		if (table->def != NULL)
			(void)option_set(table, base, table->def, &none);
}
