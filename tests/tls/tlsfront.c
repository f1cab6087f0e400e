/*
 * tlsfront: TLS in front of a server, for tests. What comes in by TLS on a port
 * goes on, plain, to a port of loopback or to a unix socket, and back. It serves any number of
 * connections, each in a process of its own, and breaks things where it is told to. --help
 * lists the options; certs.sh makes certificates for it.
 *
 *	tlsfront --cert good.pem --key good.key --to 4711 &      prints its port
 *	tlsfront --cert good.pem --key good.key --to sock --port-file port --log log
 *
 * --log FILE, a line per event, before any byte that is sent after it:
 *
 *	1 connect
 *	1 hello name=localhost
 *	1 handshake TLSv1.3 TLS_AES_256_GCM_SHA384 resumed=no client=CN=test client
 *	1 failed in the handshake: REASON
 *	1 in=233 out=11 client=notify        how the client ended: notify, eof, reset; or none yet
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "front_start.h"

static long number; /* of this connection */
static long bytes_in, bytes_out;

static _Noreturn void
die_tls(const char *what)
{
	fprintf(stderr, "tlsfront: %s: ", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
	char line[600];
	int n = snprintf(line, 20, "%ld ", number), fd;
	va_list ap;

	if (o.log == NULL)
		return;
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - 21, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	fd = open(o.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		die(o.log);
	close(fd);
}

/* ---- TLS ---- */

static int
version(const char *text)
{
	static const struct {
		const char *text;
		int version;
	} known[] = { { "1.0", TLS1_VERSION }, { "1.1", TLS1_1_VERSION },
		{ "1.2", TLS1_2_VERSION }, { "1.3", TLS1_3_VERSION } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(text, known[i].text) == 0)
			return known[i].version;
	fprintf(stderr, "tlsfront: no version of TLS: %s\n", text);
	exit(64);
}

static int
saw_hello(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)arg;
	note("hello name=%s", name != NULL ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
make_context(void)
{
	static const unsigned char id[] = "tlsfront";
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL ||
	    (o.cipher != NULL && SSL_CTX_set_cipher_list(ctx, o.cipher) != 1) ||
	    SSL_CTX_set_min_proto_version(ctx, version(o.lowest)) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, version(o.highest)) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, id, sizeof(id)) != 1)
		die_tls("setting up");
	if (SSL_CTX_use_certificate_chain_file(ctx, o.cert) != 1)
		die_tls(o.cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, o.key, SSL_FILETYPE_PEM) != 1)
		die_tls(o.key);
	if (o.ca != NULL) {
		if (SSL_CTX_load_verify_locations(ctx, o.ca, NULL) != 1)
			die_tls(o.ca);
		SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(o.ca));
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | (o.require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
		    NULL);
	}
	if (o.no_tickets) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	}
	SSL_CTX_set_tlsext_servername_callback(ctx, saw_hello);
	SSL_CTX_set_mode(
	    ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

/* A write of a few bytes at a time, each in a segment of its own. */
static int
drip_write(BIO *b, const char *data, int len)
{
	int fd = -1;
	ssize_t n;

	BIO_clear_retry_flags(b);
	BIO_get_fd(b, &fd);
	n = send(fd, data, (size_t)(len < o.drip ? len : o.drip), MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		BIO_set_retry_write(b);
	return (int)n;
}

static SSL *
make_connection(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);
	BIO *b = BIO_new_socket(fd, BIO_NOCLOSE);
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOCKET, "drip");

	if (ssl == NULL || b == NULL || m == NULL)
		die_tls("a connection");
	if (o.drip > 0) {
		const BIO_METHOD *plain = BIO_s_socket();

		BIO_free(b);
		BIO_meth_set_write(m, drip_write);
		BIO_meth_set_read(m, BIO_meth_get_read(plain));
		BIO_meth_set_ctrl(m, BIO_meth_get_ctrl(plain));
		BIO_meth_set_create(m, BIO_meth_get_create(plain));
		BIO_meth_set_destroy(m, BIO_meth_get_destroy(plain));
		b = BIO_new(m);
		BIO_set_fd(b, fd, BIO_NOCLOSE);
	}
	SSL_set_bio(ssl, b, b);
	SSL_set_accept_state(ssl);
	return ssl;
}

/* Wait for what TLS wants; false: it is over. */
static bool
wait_for(SSL *ssl, int fd, int r)
{
	int e = SSL_get_error(ssl, r);
	struct pollfd p = { .fd = fd,
		.events = e == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN };

	if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
		return false;
	poll(&p, 1, -1);
	return true;
}

static _Noreturn void
over(const char *client)
{
	note("in=%ld out=%ld client=%s", bytes_in, bytes_out, client);
	_exit(0);
}

static void
shake_hands(SSL *ssl, int fd)
{
	X509 *peer;
	char subject[200] = "";
	int r;

	while ((r = SSL_accept(ssl)) != 1)
		if (!wait_for(ssl, fd, r)) {
			unsigned long e = ERR_peek_last_error();
			const char *reason = ERR_reason_error_string(e);

			note("failed in the handshake: %s",
			    reason != NULL ? reason : "the client has gone");
			_exit(0);
		}
	peer = SSL_get_peer_certificate(ssl);
	if (peer != NULL) {
		BIO *b = BIO_new(BIO_s_mem());

		X509_NAME_print_ex(b, X509_get_subject_name(peer), 0, XN_FLAG_RFC2253);
		r = BIO_read(b, subject, sizeof(subject) - 1);
		subject[r > 0 ? r : 0] = '\0';
	}
	note("handshake %s %s resumed=%s client=%s", SSL_get_version(ssl),
	    SSL_get_cipher_name(ssl), SSL_session_reused(ssl) ? "yes" : "no", subject);
}

/* ---- a connection ---- */

static int
connect_back(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char *end;
	long port = strtol(o.to, &end, 10);
	int fd, r, on = 1;

	if (*end == '\0') {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		in.sin_port = htons((uint16_t)port);
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		r = connect(fd, (struct sockaddr *)&in, sizeof(in));
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	} else {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", o.to);
		r = connect(fd, (struct sockaddr *)&un, sizeof(un));
	}
	if (r < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die(o.to);
	return fd;
}

/* The end of the story, if this connection has one. */
static void
break_off(SSL *ssl, int fd)
{
	struct linger hard = { 1, 0 };

	note("in=%ld out=%ld client=none, %s", bytes_in, bytes_out, o.then);
	if (strcmp(o.then, "notify") == 0)
		SSL_shutdown(ssl);
	if (strcmp(o.then, "stall") == 0)
		for (;;)
			pause();
	if (strcmp(o.then, "reset") == 0) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	} else { /* so that no reset takes away what was sent */
		char swallowed[BUFFER];
		struct pollfd p = { .fd = fd, .events = POLLIN };

		shutdown(fd, SHUT_WR);
		while (poll(&p, 1, 2000) == 1 && recv(fd, swallowed, BUFFER, 0) > 0)
			;
	}
	_exit(0);
}

struct way {
	char data[BUFFER];
	size_t from, to;
	bool ended, passed; /* no more comes; and the other side was told */
};

static bool
broken(void)
{
	return o.faults == 0 || number <= o.faults;
}

/* How many of n more bytes may pass before the place where it breaks. */
static size_t
allowed(long place, long so_far, size_t n)
{
	if (place == NOWHERE || !broken() || place - so_far >= (long)n)
		return n;
	return (size_t)(place - so_far);
}

static void
from_client(SSL *ssl, int fd, struct way *w)
{
	size_t room = allowed(o.in, bytes_in, BUFFER);
	int n;

	if (o.in == bytes_in && broken())
		break_off(ssl, fd);
	if (o.renegotiate >= 0 && bytes_in >= o.renegotiate) {
		o.renegotiate = NOWHERE;
		SSL_renegotiate(ssl);
		SSL_do_handshake(ssl);
	}
	if (w->ended || w->from < w->to)
		return;
	if (o.update >= 0 && bytes_in < o.update)
		room = (size_t)(o.update - bytes_in) < room
		    ? (size_t)(o.update - bytes_in)
		    : room;
	ERR_clear_error();
	n = SSL_read(ssl, w->data, (int)room);
	if (n > 0) {
		w->from = 0;
		w->to = (size_t)n;
		bytes_in += n;
		if (o.update == bytes_in)
			SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
		if (o.in == bytes_in && broken())
			break_off(ssl, fd);
		return;
	}
	n = SSL_get_error(ssl, n);
	if (n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE)
		return;
	w->ended = true;
	if (n != SSL_ERROR_ZERO_RETURN)
		over(
		    ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
			? "eof"
			: "reset");
}

static void
to_client(SSL *ssl, int fd, struct way *w)
{
	while (w->from < w->to) {
		size_t n = w->to - w->from;
		int r;

		n = allowed(
		    o.out, bytes_out, n < (size_t)o.record ? n : (size_t)o.record);
		if (n == 0)
			break_off(ssl, fd);
		ERR_clear_error();
		r = SSL_write(ssl, w->data + w->from, (int)n);
		if (r <= 0)
			return;
		w->from += (size_t)r;
		bytes_out += r;
		if (o.out == bytes_out && broken())
			break_off(ssl, fd);
	}
}

static void
from_server(int back, struct way *w)
{
	ssize_t n;

	if (w->ended || w->from < w->to)
		return;
	n = read(back, w->data, BUFFER);
	if (n > 0) {
		w->from = 0;
		w->to = (size_t)n;
	} else if (n == 0 || errno != EAGAIN) {
		w->ended = true;
	}
}

static void
to_server(int back, struct way *w)
{
	while (w->from < w->to) {
		ssize_t n = send(back, w->data + w->from, w->to - w->from, MSG_NOSIGNAL);

		if (n < 0)
			break;
		w->from += (size_t)n;
	}
	if (w->ended && w->from == w->to && !w->passed) {
		w->passed = true;
		shutdown(back, SHUT_WR);
	}
}

static _Noreturn void
relay(SSL *ssl, int fd)
{
	static struct way there, here;
	int back = connect_back();

	for (;;) {
		struct pollfd p[2] = { { .fd = fd }, { .fd = back } };

		from_client(ssl, fd, &there);
		to_server(back, &there);
		from_server(back, &here);
		to_client(ssl, fd, &here);
		if (here.ended && here.from == here.to) {
			SSL_shutdown(ssl);
			over(there.ended ? "notify" : "none");
		}
		if (there.from == there.to && SSL_has_pending(ssl) && !there.ended)
			continue;
		if (!there.ended && there.from == there.to)
			p[0].events |= POLLIN;
		if (here.from < here.to)
			p[0].events |= POLLOUT;
		else if (!here.ended)
			p[1].events |= POLLIN;
		if (there.from < there.to)
			p[1].events |= POLLOUT;
		if (p[0].events == 0)
			p[0].fd = -1;
		poll(p, 2, -1);
	}
}

static _Noreturn void
serve(SSL_CTX *ctx, int fd)
{
	SSL *ssl = make_connection(ctx, fd);
	int on = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm((unsigned)o.lifetime);
	note("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		die("a connection");
	while (o.stall && broken())
		pause();
	shake_hands(ssl, fd);
	relay(ssl, fd);
}

/* ---- the listener ---- */

static void
end(int sig)
{
	_exit(sig == SIGALRM);
}

int
main(int argc, char **argv)
{
	pid_t parent = getppid();
	SSL_CTX *ctx;
	int listener;

	take_options(argc, argv);
	if (o.parent && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent))
		die("--parent");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGALRM, end);
	signal(SIGTERM, end);
	signal(SIGINT, end);
	alarm((unsigned)o.lifetime);
	ctx = make_context();
	listener = listen_here();
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pid_t child;

		if (fd < 0)
			die("accept");
		number++;
		child = fork();
		if (child < 0)
			die("fork");
		if (child == 0) {
			close(listener);
			serve(ctx, fd);
		}
		close(fd);
	}
}
