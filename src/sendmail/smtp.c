#include "sendmail/smtp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "mail/identity.h"
#include "sendmail/complain.h"
#include "sendmail/smtp_session.h"
#include "util/xalloc.h"

/* Milliseconds for a client on a socket, RFC 5321 §4.5.3.2.7 */
#ifndef SMTP_PATIENCE
#define SMTP_PATIENCE (5 * 60 * 1000)
#endif

void
smtp_say(struct smtp *s, const char *code, const char *status, const char *text)
{
	smtp_reply(&s->out, code, status, text);
}

void
smtp_say_syntax(struct smtp *s, const char *text)
{
	smtp_say(s, "501", "5.5.4", text);
}

/* A client that does not read is as good as gone. */
void
smtp_flush(struct smtp *s)
{
	if (smtp_reply_flush(&s->out) < 0)
		s->end = EX_IOERR;
}

void
smtp_hang_up(struct smtp *s, const char *status, const char *text)
{
	smtp_say(s, "421", status, text);
	s->end = EX_OK;
}

static void
do_helo(struct smtp *s, const char *argument)
{
	if (*argument == '\0') {
		smtp_say_syntax(s, "your name is missing");
		return;
	}
	smtp_forget(s);
	smtp_say(s, "250", "", s->hostname);
}

static void
do_ehlo(struct smtp *s, const char *argument)
{
	struct buf size = { 0 };

	if (*argument == '\0') {
		smtp_say_syntax(s, "your name is missing");
		return;
	}
	smtp_forget(s);
	buf_printf(&size, "SIZE %llu", (unsigned long long)s->conf->max_message_size);
	smtp_reply_line(&s->out, "250", true, "", s->hostname);
	smtp_reply_line(&s->out, "250", true, "", "8BITMIME");
	smtp_reply_line(&s->out, "250", true, "", "ENHANCEDSTATUSCODES");
	smtp_reply_line(&s->out, "250", true, "", "PIPELINING");
	smtp_reply_line(&s->out, "250", true, "", size.data);
	smtp_reply_line(&s->out, "250", false, "", "SMTPUTF8");
	buf_free(&size);
}

static void
do_rset(struct smtp *s, const char *argument)
{
	if (*argument != '\0') {
		smtp_say_syntax(s, "RSET stands alone");
		return;
	}
	smtp_forget(s);
	smtp_say(s, "250", "2.0.0", "ok");
}

static void
do_noop(struct smtp *s, const char *argument)
{
	(void)argument;
	smtp_say(s, "250", "2.0.0", "ok");
}

static void
do_quit(struct smtp *s, const char *argument)
{
	if (*argument != '\0') {
		smtp_say_syntax(s, "QUIT stands alone");
		return;
	}
	smtp_say(s, "221", "2.0.0", "bye");
	s->end = EX_OK;
}

static void
do_help(struct smtp *s, const char *argument)
{
	(void)argument;
	smtp_say(s, "214", "2.0.0", "HELO EHLO MAIL RCPT DATA RSET NOOP QUIT HELP VRFY");
}

static void
do_vrfy(struct smtp *s, const char *argument)
{
	if (*argument == '\0')
		smtp_say_syntax(s, "VRFY whom?");
	else
		smtp_say(s, "252", "2.0.0", "send to it and see");
}

static void
do_not(struct smtp *s, const char *argument)
{
	(void)argument;
	smtp_say(s, "502", "5.5.1", "not here");
}

/*
 * A web client that was talked into connecting here: in the lines that follow there may
 * be commands that somebody put there.
 */
static void
do_http(struct smtp *s, const char *argument)
{
	(void)argument;
	smtp_hang_up(s, "4.7.0", "this is SMTP");
}

static const struct command {
	char name[9];
	void (*run)(struct smtp *s, const char *argument);
} commands[] = {
	{ "HELO", do_helo },
	{ "EHLO", do_ehlo },
	{ "MAIL", smtp_mail },
	{ "RCPT", smtp_rcpt },
	{ "DATA", smtp_data },
	{ "RSET", do_rset },
	{ "NOOP", do_noop },
	{ "QUIT", do_quit },
	{ "HELP", do_help },
	{ "VRFY", do_vrfy },
	{ "EXPN", do_not },
	{ "STARTTLS", do_not },
	{ "AUTH", do_not },
	{ "BDAT", do_not },
	{ "ETRN", do_not },
	{ "CONNECT", do_http },
	{ "GET", do_http },
	{ "HEAD", do_http },
	{ "OPTIONS", do_http },
	{ "POST", do_http },
	{ "PUT", do_http },
};

/* Whether there are control characters in it, a tab excepted. */
static bool
is_binary(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

static void
run_line(struct smtp *s, const char *line)
{
	size_t name = strcspn(line, SMTP_BLANKS);
	const char *argument = line + name + strspn(line + name, SMTP_BLANKS);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *c = &commands[i];

		if (strlen(c->name) == name && strncasecmp(c->name, line, name) == 0) {
			c->run(s, argument);
			return;
		}
	}
	smtp_say(s, "500", "5.5.2", "unknown command");
}

static void
take_line(struct smtp *s, const char *text, size_t len)
{
	char *line;

	/* Blanks at the end are to be borne (RFC 5321 §4.1.1), and CR CR LF happens. */
	while (len > 0 && strchr(SMTP_BLANKS "\r", text[len - 1]) != NULL &&
	    text[len - 1] != '\0')
		len--;
	if (is_binary(text, len)) {
		smtp_say(s, "500", "5.5.2", "control characters in the line");
		return;
	}
	line = xstrndup(text, len);
	run_line(s, line);
	free(line);
}

static void
step(struct smtp *s)
{
	const char *text;
	size_t len;

	switch (smtp_input_line(&s->in, &text, &len)) {
	case SMTP_LINE_END:
		s->end = EX_OK;
		return;
	case SMTP_LINE_FAILED:
		s->end = EX_IOERR;
		return;
	case SMTP_LINE_LATE:
		smtp_hang_up(s, "4.4.2", "waited too long for a command");
		return;
	case SMTP_LINE_TOO_LONG:
		smtp_say(s, "500", "5.5.6", "the line is too long");
		break;
	case SMTP_LINE:
		take_line(s, text, len);
	}
	if (!smtp_input_pending(&s->in))
		smtp_flush(s);
}

static int64_t
patience_with(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? SMTP_PATIENCE : 0;
}

/* -v would talk into the conversation. */
static struct options
without_trace(const struct options *o)
{
	struct options copy = *o;

	copy.verbose = false;
	return copy;
}

int
smtp_serve(const struct options *o, const struct conf *conf, const struct startup *start,
    int in, int out)
{
	struct smtp s = {
		.options = without_trace(o),
		.conf = conf,
		.start = start,
		.out = { .fd = out, .patience = patience_with(out) },
		.end = SMTP_GO_ON,
	};
	struct identity id;
	struct error err;
	struct buf greeting = { 0 };

	if (identity_init(&id, conf->hostname, conf->default_domain, NULL, &err) < 0) {
		complain("%s", err.text);
		return err.code;
	}
	s.hostname = xstrdup(identity_hostname(&id));
	identity_free(&id);
	smtp_input_init(&s.in, in, patience_with(in));
	buf_printf(&greeting, "%s ESMTP", s.hostname);
	smtp_say(&s, "220", "", greeting.data);
	smtp_flush(&s);
	while (s.end == SMTP_GO_ON)
		step(&s);
	smtp_flush(&s);
	smtp_forget(&s);
	smtp_input_free(&s.in);
	smtp_reply_free(&s.out);
	buf_free(&greeting);
	free(s.hostname);
	return s.end;
}
