// SPDX-License-Identifier: Apache-2.0
// A layer between a program and libc: counts the calls that touch one folder (and sockets, and malloc), by the place
// the program says it is at, and at a chosen one kills the process, fails the call, or does it and says that it failed.
// It can also write down everything that a disk would see, for power cuts. A shared library: test programs link it
// first; others get it by LD_PRELOAD with GW_SHIM_PLAN naming a file that holds the plan.
// The plan lies in shared memory: the parent sets it, the child arms it, the parent reads what was counted, also after
// a kill. Thread safety: counters are atomic; one plan per process.   Depends on: libc.
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    SHIM_OPEN,
    SHIM_READ, // and pread, recv
    SHIM_WRITE,
    SHIM_FSYNC,
    SHIM_FDATASYNC,
    SHIM_TRUNCATE,
    SHIM_ALLOCATE,
    SHIM_RENAME,
    SHIM_UNLINK,
    SHIM_MKDIR,
    SHIM_MMAP,
    SHIM_CLOSE,
    SHIM_LOCK, // fcntl and flock
    SHIM_STAT,
    SHIM_SEND, // of sockets
    SHIM_RECEIVE,
    SHIM_POINT,  // the program itself said so: shim_point
    SHIM_MALLOC, // counted apart: in no folder
    SHIM_CALLS
} shim_call;

typedef enum {
    SHIM_PLACE_OTHER,
    SHIM_PLACE_START,
    SHIM_PLACE_RECOVERY,
    SHIM_PLACE_RESERVE,
    SHIM_PLACE_SEAL,
    SHIM_PLACE_SIGN,    // and whatever touches keys/ but in a start
    SHIM_PLACE_PUBLISH, // whatever touches log/ or questions/, at any place
    SHIM_PLACE_CLOSE,
    SHIM_PLACES
} shim_place;

typedef enum {
    SHIM_NOTHING,
    SHIM_KILL_BEFORE,
    SHIM_KILL_WITHIN, // writes: half of the bytes; else after
    SHIM_KILL_AFTER,
    SHIM_FAIL,       // not done
    SHIM_FAIL_DONE,  // done, and reported as failed
    SHIM_FAIL_SHORT, // reads and writes: one byte less than asked, at least one; nothing else
} shim_action;

#define SHIM_SEQUENCE_MAX 8192 // calls of a run that are remembered one by one
typedef struct {
    uint8_t call, place;
} shim_step;

typedef struct {
    char folder[112]; // calls on paths below it, and on descriptors opened there
    _Atomic bool is_armed;
    shim_action action;
    int call, place;       // of the calls that are counted towards `at`; -1: any
    uint64_t at;           // the first has number 0
    int error;             // errno of a failing call
    bool is_onwards;       // the later ones too
    bool has_bytes_max;    // writes beyond `bytes_max` in all find a full disk
    int64_t bytes_max;     // statvfs tells of what is left
    bool swallows_syncs;   // fsync and fdatasync do nothing
    _Atomic int now;       // shim_place, set by the program
    _Atomic uint64_t seen; // calls that matched
    _Atomic uint64_t hits; // of these, those that something was done to
    _Atomic int64_t bytes; // written so far
    _Atomic uint64_t counts[SHIM_PLACES][SHIM_CALLS];
    _Atomic int hit_call, hit_place; // of the first
    _Atomic uint64_t steps;          // calls but for malloc, in order
    shim_step sequence[SHIM_SEQUENCE_MAX];
} shim_plan;

const char *shim_call_name(shim_call call);
const char *shim_place_name(shim_place place);

// Shared memory for a plan; `shim_use` makes it this process's own.
shim_plan *shim_plan_new(void);
void shim_plan_free(shim_plan *plan);
void shim_plan_reset(shim_plan *plan, const char *folder); // everything but the folder 0, and nothing done
void shim_use(shim_plan *plan);
shim_place shim_at(shim_place place); // where the program is now; returns where it was. Nothing without a plan.
void shim_point(void);                // a step that is no call

// ---- what a disk would see
typedef enum {
    SHIM_EVENT_OPEN, // `offset`: descriptor; `size` 1: the file is new, 2: it was cut to nothing
    SHIM_EVENT_CLOSE,
    SHIM_EVENT_WRITE,
    SHIM_EVENT_TRUNCATE, // to `offset`; allocation beyond the end is one
    SHIM_EVENT_SYNC,
    SHIM_EVENT_FOLDER, // made
    SHIM_EVENT_RENAME, // from the path to `more`
    SHIM_EVENT_LINK,
    SHIM_EVENT_UNLINK,
    SHIM_EVENT_MARK, // shim_mark(offset)
} shim_event_kind;
typedef struct {
    uint32_t kind, descriptor;
    uint64_t offset, size; // of the bytes that follow, padded to 8: data, or path, or two paths with their NULs
} shim_event;
typedef struct {
    _Atomic uint64_t size;
    uint64_t size_max;
    _Atomic bool is_full;
    uint8_t bytes[];
} shim_record;
shim_record *shim_record_new(size_t size_max); // shared memory
void shim_record_free(shim_record *record);
void shim_record_use(shim_record *record); // from now on; NULL: no more
void shim_mark(uint64_t number);
