// SPDX-License-Identifier: Apache-2.0
// The signer is a process of its own, and one of the two dies or the words between them are lost: the signer is killed
// inside any of its calls (by the shim, preloaded), the ledger inside any of its own while it asks, and each send and
// receive fails in every way. Nothing acknowledged is lost, and both go on together afterwards.
// fault_signer [faults] [seed]
#include "service/base/check.h"
#include "tests/faults/script.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAULTS_DEFAULT 36
#define ACKS_MAX 512
#define FAULTS_PER_STATE 10 // then a new ledger

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    shim_plan *plan, *signer_plan; // of the ledger's process, and of the signer's
    char wrapper[160], plan_path[160];
    unsigned random;
    uint64_t idem;
    uint64_t signer_calls, sends, receives, own_calls; // of an undisturbed run
    unsigned long signer_killed, ledger_killed, words_lost, missed, lost, ends[RUN_ENDS];
} campaign;

static int run_child(void *argument) {
    campaign *all = argument;
    script run = {.state = &all->state, .acks = all->acks, .hooks = {.at = shim_at}, .idem = all->idem};
    shim_use(all->plan);
    all->plan->is_armed = true;
    script_end end = script_run(&run);
    all->plan->is_armed = false;
    return (int)end;
}

// A signer is started with an empty environment: a script puts the shim before it.
static void wrapper_write(campaign *all, const char *bin) {
    char text[2048], shim[1024];
    ssize_t size = readlink("/proc/self/exe", shim, sizeof(shim) - 1);
    GW_ASSERT(size > 0);
    shim[size] = '\0';
    *strrchr(shim, '/') = '\0';
    int length = snprintf(text, sizeof(text),
                          "#!/bin/sh\nexec env GW_SHIM_PLAN='%s' LD_PRELOAD='%s/faults/libgw_fault_shim.so'"
                          " '%s/godwit-signer' \"$@\"\n",
                          all->plan_path, shim, bin);
    int descriptor = open(all->wrapper, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    GW_ASSERT(descriptor >= 0);
    ssize_t written = write(descriptor, text, (size_t)length);
    GW_ASSERT(written == length);
    close(descriptor);
}

static shim_plan *plan_in_file(const char *path) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    GW_ASSERT(descriptor >= 0);
    int result = ftruncate(descriptor, sizeof(shim_plan));
    GW_ASSERT(result == 0);
    shim_plan *plan = mmap(NULL, sizeof(shim_plan), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    GW_ASSERT(plan != MAP_FAILED);
    close(descriptor);
    return plan;
}

static void plans_reset(campaign *all) {
    shim_plan_reset(all->plan, all->state.fixture.folder);
    shim_plan_reset(all->signer_plan, all->state.fixture.folder);
    all->signer_plan->is_armed = true;
}

static run_end run(campaign *all) {
    run_end end = run_forked(run_child, all);
    all->signer_plan->is_armed = false;
    all->idem += 100;
    return end;
}

static bool measure(campaign *all) {
    plans_reset(all);
    fault_state_copy(&all->template, &all->state);
    if (run(all) != RUN_DONE)
        return false;
    all->signer_calls = all->signer_plan->steps;
    all->sends = all->plan->counts[SHIM_PLACE_SIGN][SHIM_SEND];
    for (int place = 0; place < SHIM_PLACES; place++) {
        all->receives += all->plan->counts[place][SHIM_RECEIVE];
        all->sends += place == SHIM_PLACE_SIGN ? 0 : all->plan->counts[place][SHIM_SEND];
        all->own_calls += all->plan->counts[place][SHIM_SEND] + all->plan->counts[place][SHIM_RECEIVE];
    }
    printf("%llu calls of the signer, %llu words sent, %llu looked for;", (unsigned long long)all->signer_calls,
           (unsigned long long)all->sends, (unsigned long long)all->receives);
    return all->signer_calls > 0 && all->sends > 0;
}

static uint64_t some(campaign *all, uint64_t below) {
    return campaign_random(&all->random, below == 0 ? 1 : (unsigned)below);
}

static void plan_signer_killed(campaign *all) {
    all->signer_plan->action = SHIM_KILL_BEFORE + campaign_random(&all->random, 3);
    all->signer_plan->at = some(all, all->signer_calls);
}

static void plan_ledger_killed(campaign *all) {
    all->plan->action = SHIM_KILL_BEFORE + campaign_random(&all->random, 3);
    all->plan->call = campaign_random(&all->random, 2) == 0 ? SHIM_SEND : SHIM_RECEIVE;
    all->plan->at = some(all, all->plan->call == SHIM_SEND ? all->sends : all->receives);
}

static void plan_words_lost(campaign *all) {
    static const int errors[] = {EPIPE, ECONNRESET, EINTR, ENOBUFS, ENOMEM};
    all->plan->action = campaign_random(&all->random, 4) == 0 ? SHIM_FAIL_SHORT : SHIM_FAIL;
    all->plan->call = campaign_random(&all->random, 2) == 0 ? SHIM_SEND : SHIM_RECEIVE;
    all->plan->error = errors[campaign_random(&all->random, 5)];
    all->plan->is_onwards = all->plan->error != EINTR && campaign_random(&all->random, 3) == 0;
    all->plan->at = some(all, all->plan->call == SHIM_SEND ? all->sends : all->receives);
}

static void fault_once(campaign *all, unsigned long number) {
    static const char *const kinds[] = {"the signer killed", "the ledger killed", "words lost"};
    unsigned long *const counts[] = {&all->signer_killed, &all->ledger_killed, &all->words_lost};
    void (*const plans[])(campaign *) = {plan_signer_killed, plan_ledger_killed, plan_words_lost};
    plans_reset(all);
    plans[number % 3](all);
    run_end end = run(all);
    bool is_hit = all->plan->hits + all->signer_plan->hits > 0;
    *counts[number % 3] += is_hit;
    all->missed += !is_hit;
    all->ends[end]++;
    char what[128];
    snprintf(what, sizeof(what), "LOST: fault %lu, %s (the run was %s)", number, kinds[number % 3], run_end_name(end));
    bool is_fair = end == RUN_DONE || end == RUN_REFUSED || end == RUN_UNKNOWN ||
                   (end == RUN_KILLED && all->plan->action < SHIM_FAIL);
    oracle_report report;
    // With a signer in the process, every other time with a signer of its own again.
    fault_state alone = all->state;
    if (number % 2 == 0)
        alone.signer = NULL;
    bool is_right = oracle_check(&alone, all->acks, ORACLE_GOES_ON, what, &report);
    if (!is_fair || report.is_refused)
        fprintf(stderr, "%s %s\n", what, report.code);
    all->lost += !is_right || report.is_refused || !is_fair;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, FAULTS_DEFAULT);
    const char *bin = getenv("GW_BIN");
    if (bin == NULL) {
        fprintf(stderr, "GW_BIN names no folder with godwit-signer\n");
        return 2;
    }
    campaign all = {.random = given.seed, .acks = fault_acks_new(ACKS_MAX), .plan = shim_plan_new(), .idem = 100};
    fault_state_new(&all.template, NULL, false);
    fault_state_clone(&all.template, &all.state);
    snprintf(all.wrapper, sizeof(all.wrapper), "%s.signer", all.state.fixture.folder);
    snprintf(all.plan_path, sizeof(all.plan_path), "%s.plan", all.state.fixture.folder);
    all.signer_plan = plan_in_file(all.plan_path);
    wrapper_write(&all, bin);
    all.state.signer = all.wrapper;
    bool is_run = measure(&all);
    if (!is_run)
        fprintf(stderr, "the undisturbed run failed\n");
    for (unsigned long i = 0; is_run && i < given.count; i++) {
        if (i % FAULTS_PER_STATE == 0) {
            fault_state_copy(&all.template, &all.state);
            fault_acks_free(all.acks);
            all.acks = fault_acks_new(ACKS_MAX);
        }
        fault_once(&all, i);
    }
    printf(" %lu kills of the signer, %lu of the ledger while it asks, %lu words lost, %lu missed:", all.signer_killed,
           all.ledger_killed, all.words_lost, all.missed);
    for (int end = 0; end < RUN_ENDS; end++)
        printf(" %lu %s,", all.ends[end], run_end_name((run_end)end));
    printf(" %lu lost (%.0f s)\n", all.lost, campaign_seconds());
    unlink(all.wrapper);
    unlink(all.plan_path);
    bool is_good = is_run && all.lost == 0 && all.signer_killed > 0 && all.ledger_killed > 0 && all.words_lost > 0;
    if (is_good) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    return is_good ? 0 : 1;
}
