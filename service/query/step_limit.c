// SPDX-License-Identifier: Apache-2.0
// Who asks too often is refused before a signature is checked; who keeps the service at work for nothing is refused
// before it begins. What is counted is known before a charge, and so is all that follows from it.
#include "service/query/steps.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WHO_MAX 128 // principal, key and address

int64_t gw_query_clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t thread_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static gw_status rate_limited(gw_query *query, const char *what, int64_t wait_ms) {
    int64_t seconds = (wait_ms + 999) / 1000;
    gw_problem_set(&query->problem, GW_LIMIT, "rate_limited", what, "Nothing was charged.", "");
    gw_problem_mend(&query->problem, "Ask again in %lld seconds.", (long long)seconds);
    query->problem.renews = query->now + seconds;
    atomic_fetch_add(&query->queries->limited, 1);
    return GW_LIMIT;
}

// ---- asking

static gw_status ask(gw_query *query, gw_rate_kind kind, const char *who) {
    int64_t wait_ms;
    if (gw_rates_ask(query->queries->rates, kind, gw_bytes_of(who), gw_query_clock_ms(), &wait_ms))
        return GW_OK;
    return rate_limited(query, "You ask more often than this service answers.", wait_ms);
}

gw_status gw_query_step_admit(gw_query *query) {
    const char *peer = query->worker->peer;
    return peer[0] == '\0' ? GW_OK : ask(query, GW_RATE_ADDRESS, peer);
}

// The key is only claimed yet: the claim counts where it comes from.
gw_status gw_query_admit_key(gw_query *query) {
    char who[WHO_MAX];
    snprintf(who, sizeof who, "%s %s %s", query->message.principal, query->message.key, query->worker->peer);
    return ask(query, GW_RATE_KEY, who);
}

// ---- working

static void worker_name(const gw_query *query, char ret[WHO_MAX]) {
    if (query->who.is_known)
        snprintf(ret, WHO_MAX, "%s", query->who.principal);
    else
        snprintf(ret, WHO_MAX, "visitor %s", query->worker->peer);
}

gw_status gw_query_step_limit(gw_query *query) {
    char who[WHO_MAX];
    int64_t wait_ms;
    if (query->question.kind == GW_KIND_ADMIN || query->question.kind == GW_KIND_CHECKPOINT)
        return GW_OK; // a change must get through, and a proof
    worker_name(query, who);
    if (!gw_rates_may_work(query->queries->rates, gw_bytes_of(who), gw_query_clock_ms(), &wait_ms))
        return rate_limited(query, "This service has worked for you for nothing for long enough.", wait_ms);
    query->is_free_work = true;
    query->began_us = thread_us();
    return GW_OK;
}

void gw_query_worked(gw_query *query) {
    char who[WHO_MAX];
    if (!query->is_free_work || query->is_charged)
        return;
    worker_name(query, who);
    gw_rates_worked(query->queries->rates, gw_bytes_of(who), gw_query_clock_ms(), thread_us() - query->began_us);
}
