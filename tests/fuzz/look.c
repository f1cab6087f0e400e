#include "look.h"

#include <string.h>

struct found
look(const char *in, size_t n)
{
	struct found f = { .item = QMTP__RESPONSE_MORE };
	size_t digits = 0;

	while (digits < n && in[digits] >= '0' && in[digits] <= '9') {
		if (digits < 5)
			f.len = 10 * f.len + (size_t)(in[digits] - '0');
		digits++;
		if (digits == 19 || (digits == 2 && in[0] == '0')) {
			f.item = QMTP__RESPONSE_NO_NETSTRING;
			f.size = digits;
			return f;
		}
	}
	if (digits == n)
		return f;
	f.content = f.size = digits + 1;
	if (digits == 0 || in[digits] != ':')
		f.item = QMTP__RESPONSE_NO_NETSTRING;
	else if (digits > 4 || f.len == 0 || f.len > 8192)
		f.item = QMTP__RESPONSE_BAD_LENGTH;
	else if (n > f.content && memchr("KZD", in[f.content], 3) == NULL) {
		f.item = QMTP__RESPONSE_BAD_KIND;
		f.size++;
	} else if (n > f.content + f.len) {
		f.item = in[f.content + f.len] == ',' ? QMTP__RESPONSE_WHOLE
						      : QMTP__RESPONSE_NO_NETSTRING;
		f.size += f.len + 1;
	}
	return f;
}
