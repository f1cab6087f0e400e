#include "mail/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/address.h"
#include "util/buf.h"
#include "util/file.h"
#include "util/xalloc.h"

#define MAILNAME "/etc/mailname"
#define DOMAIN_MAX 255 /* bytes of a domain, RFC 1035 §2.3.4 */

/* No locale: letters and digits are those of ASCII; bytes above it are UTF-8 (RFC 6531).
 */
static bool
is_domain_byte(char c)
{
	return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') ||
	    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c != '\0' && strchr("-._:[]", c) != NULL);
}

static bool
is_domain(const char *s)
{
	size_t n = 0;

	while (is_domain_byte(s[n]))
		n++;
	return s[n] == '\0' && n > 0 && n <= DOMAIN_MAX;
}

/* Spaces for control characters, which would end a line or worse; none at the ends. */
static void
tidy(char *s)
{
	size_t n = strlen(s), outer;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			s[i] = ' ';
	while (n > 0 && s[n - 1] == ' ')
		n--;
	s[n] = '\0';
	outer = strspn(s, " ");
	memmove(s, s + outer, n - outer + 1);
}

int
identity_new_token(struct identity *id, struct error *err)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char random[IDENTITY_TOKEN];
	ssize_t n;

	do
		n = getrandom(random, sizeof(random), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(random))
		return error_sys(
		    err, EX_OSERR, "random numbers", "making a message token");
	for (size_t i = 0; i < IDENTITY_TOKEN; i++)
		id->token[i] = digits[random[i] % 32];
	id->token[IDENTITY_TOKEN] = '\0';
	return 0;
}

int
identity_init(struct identity *id, const char *hostname, const char *domain,
    const char *name, struct error *err)
{
	*id = (struct identity){ .uid = getuid() };
	if (hostname[0] != '\0' && !is_domain(hostname))
		return error_set(err, EX_CONFIG, "hostname: not the name of a host");
	if (domain[0] != '\0' && !is_domain(domain))
		return error_set(err, EX_CONFIG, "default-domain: not a domain");
	if (identity_new_token(id, err) < 0)
		return -1;
	if (hostname[0] != '\0')
		id->hostname = xstrdup(hostname);
	if (domain[0] != '\0')
		id->domain = xstrdup(domain);
	if (name != NULL) {
		id->name = xstrdup(name);
		tidy(id->name);
	}
	return 0;
}

/* The system's name for this host. */
static char *
system_hostname(void)
{
	char name[DOMAIN_MAX + 2];

	if (gethostname(name, sizeof(name)) < 0)
		name[0] = '\0';
	name[sizeof(name) - 1] = '\0'; /* one that was cut need not be terminated */
	return xstrdup(is_domain(name) ? name : "localhost");
}

/* The name in /etc/mailname, or NULL. */
static char *
read_mailname(void)
{
	char text[4 * DOMAIN_MAX + 1];
	int fd = open(MAILNAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;
	size_t len;

	if (fd < 0)
		return NULL;
	do
		n = read(fd, text, sizeof(text) - 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	len = strcspn(text, "\n");
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return is_domain(text) ? xstrdup(text) : NULL;
}

const char *
identity_domain(struct identity *id)
{
	if (id->domain == NULL)
		id->domain = read_mailname();
	if (id->domain == NULL)
		id->domain =
		    id->hostname != NULL ? xstrdup(id->hostname) : system_hostname();
	return id->domain;
}

const char *
identity_hostname(struct identity *id)
{
	struct buf name = { 0 };
	char *host;

	if (id->hostname != NULL)
		return id->hostname;
	host = system_hostname();
	buf_str(&name, host);
	if (strchr(host, '.') == NULL && strcasecmp(host, identity_domain(id)) != 0) {
		buf_byte(&name, '.');
		buf_str(&name, identity_domain(id));
	}
	free(host);
	id->hostname = buf_detach(&name);
	return id->hostname;
}

/* The full name in a GECOS field. */
static char *
full_name(const char *gecos, const char *login)
{
	struct buf name = { 0 };

	for (; *gecos != '\0' && *gecos != ','; gecos++) {
		if (*gecos != '&') {
			buf_byte(&name, *gecos);
			continue;
		}
		buf_str(&name, login);
		if (login[0] >= 'a' && login[0] <= 'z')
			name.data[name.len - strlen(login)] -= 'a' - 'A';
	}
	return buf_detach(&name);
}

static void
look_up(struct identity *id)
{
	struct buf login = { 0 };
	const struct passwd *pw = getpwuid(id->uid);

	if (pw != NULL && pw->pw_name != NULL && pw->pw_name[0] != '\0') {
		buf_str(&login, pw->pw_name);
	} else {
		buf_printf(&login, "uid%lu", (unsigned long)id->uid);
	}
	id->login = buf_detach(&login);
	tidy(id->login);
	id->gecos =
	    full_name(pw != NULL && pw->pw_gecos != NULL ? pw->pw_gecos : "", id->login);
	tidy(id->gecos);
}

const char *
identity_login(struct identity *id)
{
	if (id->login == NULL)
		look_up(id);
	return id->login;
}

const char *
identity_name(struct identity *id)
{
	if (id->name != NULL)
		return id->name;
	if (id->gecos == NULL)
		look_up(id);
	return id->gecos;
}

char *
identity_qualify(struct identity *id, const char *addr)
{
	struct buf full = { 0 };

	buf_str(&full, addr);
	if (full.len > 0 && !address_has_domain(addr)) {
		buf_byte(&full, '@');
		buf_str(&full, identity_domain(id));
	}
	return buf_detach(&full);
}

char *
identity_sender(struct identity *id, const char *template)
{
	struct buf sender = { 0 };
	const char *p = template[0] != '\0' ? template : "%U";
	char *text, *full;

	for (; *p != '\0'; p++) {
		if (p[0] == '%' && p[1] == 'U')
			buf_str(&sender, identity_login(id));
		else if (p[0] == '%' && p[1] == 'H')
			buf_str(&sender, identity_hostname(id));
		else
			buf_byte(&sender, *p);
		if (p[0] == '%' && (p[1] == 'U' || p[1] == 'H' || p[1] == '%'))
			p++;
	}
	text = buf_detach(&sender);
	full = identity_qualify(id, text);
	free(text);
	return full;
}

void
identity_free(struct identity *id)
{
	free(id->hostname);
	free(id->domain);
	free(id->login);
	free(id->gecos);
	free(id->name);
	*id = (struct identity){ 0 };
}
