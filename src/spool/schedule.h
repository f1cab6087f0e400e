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

struct schedule;

/*
 * The rule. When an entry that the spool holds is to be tried next, seen at the time now:
 *
 *	never tried (every slot is as old as the entry)		  at once
 *	touched after its last try ("retry" sets the mtime)	  at once
 *	else: last try + clamp(age at that try / 2, SOONEST, LATEST) and up to a tenth
 *	more, by its id
 *	recipients in doubt only: not before SPOOL_DOUBT seconds after the doubt
 *
 * A time further away than SCHEDULE_LATEST and a tenth is one of a clock that was wrong:
 * at once.
 */
time_t schedule_when(const struct entry *e, time_t now);

struct schedule *schedule_new(void);
void schedule_free(struct schedule *s);

/* Enter it as WAITING until when, or move it there, whatever it was. */
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

/* How many wait or are taken; how many are WAITING and due. */
size_t schedule_count(const struct schedule *s);
size_t schedule_count_due(const struct schedule *s, time_t now);

/* All WAITING ones that are due and arrived before a time; f may put or forget that id. */
void schedule_each_older(struct schedule *s, time_t now, time_t arrived_before,
    void (*f)(void *arg, const char *id), void *arg);

/*
 * A full look at queue/: schedule_sweep_begin(), schedule_seen() for each name found,
 * schedule_sweep_end() forgets WAITING and IGNORED ones that were not seen.
 */
void schedule_sweep_begin(struct schedule *s);
void schedule_seen(struct schedule *s, const char *id);
void schedule_sweep_end(struct schedule *s);

#endif
