#include "mail/header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/xalloc.h"

static const char *const names[HEADER_IDS] = {
	[HEADER_BCC] = "Bcc",
	[HEADER_CC] = "Cc",
	[HEADER_CONTENT_LENGTH] = "Content-Length",
	[HEADER_DATE] = "Date",
	[HEADER_FROM] = "From",
	[HEADER_MESSAGE_ID] = "Message-ID",
	[HEADER_REPLY_TO] = "Reply-To",
	[HEADER_RESENT_BCC] = "Resent-Bcc",
	[HEADER_RESENT_CC] = "Resent-Cc",
	[HEADER_RESENT_DATE] = "Resent-Date",
	[HEADER_RESENT_FROM] = "Resent-From",
	[HEADER_RESENT_MESSAGE_ID] = "Resent-Message-ID",
	[HEADER_RESENT_REPLY_TO] = "Resent-Reply-To",
	[HEADER_RESENT_SENDER] = "Resent-Sender",
	[HEADER_RESENT_TO] = "Resent-To",
	[HEADER_RETURN_PATH] = "Return-Path",
	[HEADER_SENDER] = "Sender",
	[HEADER_TO] = "To",
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum header_id
identify(const char *name, size_t len)
{
	for (int id = HEADER_OTHER + 1; id < HEADER_IDS; id++)
		if (strncasecmp(names[id], name, len) == 0 && names[id][len] == '\0')
			return (enum header_id)id;
	return HEADER_OTHER;
}

/*
 * Whether the line is a field: where its colon is and how long its name. The blanks
 * before the colon are RFC 5322 §4.5. A line that begins with "--" is a MIME boundary
 * whose empty line was forgotten, even with a colon in it: as sendmail sees it.
 */
static bool
is_field(const char *line, size_t len, size_t *name, size_t *colon)
{
	size_t i = 0;

	if (len >= 2 && line[0] == '-' && line[1] == '-')
		return false;
	while (i < len && line[i] > ' ' && line[i] < 0x7f && line[i] != ':')
		i++;
	*name = i;
	while (i < len && is_blank(line[i]))
		i++;
	*colon = i;
	return *name > 0 && i < len && line[i] == ':';
}

static bool
is_from_line(const char *line, size_t len)
{
	if (len > 0 && line[0] == '>') {
		line++;
		len--;
	}
	return len >= 5 && memcmp(line, "From ", 5) == 0;
}

/* Append the line as it is kept: no NUL, no CR before the LF, and a space for every other
 * CR. */
static void
append_line(struct buf *b, const char *line, size_t len)
{
	size_t begin = b->len;
	char *to;

	buf_add(b, line, len);
	if (memchr(line, '\0', len) != NULL) {
		to = b->data + begin;
		for (size_t i = 0; i < len; i++)
			if (line[i] != '\0')
				*to++ = line[i];
		b->len = (size_t)(to - b->data);
	}
	while (b->len > begin && b->data[b->len - 1] == '\r')
		b->len--;
	for (to = b->data + begin;
	     (to = memchr(to, '\r', b->len - (size_t)(to - b->data)));)
		*to = ' ';
	buf_byte(b, '\n');
}

static void
add_field(struct header *h, size_t begin, size_t name, size_t colon)
{
	enum header_id id = identify(h->text.data + begin, name);

	h->v = xgrow(h->v, h->n, &h->cap, sizeof(*h->v));
	h->v[h->n++] = (struct header_field){
		.id = id,
		.begin = begin,
		.body = begin + colon + 1,
		.end = h->text.len,
	};
	h->count[id]++;
}

enum header_line
header_push(struct header *h, const char *line, size_t len)
{
	enum header_line result = HEADER_TAKEN;
	size_t begin = h->text.len;
	size_t name, colon;
	bool keep = false;
	const char *kept;

	append_line(&h->text, len > 0 ? line : "", len);
	kept = h->text.data + begin;
	len = h->text.len - begin - 1;
	if (len == 0) {
		result = HEADER_END;
	} else if (is_blank(kept[0])) {
		if (h->n > 0) {
			h->v[h->n - 1].end = h->text.len;
			keep = true;
		} else {
			result = HEADER_BODY;
		}
	} else if (is_field(kept, len, &name, &colon)) {
		add_field(h, begin, name, colon);
		keep = true;
	} else if (h->n > 0 || !is_from_line(kept, len)) {
		result = HEADER_BODY;
	}
	if (!keep) {
		h->text.len = begin;
		h->text.data[begin] = '\0';
	}
	return result;
}

const char *
header_body(const struct header *h, const struct header_field *f, size_t *len)
{
	*len = f->end - 1 - f->body;
	return h->text.data + f->body;
}

const struct header_field *
header_find(const struct header *h, enum header_id id)
{
	if (h->count[id] == 0)
		return NULL;
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].id == id)
			return &h->v[i];
	return NULL;
}

bool
header_resent(const struct header *h)
{
	for (int id = HEADER_RESENT_BCC; id <= HEADER_RESENT_TO; id++)
		if (h->count[id] > 0)
			return true;
	return false;
}

void
header_free(struct header *h)
{
	buf_free(&h->text);
	free(h->v);
	*h = (struct header){ 0 };
}
