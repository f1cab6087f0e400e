#include "qmtp/package.h"

#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"

void
qmtp__package_forget(struct qmtp_package *p)
{
	free(p->slots);
	free(p->words);
	p->slots = NULL;
	p->words = NULL;
	p->words_len = p->words_room = 0;
	p->asked = p->owed = p->answers = 0;
	p->committed = false;
	p->error.phase = QMTP_IDLE;
	p->error.cause = QMTP_OK;
	p->error.text[0] = '\0';
}

static int
make_room(struct qmtp_package *p, size_t owed)
{
	struct qmtp__slot *slots;
	char *m = realloc(p->middle, strlen(p->sender) + 2 * QMTP__LENGTH_MAX + 2);

	if (m == NULL)
		return -1;
	p->middle = m;
	slots = calloc(owed, sizeof(*p->slots));
	if (slots == NULL)
		return -1;
	qmtp__package_forget(p);
	p->slots = slots;
	p->owed = owed;
	return 0;
}

int
qmtp__package_begin(struct qmtp_package *p, bool once, struct qmtp_error *err)
{
	size_t sender_len = strlen(p->sender);
	char *m;

	if (qmtp__package_idle(p, err) < 0)
		return -1;
	if (make_room(p, once ? 1 : p->rcpts) < 0)
		return qmtp__fail(err, QMTP_IDLE, QMTP_MEMORY, "out of memory");
	p->asked = p->rcpts;
	p->next = NULL;
	p->busy = true;

	p->head_len = qmtp__netstring_begin(p->head, p->size + 1);
	p->head[p->head_len++] = (char)p->encoding;

	m = p->middle;
	*m++ = ',';
	m += qmtp__netstring_begin(m, sender_len);
	memcpy(m, p->sender, sender_len);
	m += sender_len;
	*m++ = ',';
	m += qmtp__netstring_begin(m, p->list_len);
	p->middle_len = (size_t)(m - p->middle);
	return 0;
}

void
qmtp__package_leave(struct qmtp_package *p, const struct qmtp_error *reason)
{
	p->busy = false;
	if (reason != NULL)
		p->error = *reason;
}

int
qmtp__package_answer(struct qmtp_package *p, const char *answer, size_t len)
{
	if (qmtp__grow(&p->words, &p->words_room, p->words_len, len) < 0)
		return -1;
	memcpy(p->words + p->words_len, answer + 1, len - 1);
	p->slots[p->answers] = (struct qmtp__slot){ answer[0], p->words_len, len - 1 };
	p->words_len += len - 1;
	p->answers++;
	return 0;
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

/*
 * One answer to several recipients that is no K, and then silence: was it for the first of
 * them, or for all? Nobody can be called refused then; later is safe, and right for all.
 */
static bool
answered_once(const struct qmtp_package *p)
{
	return p->error.cause == QMTP_SILENCE && qmtp_package_reply(p, 0).code != 'K';
}

static struct qmtp_result
answered(const struct qmtp_package *p, const struct qmtp_reply *r)
{
	struct qmtp_result result = { QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, r->text,
		r->len };

	if (r->code == 'D' && answered_once(p)) {
		result.fate = QMTP_DEFERRED;
		result.cause = QMTP_SILENCE;
	} else if (r->code != 'K') {
		result.fate = r->code == 'D' ? QMTP_REJECTED : QMTP_DEFERRED;
	}
	return result;
}

struct qmtp_result
qmtp_package_result(const struct qmtp_package *p, size_t position)
{
	struct qmtp_result result = { .text = "" };
	struct qmtp_reply r;

	if (position >= p->rcpts)
		return result;
	if (position < p->asked) {
		r = qmtp_package_reply(p, p->owed < p->asked ? 0 : position);
		if (r.code != 0)
			return answered(p, &r);
		result.fate = !p->committed ? QMTP_UNSENT
		    : answered_once(p)      ? QMTP_DEFERRED
					    : QMTP_IN_DOUBT;
	}
	result.phase = p->error.phase;
	result.cause = p->error.cause;
	result.text = p->error.text;
	result.len = strlen(p->error.text);
	return result;
}
