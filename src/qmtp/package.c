#include "qmtp/package.h"

#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"

/* Room for add more bytes behind len. */
static int
grow(char **data, size_t *room, size_t len, size_t add)
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
forget_answers(struct qmtp_package *p)
{
	free(p->slots);
	free(p->words);
	p->slots = NULL;
	p->words = NULL;
	p->words_len = p->words_room = 0;
	p->owed = p->answers = 0;
	p->committed = false;
}

void
qmtp_package_new_envelope(struct qmtp_package *p)
{
	forget_answers(p);
	free(p->sender);
	free(p->list);
	p->sender = NULL;
	p->list = NULL;
	p->list_len = p->list_room = 0;
	p->rcpts = p->bad = 0;
}

void
qmtp_package_new_message(struct qmtp_package *p)
{
	for (size_t i = 0; i < p->npieces; i++)
		free(p->owned[i]);
	p->npieces = 0;
	p->size = 0;
}

void
qmtp_package_free(struct qmtp_package *p)
{
	if (p == NULL)
		return;
	qmtp_package_new_envelope(p);
	qmtp_package_new_message(p);
	free(p->pieces);
	free(p->owned);
	free(p->middle);
	free(p);
}

int
qmtp_package_sender(struct qmtp_package *p, const char *addr)
{
	char *copy = strdup(addr);

	if (copy == NULL)
		return -1;
	free(p->sender);
	p->sender = copy;
	return 0;
}

int
qmtp_package_rcpt(struct qmtp_package *p, const char *addr)
{
	size_t len = strlen(addr), n;

	if (p->rcpts >= QMTP_RCPTS_MAX || len > SIZE_MAX / 8 ||
	    grow(&p->list, &p->list_room, p->list_len, len + QMTP__LENGTH_MAX + 1) < 0)
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

static int
add_piece(struct qmtp_package *p, struct qmtp__run run, char *owned)
{
	if (run.len > INT64_MAX - p->size)
		return -1;
	if (p->npieces == p->room) {
		size_t room = p->room ? p->room * 2 : 4;
		struct qmtp__run *pieces = realloc(p->pieces, room * sizeof(*pieces));
		char **copies;

		if (pieces == NULL)
			return -1;
		p->pieces = pieces;
		copies = realloc(p->owned, room * sizeof(*copies));
		if (copies == NULL)
			return -1;
		p->owned = copies;
		p->room = room;
	}
	p->pieces[p->npieces] = run;
	p->owned[p->npieces] = owned;
	p->npieces++;
	p->size += run.len;
	return 0;
}

int
qmtp_package_append(struct qmtp_package *p, const void *data, size_t len)
{
	char *copy;

	if (len == 0)
		return 0;
	copy = malloc(len);
	if (copy == NULL)
		return -1;
	memcpy(copy, data, len);
	if (add_piece(p, (struct qmtp__run){ .data = copy, .fd = -1, .len = len }, copy) <
	    0) {
		free(copy);
		return -1;
	}
	return 0;
}

int
qmtp_package_lend(struct qmtp_package *p, const void *data, size_t len)
{
	if (len == 0)
		return 0;
	return add_piece(
	    p, (struct qmtp__run){ .data = data, .fd = -1, .len = len }, NULL);
}

int
qmtp_package_file(struct qmtp_package *p, int fd, uint64_t offset, uint64_t length)
{
	if (length == 0)
		return 0;
	if (offset > INT64_MAX - length)
		return -1;
	return add_piece(
	    p, (struct qmtp__run){ .fd = fd, .offset = offset, .len = length }, NULL);
}

void
qmtp_package_encoding(struct qmtp_package *p, enum qmtp_encoding encoding)
{
	p->encoding = encoding;
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

uint64_t
qmtp_package_size(const struct qmtp_package *p)
{
	return p->size;
}

size_t
qmtp_package_answers(const struct qmtp_package *p)
{
	return p->answers;
}

bool
qmtp_package_done(const struct qmtp_package *p)
{
	return p->owed > 0 && p->answers == p->owed;
}

bool
qmtp_package_committed(const struct qmtp_package *p)
{
	return p->committed;
}

struct qmtp_reply
qmtp_package_reply(const struct qmtp_package *p, size_t position)
{
	const struct qmtp__slot *slot;

	if (position >= p->answers)
		return (struct qmtp_reply){ 0, "", 0 };
	slot = &p->slots[position];
	return (struct qmtp_reply){ slot->code, p->words + slot->text, slot->len };
}

int
qmtp__package_begin(struct qmtp_package *p, size_t owed)
{
	size_t sender_len = strlen(p->sender);
	char *m = realloc(p->middle, sender_len + 2 * QMTP__LENGTH_MAX + 2);

	if (m == NULL)
		return -1;
	p->middle = m;
	forget_answers(p);
	p->slots = calloc(owed, sizeof(*p->slots));
	if (p->slots == NULL)
		return -1;
	p->owed = owed;

	p->head_len = qmtp__netstring_begin(p->head, p->size + 1);
	p->head[p->head_len++] = (char)p->encoding;

	*m++ = ',';
	m += qmtp__netstring_begin(m, sender_len);
	memcpy(m, p->sender, sender_len);
	m += sender_len;
	*m++ = ',';
	m += qmtp__netstring_begin(m, p->list_len);
	p->middle_len = (size_t)(m - p->middle);
	return 0;
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
		return p->pieces[k - 1];
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

int
qmtp__package_answer(struct qmtp_package *p, const char *answer, size_t len)
{
	if (grow(&p->words, &p->words_room, p->words_len, len) < 0)
		return -1;
	memcpy(p->words + p->words_len, answer + 1, len - 1);
	p->slots[p->answers] = (struct qmtp__slot){ answer[0], p->words_len, len - 1 };
	p->words_len += len - 1;
	p->answers++;
	return 0;
}
