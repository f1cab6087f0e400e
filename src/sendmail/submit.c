#include "sendmail/submit.h"

#include <errno.h>
#include <poll.h>
#include <sysexits.h>
#include <unistd.h>

#include "sendmail/complain.h"
#include "sendmail/dryrun.h"
#include "sendmail/submission.h"

void
submit_drain(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	char data[16384];
	ssize_t n;

	if (isatty(STDIN_FILENO))
		return;
	do {
		n = read(STDIN_FILENO, data, sizeof(data));
		if (n < 0 && errno == EAGAIN)
			poll(&p, 1, -1);
	} while (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)));
}

static int
read_message(struct submission *s, struct error *err)
{
	const struct options *o = s->options;
	struct message_source source = {
		.fd = STDIN_FILENO,
		.dots = !(o->dots_given ? o->ignore_dots : s->conf->ignore_dots),
	};

	return submission_read(s, &source, err);
}

static int
find_recipients(struct submission *s, struct error *err)
{
	const struct options *o = s->options;
	struct envelope *e = &s->envelope;

	for (size_t i = 0; i < o->noperands; i++)
		if (recipients_operand(&s->recipients, o->operands[i], e, err) < 0)
			return -1;
	if (o->from_header &&
	    recipients_header(&s->recipients, &s->message.header, e, err) < 0)
		return -1;
	if (e->n == 0)
		return error_set(err, EX_USAGE, "no recipients%s",
		    o->from_header ? " in the header or on the command line" : "");
	return 0;
}

static int
run(struct submission *s, struct error *err)
{
	if (read_message(s, err) < 0 || find_recipients(s, err) < 0 ||
	    submission_sender(s, s->options->sender, err) < 0 ||
	    submission_finish(s, err) < 0)
		return -1;
	return s->options->dry_run ? dryrun(&s->envelope, &s->message)
				   : submission_send(s);
}

int
submit(const struct options *o, const struct conf *conf, const struct startup *start)
{
	struct submission s;
	struct error err;
	int code;

	if (submission_init(&s, o, conf, start, &err) < 0) {
		complain("%s", err.text);
		submit_drain();
		return err.code;
	}
	code = run(&s, &err);
	if (code < 0) {
		complain("%s", err.text);
		code = err.code;
	}
	submission_free(&s);
	return code;
}
