#include "mail/dsn_text.h"

#include <stdlib.h>
#include <string.h>

#include "mail/dsn_line.h"
#include "mail/rewrite.h"
#include "util/text.h"

/* How it begins: to the sender, and to somebody else about a mail that has none. */
static const char own[] = "Your message could not be delivered to the recipients below";
static const char orphan[] =
    "A message without a sender, most likely a bounce, could not be delivered to the "
    "recipients below";
static const char others[] =
    " Its other recipients, if there are any, are not affected. Please do not reply to "
    "this mail.";

static const struct {
	const char *subject;
	const char *news;    /* goes on from there */
	const char *promise; /* behind the time until which it is tried */
	const char *silence; /* of a recipient on whom nothing was said */
} kinds[] = {
	[DSN_FAILED] = { "Undelivered Mail Returned to Sender",
	    ". A mail server refused it for good, so it will not be tried again.", NULL,
	    "The server gave no reason." },
	[DSN_EXPIRED] = { "Undelivered Mail Returned to Sender",
	    ". It was tried until its time was over, so it will not be tried again. "
	    "Below "
	    "is what was said last.",
	    NULL, "No server was tried." },
	[DSN_DELAYED] = { "Delayed Mail (still being retried)",
	    " so far. There is nothing you need to do: it will be tried until",
	    " at least. If it has to be given up then, you will be told.",
	    "No server was tried." },
};

const char *
dsn_text_subject(const struct dsn *dsn)
{
	return dsn->to != NULL ? "Undelivered Mail without a Sender"
			       : kinds[dsn->kind].subject;
}

static void
write_introduction(struct buf *out, const struct dsn *dsn)
{
	struct buf text = { 0 };

	buf_printf(out, "This is the mail system at host %s.\n\n",
	    identity_hostname(dsn->identity));
	buf_str(&text, dsn->to != NULL ? orphan : own);
	buf_str(&text, kinds[dsn->kind].news);
	if (kinds[dsn->kind].promise != NULL) {
		buf_byte(&text, ' ');
		rewrite_date(&text, dsn->until);
		buf_str(&text, kinds[dsn->kind].promise);
	}
	buf_str(&text, others);
	dsn_fold(out, 0, "", text.data);
	buf_byte(out, '\n');
	buf_free(&text);
}

void
dsn_text_write(struct buf *out, const struct dsn *dsn)
{
	const struct envelope *e = dsn->envelope;

	write_introduction(out, dsn);
	for (size_t i = 0; i < e->n; i++) {
		char *reply;

		if (!dsn_concerns(dsn, i))
			continue;
		buf_str(out, "\n<");
		text_clean(out, e->rcpts[i].addr, strlen(e->rcpts[i].addr), DSN_WORD_MAX);
		buf_str(out, ">:\n    ");
		reply = dsn_reply(dsn, i);
		dsn_fold(
		    out, 4, "    ", *reply != '\0' ? reply : kinds[dsn->kind].silence);
		buf_byte(out, '\n');
		free(reply);
	}
}
