// SPDX-License-Identifier: Apache-2.0
// The same over the real bus: a few signed requests, each sent many times by many connections at once and in any order,
// byte for byte. Every sender gets the same answer, every question is charged once, and the log verifies.
// fault_bus [requests sent] [seed]
#include "service/base/check.h"
#include "tests/faults/script.h"
#include "tests/support/daemon.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENT_DEFAULT 640
#define CONNECTIONS 16
#define REQUESTS 12
#define COST 10000u // micro-epsilon of each
#define TIMEOUT_MS 60000

typedef struct {
    gw_profile profile;
    gw_buffer messages[REQUESTS];
    gw_hash answers[REQUESTS]; // of the first reply to each
    bool has_answer[REQUESTS];
    pthread_mutex_t mutex; // guards the answers and the counts
    unsigned long answered, lost;
} campaign;

typedef struct {
    campaign *all;
    unsigned random;
    unsigned long count;
} sender;

static void note(campaign *all, size_t number, const test_asker *asker, bool is_replied) {
    pthread_mutex_lock(&all->mutex);
    bool is_ok = is_replied && asker->reply.status == GW_REPLY_OK;
    gw_hash answer = is_ok ? gw_sha256(asker->reply.answer) : (gw_hash){{0}};
    if (!is_ok || (all->has_answer[number] && !gw_hash_equal(answer, all->answers[number])))
        all->lost++;
    all->answers[number] = answer;
    all->has_answer[number] = true;
    all->answered += is_ok;
    pthread_mutex_unlock(&all->mutex);
}

static void *send_all(void *argument) {
    sender *one = argument;
    test_asker asker;
    test_asker_open(&asker, &one->all->profile);
    for (unsigned long i = 0; i < one->count; i++) {
        size_t number = campaign_random(&one->random, REQUESTS);
        const gw_buffer *message = &one->all->messages[number];
        asker.message.size = 0;
        gw_buffer_append(&asker.message, message->data, message->size);
        note(one->all, number, &asker, test_asker_send(&asker, TIMEOUT_MS));
    }
    test_asker_close(&asker);
    return NULL;
}

static void messages_make(campaign *all) {
    test_asker asker;
    test_asker_open(&asker, &all->profile);
    for (size_t i = 0; i < REQUESTS; i++) {
        char body[512];
        snprintf(body, sizeof(body),
                 "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"
                 "\"where\":[{\"concept\":\"age\",\"between\":[%zu,%zu]}],\"by\":[],\"epsilon\":\"0.01\"}",
                 i, i + 20);
        test_asker_sign(&asker, body, NULL);
        gw_buffer_init(&all->messages[i], 65536);
        gw_buffer_append(&all->messages[i], asker.message.data, asker.message.size);
    }
    test_asker_close(&asker);
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, SENT_DEFAULT);
    static campaign all = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    test_daemon daemon;
    test_daemon_with_people(&daemon, 300, (test_budget){"100", NULL, "0.01", "1"});
    test_daemon_principal(&daemon, "researcher", &all.profile);
    messages_make(&all);
    pthread_t threads[CONNECTIONS];
    sender senders[CONNECTIONS];
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        senders[i] = (sender){.all = &all, .random = given.seed + i, .count = given.count / CONNECTIONS};
        int result = pthread_create(&threads[i], NULL, send_all, &senders[i]);
        GW_ASSERT(result == 0);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++)
        pthread_join(threads[i], NULL);
    gw_audit_verdict verdict;
    test_daemon_verify(&daemon, &verdict);
    uint64_t spent = test_daemon_spent(&daemon, TEST_DATASET);
    if (verdict.charges != REQUESTS || verdict.releases != REQUESTS || spent != (uint64_t)REQUESTS * COST)
        all.lost++;
    printf(
        "%lu sent of %d requests over %d connections: %llu charges, %llu releases, %lu answered; %lu lost (%.0f s)\n",
        given.count / CONNECTIONS * CONNECTIONS, REQUESTS, CONNECTIONS, (unsigned long long)verdict.charges,
        (unsigned long long)verdict.releases, all.answered, all.lost, campaign_seconds());
    for (size_t i = 0; i < REQUESTS; i++)
        gw_buffer_done(&all.messages[i]);
    test_daemon_done(&daemon);
    return all.lost == 0 ? 0 : 1;
}
