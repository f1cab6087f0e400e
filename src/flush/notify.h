/*
 * flush/notify.h: what the service manager is told: sd_notify(3) and its protocol, without
 * the library. Never blocks; without a manager, or when it does not listen, nothing
 * happens.
 */
#ifndef FLUSH_NOTIFY_H
#define FLUSH_NOTIFY_H

#include <stdint.h>

/*
 * Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment. Once, at the
 * start, before it is emptied.
 */
void notify_init(void);

void notify_ready(void);
void notify_reloading(void); /* notify_ready() is to follow */
void notify_stopping(void);

/* One line for people; told when it differs from the last one, once a second. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Still alive: call it at notify_deadline() at the latest (CLOCK_NEVER: nobody asks). */
void notify_alive(void);
int64_t notify_deadline(void);

#endif
