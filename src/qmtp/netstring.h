/*
 * qmtp/netstring.h: the one netstring codec: "5:hello," (QMTP §6).
 */
#ifndef QMTP_NETSTRING_H
#define QMTP_NETSTRING_H

#include "qmtp/qmtp_reader.h"

/* Bytes that the longest length with its colon can take. */
#define QMTP__LENGTH_MAX 24

/*
 * Write "N:" to out, which has room for QMTP__LENGTH_MAX bytes. Returns how many were
 * written; no NUL.
 */
size_t qmtp__netstring_begin(char *out, uint64_t n);

/* What a netstring that is being read waits for. */
enum qmtp__netstring_state {
	QMTP__FRESH, /* its first digit */
	QMTP__ZERO,  /* the colon: the length is 0 */
	QMTP__DIGITS,
	QMTP__CONTENT /* content, then the comma */
};

enum qmtp__progress { QMTP__WANT_MORE, QMTP__COMPLETE, QMTP__WRONG };

/*
 * Read the length and the colon from *input, which moves forward. Once complete,
 * n->left is the length and n waits for content.
 */
enum qmtp__progress qmtp__netstring_length(
    struct qmtp_netstring *n, const char **input, size_t *len);

/*
 * Take the content that *input has, at most n->left bytes of it; *data and the returned
 * size say where it is.
 */
size_t qmtp__netstring_content(
    struct qmtp_netstring *n, const char **input, size_t *len, const char **data);

/* With n->left at 0: read the comma. Once complete, n is ready for the next netstring. */
enum qmtp__progress qmtp__netstring_comma(
    struct qmtp_netstring *n, const char **input, size_t *len);

#endif
