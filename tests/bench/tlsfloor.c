/*
 * tlsfloor: the least a program can do to deliver what is on its stdin by QMTP over TLS 1.3 with
 * OpenSSL. For benchmarks.
 *
 *	tlsfloor ADDRESS PORT NAME DIRECTORY SENDER RECIPIENT
 *
 * The server must show a certificate for NAME that an authority in DIRECTORY (hashed names) has
 * issued. Numeric address, message of at most 1 MiB, no time-outs. Exit 0 when the answer was
 * a K, 1 when it was not, 2 when there was none.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX (1024 * 1024)
#define ROOM 4096 /* for all but the message */

static char message[MESSAGE_MAX], package[MESSAGE_MAX + ROOM];

static _Noreturn void
broken(const char *what)
{
	fprintf(stderr, "tlsfloor: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(2);
}

static size_t
make_package(const char *sender, const char *rcpt)
{
	size_t n = 0, at;
	char list[ROOM / 2 + 32];
	int len;
	ssize_t got;

	while ((got = read(STDIN_FILENO, message + n, sizeof(message) - n)) > 0)
		n += (size_t)got;
	if (got < 0 || strlen(sender) + strlen(rcpt) > ROOM / 2)
		broken("stdin");
	at = (size_t)snprintf(package, ROOM, "%zu:\n", n + 1);
	memcpy(package + at, message, n);
	at += n;
	len = snprintf(list, sizeof(list), "%zu:%s,", strlen(rcpt), rcpt);
	return at +
	    (size_t)snprintf(package + at, ROOM - 64, ",%zu:%s,%d:%s,", strlen(sender),
		sender, len, list);
}

static int
connect_to(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || s < 0 ||
	    connect(s, (const struct sockaddr *)&to, sizeof(to)) < 0)
		broken(address);
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return s;
}

static SSL *
secure(SSL_CTX *ctx, int s, const char *name, const char *directory)
{
	SSL *ssl;

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, NULL, directory) != 1)
		broken(directory);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ssl = SSL_new(ctx);
	if (ssl == NULL || SSL_set1_host(ssl, name) != 1 ||
	    SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)name) != 1 ||
	    SSL_set_fd(ssl, s) != 1)
		broken(name);
	if (SSL_connect(ssl) != 1)
		broken("the handshake");
	return ssl;
}

/* Whether it was a K. */
static int
read_answer(SSL *ssl)
{
	char in[8200];
	size_t have = 0;

	while (have < sizeof(in)) {
		int n = SSL_read(ssl, in + have, (int)(sizeof(in) - have));
		size_t at = 0, len = 0;

		if (n <= 0)
			broken("reading the answer");
		have += (size_t)n;
		while (at < have && in[at] >= '0' && in[at] <= '9' && len < sizeof(in))
			len = len * 10 + (size_t)(in[at++] - '0');
		if (at + len + 2 <= have)
			return in[at + 1] == 'K';
	}
	broken("the answer");
}

int
main(int argc, char **argv)
{
	SSL_CTX *ctx;
	SSL *ssl;
	size_t n;

	if (argc != 7) {
		fputs("usage: tlsfloor ADDRESS PORT NAME DIRECTORY SENDER RECIPIENT\n",
		    stderr);
		return 64;
	}
	n = make_package(argv[5], argv[6]);
	ctx = SSL_CTX_new(TLS_client_method());
	ssl = secure(ctx, connect_to(argv[1], argv[2]), argv[3], argv[4]);
	if (SSL_write(ssl, package, (int)n) != (int)n)
		broken("sending");
	return !read_answer(ssl);
}
