/*
 * sendmail/probe.h: --probe: can every server be reached, and is it none for SMTP? All are
 * tried side by side.
 *
 *	SERVER                ADDRESS             TIME  RESULT
 *	mail1.example.net     192.0.2.1:209       12 ms  ok
 *	mail2.example.net     192.0.2.2:209     1003 ms  Connection refused while connecting to 192.0.2.2
 *
 * or, with --json, an object for each on a line of its own:
 *
 *	{"server":"mail1.example.net","host":"mail1.example.net","port":209,
 *	 "address":"192.0.2.1","milliseconds":12,"ok":true,"error":null,"security":null}
 *
 * security says how a server with TLS is protected; in the table that stands behind "ok".
 */
#ifndef SENDMAIL_PROBE_H
#define SENDMAIL_PROBE_H

#include <stdbool.h>

#include "conf/conf.h"

/*
 * Returns the exit code: EX_OK when at least one stands, else EX_UNAVAILABLE; EX_IOERR
 * when stdout fails.
 */
int probe(const struct conf *conf, bool json);

#endif
