/*
 * mail/identity.h: who is calling, on which host, and what is made up for them.
 *
 * The caller is getuid(), and nothing else: HOME, USER and LOGNAME may belong to somebody
 * else. Costly answers (the password database, /etc/mailname) are got at the first use.
 * The getters lend strings that live as long as the identity.
 */
#ifndef MAIL_IDENTITY_H
#define MAIL_IDENTITY_H

#include <sys/types.h>

#include "util/error.h"

#define IDENTITY_TOKEN 16 /* bytes of a token: 80 bits in base 32 */

struct identity {
	uid_t uid;
	/* random; in Received, a made Message-ID and the log */
	char token[IDENTITY_TOKEN + 1];

	char *hostname; /* the configured one, or NULL until asked for */
	char *domain;   /* likewise: default-domain */
	char *login;    /* NULL until asked for, */
	char *gecos;    /* together with the full name of the password entry; "" if it has
			   none */
	char *name;     /* full name asked for: -F, or NAME of the environment; NULL if
			   neither */
};

/*
 * hostname and domain as configured, "" for the system's; name NULL, or the full name
 * asked for: control characters become spaces, and "" is a name to be left out. All are
 * copied. Makes the token: getrandom(2). Returns 0, or -1 with err and nothing to free:
 * EX_CONFIG (bytes in hostname or domain that no domain has, or more than 255), EX_OSERR
 * (no random numbers: not expected).
 */
int identity_init(struct identity *id, const char *hostname, const char *domain,
    const char *name, struct error *err);

/* A new token: for a message that is made here, a bounce. Returns 0, or -1 with err. */
int identity_new_token(struct identity *id, struct error *err);

/*
 * The host's name: as configured, else gethostname(2), completed with default-domain when
 * it has no dot; "localhost" if all fails, or if there are bytes in it that no host name
 * has.
 */
const char *identity_hostname(struct identity *id);

/*
 * default-domain: as configured, else the first line of /etc/mailname when it is one word
 * of domain characters, else the host's name (uncompleted).
 */
const char *identity_domain(struct identity *id);

/* The login name of the uid; "uid1234" when it has no entry. */
const char *identity_login(struct identity *id);

/*
 * The full name for a From field: the one asked for, else that of the password entry up
 * to the first comma, with the login name, capitalised, for "&"; "" if there is none.
 */
const char *identity_name(struct identity *id);

/*
 * The default envelope sender: the template with "%U" (login), "%H" (hostname) and "%%"
 * replaced; "" gives login@default-domain. A result without a domain gets default-domain.
 * A string of the caller's.
 */
char *identity_sender(struct identity *id, const char *template);

/*
 * addr, completed with default-domain when it has none; "" stays "". A string of the
 * caller's.
 */
char *identity_qualify(struct identity *id, const char *addr);

void identity_free(struct identity *id);

#endif
