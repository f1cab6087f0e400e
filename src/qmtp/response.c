#include "qmtp/response.h"

#include <string.h>

void
qmtp__response_init(struct qmtp__response *r)
{
	r->netstring = (struct qmtp_netstring){ 0 };
	r->len = r->raw_len = 0;
}

static void
remember(struct qmtp__response *r, const char *from, const char *to)
{
	size_t n = (size_t)(to - from), room = sizeof(r->raw) - r->raw_len;

	if (n > room)
		n = room;
	memcpy(r->raw + r->raw_len, from, n);
	r->raw_len += n;
}

static enum qmtp__response_item
read_length(struct qmtp__response *r, const char **in, size_t *len)
{
	switch (qmtp__netstring_length(&r->netstring, in, len)) {
	case QMTP__WANT_MORE:
		return QMTP__RESPONSE_MORE;
	case QMTP__WRONG:
		return QMTP__RESPONSE_NO_NETSTRING;
	case QMTP__COMPLETE:
		break;
	}
	if (r->netstring.left == 0 || r->netstring.left > QMTP_REPLY_MAX)
		return QMTP__RESPONSE_BAD_LENGTH;
	return QMTP__RESPONSE_WHOLE;
}

static enum qmtp__response_item
read_content(struct qmtp__response *r, const char **in, size_t *len)
{
	const char *data;
	size_t n = qmtp__netstring_content(&r->netstring, in, len, &data);

	memcpy(r->content + r->len, data, n);
	if (r->len == 0 && n > 0 && data[0] != 'K' && data[0] != 'Z' && data[0] != 'D')
		return QMTP__RESPONSE_BAD_KIND;
	r->len += n;
	if (r->netstring.left > 0)
		return QMTP__RESPONSE_MORE;
	switch (qmtp__netstring_comma(&r->netstring, in, len)) {
	case QMTP__WANT_MORE:
		return QMTP__RESPONSE_MORE;
	case QMTP__WRONG:
		return QMTP__RESPONSE_NO_NETSTRING;
	case QMTP__COMPLETE:
		break;
	}
	return QMTP__RESPONSE_WHOLE;
}

enum qmtp__response_item
qmtp__response_next(struct qmtp__response *r, const char **in, size_t *len)
{
	const char *begin = *in, *end = *in + *len;
	enum qmtp__response_item item = QMTP__RESPONSE_WHOLE;

	if (r->netstring.state == QMTP__FRESH)
		r->len = r->raw_len = 0;
	if (r->netstring.state != QMTP__CONTENT)
		item = read_length(r, in, len);
	if (item == QMTP__RESPONSE_WHOLE)
		item = read_content(r, in, len);
	remember(r, begin,
	    item == QMTP__RESPONSE_MORE || item == QMTP__RESPONSE_WHOLE ? *in : end);
	return item;
}

void
qmtp__response_keep(struct qmtp__response *r, const char *data, size_t len)
{
	r->len = r->raw_len = 0;
	remember(r, data, data + len);
}
