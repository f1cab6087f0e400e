/*
 * sendmail/smtp_session.h: one conversation: what its commands (smtp.c) and its messages
 * (smtp_message.c) share.
 */
#ifndef SENDMAIL_SMTP_SESSION_H
#define SENDMAIL_SMTP_SESSION_H

#include <stdbool.h>

#include "conf/conf.h"
#include "sendmail/options.h"
#include "sendmail/smtp_input.h"
#include "sendmail/smtp_reply.h"
#include "sendmail/startup.h"
#include "sendmail/submission.h"

#define SMTP_BLANKS " \t"

enum { SMTP_GO_ON = -1 };

struct smtp {
	struct options options;
	const struct conf *conf;
	const struct startup *start;
	char *hostname;
	struct smtp_input in;
	struct smtp_reply out;
	int end;   /* the exit code, or SMTP_GO_ON */
	bool open; /* MAIL was accepted: */
	struct submission submission;
};

/* A reply; one about the syntax of a command; the last one, 421. */
void smtp_say(struct smtp *s, const char *code, const char *status, const char *text);
void smtp_say_syntax(struct smtp *s, const char *text);
void smtp_hang_up(struct smtp *s, const char *status, const char *text);

/* Send what was said. The session ends when that fails. */
void smtp_flush(struct smtp *s);

/* The commands of a message, and what ends it without one. */
void smtp_mail(struct smtp *s, const char *argument);
void smtp_rcpt(struct smtp *s, const char *argument);
void smtp_data(struct smtp *s, const char *argument);
void smtp_forget(struct smtp *s);

#endif
