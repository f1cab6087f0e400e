/*
 * queue/signals.h: signals come at three times: before there is anything to lose they
 * end the program; while a package comes in they break it off, and nothing of it is left;
 * once it is complete they are ignored.
 */
#ifndef QUEUE_SIGNALS_H
#define QUEUE_SIGNALS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* The start: none is blocked; SIGPIPE and SIGXFSZ are errors of write(2) and nothing else. */
void signals_start(void);

/*
 * From now on those that would end the program, but for SIGKILL, only interrupt
 * signals_poll(). What was ignored by whoever started the program stays so.
 */
void signals_hold(void);

/* From now on all that can be are ignored. */
void signals_ignore(void);

/*
 * poll(2) until a deadline (clock_ms()), with signals. Returns what ppoll(2) does; 0 when
 * the time is over; -1 with EINTR once a signal was held.
 */
int signals_poll(struct pollfd *v, nfds_t n, int64_t deadline);

#endif
