/*
 * fault/power.h: cases of TAP that need root and a loop device.
 */
#ifndef FAULT_POWER_H
#define FAULT_POWER_H

#include <stdbool.h>

/* The power goes at every system call of the submit path, and of the flusher. */
void power_submit(bool all);
void power_flush(bool all);

/* 500 entries are delivered, and then the power goes. */
void power_batch(bool all);

/* The disk is full, verdicts come in, and then the power goes. */
void power_full(bool all);

#endif
