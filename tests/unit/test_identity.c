/*
 * The password database and the name of the host are those of this program: the functions
 * below take the place of libc's.
 */
#include <check.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/identity.h"

#include "suite.h"

static char login[64], gecos[64];
static struct passwd entry = { .pw_name = login, .pw_gecos = gecos };
static const char *host; /* NULL: gethostname(2) fails */
static int lookups;

struct passwd *
getpwuid(uid_t uid)
{
	ck_assert_uint_eq(uid, getuid());
	lookups++;
	return login[0] != '\0' ? &entry : NULL;
}

int
gethostname(char *name, size_t len)
{
	if (host == NULL || len < 2) {
		errno = EPERM;
		return -1;
	}
	/* like the system: no NUL when there is no room */
	memcpy(name, host, strlen(host) < len ? strlen(host) + 1 : len);
	return 0;
}

static struct identity
make(const char *hostname, const char *domain, const char *name)
{
	struct identity id;
	struct error err = { .text = "?" };

	if (identity_init(&id, hostname, domain, name, &err) < 0)
		ck_abort_msg("%s", err.text);
	return id;
}

START_TEST(tokens)
{
	struct identity one = make("", "", NULL), two = make("", "", NULL);
	struct error err;
	char before[IDENTITY_TOKEN + 1];

	ck_assert_uint_eq(strlen(one.token), IDENTITY_TOKEN);
	ck_assert_uint_eq(
	    strspn(one.token, "abcdefghijklmnopqrstuvwxyz234567"), IDENTITY_TOKEN);
	ck_assert_str_ne(one.token, two.token);
	memcpy(before, one.token, sizeof(before));
	ck_assert_int_eq(identity_new_token(&one, &err), 0);
	ck_assert_str_ne(one.token, before);
	identity_free(&one);
	identity_free(&two);
}
END_TEST

START_TEST(nothing_is_looked_up_in_advance)
{
	struct identity id = make("host.example.net", "example.org", "Alice");

	identity_hostname(&id);
	identity_domain(&id);
	identity_name(&id);
	ck_assert_int_eq(lookups, 0);
	identity_login(&id);
	identity_login(&id);
	ck_assert_int_eq(lookups, 1);
	identity_free(&id);
}
END_TEST

static const struct {
	const char *host;
	const char *hostname;
	const char *domain;
	const char *want;
} hosts[] = {
	{ "box", "", "example.org", "box.example.org" },
	{ "box.example.net", "", "example.org", "box.example.net" },
	{ "box", "mail.example.com", "example.org", "mail.example.com" },
	{ "box", "mail", "example.org", "mail" },
	{ "example", "", "example", "example" },
	{ NULL, "", "example.org", "localhost.example.org" },
	{ "", "", "example.org", "localhost.example.org" },
	{ "(none)", "", "example.org", "localhost.example.org" },
	{ "box\nX-Evil: 1", "", "example.org", "localhost.example.org" },
	{ "box name", "", "example.org", "localhost.example.org" },
	{ "b_x-1", "", "example.org", "b_x-1.example.org" },
};

START_TEST(hostname)
{
	struct identity id = make(hosts[_i].hostname, hosts[_i].domain, NULL);

	host = hosts[_i].host;
	ck_assert_str_eq(identity_hostname(&id), hosts[_i].want);
	ck_assert_str_eq(identity_domain(&id), hosts[_i].domain);
	identity_free(&id);
}
END_TEST

START_TEST(hostname_of_any_length)
{
	char name[400];
	struct identity id = make("", "example.org", NULL);

	memset(name, 'h', sizeof(name));
	name[_i == 0 ? 255 : sizeof(name) - 1] = '\0';
	host = name;
	ck_assert_uint_eq(strlen(identity_hostname(&id)), _i == 0 ? 255 + 12 : 9 + 12);
	identity_free(&id);
}
END_TEST

/* Without a configured domain: /etc/mailname of this machine, or the host. */
START_TEST(domain_of_the_system)
{
	struct identity id = make("", "", NULL);
	FILE *f = fopen("/etc/mailname", "r");
	char line[300] = "";

	host = "box";
	if (f != NULL) {
		if (fgets(line, sizeof(line), f) == NULL)
			line[0] = '\0';
		fclose(f);
		line[strcspn(line, " \t\r\n")] = '\0';
	}
	ck_assert_str_eq(identity_domain(&id), line[0] != '\0' ? line : "box");
	identity_free(&id);
	id = make("mail.example.com", "", NULL);
	ck_assert_str_eq(
	    identity_domain(&id), line[0] != '\0' ? line : "mail.example.com");
	identity_free(&id);
}
END_TEST

static const struct {
	const char *hostname;
	const char *domain;
	const char *text;
} refused[] = {
	{ "a b", "", "hostname: not the name of a host" },
	{ "a\nb", "", "hostname: not the name of a host" },
	{ "a<b>", "", "hostname: not the name of a host" },
	{ "", "a@b", "default-domain: not a domain" },
	{ "", " example.org", "default-domain: not a domain" },
	{ "", "(example)", "default-domain: not a domain" },
};

START_TEST(configured_badly)
{
	struct identity id;
	struct error err;

	ck_assert_int_eq(
	    identity_init(&id, refused[_i].hostname, refused[_i].domain, "x", &err), -1);
	ck_assert_int_eq(err.code, EX_CONFIG);
	ck_assert_str_eq(err.text, refused[_i].text);
}
END_TEST

static const struct {
	const char *login;
	const char *gecos; /* NULL: the entry has none */
	const char *asked;
	const char *want_login; /* NULL: uidN */
	const char *want_name;
} people[] = {
	{ "alice", "Alice Liddell,Room 1,,", NULL, "alice", "Alice Liddell" },
	{ "alice", "Alice Liddell", NULL, "alice", "Alice Liddell" },
	{ "alice", "& Liddell", NULL, "alice", "Alice Liddell" },
	{ "alice", "&&,&", NULL, "alice", "AliceAlice" },
	{ "Alice", "&", NULL, "Alice", "Alice" },
	{ "_cron", "The & daemon", NULL, "_cron", "The _cron daemon" },
	{ "alice", "", NULL, "alice", "" },
	{ "alice", NULL, NULL, "alice", "" },
	{ "alice", ",,,", NULL, "alice", "" },
	{ "alice", "Alice\tLiddell\n", NULL, "alice", "Alice Liddell" },
	{ "alice", "Alice Liddell", "CronDaemon", "alice", "CronDaemon" },
	{ "alice", "Alice Liddell", "", "alice", "" },
	{ "alice", "Alice Liddell", " a\r\nBcc: b\x7f ", "alice", "a  Bcc: b" },
	{ "", "", NULL, NULL, "" },
	{ "", "", "Nobody", NULL, "Nobody" },
	{ "EXAMPLE\\alice", "", NULL, "EXAMPLE\\alice", "" },
};

START_TEST(person)
{
	struct identity id = make("", "", people[_i].asked);
	char uid[32];

	snprintf(uid, sizeof(uid), "uid%lu", (unsigned long)getuid());
	snprintf(login, sizeof(login), "%s", people[_i].login);
	snprintf(
	    gecos, sizeof(gecos), "%s", people[_i].gecos != NULL ? people[_i].gecos : "");
	entry.pw_gecos = people[_i].gecos != NULL ? gecos : NULL;
	ck_assert_str_eq(identity_name(&id), people[_i].want_name);
	ck_assert_str_eq(identity_login(&id),
	    people[_i].want_login != NULL ? people[_i].want_login : uid);
	identity_free(&id);
}
END_TEST

static const struct {
	const char *login;
	const char *template;
	const char *want;
} senders[] = {
	{ "alice", "", "alice@example.org" },
	{ "alice", "%U", "alice@example.org" },
	{ "alice", "%U@%H", "alice@box.example.net" },
	{ "alice", "bounce+%U@example.com", "bounce+alice@example.com" },
	{ "alice", "100%%@example.com", "100%@example.com" },
	{ "alice", "%%U@example.com", "%U@example.com" },
	{ "alice", "%x%", "%x%@example.org" },
	{ "alice", "postmaster", "postmaster@example.org" },
	/* sssd: names with a domain of their own */
	{ "alice@corp.example", "", "alice@corp.example" },
	{ "EXAMPLE\\alice", "", "EXAMPLE\\alice@example.org" },
};

START_TEST(sender)
{
	struct identity id = make("box.example.net", "example.org", NULL);
	char *got;

	snprintf(login, sizeof(login), "%s", senders[_i].login);
	got = identity_sender(&id, senders[_i].template);
	ck_assert_str_eq(got, senders[_i].want);
	free(got);
	identity_free(&id);
}
END_TEST

static const char *const qualified[][2] = {
	{ "", "" },
	{ "alice", "alice@example.org" },
	{ "alice@example.com", "alice@example.com" },
	{ "a b", "a b@example.org" },
};

START_TEST(qualify)
{
	struct identity id = make("box.example.net", "example.org", NULL);
	char *got = identity_qualify(&id, qualified[_i][0]);

	ck_assert_str_eq(got, qualified[_i][1]);
	free(got);
	identity_free(&id);
}
END_TEST

#define ADD_ALL(tc, test, table) \
	tcase_add_loop_test(tc, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

int
main(void)
{
	Suite *suite = suite_create("identity");
	TCase *tc = tcase_create("identity");

	tcase_add_test(tc, tokens);
	tcase_add_test(tc, nothing_is_looked_up_in_advance);
	ADD_ALL(tc, hostname, hosts);
	tcase_add_loop_test(tc, hostname_of_any_length, 0, 2);
	tcase_add_test(tc, domain_of_the_system);
	ADD_ALL(tc, configured_badly, refused);
	ADD_ALL(tc, person, people);
	ADD_ALL(tc, sender, senders);
	ADD_ALL(tc, qualify, qualified);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
