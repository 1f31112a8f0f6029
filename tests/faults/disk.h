// SPDX-License-Identifier: Apache-2.0
// A disk that keeps only what it promised: a model fed with what the shim recorded. Of every file it knows the bytes
// that a sync made durable and the writes that none has covered yet; of every folder the same for its names. An image
// is what may be found after a power cut: all that was synced, and of the rest any prefix, any subset, torn at sectors.
// Thread safety: none.   Depends on: shim.h.
#pragma once
#include "tests/faults/shim.h"

typedef struct disk disk;
// Starts with everything below `folder` as it is now, durable.
disk *disk_new(const char *folder);
void disk_free(disk *all);
void disk_rename(disk *all, const char *folder); // the record to come names this one
// Takes the record's first `count` events in. Returns the greatest mark among them.
uint64_t disk_replay(disk *all, const shim_record *record, size_t count);
size_t disk_events(const shim_record *record);
// Writes an image below `folder`, which is empty. Returns how many unsynced changes were dropped or torn.
size_t disk_image(const disk *all, const char *folder, unsigned *random);
