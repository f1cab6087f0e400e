#include "sendmail/inspect.h"

#include <stdint.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/recipients.h"
#include "sendmail/complain.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/log.h"

/* Print and forget. */
static int
print(struct buf *b, int code)
{
	if (b->len > 0 && file_write(STDOUT_FILENO, b->data, b->len) < 0)
		code = EX_IOERR;
	buf_free(b);
	return code;
}

int
inspect_configuration(const struct conf *conf)
{
	struct buf b = { 0 };

	conf_remarks(conf, &b);
	return print(&b, EX_OK);
}

int
inspect_version(void)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s %s\n", PACKAGE_NAME, PACKAGE_VERSION);
	buf_printf(&b, "configuration %s\n", CONF_FILE);
	buf_printf(&b, "spool %s\n", SPOOL_DIR);
	buf_printf(&b, "spool helper %s\n", QUEUE_HELPER);
	buf_printf(&b, "spool socket %s\n", QUEUE_SOCKET);
	buf_printf(&b, "TLS module %s\n", TLS_MODULE);
	buf_printf(
	    &b, "transports qmtp%s\n", access(TLS_MODULE, R_OK) == 0 ? " qmtps" : "");
	return print(&b, EX_OK);
}

static void
count_problem(void *arg, const char *text)
{
	size_t *problems = arg;

	(*problems)++;
	complain("%s", text);
}

int
inspect_aliases(const struct conf *conf)
{
	struct alias_table *table;
	struct error err;
	size_t problems = 0;

	if (*conf->aliases == '\0')
		return EX_OK;
	if (alias_read(&table, conf->aliases, count_problem, &problems, &err) < 0) {
		complain("%s", err.text);
		return EX_CONFIG;
	}
	alias_free(table);
	return problems > 0 ? EX_DATAERR : EX_OK;
}

static void
log_problem(void *arg, const char *text)
{
	(void)arg;
	log_line(LOG_WARNING, "%s", text);
}

static int
verify(struct recipients *r, const char *operand, const char *server)
{
	struct envelope e = { 0 };
	struct buf b = { 0 };
	struct error err;
	int code = EX_OK;

	if (recipients_operand(r, operand, &e, &err) < 0) {
		complain("%s", err.text);
		code = err.code == EX_DATAERR ? EX_NOUSER : err.code;
	}
	for (size_t i = 0; i < e.n && code == EX_OK; i++)
		buf_printf(&b, "%s... deliverable: mailer qmtp, host %s, user %s\n",
		    operand, server, e.rcpts[i].addr);
	envelope_free(&e);
	return print(&b, code);
}

int
inspect_addresses(const struct options *o, const struct conf *conf)
{
	struct identity identity;
	struct recipients r = {
		.identity = &identity,
		.aliases = o->no_aliases ? NULL : conf->aliases,
		.max = conf->max_recipients,
		.problem = log_problem,
	};
	struct error err;
	int code = EX_OK;

	if (o->noperands == 0) {
		complain("-bv: no address given");
		return EX_USAGE;
	}
	if (identity_init(&identity, conf->hostname, conf->default_domain, NULL, &err) <
	    0) {
		complain("%s", err.text);
		return err.code;
	}
	for (size_t i = 0; i < o->noperands; i++) {
		int one = verify(&r, o->operands[i], conf->servers[0].name);

		if (code == EX_OK)
			code = one;
	}
	recipients_free(&r);
	identity_free(&identity);
	return code;
}
