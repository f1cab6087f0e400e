#include "mail/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "mail/address_lex.h"
#include "util/text.h"
#include "util/xalloc.h"

#define SHOWN_MAX 200 /* bytes of a bad element in an error */

/*
 * What the tokens of one element come to if they are an addr-spec. They may turn out to
 * be a name instead, when a '<' or ':' follows; so what is wrong with them is only noted.
 */
struct spec {
	char plain[ADDRESS_MAX];
	size_t len;
	size_t local; /* bytes before the '@', once there was one */
	bool at;      /* there was an '@' */
	bool any;     /* the present part, local or domain, has more in it than dots */
	bool word;    /* the last token was a word: no other may follow */
	size_t begin; /* text[begin..end); nothing when they are equal */
	size_t end;
	const char *bad; /* the first thing that was wrong */
};

struct parser {
	struct address_lex lex;
	struct address_token tok; /* the one to look at next */
	struct spec spec;
	struct address_list *list;
	bool group; /* inside one */
};

static void
spec_clear(struct spec *s)
{
	s->len = s->local = s->begin = s->end = 0;
	s->at = s->any = s->word = false;
	s->bad = NULL;
}

static void
spec_word(struct spec *s, const struct address_lex *lex, const struct address_token *tok)
{
	size_t n;

	if (s->word)
		s->bad = "two words without ',' or '<' between them";
	else if (tok->type == ADDRESS_ENCODED)
		s->bad = "an encoded word is no address";
	else if (s->at && tok->type != ADDRESS_LITERAL && !tok->plain)
		s->bad = "bad domain";
	if (s->bad != NULL)
		return;
	n = address_lex_value(
	    lex, tok, s->plain + s->len, sizeof(s->plain) - s->len, &s->bad);
	s->len += n;
	s->any |= n > 0;
	s->word = true;
}

static void
spec_special(struct spec *s, char c)
{
	if (c == '@' && s->at)
		s->bad = "a second '@'";
	else if (c == '@' && !s->any)
		s->bad = "nothing before the '@'";
	else if (c != '@' && c != '.')
		s->bad = "bracket in the wrong place";
	else if (s->len == sizeof(s->plain))
		s->bad = "too long";
	if (s->bad == NULL) {
		if (c == '@') {
			s->local = s->len;
			s->any = false;
		}
		s->plain[s->len++] = c;
		s->word = false;
	}
	s->at |= c == '@';
}

static void
spec_add(struct spec *s, const struct address_lex *lex, const struct address_token *tok)
{
	if (s->end == s->begin)
		s->begin = tok->begin;
	s->end = tok->end;
	if (s->bad != NULL)
		s->at |= tok->special == '@';
	else if (tok->type == ADDRESS_SPECIAL)
		spec_special(s, tok->special);
	else
		spec_word(s, lex, tok);
}

/*
 * A local part alone with an '@' in it was quoted, and unquoted reads like a whole
 * address. Let it be that address, if what is behind the '@' can be a domain. Postfix
 * does; people write it.
 */
static const char *
spec_look_inside(struct spec *s)
{
	static const char refused[] = "a quoted '@' and no domain";
	const char *at = memrchr(s->plain, '@', s->len);
	bool any = false;

	if (at == NULL)
		return NULL;
	s->local = (size_t)(at - s->plain);
	for (size_t i = s->local + 1; i < s->len; i++) {
		if (address_lex_atext(s->plain[i]))
			any = true;
		else if (s->plain[i] != '.')
			return refused;
	}
	s->at = true;
	return any && s->local > 0 ? NULL : refused;
}

/* The addr-spec is complete: add it to the list. Returns a reason if it is none. */
static const char *
spec_finish(struct spec *s, struct address_list *list)
{
	if (s->bad == NULL && !s->any)
		s->bad = s->at ? "nothing behind the '@'" : "empty address";
	if (s->bad == NULL && !s->at)
		s->bad = spec_look_inside(s);
	/* no host is called so, and in a header field it could become an encoded word */
	if (s->bad == NULL &&
	    memmem(s->plain + s->local, s->at ? s->len - s->local : 0, "=?", 2) != NULL)
		s->bad = "bad domain";
	if (s->bad != NULL)
		return s->bad;
	while (s->at && s->plain[s->len - 1] == '.') /* RFC 5321 has no such domains */
		s->len--;
	list->v = xgrow(list->v, list->n, &list->cap, sizeof(*list->v));
	list->v[list->n++] = (struct address){
		.addr = xstrndup(s->plain, s->len),
		.local = (uint32_t)(s->at ? s->local : s->len),
		.has_domain = s->at,
		.begin = (uint32_t)s->begin,
		.end = (uint32_t)s->end,
	};
	return NULL;
}

static void
next(struct parser *p)
{
	address_lex_next(&p->lex, &p->tok);
}

/* Read tokens into spec as long as they may belong to an addr-spec or a name. */
static void
collect(struct parser *p)
{
	struct spec *s = &p->spec;

	for (;; next(p)) {
		switch (p->tok.type) {
		case ADDRESS_END:
		case ADDRESS_BROKEN:
			return;
		case ADDRESS_SPECIAL:
			if (strchr(".@[]", p->tok.special) == NULL)
				return;
			if (p->tok.special == '[' && s->at && !s->word && s->bad == NULL)
				address_lex_literal(&p->lex, &p->tok);
			if (p->tok.type == ADDRESS_BROKEN)
				return;
			break;
		default:
			break;
		}
		spec_add(s, &p->lex, &p->tok);
	}
}

/* Skip "@a,@b:" (RFC 5322 §4.4 obs-route). Returns a reason if it does not end. */
static const char *
route(struct parser *p)
{
	while (p->tok.special != ':') {
		if (p->tok.special == '[')
			address_lex_literal(&p->lex, &p->tok);
		if (p->tok.type == ADDRESS_END || p->tok.type == ADDRESS_BROKEN ||
		    (p->tok.special != '\0' && strchr(",.@", p->tok.special) == NULL))
			return "nothing before the '@'";
		next(p);
	}
	next(p);
	return NULL;
}

/* "<" [route] addr-spec ">". Returns a reason if it is not that. */
static const char *
angle(struct parser *p)
{
	const char *why = NULL;
	size_t depth = 0;

	for (; p->tok.special == '<'; next(p))
		depth++;
	spec_clear(&p->spec);
	if (p->tok.special == '@')
		why = route(p);
	if (why == NULL)
		collect(p);
	for (; why == NULL && depth > 0; depth--) {
		if (p->tok.special != '>')
			why = "'<' without '>'";
		else
			next(p);
	}
	return why;
}

/*
 * One element, up to the ',', ';', ':' or end of text that then is the next token.
 * Returns a reason if it is neither an address, nor empty, nor the name of a group.
 */
static const char *
element(struct parser *p)
{
	struct spec *s = &p->spec;
	const char *why = NULL;
	bool angled;

	if (p->tok.special == ':' && !address_lex_include(&p->lex, &p->tok))
		return "nothing before the ':'";
	spec_clear(s);
	collect(p);
	angled = p->tok.special == '<';
	if (angled)
		why = angle(p);
	if (p->tok.type == ADDRESS_BROKEN)
		return p->lex.why;
	if (why != NULL)
		return why;
	if (p->tok.special == ':' && !angled) {
		if (p->group)
			return "a group in a group";
		p->group = true;
		return s->at ? "':' in the wrong place" : NULL;
	}
	if (p->tok.type != ADDRESS_END && p->tok.special != ',' &&
	    p->tok.special != ';') {
		if (angled)
			return "no comma behind '>'";
		return p->tok.special == '>' ? "'>' without '<'" : "')' without '('";
	}
	if (angled || s->end > s->begin)
		why = spec_finish(s, p->list);
	return why;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Say what is wrong with the element from begin to the next ',' or ';'. */
static int
element_error(struct parser *p, size_t begin, const char *why, struct error *err)
{
	size_t end;
	char *shown;

	while (p->tok.type != ADDRESS_END && p->tok.type != ADDRESS_BROKEN &&
	    p->tok.special != ',' && p->tok.special != ';')
		next(p);
	end = p->tok.type == ADDRESS_SPECIAL ? p->tok.begin : p->lex.len;
	while (end > begin && is_blank(p->lex.text[end - 1]))
		end--;
	shown = text_cleaned(p->lex.text + begin, end - begin, SHOWN_MAX);
	error_set(err, EX_DATAERR, "bad address %s: %s", shown, why);
	free(shown);
	return -1;
}

int
address_parse(const char *text, size_t len, struct address_list *list, struct error *err)
{
	struct parser p = { .lex = { .text = text, .len = len }, .list = list };

	if (len > UINT32_MAX)
		return error_set(err, EX_DATAERR, "address list: too long to be read");
	do {
		const char *why;
		size_t begin;

		next(&p);
		begin = p.tok.begin;
		why = element(&p);
		if (why != NULL)
			return element_error(&p, begin, why, err);
		if (p.tok.special == ';')
			p.group = false;
	} while (p.tok.type != ADDRESS_END);
	return 0;
}

/* Whether an address that the grammar refuses may be carried all the same. */
static bool
can_stand(const char *s, size_t len)
{
	const char *at = memrchr(s, '@', len);

	if (at == NULL || at == s || at == s + len - 1 || len > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!address_lex_atext(s[i]) && strchr(".@[]", s[i]) == NULL)
			return false;
	return true;
}

/* What is left of s without blanks around it. */
static const char *
trimmed(const char *s, size_t *len)
{
	while (*len > 0 && is_blank(s[*len - 1]))
		--*len;
	for (; *len > 0 && is_blank(*s); s++)
		--*len;
	return s;
}

int
address_sender(const char *text, char **addr, struct error *err)
{
	struct address_list list = { 0 };
	struct error refused;
	size_t len = strlen(text);
	const char *inner;
	size_t inner_len;
	int parsed;
	int result = 0;

	inner = text = trimmed(text, &len);
	inner_len = len;
	if (len >= 2 && text[0] == '<' && text[len - 1] == '>') {
		inner_len = len - 2;
		inner = trimmed(text + 1, &inner_len);
	}
	parsed = address_parse(text, len, &list, &refused);
	if (inner_len == 0) {
		*addr = xstrdup("");
	} else if (parsed == 0 && list.n == 1) {
		*addr = list.v[0].addr;
		list.v[0].addr = NULL;
	} else if (can_stand(inner, inner_len)) {
		*addr = xstrndup(inner, inner_len);
	} else if (parsed != 0) {
		*err = refused;
		result = -1;
	} else {
		char *shown = text_cleaned(text, len, SHOWN_MAX);

		result = error_set(
		    err, EX_DATAERR, "bad sender %s: %zu addresses in it", shown, list.n);
		free(shown);
	}
	address_list_free(&list);
	return result;
}

bool
address_in_domain(const char *addr, const char *domain)
{
	const char *at = strrchr(addr, '@');

	return at != NULL && strcasecmp(at + 1, domain) == 0;
}

bool
address_has_domain(const char *addr)
{
	const char *at = strrchr(addr, '@');

	return at != NULL && at != addr && at[1] != '\0';
}

/*
 * Whether the n bytes are a dot-atom (RFC 5322 §3.2.3), which needs no quotes. With "=?"
 * in it, it could be taken for an encoded word.
 */
static bool
is_dot_atom(const char *s, size_t n)
{
	bool dot = true; /* as if one stood before it */

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' ? dot : !address_lex_atext(s[i]))
			return false;
		if (s[i] == '=' && i + 1 < n && s[i + 1] == '?')
			return false;
		dot = s[i] == '.';
	}
	return !dot;
}

void
address_write(struct buf *b, const char *addr)
{
	size_t len = strlen(addr);
	size_t local =
	    address_has_domain(addr) ? (size_t)(strrchr(addr, '@') - addr) : len;

	if (len == 0)
		return;
	if (is_dot_atom(addr, local)) {
		buf_add(b, addr, len);
		return;
	}
	buf_byte(b, '"');
	for (size_t i = 0; i < local; i++) {
		if (addr[i] == '"' || addr[i] == '\\')
			buf_byte(b, '\\');
		buf_byte(b, addr[i]);
	}
	buf_byte(b, '"');
	buf_add(b, addr + local, len - local);
}

void
address_list_free(struct address_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].addr);
	free(list->v);
	*list = (struct address_list){ 0 };
}
