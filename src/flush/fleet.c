#include "flush/fleet.h"

#include <stdlib.h>

#include "util/clock.h"
#include "util/xalloc.h"

struct fleet *
fleet_new(struct conf *conf, const struct pool_hooks *hooks)
{
	struct fleet *f = xcalloc(1, sizeof(*f));

	f->conf = *conf;
	f->n = conf->nservers;
	f->pools = xcalloc(f->n, sizeof(*f->pools));
	for (size_t i = 0; i < f->n; i++)
		pool_init(&f->pools[i], &f->conf.servers[i], f->conf.soft_bounce, hooks);
	return f;
}

void
fleet_close(struct fleet *f)
{
	f->closed = true;
	for (size_t i = 0; i < f->n; i++)
		pool_close(&f->pools[i]);
}

void
fleet_recall(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		pool_recall(&f->pools[i]);
}

void
fleet_free(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		pool_free(&f->pools[i]);
	free(f->pools);
	conf_free(&f->conf);
	free(f);
}

void
fleet_race(struct fleet *f, int64_t now)
{
	for (size_t i = 0; i < f->n; i++) {
		struct pool *p = &f->pools[i];

		if (pool_stands(p))
			return;
		if (pool_connects(p)) {
			if (now < p->started + f->conf.connect_delay)
				return;
		} else if (!pool_is_down(p, now)) {
			pool_start(p, now);
			return;
		}
	}
}

int64_t
fleet_race_again(const struct fleet *f, int64_t now)
{
	int64_t at = CLOCK_NEVER;

	for (size_t i = 0; i < f->n; i++) {
		const struct pool *p = &f->pools[i];

		if (pool_stands(p))
			break;
		if (!pool_connects(p))
			at = clock_earlier(at, p->until);
		else if (now < p->started + f->conf.connect_delay)
			return clock_earlier(at, p->started + f->conf.connect_delay);
		else if (now < pool_patience(p))
			at = clock_earlier(at, pool_patience(p));
	}
	return at;
}

struct pool *
fleet_first(const struct fleet *f, int64_t now)
{
	for (size_t i = 0; i < f->n; i++) {
		struct pool *p = &f->pools[i];

		if (pool_stands(p))
			return p;
		/* One that failed is tried in the background, the others are waited for. */
		if (p->failures == 0 && !pool_is_down(p, now) &&
		    (!pool_connects(p) || now < p->started + f->conf.connect_delay ||
			now < pool_patience(p)))
			return NULL;
	}
	return NULL;
}

bool
fleet_is_down(const struct fleet *f, int64_t now)
{
	for (size_t i = 0; i < f->n; i++)
		if (!pool_is_down(&f->pools[i], now))
			return false;
	return true;
}

void
fleet_why(const struct fleet *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++)
		buf_printf(out, "%s%s: %s", i > 0 ? "; " : "", f->pools[i].server->name,
		    f->pools[i].why.data != NULL ? f->pools[i].why.data : "");
}

size_t
fleet_window(const struct fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct server *s = f->pools[i].server;

		n += (size_t)s->in_flight * (size_t)s->connections;
	}
	return n;
}

size_t
fleet_connections(const struct fleet *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += (size_t)f->pools[i].server->connections;
	return n;
}

bool
fleet_is_owed(const struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (pool_is_owed(&f->pools[i]))
			return true;
	return false;
}

void
fleet_step(struct fleet *f, int64_t now)
{
	for (size_t i = 0; i < f->n; i++)
		pool_step(&f->pools[i], now);
}

void
fleet_wait(const struct fleet *f, struct wait *w)
{
	for (size_t i = 0; i < f->n; i++)
		pool_wait(&f->pools[i], w);
}
