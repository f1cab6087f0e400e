/*
 * qmtp/package.h: what a session sees of a package: the runs of bytes that go on the
 * wire, and where answers go.
 */
#ifndef QMTP_PACKAGE_H
#define QMTP_PACKAGE_H

#include "qmtp/netstring.h"
#include "qmtp/qmtp.h"

/* A piece of the message: memory, or a range of a file. */
struct qmtp__run {
	const char *data; /* NULL: the run is in fd */
	int fd;
	uint64_t offset;
	uint64_t len;
};

struct qmtp__slot {
	char code;
	size_t text; /* where in words */
	size_t len;
};

struct qmtp_package {
	struct qmtp__run *pieces;
	char **owned; /* for each piece the copy to free, or NULL */
	size_t npieces;
	size_t room;
	uint64_t size;
	enum qmtp_encoding encoding;

	char *sender;
	char *list; /* the recipients as netstrings, one behind the other */
	size_t list_len;
	size_t list_room;
	size_t rcpts;
	size_t bad; /* position + 1 of the first recipient that cannot be sent */

	/* of the present submission */
	char head[QMTP__LENGTH_MAX + 1];
	size_t head_len;
	char *middle;
	size_t middle_len;
	struct qmtp__slot *slots;
	size_t owed;    /* answers to come in all */
	size_t answers; /* that have come */
	char *words;
	size_t words_len;
	size_t words_room;
	bool committed;
	struct qmtp_package *next; /* the session's list */
};

/*
 * Make the package ready to be sent: frames, no answers. owed: how many answers the
 * server will give. -1: no memory.
 */
int qmtp__package_begin(struct qmtp_package *p, size_t owed);

/*
 * Runs on the wire, in order: head, pieces, middle, recipients, and as the last one the
 * last byte.
 */
size_t qmtp__package_runs(const struct qmtp_package *p);
struct qmtp__run qmtp__package_run(const struct qmtp_package *p, size_t k);

/* Note the next answer. -1: no memory, nothing noted. */
int qmtp__package_answer(struct qmtp_package *p, const char *answer, size_t len);

#endif
