/*
 * qmtp/stream.h: bytes to and from a connected socket that does not block. SIGPIPE is
 * never raised. Those of type ssize_t return what read(2) and write(2) would: a count, 0 for end of
 * file on reading, -1 with errno: EPROTO when TLS broke. With TLS a write is one record
 * at most, and one that returned -1 with EAGAIN is repeated by the next (tls_module.h).
 */
#ifndef QMTP_STREAM_H
#define QMTP_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct qmtp__tls;

struct qmtp__stream {
	int fd;                /* -1: none */
	struct qmtp__tls *tls; /* NULL: plain bytes */
};

/* Close it, if there is one; TLS says goodbye before. */
void qmtp__stream_close(struct qmtp__stream *s);

ssize_t qmtp__stream_read(const struct qmtp__stream *s, void *data, size_t len);

/*
 * more: other bytes follow at once, so the system may wait for them before it sends a
 * small segment.
 */
ssize_t qmtp__stream_write(
    const struct qmtp__stream *s, const struct iovec *v, size_t n, int more);

/* What to poll(2) for: reading, and writing too when there is something to send. */
short qmtp__stream_events(const struct qmtp__stream *s, bool sending);

/* With TLS: how it broke, or how the end of file was none of TLS; else "". */
const char *qmtp__stream_trouble(const struct qmtp__stream *s);

/* Nothing more follows for now: let the system send what it has. */
void qmtp__stream_push(const struct qmtp__stream *s);

/* Read exactly len bytes of a regular file. 0, or -1: there are not so many. */
int qmtp__stream_load(int file, void *data, size_t len, uint64_t offset);

/*
 * Send from a regular file. 0: the file ends before offset + len. *source is set when
 * the trouble was with the file, not with the socket.
 */
ssize_t qmtp__stream_file(
    const struct qmtp__stream *s, int file, uint64_t offset, uint64_t len, int *source);

#endif
