// SPDX-License-Identifier: Apache-2.0
// Few requests, each sent many times, by many threads at once and in any order, over several restarts: every request
// has one charge, every sender is told of that one, and of all who draw an answer the first is kept. fault_duplicates
// [requests sent] [seed]
#include "service/base/check.h"
#include "tests/faults/script.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENT_DEFAULT 6000
#define THREADS 16
#define SESSIONS 4
#define SENT_PER_IDEM 40
#define WINDOW 8 // requests on the way at one time

typedef struct {
    fault_state state;
    fault_acks *acks;
    gw_ledger *ledger;
    _Atomic uint64_t charge_of[1u << 16]; // by idem: the first that anybody was told of
    _Atomic unsigned long charges, conflicts, seals, late, lost;
} campaign;

typedef struct {
    campaign *all;
    unsigned number, random;
    unsigned long first, last; // positions in the order of sending
} sender;

static void send_one(sender *one, uint64_t idem) {
    campaign *all = one->all;
    gw_store_op op = fixture_reserve(&all->state.fixture, FIXTURE_RESEARCHER, idem, 1 + idem % 7);
    gw_status status = fault_submit(all->ledger, all->acks, &op, FIXTURE_RESEARCHER, idem, 0);
    if (status != GW_OK || (op.result != GW_OK && op.result != GW_CONFLICT)) {
        all->lost++;
        return;
    }
    all->charges += op.result == GW_OK;
    all->conflicts += op.result == GW_CONFLICT;
    uint64_t told = 0;
    if (!atomic_compare_exchange_strong(&all->charge_of[idem], &told, op.seq) && told != op.seq)
        all->lost++;
    if (campaign_random(&one->random, 4) != 0)
        return;
    char text[FAULT_ANSWER_MAX];
    uint64_t answer = idem * 1000 + one->number; // everybody draws another one
    fault_answer_text(answer, text);
    gw_store_op seal = fixture_seal(op.seq, text);
    status = fault_submit(all->ledger, all->acks, &seal, FIXTURE_RESEARCHER, 0, answer);
    if (status != GW_OK || (seal.result != GW_OK && seal.result != GW_CONFLICT))
        all->lost++;
    all->seals += status == GW_OK && seal.result == GW_OK;
    all->late += status == GW_OK && seal.result == GW_CONFLICT;
}

static void *send(void *argument) {
    sender *one = argument;
    for (unsigned long i = one->first; i < one->last; i++) {
        uint64_t idem = 1 + i * THREADS / SENT_PER_IDEM + campaign_random(&one->random, WINDOW);
        send_one(one, idem);
    }
    return NULL;
}

static void session(campaign *all, unsigned long first, unsigned long last, unsigned seed) {
    gw_status status = fault_ledger_open(&all->state, 0, &all->ledger, NULL);
    GW_ASSERT(status == GW_OK);
    pthread_t threads[THREADS];
    sender senders[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        senders[i] = (sender){.all = all, .number = i, .random = seed + i, .first = first, .last = last};
        int result = pthread_create(&threads[i], NULL, send, &senders[i]);
        GW_ASSERT(result == 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    gw_ledger_close(all->ledger);
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, SENT_DEFAULT);
    campaign *all = calloc(1, sizeof(*all));
    GW_ASSERT(all != NULL);
    GW_ASSERT(given.count / SENT_PER_IDEM + 2 * WINDOW < sizeof(all->charge_of) / sizeof(all->charge_of[0]));
    all->acks = fault_acks_new(given.count * 3 + 1024);
    fault_state_new(&all->state, NULL, false);
    unsigned long each = given.count / THREADS;
    for (unsigned long i = 0; i < SESSIONS; i++)
        session(all, each * i / SESSIONS, each * (i + 1) / SESSIONS, given.seed + (unsigned)i * 100);
    unsigned long requests = 0;
    for (size_t i = 0; i < sizeof(all->charge_of) / sizeof(all->charge_of[0]); i++)
        requests += all->charge_of[i] != 0;
    oracle_report report;
    bool is_right = oracle_check(&all->state, all->acks, 0, "LOST: duplicates", &report);
    all->lost += !is_right || report.is_refused || report.charges != requests || all->charges != requests;
    printf(
        "%lu sent of %lu requests: %lu charged, %lu known again; %lu answers kept, %lu came late; %lu lost (%.0f s)\n",
        each * THREADS, requests, all->charges, all->conflicts, all->seals, all->late, all->lost, campaign_seconds());
    bool is_good = all->lost == 0 && all->conflicts > requests && all->late > 0;
    if (is_good)
        fault_state_remove(&all->state);
    fault_acks_free(all->acks);
    free(all);
    return is_good ? 0 : 1;
}
