/*
 * qmtp/qmtp_reader.h: libqmtp's reader of packages, for servers and for files of packages.
 * It does no input of its own: it is fed with bytes. QMTP §n is as in qmtp.h.
 */
#ifndef QMTP_QMTP_READER_H
#define QMTP_QMTP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a reader found next. Pieces may be empty; a field is complete when last is set. */
enum qmtp_item {
	QMTP_MORE, /* nothing: all input is used up */
	/* a package begins: size = bytes of its message, encoding byte excluded */
	QMTP_BEGIN,
	QMTP_CODE,   /* its encoding byte: data[0] */
	QMTP_TEXT,   /* a piece of the message */
	QMTP_SENDER, /* a piece of the sender */
	QMTP_RCPT,   /* a piece of a recipient */
	QMTP_END,    /* the last byte of the package was read: now it counts */
	/* not a package (QMTP §4, §6): the connection is of no use any more */
	QMTP_BROKEN
};

struct qmtp_piece {
	const char *data; /* points into the input */
	size_t len;
	uint64_t size; /* QMTP_BEGIN */
	bool last;
};

/* One netstring being read: its members are the reader's own. */
struct qmtp_netstring {
	uint64_t
	    left; /* the length as far as it was read, then the bytes still to come */
	int state;
};

/*
 * The strict incremental reader of packages. Lengths are decimal without leading zero,
 * below 10^18; a message has at least its encoding byte; recipients fill their list
 * exactly.
 */

struct qmtp_reader {
	struct qmtp_netstring outer; /* message, sender, or the list of recipients */
	struct qmtp_netstring inner; /* a recipient */
	int state;
};

/* Ready for the first package. It holds no resources. */
void qmtp_reader_init(struct qmtp_reader *r);

/*
 * Read on at *input (of *len bytes), which move forward. Call it until it says
 * QMTP_MORE or QMTP_BROKEN.
 */
enum qmtp_item qmtp_reader_next(
    struct qmtp_reader *r, const char **input, size_t *len, struct qmtp_piece *piece);

/*
 * Pass over n bytes of the message without reading them, between two calls of
 * qmtp_reader_next(): the caller takes them out of the input elsewhere. Returns 0, or -1
 * when the reader does not stand in the message, or it has fewer bytes left.
 */
int qmtp_reader_skip(struct qmtp_reader *r, uint64_t n);

/*
 * Whether the reader stands between two packages: an end of input here breaks nothing
 * off.
 */
bool qmtp_reader_idle(const struct qmtp_reader *r);

#ifdef __cplusplus
}
#endif

#endif
