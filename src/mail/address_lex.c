#include "mail/address_lex.h"

#include <string.h>
#include <strings.h>

enum { ATEXT = 'a', SPACE = ' ', CONTROL = '^', SPECIAL = '*' };

/* One character for each of ASCII, 32 a line. */
static const char classes[128 + 1] = "^^^^^^^^^  ^^ ^^^^^^^^^^^^^^^^^^"
				     " a*aaaaa**aa*a*aaaaaaaaaaa***a*a"
				     "*aaaaaaaaaaaaaaaaaaaaaaaaaa***aa"
				     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa^";

/* Bytes above ASCII are atext (RFC 6532 §3.2), UTF-8 or not: they pass as they are. */
static char
class_of(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte < 0x80 ? classes[byte] : ATEXT;
}

bool
address_lex_atext(char c)
{
	return class_of(c) == ATEXT;
}

static void
token_set(struct address_lex *lex, struct address_token *tok,
    enum address_token_type type, size_t end)
{
	tok->type = type;
	tok->special = '\0';
	tok->plain = false;
	tok->end = end;
	lex->pos = end;
}

static void
token_broken(struct address_lex *lex, struct address_token *tok, const char *why)
{
	token_set(lex, tok, ADDRESS_BROKEN, lex->len);
	lex->why = why;
}

/* Skip the comment at pos and those in it (RFC 5322 §3.2.2). Returns a reason if it
 * cannot. */
static const char *
skip_comment(struct address_lex *lex)
{
	size_t depth = 0;

	do {
		if (lex->pos >= lex->len)
			return "'(' without ')'";
		switch (lex->text[lex->pos++]) {
		case '(':
			if (++depth > ADDRESS_COMMENTS_MAX)
				return "comments nested too deep";
			break;
		case ')':
			depth--;
			break;
		case '\\':
			lex->pos++;
			break;
		default:
			break;
		}
	} while (depth > 0);
	return NULL;
}

/*
 * Where the encoded word (RFC 2047 §2) that begins at text[i] ends; 0 if none begins
 * there. It is one token because careless programs leave ',', '.' or '"' as they are in
 * it. Each part ends at the first '?', so that a text full of false beginnings is still
 * read only once.
 */
static size_t
encoded_word_end(const struct address_lex *lex, size_t i)
{
	const char *s = lex->text;
	size_t charset = i + 2;

	if (lex->len - i < 8 || s[i] != '=' || s[i + 1] != '?')
		return 0;
	for (i = charset; i < lex->len && class_of(s[i]) == ATEXT && s[i] != '?'; i++)
		;
	if (i == charset || lex->len - i < 3 || s[i] != '?' || s[i + 2] != '?' ||
	    strchr("BbQq", s[i + 1]) == NULL || s[i + 1] == '\0')
		return 0;
	for (i += 3; i < lex->len && s[i] != '?'; i++)
		if (class_of(s[i]) == SPACE || class_of(s[i]) == CONTROL)
			return 0;
	return lex->len - i >= 2 && s[i + 1] == '=' ? i + 2 : 0;
}

/*
 * An atom from text[i] on. Control characters and quoting backslashes outside of quotes,
 * which RFC 822 did not allow and people write, do not end it: what they mean is decided
 * when the atom turns out to be part of an address.
 */
static void
lex_atom(struct address_lex *lex, struct address_token *tok, size_t i)
{
	bool plain = true;

	for (; i < lex->len; i++) {
		char class = class_of(lex->text[i]);

		if (class == ATEXT)
			continue;
		if (lex->text[i] == '\\')
			i += i + 1 < lex->len;
		else if (class != CONTROL)
			break;
		plain = false;
	}
	token_set(lex, tok, ADDRESS_ATOM, i);
	tok->plain = plain;
}

static void
lex_quoted(struct address_lex *lex, struct address_token *tok)
{
	for (size_t i = tok->begin + 1; i < lex->len; i++) {
		if (lex->text[i] == '\\') {
			i++;
		} else if (lex->text[i] == '"') {
			token_set(lex, tok, ADDRESS_QUOTED, i + 1);
			return;
		}
	}
	token_broken(lex, tok, "'\"' without a second one");
}

void
address_lex_next(struct address_lex *lex, struct address_token *tok)
{
	const char *why = NULL;
	size_t end;

	while (lex->pos < lex->len && why == NULL) {
		tok->begin = lex->pos;
		if (class_of(lex->text[lex->pos]) == SPACE)
			lex->pos++;
		else if (lex->text[lex->pos] == '(')
			why = skip_comment(lex);
		else
			break;
	}
	if (why != NULL) {
		token_broken(lex, tok, why);
		return;
	}
	tok->begin = lex->pos;
	if (lex->pos == lex->len) {
		token_set(lex, tok, ADDRESS_END, lex->len);
	} else if (lex->text[lex->pos] == '"') {
		lex_quoted(lex, tok);
	} else if (class_of(lex->text[lex->pos]) == SPECIAL &&
	    lex->text[lex->pos] != '\\') {
		token_set(lex, tok, ADDRESS_SPECIAL, lex->pos + 1);
		tok->special = lex->text[tok->begin];
	} else if ((end = encoded_word_end(lex, lex->pos)) > 0) {
		token_set(lex, tok, ADDRESS_ENCODED, end);
	} else {
		lex_atom(lex, tok, lex->pos);
	}
}

void
address_lex_literal(struct address_lex *lex, struct address_token *tok)
{
	for (size_t i = tok->begin + 1; i < lex->len; i++) {
		char c = lex->text[i];

		if (c == ']') {
			token_set(lex, tok, ADDRESS_LITERAL, i + 1);
			return;
		}
		/* RFC 5322 allows '@' and more; no address of a host has them in it */
		if (class_of(c) == SPECIAL && c != '.' && c != ':') {
			token_broken(lex, tok, "bad domain");
			return;
		}
	}
	token_broken(lex, tok, "'[' without ']'");
}

bool
address_lex_include(struct address_lex *lex, struct address_token *tok)
{
	static const char include[] = ":include:";
	size_t len = sizeof(include) - 1;

	if (lex->len - tok->begin < len ||
	    strncasecmp(lex->text + tok->begin, include, len) != 0)
		return false;
	lex_atom(lex, tok, tok->begin + len);
	return true;
}

size_t
address_lex_value(const struct address_lex *lex, const struct address_token *tok,
    char *out, size_t room, const char **why)
{
	bool quoted = tok->type == ADDRESS_QUOTED;
	bool literal = tok->type == ADDRESS_LITERAL;
	size_t end = quoted ? tok->end - 1 : tok->end;
	size_t n = 0;

	if (tok->plain && tok->end - tok->begin <= room) {
		memcpy(out, lex->text + tok->begin, tok->end - tok->begin);
		return tok->end - tok->begin;
	}
	for (size_t i = quoted ? tok->begin + 1 : tok->begin; i < end; i++) {
		char c = lex->text[i];

		if ((quoted && (c == '\n' || c == '\r')) ||
		    (literal && class_of(c) == SPACE))
			continue; /* a fold; white space in a literal means nothing */
		if (c == '\\' && !literal) {
			if (++i == end) {
				*why = "'\\' at its end";
				break;
			}
			c = lex->text[i];
		}
		if (class_of(c) == CONTROL || (class_of(c) == SPACE && c != ' '))
			*why = "control character in it";
		if (n == room) {
			*why = "too long";
			break;
		}
		out[n++] = c;
	}
	return n;
}
