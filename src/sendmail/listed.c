#include "sendmail/listed.h"

#include <string.h>
#include <sysexits.h>

#include "sendmail/helper.h"
#include "util/buf.h"

struct reading {
	const struct options *options;
	int (*each)(void *arg, const struct listing *l, struct error *err);
	void *arg;
	struct listing entry;
	struct buf part; /* the beginning of a line whose end has not come */
	bool done;
	bool ended; /* by each() */
};

bool
listed_waits(const struct entry_rcpt *rcpt)
{
	return rcpt->state != 'K' && rcpt->state != 'D';
}

static bool
any_rcpt_has(const struct listing *l, const char *part)
{
	for (size_t i = 0; i < l->n; i++)
		if (listed_waits(&l->rcpts[i]) &&
		    strcasestr(l->rcpts[i].addr, part) != NULL)
			return true;
	return false;
}

static bool
has(const struct listing *l, char field, const char *part)
{
	const char *sender =
	    l->sender == NULL || *l->sender == '\0' ? LISTED_NULL_SENDER : l->sender;

	switch (field) {
	case 'I':
		return strstr(l->id, part) != NULL;
	case 'S':
		return !l->damaged && strcasestr(sender, part) != NULL;
	default:
		return any_rcpt_has(l, part);
	}
}

bool
listed_fits(const struct options *o, const struct listing *l)
{
	for (const char *field = "IRS"; *field != '\0'; field++) {
		bool asked = false, fits = false;

		for (size_t i = 0; i < o->nfilters && !fits; i++) {
			const struct queue_filter *f = &o->filters[i];

			if (f->field != *field)
				continue;
			asked = true;
			fits = has(l, f->field, f->part) != f->negated;
		}
		if (asked && !fits)
			return false;
	}
	return true;
}

static int
take_line(struct reading *r, const char *line, size_t len, struct error *err)
{
	switch (r->done ? LISTING_BAD : listing_read(&r->entry, line, len)) {
	case LISTING_MORE:
		return 0;
	case LISTING_ENTRY:
		if (!listed_fits(r->options, &r->entry) ||
		    r->each(r->arg, &r->entry, err) == 0)
			return 0;
		r->ended = true;
		return -1;
	case LISTING_DONE:
		r->done = true;
		return 0;
	case LISTING_BAD:
		break;
	}
	return error_set(
	    err, EX_UNAVAILABLE, "queue: its list makes no sense and is not complete");
}

static int
take_data(void *arg, const char *data, size_t len, struct error *err)
{
	struct reading *r = arg;
	const char *lf;
	size_t n;
	int code;

	while (len > 0) {
		lf = memchr(data, '\n', len);
		n = lf != NULL ? (size_t)(lf - data) : len;
		if (r->part.len + n >= LISTING_LINE_MAX)
			return error_set(err, EX_UNAVAILABLE,
			    "queue: its list makes no sense and is not complete");
		if (lf == NULL || r->part.len > 0)
			buf_add(&r->part, data, n);
		if (lf == NULL)
			return 0;
		code = r->part.len > 0 ? take_line(r, r->part.data, r->part.len, err)
				       : take_line(r, data, n, err);
		if (code < 0)
			return -1;
		buf_clear(&r->part);
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}

int
listed_each(const struct options *o,
    int (*each)(void *arg, const struct listing *l, struct error *err), void *arg,
    struct error *err)
{
	struct reading r = { .options = o, .each = each, .arg = arg };
	struct helper_question q = {
		.verb = "list",
		.data = take_data,
		.data_arg = &r,
	};
	int code = helper_ask(&q, err);

	if (code == 0 && !r.done)
		code = error_set(
		    err, EX_UNAVAILABLE, "queue: its list broke off and is not complete");
	else if (code < 0 && !r.ended && err->code == EX_IOERR)
		err->code = EX_UNAVAILABLE; /* EX_IOERR is ours */
	listing_free(&r.entry);
	buf_free(&r.part);
	return code;
}
