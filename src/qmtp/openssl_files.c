#include "qmtp/openssl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmtp/failure.h"

#define FILE_SIZE_MAX (16 << 20) /* of certificates: that of a system has 0.3 MB */
#define CHAIN_MAX 20             /* certificates of one's own */

/* ---- errors ---- */

static int
bad(struct qmtp_error *err, const char *what, const char *path, const char *reason)
{
	return qmtp__fail(err, QMTP_SECURE, QMTP_TLS, "%s %.120s: %s while %s", what,
	    path, reason, qmtp_phase_name(QMTP_SECURE));
}

static int
bad_errno(struct qmtp_error *err, const char *what, const char *path)
{
	char reason[100];

	qmtp__reason(errno, reason, sizeof(reason));
	return bad(err, what, path, reason);
}

/* OpenSSL says why, unless it is a lack of memory. */
static int
bad_content(
    struct qmtp_error *err, const char *what, const char *path, const char *otherwise)
{
	unsigned long e = ERR_peek_last_error();
	char reason[100];

	if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
		return qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	if (otherwise != NULL)
		return bad(err, what, path, otherwise);
	qmtp__openssl_reason(reason, sizeof(reason), e);
	return bad(err, what, path, reason);
}

/* ---- files ---- */

struct content {
	char *data;
	size_t len;
};

static void
content_free(struct content *c)
{
	OPENSSL_clear_free(c->data, c->len);
	c->data = NULL;
}

static int
read_open(
    int fd, struct content *c, const char *what, const char *path, struct qmtp_error *err)
{
	struct stat st;
	size_t done = 0;

	if (fstat(fd, &st) < 0)
		return bad_errno(err, what, path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX)
		return bad(err, what, path, "not a file, or too large");
	c->len = (size_t)st.st_size + 1; /* so that there is something to allocate */
	c->data = OPENSSL_zalloc(c->len);
	if (c->data == NULL)
		return qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, c->data + done, (size_t)st.st_size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return bad_errno(err, what, path);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return 0;
}

/* Read a file of moderate size. A FIFO is not waited for. NULL with err. */
static BIO *
read_file(struct content *c, const char *what, const char *path, struct qmtp_error *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), r;
	BIO *b;

	if (fd < 0) {
		bad_errno(err, what, path);
		return NULL;
	}
	r = read_open(fd, c, what, path, err);
	close(fd);
	if (r < 0)
		return NULL;
	b = BIO_new_mem_buf(c->data, (int)c->len - 1);
	if (b == NULL)
		qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	return b;
}

/* After a certificate could not be read: there is none any more, and nothing is wrong. */
static bool
no_more(void)
{
	unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

/* ---- trust ---- */

static int
trust_file(X509_STORE *store, const char *path, struct qmtp_error *err)
{
	static const char what[] = "TLS authorities in";
	struct content content = { 0 };
	BIO *b = read_file(&content, what, path, err);
	size_t n = 0;
	int r = -1;

	if (b == NULL)
		goto out;
	for (X509 *cert; (cert = PEM_read_bio_X509_AUX(b, NULL, NULL, NULL)) != NULL;
	     n++) {
		r = X509_STORE_add_cert(store, cert) == 1 ? 0 : -1;
		X509_free(cert);
		if (r < 0) {
			bad_content(err, what, path, NULL);
			goto out;
		}
	}
	r = -1;
	if (!no_more())
		bad_content(err, what, path, NULL);
	else if (n == 0)
		bad(err, what, path, "no certificate is there");
	else
		r = 0;
out:
	BIO_free(b);
	content_free(&content);
	return r;
}

/* As c_rehash(1) and openssl-rehash(1) name certificates: 8 hexadecimal digits, ".N". */
static bool
is_hashed(const char *name)
{
	return strspn(name, "0123456789abcdef") == 8 && name[8] == '.' &&
	    name[9] >= '0' && name[9] <= '9';
}

/* 1: the directory has certificates under hashed names; 0: none; -1 with errno. */
static int
has_hashes(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	int found = 0;

	if (dir == NULL)
		return -1;
	while (!found && (e = readdir(dir)) != NULL)
		found = is_hashed(e->d_name);
	closedir(dir);
	return found;
}

static int
trust_directory(X509_STORE *store, const char *path, struct qmtp_error *err)
{
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());

	if (lookup == NULL || X509_LOOKUP_add_dir(lookup, path, X509_FILETYPE_PEM) != 1)
		return qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	return 0;
}

/*
 * Of the directory only what is asked for is read; the file is all there is, 40 ms. No
 * environment variable has a say.
 */
static int
trust_system(X509_STORE *store, struct qmtp_error *err)
{
	const char *path = X509_get_default_cert_dir();

	if (has_hashes(path) > 0)
		return trust_directory(store, path, err);
	return trust_file(store, X509_get_default_cert_file(), err);
}

int
qmtp__openssl_trust(SSL_CTX *ctx, const char *ca, struct qmtp_error *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	struct stat st;

	if (ca == NULL)
		return trust_system(store, err);
	/* whoever names an authority trusts it, also one that another has issued */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (stat(ca, &st) < 0 || !S_ISDIR(st.st_mode))
		return trust_file(store, ca, err);
	switch (has_hashes(ca)) {
	case -1:
		return bad_errno(err, "TLS authorities in", ca);
	case 0:
		return bad(err, "TLS authorities in", ca, "no hashed name is there");
	default:
		return trust_directory(store, ca, err);
	}
}

/* ---- one's own ---- */

static int
own_certificates(SSL_CTX *ctx, const char *path, struct qmtp_error *err)
{
	static const char what[] = "TLS certificate";
	struct content content = { 0 };
	BIO *b = read_file(&content, what, path, err);
	X509 *cert = NULL;
	int n = 0, r = -1;

	if (b == NULL)
		goto out;
	for (;
	     n < CHAIN_MAX && (cert = PEM_read_bio_X509_AUX(b, NULL, NULL, NULL)) != NULL;
	     n++) {
		if (n > 0 ? SSL_CTX_add1_chain_cert(ctx, cert) != 1
			  : SSL_CTX_use_certificate(ctx, cert) != 1) {
			bad_content(err, what, path, NULL);
			goto out;
		}
		X509_free(cert);
	}
	if (n < CHAIN_MAX && !no_more())
		bad_content(err, what, path, NULL);
	else if (n == 0)
		bad(err, what, path, "no certificate is there");
	else
		r = 0;
out:
	X509_free(cert);
	BIO_free(b);
	content_free(&content);
	return r;
}

/* A key with a password: there is nobody to ask. */
static int
refuse(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)arg = true;
	return -1;
}

static int
own_key(SSL_CTX *ctx, const char *path, struct qmtp_error *err)
{
	static const char what[] = "TLS key";
	struct content content = { 0 };
	BIO *b = read_file(&content, what, path, err);
	EVP_PKEY *key = NULL;
	bool asked = false;
	int r = -1;

	if (b == NULL)
		goto out;
	key = PEM_read_bio_PrivateKey(b, NULL, refuse, &asked);
	if (asked)
		bad(err, what, path, "it is encrypted");
	else if (key == NULL)
		bad_content(err, what, path, "no private key is there");
	else if (SSL_CTX_use_PrivateKey(ctx, key) == 1)
		r = 0;
	else if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
	    ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH)
		bad(err, what, path, "it does not belong to the certificate");
	else
		bad_content(err, what, path, NULL);
out:
	EVP_PKEY_free(key);
	BIO_free(b);
	content_free(&content);
	return r;
}

int
qmtp__openssl_own(
    SSL_CTX *ctx, const char *certificate, const char *key, struct qmtp_error *err)
{
	if (own_certificates(ctx, certificate, err) < 0 || own_key(ctx, key, err) < 0)
		return -1;
	if (SSL_CTX_check_private_key(ctx) != 1)
		return bad(err, "TLS key", key, "it does not belong to the certificate");
	return 0;
}
