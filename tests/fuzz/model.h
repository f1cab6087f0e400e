/*
 * fuzz/model.h: what a session (qmtp/qmtp.h) must do, worked out a second time from what
 * passes its socket. The program that plays the socket tells it what happens there; the
 * model breaks off when something was not to happen, and knows after each step what the
 * session must say of itself and of its packages.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <sys/uio.h>

#include "qmtp/qmtp.h"
#include "util/buf.h"

#define MODEL_PACKAGES 64
#define MODEL_RCPTS 4

struct model_package {
	const struct qmtp_package *p;
	size_t begin, end; /* where it stands in the stream of all of them */
	size_t rcpts, owed, answers;
	uint64_t size;
	bool asked;    /* its last byte may go */
	bool doubtful; /* it was offered, and the write failed */
	struct {
		size_t at, len; /* in heard */
	} answer[MODEL_RCPTS];
};

struct model {
	struct qmtp_options o; /* with their defaults */
	int64_t born, now;     /* the caller sets now */
	struct model_package v[MODEL_PACKAGES];
	size_t n;

	struct buf stream; /* all packages, one behind the other */
	size_t sent;       /* of it: what the system took */
	size_t tried;      /* the farthest byte that a write began with, with it */
	int64_t progress;

	struct buf heard; /* all that the session read */
	size_t taken;     /* of it: whole answers */
	int64_t answered, waiting;
	bool proven;

	bool refused; /* commit said no */
	bool cut;     /* a write failed, and what was said before may still be there */
	bool over;    /* the session must be closed, for this reason: */
	struct qmtp_error end; /* its text excepted */
};

/* Nothing has happened yet. The options have no zeros in what the model looks at. */
void model_init(struct model *m, const struct qmtp_options *o, int64_t now);
void model_free(struct model *m);

/* A package was submitted: its message, its sender, its first recipients out of addrs. */
void model_submit(struct model *m, const struct qmtp_package *p, const struct buf *body,
    const char *sender, const char *const *addrs);

/*
 * The session writes; quiet: nothing that it could have read is unread. Then the system
 * took n bytes of it (0: none now), or the write failed.
 */
void model_offer(struct model *m, const struct iovec *v, size_t n, bool quiet);
void model_took(struct model *m, size_t n);
void model_write_failed(struct model *m, int errnum);

/* The session read bytes; the end; an error. */
void model_heard(struct model *m, const void *data, size_t n);
void model_ended(struct model *m);
void model_read_failed(struct model *m, int errnum);

/* options.commit was called and said no, or yes. */
void model_asked(struct model *m, const struct qmtp_package *p, bool no);

/* The caller closed it. */
void model_closed(struct model *m);

/* Whether there is something that would be sent if the system took it. */
bool model_wants_to_send(const struct model *m);

/* The session has made a step: it must be, and say, what the model says. */
void model_check(struct model *m, const struct qmtp_session *s);

#endif
