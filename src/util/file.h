/*
 * util/file.h: descriptors and whole files.
 */
#ifndef UTIL_FILE_H
#define UTIL_FILE_H

#include <stddef.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * Make descriptors 0, 1 and 2 open (on /dev/null when they were closed: 0 for writing
 * only, so that reading it fails as it would have; 1 and 2 for both) and close every
 * other one. Returns 0, or -1 with errno (there is no /dev/null).
 */
int file_sane_descriptors(void);

/*
 * Write all n bytes, however many calls it takes; waits for a descriptor that does not
 * block. Returns 0, or -1 with errno.
 */
int file_write(int fd, const void *data, size_t n);

/*
 * Append what is left to read of fd to b, but no more than max bytes. Returns 0; or -1
 * with errno, EFBIG when there is more than max: b then has the first max bytes.
 */
int file_read(int fd, struct buf *b, size_t max);

/*
 * A temporary file without a name, open for reading and writing, close-on-exec: in dir,
 * in /var/tmp, in /tmp; else in memory. dir may be NULL. Returns a descriptor, or -1 with
 * err (EX_OSERR).
 */
int file_temporary(const char *dir, struct error *err);

#endif
