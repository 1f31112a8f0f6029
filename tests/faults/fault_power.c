// SPDX-License-Identifier: Apache-2.0
// The power goes: a scripted run is recorded down to its writes and syncs, cut at any event, and what a disk may then
// hold is opened again. Nothing acknowledged is lost. The control is the same with every sync swallowed, as by
// synchronous=OFF or a disk that lies: it must lose, or else this test sees nothing.   fault_power [images] [seed]
#include "tests/faults/disk.h"
#include "tests/faults/script.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGES_DEFAULT 120
#define IMAGES_PER_RECORD 40
#define RECORD_BYTES_MAX (64u << 20)
#define ACKS_MAX 1024

typedef struct {
    fault_state start, state, image; // where a record begins, is made, and what it is cut to
    fault_acks *acks_start, *acks, *acks_image;
    shim_plan *plan;
    shim_record *record;
    unsigned random;
    uint64_t idem;
    bool is_left_by_a_cut;
    unsigned long images, records, events, changes_lost, lost, refused;
} campaign;

static int run_child(void *argument) {
    campaign *all = argument;
    script run = {.state = &all->state,
                  .acks = all->acks,
                  .hooks = {.at = shim_at, .mark = shim_mark},
                  .idem = all->idem,
                  .is_left_by_a_fault = all->is_left_by_a_cut};
    shim_use(all->plan);
    shim_record_use(all->record);
    all->plan->is_armed = true;
    return (int)script_run(&run);
}

static void acks_copy(const fault_acks *from, size_t count, fault_acks *to) {
    memset(to->all, 0, to->max * sizeof(to->all[0]));
    memcpy(to->all, from->all, count * sizeof(to->all[0]));
    atomic_store(&to->count, count);
}

static bool record(campaign *all, bool swallows) {
    fault_state_copy(&all->start, &all->state);
    acks_copy(all->acks_start, all->acks_start->count, all->acks);
    shim_plan_reset(all->plan, all->state.fixture.folder);
    all->plan->swallows_syncs = swallows;
    atomic_store(&all->record->size, 0);
    all->idem += 100;
    run_end end = run_forked(run_child, all);
    if (end == RUN_DONE && !all->record->is_full)
        return true;
    fprintf(stderr, "a recorded run was %s\n", run_end_name(end));
    return false;
}

// Cuts at one event and writes an image of it; acks_image holds what was acknowledged by then.
static void cut(campaign *all, size_t events) {
    disk *model = disk_new(all->start.fixture.folder);
    // The record names the folder it was made in.
    disk_rename(model, all->state.fixture.folder);
    uint64_t told = disk_replay(model, all->record, events);
    fault_state_empty(&all->image);
    all->changes_lost += disk_image(model, all->image.fixture.folder, &all->random);
    size_t count = told == 0 ? all->acks_start->count : (size_t)told;
    acks_copy(all->acks, count, all->acks_image);
    disk_free(model);
}

static void image_check(campaign *all, size_t events, unsigned flags) {
    char what[64];
    oracle_report report;
    cut(all, events);
    snprintf(what, sizeof(what), "LOST: image %lu, cut at event %zu", all->images, events);
    bool is_right = oracle_check(&all->image, all->acks_image, ORACLE_GOES_ON | flags, what, &report);
    if (report.is_refused && flags == 0)
        fprintf(stderr, "%s: the ledger does not open again: %s\n", what, report.code);
    all->images++;
    all->refused += report.is_refused;
    all->lost += !is_right;
}

// The next record begins with an image that nobody has opened: a start after a power cut, cut again.
static void start_again(campaign *all, size_t events) {
    cut(all, events);
    fault_state_copy(&all->image, &all->start);
    acks_copy(all->acks_image, all->acks_image->count, all->acks_start);
    all->is_left_by_a_cut = true;
}

static bool images(campaign *all, unsigned long wanted, bool is_control) {
    while (all->images < wanted) {
        if (!record(all, is_control))
            return false;
        size_t events = disk_events(all->record);
        all->records++;
        all->events += events;
        for (unsigned i = 0; i < IMAGES_PER_RECORD && all->images < wanted; i++)
            image_check(all, 1 + campaign_random(&all->random, (unsigned)events), is_control ? ORACLE_IS_QUIET : 0);
        if (!is_control)
            start_again(all, 1 + campaign_random(&all->random, (unsigned)events));
    }
    return true;
}

static void campaign_begin(campaign *all, unsigned seed) {
    all->random = seed;
    all->idem = 100;
    all->acks_start = fault_acks_new(ACKS_MAX);
    all->acks = fault_acks_new(ACKS_MAX);
    all->acks_image = fault_acks_new(ACKS_MAX);
    all->plan = shim_plan_new();
    all->record = shim_record_new(RECORD_BYTES_MAX);
    fault_state_new(&all->start, NULL, false);
    fault_state_clone(&all->start, &all->state);
    fault_state_clone(&all->start, &all->image);
}

static void campaign_end(campaign *all, bool is_kept) {
    fault_acks_free(all->acks_start);
    fault_acks_free(all->acks);
    fault_acks_free(all->acks_image);
    shim_plan_free(all->plan);
    shim_record_free(all->record);
    if (is_kept)
        return;
    fault_state_remove(&all->start);
    fault_state_remove(&all->state);
    fault_state_remove(&all->image);
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, IMAGES_DEFAULT);
    campaign real = {0}, control = {0};
    campaign_begin(&real, given.seed);
    campaign_begin(&control, given.seed);
    unsigned long control_wanted = given.count / 5 < 20 ? 20 : given.count / 5;
    bool is_run = images(&real, given.count, false) && images(&control, control_wanted, true);
    printf("%lu images of power cuts (%lu records, %lu events, %lu unsynced changes lost): %lu refused, %lu lost;"
           " control without syncs, %lu images: %lu refused, %lu lost (%.0f s)\n",
           real.images, real.records, real.events, real.changes_lost, real.refused, real.lost, control.images,
           control.refused, control.lost, campaign_seconds());
    bool is_right = is_run && real.lost == 0 && real.refused == 0 && control.lost > 0;
    campaign_end(&real, !is_right);
    campaign_end(&control, false);
    return is_right ? 0 : 1;
}
