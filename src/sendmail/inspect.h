/*
 * sendmail/inspect.h: the modes that look and do not send. Each returns the exit code
 * and complains itself.
 */
#ifndef SENDMAIL_INSPECT_H
#define SENDMAIL_INSPECT_H

#include "conf/conf.h"
#include "sendmail/options.h"

/* -bC: the configuration was read; what is worth a word goes to stdout. EX_OK. */
int inspect_configuration(const struct conf *conf);

/*
 * -bi: read the alias file; its problems go to stderr. EX_OK, EX_DATAERR; EX_CONFIG
 * when it cannot be read.
 */
int inspect_aliases(const struct conf *conf);

/*
 * -bv: what each operand stands for. EX_OK, EX_NOUSER for a bad address, EX_USAGE
 * without operands.
 */
int inspect_addresses(const struct options *o, const struct conf *conf);

/* -bV: version and what was built in. EX_OK. */
int inspect_version(void);

#endif
