/*
 * qmtp/response.h. First two bytes: where the input is cut. The rest: what a server says;
 * when the first byte is odd, a byte 255 in it stands for a long run of x.
 *
 * In one piece and in many there must be the same answers and the same end, and they must
 * be those that are found by looking at the whole at once; what is wrong must be so with
 * its first wrong byte, neither before nor behind it.
 *
 * Nothing here asks for memory or calls the system: it is meant to be run very often.
 */
#include <string.h>

#include "fuzz.h"
#include "look.h"

#define RUN 2047
#define INPUT_MAX (5 * (size_t)QMTP_REPLY_MAX)

/* The sizes of pieces, as they follow from the seed. */
static size_t
next_piece(unsigned *seed, size_t left)
{
	static const unsigned char shifts[] = { 0, 1, 3, 6, 8, 12, 14, 3 };
	size_t n;

	*seed = *seed * 1103515245 + 12345;
	n = 1 + ((*seed >> 8) & ((1U << shifts[*seed >> 29]) - 1));
	return n < left ? n : left;
}

static void
check_raw(const struct qmtp__response *r, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (n > 400)
		n = 400;
	must(r->raw_len == n && memcmp(r->raw, from, n) == 0,
	    "the first bytes of the present answer, at most 400");
}

/* Feed in[0..n), in pieces when there is a seed. */
static void
feed(struct qmtp__response *r, const char *in, size_t n, unsigned seed)
{
	const char *begin = in, *all = in + n; /* of the present answer; the end */
	struct found f = look(begin, n);
	bool cut = seed != 0;

	qmtp__response_init(r);
	while (in < all) {
		size_t left =
		    cut ? next_piece(&seed, (size_t)(all - in)) : (size_t)(all - in);
		const char *end = in + left;

		while (left > 0) {
			const char *before = in;
			enum qmtp__response_item item =
			    qmtp__response_next(r, &in, &left);
			bool known =
			    f.item != QMTP__RESPONSE_MORE && begin + f.size <= end;

			must(in >= before && in + left == end, "the input moves forward");
			must(item == (known ? f.item : QMTP__RESPONSE_MORE),
			    "what is found by looking at the whole");
			if (item == QMTP__RESPONSE_MORE) {
				must(left == 0 && in > before, "all input is used up");
				check_raw(r, begin, in);
				continue;
			}
			if (item != QMTP__RESPONSE_WHOLE) {
				check_raw(r, begin, end);
				return;
			}
			must(in == begin + f.size && r->len == f.len &&
				memcmp(r->content, begin + f.content, f.len) == 0,
			    "the answer as it was given");
			check_raw(r, begin, in);
			begin = in;
			f = look(begin, (size_t)(all - begin));
		}
	}
}

/* Put the long runs in. Returns how many bytes there are. */
static size_t
stretch(char *out, const char *in, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < INPUT_MAX - RUN; i++) {
		size_t times = in[i] == '\xff' ? RUN : 1;

		memset(out + len, in[i] == '\xff' ? 'x' : in[i], times);
		len += times;
	}
	return len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct qmtp__response r;
	static char long_input[INPUT_MAX];
	const char *in = (const char *)data + 2;
	size_t n = size - 2;

	if (size < 2)
		return 0;
	if (data[0] % 2 == 1) {
		n = stretch(long_input, in, n);
		in = long_input;
	}
	feed(&r, in, n, 0);
	feed(&r, in, n, 1 + data[0] + 256U * data[1]);
	return 0;
}
