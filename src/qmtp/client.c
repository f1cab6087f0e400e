#include <errno.h>

#include "qmtp/failure.h"
#include "qmtp/session.h"

/* Sleep until a descriptor is ready or the time has come. */
static void
sleep_until(struct pollfd *v, size_t n, int64_t until)
{
	int64_t left = until == INT64_MAX ? -1 : until - qmtp_now();

	if (until != INT64_MAX && left < 0)
		left = 0;
	if (left > INT32_MAX)
		left = INT32_MAX;
	poll(v, n, (int)left);
}

int
qmtp_session_connect(struct qmtp_session *s, struct qmtp_error *err)
{
	struct pollfd v[QMTP_POLL_MAX];
	enum qmtp_state state;

	qmtp__session_start(s);
	while (
	    (state = qmtp_session_step(s)) == QMTP_CONNECTING || state == QMTP_SECURING)
		sleep_until(v, qmtp_session_poll(s, v), qmtp_session_deadline(s));
	return state == QMTP_OPEN ? 0 : qmtp__session_closed(s, err);
}

int
qmtp_session_run(struct qmtp_session *s, int64_t deadline, struct qmtp_error *err)
{
	struct pollfd v[QMTP_POLL_MAX];
	bool some = s->unfinished > 0;

	qmtp_session_step(s);
	while (qmtp_session_state(s) != QMTP_CLOSED && qmtp_session_unfinished(s) > 0) {
		int64_t until = qmtp_session_deadline(s);

		if (qmtp_now() >= deadline)
			return qmtp__fail(err, QMTP_IDLE, QMTP_TIMEOUT, "the time is up");
		sleep_until(
		    v, qmtp_session_poll(s, v), until < deadline ? until : deadline);
		qmtp_session_step(s);
	}
	if (qmtp_session_state(s) != QMTP_CLOSED || (some && !s->abandoned))
		return 0;
	return qmtp__session_closed(s, err);
}

/* A session that closed before the package was in it: the package tells why all the same. */
static int
submit(struct qmtp_session *s, struct qmtp_package *p, struct qmtp_error *err)
{
	if (qmtp_session_submit(s, p, err) == 0)
		return 0;
	if (qmtp_session_state(s) == QMTP_CLOSED)
		qmtp__package_leave(p, err);
	return -1;
}

int
qmtp_send(
    const struct qmtp_options *options, struct qmtp_package *p, struct qmtp_error *err)
{
	struct qmtp_session *s;
	int r;

	if (qmtp__package_idle(p, err) < 0)
		return -1;
	qmtp__package_forget(p);
	s = qmtp_session_new(options, err);
	if (s == NULL)
		return -1;
	r = submit(s, p, err);
	if (r == 0)
		r = qmtp_session_run(s, INT64_MAX, err);
	qmtp_session_free(s);
	return r;
}
