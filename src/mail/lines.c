#include "mail/lines.h"

#include <string.h>

#define BLOCK 1024 /* bytes that are looked at together for a dot */

/*
 * Take the CRs before LF out of the chunk. Returns how many bytes are left; a run of CRs
 * at its very end is not among them and counted in crs.
 */
static size_t
squeeze(char *data, size_t n, uint64_t *crs)
{
	char *end = data + n;
	char *from = memchr(data, '\r', n);
	char *to = from;

	if (from == NULL)
		return n;
	while (from < end) {
		char *run = from;
		char *next;

		while (run < end && *run == '\r')
			run++;
		if (run == end) {
			*crs = (uint64_t)(run - from);
			break;
		}
		if (*run == '\n')
			from = run;
		next = memchr(run, '\r', (size_t)(end - run));
		if (next == NULL)
			next = end;
		memmove(to, from, (size_t)(next - from));
		to += next - from;
		from = next;
	}
	return (size_t)(to - data);
}

/*
 * Whether a line begins with a dot somewhere in BLOCK + 1 bytes. Without a branch in the loop, so
 * that compilers make vectors of it: several times as fast as memchr(3) on ordinary text.
 */
static bool
has_dotted_line(const char *p)
{
	unsigned char found = 0;

	for (size_t i = 0; i < BLOCK; i++)
		found |= (unsigned char)((p[i] == '\n') & (p[i + 1] == '.'));
	return found != 0;
}

/* The first line of one dot, or a dot at the very end that may become one; or NULL. */
static const char *
find_dot(const char *data, size_t n, bool start)
{
	const char *end = data + n;
	const char *p = data;
	const char *looked_at = data; /* before here there may be one, line by line */

	if (start && n > 0 && data[0] == '.' && (n == 1 || data[1] == '\n'))
		return data;
	while (p < end) {
		if (p >= looked_at && (size_t)(end - p) > BLOCK) {
			looked_at = p + BLOCK;
			if (!has_dotted_line(p)) {
				p += BLOCK;
				continue;
			}
		}
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL || ++p == end)
			break;
		if (p[0] == '.' && (p + 1 == end || p[1] == '\n'))
			return p;
	}
	return NULL;
}

/* Decide on what was held back. Returns how many of the new bytes that used up. */
static size_t
release(struct lines *l, const char *data, size_t n, struct lines_out *out)
{
	size_t used = 0;

	if (!l->dot && l->crs == 0)
		return 0;
	while (used < n && data[used] == '\r')
		used++;
	l->crs += used;
	if (used == n)
		return n;
	if (data[used] == '\n') {
		l->ended = l->dot;
		out->changed = l->crs > 0;
	} else {
		out->dot = l->dot;
		out->crs = l->crs;
		l->start = false;
	}
	l->dot = false;
	l->crs = 0;
	return used;
}

void
lines_push(struct lines *l, char *data, size_t n, struct lines_out *out)
{
	const char *dot = NULL;
	size_t used, left;

	*out = (struct lines_out){ .data = data };
	used = release(l, data, n, out);
	data += used;
	n -= used;
	if (data == NULL || n == 0 || l->ended)
		return;
	left = squeeze(data, n, &l->crs);
	if (left + l->crs != n)
		out->changed = true;
	out->data = data;
	if (l->dots)
		dot = find_dot(data, left, l->start);
	out->n = dot != NULL ? (size_t)(dot - data) : left;
	l->dot = dot != NULL && dot + 1 == data + left;
	l->ended = dot != NULL && !l->dot;
	if (out->n > 0)
		l->start = data[out->n - 1] == '\n';
}

void
lines_end(struct lines *l, struct lines_out *out)
{
	*out = (struct lines_out){ .data = "\n" };
	if (l->dot) {
		l->ended = true;
	} else if (!l->start || l->crs > 0) {
		out->n = 1;
		out->changed = true;
	}
	l->dot = false;
	l->crs = 0;
	l->start = true;
}
