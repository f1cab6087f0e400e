/*
 * fuzz/fuzz.h: what the fuzz targets share.
 *
 * Each tests/fuzz/fuzz_NAME.c is one target: it takes an input, calls one part of the
 * program with it and aborts when a promise of that part's header is broken. It is linked
 * twice: with libFuzzer (make fuzz), and with replay.c, which feeds it the files in
 * tests/fuzz/corpus/NAME (make check).
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* The target: libFuzzer's name for it. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Say which promise is broken and abort. */
_Noreturn void broken(const char *promise);

static inline void
must(bool holds, const char *promise)
{
	if (!holds)
		broken(promise);
}

/* Whether there are neither control characters nor DEL in it. */
bool is_clean(const char *s);

bool same_bytes(const struct buf *a, const struct buf *b);

/*
 * A descriptor whose bytes are those n, which stay the caller's. cut 0: read(2) gives as
 * much as is asked for; else pieces of sizes that follow from cut, and now and then
 * EINTR, or EAGAIN although there is more. fails: after the last byte comes EIO and not
 * the end. One at a time.
 */
int source_open(const void *data, size_t n, unsigned cut, bool fails);
void source_close(int fd);

/* A regular file with those bytes, in memory; close(2) it. */
int file_open(const void *data, size_t n);

/* Its path, a string of the caller's. */
char *file_path(int fd);

#endif
