/*
 * mail/dsn_text.h: the words of a bounce for people.
 */
#ifndef MAIL_DSN_TEXT_H
#define MAIL_DSN_TEXT_H

#include "mail/dsn.h"

/* The subject, ASCII. */
const char *dsn_text_subject(const struct dsn *dsn);

/* Append the part's body: what has happened and will happen, and who it is about. */
void dsn_text_write(struct buf *out, const struct dsn *dsn);

#endif
