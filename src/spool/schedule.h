/*
 * spool/schedule.h: which entry is tried when. What is known of an entry while it waits:
 * its id and a time, nothing else; 100,000 of them fit into a few MiB.
 *
 *	WAITING	 until its time
 *	TAKEN	 by schedule_take(): somebody works on it
 *	IGNORED	 nothing to touch (a symlink, a second link, ...), and it was said
 */
#ifndef SPOOL_SCHEDULE_H
#define SPOOL_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "spool/entry.h"

#define SCHEDULE_SOONEST 60  /* seconds between two tries of a message, at least */
#define SCHEDULE_LATEST 3600 /* and at most */
#define SCHEDULE_NEVER ((time_t)-1)

/*
 * Our own marks set the mtime, too: one within so many seconds of the newest slot (of the
 * message's as well, whose time is no try's) is a mark's and no "retry". Who asks for a
 * try therefore sets the mtime to SCHEDULE_TOUCH seconds from now.
 */
#define SCHEDULE_SLACK 2
#define SCHEDULE_TOUCH (SCHEDULE_SLACK + 2) /* a first try is marked a second later */

struct schedule;

/*
 * The rule. When an entry that the spool holds is to be tried next, seen at the time now:
 *
 *	never tried (the pending slots are as old as the entry)	  at once
 *	touched after its last mark ("retry" sets the mtime)	  at once, in doubt or not
 *	else: last try + clamp(age at that try / 2, SOONEST, LATEST) and up to a tenth
 *	more, by its id
 *	recipients in doubt: the same from the doubt on, but not before SPOOL_DOUBT seconds
 *	after it; handed over in doubt: then
 *
 * The last try is the newest slot of a pending recipient; with pending and in doubt ones
 * in an entry the earlier time counts. A try within the second of the arrival must be
 * marked as one a second later. A time further away than SCHEDULE_LATEST and a tenth is
 * one of a clock that was wrong: at once. Nothing left to try: at once, too.
 */
time_t schedule_when(const struct entry *e, time_t now);

/*
 * Whether recipient i belongs into a try of the entry now: it is pending, or in doubt
 * and its SPOOL_DOUBT seconds are over (or are those of a clock that was wrong).
 */
bool schedule_joins(const struct entry *e, size_t i, time_t now);

/* Whether somebody asked for a try after the last mark. */
bool schedule_touched(const struct entry *e);

struct schedule *schedule_new(void);
void schedule_free(struct schedule *s);

/*
 * Enter it as WAITING until when, or move it there, whatever it was. A name too long for an
 * id is ignored (schedule_ignore()).
 */
void schedule_put(struct schedule *s, const char *id, time_t when);

/* Take the one that is due first, in order of time and then of arrival. false: none is. */
bool schedule_take(struct schedule *s, time_t now, char id[SPOOL_ID]);

void schedule_ignore(struct schedule *s, const char *id);

/* It is not there any more. Harmless for one that is not known. */
void schedule_forget(struct schedule *s, const char *id);

/* Whether it is known, as what; and 0 if it is not. 'W' waiting, 'T' taken, 'I' ignored. */
char schedule_state(const struct schedule *s, const char *id);

/* When the first of those WAITING is due: SCHEDULE_NEVER when none waits. */
time_t schedule_next(const struct schedule *s);

/*
 * How many wait or are taken; how many are WAITING and due, which costs a look at each of
 * these.
 */
size_t schedule_count(const struct schedule *s);
size_t schedule_count_due(const struct schedule *s, time_t now);

/*
 * All WAITING ones that are due and arrived before a time, in no order; f may put or forget
 * that id, and no other.
 */
void schedule_each_older(struct schedule *s, time_t now, time_t arrived_before,
    void (*f)(void *arg, const char *id), void *arg);

/*
 * A full look at queue/: schedule_sweep_begin(), schedule_seen() for each name found,
 * schedule_sweep_end() forgets WAITING and IGNORED ones that were neither seen nor put
 * since. schedule_seen() of one that is not known does nothing.
 */
void schedule_sweep_begin(struct schedule *s);
void schedule_seen(struct schedule *s, const char *id);
void schedule_sweep_end(struct schedule *s);

#endif
