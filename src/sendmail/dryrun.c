#include "sendmail/dryrun.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "sendmail/complain.h"
#include "util/file.h"

static int
write_body(const struct message *m)
{
	char data[65536];
	uint64_t done = 0;

	if (m->fd < 0)
		return file_write(STDOUT_FILENO, m->memory.data, m->memory.len);
	while (done < m->length) {
		uint64_t left = m->length - done;
		ssize_t n =
		    pread(m->fd, data, left < sizeof(data) ? (size_t)left : sizeof(data),
			(off_t)(m->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0 || file_write(STDOUT_FILENO, data, (size_t)n) < 0)
			return -1;
		done += (uint64_t)n;
	}
	return 0;
}

int
dryrun(const struct envelope *e, const struct message *m)
{
	struct buf b = { 0 };
	int code = EX_OK;

	buf_printf(&b, "sender <%s>\n", e->sender);
	for (size_t i = 0; i < e->n; i++)
		buf_printf(&b, "recipient <%s>\n", e->rcpts[i].addr);
	buf_byte(&b, '\n');
	buf_add(&b, m->head.data, m->head.len);
	if (file_write(STDOUT_FILENO, b.data, b.len) < 0 || write_body(m) < 0) {
		complain(
		    "standard output: %s while printing the message", strerror(errno));
		code = EX_IOERR;
	}
	buf_free(&b);
	return code;
}
