#include "qmtp/netstring.h"

#define LENGTH_LIMIT UINT64_C(1000000000000000000)

size_t
qmtp__netstring_begin(char *out, uint64_t n)
{
	char digits[QMTP__LENGTH_MAX];
	size_t k = sizeof(digits), len;

	digits[--k] = ':';
	do {
		digits[--k] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	len = sizeof(digits) - k;
	for (size_t i = 0; i < len; i++)
		out[i] = digits[k + i];
	return len;
}

enum qmtp__progress
qmtp__netstring_length(struct qmtp_netstring *n, const char **input, size_t *len)
{
	while (*len > 0) {
		unsigned char c = (unsigned char)**input;

		(*input)++;
		(*len)--;
		if (c == ':' && n->state != QMTP__FRESH) {
			n->state = QMTP__CONTENT;
			return QMTP__COMPLETE;
		}
		if (c < '0' || c > '9' || n->state == QMTP__ZERO)
			return QMTP__WRONG;
		if (n->state == QMTP__FRESH)
			n->left = 0;
		if (n->left >= LENGTH_LIMIT / 10)
			return QMTP__WRONG;
		n->left = n->left * 10 + (c - '0');
		n->state =
		    n->state == QMTP__FRESH && c == '0' ? QMTP__ZERO : QMTP__DIGITS;
	}
	return QMTP__WANT_MORE;
}

size_t
qmtp__netstring_content(
    struct qmtp_netstring *n, const char **input, size_t *len, const char **data)
{
	size_t take = *len < n->left ? *len : (size_t)n->left;

	*data = *input;
	*input += take;
	*len -= take;
	n->left -= take;
	return take;
}

enum qmtp__progress
qmtp__netstring_comma(struct qmtp_netstring *n, const char **input, size_t *len)
{
	if (*len == 0)
		return QMTP__WANT_MORE;
	if (**input != ',')
		return QMTP__WRONG;
	(*input)++;
	(*len)--;
	n->state = QMTP__FRESH;
	return QMTP__COMPLETE;
}
