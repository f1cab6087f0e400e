/* fault/sync.h: cases of TAP: a failing fsync on the submit path. */
#ifndef FAULT_SYNC_H
#define FAULT_SYNC_H

#include <stdbool.h>

void sync_submit(bool all);

#endif
