#include "qmtp/package.h"

#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"

int
qmtp__grow(char **data, size_t *room, size_t len, size_t add)
{
	size_t want = *room ? *room : 256;
	char *p;

	if (add > SIZE_MAX / 4 - len)
		return -1;
	while (want < len + add)
		want *= 2;
	if (want == *room)
		return 0;
	p = realloc(*data, want);
	if (p == NULL)
		return -1;
	*data = p;
	*room = want;
	return 0;
}

struct qmtp_package *
qmtp_package_new(void)
{
	struct qmtp_package *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->encoding = QMTP_LF;
	return p;
}

static void
drop_envelope(struct qmtp_package *p)
{
	free(p->sender);
	free(p->list);
	free(p->marks);
	p->sender = NULL;
	p->list = NULL;
	p->marks = NULL;
	p->list_len = p->list_room = 0;
	p->rcpts = p->bad = 0;
}

void
qmtp_package_new_envelope(struct qmtp_package *p)
{
	if (p->busy)
		return;
	qmtp__package_forget(p);
	drop_envelope(p);
}

void
qmtp_package_free(struct qmtp_package *p)
{
	if (p == NULL)
		return;
	qmtp__package_forget(p);
	drop_envelope(p);
	qmtp__package_drop(p);
	free(p->pieces);
	free(p->middle);
	free(p);
}

int
qmtp__package_idle(const struct qmtp_package *p, struct qmtp_error *err)
{
	if (!p->busy)
		return 0;
	return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID, "the package is in a session");
}

int
qmtp_package_sender(struct qmtp_package *p, const char *addr)
{
	char *copy = p->busy ? NULL : strdup(addr);

	if (copy == NULL)
		return -1;
	free(p->sender);
	p->sender = copy;
	return 0;
}

const char *
qmtp_package_get_sender(const struct qmtp_package *p)
{
	return p->sender;
}

/* Every QMTP__STRIDEth recipient is marked, so that none is far from a mark. */
static int
mark(struct qmtp_package *p)
{
	size_t n = p->rcpts / QMTP__STRIDE;
	size_t *marks;

	if (n == 0 || p->rcpts % QMTP__STRIDE != 0)
		return 0;
	marks = realloc(p->marks, n * sizeof(*marks));
	if (marks == NULL)
		return -1;
	marks[n - 1] = p->list_len;
	p->marks = marks;
	return 0;
}

int
qmtp_package_rcpt(struct qmtp_package *p, const char *addr)
{
	size_t len = strlen(addr), n;

	if (p->busy || p->rcpts >= QMTP_RCPTS_MAX || len > SIZE_MAX / 8 ||
	    qmtp__grow(&p->list, &p->list_room, p->list_len, len + QMTP__LENGTH_MAX + 1) <
		0 ||
	    mark(p) < 0)
		return -1;
	n = qmtp__netstring_begin(p->list + p->list_len, len);
	memcpy(p->list + p->list_len + n, addr, len);
	p->list[p->list_len + n + len] = ',';
	p->list_len += n + len + 1;
	p->rcpts++;
	if (p->bad == 0 && (len == 0 || len > QMTP_ADDRESS_MAX))
		p->bad = p->rcpts;
	return 0;
}

const char *
qmtp__package_next(const struct qmtp_package *p, size_t *at, size_t *len)
{
	struct qmtp_netstring n = { 0 };
	const char *in = p->list + *at, *addr;
	size_t left = p->list_len - *at;

	if (left == 0)
		return NULL;
	qmtp__netstring_length(&n, &in, &left);
	*len = qmtp__netstring_content(&n, &in, &left, &addr);
	qmtp__netstring_comma(&n, &in, &left);
	*at = p->list_len - left;
	return addr;
}

ssize_t
qmtp_package_get_rcpt(
    const struct qmtp_package *p, size_t position, char *out, size_t size)
{
	size_t skip = position % QMTP__STRIDE, at = 0, len = 0, n;
	const char *addr;

	if (position >= p->rcpts)
		return -1;
	if (position >= QMTP__STRIDE)
		at = p->marks[position / QMTP__STRIDE - 1];
	do
		addr = qmtp__package_next(p, &at, &len);
	while (addr != NULL && skip-- > 0);
	if (addr == NULL)
		return -1;
	if (size > 0) {
		n = len < size ? len : size - 1;
		memcpy(out, addr, n);
		out[n] = '\0';
	}
	return (ssize_t)len;
}

int
qmtp_package_check(const struct qmtp_package *p, struct qmtp_error *err)
{
	if (p->sender == NULL)
		return qmtp__fail(
		    err, QMTP_IDLE, QMTP_INVALID, "the package has no sender");
	if (strlen(p->sender) > QMTP_ADDRESS_MAX)
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
		    "the sender is longer than %d bytes", QMTP_ADDRESS_MAX);
	if (p->rcpts == 0)
		return qmtp__fail(
		    err, QMTP_IDLE, QMTP_INVALID, "the package has no recipient");
	if (p->bad != 0)
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
		    "recipient %zu is empty or longer than %d bytes", p->bad,
		    QMTP_ADDRESS_MAX);
	if (p->size > QMTP_MESSAGE_MAX)
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
		    "the message is longer than %d bytes", QMTP_MESSAGE_MAX);
	return 0;
}

size_t
qmtp_package_rcpts(const struct qmtp_package *p)
{
	return p->rcpts;
}

size_t
qmtp__package_runs(const struct qmtp_package *p)
{
	return p->npieces + 4;
}

struct qmtp__run
qmtp__package_run(const struct qmtp_package *p, size_t k)
{
	struct qmtp__run run = { .fd = -1 };

	if (k > 0 && k <= p->npieces)
		return p->pieces[k - 1].run;
	if (k == 0) {
		run.data = p->head;
		run.len = p->head_len;
	} else if (k == p->npieces + 1) {
		run.data = p->middle;
		run.len = p->middle_len;
	} else if (k == p->npieces + 2) {
		run.data = p->list;
		run.len = p->list_len;
	} else {
		run.data = ",";
		run.len = 1;
	}
	return run;
}
