#include "model.h"

#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "look.h"

void
model_init(struct model *m, const struct qmtp_options *o, int64_t now)
{
	*m = (struct model){ .o = *o, .born = now, .now = now };
}

void
model_free(struct model *m)
{
	buf_free(&m->stream);
	buf_free(&m->heard);
}

static void
netstring(struct buf *b, const void *data, size_t n)
{
	buf_printf(b, "%zu:", n);
	buf_add(b, data, n);
	buf_byte(b, ',');
}

void
model_submit(struct model *m, const struct qmtp_package *p, const struct buf *body,
    const char *sender, const char *const *addrs)
{
	struct model_package *q = &m->v[m->n++];
	struct buf text = { 0 }, rcpts = { 0 };

	must(!m->over, "a session that is closed takes no package");
	*q = (struct model_package){ .p = p,
		.begin = m->stream.len,
		.rcpts = qmtp_package_rcpts(p),
		.size = body->len };
	q->owed = m->o.answers_one ? 1 : q->rcpts;
	for (size_t i = 0; i < q->rcpts; i++)
		netstring(&rcpts, addrs[i], strlen(addrs[i]));
	buf_byte(&text, '\n');
	buf_add(&text, body->data, body->len);
	netstring(&m->stream, text.data, text.len);
	netstring(&m->stream, sender, strlen(sender));
	netstring(&m->stream, rcpts.data, rcpts.len);
	q->end = m->stream.len;
	buf_free(&text);
	buf_free(&rcpts);
}

static bool
committed(const struct model *m, const struct model_package *q)
{
	return q->doubtful || m->sent >= q->end;
}

static bool
begun(const struct model *m, const struct model_package *q)
{
	return (m->sent > m->tried ? m->sent : m->tried) > q->begin;
}

/* The first package that is not answered; NULL: none. */
static struct model_package *
oldest(struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].answers < m->v[i].owed)
			return &m->v[i];
	return NULL;
}

/* The first one whose last byte has not gone. */
static const struct model_package *
sending(const struct model *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (!committed(m, &m->v[i]))
			return &m->v[i];
	return NULL;
}

static bool
oldest_is_owed(struct model *m)
{
	const struct model_package *q = oldest(m);

	return q != NULL && committed(m, q);
}

/* Packages before a place that are not answered, and what there is in them. */
struct flight {
	size_t packages, rcpts, several;
	uint64_t bytes;
};

static struct flight
in_flight(const struct model *m, const struct model_package *end)
{
	struct flight f = { 0 };

	for (const struct model_package *q = m->v; q < end; q++) {
		if (q->answers == q->owed)
			continue;
		f.packages++;
		f.rcpts += q->rcpts;
		f.bytes += q->size;
		f.several += q->owed > 1;
	}
	return f;
}

static bool
aged(const struct model *m)
{
	return m->now - m->born >= m->o.session_timeout;
}

/* A package may go behind those before it. */
static bool
may_begin(const struct model *m, const struct model_package *q)
{
	struct flight f = in_flight(m, q);
	size_t window = (size_t)m->o.window, ahead = window == 1 ? 1 : window + 1;

	if (aged(m))
		return false;
	return f.packages == 0 ||
	    (f.packages < ahead && f.rcpts + q->rcpts <= (size_t)m->o.window_rcpts &&
		f.bytes + q->size <= m->o.window_bytes && (f.several == 0 || m->proven));
}

bool
model_wants_to_send(const struct model *m)
{
	const struct model_package *q = sending(m);

	if (q == NULL || m->refused)
		return false;
	if (!begun(m, q))
		return in_flight(m, q).packages == 0 || may_begin(m, q);
	return m->sent < q->end - 1 || q->asked ||
	    in_flight(m, q).packages < (size_t)m->o.window;
}

static void
finish(struct model *m, enum qmtp_phase phase, enum qmtp_cause cause, int errnum)
{
	m->over = true;
	if (!m->refused)
		m->end = (struct qmtp_error){
			.phase = phase, .cause = cause, .errnum = errnum
		};
}

void
model_offer(struct model *m, const struct iovec *v, size_t n, bool quiet)
{
	size_t len = 0;

	must(!m->over && !m->refused, "nothing is sent after the end");
	for (size_t i = 0; i < n; i++) {
		must(v[i].iov_len <= m->stream.len - m->sent - len &&
			memcmp(v[i].iov_base, m->stream.data + m->sent + len,
			    v[i].iov_len) == 0,
		    "the packages, as they are");
		len += v[i].iov_len;
	}
	must(len > 0, "something is sent");
	for (size_t i = 0; i < m->n; i++) {
		const struct model_package *q = &m->v[i];
		bool first = m->sent == q->begin || m->sent == q->end - 1;

		if (first && m->tried <= m->sent)
			m->progress = m->now;
		if (q->begin >= m->sent && q->begin < m->sent + len &&
		    !(q->begin == m->sent && m->tried > m->sent))
			must(may_begin(m, q), "no package before its time");
		if (q->end - 1 < m->sent || q->end - 1 >= m->sent + len)
			continue;
		must(q->end - 1 == m->sent && q->asked,
		    "a last byte goes once it was said that it may");
		must(quiet || m->tried > m->sent,
		    "what the server says is heard before a last byte");
		must(in_flight(m, q).packages < (size_t)m->o.window, "the window holds");
	}
	if (m->tried <= m->sent)
		m->tried = m->sent + 1;
}

static void
last_byte_gone(struct model *m, const struct model_package *q)
{
	if (q == oldest(m))
		m->waiting = m->now;
}

void
model_took(struct model *m, size_t n)
{
	size_t before = m->sent;

	if (n == 0)
		return;
	m->sent += n;
	m->progress = m->now;
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].end > before && m->v[i].end <= m->sent)
			last_byte_gone(m, &m->v[i]);
}

void
model_write_failed(struct model *m, int errnum)
{
	enum qmtp_phase phase = QMTP_SEND;

	for (size_t i = 0; i < m->n; i++) {
		if (m->sent != m->v[i].end - 1)
			continue;
		m->v[i].doubtful = true;
		last_byte_gone(m, &m->v[i]);
		phase = QMTP_COMMIT;
	}
	finish(m, phase, QMTP_SYSTEM, errnum);
	m->cut = errnum == EPIPE || errnum == ECONNRESET;
}

/* Something was read that nobody can use: the session ends for that, whatever else. */
static void
stray(struct model *m, enum qmtp_phase phase, enum qmtp_cause cause)
{
	finish(m, phase, cause, 0);
	m->cut = false;
}

/* Bytes that no package has asked for. */
static void
unasked(struct model *m)
{
	const struct model_package *q = sending(m);

	if (m->taken > 0 && (q == NULL || !begun(m, q)))
		stray(m, QMTP_REPLY, QMTP_EXTRA);
	else
		stray(m, QMTP_SEND, QMTP_EARLY);
}

static void
answer(struct model *m, struct model_package *q, const struct found *f)
{
	q->answer[q->answers].at = m->taken + f->content;
	q->answer[q->answers].len = f->len;
	q->answers++;
	m->taken += f->size;
	m->answered = m->now;
	if (q->answers < q->owed)
		return;
	m->proven = m->proven || q->owed > 1;
	m->waiting = m->now;
}

void
model_heard(struct model *m, const void *data, size_t n)
{
	must(!m->over || m->cut, "nothing is read after the end");
	buf_add(&m->heard, data, n);
	while (m->taken < m->heard.len) {
		struct model_package *q = oldest(m);
		struct found f;

		if (q == NULL || !committed(m, q)) {
			unasked(m);
			return;
		}
		f = look(m->heard.data + m->taken, m->heard.len - m->taken);
		if (f.item == QMTP__RESPONSE_MORE)
			return;
		if (f.item != QMTP__RESPONSE_WHOLE) {
			stray(m, QMTP_REPLY, QMTP_GARBAGE);
			return;
		}
		answer(m, q, &f);
	}
}

void
model_ended(struct model *m)
{
	must(!m->over || m->cut, "nothing is read after the end");
	if (!m->cut)
		finish(m, oldest_is_owed(m) ? QMTP_REPLY : QMTP_SEND, QMTP_EOF, 0);
	m->cut = false;
}

void
model_read_failed(struct model *m, int errnum)
{
	must(!m->over || m->cut, "nothing is read after the end");
	if (!m->cut)
		finish(
		    m, oldest_is_owed(m) ? QMTP_REPLY : QMTP_SEND, QMTP_SYSTEM, errnum);
	m->cut = false;
}

void
model_asked(struct model *m, const struct qmtp_package *p, bool no)
{
	struct model_package *q = NULL;

	must(!m->over && !m->refused, "nobody is asked after the end");
	for (size_t i = 0; i < m->n && q == NULL; i++)
		if (!committed(m, &m->v[i]))
			q = &m->v[i];
	must(q != NULL && q->p == p && !q->asked && m->sent == q->end - 1 &&
		!qmtp_package_committed(p),
	    "asked once for each package, before its last byte");
	q->asked = !no;
	m->refused = no;
	if (no)
		m->end = (struct qmtp_error){ .phase = QMTP_SEND, .cause = QMTP_REFUSED };
}

void
model_closed(struct model *m)
{
	if (!m->over)
		finish(m, QMTP_IDLE, QMTP_OK, 0);
}

/* The deadline that comes first; when it has passed, the end. */
static int64_t
deadline(struct model *m)
{
	const struct model_package *q = oldest(m), *next = sending(m);
	bool owed = q != NULL && committed(m, q), once;
	int64_t send = INT64_MAX, reply = INT64_MAX, silence = INT64_MAX, first;

	once = owed && q->owed > 1 && q->answers == 1 && !m->proven;
	if (model_wants_to_send(m))
		send = m->progress + m->o.send_timeout;
	if (owed)
		reply = m->waiting + m->o.reply_timeout;
	if (once)
		silence = m->answered + m->o.silence;
	first = send < reply ? send : reply;
	if (silence < first)
		first = silence;
	if (m->now < first)
		return first;
	if (send == first)
		finish(m, next->asked ? QMTP_COMMIT : QMTP_SEND, QMTP_TIMEOUT, 0);
	else
		finish(m, QMTP_REPLY, reply == first ? QMTP_TIMEOUT : QMTP_SILENCE, 0);
	return first;
}

/* What ends a session although nothing has come. */
static int64_t
run_out(struct model *m)
{
	const struct model_package *q = sending(m);

	if (m->over)
		return INT64_MAX;
	if (m->refused && !oldest_is_owed(m)) {
		m->over = true;
		return INT64_MAX;
	}
	if (q != NULL && !m->refused && !begun(m, q) && aged(m) &&
	    in_flight(m, q).packages == 0) {
		finish(m, QMTP_SEND, QMTP_AGED, 0);
		return INT64_MAX;
	}
	return deadline(m);
}

/* What a recipient without an answer must be told. */
static void
check_unanswered(const struct model *m, const struct model_package *q,
    const struct qmtp_result *r, const struct qmtp_session *s)
{
	struct qmtp_error end = m->over ? m->end : (struct qmtp_error){ 0 };
	const struct qmtp_error *err = qmtp_session_error(s);

	if (m->over && end.cause == QMTP_OK) { /* by the caller */
		end.phase = committed(m, q) ? QMTP_REPLY : QMTP_SEND;
		end.cause = QMTP_REFUSED;
	}
	if (m->over && end.cause == QMTP_SILENCE && q->answers == 1 &&
	    m->heard.data[q->answer[0].at] != 'K')
		must(r->fate == QMTP_DEFERRED, "one answer and silence: later for all");
	else
		must(r->fate == (committed(m, q) ? QMTP_IN_DOUBT : QMTP_UNSENT),
		    "in doubt is what has its last byte sent");
	must(r->phase == end.phase && r->cause == end.cause, "and why");
	must((r->len > 0) == m->over, "and that in words");
	must(err->cause == QMTP_OK ||
		(r->len == strlen(err->text) && memcmp(r->text, err->text, r->len) == 0),
	    "which are those of the session");
}

static void
check_result(const struct model *m, const struct model_package *q, size_t position,
    const struct qmtp_session *s)
{
	size_t k = q->owed < q->rcpts ? 0 : position;
	struct qmtp_result r = qmtp_package_result(q->p, position);
	enum qmtp_fate fate;
	const char *said;
	bool silent;

	if (k >= q->answers) {
		check_unanswered(m, q, &r, s);
		return;
	}
	said = m->heard.data + q->answer[k].at;
	fate = said[0] == 'K' ? QMTP_ACCEPTED
	    : said[0] == 'Z'  ? QMTP_DEFERRED
			      : QMTP_REJECTED;
	silent = m->over && m->end.cause == QMTP_SILENCE && q->answers < q->owed &&
	    said[0] == 'D';
	must(r.fate == (silent ? QMTP_DEFERRED : fate), "the letter is the fate");
	must(r.phase == QMTP_REPLY && r.cause == (silent ? QMTP_SILENCE : QMTP_OK),
	    "an answer is no failure, unless it was one for several and then silence");
	must(r.len == q->answer[k].len - 1 && memcmp(r.text, said + 1, r.len) == 0,
	    "in the server's words");
}

static void
check_package(
    const struct model *m, const struct model_package *q, const struct qmtp_session *s)
{
	must(qmtp_package_committed(q->p) == committed(m, q),
	    "committed is what has its last byte sent");
	must(qmtp_package_answers(q->p) == q->answers &&
		qmtp_package_done(q->p) == (q->answers == q->owed),
	    "as many answers as came");
	for (size_t k = 0; k < q->rcpts; k++)
		check_result(m, q, k, s);
	for (size_t k = 0; k <= q->rcpts; k++) {
		struct qmtp_reply r = qmtp_package_reply(q->p, k);
		const char *said;

		must((r.code != 0) == (k < q->answers), "code 0: no answer");
		if (r.code == 0)
			continue;
		said = m->heard.data + q->answer[k].at;
		must(r.code == said[0] && r.len == q->answer[k].len - 1 &&
			memcmp(r.text, said + 1, r.len) == 0,
		    "the answer as it was given");
	}
}

static void
check_end(const struct model *m, const struct qmtp_session *s)
{
	const struct qmtp_error *err = qmtp_session_error(s);
	bool odd = m->end.cause == QMTP_EARLY || m->end.cause == QMTP_GARBAGE ||
	    m->end.cause == QMTP_EXTRA;
	size_t len, most = odd ? m->heard.len - m->taken : 0;
	const char *bytes = qmtp_session_stray(s, &len);

	must(err->cause == m->end.cause, "the cause of the end");
	must(err->phase == m->end.phase, "the phase of the end");
	must(err->errnum == m->end.errnum, "the error number of the end");
	must((err->text[0] != '\0') == (err->cause != QMTP_OK) && is_clean(err->text),
	    "a session that closed by itself says why");
	if (most > 400)
		most = 400;
	must(len == most &&
		(len == 0 || memcmp(bytes, m->heard.data + m->taken, len) == 0),
	    "the bytes that had no business there");
}

void
model_check(struct model *m, const struct qmtp_session *s)
{
	int64_t first = run_out(m);
	size_t undone = 0;

	for (size_t i = 0; i < m->n; i++) {
		check_package(m, &m->v[i], s);
		undone += m->v[i].answers < m->v[i].owed;
	}
	must(qmtp_session_proven(s) == m->proven, "a server that answers each is known");
	if (m->over) {
		must(qmtp_session_state(s) == QMTP_CLOSED, "the session has ended");
		must(qmtp_session_unfinished(s) == 0, "it lets go of its packages");
		must(qmtp_session_deadline(s) == INT64_MAX, "and waits for nothing");
		check_end(m, s);
		return;
	}
	must(qmtp_session_state(s) == QMTP_OPEN, "the session has not ended");
	must(qmtp_session_error(s)->cause == QMTP_OK, "no error without an end");
	must(qmtp_session_unfinished(s) == undone, "so many packages are not done");
	must(qmtp_session_deadline(s) == first, "the deadline that comes first");
}
