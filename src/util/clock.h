/*
 * util/clock.h: time that only goes forward. Deadlines are absolute values of clock_ms();
 * CLOCK_NEVER is a deadline that does not come.
 */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);

/* The earlier of two deadlines. */
int64_t clock_earlier(int64_t a, int64_t b);

#endif
