/*
 * queue/receive.h: a QMTP server for one package, whose mailbox is the spool.
 *
 * Strict: encoding LF, 1 to ENTRY_RCPTS_MAX recipients, addresses of at most
 * ENTRY_ADDR_MAX bytes without control characters, a message within RECEIVE_SIZE_MAX,
 * nothing behind the package. One answer letter for all recipients:
 *
 *	K	all of it is durable: synced, named, the directory synced
 *	Z	it could not be stored; nothing of it is left
 *	D	it is not a package that would ever be stored
 *
 * An input that breaks off or is no package gets no answer.
 */
#ifndef QUEUE_RECEIVE_H
#define QUEUE_RECEIVE_H

#include "spool/spool.h"

#define RECEIVE_SIZE_MAX 200000000          /* bytes of a message */
#define RECEIVE_FREE_MIN (16 * 1024 * 1024) /* bytes left on the file system afterwards */
#define RECEIVE_INODES_MIN 100

/*
 * Read one package from descriptor in, store it with its slots in the state (P or ?),
 * answer on out. Once the package is complete signals are ignored. Returns the exit
 * code: EX_OK when K was written whole, EX_TEMPFAIL for Z, EX_DATAERR for D and for
 * what is no package, EX_IOERR when input or output fails.
 */
int receive(const struct spool *spool, int in, int out, char state);

#endif
