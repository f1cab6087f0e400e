/*
 * queue/receive.h: a QMTP server for one package, whose mailbox is the spool.
 *
 * Strict: encoding LF, 1 to ENTRY_RCPTS_MAX recipients, addresses of at most
 * ENTRY_ADDR_MAX bytes without control characters, a message of at most MAX_ENTRY
 * bytes, its encoding byte included, nothing behind the package. One answer letter for all recipients:
 *
 *	K	all of it is durable: synced, named, the directory synced
 *	Z	it could not be stored; nothing of it is left
 *	D	it is not a package that would ever be stored
 *
 * MIN_FREE bytes and MIN_INODES inodes must be left on the file system behind it. These
 * three are set at configure time.
 *
 * An input that breaks off or is no package gets no answer.
 */
#ifndef QUEUE_RECEIVE_H
#define QUEUE_RECEIVE_H

#include "queue/peer.h"
#include "spool/spool.h"

/*
 * Read one package from the peer, store it with its slots in the state (P or ?), answer.
 * While it comes in a signal breaks it off; once it is complete signals are ignored.
 * Returns the exit code: EX_OK when K was written whole, EX_TEMPFAIL for Z, EX_DATAERR
 * for D and for what is no package, EX_IOERR when input or output fails or takes too long.
 */
int receive(const struct spool *spool, struct peer *peer, char state);

#endif
