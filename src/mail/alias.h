/*
 * mail/alias.h: /etc/aliases: names of this host and the addresses they stand for.
 *
 *	# comment
 *	postmaster: root
 *	root: alice, bob@example.net,	# white space and '#' begin a comment
 *		"quoted name"@example.org
 *	alice: \alice, alice@example.com
 *	default: admin@example.net
 *
 * The format is the one of sendmail's and Postfix's aliases(5), with msmtp's "default".
 *
 * A line that begins with white space continues the one before, past comment lines and
 * empty lines between them; so does the line behind a backslash at the end of a line.
 *
 * Names are without case (ASCII) and may be quoted. When a name is there twice the
 * first one holds, as in sendmail and Postfix, and the other is reported.
 *
 * Targets are an RFC 5322 address list. A backslash in front of one ("\alice") means:
 * as it stands, no further expansion. Pipes ("|cmd"), files ("/file") and includes
 * (":include:", and what else begins with ':') are reported and skipped: nothing is
 * ever run, opened or read but the alias file itself. A name with no other targets is
 * as good as not there.
 */
#ifndef MAIL_ALIAS_H
#define MAIL_ALIAS_H

#include <stddef.h>

#include "util/error.h"

#define ALIAS_DEPTH 50                    /* of expansion */
#define ALIAS_FILE_MAX (16 * 1024 * 1024) /* bytes of an alias file */
#define ALIAS_LINE_MAX (1024 * 1024)      /* bytes of a line with all that continues it */

struct alias_table;

/* One thing wrong with the file; text is "FILE:LINE: what", cleaned. */
typedef void alias_problem_fn(void *arg, const char *text);

/*
 * Read the file. Every problem in it is told to problem (NULL: to nobody) and the rest is
 * used. A file that does not exist is an empty table. Returns 0, or -1 with err
 * (EX_OSFILE: it is there and cannot be read, is no regular file, or too large).
 */
int alias_read(struct alias_table **table, const char *path, alias_problem_fn *problem,
    void *arg, struct error *err);

/* This host's name: names in this domain are names without a domain. NULL forgets it. */
void alias_hostname(struct alias_table *table, const char *hostname);

/* How many names the table has. */
size_t alias_count(const struct alias_table *table);

/*
 * Call add for each address that a recipient stands for, in order. addr is in plain form;
 * one with a domain that is neither the host's name, "localhost" nor
 * "localhost.localdomain" stands for itself. A name that is not in the table stands for
 * what "default" says, or for itself: as it is written, but without "localhost", which
 * means somebody else on every other host.
 *
 * Expansion is recursive, to ALIAS_DEPTH. A name met again while it is being expanded (a
 * loop) stands for itself; one met again later adds nothing more. Other duplicates are
 * not taken out.
 *
 * add returns -1 with err to stop; its string is lent for the call. Returns 0, or -1 with
 * err (what add said, or EX_DATAERR: too deep). Notes in the table what it met: not for
 * several threads at once, and not from within add.
 */
typedef int alias_add_fn(void *arg, const char *addr, struct error *err);
int alias_expand(struct alias_table *table, const char *addr, alias_add_fn *add,
    void *arg, struct error *err);

void alias_free(struct alias_table *table);

#endif
