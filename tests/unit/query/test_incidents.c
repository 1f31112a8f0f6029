// SPDX-License-Identifier: Apache-2.0
// Incidents: at most one entry a code and hour, and none forgotten that the log could not take.
#include "service/query/incidents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define T0 INT64_C(1790000000)
#define HOUR 3600

typedef struct {
    char codes[32][48];
    size_t count;
    bool is_closed;
} taken;

static bool take(void *state, const gw_entry *entry) {
    taken *it = state;
    assert_int_equal(entry->kind, GW_ENTRY_INCIDENT);
    if (it->is_closed)
        return false;
    memcpy(it->codes[it->count++], entry->incident.code, sizeof entry->incident.code);
    return true;
}

static void every_code_is_found_by_its_name(void **unused) {
    (void)unused;
    char list[256], wanted[64];
    gw_incident found;
    gw_incident_list(list, sizeof list, " ");
    for (int i = 0; i < GW_INCIDENTS; i++) {
        assert_true(gw_incident_find(gw_incident_code((gw_incident)i), &found));
        assert_int_equal(found, i);
        strcpy(wanted, gw_incident_code((gw_incident)i));
        assert_non_null(strstr(list, wanted));
    }
    assert_false(gw_incident_find("nonsense", &found));
    assert_false(gw_incident_find("", &found));
}

static void a_thousand_reports_are_one_entry_an_hour(void **unused) {
    (void)unused;
    taken it = {.count = 0};
    gw_incidents *incidents = gw_incidents_new();
    gw_incidents_flush(incidents, T0, take, &it);
    assert_int_equal(it.count, 0);
    for (int i = 0; i < 1000; i++) {
        gw_incidents_report(incidents, GW_INCIDENT_PUBLISH_FAILED);
        gw_incidents_flush(incidents, T0 + i, take, &it);
    }
    gw_incidents_report(incidents, GW_INCIDENT_OTHER); // another is another
    gw_incidents_flush(incidents, T0 + 1000, take, &it);
    assert_int_equal(it.count, 2);
    assert_string_equal(it.codes[0], "publish_failed");
    assert_string_equal(it.codes[1], "other");
    gw_incidents_flush(incidents, T0 + HOUR - 1, take, &it);
    assert_int_equal(it.count, 2);
    gw_incidents_flush(incidents, T0 + HOUR, take, &it); // those of the hour are said when it is over
    assert_int_equal(it.count, 3);
    gw_incidents_flush(incidents, T0 + 9 * HOUR, take, &it);
    assert_int_equal(it.count, 3);
    gw_incidents_free(incidents);
}

static void what_the_log_does_not_take_is_said_later(void **unused) {
    (void)unused;
    taken it = {.is_closed = true};
    gw_incidents *incidents = gw_incidents_new();
    gw_incidents_report(incidents, GW_INCIDENT_CLOCK_JUMPED);
    for (int i = 0; i < 10; i++)
        gw_incidents_flush(incidents, T0 + i, take, &it);
    it.is_closed = false;
    gw_incidents_flush(incidents, T0 - 5000, take, &it); // the clock is right again
    gw_incidents_flush(incidents, T0 - 4000, take, &it);
    assert_int_equal(it.count, 1);
    assert_string_equal(it.codes[0], "clock_jumped");
    gw_incidents_free(incidents);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_found_by_its_name),
        cmocka_unit_test(a_thousand_reports_are_one_entry_an_hour),
        cmocka_unit_test(what_the_log_does_not_take_is_said_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
