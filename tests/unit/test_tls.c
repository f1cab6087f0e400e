/*
 * QMTPS: the library and its module against tests/tls/tlsfront, with tests/qmtpd behind
 * it. Of every failure the words, and whether anything was given away.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "tlsstage.h"

/* ---- without TLS ---- */

static const struct {
	struct qmtp_tls tls;
	const char *host, *text;
} senseless[] = {
	{ { .fingerprint = "00" }, "h", "tls.fingerprint: not 64 hexadecimal digits" },
	{ { .fingerprint = "0000000000000000000000000000000000000000000000000000000000000"
			   "00x" },
	    "h", "tls.fingerprint: not 64 hexadecimal digits" },
	{ { .key = "k" }, "h", "tls.key: there is no certificate to it" },
	{ { 0 }, "/sock", "tls.name: no name to look for in the certificate" },
	{ { .name = "" }, "h", "tls.name: no name to look for in the certificate" },
};

START_TEST(options_that_make_no_sense)
{
	options = (struct qmtp_options){ .host = senseless[_i].host,
		.tls = &senseless[_i].tls };
	ck_assert_ptr_null(qmtp_session_new(&options, &err));
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_str_eq(err.text, senseless[_i].text);
}
END_TEST

START_TEST(no_module)
{
	char text[200];
	FILE *f = fopen(at("text.file"), "we");

	ck_assert_ptr_nonnull(f);
	fputs("nothing\n", f);
	fclose(f);
	options.port = start_server("");
	tls.module = "/nonexistent/qmtp-tls.so";
	fails(QMTP_SECURE, QMTP_TLS,
	    "TLS module /nonexistent/qmtp-tls.so: cannot open shared object file: No "
	    "such "
	    "file or directory while starting TLS");
	tls.module = "qmtp-tls.so";
	fails(QMTP_SECURE, QMTP_TLS,
	    "TLS module qmtp-tls.so: the path is not absolute while starting TLS");
	tls.module = at("text.file");
	snprintf(text, sizeof(text), "TLS module %s: file too short while starting TLS",
	    tls.module);
	fails(QMTP_SECURE, QMTP_TLS, text);
}
END_TEST

#ifndef HAVE_OPENSSL

START_TEST(not_built_in)
{
	options.port = start_server("");
	fails(QMTP_SECURE, QMTP_TLS, "TLS is not built in while starting TLS");
}
END_TEST

#else

/* ---- who is trusted ---- */

static const struct {
	const char *certificate, *name;
} good[] = {
	{ "good", "localhost" },
	{ "good", "good.example" },
	{ "good", "GOOD.example." },
	{ "good", NULL }, /* 127.0.0.1 */
	{ "good", "::1" },
	{ "direct", NULL },
	{ "rsa", NULL },
	{ "address", NULL },
	{ "wild", "any.wild.example" },
	{ "common", "good.example" },
};

START_TEST(good_certificates)
{
	char hello[100];

	start_server("");
	options.port = start_front(good[_i].certificate, "");
	tls.name = good[_i].name;
	delivers();
	ck_assert_str_eq(security, "TLSv1.3, TLS_AES_256_GCM_SHA384");
	ck_assert_str_eq(content(at("store/000001.message")), "abc\n");
	/* names are told to the server, addresses are not; the dot is not */
	snprintf(hello, sizeof(hello), "hello name=%s\n",
	    good[_i].name == NULL || good[_i].name[0] == ':' ? ""
		: good[_i].name[0] == 'G'                    ? "GOOD.example"
							     : good[_i].name);
	await(at("front.log"), hello);
	await(at("front.log"), "client=notify\n");
}
END_TEST

static const struct {
	const char *certificate, *name, *text, *options;
} bad[] = {
	{ "expired", NULL, "the server's certificate expired on 2021-02-03", "" },
	{ "notyet", NULL, "the server's certificate is not valid before 2048-07-06", "" },
	{ "wrongname", "localhost",
	    "the server's certificate is for wrong.example, also.example, 192.0.2.1, not "
	    "for localhost",
	    "" },
	{ "wrongname", NULL,
	    "the server's certificate is for wrong.example, also.example, 192.0.2.1, not "
	    "for 127.0.0.1",
	    "" },
	{ "common", NULL,
	    "the server's certificate is for good.example, not for 127.0.0.1", "" },
	{ "wild", "a.b.wild.example",
	    "the server's certificate is for *.wild.example, not for a.b.wild.example",
	    "" },
	{ "wild", "wild.example",
	    "the server's certificate is for *.wild.example, not for wild.example", "" },
	{ "partial", "mail.wild.example",
	    "the server's certificate is for m*.wild.example, not for mail.wild.example",
	    "" },
	{ "odd", "localhost",
	    "the server's certificate is for a?[1mb?.example, not for localhost", "" },
	{ "unknown", NULL,
	    "the server's certificate comes from an authority that is not trusted, "
	    "\"test "
	    "other\"",
	    "" },
	{ "selfsigned", NULL, "the server's certificate is self-signed", "" },
	{ "clientonly", NULL, "the server's certificate is not one for servers", "" },
	{ "nonca", NULL,
	    "the certificate of its authority \"good.example\" has issued another and "
	    "may "
	    "not",
	    "" },
	{ "badsignature", NULL, "the server's certificate has a wrong signature", "" },
	{ "expired-between", NULL,
	    "the certificate of its authority \"test expired\" expired on 2021-01-01",
	    "" },
	{ "weak", NULL, "the server's certificate has a key that is too weak",
	    "--cipher ALL:@SECLEVEL=0 --max 1.2" },
};

START_TEST(bad_certificates)
{
	char text[300];

	start_server("");
	options.port = start_front(bad[_i].certificate, bad[_i].options);
	tls.name = bad[_i].name;
	snprintf(text, sizeof(text), "%s while starting TLS", bad[_i].text);
	fails(QMTP_SECURE, QMTP_UNTRUSTED, text);
	await(at("front.log"), "failed in the handshake: ");
	ck_assert_ptr_null(strstr(content(at("qmtpd.log")), "connect"));
}
END_TEST

/* The system's authorities know nothing of the server, or there are none. */
static void
fails_by_the_systems(void)
{
	char file[200];

	ck_assert_int_eq(deliver(), -1);
	ck_assert_int_eq(err.phase, QMTP_SECURE);
	if (err.cause == QMTP_UNTRUSTED) {
		ck_assert_str_eq(err.text,
		    "the server's certificate comes from an authority that is not "
		    "trusted, \"test ca\" while starting TLS");
		return;
	}
	ck_assert_int_eq(err.cause, QMTP_TLS);
	ck_assert_int_eq(
	    sscanf(err.text, "TLS authorities in %199[^:]: No such file", file), 1);
	ck_assert_int_eq(access(file, F_OK), -1);
}

START_TEST(authorities)
{
	char text[300];

	start_server("");
	options.port = start_front("good", "");
	tls.ca = at("certs/ca.d");
	delivers();
	tls.ca = at("certs/between.pem"); /* whoever is named is trusted */
	delivers();
	tls.ca = at("certs/other.pem");
	fails(QMTP_SECURE, QMTP_UNTRUSTED,
	    "the server's certificate comes from an authority that is not trusted, "
	    "\"test "
	    "ca\" while starting TLS");
	tls.ca = NULL;
	setenv("SSL_CERT_FILE", at("certs/ca.pem"), 1);
	setenv("SSL_CERT_DIR", at("certs/ca.d"), 1);
	fails_by_the_systems();
	tls.ca = "/nonexistent";
	fails(QMTP_SECURE, QMTP_TLS,
	    "TLS authorities in /nonexistent: No such file or directory while starting "
	    "TLS");
	tls.ca = at("certs/good.key");
	snprintf(text, sizeof(text),
	    "TLS authorities in %s: no certificate is there while starting TLS", tls.ca);
	fails(QMTP_SECURE, QMTP_TLS, text);
	tls.ca = at("certs");
	snprintf(text, sizeof(text),
	    "TLS authorities in %s: no hashed name is there while starting TLS", tls.ca);
	fails(QMTP_SECURE, QMTP_TLS, text);
}
END_TEST

/* OpenSSL's own words, which depend on its version. */
START_TEST(damaged)
{
	char begin[200];
	FILE *f = fopen(at("damaged.file"), "we");

	ck_assert_ptr_nonnull(f);
	fputs("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n", f);
	fclose(f);
	options.port = start_server("");
	tls.ca = at("damaged.file");
	ck_assert_int_eq(deliver(), -1);
	snprintf(begin, sizeof(begin), "TLS authorities in %s: ", tls.ca);
	ck_assert_msg(strncmp(err.text, begin, strlen(begin)) == 0, "%s", err.text);
	ck_assert_ptr_null(strstr(err.text, "OpenSSL"));
	ck_assert_ptr_nonnull(strstr(err.text, " while starting TLS"));
}
END_TEST

/* The SHA-256 of a key, as openssl(1) finds it. */
static const char *
fingerprint(const char *certificate)
{
	static char hex[65];

	ck_assert_int_eq(shell("openssl x509 -in \"$1\" -noout -pubkey |"
			       "openssl pkey -pubin -outform DER |"
			       "openssl dgst -sha256 -r >\"$1.pin\"",
			     at(certificate)),
	    0);
	snprintf(hex, sizeof(hex), "%s.pin", certificate);
	memcpy(hex, content(at(hex)), 64);
	hex[64] = '\0';
	return hex;
}

START_TEST(pinned)
{
	char text[300];

	start_server("");
	options.port = start_front("expired", "");
	tls.fingerprint = fingerprint("certs/expired.pem");
	tls.name = "quite.another.example";
	tls.ca = "/nonexistent"; /* nobody asks */
	delivers();
	options.port = start_front("good", "");
	snprintf(text, sizeof(text),
	    "the fingerprint of the server's key is another, %s while starting TLS",
	    fingerprint("certs/good.pem"));
	tls.fingerprint =
	    "ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789";
	fails(QMTP_SECURE, QMTP_UNTRUSTED, text);
}
END_TEST

/* ---- one's own certificate ---- */

static void
own(const char *certificate, const char *key)
{
	static char paths[2][128];

	snprintf(paths[0], sizeof(paths[0]), "%s", at(certificate));
	tls.certificate = paths[0];
	if (key != NULL)
		snprintf(paths[1], sizeof(paths[1]), "%s", at(key));
	tls.key = key != NULL ? paths[1] : NULL;
}

static const char *const versions[] = { "1.2", "1.3" };

static int
start_asking(const char *version)
{
	char text[200];

	snprintf(text, sizeof(text), "--max %s --require --ask %s", version,
	    at("certs/ca.pem"));
	return start_front("good", text);
}

START_TEST(client_accepted)
{
	start_server("");
	options.port = start_asking(versions[_i]);
	own("certs/client.pem", "certs/client.key");
	delivers();
	await(at("front.log"), "client=CN=test client\n");
	own("certs/client-all.pem", NULL);
	delivers();
}
END_TEST

/* With TLS 1.3 the server may say so when the message is on its way: it has not read it. */
START_TEST(client_refused)
{
	start_server("");
	options.port = start_asking(versions[_i]);
	fails(QMTP_SECURE, QMTP_TLS,
	    _i == 0
		? "the server refused the handshake: handshake failure while starting TLS"
		: "the server refused the handshake: certificate required while starting "
		  "TLS");
	own("certs/client-other.pem", "certs/client-other.key");
	fails(QMTP_SECURE, QMTP_TLS,
	    "the server refused the handshake: unknown CA while starting TLS");
	ck_assert_ptr_null(strstr(content(at("qmtpd.log")), "connect"));
}
END_TEST

static const struct {
	const char *certificate, *key, *what, *which, *reason;
} unusable[] = {
	{ "certs/none.pem", "certs/client.key", "TLS certificate", "certs/none.pem",
	    "No such file or directory" },
	{ "certs/client.pem", "certs/none.key", "TLS key", "certs/none.key",
	    "No such file or directory" },
	{ "certs/client.key", "certs/client.key", "TLS certificate", "certs/client.key",
	    "no certificate is there" },
	{ "certs/client.pem", "certs/client.pem", "TLS key", "certs/client.pem",
	    "no private key is there" },
	{ "certs/client.pem", "certs/encrypted.key", "TLS key", "certs/encrypted.key",
	    "it is encrypted" },
	{ "certs/client.pem", "certs/good.key", "TLS key", "certs/good.key",
	    "it does not belong to the certificate" },
	{ "certs/client.pem", "certs/rsa.key", "TLS key", "certs/rsa.key",
	    "it does not belong to the certificate" },
	{ "certs", "certs/client.key", "TLS certificate", "certs",
	    "not a file, or too large" },
};

START_TEST(own_files)
{
	char text[300];

	options.port = start_server("");
	own(unusable[_i].certificate, unusable[_i].key);
	snprintf(text, sizeof(text), "%s %s: %s while starting TLS", unusable[_i].what,
	    at(unusable[_i].which), unusable[_i].reason);
	fails(QMTP_SECURE, QMTP_TLS, text);
}
END_TEST

/* ---- what does not speak TLS, or not well ---- */

START_TEST(nobody_there)
{
	options.port = start_server("--refuse");
	options.connect_timeout = 3000;
	fails(QMTP_CONNECT, QMTP_SYSTEM,
	    "Connection refused while connecting to 127.0.0.1");
}
END_TEST

START_TEST(plain_servers)
{
	options.port = start_server("");
	fails(QMTP_SECURE, QMTP_EOF,
	    "the server closed the connection without a word of TLS while starting TLS");
	options.port = start_server("--mailfront");
	fails(QMTP_SECURE, QMTP_TLS, "the server does not speak TLS while starting TLS");
	options.port = start_server("--early connect=220\\040x\\r\\n --hold");
	fails(QMTP_SECURE, QMTP_TLS, "the server does not speak TLS while starting TLS");
	options.port = start_server("--early connect=x --hold");
	fails(QMTP_SECURE, QMTP_TLS, "the server does not speak TLS while starting TLS");
}
END_TEST

START_TEST(too_old)
{
	start_server("");
	options.port =
	    start_front("good", "--min 1.0 --max 1.1 --cipher ALL:@SECLEVEL=0");
	fails(QMTP_SECURE, QMTP_TLS,
	    "the server has no TLS 1.2 or newer while starting TLS");
}
END_TEST

START_TEST(stalls)
{
	start_server("");
	options.port = start_front("good", "--stall");
	options.connect_timeout = 300;
	fails(QMTP_SECURE, QMTP_TIMEOUT, "no answer in time while starting TLS");
	options.port = start_server("--hold");
	fails(QMTP_SECURE, QMTP_TIMEOUT, "no answer in time while starting TLS");
}
END_TEST

#endif

int
main(void)
{
	Suite *s = suite_create("tls");
	TCase *c = tcase_create("tls");
	int r;

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(
	    c, options_that_make_no_sense, 0, sizeof(senseless) / sizeof(senseless[0]));
	tcase_add_test(c, no_module);
#ifdef HAVE_OPENSSL
	tcase_add_test(c, nobody_there);
	tcase_add_loop_test(c, good_certificates, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(c, bad_certificates, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(c, authorities);
	tcase_add_test(c, damaged);
	tcase_add_test(c, pinned);
	tcase_add_loop_test(c, client_accepted, 0, 2);
	tcase_add_loop_test(c, client_refused, 0, 2);
	tcase_add_loop_test(c, own_files, 0, sizeof(unusable) / sizeof(unusable[0]));
	tcase_add_test(c, plain_servers);
	tcase_add_test(c, too_old);
	tcase_add_test(c, stalls);
	stage_make(1);
#else
	tcase_add_test(c, not_built_in);
	stage_make(0);
#endif
	suite_add_tcase(s, c);
	r = run_suite(s);
	stage_remove();
	return r;
}
