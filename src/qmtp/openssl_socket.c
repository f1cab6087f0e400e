#include "qmtp/openssl_socket.h"

#include <errno.h>
#include <sys/socket.h>

static int
bio_write(BIO *b, const char *data, int len)
{
	struct qmtp__tls_connection *c = BIO_get_data(b);
	ssize_t n;

	BIO_clear_retry_flags(b);
	do
		n = send(c->fd, data, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		BIO_set_retry_write(b);
	else if (n < 0)
		c->errnum = errno;
	return (int)n;
}

static int
bio_read(BIO *b, char *data, int len)
{
	struct qmtp__tls_connection *c = BIO_get_data(b);
	ssize_t n;

	BIO_clear_retry_flags(b);
	do
		n = recv(c->fd, data, (size_t)len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	c->drained = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	if (c->drained)
		BIO_set_retry_read(b);
	else if (n < 0)
		c->errnum = errno;
	else if (n == 0)
		c->eof = true;
	for (ssize_t i = 0; i < n && c->nfirst < sizeof(c->first); i++)
		c->first[c->nfirst++] = (unsigned char)data[i];
	return (int)n;
}

static long
bio_ctrl(BIO *b, int what, long number, void *pointer)
{
	(void)b;
	(void)number;
	(void)pointer;
	return what == BIO_CTRL_FLUSH;
}

BIO_METHOD *
qmtp__openssl_socket(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "qmtp");

	if (m == NULL || BIO_meth_set_write(m, bio_write) != 1 ||
	    BIO_meth_set_read(m, bio_read) != 1 || BIO_meth_set_ctrl(m, bio_ctrl) != 1) {
		BIO_meth_free(m);
		return NULL;
	}
	return m;
}
