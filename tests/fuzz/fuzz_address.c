/*
 * mail/address.h. The input: an address list, and as a string an envelope sender.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "fuzz.h"
#include "mail/address.h"
#include "util/xalloc.h"

#define DOMAIN "@example.org"

static void
check_plain(const char *addr)
{
	must(strlen(addr) <= ADDRESS_MAX, "at most ADDRESS_MAX bytes");
	must(is_clean(addr), "no control characters in an address");
}

static void
check_error(const struct error *err)
{
	must(err->code == EX_DATAERR, "bad data");
	must(err->text[0] != '\0' && is_clean(err->text), "an error that can be shown");
}

/* A field that is made of the address has the same address in it. */
static void
check_written(const char *addr)
{
	struct address_list again = { 0 };
	struct buf b = { 0 };
	struct error err;

	address_write(&b, addr);
	must(address_parse(b.data, b.len, &again, &err) == 0, "what is written is read");
	must(again.n == 1 && strcmp(again.v[0].addr, addr) == 0,
	    "what is written is read as what it was");
	address_list_free(&again);
	buf_free(&b);
}

static void
check_address(const char *text, size_t len, const struct address *a)
{
	struct address_list again = { 0 };
	struct error err;

	check_plain(a->addr);
	must(a->local > 0 && a->local <= strlen(a->addr), "a local part");
	must(a->addr[a->local] == (a->has_domain ? '@' : '\0'), "has_domain");
	must(a->has_domain == address_has_domain(a->addr), "the last '@' decides");
	must(a->has_domain || strchr(a->addr, '@') == NULL, "no domain, no '@'");
	must(a->begin < a->end && a->end <= len, "it stands in the text");
	must(address_parse(text + a->begin, a->end - a->begin, &again, &err) == 0 &&
		again.n == 1 && strcmp(again.v[0].addr, a->addr) == 0,
	    "its part of the text is the address");
	address_list_free(&again);
	check_written(a->addr);
}

/* With the domain put in where it belongs the list is the same, and every address whole. */
static void
check_qualified(const char *text, size_t len, const struct address_list *list)
{
	struct address_list again = { 0 };
	struct buf b = { 0 };
	struct error err;
	size_t done = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct address *a = &list->v[i];

		must(done <= a->begin, "addresses stand in the order of the text");
		if (!a->has_domain && a->local + strlen(DOMAIN) > ADDRESS_MAX)
			goto out;
		buf_add(&b, text + done, a->end - done);
		if (!a->has_domain)
			buf_str(&b, DOMAIN);
		done = a->end;
	}
	buf_add(&b, text + done, len - done);
	must(address_parse(b.data, b.len, &again, &err) == 0, "a completed list is one");
	must(again.n == list->n, "nothing more, nothing less");
	for (size_t i = 0; i < list->n; i++) {
		const struct address *a = &again.v[i], *was = &list->v[i];

		must(a->has_domain && a->local == was->local &&
			memcmp(a->addr, was->addr, a->local) == 0,
		    "the local part stays");
		must(strcmp(a->addr + a->local,
			 was->has_domain ? was->addr + was->local : DOMAIN) == 0,
		    "the domain is the one that was put in");
	}
out:
	address_list_free(&again);
	buf_free(&b);
}

/*
 * A sender that is no address is carried all the same, as it stands; then nothing that an
 * address has to be can be made of its domain, but of the one of VERP.
 */
static bool
is_address(const char *text, const char *addr)
{
	struct address_list list = { 0 };
	struct error err;
	size_t n = strlen(addr);
	bool one = address_parse(text, strlen(text), &list, &err) == 0 && list.n == 1;

	address_list_free(&list);
	return one || (n > 3 && strcmp(addr + n - 3, "@[]") == 0);
}

static void
check_sender(const char *text)
{
	struct error err = { 0 };
	struct buf b = { 0 };
	char *addr, *again;

	if (address_sender(text, &addr, &err) < 0) {
		check_error(&err);
		return;
	}
	check_plain(addr);
	if (is_address(text, addr)) {
		address_write(&b, addr);
		must(
		    address_sender(b.data, &again, &err) == 0 && strcmp(addr, again) == 0,
		    "a sender that is written is read as what it was");
		free(again);
	}
	buf_free(&b);
	free(addr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct address_list list = { 0 };
	struct error err = { 0 };
	char *string = xstrndup(text, size);

	if (address_parse(text, size, &list, &err) < 0)
		check_error(&err);
	else
		check_qualified(text, size, &list);
	for (size_t i = 0; i < list.n; i++)
		check_address(text, size, &list.v[i]);
	address_list_free(&list);
	check_sender(string);
	free(string);
	return 0;
}
