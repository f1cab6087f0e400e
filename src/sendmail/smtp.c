#include "sendmail/smtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/address.h"
#include "sendmail/complain.h"
#include "sendmail/smtp_input.h"
#include "sendmail/smtp_path.h"
#include "sendmail/submission.h"
#include "util/file.h"
#include "util/text.h"
#include "util/xalloc.h"

#define REPLY_TEXT_MAX \
	400 /* bytes of a reply line behind its codes (RFC 5321 §4.5.3.1.5) */
#define REPLY_LINES_MAX 20

enum { GO_ON = -1 };

struct smtp {
	const struct options *options;
	const struct conf *conf;
	const struct startup *start;
	char *hostname;
	struct smtp_input in;
	struct buf out; /* replies that are not written yet */
	int end;        /* the exit code, or GO_ON */
	bool open;      /* MAIL was accepted: */
	struct submission submission;
};

/* One line of a reply; more: others follow. Foreign text in it is clean. */
static void
reply_line(
    struct smtp *s, const char *code, bool more, const char *status, const char *text)
{
	size_t len = strlen(text) < REPLY_TEXT_MAX ? strlen(text) : REPLY_TEXT_MAX;

	buf_printf(&s->out, "%s%c%s%s%.*s\r\n", code, more ? '-' : ' ', status,
	    *status != '\0' ? " " : "", (int)len, text);
}

static void
reply(struct smtp *s, const char *code, const char *status, const char *text)
{
	reply_line(s, code, false, status, text);
}

/* What was complained of, line by line, as one reply. */
static void
reply_complaints(struct smtp *s, const char *code, const char *status, struct buf *lines)
{
	char *line = lines->len > 0 ? lines->data : NULL;

	if (line == NULL)
		reply(s, code, status, "failed");
	for (size_t n = 1; line != NULL; n++) {
		char *next = strchr(line, '\n');

		if (next != NULL)
			*next++ = '\0';
		if (next != NULL && (*next == '\0' || n == REPLY_LINES_MAX))
			next = NULL;
		reply_line(s, code, next != NULL, status, line);
		line = next;
	}
}

static void
flush(struct smtp *s)
{
	if (s->out.len > 0 && file_write(STDOUT_FILENO, s->out.data, s->out.len) < 0)
		s->end = EX_IOERR;
	buf_clear(&s->out);
}

static void
forget(struct smtp *s)
{
	if (s->open)
		submission_free(&s->submission);
	s->open = false;
}

static void
do_helo(struct smtp *s, const char *argument)
{
	if (*argument == '\0') {
		reply(s, "501", "5.5.4", "your name is missing");
		return;
	}
	forget(s);
	reply(s, "250", "", s->hostname);
}

static void
do_ehlo(struct smtp *s, const char *argument)
{
	struct buf size = { 0 };

	if (*argument == '\0') {
		reply(s, "501", "5.5.4", "your name is missing");
		return;
	}
	forget(s);
	buf_printf(&size, "SIZE %llu", (unsigned long long)s->conf->max_message_size);
	reply_line(s, "250", true, "", s->hostname);
	reply_line(s, "250", true, "", "8BITMIME");
	reply_line(s, "250", true, "", "ENHANCEDSTATUSCODES");
	reply_line(s, "250", true, "", "PIPELINING");
	reply_line(s, "250", true, "", size.data);
	reply_line(s, "250", false, "", "SMTPUTF8");
	buf_free(&size);
}

static void
do_mail(struct smtp *s, const char *argument)
{
	struct smtp_path path;
	struct error err;

	if (s->open) {
		reply(s, "503", "5.5.1", "a message was begun already");
		return;
	}
	if (smtp_path_parse(argument, "FROM:", &path) < 0) {
		reply(s, "501", "5.5.4", "MAIL FROM:<address> is wanted");
		return;
	}
	if (path.size_given && path.size > s->conf->max_message_size) {
		reply(s, "552", "5.3.4", "a message may not be that large");
	} else if (submission_init(&s->submission, s->options, s->conf, s->start, &err) <
	    0) {
		reply(s, "451", "4.3.0", err.text);
	} else if (submission_sender(&s->submission, path.address, &err) < 0) {
		submission_free(&s->submission);
		reply(s, "553", "5.1.7", err.text);
	} else {
		s->open = true;
		reply(s, "250", "2.1.0", "ok");
	}
	smtp_path_free(&path);
}

/*
 * An operand may be a list; here that is a mistake. What is no address at all is left
 * to who says why.
 */
static bool
is_one_address(const char *text)
{
	struct address_list list = { 0 };
	struct error err;
	bool one = address_parse(text, strlen(text), &list, &err) < 0 || list.n == 1;

	address_list_free(&list);
	return one;
}

static void
do_rcpt(struct smtp *s, const char *argument)
{
	struct envelope *e = &s->submission.envelope;
	struct smtp_path path;
	struct error err;

	if (!s->open) {
		reply(s, "503", "5.5.1", "MAIL comes first");
		return;
	}
	if (smtp_path_parse(argument, "TO:", &path) < 0) {
		reply(s, "501", "5.5.4", "RCPT TO:<address> is wanted");
		return;
	}
	if (!is_one_address(path.address))
		reply(s, "553", "5.1.3", "one address is wanted");
	else if (recipients_operand(&s->submission.recipients, path.address, e, &err) ==
	    0)
		reply(s, "250", "2.1.5", "ok");
	else if (e->n >= s->conf->max_recipients)
		reply(s, "452", "4.5.3", err.text);
	else if (err.code == EX_DATAERR)
		reply(s, "553", "5.1.3", err.text);
	else
		reply(s, "451", "4.3.0", err.text);
	smtp_path_free(&path);
}

/* The message was read: send it, and say how that went. */
static void
send_message(struct smtp *s)
{
	struct submission *m = &s->submission;
	struct buf lines = { 0 }, ok = { 0 };
	struct error err;

	if (submission_finish(m, &err) < 0) {
		reply(s, "552", "5.3.4", err.text);
		return;
	}
	complain_into(&lines);
	switch (submission_send(m)) {
	case EX_OK:
		buf_printf(&ok, "ok %s", m->token);
		reply(s, "250", "2.0.0", ok.data);
		break;
	case EX_NOUSER:
		reply_complaints(s, "554", "5.1.1", &lines);
		break;
	case EX_UNAVAILABLE:
		reply_complaints(s, "554", "5.0.0", &lines);
		break;
	default:
		reply_complaints(s, "451", "4.3.0", &lines);
	}
	complain_into(NULL);
	buf_free(&ok);
	buf_free(&lines);
}

static void
do_data(struct smtp *s, const char *argument)
{
	struct message_source source = {
		.fd = -1, .read = smtp_input_text, .arg = &s->in
	};
	struct error err;

	if (*argument != '\0') {
		reply(s, "501", "5.5.4", "DATA stands alone");
		return;
	}
	if (!s->open || s->submission.envelope.n == 0) {
		reply(
		    s, "503", "5.5.1", s->open ? "RCPT comes first" : "MAIL comes first");
		return;
	}
	reply(s, "354", "", "go on; a line with one dot ends it");
	flush(s);
	smtp_input_begin_text(&s->in);
	if (submission_read(&s->submission, &source, &err) == 0)
		send_message(s);
	else if (err.code == EX_IOERR)
		s->end = s->in.ended ? EX_OK : EX_IOERR; /* nobody waits for a reply */
	else if (err.code == EX_DATAERR)
		reply(s, s->in.text > s->conf->max_message_size ? "552" : "554",
		    s->in.text > s->conf->max_message_size ? "5.3.4" : "5.6.0", err.text);
	else
		reply(s, "451", "4.3.0", err.text);
	forget(s);
	flush(s);
	startup_release_signals();
}

static void
do_rset(struct smtp *s, const char *argument)
{
	(void)argument;
	forget(s);
	reply(s, "250", "2.0.0", "ok");
}

static void
do_noop(struct smtp *s, const char *argument)
{
	(void)argument;
	reply(s, "250", "2.0.0", "ok");
}

static void
do_quit(struct smtp *s, const char *argument)
{
	(void)argument;
	reply(s, "221", "2.0.0", "bye");
	s->end = EX_OK;
}

static void
do_help(struct smtp *s, const char *argument)
{
	(void)argument;
	reply(s, "214", "2.0.0", "HELO EHLO MAIL RCPT DATA RSET NOOP QUIT HELP VRFY");
}

static void
do_vrfy(struct smtp *s, const char *argument)
{
	(void)argument;
	reply(s, "252", "2.0.0", "send to it and see");
}

static void
do_not(struct smtp *s, const char *argument)
{
	(void)argument;
	reply(s, "502", "5.5.1", "not here");
}

static const struct command {
	char name[9];
	void (*run)(struct smtp *s, const char *argument);
} commands[] = {
	{ "HELO", do_helo },
	{ "EHLO", do_ehlo },
	{ "MAIL", do_mail },
	{ "RCPT", do_rcpt },
	{ "DATA", do_data },
	{ "RSET", do_rset },
	{ "NOOP", do_noop },
	{ "QUIT", do_quit },
	{ "HELP", do_help },
	{ "VRFY", do_vrfy },
	{ "EXPN", do_not },
	{ "STARTTLS", do_not },
	{ "AUTH", do_not },
};

static void
run_line(struct smtp *s, const char *line, size_t len)
{
	size_t name = strcspn(line, " ");
	const char *argument = line + name + strspn(line + name, " ");

	if (strlen(line) != len) {
		reply(s, "500", "5.5.2", "a NUL in the line");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *c = &commands[i];

		if (strlen(c->name) == name && strncasecmp(c->name, line, name) == 0) {
			c->run(s, argument);
			return;
		}
	}
	reply(s, "500", "5.5.2", "unknown command");
}

static void
step(struct smtp *s)
{
	const char *text;
	char *line;
	size_t len;

	switch (smtp_input_line(&s->in, &text, &len)) {
	case SMTP_LINE_END:
		s->end = EX_OK;
		return;
	case SMTP_LINE_FAILED:
		s->end = EX_IOERR;
		return;
	case SMTP_LINE_TOO_LONG:
		reply(s, "500", "5.5.6", "the line is too long");
		break;
	case SMTP_LINE:
		line = xstrndup(text, len);
		run_line(s, line, len);
		free(line);
	}
	if (!smtp_input_pending(&s->in))
		flush(s);
}

int
smtp_serve(const struct options *o, const struct conf *conf, const struct startup *start)
{
	struct smtp s = { .options = o, .conf = conf, .start = start, .end = GO_ON };
	struct identity id;
	struct error err;
	struct buf greeting = { 0 };

	if (identity_init(&id, conf->hostname, conf->default_domain, NULL, &err) < 0) {
		complain("%s", err.text);
		return err.code;
	}
	s.hostname = xstrdup(identity_hostname(&id));
	identity_free(&id);
	smtp_input_init(&s.in, STDIN_FILENO);
	buf_printf(&greeting, "%s ESMTP", s.hostname);
	reply(&s, "220", "", greeting.data);
	flush(&s);
	while (s.end == GO_ON)
		step(&s);
	flush(&s);
	forget(&s);
	smtp_input_free(&s.in);
	buf_free(&greeting);
	buf_free(&s.out);
	free(s.hostname);
	return s.end;
}
