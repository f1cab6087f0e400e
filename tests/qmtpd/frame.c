#include "frame.h"

bool
frame_at_last(const struct frame *f)
{
	return f->field == 2 && f->content && f->left == 0;
}

size_t
frame_run(struct frame *f, const char *data, size_t len)
{
	size_t i = 0;

	if (len > 0 && frame_at_last(f)) {
		*f = (struct frame){ 0 };
		return 1;
	}
	while (i < len && !frame_at_last(f)) {
		if (f->content && f->left > 0) {
			size_t n = len - i < f->left ? len - i : (size_t)f->left;

			f->left -= n;
			i += n;
		} else if (f->content) { /* the comma */
			f->field++;
			f->content = false;
			i++;
		} else if (data[i++] == ':') {
			f->content = true;
		} else {
			f->left = f->left * 10 + (unsigned char)(data[i - 1] - '0');
		}
	}
	return i;
}
