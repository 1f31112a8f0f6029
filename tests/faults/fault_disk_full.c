// SPDX-License-Identifier: Apache-2.0
// The disk is full after so many bytes, at every level from none to enough: with the floor that keeps room aside new
// charges are refused before anything is written and nothing ends unknown; without it a write fails wherever it may.
// Once there is space again the ledger opens with everything acknowledged, and goes on. By the shim, and on a small
// filesystem in memory where one may be mounted.   fault_disk_full [levels] [seed]
#include "service/base/check.h"
#include "service/store/durable.h"
#include "tests/faults/script.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVELS_DEFAULT 100
#define ACKS_MAX 256
#define FLOOR (GW_BALLAST_BYTES + (1u << 20)) // above what the ballast gives back, as the default is
#define MOUNT_LEVELS 24
#define MOUNT_BYTES_ENOUGH (64u << 20)

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    shim_plan *plan;
    uint64_t free_bytes_min;
    unsigned long runs, refusals, ends[RUN_ENDS], lost, dropped;
} campaign;

static int run_child(void *argument) {
    campaign *all = argument;
    script run = {.state = &all->state,
                  .acks = all->acks,
                  .hooks = {.at = shim_at},
                  .idem = 100,
                  .free_bytes_min = all->free_bytes_min};
    shim_use(all->plan);
    all->plan->is_armed = true;
    script_end end = script_run(&run);
    all->plan->is_armed = false;
    return (int)end;
}

static void forget(campaign *all) {
    atomic_store(&all->acks->count, 0);
    atomic_store(&all->acks->refused_full, 0);
    memset(all->acks->all, 0, ACKS_MAX * sizeof(all->acks->all[0]));
    shim_plan_reset(all->plan, all->state.fixture.folder);
}

static size_t acknowledged_charges(const fault_acks *acks) {
    size_t count = 0;
    for (size_t i = 0; i < acks->count; i++) {
        bool is_first = acks->all[i].kind == FAULT_RESERVE;
        for (size_t k = 0; is_first && k < i; k++)
            is_first = acks->all[k].kind != FAULT_RESERVE || acks->all[k].charge != acks->all[i].charge;
        count += is_first;
    }
    return count;
}

static void judge(campaign *all, run_end end, const char *what) {
    struct stat facts;
    char ballast[128];
    snprintf(ballast, sizeof(ballast), "%s/ballast", all->state.fixture.folder);
    all->dropped += stat(ballast, &facts) != 0;
    all->runs++;
    all->ends[end]++;
    all->refusals += all->acks->refused_full;
    size_t charges = acknowledged_charges(all->acks); // the oracle adds one
    oracle_report report;
    bool is_right = oracle_check(&all->state, all->acks, ORACLE_GOES_ON, what, &report);
    if (report.is_refused)
        fprintf(stderr, "%s: the ledger does not open again: %s\n", what, report.code);
    bool has_floor = all->free_bytes_min > 0;
    bool is_fair = end == RUN_DONE || end == RUN_REFUSED || (end == RUN_UNKNOWN && !has_floor);
    if (has_floor && report.charges != charges)
        is_fair = false; // a charge that was refused stands in the log
    if (!is_fair)
        fprintf(stderr, "%s: the run was %s, %zu charges told of, %llu stored\n", what, run_end_name(end), charges,
                (unsigned long long)report.charges);
    all->lost += !is_right || report.is_refused || !is_fair;
}

// ---- by the shim

static void level_of_shim(campaign *all, int64_t bytes, bool has_floor) {
    char what[96];
    fault_state_copy(&all->template, &all->state);
    forget(all);
    all->plan->has_bytes_max = true;
    all->plan->bytes_max = bytes;
    all->free_bytes_min = has_floor ? FLOOR : 0;
    run_end end = run_forked(run_child, all);
    snprintf(what, sizeof(what), "LOST: %lld bytes left%s", (long long)bytes, has_floor ? ", with a floor" : "");
    judge(all, end, what);
}

static void levels_of_shim(campaign *all, unsigned long levels) {
    fault_state_copy(&all->template, &all->state);
    forget(all);
    all->plan->has_bytes_max = true;
    all->plan->bytes_max = INT64_MAX / 2;
    run_end end = run_forked(run_child, all);
    GW_ASSERT(end == RUN_DONE);
    int64_t needed = atomic_load(&all->plan->bytes);
    for (unsigned long i = 0; i < levels; i++) {
        int64_t bytes = needed * (int64_t)(i / 2) / (int64_t)(levels / 2);
        level_of_shim(all, i % 2 == 0 ? bytes : bytes + FLOOR - needed / 2, i % 2 == 1);
    }
}

// ---- on a filesystem that is full

static bool mount_small(const char *folder, unsigned long bytes, unsigned long flags) {
    char options[64];
    snprintf(options, sizeof(options), "size=%lu", bytes);
    return mount("tmpfs", folder, "tmpfs", flags, options) == 0;
}

static void level_of_mount(campaign *all, unsigned long bytes) {
    char what[96];
    bool is_mounted = mount_small(all->state.fixture.folder, MOUNT_BYTES_ENOUGH, 0);
    GW_ASSERT(is_mounted);
    fault_state_copy(&all->template, &all->state);
    char ballast[128];
    snprintf(ballast, sizeof(ballast), "%s/ballast", all->state.fixture.folder);
    bool is_cut = mount_small(all->state.fixture.folder, bytes, MS_REMOUNT);
    forget(all);
    all->free_bytes_min = 0;
    run_end end = run_forked(run_child, all);
    is_mounted = mount_small(all->state.fixture.folder, MOUNT_BYTES_ENOUGH, MS_REMOUNT);
    GW_ASSERT(is_mounted);
    snprintf(what, sizeof(what), "LOST: a filesystem of %lu bytes%s", bytes, is_cut ? "" : " (not cut)");
    judge(all, end, what);
    umount(all->state.fixture.folder);
}

static unsigned long folder_bytes(const char *folder) {
    static const char *const names[] = {"godwit.db", "godwit.db-wal", "godwit.db-shm", "hwm", "lock"};
    unsigned long bytes = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[256];
        struct stat facts;
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        if (stat(path, &facts) == 0)
            bytes += ((unsigned long)facts.st_size + 4095) / 4096 * 4096;
    }
    return bytes;
}

// A namespace of its own, so that nothing is left mounted whatever happens.
static unsigned long levels_of_mount(campaign *all, unsigned long levels) {
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return 0;
    fault_state_empty(&all->state);
    if (!mount_small(all->state.fixture.folder, MOUNT_BYTES_ENOUGH, 0))
        return 0;
    umount(all->state.fixture.folder);
    unsigned long least = folder_bytes(all->template.fixture.folder) + 8192;
    for (unsigned long i = 0; i < levels; i++)
        level_of_mount(all, least + i * 4096 * 3);
    return levels;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, LEVELS_DEFAULT);
    campaign all = {.acks = fault_acks_new(ACKS_MAX), .plan = shim_plan_new()};
    fault_state_new(&all.template, NULL, false);
    fault_state_clone(&all.template, &all.state);
    levels_of_shim(&all, given.count);
    unsigned long mounted = levels_of_mount(&all, MOUNT_LEVELS);
    printf(
        "%lu levels of a full disk and %lu on a small filesystem%s: %lu charges refused for want of space, the ballast"
        " given up %lu times;",
        given.count, mounted, mounted == 0 ? " (none may be mounted here)" : "", all.refusals, all.dropped);
    for (int end = 0; end < RUN_ENDS; end++)
        printf(" %lu %s,", all.ends[end], run_end_name((run_end)end));
    printf(" %lu lost (%.0f s)\n", all.lost, campaign_seconds());
    if (all.lost == 0) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    return all.lost == 0 && all.refusals > 0 && all.dropped > 0 ? 0 : 1;
}
