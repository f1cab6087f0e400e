/*
 * qmtp/package.h: what a session sees of a package: the runs of bytes that go on the
 * wire, and where answers go.
 */
#ifndef QMTP_PACKAGE_H
#define QMTP_PACKAGE_H

#include "qmtp/netstring.h"
#include "qmtp/qmtp.h"

/* Bytes in memory, or a range of a file. */
struct qmtp__run {
	const char *data; /* NULL: the run is in fd */
	int fd;
	uint64_t offset;
	uint64_t len;
};

/* A piece of the message, and what of it is the package's own. */
struct qmtp__piece {
	struct qmtp__run run;
	char *copy;  /* run.data, to be freed; or NULL */
	size_t room; /* of the copy */
	bool opened; /* run.fd is to be closed */
};

struct qmtp__slot {
	char code;
	size_t text; /* where in words */
	size_t len;
};

struct qmtp_package {
	struct qmtp__piece *pieces;
	size_t npieces;
	size_t room;
	uint64_t size;
	enum qmtp_encoding encoding;

	char *sender;
	char *list; /* the recipients as netstrings, one behind the other */
	size_t list_len;
	size_t list_room;
	size_t *marks; /* where in list each QMTP__STRIDEth recipient is, but the first */
	size_t rcpts;
	size_t bad; /* position + 1 of the first recipient that cannot be sent */

	/* of the present submission, or the last one */
	bool busy; /* in a session: nothing may be changed */
	char head[QMTP__LENGTH_MAX + 1];
	size_t head_len;
	char *middle;
	size_t middle_len;
	struct qmtp__slot *slots;
	size_t asked;   /* recipients */
	size_t owed;    /* answers to come in all */
	size_t answers; /* that have come */
	char *words;
	size_t words_len;
	size_t words_room;
	bool committed;
	struct qmtp_error error;   /* why the session let go of it unanswered */
	struct qmtp_package *next; /* the session's list */
};

#define QMTP__STRIDE 256

/*
 * Room for add more bytes behind len; what is there doubles until it fits. -1: no memory,
 * all is as it was.
 */
int qmtp__grow(char **data, size_t *room, size_t len, size_t add);

/* -1 with err when the package is in a session. */
int qmtp__package_idle(const struct qmtp_package *p, struct qmtp_error *err);

/*
 * The recipient that stands at *at in the list; *at moves on. NULL: there are no more.
 */
const char *qmtp__package_next(const struct qmtp_package *p, size_t *at, size_t *len);

/*
 * Another piece: bytes in memory that are the package's to free, in any case; a range of a
 * file, which the package closes if opened. -1: no memory, or the package is in a session.
 */
int qmtp__message_copy(struct qmtp_package *p, char *copy, size_t len, size_t room);
int qmtp__message_file(
    struct qmtp_package *p, int fd, uint64_t offset, uint64_t len, bool opened);

/* Forget the message: files closed, copies freed. */
void qmtp__package_drop(struct qmtp_package *p);

/* Forget the answers, and how the last submission ended. */
void qmtp__package_forget(struct qmtp_package *p);

/*
 * The package enters a session: frames are made, it is without answers. once: the server
 * will answer once, not once per recipient. -1 with err: no memory, or it is in one.
 */
int qmtp__package_begin(struct qmtp_package *p, bool once, struct qmtp_error *err);

/* It leaves it, answered; or for a reason. */
void qmtp__package_leave(struct qmtp_package *p, const struct qmtp_error *reason);

/*
 * Runs on the wire, in order: head, pieces, middle, recipients, and as the last one the
 * last byte.
 */
size_t qmtp__package_runs(const struct qmtp_package *p);
struct qmtp__run qmtp__package_run(const struct qmtp_package *p, size_t k);

/* Note the next answer. -1: no memory, nothing noted. */
int qmtp__package_answer(struct qmtp_package *p, const char *answer, size_t len);

#endif
