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

/* ... and the end of a child does, too: for a process that has some. */
void signals_hold_children(void);

/* In such a child: as after signals_start(). */
void signals_release(void);

/* Whether one that would end the program has come since they are held. */
bool signals_caught(void);

/* From now on all that can be are ignored. */
void signals_ignore(void);

/*
 * poll(2) until a deadline (clock_ms()), with signals. Returns what ppoll(2) does; 0 when
 * the time is over; -1 with EINTR when a child has ended or signals_caught().
 */
int signals_poll(struct pollfd *v, nfds_t n, int64_t deadline);

#endif
