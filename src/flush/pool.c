#include "flush/pool.h"

#include <stdlib.h>

#include "delivery/dial.h"
#include "delivery/outcome.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

/* One connection and the parcels it has, in the order they were sent. */
struct link {
	struct pool *pool;
	struct qmtp_session *session; /* NULL: there is none */
	struct parcels parcels;
	bool stood;    /* it was open once */
	bool answered; /* something came over it */
	bool retired;  /* it gets no more */
	int64_t idle;  /* since when it has had no work */
};

int64_t
pool_backoff(unsigned failures)
{
	int64_t ms = POOL_SOONEST;

	for (unsigned i = 1; i < failures && ms < POOL_LATEST; i++)
		ms *= 2;
	return ms < POOL_LATEST ? ms : POOL_LATEST;
}

void
pool_init(struct pool *p, const struct server *server, bool soft_bounce,
    const struct pool_hooks *hooks)
{
	*p = (struct pool){
		.server = server,
		.hooks = hooks,
		.soft_bounce = soft_bounce,
		.shared = qmtp_shared_new(),
		.links = xcalloc((size_t)server->connections, sizeof(*p->links)),
	};
	for (int i = 0; i < server->connections; i++)
		p->links[i].pool = p;
}

static bool
any_link(const struct pool *p, enum qmtp_state state)
{
	for (int i = 0; i < p->server->connections; i++)
		if (p->links[i].session != NULL &&
		    qmtp_session_state(p->links[i].session) == state)
			return true;
	return false;
}

bool
pool_stands(const struct pool *p)
{
	return any_link(p, QMTP_OPEN);
}

bool
pool_connects(const struct pool *p)
{
	return any_link(p, QMTP_CONNECTING) || any_link(p, QMTP_SECURING);
}

int64_t
pool_patience(const struct pool *p)
{
	return any_link(p, QMTP_SECURING) ? p->securing + DIAL_PATIENCE : 0;
}

bool
pool_is_down(const struct pool *p, int64_t now)
{
	return now < p->until && !pool_stands(p) && !pool_connects(p);
}

bool
pool_is_owed(const struct pool *p)
{
	for (int i = 0; i < p->server->connections; i++) {
		const struct parcel *oldest = p->links[i].parcels.first;

		if (oldest != NULL && qmtp_package_committed(oldest->package))
			return true;
	}
	return false;
}

/* A server that failed last time gets one parcel, and more when it has answered. */
static size_t
window(const struct pool *p, const struct link *l)
{
	return p->failures > 0 && !l->answered ? 1 : (size_t)p->server->in_flight;
}

bool
pool_has_room(const struct pool *p)
{
	size_t all = (size_t)p->server->in_flight * (size_t)p->server->connections;

	if (p->failures > 0)
		return p->sent + p->waiting.n == 0;
	return p->sent + p->waiting.n < 2 * all;
}

static void
give_back(struct pool *p, struct parcel *parcel, const struct qmtp_session *s,
    enum qmtp_cause cause, const char *why)
{
	const struct pool_end end = {
		.session = s,
		.why = why,
		.cause = cause,
		.policy = {
			.answers_one = p->server->answers_one,
			.proven = s != NULL && qmtp_session_proven(s),
			.soft_bounce = p->soft_bounce,
		},
	};

	if (s != NULL && verdict_answered_once(parcel->package, cause, &end.policy))
		p->singly = true;
	p->hooks->over(p->hooks->arg, p, parcel, &end);
}

static void
give_all_back(struct pool *p, enum qmtp_cause cause, const char *why)
{
	struct parcels all = p->waiting;
	struct parcel *parcel;

	p->waiting = (struct parcels){ 0 };
	while ((parcel = parcels_take(&all)) != NULL)
		give_back(p, parcel, NULL, cause, why);
}

/*
 * A connection was of no use. The server is not down while another one has answered; and
 * two that end together are one failure.
 */
static void
fail(struct pool *p, const struct link *l)
{
	int64_t now = clock_ms(), pause = POOL_MORE;
	bool other = false;

	for (int i = 0; i < p->server->connections; i++)
		other |= p->links[i].answered;
	if (now < p->until)
		return;
	if (!other)
		pause = pool_backoff(++p->failures);
	buf_clear(&p->why);
	outcome_why(&p->why, l->session);
	if (other)
		p->more = now + pause;
	else
		p->until = now + pause;
	log_line(LOG_WARNING, "relay=%s[%s]:%d: %s; next attempt in %lld s",
	    p->server->name, qmtp_session_peer(l->session), p->server->port, p->why.data,
	    (long long)(pause / 1000));
}

/* Faults of this side, or none at all, say nothing of the server. */
static bool
is_fault(enum qmtp_cause cause)
{
	return cause != QMTP_OK && cause != QMTP_AGED && cause != QMTP_SOURCE &&
	    cause != QMTP_REFUSED;
}

static bool
is_about_tls(enum qmtp_cause cause)
{
	return cause == QMTP_TLS || cause == QMTP_UNTRUSTED;
}

static int
commit(void *arg, struct qmtp_package *package)
{
	const struct link *l = arg;

	(void)package;
	return l->pool->hooks->commit(l->pool->hooks->arg);
}

static void
remark(const struct pool *p, const struct qmtp_session *s)
{
	struct buf text = { 0 };

	outcome_why(&text, s);
	log_line(LOG_WARNING, "relay=%s[%s]:%d: %s", p->server->name,
	    qmtp_session_peer(s), p->server->port, text.data);
	buf_free(&text);
}

/* The parcels that are answered come back, oldest first. */
static void
harvest(struct link *l)
{
	struct pool *p = l->pool;

	while (l->parcels.first != NULL && qmtp_package_done(l->parcels.first->package)) {
		struct parcel *parcel = parcels_take(&l->parcels);

		l->answered = true;
		p->failures = 0;
		p->until = 0;
		p->sent--;
		give_back(p, parcel, l->session, QMTP_OK, NULL);
	}
}

/*
 * What becomes of the parcels of a connection that is closed. Of those without their last
 * byte the first may be the reason: it has one more chance if the connection had served
 * others; those behind it were not begun. A server that does not like our certificate may
 * say so when we have begun to send: no message is the reason. QMTP_OK: it was closed from
 * here.
 */
static void
sort_out(struct link *l, enum qmtp_cause cause)
{
	struct pool *p = l->pool;
	bool forgive = !l->stood || cause == QMTP_OK || cause == QMTP_AGED ||
	    cause == QMTP_REFUSED || (is_about_tls(cause) && !l->answered);
	struct parcels later = { 0 };
	struct parcel *parcel;
	bool first = true;

	while ((parcel = parcels_take(&l->parcels)) != NULL) {
		p->sent--;
		if (qmtp_package_committed(parcel->package)) {
			give_back(p, parcel, l->session,
			    cause != QMTP_OK ? cause : QMTP_TIMEOUT, NULL);
		} else if (!first || forgive) {
			parcels_add(&later, parcel);
		} else if (is_fault(cause) && l->answered && !parcel->again) {
			first = false;
			parcel->again = true;
			parcels_add(&later, parcel);
		} else {
			first = false;
			give_back(p, parcel, l->session, cause, NULL);
		}
	}
	parcels_put_back(&p->waiting, &later);
}

/* The session is closed, for a cause. */
static void
hung_up(struct link *l, enum qmtp_cause cause)
{
	struct pool *p = l->pool;
	const struct parcel *oldest = l->parcels.first;

	if (oldest != NULL && qmtp_package_answers(oldest->package) > 0)
		l->answered = true;
	if (is_fault(cause) && !l->answered)
		fail(p, l);
	if (is_about_tls(cause))
		p->stale = true;
	if (cause == QMTP_EXTRA)
		remark(p, l->session);
	sort_out(l, cause);
	qmtp_session_free(l->session);
	*l = (struct link){ .pool = p };
}

static void
hang_up(struct link *l)
{
	qmtp_session_close(l->session);
	hung_up(l, QMTP_OK);
}

/*
 * The files of TLS are read again, when no connection uses what was read: an administrator
 * may have put them right.
 */
static void
renew(struct pool *p)
{
	for (int i = 0; i < p->server->connections; i++)
		if (p->links[i].session != NULL)
			return;
	qmtp_shared_free(p->shared);
	p->shared = qmtp_shared_new();
	p->stale = false;
}

static void
begin(struct link *l, int64_t now)
{
	struct pool *p = l->pool;
	struct qmtp_options hooks = { .commit = commit, .arg = l };
	struct qmtp_error error;

	if (p->stale)
		renew(p);
	hooks.shared = p->shared;
	p->started = now;
	l->session = dial(p->server, &hooks, &error);
	if (l->session == NULL) {
		buf_clear(&p->why);
		buf_str(&p->why, error.text);
		p->until = now + POOL_SOONEST;
	}
}

void
pool_start(struct pool *p, int64_t now)
{
	if (pool_stands(p) || pool_connects(p))
		return;
	begin(&p->links[0], now);
}

void
pool_submit(struct pool *p, struct parcel *parcel)
{
	parcels_add(&p->waiting, parcel);
}

/* Give a connection what it may have. Whether that was anything. */
static bool
feed(struct link *l)
{
	struct pool *p = l->pool;
	bool any = false;

	while (p->waiting.n > 0 && !p->closed && !l->retired &&
	    l->parcels.n < window(p, l)) {
		struct parcel *parcel = parcels_take(&p->waiting);
		struct parcels one = { 0 };
		struct qmtp_error error;

		if (!p->hooks->ready(p->hooks->arg, p, parcel))
			continue;
		if (qmtp_session_submit(l->session, parcel->package, &error) == 0) {
			parcels_add(&l->parcels, parcel);
			p->sent++;
			any = true;
		} else if (error.cause == QMTP_INVALID) {
			give_back(p, parcel, NULL, QMTP_INVALID, error.text);
		} else { /* too old, or about to end */
			parcels_add(&one, parcel);
			parcels_put_back(&p->waiting, &one);
			l->retired = true;
		}
	}
	return any;
}

/* A connection without work is closed after a while. */
static void
rest(struct link *l, int64_t now)
{
	if (l->parcels.n > 0)
		l->idle = CLOCK_NEVER;
	else if (l->idle == CLOCK_NEVER)
		l->idle = now;
	if (l->parcels.n == 0 && (l->retired || now - l->idle >= POOL_IDLE))
		hang_up(l);
}

static void
note_standing(const struct pool *p, const struct qmtp_session *s)
{
	const char *security = qmtp_session_security(s);

	if (p->failures > 0)
		log_line(LOG_INFO, "relay=%s[%s]:%d: it can be reached", p->server->name,
		    qmtp_session_peer(s), p->server->port);
	if (*security != '\0')
		log_line(LOG_INFO, "relay=%s[%s]:%d: secured by %s", p->server->name,
		    qmtp_session_peer(s), p->server->port, security);
}

static void
step_link(struct link *l, int64_t now)
{
	struct pool *p = l->pool;
	enum qmtp_state before = qmtp_session_state(l->session);
	enum qmtp_state state = qmtp_session_step(l->session);

	harvest(l);
	if (state == QMTP_SECURING && before != QMTP_SECURING)
		p->securing = now;
	if (state == QMTP_OPEN && !l->stood) {
		l->stood = true;
		l->idle = now;
		note_standing(p, l->session);
	}
	while (state == QMTP_OPEN && feed(l)) {
		state = qmtp_session_step(l->session);
		harvest(l);
	}
	if (state == QMTP_CLOSED)
		hung_up(l, qmtp_session_error(l->session)->cause);
	else if (state == QMTP_OPEN)
		rest(l, now);
}

/* Another connection is begun when all there are have their fill. */
static void
begin_more(struct pool *p, int64_t now)
{
	struct link *unused = NULL;

	if (p->waiting.n == 0 || p->closed || now < p->until)
		return;
	for (int i = p->server->connections; i-- > 0;) {
		struct link *l = &p->links[i];

		if (l->session == NULL)
			unused = l;
		else if (now < p->more || !l->stood || (p->failures > 0 && !l->answered))
			return;
	}
	if (unused != NULL)
		begin(unused, now);
}

void
pool_step(struct pool *p, int64_t now)
{
	for (int i = 0; i < p->server->connections; i++)
		if (p->links[i].session != NULL)
			step_link(&p->links[i], now);
	begin_more(p, now);
	if (pool_is_down(p, clock_ms()))
		give_all_back(p, QMTP_OK, p->why.data);
}

void
pool_wait(const struct pool *p, struct wait *w)
{
	for (int i = 0; i < p->server->connections; i++) {
		const struct link *l = &p->links[i];

		if (l->session == NULL)
			continue;
		wait_session(w, l->session);
		if (qmtp_session_state(l->session) == QMTP_CLOSED)
			wait_until(w, 0);
		if (l->stood && l->idle != CLOCK_NEVER)
			wait_until(w, l->idle + POOL_IDLE);
	}
}

void
pool_close(struct pool *p)
{
	p->closed = true;
}

void
pool_recall(struct pool *p)
{
	for (int i = 0; i < p->server->connections; i++)
		if (p->links[i].session != NULL)
			hang_up(&p->links[i]);
	give_all_back(p, QMTP_OK, "nothing more is sent");
}

void
pool_free(struct pool *p)
{
	pool_recall(p);
	qmtp_shared_free(p->shared);
	buf_free(&p->why);
	free(p->links);
}
