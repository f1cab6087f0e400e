/*
 * spool/listing.h: how "qmtp-queue list" tells of entries, and how that is read: lines.
 *
 *	entry ID		begins one
 *	uid N			who submitted it
 *	size N			bytes of its message
 *	arrived N		seconds since 1970
 *	tried N			when it was last touched
 *	state L N		of the message: P, W or E, and the time of that
 *	token TEXT		of the Received field that was made for it, if there is one
 *	sender ADDR		"" is the null sender: nothing behind the space
 *	rcpt L N ADDR		each recipient: its state and the time of that
 *	words FROM TO TEXT	a server's last words on the recipients at these positions
 *	end			of the entry
 *	damaged ID		instead of all that: a file that cannot be read as an entry
 *	done N			how many entries there were; without it the list broke off
 *
 * No address and no text in it has control characters: qmtp-queue takes in no such
 * addresses and cleans the words. Whoever reads it cleans what it shows all the same.
 */
#ifndef SPOOL_LISTING_H
#define SPOOL_LISTING_H

#include "spool/entry.h"
#include "util/buf.h"

#define LISTING_LINE_MAX 4096 /* bytes of a line, its LF included */
#define LISTING_TOKEN_MAX 64

struct listing_words {
	size_t from, to; /* positions, both included */
	char *text;
};

/* One entry as it was told. */
struct listing {
	char id[SPOOL_ID];
	bool damaged; /* all else is empty */
	uid_t uid;
	uint64_t size;
	time_t arrived;
	time_t tried;
	char state;
	time_t since;
	char token[LISTING_TOKEN_MAX + 1]; /* "" if it has none */
	char *sender;
	struct entry_rcpt *rcpts;
	size_t n, cap;
	struct listing_words *words;
	size_t nwords, words_cap;
	unsigned seen; /* the reader's own: which lines of the entry there were, */
	size_t told;   /* and how many entries */
};

/* Append an entry; token may be "". The words are read from the entry's tail. */
void listing_write(struct buf *out, const struct entry *e, const char *token);
void listing_write_damaged(struct buf *out, const char *id);
void listing_write_done(struct buf *out, size_t n);

enum listing_line {
	LISTING_MORE,  /* the entry is not complete yet */
	LISTING_ENTRY, /* l holds one: look at it, then go on */
	LISTING_DONE,  /* the list is whole */
	LISTING_BAD    /* no such line here */
};

/*
 * Read one line, without its LF, into l ({0} at first). What LISTING_ENTRY gave stays
 * until the next call.
 */
enum listing_line listing_read(struct listing *l, const char *line, size_t len);

void listing_free(struct listing *l);

#endif
