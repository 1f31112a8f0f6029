// SPDX-License-Identifier: Apache-2.0
// The budget has one unit left and 64 want it at the same moment: one gets it, 63 are told which budget is spent. Then
// two owners' worth of entries raise the budget by one unit, and again.   fault_last_unit [rounds] [seed]
#include "service/base/check.h"
#include "tests/faults/script.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_DEFAULT 150
#define CLIENTS 64

typedef struct {
    fault_state state;
    fault_acks *acks;
    gw_ledger *ledger;
    unsigned long rounds, round;
    pthread_barrier_t begin, end;
    _Atomic unsigned winners, refused;
} campaign;

typedef struct {
    campaign *all;
    unsigned number;
} client;

static void *take(void *argument) {
    client *one = argument;
    campaign *all = one->all;
    for (unsigned long round = 0; round < all->rounds; round++) {
        pthread_barrier_wait(&all->begin);
        uint64_t idem = 1 + round * CLIENTS + one->number;
        gw_store_op op = fixture_reserve(&all->state.fixture, FIXTURE_RESEARCHER, idem, 1);
        gw_status status = fault_submit(all->ledger, all->acks, &op, FIXTURE_RESEARCHER, idem, 0);
        if (status == GW_OK && op.result == GW_OK)
            all->winners++;
        else if (status == GW_OK && op.result == GW_BUDGET && op.remaining == 0)
            all->refused++;
        pthread_barrier_wait(&all->end);
    }
    return NULL;
}

static gw_status submit(void *ledger, gw_store_op *op) {
    return gw_ledger_submit(ledger, op);
}

// The dataset's total or the population's, by turns, is the one that has a single unit left.
static void one_more_unit(campaign *all, unsigned long round) {
    uint64_t total = round + 1;
    fixture_budget budget = {.total = total + round % 2, .population_total = total + (round + 1) % 2};
    fixture_rebudget(&all->state.fixture, &budget, submit, all->ledger);
}

static unsigned long race(campaign *all) {
    unsigned long lost = 0;
    for (unsigned long round = 0; round < all->rounds; round++) {
        one_more_unit(all, round);
        all->winners = 0;
        all->refused = 0;
        pthread_barrier_wait(&all->begin);
        pthread_barrier_wait(&all->end);
        if (all->winners == 1 && all->refused == CLIENTS - 1)
            continue;
        lost++;
        fprintf(stderr, "LOST: round %lu had %u winners, %u were refused\n", round, all->winners, all->refused);
    }
    return lost;
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, ROUNDS_DEFAULT);
    static campaign all;
    all.rounds = given.count;
    all.acks = fault_acks_new(given.count + 1024);
    fixture_budget none = {.total = 0, .population_total = 0};
    fault_state_new(&all.state, &none, false);
    gw_status status = fault_ledger_open(&all.state, 0, &all.ledger, NULL);
    GW_ASSERT(status == GW_OK);
    pthread_barrier_init(&all.begin, NULL, CLIENTS + 1);
    pthread_barrier_init(&all.end, NULL, CLIENTS + 1);
    static client clients[CLIENTS];
    static pthread_t threads[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (client){.all = &all, .number = i};
        int result = pthread_create(&threads[i], NULL, take, &clients[i]);
        GW_ASSERT(result == 0);
    }
    unsigned long lost = race(&all);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    gw_ledger_close(all.ledger);
    oracle_report report;
    bool is_right = oracle_check(&all.state, all.acks, 0, "LOST: last unit", &report);
    lost += !is_right || report.is_refused || report.charges != given.count;
    printf("%lu rounds of %d clients for the last unit: %llu charges, %lu lost (%.0f s)\n", given.count, CLIENTS,
           (unsigned long long)report.charges, lost, campaign_seconds());
    pthread_barrier_destroy(&all.begin);
    pthread_barrier_destroy(&all.end);
    if (lost == 0)
        fault_state_remove(&all.state);
    fault_acks_free(all.acks);
    return lost == 0 ? 0 : 1;
}
