/*
 * util/text.h. First byte: the limit. The rest: the text.
 */
#include <string.h>

#include "fuzz.h"
#include "util/text.h"

/* Strictly well-formed UTF-8, by the table of RFC 3629 §4. */
static bool
is_utf8(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		unsigned char c = s[i++], low = 0x80, high = 0xbf;
		int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

		if ((c >= 0x80 && c < 0xc2) || c > 0xf4)
			return false;
		if (c == 0xe0)
			low = 0xa0;
		else if (c == 0xed)
			high = 0x9f;
		else if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f;
		for (; more > 0; more--) {
			if (i == n || s[i] < low || s[i] > high)
				return false;
			i++;
			low = 0x80;
			high = 0xbf;
		}
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = { 0 }, twice = { 0 };
	const char *text = (const char *)data + 1;
	size_t n = size - 1, max;

	if (size == 0)
		return 0;
	max = data[0] < 0xff ? data[0] : TEXT_LOG_MAX;
	text_clean(&once, text, n, max);
	must(once.len <= max, "no more than the limit");
	must(n > max || once.len == n, "what fits keeps its length");
	must(n <= max || max < 3 || memcmp(once.data + once.len - 3, "...", 3) == 0,
	    "what was cut says so");
	if (once.data != NULL) {
		must(strlen(once.data) == once.len, "no NUL");
		must(is_clean(once.data), "no control characters");
		must(is_utf8((const unsigned char *)once.data, once.len), "UTF-8");
		text_clean(&twice, once.data, once.len, max);
	}
	must(same_bytes(&once, &twice), "what is clean stays as it is");
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
