// SPDX-License-Identifier: Apache-2.0
// Counts of refusals: one entry a principal and hour however many there are, bounded in memory and in every line, and
// nothing lost to a log that cannot be written now.
#include "service/query/refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define HOUR 3600
#define T0 (INT64_C(1790000000) / HOUR * HOUR)
#define ANNA "0000000000000000000000000000000a"
#define BELA "0000000000000000000000000000000b"
#define ALL 100000u

typedef struct {
    gw_entry entries[2048];
    size_t count;
    bool is_closed;
} taken;

static bool take(void *state, const gw_entry *entry) {
    taken *it = state;
    gw_buffer bytes;
    gw_entry read;
    if (it->is_closed)
        return false;
    gw_buffer_init(&bytes, GW_ENTRY_BYTES_MAX);
    gw_entry_encode(entry, &bytes);
    assert_int_equal(gw_entry_decode(gw_buffer_bytes(&bytes), &read, NULL), GW_OK); // the log's grammar takes it
    gw_buffer_done(&bytes);
    it->entries[it->count++ % 2048] = *entry;
    return true;
}

static void a_flood_is_one_entry_an_hour(void **unused) {
    (void)unused;
    static taken it;
    it = (taken){.count = 0};
    gw_refusals *refusals = gw_refusals_new();
    for (int i = 0; i < 5000; i++) {
        gw_refusals_count(refusals, ANNA, i % 5 == 0 ? "budget_window" : "denied_role", T0 + i % HOUR);
        assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR - 1, false, ALL, take, &it), 0); // the hour is not over
    }
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR, false, ALL, take, &it), 1);
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR, false, ALL, take, &it), 0);
    assert_string_equal(it.entries[0].refusals.principal, ANNA);
    assert_string_equal(it.entries[0].refusals.counts, "budget_window=1000 denied_role=4000");
    assert_int_equal(it.entries[0].refusals.from, T0);
    assert_int_equal(it.entries[0].refusals.to, T0 + HOUR - 1);
    gw_refusals_free(refusals);
}

static void each_principal_has_an_entry_and_the_end_takes_all(void **unused) {
    (void)unused;
    static taken it;
    it = (taken){.count = 0};
    gw_refusals *refusals = gw_refusals_new();
    gw_refusals_count(refusals, ANNA, "b", T0 + 5);
    gw_refusals_count(refusals, BELA, "a", T0 + 7);
    gw_refusals_count(refusals, ANNA, "a", T0 + 9);
    assert_int_equal(gw_refusals_flush(refusals, T0 + 10, true, 1, take, &it), 1); // bounded at a time
    assert_int_equal(gw_refusals_flush(refusals, T0 + 10, true, ALL, take, &it), 1);
    const gw_entry *anna = &it.entries[strcmp(it.entries[0].refusals.principal, ANNA) == 0 ? 0 : 1];
    assert_string_equal(anna->refusals.counts, "a=1 b=1");
    assert_int_equal(anna->refusals.from, T0 + 5);
    assert_int_equal(anna->refusals.to, T0 + 9);
    gw_refusals_free(refusals);
}

static void what_the_log_does_not_take_waits_and_is_counted_on(void **unused) {
    (void)unused;
    static taken it;
    it = (taken){.is_closed = true};
    gw_refusals *refusals = gw_refusals_new();
    gw_refusals_count(refusals, ANNA, "a", T0);
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR, false, ALL, take, &it), 0);
    gw_refusals_count(refusals, ANNA, "a", T0 + HOUR + 1);
    it.is_closed = false;
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR + 59, false, ALL, take, &it), 0); // not at every tick
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR + 60, false, ALL, take, &it), 1);
    assert_string_equal(it.entries[0].refusals.counts, "a=2");
    assert_int_equal(it.entries[0].refusals.to, T0 + HOUR + 1);
    gw_refusals_free(refusals);
}

static void many_codes_fit_a_line(void **unused) {
    (void)unused;
    static taken it;
    it = (taken){.count = 0};
    gw_refusals *refusals = gw_refusals_new();
    char code[48];
    for (unsigned i = 0; i < 30; i++) {
        snprintf(code, sizeof code, "a_code_of_24_characters%c", 'a' + (int)i % 26);
        gw_refusals_count(refusals, ANNA, code, T0);
    }
    gw_refusals_count(refusals, ANNA, "a_code_that_is_longer_than_any_that_there_is", T0);
    assert_int_equal(gw_refusals_flush(refusals, T0, true, ALL, take, &it), 1);
    const char *other = strstr(it.entries[0].refusals.counts, " other=");
    assert_non_null(other);
    assert_string_equal(other, " other=17"); // ten codes are kept, four of them met twice
    gw_refusals_free(refusals);
}

static void many_principals_fit_the_table(void **unused) {
    (void)unused;
    static taken it;
    it = (taken){.count = 0};
    gw_refusals *refusals = gw_refusals_new();
    char id[GW_ID_HEX];
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "%08x%024x", i % 7, i);
        gw_refusals_count(refusals, id, "a", T0);
    }
    assert_int_equal(gw_refusals_uncounted(refusals), 3000 - 1024);
    assert_int_equal(gw_refusals_uncounted(refusals), 0);
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR, false, ALL, take, &it), 1024);
    gw_refusals_count(refusals, ANNA, "a", T0 + HOUR); // there is room again
    assert_int_equal(gw_refusals_flush(refusals, T0 + HOUR, true, ALL, take, &it), 1);
    gw_refusals_free(refusals);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_is_one_entry_an_hour),
        cmocka_unit_test(each_principal_has_an_entry_and_the_end_takes_all),
        cmocka_unit_test(what_the_log_does_not_take_waits_and_is_counted_on),
        cmocka_unit_test(many_codes_fit_a_line),
        cmocka_unit_test(many_principals_fit_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
