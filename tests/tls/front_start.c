#include "front_start.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct front_options o = { .to = "",
	.lowest = "1.2",
	.highest = "1.3",
	.addr = "127.0.0.1",
	.then = "close",
	.lifetime = 600,
	.record = BUFFER,
	.in = NOWHERE,
	.out = NOWHERE,
	.update = NOWHERE,
	.renegotiate = NOWHERE };

enum kind { TEXT, NUMBER, FLAG };

static const struct choice {
	const char *name;
	enum kind kind;
	void *value;
	const char *help;
} choices[] = {
	{ "addr", TEXT, &o.addr, "A     numeric address; 127.0.0.1 unless given" },
	{ "port", NUMBER, &o.port, "N     the port; 0, a free one, unless given" },
	{ "port-file", TEXT, &o.port_file, "FILE  write it there, else it is printed" },
	{ "to", TEXT, &o.to, "PLACE the server: a port of 127.0.0.1, or a unix socket" },
	{ "cert", TEXT, &o.cert, "FILE  certificate and chain" },
	{ "key", TEXT, &o.key, "FILE  its key" },
	{ "min", TEXT, &o.lowest, "V     1.0 to 1.3; 1.2 unless given" },
	{ "max", TEXT, &o.highest, "V     likewise; 1.3 unless given" },
	{ "cipher", TEXT, &o.cipher, "LIST  as in openssl-ciphers(1), @SECLEVEL=0 too" },
	{ "ask", TEXT, &o.ca, "FILE  ask for a client's certificate of this authority" },
	{ "require", FLAG, &o.require, "      and insist on it" },
	{ "no-tickets", FLAG, &o.no_tickets, "      nothing to resume with" },
	{ "record", NUMBER, &o.record, "N     bytes in a record to the client" },
	{ "drip", NUMBER, &o.drip, "N     bytes of a record in a write to the client" },
	{ "rcvbuf", NUMBER, &o.rcvbuf,
	    "N     the kernel's buffer for what the client sends" },
	{ "stall", FLAG, &o.stall, "      swallow the client's hello" },
	{ "in", NUMBER, &o.in,
	    "N     after N bytes from the client (they go no further)" },
	{ "out", NUMBER, &o.out, "N     after N bytes to the client" },
	{ "then", TEXT, &o.then, "WHAT  close (no close_notify), notify, reset, stall" },
	{ "update", NUMBER, &o.update, "N     after N bytes in, new keys (1.3)" },
	{ "renegotiate", NUMBER, &o.renegotiate, "N     after N bytes in, again (1.2)" },
	{ "faults", NUMBER, &o.faults,
	    "N     only the first N connections are broken off" },
	{ "log", TEXT, &o.log, "FILE  what it saw" },
	{ "lifetime", NUMBER, &o.lifetime,
	    "S     exit 1 after S seconds; 600 unless given" },
	{ "parent", FLAG, &o.parent, "      die with the process that started it" },
	{ "help", FLAG, &o.help, "      this" },
};

#define CHOICES (sizeof(choices) / sizeof(choices[0]))

static void
take_option(const struct choice *c, const char *text)
{
	char *end = NULL;

	switch (c->kind) {
	case TEXT:
		*(const char **)c->value = text;
		return;
	case FLAG:
		*(bool *)c->value = true;
		return;
	case NUMBER:
		*(long *)c->value = strtol(text, &end, 10);
		if (*text != '\0' && *end == '\0' && *(long *)c->value >= 0)
			return;
	}
	fprintf(stderr, "tlsfront: --%s: no number: %s\n", c->name, text);
	exit(64);
}

void
take_options(int argc, char **argv)
{
	struct option table[CHOICES + 1] = { 0 };
	int k;

	for (size_t i = 0; i < CHOICES; i++)
		table[i] = (struct option){ choices[i].name, choices[i].kind != FLAG,
			NULL, (int)i };
	while ((k = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (k == '?')
			exit(64);
		take_option(&choices[k], optarg);
	}
	for (size_t i = 0; o.help && i < CHOICES; i++)
		printf("--%s %s\n", choices[i].name, choices[i].help);
	if (o.help)
		exit(0);
	if (optind != argc || o.cert == NULL || o.key == NULL || *o.to == '\0' ||
	    o.record < 1 || o.record > BUFFER) {
		fputs("usage: tlsfront --cert FILE --key FILE --to PLACE ...\n", stderr);
		exit(64);
	}
}

_Noreturn void
die(const char *what)
{
	fprintf(stderr, "tlsfront: %s: %s\n", what, strerror(errno));
	exit(1);
}

int
listen_here(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)o.port) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1,
	    size = (int)o.rcvbuf;
	char name[4096];
	FILE *f = stdout;

	if (inet_pton(AF_INET, o.addr, &in.sin_addr) != 1)
		die(o.addr);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (size > 0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0) ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		die("listening");
	if (o.port_file != NULL) {
		snprintf(name, sizeof(name), "%s.new", o.port_file);
		f = fopen(name, "we");
	}
	if (f == NULL || fprintf(f, "%u\n", ntohs(in.sin_port)) < 0 || fflush(f) != 0)
		die("the port");
	if (o.port_file != NULL && (fclose(f) != 0 || rename(name, o.port_file) < 0))
		die(o.port_file);
	return fd;
}
