// SPDX-License-Identifier: Apache-2.0
// Memory runs out at the first allocation of a scripted run, the second, the third …: for one allocation, and from then
// on. No crash, and nothing acknowledged is lost.   fault_memory [failures, 0: every one] [seed]
#include "tests/faults/script.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURES_DEFAULT 120
#define ACKS_MAX 256

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    shim_plan *plan;
    unsigned long ends[RUN_ENDS], lost, runs, hits;
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

static run_end run(campaign *all, shim_action action, uint64_t at, bool is_onwards) {
    fault_state_copy(&all->template, &all->state);
    atomic_store(&all->acks->count, 0);
    memset(all->acks->all, 0, ACKS_MAX * sizeof(all->acks->all[0]));
    shim_plan_reset(all->plan, all->state.fixture.folder);
    all->plan->action = action;
    all->plan->call = SHIM_MALLOC;
    all->plan->error = ENOMEM;
    all->plan->at = at;
    all->plan->is_onwards = is_onwards;
    return run_forked(run_child, all);
}

static void fail_once(campaign *all, uint64_t at, bool is_onwards) {
    run_end end = run(all, SHIM_FAIL, at, is_onwards);
    all->ends[end]++;
    all->runs++;
    all->hits += all->plan->hits > 0;
    char what[96];
    snprintf(what, sizeof(what), "LOST: allocation %llu in %s%s (the run was %s)", (unsigned long long)at,
             all->plan->hit_place < 0 ? "no place" : shim_place_name((shim_place)all->plan->hit_place),
             is_onwards ? " and on" : "", run_end_name(end));
    oracle_report report;
    bool is_right = oracle_check(&all->state, all->acks, ORACLE_GOES_ON, what, &report);
    bool is_fair = end == RUN_DONE || end == RUN_REFUSED || end == RUN_UNKNOWN;
    if (!is_fair || report.is_refused)
        fprintf(stderr, "%s %s\n", what, report.code);
    all->lost += !is_right || report.is_refused || !is_fair;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, FAILURES_DEFAULT);
    campaign all = {.acks = fault_acks_new(ACKS_MAX), .plan = shim_plan_new()};
    unsigned random = given.seed;
    fault_state_new(&all.template, NULL, false);
    fault_state_clone(&all.template, &all.state);
    if (run(&all, SHIM_NOTHING, 0, false) != RUN_DONE)
        return 1;
    unsigned long allocations = 0;
    for (int place = 0; place < SHIM_PLACES; place++)
        allocations += (unsigned long)all.plan->counts[place][SHIM_MALLOC];
    bool is_whole = given.count == 0 || given.count >= 2 * allocations;
    unsigned long wanted = is_whole ? 2 * allocations : given.count;
    for (unsigned long i = 0; i < wanted; i++)
        fail_once(&all, is_whole ? i / 2 : campaign_random(&random, (unsigned)allocations), i % 2 == 1);
    printf("%lu of %lu failures of %lu allocations, %lu hit:", wanted, 2 * allocations, allocations, all.hits);
    for (int end = 0; end < RUN_ENDS; end++)
        printf(" %lu %s,", all.ends[end], run_end_name((run_end)end));
    printf(" %lu lost (%.0f s)\n", all.lost, campaign_seconds());
    if (all.lost == 0) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    return all.lost == 0 && all.hits * 10 > wanted * 9 ? 0 : 1;
}
