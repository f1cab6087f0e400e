/*
 * sendmail/helper.h: a conversation with qmtp-queue(8), the only program that gets at the
 * spool. It is reached by two roads:
 *
 *	helper	a child of ours, which gains the spool's group by its set-group-id bit
 *	socket	the same program behind QUEUE_SOCKET, for who may not gain a group
 *
 * Both lead to the same words: a package and its answers (store, doubt), or a status line
 * and data (helper_ask()). Neither takes a path or a word of the environment from us.
 */
#ifndef SENDMAIL_HELPER_H
#define SENDMAIL_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

#define HELPER_LINE_MAX 64    /* bytes of "VERB[ ARG]\n" */
#define HELPER_CONNECT 5000   /* milliseconds for the socket to take us in */
#define HELPER_PARTING 2000   /* milliseconds for a helper to end by itself */
#ifndef HELPER_PATIENCE       /* tests have less */
#define HELPER_PATIENCE 60000 /* milliseconds without a byte from it, or to it */
#endif

struct helper {
	int fd;    /* a unix stream socket that does not block; -1: none (any more) */
	pid_t pid; /* of the child; 0: through the socket */
};

enum helper_result {
	HELPER_OK,
	/* It did nothing and read nothing: the spool is as it was. The other road may lead
	   somewhere. */
	HELPER_UNABLE,
	HELPER_ABSENT /* there is no such program, no such socket: as HELPER_UNABLE */
};

/*
 * Start the helper; arg may be NULL. Not HELPER_OK, with err (EX_UNAVAILABLE): there is none,
 * or it cannot be executed, or no process can be made: nothing to finish then. It has
 * no environment, no other descriptors and no signals ignored or blocked.
 */
enum helper_result helper_start(
    struct helper *h, const char *verb, const char *arg, struct error *err);

/*
 * Connect to the socket and say what is wanted. Not HELPER_OK, with err (EX_UNAVAILABLE):
 * nobody answers there before the deadline; nothing to finish then.
 */
enum helper_result helper_connect(struct helper *h, const char *verb, const char *arg,
    int64_t deadline, struct error *err);

/*
 * Hang up (an fd that was given to a session is -1 by now) and see the child off: it is
 * waited for HELPER_PARTING; one that still runs then is killed, unless committed says that
 * it may be storing what it was given: it is left alone. HELPER_UNABLE with err: it had not
 * gained the spool's group, and had read nothing. Call it once for every start that went
 * well.
 */
enum helper_result helper_finish(struct helper *h, bool committed, struct error *err);

/* What is asked with list, show, remove and retry. */
struct helper_question {
	const char *verb;
	const char *arg; /* or NULL */
	/*
	 * Is given what stands behind the status line, piece by piece; NULL: nothing is
	 * wanted. -1 with err ends the conversation.
	 */
	int (*data)(void *data_arg, const char *data, size_t len, struct error *err);
	void *data_arg;
	uint64_t n; /* filled in: the number of "ok N"; 0 when there was none */
};

/*
 * Ask, by the helper, or by the socket when the helper is unable. 0 when the status was ok
 * and the data came to an end: whether to its own end, its reader must know. Else -1 with
 * err: that of "no CODE TEXT" (code and cleaned text), of data(), EX_USAGE for a question
 * that is too long, EX_UNAVAILABLE when no road leads to the spool, EX_IOERR when the
 * conversation broke off.
 */
int helper_ask(struct helper_question *q, struct error *err);

#endif
