/*
 * fault/disk.h: a small ext4 in a file. What stands in the file at a moment is what a power
 * cut at that moment would leave: the loop device writes nothing that the file system did
 * not send to its disk.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <stdbool.h>

/*
 * Mounts of this process and its children are their own from now on. false: this cannot be
 * done here, and why is a reason for people.
 */
bool disk_possible(const char **why);

/* Make an empty file system of 24 MiB in a file. Ends the program when it cannot. */
void disk_make(const char *image);

/*
 * Mount it: nothing is written back before somebody syncs. disk_unmount() ends that; what was
 * not synced is written then.
 */
void disk_mount(const char *image, const char *where);
void disk_unmount(const char *where);

/* Make to the same as from, now. false: it was the same already. */
bool disk_copy(const char *from, const char *to);

#endif
