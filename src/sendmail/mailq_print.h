/*
 * sendmail/mailq_print.h: entries of the queue in the two forms of mailq(1). All foreign
 * text is cleaned.
 */
#ifndef SENDMAIL_MAILQ_PRINT_H
#define SENDMAIL_MAILQ_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "spool/listing.h"
#include "util/buf.h"

/*
 * Append the entry as Postfix prints one with long queue ids. first: the heading comes
 * before it, else an empty line. verbose: a line with token, user and next try, in
 * parentheses like the server's words. tzset(3) must have been called.
 */
void mailq_text(
    struct buf *out, const struct listing *l, bool first, bool verbose, time_t now);

/* The last line. filtered: what is not shown does not make an empty queue. */
void mailq_text_end(struct buf *out, size_t n, uint64_t bytes, bool filtered);

/* Append the entry as an object on a line. */
void mailq_json(struct buf *out, const struct listing *l, time_t now);

#endif
