// SPDX-License-Identifier: Apache-2.0
// The plan: counting, deciding, killing; and the record of what a disk would see. Nothing here allocates.
#include "tests/faults/shim_inner.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// A library that others are put on top of has no one to hand it a context: these are its only state.
static shim_plan *plan_used;
static bool is_preloaded;
static shim_record *record_used;
static atomic_flag record_lock = ATOMIC_FLAG_INIT;
_Thread_local int shim_depth;

const char *shim_call_name(shim_call call) {
    static const char *const names[SHIM_CALLS] = {
        "open",  "read", "write", "fsync", "fdatasync", "ftruncate", "fallocate", "rename", "unlink",
        "mkdir", "mmap", "close", "lock",  "stat",      "send",      "receive",   "point",  "malloc",
    };
    return names[call];
}

const char *shim_place_name(shim_place place) {
    static const char *const names[SHIM_PLACES] = {"other", "start", "recovery", "reserve",
                                                   "seal",  "sign",  "publish",  "close"};
    return names[place];
}

static void *shared_new(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

shim_plan *shim_plan_new(void) {
    return shared_new(sizeof(shim_plan));
}

void shim_plan_free(shim_plan *plan) {
    munmap(plan, sizeof(*plan));
}

void shim_plan_reset(shim_plan *plan, const char *folder) {
    memset(plan, 0, offsetof(shim_plan, sequence));
    snprintf(plan->folder, sizeof(plan->folder), "%s", folder);
    plan->call = plan->place = -1;
    plan->hit_call = -1;
    plan->hit_place = -1;
}

void shim_use(shim_plan *plan) {
    plan_used = plan;
}

// A program that knows nothing of the shim is armed from its first call on.
__attribute__((constructor)) static void plan_of_environment(void) {
    const char *path = getenv("GW_SHIM_PLAN");
    if (path == NULL)
        return;
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *memory =
        (void *)syscall(SYS_mmap, NULL, sizeof(shim_plan), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    syscall(SYS_close, descriptor);
    if (memory == MAP_FAILED)
        return;
    plan_used = memory;
    is_preloaded = true;
}

bool shim_is_preloaded(void) {
    return is_preloaded;
}

shim_place shim_at(shim_place place) {
    return plan_used == NULL ? SHIM_PLACE_OTHER : (shim_place)atomic_exchange(&plan_used->now, (int)place);
}

// ---- counting and deciding

static _Noreturn void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

// The publisher has its own thread; the signer is asked in the course of something else, and while it opens that is a
// start.
static int place_of(const shim_plan *plan, shim_place of) {
    int now = atomic_load(&plan->now);
    bool is_start = now == SHIM_PLACE_START || now == SHIM_PLACE_RECOVERY;
    return of == SHIM_PLACE_OTHER || (of == SHIM_PLACE_SIGN && is_start) ? now : (int)of;
}

shim_visit shim_begin(shim_call call, bool is_ours, shim_place of) {
    shim_visit visit = {.call = call};
    shim_plan *plan = plan_used;
    if (plan == NULL || !is_ours || shim_depth > 0 || !atomic_load_explicit(&plan->is_armed, memory_order_relaxed))
        return visit;
    int place = place_of(plan, of);
    visit.is_counted = true;
    atomic_fetch_add(&plan->counts[place][call], 1);
    if (call != SHIM_MALLOC) {
        uint64_t step = atomic_fetch_add(&plan->steps, 1);
        if (step < SHIM_SEQUENCE_MAX)
            plan->sequence[step] = (shim_step){(uint8_t)call, (uint8_t)place};
    }
    bool is_matched = plan->action != SHIM_NOTHING && (plan->place < 0 || plan->place == place) &&
                      (plan->call < 0 ? call != SHIM_MALLOC : plan->call == (int)call);
    if (!is_matched)
        return visit;
    uint64_t number = atomic_fetch_add(&plan->seen, 1);
    if (number != plan->at && !(plan->is_onwards && number > plan->at))
        return visit;
    if (atomic_fetch_add(&plan->hits, 1) == 0) {
        plan->hit_call = (int)call;
        plan->hit_place = place;
    }
    visit.verdict = plan->action;
    visit.error = plan->error;
    if (visit.verdict == SHIM_KILL_BEFORE)
        die();
    return visit;
}

void shim_end(const shim_visit *visit) {
    if (visit->verdict == SHIM_KILL_AFTER || visit->verdict == SHIM_KILL_WITHIN)
        die();
}

void shim_point(void) {
    shim_visit visit = shim_begin(SHIM_POINT, true, SHIM_PLACE_OTHER);
    shim_end(&visit);
}

// ---- a full disk

static bool has_limit(void) {
    return plan_used != NULL && plan_used->has_bytes_max &&
           atomic_load_explicit(&plan_used->is_armed, memory_order_relaxed);
}

int64_t shim_room_left(void) {
    if (!has_limit())
        return -1;
    int64_t left = plan_used->bytes_max - atomic_load(&plan_used->bytes);
    return left > 0 ? left : 0;
}

int64_t shim_room(int64_t size) {
    if (!has_limit())
        return -1;
    int64_t room = plan_used->bytes_max - atomic_fetch_add(&plan_used->bytes, size);
    if (room >= size)
        return size;
    room = room > 0 ? room : 0;
    atomic_fetch_sub(&plan_used->bytes, size - room);
    atomic_fetch_add(&plan_used->hits, 1);
    return room;
}

void shim_room_back(int64_t size) {
    if (has_limit())
        atomic_fetch_sub(&plan_used->bytes, size);
}

bool shim_swallows(void) {
    return plan_used != NULL && plan_used->swallows_syncs;
}

bool shim_hurries(void) {
    return plan_used != NULL && plan_used->hit_call == SHIM_LOCK && plan_used->action == SHIM_FAIL;
}

const char *shim_folder(void) {
    return plan_used == NULL || plan_used->folder[0] == '\0' ? NULL : plan_used->folder;
}

// ---- the record

shim_record *shim_record_new(size_t size_max) {
    shim_record *record = shared_new(sizeof(*record) + size_max);
    record->size_max = size_max;
    return record;
}

void shim_record_free(shim_record *record) {
    munmap(record, sizeof(*record) + record->size_max);
}

void shim_record_use(shim_record *record) {
    record_used = record;
}

// Held over the call and its event, so that the record has the order in which things happened.
void shim_record_lock(void) {
    while (record_used != NULL && atomic_flag_test_and_set(&record_lock))
        sched_yield();
}

void shim_record_unlock(void) {
    if (record_used != NULL)
        atomic_flag_clear(&record_lock);
}

bool shim_records(void) {
    return record_used != NULL;
}

void shim_record_add(shim_event_kind kind, int descriptor, uint64_t offset, const void *bytes, uint64_t size) {
    shim_record *record = record_used;
    if (record == NULL)
        return;
    shim_event event = {.kind = kind, .descriptor = (uint32_t)descriptor, .offset = offset, .size = size};
    uint64_t at = atomic_load(&record->size), end = at + sizeof(event) + (size + 7) / 8 * 8;
    if (end > record->size_max) {
        atomic_store(&record->is_full, true);
        return;
    }
    memcpy(record->bytes + at, &event, sizeof(event));
    if (size > 0)
        memcpy(record->bytes + at + sizeof(event), bytes, size);
    atomic_store(&record->size, end);
}

void shim_record_paths(shim_event_kind kind, int descriptor, uint64_t offset, const char *path, const char *more) {
    char both[8500];
    size_t size = strlen(path) + 1, size_more = more == NULL ? 0 : strlen(more) + 1;
    if (size + size_more > sizeof(both))
        abort();
    memcpy(both, path, size);
    if (more != NULL)
        memcpy(both + size, more, size_more);
    shim_record_add(kind, descriptor, offset, both, size + size_more);
}

void shim_mark(uint64_t number) {
    shim_record_lock();
    shim_record_add(SHIM_EVENT_MARK, -1, number, NULL, 0);
    shim_record_unlock();
}
