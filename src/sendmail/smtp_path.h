/*
 * sendmail/smtp_path.h: what stands behind MAIL and RCPT: "FROM:<address> SIZE=1000"
 * (RFC 5321 §3.3, RFC 1870).
 */
#ifndef SENDMAIL_SMTP_PATH_H
#define SENDMAIL_SMTP_PATH_H

#include <stdbool.h>
#include <stdint.h>

struct smtp_path {
	char *address;   /* as written, with the angle brackets if it has some */
	bool size_given; /* SIZE= was among the parameters; all others, which must look
			    like such, are passed over */
	uint64_t size;   /* bytes; UINT64_MAX when it is more than that */
};

/*
 * Parse the argument of a command; keyword is "FROM:" or "TO:". Blanks around the colon
 * and an address without brackets are taken too: clients write them. Returns 0, or -1:
 * this is neither; nothing to free.
 */
int smtp_path_parse(const char *argument, const char *keyword, struct smtp_path *path);

void smtp_path_free(struct smtp_path *path);

#endif
