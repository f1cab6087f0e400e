/*
 * mail/address.h: the one parser of mail addresses (RFC 5322 §3.4, §4.4; RFC 6532).
 *
 * It reads what people and programs really write in recipient fields and on command
 * lines: comments (nested), quoted strings, groups, routes, display names, empty list
 * elements, a missing domain. What an envelope carries is the plain form: local part
 * unquoted, comments and white space gone. RFC 2047 words are text; they never turn into
 * addresses. Addresses that stand side by side with only a space between them are an
 * error, not two addresses.
 *
 * Where it goes beyond the RFC, because mail does (tests/data/address.txt says whose):
 *   - dots may stand anywhere in an address ("a..b@c", "a.@c", "a@c."), and in names;
 *   - names may hold anything up to the '<' but ',' ';' ':' and a lone '(' ')' '"' '>';
 *   - ';' separates like ','; a group may end with the text; "<<a@b>>" is "<a@b>";
 *   - a backslash quotes outside of quotes too;
 *   - what begins with ":include:" is a local part and no group; the other things of
 *     alias files ("|command", "/file") are local parts by the grammar;
 *   - an address wholly in quotes, without a domain of its own ("\"a@b\""), is the
 *     address in them: its plain form could mean nothing else.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

#define ADDRESS_MAX 999 /* bytes of an envelope address; more chokes real servers */

/* Offsets are 32 bits wide: there may be thousands of these. */
struct address {
	char *addr;     /* "user", or "user@domain" without a dot at its end; never "" */
	uint32_t local; /* bytes of addr that are the local part, never 0 */
	uint32_t
	    begin; /* text[begin..end) is the addr-spec as written, without brackets, */
	uint32_t
	    end; /* route, or comments around it; a missing "@domain" belongs to its end */
	bool has_domain; /* addr[local] is the '@' */
};

struct address_list {
	struct address *v;
	size_t n;
	size_t cap;
};

/*
 * Parse len bytes of text, an address list (the body of a To: field, an operand), and
 * append what is in it to list ({0} is an empty one). Folded lines are read as they stand
 * (CR and LF are white space). An empty list, a group without members, and stray commas
 * are valid and add nothing. Time is linear in len, which is below 4 GiB.
 *
 * Returns 0; or -1 with err (EX_DATAERR, "bad address ELEMENT: reason", the list element
 * cleaned and cut); the list then has the addresses before it. Refused besides what the
 * grammar refuses: NUL and control characters in an address, more than ADDRESS_MAX bytes,
 * the empty address "<>", an RFC 2047 word as address.
 */
int address_parse(
    const char *text, size_t len, struct address_list *list, struct error *err);

/*
 * The one address of an envelope sender: "" and "<>" give "", the null sender. What RFC
 * 5322 cannot parse but SMTP and QMTP carry (VERP: "list-@host-@[]") is taken as it
 * stands, if it has a domain and neither white space, nor control characters, nor any of
 * ()<>,:;"\ in it. Returns 0 and *addr, a string of the caller's to free; or -1 with err
 * (EX_DATAERR).
 */
int address_sender(const char *text, char **addr, struct error *err);

/* Whether the part of addr behind its last '@' equals domain, without case. */
bool address_in_domain(const char *addr, const char *domain);

/* Whether addr has a domain: its last '@' is neither its first nor its last byte. */
bool address_has_domain(const char *addr);

/*
 * Append the address, in plain form, to b as a header field must have it: the local part,
 * up to the last '@', quoted where RFC 5322 §3.4.1 asks for it.
 */
void address_write(struct buf *b, const char *addr);

/* Free the addresses; the list is empty afterwards. */
void address_list_free(struct address_list *list);

#endif
