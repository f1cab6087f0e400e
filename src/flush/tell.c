#include "flush/tell.h"

#include <stdlib.h>
#include <string.h>

#include "flush/notice.h"
#include "util/log.h"
#include "util/text.h"
#include "util/xalloc.h"

static char *
postmaster(const struct account *a)
{
	return identity_qualify(a->identity, a->conf->postmaster);
}

bool *
tell_untold(const struct account *a, const struct entry *e)
{
	bool *untold = xcalloc(e->n, sizeof(*untold));
	char *p = postmaster(a);

	for (size_t i = 0; i < e->n; i++)
		untold[i] = *e->sender == '\0' &&
		    (*p == '\0' || envelope_same_address(e->rcpts[i].addr, p));
	free(p);
	return untold;
}

/* The envelope that the news is written from; how many recipients it is about. */
static size_t
make_view(struct envelope *view, const struct account *a, const struct news *n)
{
	const struct entry *e = n->entry;
	bool *untold = tell_untold(a, e);
	size_t count = 0;

	*view = (struct envelope){
		.sender = e->sender,
		.rcpts = xcalloc(e->n, sizeof(struct rcpt)),
		.n = e->n,
	};
	for (size_t i = 0; i < e->n; i++) {
		struct rcpt *r = &view->rcpts[i];

		r->addr = e->rcpts[i].addr;
		r->state = RCPT_SENT;
		if (!n->about[i] || untold[i])
			continue;
		r->state = n->kind == DSN_DELAYED ? RCPT_PENDING : RCPT_REFUSED;
		if (n->last->words[i] != NULL)
			r->reply = xstrdup(n->last->words[i]);
		count++;
	}
	free(untold);
	return count;
}

static int
store(const struct account *a, const struct news *n, const struct envelope *view,
    const char *to, const char *copy, struct error *err)
{
	static const char *const kinds[] = {
		[DSN_FAILED] = "refusal",
		[DSN_EXPIRED] = "expiry",
		[DSN_DELAYED] = "delay",
	};
	struct notice notice = {
		.spool = a->spool,
		.entry = n->entry,
		.dsn = {
			.kind = n->kind,
			.until = n->entry->arrived + (time_t)a->conf->queue_lifetime,
			.identity = a->identity,
			.envelope = view,
			.now = n->now,
		},
		.to = to,
		.copy = copy,
	};
	char id[SPOOL_ID], *clean;

	if (notice_store(&notice, id, err) < 0)
		return -1;
	clean = text_cleaned(notice.to, strlen(notice.to), TEXT_LOG_MAX);
	log_line(LOG_INFO, "%s: notice of %s to=<%s>: queued as %s", n->entry->id,
	    kinds[n->kind], clean, id);
	free(clean);
	return 0;
}

int
tell(const struct account *a, const struct news *n, struct error *err)
{
	bool orphan = *n->entry->sender == '\0';
	char *p = postmaster(a);
	struct envelope view;
	int r = 0;

	if (make_view(&view, a, n) > 0)
		r = store(
		    a, n, &view, orphan ? p : "", n->kind == DSN_DELAYED ? "" : p, err);
	for (size_t i = 0; i < view.n; i++)
		free(view.rcpts[i].reply);
	free(view.rcpts);
	free(p);
	return r;
}
