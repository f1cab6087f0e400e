/*
 * mail/alias.h. The input: an alias file. Every word in it is looked up.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "fuzz.h"
#include "mail/address.h"
#include "mail/alias.h"
#include "util/xalloc.h"

#define HOST "host.example.net"
#define WORDS_MAX 100

/* An alias file with what its reading and look-ups came to, in words. */
struct book {
	struct alias_table *table;
	struct buf said;
	const char *path;
	const char *recipient; /* that is looked up */
	size_t lines;
	size_t added;
	size_t most;    /* addresses that can come of one name */
	bool localhost; /* is in it: an address "/x@localhost" is one and no file */
};

static void
hear(void *arg, const char *text)
{
	struct book *b = arg;
	size_t n = strlen(b->path);
	char *end;
	unsigned long line;

	must(
	    strncmp(text, b->path, n) == 0 && text[n] == ':', "a problem names the file");
	line = strtoul(text + n + 1, &end, 10);
	must(line >= 1 && line <= b->lines && strncmp(end, ": ", 2) == 0, "and the line");
	must(is_clean(text), "in words that can be shown");
	buf_str(&b->said, text + n);
	buf_byte(&b->said, '\n');
}

static int
add(void *arg, const char *addr, struct error *err)
{
	struct book *b = arg;
	size_t n = strlen(addr);

	(void)err;
	must(n > 0 && n <= ADDRESS_MAX && is_clean(addr), "an address of an envelope");
	must(strncmp(b->recipient, addr, n) == 0 || address_has_domain(addr) ||
		b->localhost || strchr("|/:", addr[0]) == NULL,
	    "no pipes, files and includes");
	must(++b->added <= b->most, "an expansion ends");
	buf_str(&b->said, addr);
	buf_byte(&b->said, '\n');
	return 0;
}

static void
look_up(struct book *b, const char *recipient)
{
	struct error err = { 0 };

	b->recipient = recipient;
	b->added = 0;
	if (alias_expand(b->table, recipient, add, b, &err) < 0) {
		must(err.code == EX_DATAERR && is_clean(err.text),
		    "too deep, and says so");
		buf_str(&b->said, err.text);
	} else {
		must(b->added > 0 || alias_count(b->table) > 0, "somebody gets it");
	}
	buf_str(&b->said, "--\n");
}

static bool
is_word(char c)
{
	return c != '\0' && strchr(" \t\n\r\f\v,:\"#\\<>()", c) == NULL;
}

static void
look_up_all(struct book *b, const char *text, size_t n)
{
	unsigned words = 0;

	for (size_t i = 0; i < n && words < WORDS_MAX; words++) {
		size_t begin;
		char *word;

		while (i < n && !is_word(text[i]))
			i++;
		begin = i;
		while (i < n && is_word(text[i]))
			i++;
		word = xstrndup(text + begin, i - begin);
		if (*word != '\0' && strlen(word) <= ADDRESS_MAX && is_clean(word))
			look_up(b, word);
		free(word);
	}
	look_up(b, "nobody@localhost");
	look_up(b, "Default@" HOST);
	look_up(b, "alice@example.com");
}

/* Read the file, and look up the words of text. */
static void
open_book(struct book *b, const struct buf *file, const char *text, size_t n)
{
	int fd = file_open(file->data, file->len);
	char *path = file_path(fd);
	struct error err;

	*b = (struct book){ .path = path, .lines = 1, .most = n + 2 };
	for (size_t i = 0; i < file->len; i++)
		b->lines += file->data[i] == '\n';
	for (size_t i = 0; i + strlen("localhost") <= n; i++)
		b->localhost |= strncasecmp(text + i, "localhost", 9) == 0;
	must(alias_read(&b->table, path, hear, b, &err) == 0,
	    "a file that can be read is");
	alias_hostname(b->table, HOST);
	look_up_all(b, text, n);
	alias_free(b->table);
	free(path);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct book lf, crlf;
	struct buf file = { 0 };
	const char *text = (const char *)data;

	buf_add(&file, data, size);
	open_book(&lf, &file, text, size);
	buf_clear(&file);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			buf_byte(&file, '\r');
		buf_byte(&file, text[i]);
	}
	open_book(&crlf, &file, text, size);
	must(same_bytes(&lf.said, &crlf.said), "CR LF is a line end like LF");
	buf_free(&lf.said);
	buf_free(&crlf.said);
	buf_free(&file);
	return 0;
}
