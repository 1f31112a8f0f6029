// SPDX-License-Identifier: Apache-2.0
// Every occurrence of every system call of a scripted run fails: once with each error that it may give, once done and
// yet reported as failed, once cut short, and from there on. Whatever the run made of it, what it acknowledged is
// there, nothing else is spent, and the next start goes on.   fault_calls [failures, 0: every one] [seed]
#include "tests/faults/script.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_DEFAULT 240
#define ACKS_MAX 256
#define ERRORS_MAX 8

typedef struct {
    int errors[ERRORS_MAX]; // ends with 0
    bool has_done;          // may have happened although it failed
    bool has_short;
} legal;

static const legal legal_of[SHIM_CALLS] = {
    [SHIM_OPEN] = {{EIO, ENOSPC, EDQUOT, EINTR, EMFILE, ENFILE, ENOMEM}, false, false},
    [SHIM_READ] = {{EIO, EINTR}, false, true},
    [SHIM_WRITE] = {{EIO, ENOSPC, EDQUOT, EINTR}, true, true},
    [SHIM_FSYNC] = {{EIO, ENOSPC, EDQUOT, EINTR}, true, false},
    [SHIM_FDATASYNC] = {{EIO, ENOSPC, EDQUOT, EINTR}, true, false},
    [SHIM_TRUNCATE] = {{EIO, EINTR}, true, false},
    [SHIM_ALLOCATE] = {{EIO, ENOSPC, EINTR, EDQUOT}, true, false},
    [SHIM_RENAME] = {{EIO, ENOSPC, EDQUOT, ENOMEM}, true, false},
    [SHIM_UNLINK] = {{EIO, ENOMEM}, true, false},
    [SHIM_MKDIR] = {{EIO, ENOSPC, EDQUOT, ENOMEM}, true, false},
    [SHIM_MMAP] = {{ENOMEM, EAGAIN}, false, false},
    [SHIM_CLOSE] = {{EIO, EINTR, ENOSPC, EDQUOT}, false, false},
    [SHIM_LOCK] = {{ENOLCK, EINTR, EIO}, false, false},
    [SHIM_STAT] = {{EIO, ENOMEM}, false, false},
    [SHIM_SEND] = {{EPIPE, ECONNRESET, EINTR, ENOBUFS, ENOMEM}, false, true},
    [SHIM_RECEIVE] = {{ECONNRESET, EINTR, ENOMEM}, false, true},
};

typedef struct {
    uint8_t call, place;
    shim_action action;
    int error;
    bool is_onwards;
    uint64_t at;      // among all calls
    uint64_t at_call; // among those of its kind
} failure;

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    shim_plan *plan;
    unsigned random;
    failure *failures;
    size_t count, capacity;
    unsigned long ends[RUN_ENDS], by_call[SHIM_CALLS], injected, lost;
} campaign;

static int run_child(void *argument) {
    campaign *all = argument;
    script run = {.state = &all->state, .acks = all->acks, .hooks = {.at = shim_at}, .idem = 100};
    shim_use(all->plan);
    all->plan->is_armed = true;
    script_end end = script_run(&run);
    all->plan->is_armed = false;
    return (int)end;
}

static void add(campaign *all, failure one) {
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 4096 : all->capacity * 2;
        all->failures = reallocarray(all->failures, all->capacity, sizeof(all->failures[0]));
        if (all->failures == NULL)
            abort();
    }
    all->failures[all->count++] = one;
}

// Everything that may go wrong with each call of an undisturbed run.
static bool list(campaign *all) {
    uint64_t seen[SHIM_CALLS] = {0};
    shim_plan_reset(all->plan, all->state.fixture.folder);
    fault_state_copy(&all->template, &all->state);
    if (run_forked(run_child, all) != RUN_DONE || all->plan->steps > SHIM_SEQUENCE_MAX)
        return false;
    for (uint64_t i = 0; i < all->plan->steps; i++) {
        shim_step step = all->plan->sequence[i];
        const legal *may = &legal_of[step.call];
        failure one = {.call = step.call, .place = step.place, .at = i, .at_call = seen[step.call]++};
        for (size_t k = 0; k < ERRORS_MAX && may->errors[k] != 0; k++) {
            one.error = may->errors[k];
            one.action = SHIM_FAIL;
            one.is_onwards = false;
            add(all, one);
            if (k == 0 && may->has_done) {
                one.action = SHIM_FAIL_DONE;
                add(all, one);
                one.action = SHIM_FAIL;
            }
            // A call that is interrupted for ever is no legal kernel.
            one.is_onwards = true;
            if (one.error != EINTR)
                add(all, one);
        }
        one = (failure){.call = step.call, .place = step.place, .at = i, .at_call = one.at_call};
        one.action = SHIM_FAIL_SHORT;
        if (may->has_short)
            add(all, one);
    }
    return true;
}

// A slice begins with one of each call at each place; the rest follows as the seed will have it.
static void shuffle(campaign *all) {
    for (size_t i = all->count; i > 1; i--) {
        size_t k = campaign_random(&all->random, (unsigned)i);
        failure swapped = all->failures[i - 1];
        all->failures[i - 1] = all->failures[k];
        all->failures[k] = swapped;
    }
    bool has[SHIM_CALLS][SHIM_PLACES] = {{false}};
    size_t front = 0;
    for (size_t i = 0; i < all->count; i++) {
        failure one = all->failures[i];
        if (has[one.call][one.place])
            continue;
        has[one.call][one.place] = true;
        all->failures[i] = all->failures[front];
        all->failures[front++] = one;
    }
}

static void fail_once(campaign *all, const failure *one) {
    fault_state_copy(&all->template, &all->state);
    atomic_store(&all->acks->count, 0);
    memset(all->acks->all, 0, ACKS_MAX * sizeof(all->acks->all[0]));
    shim_plan_reset(all->plan, all->state.fixture.folder);
    all->plan->action = one->action;
    all->plan->error = one->error;
    all->plan->is_onwards = one->is_onwards;
    all->plan->call = one->is_onwards ? one->call : -1;
    all->plan->at = one->is_onwards ? one->at_call : one->at;
    run_end end = run_forked(run_child, all);
    all->ends[end]++;
    all->by_call[one->call]++;
    all->injected += all->plan->hits > 0;
    char what[160];
    snprintf(what, sizeof(what), "LOST: %s %llu in %s, %s%s%s (the run was %s)", shim_call_name((shim_call)one->call),
             (unsigned long long)one->at, shim_place_name((shim_place)one->place),
             one->action == SHIM_FAIL_SHORT ? "short" : strerrorname_np(one->error),
             one->action == SHIM_FAIL_DONE ? ", done" : "", one->is_onwards ? ", from here on" : "", run_end_name(end));
    oracle_report report;
    bool is_right = oracle_check(&all->state, all->acks, ORACLE_GOES_ON, what, &report);
    if (report.is_refused)
        fprintf(stderr, "%s: the ledger does not open again: %s\n", what, report.code);
    bool is_fair = end == RUN_DONE || end == RUN_REFUSED || end == RUN_UNKNOWN;
    if (!is_fair)
        fprintf(stderr, "%s\n", what);
    all->lost += !is_right || report.is_refused || !is_fair;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, FAILURES_DEFAULT);
    campaign all = {.random = given.seed, .acks = fault_acks_new(ACKS_MAX), .plan = shim_plan_new()};
    fault_state_new(&all.template, NULL, false);
    fault_state_clone(&all.template, &all.state);
    if (!list(&all)) {
        fprintf(stderr, "the undisturbed run failed\n");
        return 1;
    }
    unsigned long calls = (unsigned long)all.plan->steps;
    shuffle(&all);
    size_t wanted = given.count == 0 || given.count > all.count ? all.count : given.count;
    for (size_t i = 0; i < wanted; i++)
        fail_once(&all, &all.failures[i]);
    printf("%zu of %zu failures of %lu calls:", wanted, all.count, calls);
    for (int call = 0; call < SHIM_POINT; call++)
        if (all.by_call[call] > 0)
            printf(" %lu %s", all.by_call[call], shim_call_name((shim_call)call));
    printf("; %lu injected;", all.injected);
    for (int end = 0; end < RUN_ENDS; end++)
        printf(" %lu %s,", all.ends[end], run_end_name((run_end)end));
    printf(" %lu lost (%.0f s)\n", all.lost, campaign_seconds());
    if (all.lost == 0) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    free(all.failures);
    return all.lost == 0 && all.injected * 10 > wanted * 9 ? 0 : 1;
}
