/*
 * mail/dsn_status.h: the part of a bounce for programs, message/delivery-status (RFC
 * 3464). dsn_status() is in mail/dsn.h.
 */
#ifndef MAIL_DSN_STATUS_H
#define MAIL_DSN_STATUS_H

#include "mail/dsn.h"

/* Append the part's body: fields for the message, and for each recipient concerned. */
void dsn_status_write(struct buf *out, const struct dsn *dsn);

#endif
