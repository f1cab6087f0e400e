/*
 * mail/header.h: the header block of a message (RFC 5322 §2.2, §3.6, §4.5), line by line.
 *
 * The block is kept as one run of bytes with LF line ends, and an index of the fields in
 * it. Nothing is decoded or reformatted: fields that stay are byte-identical to what came
 * in. Only these change on the way in: CR before LF goes, a lone CR becomes a space, NUL
 * goes.
 *
 * A struct header of zeros is an empty one; header_free() gives back what it holds.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

/* The fields that somebody here asks for; HEADER_OTHER is all the rest. */
enum header_id {
	HEADER_OTHER,
	HEADER_BCC,
	HEADER_CC,
	HEADER_CONTENT_LENGTH,
	HEADER_DATE,
	HEADER_FROM,
	HEADER_MESSAGE_ID,
	HEADER_REPLY_TO,
	HEADER_RESENT_BCC, /* the Resent- fields stand together, from here ... */
	HEADER_RESENT_CC,
	HEADER_RESENT_DATE,
	HEADER_RESENT_FROM,
	HEADER_RESENT_MESSAGE_ID,
	HEADER_RESENT_REPLY_TO,
	HEADER_RESENT_SENDER,
	HEADER_RESENT_TO, /* ... to here */
	HEADER_RETURN_PATH,
	HEADER_SENDER,
	HEADER_TO,
	HEADER_IDS /* how many there are */
};

#define HEADER_FIELDS_MAX 20000 /* fields in a message that is accepted */

struct header_field {
	enum header_id id;
	size_t begin; /* text.data[begin..end): name, colon, body, continuations, LF */
	size_t body;  /* where the bytes behind the colon begin */
	size_t end;
	bool whole; /* known: its addresses all have their domain (mail/recipients.h) */
};

struct header {
	struct buf text; /* the fields, without the empty line behind them */
	struct header_field *v;
	size_t n;
	size_t cap;
	size_t count[HEADER_IDS]; /* how many there are of each */
};

/* What a line turned out to be. */
enum header_line {
	HEADER_TAKEN, /* a field, or more of one; or a From_ line before the first */
	HEADER_END,   /* the empty line: the body begins behind it */
	HEADER_BODY   /* neither field nor continuation: the body begins with this line */
};

/*
 * Push one line, without its line end (LF or CR LF), into the header; NUL and CR may be
 * in it, and it is judged as it reads without them: a line of nothing else is the empty
 * line.
 *
 * A field begins with a name of printable ASCII without ':', then blanks or none, then
 * ':'. A line that begins with a blank continues the field before it, even if nothing
 * else is on it; as the first line it is body. Lines that begin with "From " or ">From "
 * before the first field are dropped. What begins with "--" is a MIME boundary, and so
 * body.
 *
 * Nothing may be pushed once HEADER_END or HEADER_BODY was returned. The size is not
 * limited here: the caller sees text.len.
 */
enum header_line header_push(struct header *h, const char *line, size_t len);

/* The body of a field: the bytes behind the colon, final LF excluded. Lent by h. */
const char *header_body(
    const struct header *h, const struct header_field *f, size_t *len);

/* The first field of that id, or NULL. Lent by h, until the next push. */
const struct header_field *header_find(const struct header *h, enum header_id id);

/* Whether the message was resent: any Resent- field that the list above knows. */
bool header_resent(const struct header *h);

void header_free(struct header *h);

#endif
