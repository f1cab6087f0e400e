/*
 * sendmail/smtp.h. First byte: how the input falls into pieces; second byte: what is
 * configured; the rest: what the client says. The only server is a socket that is not
 * there.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "fuzz.h"
#include "sendmail/smtp.h"
#include "util/file.h"

#define REPLIES_MAX (16 * 1024 * 1024)

enum { DRY_RUN = 1, SMALL = 2, FAILS = 4, NO_OVERRIDE = 8, NO_ALIASES = 16 };

/* What a loaded configuration owns: strings that could be written to. */
static char nothing[] = "", path[] = "conf", hostname[] = "host.lab.example",
	    domain[] = "lab.example", server_name[] = "nowhere",
	    server_host[] = "/nonexistent/socket";

static struct conf
configuration(struct server *server, int flags)
{
	struct conf c = {
		.path = path,
		.hostname = hostname,
		.default_domain = domain,
		.envelope_from = nothing,
		.allow_from_override = !(flags & NO_OVERRIDE),
		.aliases = nothing,
		.max_message_size = flags & SMALL ? 200 : 200000000,
		.max_header_size = flags & SMALL ? 100 : 1048576,
		.max_recipients = flags & SMALL ? 2 : 10000,
		.direct_timeout = 1,
		.postmaster = nothing,
		.servers = server,
		.nservers = 1,
	};

	return c;
}

/* One line: three digits, a blank or a hyphen, printable text, CR LF. */
static void
check_line(const char *line, size_t len, bool dry_run)
{
	static const char taken[] = "250 2.0.0 ok ";

	must(len >= 6 && len <= 512, "the length of a reply");
	must(line[0] >= '2' && line[0] <= '5' && strspn(line, "0123456789") == 3,
	    "the code of a reply");
	must(line[3] == ' ' || line[3] == '-', "a reply of one line or of several");
	must(line[len - 2] == '\r' && line[len - 1] == '\n', "CR LF");
	for (size_t i = 0; i < len - 2; i++)
		must(line[i] >= ' ' && line[i] <= '~', "printable ASCII");
	must(dry_run || strncmp(line, taken, strlen(taken)) != 0,
	    "what no server took is not taken");
}

static void
check_replies(const struct buf *b, bool dry_run)
{
	const char *p = b->data, *end = b->data + b->len;
	bool more = false;
	char code[3];

	must(b->len > 4 && memcmp(p, "220 ", 4) == 0, "a greeting");
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		must(lf != NULL, "whole lines");
		check_line(p, (size_t)(lf - p) + 1, dry_run);
		must(!more || memcmp(p, code, sizeof(code)) == 0, "one reply at a time");
		more = p[3] == '-';
		memcpy(code, p, sizeof(code));
		p = lf + 1;
	}
	must(!more, "whole replies");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server server = {
		.name = server_name,
		.host = server_host,
		.port = 209,
		.tls_name = nothing,
		.tls_ca = nothing,
		.tls_fingerprint = nothing,
		.tls_certificate = nothing,
		.tls_key = nothing,
		.connect_timeout = 1,
		.send_timeout = 1,
		.reply_timeout = 1,
		.recipients_per_package = 1000,
		.in_flight = 64,
		.connections = 2,
	};
	struct startup start = { 0 };
	struct options o = { .mode = MODE_SMTP };
	struct buf said = { 0 };
	struct conf conf;
	int in, out, code;

	if (size < 2)
		return 0;
	conf = configuration(&server, data[1]);
	o.dry_run = data[1] & DRY_RUN;
	o.no_aliases = data[1] & NO_ALIASES;
	in = source_open(data + 2, size - 2, data[0], data[1] & FAILS);
	out = file_open("", 0);
	code = smtp_serve(&o, &conf, &start, in, out);
	must(code == EX_OK || (code == EX_IOERR && (data[1] & FAILS)), "it ends with 0");
	must(lseek(out, 0, SEEK_SET) == 0 && file_read(out, &said, REPLIES_MAX) == 0,
	    "there are replies");
	check_replies(&said, o.dry_run);
	buf_free(&said);
	source_close(in);
	close(out);
	return 0;
}
