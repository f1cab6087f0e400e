/*
 * qmtp/response.h: the one reader of answers: netstrings that are not empty, of at most
 * QMTP_REPLY_MAX bytes, whose first byte is K, Z or D (QMTP §5, §6). It is fed with bytes
 * and knows neither sockets nor sessions; it holds no resources.
 */
#ifndef QMTP_RESPONSE_H
#define QMTP_RESPONSE_H

#include "qmtp/netstring.h"
#include "qmtp/qmtp.h"

#define QMTP__STRAY_MAX 400

enum qmtp__response_item {
	QMTP__RESPONSE_MORE,  /* all input is used up */
	QMTP__RESPONSE_WHOLE, /* a whole answer, its comma included: content, len */
	QMTP__RESPONSE_NO_NETSTRING, /* from here on: wrong, and there is no going on */
	QMTP__RESPONSE_BAD_LENGTH,   /* 0, or more than QMTP_REPLY_MAX */
	QMTP__RESPONSE_BAD_KIND      /* a letter other than K, Z and D */
};

struct qmtp__response {
	struct qmtp_netstring netstring;
	size_t len; /* of the content, as far as it has come */
	size_t raw_len;
	/* the first bytes of what was read last, or is being read: an answer, or what is
	   none, with what came behind it at the same time */
	char raw[QMTP__STRAY_MAX];
	char content[QMTP_REPLY_MAX]; /* the letter and the text */
};

/* Ready for the first answer. */
void qmtp__response_init(struct qmtp__response *r);

/*
 * Read on at *in (of *len bytes), which move forward, to the end of an answer. Nothing is
 * wrong before its first wrong byte was seen; a length is looked at once its colon has come.
 */
enum qmtp__response_item qmtp__response_next(
    struct qmtp__response *r, const char **in, size_t *len);

/* Between two answers: keep bytes in raw that are not to be read as one. */
void qmtp__response_keep(struct qmtp__response *r, const char *data, size_t len);

#endif
