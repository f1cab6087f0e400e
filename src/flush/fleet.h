/*
 * flush/fleet.h: the servers of one configuration, and which of them gets the next mail.
 *
 * In the order of the configuration: the first that stands. While none does, or to get an
 * earlier one back, they are started one connect-delay after the other (at once when one
 * fails); one that is down is left alone until its time has come (flush/pool.h).
 */
#ifndef FLUSH_FLEET_H
#define FLUSH_FLEET_H

#include "conf/conf.h"
#include "flush/pool.h"

struct fleet {
	struct conf conf; /* its own */
	struct pool *pools;
	size_t n;
	bool closed; /* nothing more is begun */
	size_t jobs; /* that were begun with it and are not over */
	struct fleet *next;
};

/* Takes conf over. hooks are lent. */
struct fleet *fleet_new(struct conf *conf, const struct pool_hooks *hooks);

/* pool_close() and pool_recall() for all. */
void fleet_close(struct fleet *f);
void fleet_recall(struct fleet *f);

/* pool_free() for all. */
void fleet_free(struct fleet *f);

/* Start whoever should be started, because there is mail to be sent. */
void fleet_race(struct fleet *f, int64_t now);

/* When fleet_race() should be called again: it is the deadline of a sleep. */
int64_t fleet_race_again(const struct fleet *f, int64_t now);

/* The pool that gets the next mail: NULL when none stands, or an earlier one is about to. */
struct pool *fleet_first(const struct fleet *f, int64_t now);

/* Whether all servers are down: nothing can be sent now. */
bool fleet_is_down(const struct fleet *f, int64_t now);

/* Why that is: "name: text; name: text". */
void fleet_why(const struct fleet *f, struct buf *out);

/* A mail may have as many parcels on their way as all windows together. */
size_t fleet_window(const struct fleet *f);

size_t fleet_connections(const struct fleet *f); /* at most */

bool fleet_is_owed(const struct fleet *f);
void fleet_step(struct fleet *f, int64_t now);
void fleet_wait(const struct fleet *f, struct wait *w);

#endif
