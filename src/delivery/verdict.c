#include "delivery/verdict.h"

static enum verdict
by_letter(char code, const struct verdict_policy *policy)
{
	switch (code) {
	case 'K':
		return VERDICT_ACCEPTED;
	case 'Z':
		return VERDICT_LATER;
	case 'D':
		return policy->soft_bounce ? VERDICT_LATER : VERDICT_REFUSED;
	default:
		return VERDICT_IN_DOUBT;
	}
}

bool
verdict_answered_once(const struct qmtp_package *p, enum qmtp_cause end,
    const struct verdict_policy *policy)
{
	return !policy->answers_one && !policy->proven && qmtp_package_rcpts(p) > 1 &&
	    qmtp_package_answers(p) == 1 && end == QMTP_SILENCE;
}

enum verdict
verdict_for(const struct qmtp_package *p, size_t position, enum qmtp_cause end,
    const struct verdict_policy *policy)
{
	char code = qmtp_package_reply(p, policy->answers_one ? 0 : position).code;
	char first = qmtp_package_reply(p, 0).code;

	if (!qmtp_package_committed(p))
		return VERDICT_UNDECIDED;
	if (policy->answers_one && code == 'D' && qmtp_package_rcpts(p) > 1)
		return VERDICT_SINGLY;
	if (verdict_answered_once(p, end, policy) && first != 'K')
		return VERDICT_LATER;
	return by_letter(code, policy);
}
