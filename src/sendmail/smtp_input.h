/*
 * sendmail/smtp_input.h: what an SMTP client sends: command lines, and the text behind
 * DATA.
 *
 * Lines end with LF or CR LF. In the text only the line end that the DATA command
 * itself had counts: for a client that writes CR LF, a lone LF is text like any other,
 * and "\n.\n" ends nothing (nobody can smuggle a command into a message that way).
 *
 * A client on a socket may be somebody who forgot to hang up: it has patience
 * milliseconds for each command, and for each SMTP_LINE_MAX bytes of text (RFC 5321
 * §4.5.3.2.7). One that is the parent of this process may take as long as it likes.
 */
#ifndef SENDMAIL_SMTP_INPUT_H
#define SENDMAIL_SMTP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SMTP_LINE_MAX 65536 /* bytes of a command line, its end included */

struct smtp_input {
	int fd;
	char *data; /* SMTP_LINE_MAX bytes, of which data[begin..end) are not used yet */
	size_t begin;
	size_t end;
	bool crlf;        /* the last line ended so */
	int state;        /* of the text */
	bool cr;          /* the last byte of text was one */
	uint64_t text;    /* bytes of text so far */
	bool ended;       /* the input did, or the other end is gone */
	bool late;        /* it did not come in time */
	int64_t patience; /* milliseconds; 0: without end */
	int64_t deadline; /* of this command, or of this piece of text */
	size_t piece;     /* bytes that have come before it */
};

enum smtp_line {
	SMTP_LINE,
	SMTP_LINE_TOO_LONG, /* more than SMTP_LINE_MAX: read to its end and thrown away */
	SMTP_LINE_END,      /* end of input; a line without its end is nothing */
	SMTP_LINE_LATE,     /* not in time */
	SMTP_LINE_FAILED    /* it cannot be read: errno */
};

void smtp_input_init(struct smtp_input *in, int fd, int64_t patience);

/* The next command line, without its end, waiting for it; lent until the next call. */
enum smtp_line smtp_input_line(struct smtp_input *in, const char **line, size_t *len);

/* Whether a whole line is there already: the client pipelines. */
bool smtp_input_pending(const struct smtp_input *in);

/* The text behind DATA begins here. */
void smtp_input_begin_text(struct smtp_input *in);

/*
 * Up to len bytes of the text, dots taken out (RFC 5321 §4.5.2), waiting for them: a
 * message_source's read. 0: its end was read. -1 with errno: it cannot be read, the input
 * ended in the middle (EPIPE), or it did not come in time (ETIMEDOUT).
 */
ssize_t smtp_input_text(void *input, char *out, size_t len);

void smtp_input_free(struct smtp_input *in);

#endif
