/*
 * mail/address_lex.h: the words of an address list (RFC 5322 §3.2, RFC 6532 §3.2).
 * For mail/address.c and nobody else.
 *
 * White space and comments between them are skipped. Every byte is looked at a bounded
 * number of times, whatever the text; nothing is allocated.
 */
#ifndef MAIL_ADDRESS_LEX_H
#define MAIL_ADDRESS_LEX_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_COMMENTS_MAX 100 /* how deep comments may nest */

enum address_token_type {
	ADDRESS_END,     /* of the text */
	ADDRESS_ATOM,    /* a run of bytes that are neither special nor white space */
	ADDRESS_QUOTED,  /* "..." */
	ADDRESS_ENCODED, /* =?charset?B?...?=, whatever stands in it (RFC 2047) */
	ADDRESS_LITERAL, /* [...], only from address_lex_literal() */
	ADDRESS_SPECIAL, /* one of <>[]:;@,.) */
	ADDRESS_BROKEN /* does not end, or nests too deep, as why says; the last token */
};

struct address_token {
	enum address_token_type type;
	char special; /* which one; 0 for the other types */
	bool plain;   /* the bytes of the token are its value */
	size_t begin; /* text[begin..end) */
	size_t end;
};

struct address_lex {
	const char *text;
	size_t len;
	size_t pos;      /* behind the last token */
	const char *why; /* of ADDRESS_BROKEN */
};

/* The next token. */
void address_lex_next(struct address_lex *lex, struct address_token *tok);

/*
 * Given a '[': make it the domain literal that begins there, or ADDRESS_BROKEN. Elsewhere
 * than in a domain brackets are only bytes that people put into names.
 */
void address_lex_literal(struct address_lex *lex, struct address_token *tok);

/*
 * Given a ':': when ":include:" stands there, make it an ATOM with what follows it (the
 * lists of alias files, which look like the end of a group's name) and return true.
 */
bool address_lex_include(struct address_lex *lex, struct address_token *tok);

/*
 * Write what an ATOM, QUOTED or LITERAL stands for, without quotes, quoting backslashes
 * and folds, to out. Returns how many bytes that are; sets *why to a reason when they are
 * more than room, or something is among them that an address must not have.
 */
size_t address_lex_value(const struct address_lex *lex, const struct address_token *tok,
    char *out, size_t room, const char **why);

/* Whether c may stand in an atom: neither special, white space, nor control character. */
bool address_lex_atext(char c);

#endif
