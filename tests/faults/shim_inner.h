// SPDX-License-Identifier: Apache-2.0
// What the shim's own files share.   Depends on: shim.h.
#pragma once
#include "tests/faults/shim.h"

// One call on its way. `verdict` says what is to be done to it.
typedef struct {
    shim_call call;
    bool is_counted;
    shim_action verdict;
    int error;
} shim_visit;

extern _Thread_local int shim_depth; // calls that the shim itself makes are not counted

// `of`: the place that the file belongs to, or OTHER.
shim_visit shim_begin(shim_call call, bool is_ours, shim_place of);
shim_visit shim_begin_on(shim_call call, int descriptor);
void shim_end(const shim_visit *visit); // after the call was done
long shim_finish(const shim_visit *visit, long result);
void shim_socket(int descriptor); // this is one
bool shim_is_preloaded(void);     // then the sockets it was given are its own
// Does a call that takes only numbers and pointers, unless it is to fail undone.
#define DO(visit, ...) shim_finish(&(visit), (visit).verdict == SHIM_FAIL ? -1 : syscall(__VA_ARGS__))
int64_t shim_room(int64_t size);   // of a full disk: how many of `size` bytes find room; -1: no limit
int64_t shim_room_left(void);      // -1: no limit
void shim_room_back(int64_t size); // of what was removed
bool shim_swallows(void);          // syncs do nothing
bool shim_hurries(void);           // locks fail, and who waits for them need not
const char *shim_folder(void);     // NULL: none

void shim_record_lock(void);
void shim_record_unlock(void);
bool shim_records(void);
void shim_record_add(shim_event_kind kind, int descriptor, uint64_t offset, const void *bytes, uint64_t size);
void shim_record_paths(shim_event_kind kind, int descriptor, uint64_t offset, const char *path, const char *more);
