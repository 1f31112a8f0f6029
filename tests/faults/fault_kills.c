// SPDX-License-Identifier: Apache-2.0
// kill -9 at a named place: inside start, recovery, reserve, seal, sign, publish and close, before, within or after one
// of the calls that the process makes there. What is left is opened again - by the next run, which may be killed while
// it recovers, or by the oracle - and held against everything that was ever acknowledged.   fault_kills [kills] [seed]
#include "tests/faults/script.h"
#include <stdio.h>
#include <string.h>

#define KILLS_DEFAULT 210
#define RUNS_PER_STATE 30 // then a new ledger, so that checks stay short
#define ACKS_MAX 4096

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    shim_plan *plan;
    uint64_t calls[2][SHIM_PLACES]; // in an undisturbed run: after a clean stop, after a kill
    unsigned random;
    uint64_t idem;
    bool is_left_by_a_kill;
    unsigned long kills[SHIM_PLACES], missed, lost, unchecked;
} campaign;

static int run_child(void *argument) {
    campaign *all = argument;
    script run = {.state = &all->state,
                  .acks = all->acks,
                  .hooks = {.at = shim_at, .point = shim_point},
                  .idem = all->idem,
                  .is_left_by_a_fault = all->is_left_by_a_kill};
    shim_use(all->plan);
    all->plan->is_armed = true;
    return (int)script_run(&run);
}

// Two runs without a kill tell how many calls there are at each place. A start after one is no recovery; the first
// calls of a recovery are those of a start.
static void measure(campaign *all) {
    for (int recovers = 0; recovers < 2; recovers++) {
        shim_plan_reset(all->plan, all->state.fixture.folder);
        all->is_left_by_a_kill = recovers == 1;
        run_forked(run_child, all);
        all->idem += 100;
        for (int place = 0; place < SHIM_PLACES; place++)
            for (int call = 0; call < SHIM_MALLOC; call++)
                all->calls[recovers][place] += all->plan->counts[place][call];
    }
    all->is_left_by_a_kill = false;
}

// The next place, of those that this run has.
static shim_place place_next(const campaign *all, unsigned long number) {
    shim_place place = (shim_place)(SHIM_PLACE_START + number % (SHIM_PLACES - SHIM_PLACE_START));
    return place == SHIM_PLACE_RECOVERY && !all->is_left_by_a_kill ? SHIM_PLACE_SEAL : place;
}

static void kill_once(campaign *all, unsigned long number) {
    shim_place place = place_next(all, number);
    uint64_t calls = all->calls[all->is_left_by_a_kill][place];
    shim_plan_reset(all->plan, all->state.fixture.folder);
    all->plan->action = SHIM_KILL_BEFORE + campaign_random(&all->random, 3);
    all->plan->place = place;
    all->plan->at = campaign_random(&all->random, calls == 0 ? 1 : (unsigned)calls);
    run_end end = run_forked(run_child, all);
    all->idem += 100;
    if (end == RUN_KILLED)
        all->kills[place]++;
    else if (end == RUN_DONE)
        all->missed++; // this run made fewer calls there
    else {
        all->lost++;
        fprintf(stderr, "LOST: a run with kill %lu (%s, call %llu) was %s\n", number, shim_place_name(place),
                (unsigned long long)all->plan->at, run_end_name(end));
    }
    all->is_left_by_a_kill = end == RUN_KILLED;
}

static void check(campaign *all, unsigned long number) {
    char what[64];
    oracle_report report;
    snprintf(what, sizeof(what), "LOST: after kill %lu", number);
    bool is_right = oracle_check(&all->state, all->acks, ORACLE_GOES_ON, what, &report);
    if (report.is_refused)
        fprintf(stderr, "%s: the ledger does not open again: %s\n", what, report.code);
    all->lost += !is_right || report.is_refused;
    all->is_left_by_a_kill = false;
}

static void state_begin(campaign *all) {
    fault_state_copy(&all->template, &all->state);
    fault_acks_free(all->acks);
    all->acks = fault_acks_new(ACKS_MAX);
    all->is_left_by_a_kill = false;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, KILLS_DEFAULT);
    campaign all = {.random = given.seed, .acks = fault_acks_new(ACKS_MAX), .plan = shim_plan_new(), .idem = 100};
    fault_state_new(&all.template, NULL, false);
    fault_state_clone(&all.template, &all.state);
    measure(&all);
    unsigned long killed = 0, acknowledged = 0;
    for (unsigned long run = 0; killed < given.count && run < given.count * 3; run++) {
        if (run % RUNS_PER_STATE == 0) {
            acknowledged += all.acks->count;
            state_begin(&all);
        }
        kill_once(&all, run);
        bool is_last = (run + 1) % RUNS_PER_STATE == 0;
        if (is_last || !all.is_left_by_a_kill || campaign_random(&all.random, 2) == 0)
            check(&all, run);
        killed = 0;
        for (int place = 0; place < SHIM_PLACES; place++)
            killed += all.kills[place];
    }
    acknowledged += all.acks->count;
    printf("%lu kills:", killed);
    bool is_everywhere = true;
    for (int place = SHIM_PLACE_START; place < SHIM_PLACES; place++) {
        printf(" %lu in %s%s", all.kills[place], shim_place_name((shim_place)place),
               place + 1 < SHIM_PLACES ? "," : "");
        is_everywhere = is_everywhere && all.kills[place] > 0;
    }
    printf("; %lu acknowledged; %lu lost (%.0f s)\n", acknowledged, all.lost, campaign_seconds());
    if (all.lost == 0) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    return all.lost == 0 && killed >= given.count && (is_everywhere || given.count < 100) ? 0 : 1;
}
