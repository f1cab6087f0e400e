/*
 * spool/entry.h: one queue file, opened: what it says, and what becomes of its
 * recipients.
 */
#ifndef SPOOL_ENTRY_H
#define SPOOL_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "spool/spool.h"

#define ENTRY_RCPTS_MAX 10000
#define ENTRY_ADDR_MAX 999

struct entry_rcpt {
	char *addr;
	char state; /* P ? K D */
	time_t when;
};

struct entry {
	char id[SPOOL_ID];
	int fd;
	uid_t owner;      /* who submitted it: the kernel says so */
	time_t arrived;   /* from the id */
	time_t touched;   /* mtime: the last change, or "now" by retry */
	uint64_t message; /* where the message begins, behind its encoding byte, */
	uint64_t length;  /* and its bytes */
	char *sender;
	struct entry_rcpt *rcpts;
	size_t n;
	uint64_t slots; /* where the slots begin */
	char state;     /* of the message: P, W or E, */
	time_t since;   /* and the time of that */
	uint64_t size;  /* of the file when it was opened */
};

enum entry_result {
	ENTRY_OK,
	ENTRY_GONE, /* it is not there (any more) */
	/* no regular file, a second link, another name's inode: not ours to touch */
	ENTRY_SKIPPED,
	ENTRY_DAMAGED, /* no package with its slots */
	ENTRY_FAILED   /* it cannot be read now */
};

/*
 * Open queue/id for reading, or for marking too. Only the envelope is read, never the
 * message. On anything but ENTRY_OK err says what, and there is nothing to close.
 */
enum entry_result entry_open(struct entry *e, const struct spool *s, const char *id,
    bool marking, struct error *err);

#define ENTRY_PEEK 8192 /* more bytes of a message are never read on the way */

/*
 * The same; the first bytes of the message come along, as far as they were read on the
 * way, at most size of them: *n at first. Of a small entry that is all of it.
 */
enum entry_result entry_peek(struct entry *e, const struct spool *s, const char *id,
    bool marking, char *first, size_t size, size_t *n, struct error *err);

/* How many recipients are in a state. */
size_t entry_count(const struct entry *e, char state);

/*
 * Mark recipient i, or with i = e->n the message: one write in place, which needs no
 * space, and sets the mtime. It counts once entry_sync() has returned 0. 0, or -1 with err
 * (EX_IOERR): then nothing is said of the entry until a mark succeeds.
 */
int entry_mark(struct entry *e, size_t i, char state, time_t now, struct error *err);

/* fdatasync(2). 0, or -1 with err. */
int entry_sync(const struct entry *e, struct error *err);

void entry_close(struct entry *e);

/* Control characters, NUL among them: no address has them, and lists have a line for each. */
bool entry_has_control(const char *s, size_t n);

#endif
