/*
 * send.c: one message over QMTP, waiting for the answers.
 *
 *	cc -o send send.c $(pkg-config --cflags --libs qmtp)
 *	send [-t] [-a authority] [-p port] [-f sender] [-m file] host recipient ...
 *
 * The message, with lines that end in LF or in CR LF, comes from the file or from standard
 * input. -t: by TLS; -a: by TLS, the authority's certificate is in that file. Prints a
 * line for each recipient. Exit code: 0 all were accepted; 69 some were refused for good,
 * the others accepted; 75 some may be tried again; 64 wrong usage; 66 no message.
 */
#include <qmtp.h>

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static int
usage(void)
{
	fputs("usage: send [-t] [-a authority] [-p port] [-f sender] [-m file] host "
	      "recipient ...\n",
	    stderr);
	return EX_USAGE;
}

/* What a server says may be any bytes: a terminal should not see them all. */
static void
print_words(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	putchar('\n');
}

/* A line for each recipient; returns the exit code. */
static int
report(const struct qmtp_package *p, char *const rcpts[])
{
	static const char *const words[] = {
		[QMTP_UNSENT] = "not sent",
		[QMTP_IN_DOUBT] = "sent, but not answered",
		[QMTP_ACCEPTED] = "accepted",
		[QMTP_DEFERRED] = "not now",
		[QMTP_REJECTED] = "refused",
	};
	int code = EX_OK;

	for (size_t i = 0; rcpts[i] != NULL; i++) {
		struct qmtp_result r = qmtp_package_result(p, i);

		printf("%s: %s: ", rcpts[i], words[r.fate]);
		print_words(r.text, r.len);
		if (r.fate == QMTP_REJECTED && code == EX_OK)
			code = EX_UNAVAILABLE;
		else if (r.fate != QMTP_ACCEPTED && r.fate != QMTP_REJECTED)
			code = EX_TEMPFAIL;
	}
	if (fflush(stdout) != 0)
		perror("send: standard output");
	return code;
}

static int
send_message(const struct qmtp_options *options, const char *sender, const char *file,
    char *const rcpts[])
{
	struct qmtp_package *p = qmtp_package_new();
	struct qmtp_error err;
	int code = EX_TEMPFAIL, failed = p == NULL || qmtp_package_sender(p, sender) < 0;

	for (size_t i = 0; !failed && rcpts[i] != NULL; i++)
		failed = qmtp_package_rcpt(p, rcpts[i]) < 0;
	if (failed) {
		fputs("send: out of memory, or too many recipients\n", stderr);
	} else if ((file != NULL ? qmtp_package_path(p, file, &err)
				 : qmtp_package_read(p, STDIN_FILENO, &err)) < 0 ||
	    qmtp_package_detect(p, &err) < 0) {
		fprintf(
		    stderr, "send: %s: %s\n", file ? file : "standard input", err.text);
		code = EX_NOINPUT;
	} else if (qmtp_package_check(p, &err) < 0) {
		fprintf(stderr, "send: %s\n", err.text);
		code = EX_USAGE;
	} else {
		if (qmtp_send(options, p, &err) < 0)
			fprintf(stderr, "send: %s: %s\n", options->host, err.text);
		code = report(p, rcpts);
	}
	qmtp_package_free(p);
	return code;
}

int
main(int argc, char *argv[])
{
	struct qmtp_options options = { 0 };
	struct qmtp_tls tls = { 0 };
	const char *sender = "", *file = NULL;
	char *end = "";
	int c;

	while ((c = getopt(argc, argv, "ta:p:f:m:")) != -1) {
		if (c == 't' || c == 'a')
			options.tls = &tls;
		if (c == 'a')
			tls.ca = optarg;
		else if (c == 'p')
			options.port = (int)strtol(optarg, &end, 10);
		else if (c == 'f')
			sender = optarg;
		else if (c == 'm')
			file = optarg;
		else if (c != 't')
			return usage();
	}
	if (argc - optind < 2 || *end != '\0')
		return usage();
	options.host = argv[optind];
	return send_message(&options, sender, file, argv + optind + 1);
}
