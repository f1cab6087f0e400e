#include "sendmail/smtp_session.h"

#include <string.h>
#include <sysexits.h>

#include "mail/address.h"
#include "sendmail/complain.h"
#include "sendmail/smtp_path.h"

void
smtp_forget(struct smtp *s)
{
	if (s->open)
		submission_free(&s->submission);
	s->open = false;
}

void
smtp_mail(struct smtp *s, const char *argument)
{
	struct smtp_path path;
	struct error err;

	if (s->open) {
		smtp_say(s, "503", "5.5.1", "a message was begun already");
		return;
	}
	if (smtp_path_parse(argument, "FROM:", &path) < 0) {
		smtp_say_syntax(s, "MAIL FROM:<address> is wanted");
		return;
	}
	if (path.size_given && path.size > s->conf->max_message_size) {
		smtp_say(s, "552", "5.3.4", "a message may not be that large");
	} else if (submission_init(&s->submission, &s->options, s->conf, s->start, &err) <
	    0) {
		smtp_say(s, "451", "4.3.0", err.text);
	} else if (submission_sender(&s->submission, path.address, &err) < 0) {
		submission_free(&s->submission);
		smtp_say(s, "553", "5.1.7", err.text);
	} else {
		s->open = true;
		smtp_say(s, "250", "2.1.0", "ok");
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

/*
 * All that an address stands for, or nothing of it: a client that is told to come back
 * with a recipient brings all of it again. EX_TEMPFAIL: there is no room left.
 */
static int
add_recipients(struct smtp *s, const char *address, struct error *err)
{
	struct envelope *to = &s->submission.envelope;
	size_t max = s->conf->max_recipients;
	struct envelope found = { 0 };
	int result = recipients_operand(&s->submission.recipients, address, &found, err);

	if (result == 0 && found.n > 1 && found.n > max - to->n)
		result = error_set(
		    err, EX_TEMPFAIL, "recipients: more than %zu with these", max);
	for (size_t i = 0; i < found.n && result == 0; i++) {
		result = envelope_add(to, found.rcpts[i].addr, max, err);
		if (result < 0)
			err->code = EX_TEMPFAIL;
	}
	envelope_free(&found);
	return result;
}

void
smtp_rcpt(struct smtp *s, const char *argument)
{
	struct smtp_path path;
	struct error err;

	if (!s->open) {
		smtp_say(s, "503", "5.5.1", "MAIL comes first");
		return;
	}
	if (smtp_path_parse(argument, "TO:", &path) < 0) {
		smtp_say_syntax(s, "RCPT TO:<address> is wanted");
		return;
	}
	if (!is_one_address(path.address))
		smtp_say(s, "553", "5.1.3", "one address is wanted");
	else if (add_recipients(s, path.address, &err) == 0)
		smtp_say(s, "250", "2.1.5", "ok");
	else if (err.code == EX_TEMPFAIL)
		smtp_say(s, "452", "4.5.3", err.text);
	else if (err.code == EX_DATAERR)
		smtp_say(s, "553", "5.1.3", err.text);
	else
		smtp_say(s, "451", "4.3.0", err.text);
	smtp_path_free(&path);
}

/* The words of the spool, if it has the message for anybody: they end in its name there. */
static const char *
queued(const struct envelope *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->rcpts[i].state == RCPT_QUEUED)
			return e->rcpts[i].reply;
	return NULL;
}

static void
accepted(struct smtp *s)
{
	const char *words = queued(&s->submission.envelope);
	struct buf text = { 0 };

	buf_printf(&text, "ok %s", s->submission.token);
	if (words != NULL)
		buf_printf(&text, " %s", words);
	smtp_say(s, "250", "2.0.0", text.data);
	buf_free(&text);
}

/* The message was read: send it, and say how that went. */
static void
send_message(struct smtp *s)
{
	struct submission *m = &s->submission;
	struct buf lines = { 0 };
	struct error err;
	int code;

	if (submission_finish(m, &err) < 0) {
		smtp_say(s, "552", "5.3.4", err.text);
		return;
	}
	complain_into(&lines);
	code = s->options.dry_run ? EX_OK : submission_send(m);
	complain_into(NULL);
	if (code == EX_OK)
		accepted(s);
	else if (code == EX_NOUSER)
		smtp_say(s, "554", "5.1.1", lines.len > 0 ? lines.data : "refused");
	else if (code == EX_UNAVAILABLE)
		smtp_say(s, "554", "5.0.0", lines.len > 0 ? lines.data : "refused");
	else
		smtp_say(s, "451", "4.3.0", lines.len > 0 ? lines.data : "not sent");
	buf_free(&lines);
}

/* It was not read to its end, or not kept: nothing of it is sent. */
static void
message_failed(struct smtp *s, const struct error *err)
{
	if (err->code == EX_IOERR && s->in.late)
		smtp_hang_up(s, "4.4.2", "waited too long for the message");
	else if (err->code == EX_IOERR)
		s->end = s->in.ended ? EX_OK : EX_IOERR; /* nobody waits for a reply */
	else if (err->code != EX_DATAERR)
		smtp_say(s, "451", "4.3.0", err->text);
	else if (s->in.text > s->conf->max_message_size)
		smtp_say(s, "552", "5.3.4", err->text);
	else
		smtp_say(s, "554", "5.6.0", err->text);
}

void
smtp_data(struct smtp *s, const char *argument)
{
	struct message_source source = {
		.fd = -1, .read = smtp_input_text, .arg = &s->in
	};
	struct error err;

	if (*argument != '\0') {
		smtp_say_syntax(s, "DATA stands alone");
		return;
	}
	if (!s->open || s->submission.envelope.n == 0) {
		smtp_say(
		    s, "503", "5.5.1", s->open ? "RCPT comes first" : "MAIL comes first");
		return;
	}
	smtp_say(s, "354", "", "go on; a line with one dot ends it");
	smtp_flush(s);
	if (s->end != SMTP_GO_ON)
		return;
	smtp_input_begin_text(&s->in);
	if (submission_read(&s->submission, &source, &err) < 0)
		message_failed(s, &err);
	else
		send_message(s);
	smtp_forget(s);
	smtp_flush(s);
	startup_release_signals();
}
