#include "sendmail/mailq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "sendmail/complain.h"
#include "sendmail/helper.h"
#include "sendmail/listed.h"
#include "sendmail/mailq_print.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/text.h"

#define OUTPUT_SIZE (32 * 1024)

struct page {
	const struct options *options;
	struct buf out;
	size_t n;       /* entries so far, */
	uint64_t bytes; /* and what their messages come to */
	time_t now;
};

/* Whoever has closed the pipe has seen enough, and wants no words about it. */
static int
output(const char *data, size_t len, struct error *err)
{
	if (file_write(STDOUT_FILENO, data, len) == 0)
		return 0;
	if (errno != EPIPE)
		return error_sys(err, EX_IOERR, "standard output", "writing to it");
	return error_set(err, EX_IOERR, "%s", "");
}

static int
failed(const struct error *err)
{
	if (*err->text != '\0')
		complain("%s", err->text);
	return err->code;
}

static int
flush(struct page *p, struct error *err)
{
	int code = p->out.len > 0 ? output(p->out.data, p->out.len, err) : 0;

	buf_clear(&p->out);
	return code;
}

static int
list_entry(void *arg, const struct listing *l, struct error *err)
{
	struct page *p = arg;

	if (p->options->json)
		mailq_json(&p->out, l, p->now);
	else
		mailq_text(&p->out, l, p->n == 0, p->options->verbose, p->now);
	p->n++;
	p->bytes += l->size;
	return p->out.len < OUTPUT_SIZE ? 0 : flush(p, err);
}

static int
list(const struct options *o)
{
	struct page p = { .options = o, .now = time(NULL) };
	struct error err, lost;
	int code;

	tzset();
	code = listed_each(o, list_entry, &p, &err);
	if (code == 0 && !o->json)
		mailq_text_end(&p.out, p.n, p.bytes, o->nfilters > 0);
	if (flush(&p, &lost) < 0 && code == 0) {
		err = lost;
		code = -1;
	}
	buf_free(&p.out);
	return code < 0 ? failed(&err) : EX_OK;
}

static int
count_entry(void *arg, const struct listing *l, struct error *err)
{
	size_t *n = arg;

	(void)l;
	(void)err;
	(*n)++;
	return 0;
}

int
mailq_count(const struct options *o)
{
	struct buf b = { 0 };
	struct error err;
	size_t n = 0;
	int code = listed_each(o, count_entry, &n, &err);

	if (code == 0) {
		buf_printf(&b, "%zu\n", n);
		code = output(b.data, b.len, &err);
		buf_free(&b);
	}
	return code < 0 ? failed(&err) : EX_OK;
}

static int
show_piece(void *arg, const char *data, size_t len, struct error *err)
{
	uint64_t *seen = arg;

	*seen += len;
	return output(data, len, err);
}

/* One entry; id is one, or "all". */
static int
act(enum queue_action action, const char *id, struct error *err)
{
	static const char *const verbs[] = { "list", "show", "remove", "retry" };
	uint64_t seen = 0;
	struct helper_question q = {
		.verb = verbs[action],
		.arg = id,
		.data = action == ACTION_SHOW ? show_piece : NULL,
		.data_arg = &seen,
	};

	if (helper_ask(&q, err) < 0)
		return err->code == EX_NOUSER
		    ? error_set(err, EX_NOUSER, "%s: no such entry", id)
		    : -1;
	if (action == ACTION_SHOW && seen != q.n)
		return error_set(err, EX_UNAVAILABLE, "%s: its message broke off", id);
	return 0;
}

static int
act_on(const struct options *o, const char *id)
{
	bool all = o->action == ACTION_RETRY && strcmp(id, "all") == 0;
	struct error err;

	if (!all && !spool_is_id(id)) {
		char *shown = text_cleaned(id, strlen(id), TEXT_LOG_MAX);

		complain("%s: no queue id", shown);
		free(shown);
		return EX_USAGE;
	}
	return act(o->action, id, &err) < 0 ? failed(&err) : EX_OK;
}

int
mailq(const struct options *o)
{
	int code = EX_OK, one;

	if (o->action == ACTION_LIST)
		return list(o);
	for (size_t i = 0; i < o->noperands; i++) {
		one = act_on(o, o->operands[i]);
		if (code == EX_OK)
			code = one;
	}
	return code;
}
