/*
 * qmtp/session.h: the inside of a session, shared by the files that make one up:
 * session.c (its life), limits.c (its deadlines), securing.c (TLS), sending.c (packages
 * out), answers.c (answers in, which response.c reads).
 *
 * Packages stand in one list in the order they were submitted:
 *
 *	oldest ... sending ... newest
 *	  |           |
 *	  |           the first that is not wholly sent (NULL: all are)
 *	  the first that is not wholly answered
 *
 * From oldest to the one before sending they are in flight; sending is in flight once
 * begun.
 */
#ifndef QMTP_SESSION_H
#define QMTP_SESSION_H

#include "qmtp/connect.h"
#include "qmtp/package.h"
#include "qmtp/qmtp.h"
#include "qmtp/response.h"
#include "qmtp/stream.h"

struct qmtp_session {
	struct qmtp_options options; /* defaults filled in, strings copied */
	bool adopted;
	struct qmtp_shared *own; /* where options.shared is not, with TLS; or NULL */
	bool prepared;           /* TLS can begin */

	/* from here on: of the present connection; a new one begins with zeros */
	enum qmtp_state state;
	bool ending; /* nothing more is sent; error says why, it counts once closed */
	struct qmtp_error error;
	struct qmtp__connect connect;
	struct qmtp__stream stream; /* fd -1: none (yet) */
	int64_t begun;              /* when connecting began */
	char peer[QMTP__PEER_MAX];
	char security[96]; /* TLS, in words */

	struct qmtp_package *oldest, *sending, *newest;
	size_t unfinished;
	bool abandoned; /* it closed, and not all was answered */

	/* sending */
	bool underway;    /* sending was begun */
	bool heard;       /* all the server had said, since bytes went last */
	bool approved;    /* its last byte may go */
	bool broken;      /* a write failed: the end of what can be read is no news */
	bool held;        /* the system was told that more follows what it has */
	size_t run;       /* the run that is being sent, */
	uint64_t sent;    /* and how much of it is */
	int64_t progress; /* when bytes went last, or sending began */

	/* in flight */
	size_t packages, rcpts;
	size_t several; /* of the packages: those that are owed several answers */
	uint64_t bytes;
	/* this server answers each recipient: seen on a package with several */
	bool proven;

	/* answers */
	int64_t answered; /* when the last whole answer came */
	int64_t waiting;  /* since when oldest has been the oldest unanswered */
	struct qmtp__response response;
};

/* Begin to connect, if that was deferred. The session may be closed then. */
void qmtp__session_start(struct qmtp_session *s);

/* Say why nothing can be done with a session that is closed, or ending. Returns -1. */
int qmtp__session_closed(const struct qmtp_session *s, struct qmtp_error *err);

/* Close with a reason: the session lets go of its packages. Returns -1. */
int qmtp__session_fail(struct qmtp_session *s, enum qmtp_phase phase,
    enum qmtp_cause cause, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int qmtp__session_fail_errno(struct qmtp_session *s, enum qmtp_phase phase);

/*
 * Sending cannot go on, for a reason on this side: what was committed before is answered,
 * then the session closes with that reason. 0, or -1: it has.
 */
int qmtp__session_give_up(
    struct qmtp_session *s, enum qmtp_cause cause, const char *what);

/* While ending: close when nothing that was committed is unanswered. 0, or -1: it has. */
int qmtp__session_end(struct qmtp_session *s);

void qmtp__session_trace(const struct qmtp_session *s, enum qmtp_trace what,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/*
 * With options.tls: read the files that TLS needs, if that was not done. 0, or -1: the
 * session is closed.
 */
int qmtp__secure_prepare(struct qmtp_session *s);

/* Start TLS on the connected stream. 0, or -1: the session is closed. */
int qmtp__secure_start(struct qmtp_session *s);

/* 1: it stands; 0: wait; -1: the session is closed. */
int qmtp__secure_step(struct qmtp_session *s);

/* What it waits for. */
short qmtp__secure_events(const struct qmtp_session *s);

/* When that has to be done. */
int64_t qmtp__secure_deadline(const struct qmtp_session *s);

/* Close because TLS broke. Returns -1. */
int qmtp__secure_broke(struct qmtp_session *s, enum qmtp_phase phase);

/* Send what can be sent. 0, or -1: the session is closed. */
int qmtp__send(struct qmtp_session *s);

/* Whether there is something that could be sent if the socket took it. */
bool qmtp__send_wanted(const struct qmtp_session *s);

/* Read what has come. 0, or -1: the session is closed. */
int qmtp__receive(struct qmtp_session *s);

/* While it is open: close it when the deadline that comes first has passed. */
void qmtp__keep_time(struct qmtp_session *s);

#endif
