// SPDX-License-Identifier: Apache-2.0
// kill -9 at a random moment, again and again: a child runs the ledger and its publisher under several threads; the
// parent kills it (in the middle of start-up, too) and holds what is left against everything that was ever
// acknowledged. fault_kills chooses its places; here is what nobody thought of.   fault_kill_cycles [cycles] [seed]
#include "service/audit/publish.h"
#include "tests/faults/script.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CYCLES_DEFAULT 40
#define CYCLES_PER_LEDGER 40 // then a new one, so that checks stay short
#define ACKS_MAX (1u << 20)
#define THREADS 6
#define KILL_MS_MAX 100
#define OPEN_MAX 64 // open charges a thread keeps in mind

typedef struct {
    fault_state template, state;
    fault_acks *acks;
    uint64_t idem_next;
    size_t acks_before; // of this ledger's earlier cycles
    unsigned long long acknowledged, lost;
    unsigned random;
} campaign;

// ---- the child

typedef struct {
    const campaign *all;
    gw_ledger *ledger;
    unsigned number, random;
    uint64_t idem;
    uint64_t open[OPEN_MAX];
    size_t open_count;
} worker;

static void work_reserve(worker *one, uint64_t idem, bool is_new) {
    gw_store_op op = fixture_reserve(&one->all->state.fixture, FIXTURE_RESEARCHER, idem, 1 + idem % 7);
    gw_status status = fault_submit(one->ledger, one->all->acks, &op, FIXTURE_RESEARCHER, idem, 0);
    if (status == GW_OK && op.result == GW_OK && is_new && one->open_count < OPEN_MAX)
        one->open[one->open_count++] = op.seq;
}

static void work_end(worker *one, size_t at, unsigned what) {
    uint64_t charge = one->open[at], answer = charge * 1000 + one->number;
    char text[FAULT_ANSWER_MAX];
    fault_answer_text(answer, text);
    gw_store_op op = what == 0   ? fixture_resume(charge)
                     : what == 1 ? fixture_abandon(charge)
                                 : fixture_seal(charge, text);
    gw_status status = fault_submit(one->ledger, one->all->acks, &op, FIXTURE_RESEARCHER, 0, answer);
    if (status == GW_OK && what != 0)
        one->open[at] = one->open[--one->open_count];
}

static void work_again(worker *one) { // the same request, of any time
    const fault_ack *ack = &one->all->acks->all[(size_t)rand_r(&one->random) % one->all->acks_before];
    if (ack->kind == FAULT_RESERVE)
        work_reserve(one, ack->idem, false);
}

static void *work(void *state) {
    worker *one = state;
    for (;;) {
        unsigned choice = (unsigned)rand_r(&one->random) % 10;
        if (choice < 5 || one->open_count == 0)
            work_reserve(one, one->idem += THREADS, true);
        else if (choice < 6 && one->all->acks_before > 0)
            work_again(one);
        else
            work_end(one, (size_t)rand_r(&one->random) % one->open_count, choice == 6 ? 0 : choice == 7 ? 1 : 2);
    }
    return NULL;
}

// Charges that a crash left open, one thread each.
static void adopt(const campaign *all, worker workers[THREADS]) {
    for (size_t i = 0; i < all->acks_before; i++) {
        const fault_ack *ack = &all->acks->all[i];
        worker *one = &workers[ack->charge % THREADS];
        if (ack->kind == FAULT_RESERVE && one->open_count < OPEN_MAX / 2)
            one->open[one->open_count++] = ack->charge;
    }
    for (size_t i = 0; i < all->acks_before; i++) {
        const fault_ack *ack = &all->acks->all[i];
        worker *one = &workers[ack->charge % THREADS];
        for (size_t k = 0; k < one->open_count && (ack->kind == FAULT_SEAL || ack->kind == FAULT_ABANDON); k++)
            if (one->open[k] == ack->charge)
                one->open[k--] = one->open[--one->open_count];
    }
}

static void publish(void *state, const gw_checkpoint *checkpoint, gw_bytes note) {
    gw_publisher_notify(state, checkpoint, note);
}

static int child_run(void *argument) {
    const campaign *all = argument;
    gw_ledger *ledger = NULL;
    gw_publisher *publisher = NULL;
    gw_problem problem = {0};
    if (fault_ledger_open(&all->state, 0, &ledger, &problem) != GW_OK ||
        gw_publisher_open(all->state.fixture.database, all->state.log, all->state.questions, &publisher, &problem) !=
            GW_OK) {
        fprintf(stderr, "child cannot open: %s: %s %s\n", problem.code, problem.what, problem.why);
        return SCRIPT_REFUSED;
    }
    gw_ledger_on_checkpoint(ledger, publish, publisher);
    static worker workers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        workers[i] =
            (worker){.all = all, .ledger = ledger, .number = i, .random = all->random + i, .idem = all->idem_next + i};
    adopt(all, workers);
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            return SCRIPT_REFUSED;
    pthread_join(threads[0], NULL); // until killed
    return SCRIPT_REFUSED;
}

// ---- the parent

static void cycle_run(campaign *all) {
    long kill_ms = rand_r(&all->random) % 4 == 0 ? rand_r(&all->random) % 8 : rand_r(&all->random) % KILL_MS_MAX;
    size_t before = atomic_load(&all->acks->count);
    all->acks_before = before;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(child_run(all));
    nanosleep(&(struct timespec){.tv_nsec = kill_ms * 1000000}, NULL);
    kill(child, SIGKILL);
    run_end end = run_wait(child);
    if (end != RUN_KILLED) {
        all->lost++;
        fprintf(stderr, "LOST: the child was %s by itself\n", run_end_name(end));
    }
    all->acknowledged += atomic_load(&all->acks->count) - before;
    all->idem_next += 1u << 20; // requests of a killed child that were never acknowledged are not sent again
}

static void check(campaign *all, unsigned long cycle) {
    char what[64];
    oracle_report report;
    snprintf(what, sizeof(what), "LOST: after cycle %lu", cycle);
    bool is_right = oracle_check(&all->state, all->acks, ORACLE_GOES_ON, what, &report);
    if (report.is_refused)
        fprintf(stderr, "%s: the ledger does not open again: %s\n", what, report.code);
    all->lost += !is_right || report.is_refused;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, CYCLES_DEFAULT);
    campaign all = {.random = given.seed, .acks = fault_acks_new(ACKS_MAX)};
    fault_state_new(&all.template, NULL, true);
    fault_state_clone(&all.template, &all.state);
    for (unsigned long i = 0; i < given.count; i++) {
        if (i % CYCLES_PER_LEDGER == 0) {
            fault_state_copy(&all.template, &all.state);
            fault_acks_free(all.acks);
            all.acks = fault_acks_new(ACKS_MAX);
        }
        cycle_run(&all);
        bool is_last = i + 1 == given.count || (i + 1) % CYCLES_PER_LEDGER == 0;
        if (is_last || rand_r(&all.random) % 2 == 0) // else the next child meets what this one left
            check(&all, i);
    }
    printf("%lu kills at random moments, %llu acknowledged, %llu lost (%.0f s)\n", given.count, all.acknowledged,
           all.lost, campaign_seconds());
    if (all.lost == 0) {
        fault_state_remove(&all.template);
        fault_state_remove(&all.state);
    }
    fault_acks_free(all.acks);
    return all.lost == 0 && (given.count < 20 || all.acknowledged > 0) ? 0 : 1;
}
