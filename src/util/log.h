/*
 * util/log.h: lines for syslog that never hold the program up.
 *
 * A datagram socket to the system's log (RFC 3164 lines, as syslog(3) writes them; a
 * stream socket where the log has none), non-blocking. When it is full the writer waits
 * 50 ms, once in the life of the program, and drops lines from then on while it is full.
 * A log that was restarted is connected to again; a log that is gone costs one failed
 * connect a minute. No result: a log has no influence on mail. errno is left as it was.
 *
 * One socket for the program; not for several threads at once.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <syslog.h>

#define LOG_TAG_MAX 32    /* bytes of a tag */
#define LOG_LINE_MAX 2048 /* bytes of a line behind "tag[pid]: " */

/*
 * Tag (copied, cleaned, at most LOG_TAG_MAX bytes) and facility (LOG_MAIL, ...) of the
 * lines. The connection is made at the first line; without log_open() lines go nowhere.
 */
void log_open(const char *tag, int facility);

/* One line at a priority (LOG_INFO, ...), cleaned, cut at LOG_LINE_MAX bytes ("..."). */
void log_line(int priority, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The facility's number for its name in syslog.conf(5) ("mail", "local0", ...), without
 * case; -1 if there is none. "kern" is the kernel's own.
 */
int log_facility(const char *name);

/* Close the socket. Until the next log_open() lines go nowhere. */
void log_close(void);

#endif
