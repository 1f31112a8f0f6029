// SPDX-License-Identifier: Apache-2.0
// Limits and counts on the path of a request: who asks too often is stopped before a signature is looked at, who works
// the service for nothing before it begins, and what was refused by a rule stands in the log once an hour.
#include "service/query/incidents.h"
#include "tests/unit/query/asking_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define HOUR 3600
#define PING "{\"v\":1,\"kind\":\"ping\"}"
#define RATE "\"dataset\":\"" ASKING_REGISTER "\",\"indicator\":\"employment_rate\""
#define QUERY "{\"v\":1,\"kind\":\"query\"," RATE ",\"epsilon\":\"0.05\"}"
#define DEAR "{\"v\":1,\"kind\":\"query\"," RATE ",\"epsilon\":\"0.6\"}" // past question_max
#define COST "{\"v\":1,\"kind\":\"cost\"," RATE ",\"target_error\":\"3\",\"group_size\":2000}"

static int setup(void **state) {
    asking *made = malloc(sizeof *made);
    asking_begin(made);
    *state = made;
    return 0;
}
static int teardown(void **state) {
    asking_end(*state);
    free(*state);
    return 0;
}

static void assert_refused(asking *made, unsigned who, const char *body, const char *code) {
    assert_false(asking_send(made, who, body));
    assert_string_equal(made->problem.code, code);
}

// ---- asking

static void one_address_cannot_empty_anothers_key(void **state) {
    asking *made = *state;
    gw_queries_limit(made->queries, (gw_rate_limits){.requests_per_minute = 3});
    gw_query_worker_peer(made->worker, "c0000201");
    for (int i = 0; i < 3; i++) // 77 is nobody: its signature is looked at, and is nobody's
        assert_refused(made, 77, PING, "unauthenticated");
    assert_refused(made, 77, PING, "rate_limited");
    assert_int_equal(made->reply.status, GW_REPLY_REFUSED);
    assert_true(made->problem.renews > made->now);
    assert_non_null(strstr(made->problem.mend, "seconds"));
    assert_refused(made, ASKING_ANNA, PING, "rate_limited"); // the address is spent, whoever it says it is
    gw_query_worker_peer(made->worker, "c0000202");
    assert_true(asking_send(made, ASKING_ANNA, PING));
}

// Without an address each key has its own.
static void a_key_has_its_own_limit(void **state) {
    asking *made = *state;
    gw_queries_limit(made->queries, (gw_rate_limits){.requests_per_minute = 2});
    for (int i = 0; i < 2; i++)
        assert_true(asking_send(made, ASKING_ANNA, PING));
    assert_refused(made, ASKING_ANNA, PING, "rate_limited");
    assert_true(asking_send(made, ASKING_BELA, PING));
    assert_true(asking_send(made, ASKING_NOBODY, PING));
    gw_queries_limit(made->queries, (gw_rate_limits){0});
    for (int i = 0; i < 50; i++)
        assert_true(asking_send(made, ASKING_ANNA, PING));
}

// ---- working

static void free_work_ends_where_its_time_is_spent(void **state) {
    asking *made = *state;
    gw_queries_limit(made->queries, (gw_rate_limits){.free_ms_per_minute = 1});
    int asked = 0;
    while (asked < 10000 && asking_send(made, ASKING_ANNA, COST))
        asked++;
    assert_true(asked < 10000);
    assert_string_equal(made->problem.code, "rate_limited");
    assert_refused(made, ASKING_ANNA, QUERY, "rate_limited"); // a question is worked on before it is charged
    assert_true(asking_send(made, ASKING_BELA, COST));        // it is another's time
    assert_false(asking_send(made, ASKING_ANNA, "{\"v\":1,\"kind\":\"checkpoint\",\"note\":\"x\"}"));
    assert_string_equal(made->problem.code, "bad_checkpoint"); // a proof is always heard
}

// ---- what the log says

typedef struct {
    char principal[GW_ID_HEX], counts[512], incident[48];
    size_t refusals, incidents;
} said;

static gw_status entry_read(void *state, uint64_t seq, gw_bytes bytes) {
    said *it = state;
    gw_entry entry;
    (void)seq;
    assert_int_equal(gw_entry_decode(bytes, &entry, NULL), GW_OK);
    if (entry.kind == GW_ENTRY_REFUSALS) {
        it->refusals++;
        memcpy(it->principal, entry.refusals.principal, sizeof it->principal);
        memcpy(it->counts, entry.refusals.counts, sizeof it->counts);
        assert_true(entry.refusals.from <= entry.refusals.to && entry.refusals.to <= entry.time);
    } else if (entry.kind == GW_ENTRY_INCIDENT) {
        it->incidents++;
        memcpy(it->incident, entry.incident.code, sizeof it->incident);
    }
    return GW_OK;
}

static said log_says(asking *made) {
    said it = {.refusals = 0};
    assert_int_equal(gw_store_scan(gw_query_reader(made->worker), 0, UINT64_MAX, entry_read, &it), GW_OK);
    return it;
}

static void refusals_stand_in_the_log_once_an_hour(void **state) {
    asking *made = *state;
    char guest[GW_ID_HEX];
    fixture_id(ASKING_GUEST, guest);
    made->now = made->now / HOUR * HOUR;
    for (int i = 0; i < 7; i++) {
        assert_false(asking_send(made, ASKING_GUEST, QUERY));
        assert_int_equal(made->problem.charged.micro, 0);
        made->now += 60;
        gw_queries_tick(made->queries, false);
    }
    char denied[48], wanted[128];
    snprintf(denied, sizeof denied, "%s", made->problem.code);
    assert_int_equal(log_says(made).refusals, 0);
    made->now = made->now / HOUR * HOUR + HOUR;
    gw_queries_tick(made->queries, false);
    gw_queries_tick(made->queries, false);
    said it = log_says(made);
    assert_int_equal(it.refusals, 1);
    assert_string_equal(it.principal, guest);
    snprintf(wanted, sizeof wanted, "%s=7", denied);
    assert_string_equal(it.counts, wanted);
}

static void mistakes_visitors_and_strangers_are_not_counted(void **state) {
    asking *made = *state;
    assert_refused(made, ASKING_NOBODY, QUERY, "unauthenticated");
    assert_refused(made, 77, QUERY, "unauthenticated");
    assert_refused(made, ASKING_ANNA,
                   "{\"v\":1,\"kind\":\"query\",\"dataset\":\"a/b\",\"indicator\":\"i\",\"epsilon\":\"1\"}",
                   "unknown_dataset");
    assert_refused(made, ASKING_ANNA, "{\"v\":1,\"kind\":\"admin\",\"action\":\"status\"}", "denied_role");
    assert_refused(made, ASKING_ANNA,
                   "{\"v\":1,\"kind\":\"query\"," RATE ",\"epsilon\":\"0.05\",\"max_cost\":\"0.01\"}", "not_serving");
    gw_queries_tick(made->queries, true);
    assert_int_equal(log_says(made).refusals, 0);
    assert_refused(made, ASKING_ANNA, DEAR, "question_max"); // a rule of the owner's
    gw_queries_tick(made->queries, true);                    // the end of the service waits for no hour
    said it = log_says(made);
    assert_int_equal(it.refusals, 1);
    assert_string_equal(it.counts, "question_max=1");
}

// A clock that goes back leaves them waiting; the log never names a time to come.
static void counts_of_a_time_to_come_wait(void **state) {
    asking *made = *state;
    assert_refused(made, ASKING_ANNA, DEAR, "question_max");
    int64_t asked = made->now;
    made->now -= 2 * HOUR;
    gw_queries_tick(made->queries, true);
    said it = log_says(made);
    // The ledger's own time never goes back: the entry is as late as the one before, or it waits.
    made->now = asked + HOUR;
    gw_queries_tick(made->queries, false);
    it = log_says(made);
    assert_int_equal(it.refusals, 1);
}

static void incidents_are_said_with_the_next_tick(void **state) {
    asking *made = *state;
    gw_queries_report(made->queries, GW_INCIDENT_PUBLISH_FAILED);
    gw_queries_report(made->queries, GW_INCIDENT_PUBLISH_FAILED);
    for (int i = 0; i < 3; i++)
        gw_queries_tick(made->queries, false);
    said it = log_says(made);
    assert_int_equal(it.incidents, 1);
    assert_string_equal(it.incident, "publish_failed");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(one_address_cannot_empty_anothers_key),           CASE(a_key_has_its_own_limit),
        CASE(free_work_ends_where_its_time_is_spent),          CASE(refusals_stand_in_the_log_once_an_hour),
        CASE(mistakes_visitors_and_strangers_are_not_counted), CASE(counts_of_a_time_to_come_wait),
        CASE(incidents_are_said_with_the_next_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
