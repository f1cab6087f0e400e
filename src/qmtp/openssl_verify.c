#include "qmtp/openssl.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* ---- certificates in words ---- */

/* Words that are put one behind the other, as long as there is room. */
struct list {
	char text[110];
	size_t len;
	bool full;
};

static void
list_add(struct list *l, const void *data, size_t len)
{
	static const char more[] = ", ...";
	size_t room = sizeof(l->text) - l->len;

	if (l->full)
		return;
	if (len + 2 + sizeof(more) > room) {
		l->full = true;
		snprintf(l->text + l->len, room, "%s", more + (l->len == 0 ? 2 : 0));
		return;
	}
	if (l->len > 0) {
		memcpy(l->text + l->len, ", ", 2);
		l->len += 2;
	}
	l->len +=
	    qmtp__openssl_clean(l->text + l->len, sizeof(l->text) - l->len, data, len);
}

static void
common_name(char *out, size_t size, const X509_NAME *name)
{
	const ASN1_STRING *s = NULL;
	int last = -1;

	for (int i; (i = X509_NAME_get_index_by_NID(
			 (X509_NAME *)(uintptr_t)name, NID_commonName, last)) >= 0;)
		last = i;
	if (last >= 0)
		s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last));
	if (s == NULL)
		snprintf(out, size, "without a name");
	else
		qmtp__openssl_clean(
		    out, size, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void
add_name(struct list *l, const GENERAL_NAME *name)
{
	char address[INET6_ADDRSTRLEN];
	const ASN1_OCTET_STRING *ip;
	int family;

	if (name->type == GEN_DNS)
		list_add(l, ASN1_STRING_get0_data(name->d.dNSName),
		    (size_t)ASN1_STRING_length(name->d.dNSName));
	if (name->type != GEN_IPADD)
		return;
	ip = name->d.iPAddress;
	family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;
	if ((family == AF_INET || ASN1_STRING_length(ip) == 16) &&
	    inet_ntop(family, ASN1_STRING_get0_data(ip), address, sizeof(address)) !=
		NULL)
		list_add(l, address, strlen(address));
}

/* The names that a certificate is for. */
static void
names_of(struct list *l, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char common[80];

	*l = (struct list){ 0 };
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		add_name(l, sk_GENERAL_NAME_value(names, i));
	GENERAL_NAMES_free(names);
	if (l->len == 0 && !l->full) {
		common_name(common, sizeof(common), X509_get_subject_name(cert));
		list_add(l, common, strlen(common));
	}
}

static void
day(char *out, size_t size, const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		snprintf(out, size, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday);
	else
		snprintf(out, size, "an unknown day");
}

/* ---- what is wrong with one ---- */

static void
say_names(struct qmtp__tls_connection *c, const X509 *cert)
{
	struct list l;

	names_of(&l, cert);
	snprintf(c->untrusted, sizeof(c->untrusted),
	    "the server's certificate is for %s, not for %.60s", l.text,
	    c->context->name);
}

/* The issuer that is not known is that of the last certificate that could be looked at. */
static void
say_issuer(struct qmtp__tls_connection *c, const X509 *cert)
{
	char issuer[80];

	common_name(issuer, sizeof(issuer), X509_get_issuer_name(cert));
	snprintf(c->untrusted, sizeof(c->untrusted),
	    "the server's certificate comes from an authority that is not trusted, "
	    "\"%s\"",
	    issuer);
}

static void
say(struct qmtp__tls_connection *c, const char *who, const X509 *cert, int code)
{
	char when[32];
	const char *what = NULL;

	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		day(when, sizeof(when), X509_get0_notAfter(cert));
		snprintf(
		    c->untrusted, sizeof(c->untrusted), "%s expired on %s", who, when);
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		day(when, sizeof(when), X509_get0_notBefore(cert));
		snprintf(c->untrusted, sizeof(c->untrusted), "%s is not valid before %s",
		    who, when);
		return;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
		what = "has a wrong signature";
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		what = "is not one for servers";
		break;
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		what = "has issued another and may not";
		break;
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		what = "has a key that is too weak";
		break;
	case X509_V_ERR_CA_MD_TOO_WEAK:
		what = "has a signature that is too weak";
		break;
	default:
		what = X509_verify_cert_error_string(code);
		break;
	}
	snprintf(c->untrusted, sizeof(c->untrusted), "%s %s", who, what);
}

static void
describe(struct qmtp__tls_connection *c, X509_STORE_CTX *x)
{
	int code = X509_STORE_CTX_get_error(x), depth = X509_STORE_CTX_get_error_depth(x);
	const X509 *cert = X509_STORE_CTX_get_current_cert(x);
	char who[120] = "the server's certificate", name[80];

	if (cert == NULL)
		cert = X509_STORE_CTX_get0_cert(x);
	switch (code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		say_names(c, X509_STORE_CTX_get0_cert(x));
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(c->untrusted, sizeof(c->untrusted), "%s is self-signed", who);
		return;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		say_issuer(c, cert);
		return;
	default:
		break;
	}
	if (depth > 0) {
		common_name(name, sizeof(name), X509_get_subject_name(cert));
		snprintf(
		    who, sizeof(who), "the certificate of its authority \"%s\"", name);
	}
	say(c, who, cert, code);
}

/* ---- verification ---- */

static int
verify_pin(struct qmtp__tls_connection *c, X509_STORE_CTX *x)
{
	unsigned char *der = NULL, digest[QMTP__PIN_SIZE];
	int len =
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(X509_STORE_CTX_get0_cert(x)), &der);
	char hex[2 * QMTP__PIN_SIZE + 1];
	int ok = len > 0 &&
	    EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	X509_STORE_CTX_set_error(x, X509_V_ERR_OUT_OF_MEM);
	if (!ok)
		return 0;
	if (memcmp(digest, c->context->pin, sizeof(digest)) == 0) {
		X509_STORE_CTX_set_error(x, X509_V_OK);
		return 1;
	}
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	snprintf(c->untrusted, sizeof(c->untrusted),
	    "the fingerprint of the server's key is another, %s", hex);
	X509_STORE_CTX_set_error(x, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

static int
verify(X509_STORE_CTX *x, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct qmtp__tls_connection *c = SSL_get_app_data(ssl);

	(void)arg;
	if (c->context->pinned)
		return verify_pin(c, x);
	if (X509_verify_cert(x) == 1)
		return 1;
	describe(c, x);
	return 0;
}

int
qmtp__openssl_verify(struct qmtp__tls_context *context)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context->ctx);
	struct in6_addr address;

	context->address = inet_pton(AF_INET, context->name, &address) == 1 ||
	    inet_pton(AF_INET6, context->name, &address) == 1;
	SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context->ctx, verify, NULL);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (*context->name == '\0')
		return context->pinned ? 0 : -1;
	if (context->address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, context->name) == 1 ? 0 : -1;
	return X509_VERIFY_PARAM_set1_host(param, context->name, 0) == 1 ? 0 : -1;
}
