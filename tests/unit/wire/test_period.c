// SPDX-License-Identifier: Apache-2.0
// Periods written and read back, and dates put into them: only days that the calendar has, as they are written.
#include "service/wire/period.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void every_period_of_the_calendar_comes_back(void **state) {
    (void)state;
    for (gw_period period = GW_PERIOD_YEAR; period <= GW_PERIOD_MONTH; period++) {
        int64_t per_year = period == GW_PERIOD_YEAR ? 1 : period == GW_PERIOD_QUARTER ? 4 : 12;
        char before[GW_PERIOD_TEXT] = "";
        for (int64_t index = per_year; index < 10000 * per_year; index++) {
            char text[GW_PERIOD_TEXT];
            int64_t parsed = -1;
            gw_period_format(period, index, text);
            assert_true(strcmp(before, text) < 0); // texts sort as periods do
            assert_true(gw_period_parse(period, text, &parsed));
            assert_true(parsed == index);
            strcpy(before, text);
        }
        gw_period found;
        assert_true(gw_period_find(gw_period_name(period), &found));
        assert_int_equal(found, period);
    }
}

static void labels_are_for_people(void **state) {
    (void)state;
    char label[GW_PERIOD_TEXT];
    gw_period_label(GW_PERIOD_MONTH, 2023 * 12 + 4, label);
    assert_string_equal(label, "May 2023");
    gw_period_label(GW_PERIOD_QUARTER, 2023 * 4 + 3, label);
    assert_string_equal(label, "Q4 2023");
    gw_period_label(GW_PERIOD_YEAR, 2023, label);
    assert_string_equal(label, "2023");
}

static void what_is_no_period_is_not_parsed(void **state) {
    (void)state;
    static const struct {
        gw_period period;
        const char *text;
    } cases[] = {
        {GW_PERIOD_YEAR, "2023-01"},
        {GW_PERIOD_YEAR, "0000"},
        {GW_PERIOD_YEAR, "12023"},
        {GW_PERIOD_YEAR, "23"},
        {GW_PERIOD_YEAR, ""},
        {GW_PERIOD_YEAR, " 2023"},
        {GW_PERIOD_YEAR, "2023-Q1"},
        {GW_PERIOD_QUARTER, "2023-Q0"},
        {GW_PERIOD_QUARTER, "2023-Q5"},
        {GW_PERIOD_QUARTER, "2023"},
        {GW_PERIOD_QUARTER, "2023-01"},
        {GW_PERIOD_QUARTER, "2023Q1"},
        {GW_PERIOD_QUARTER, "2023-q1"},
        {GW_PERIOD_MONTH, "2023-00"},
        {GW_PERIOD_MONTH, "2023-13"},
        {GW_PERIOD_MONTH, "2023-1"},
        {GW_PERIOD_MONTH, "2023-05-17"},
        {GW_PERIOD_MONTH, "2023-05 "},
        {GW_PERIOD_MONTH, "2023-Q1"},
        {GW_PERIOD_MONTH, "-2023-05"},
        {GW_PERIOD_NONE, "2023"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t index = 77;
        if (gw_period_parse(cases[i].period, cases[i].text, &index))
            print_error("%s was taken for a %s\n", cases[i].text, gw_period_name(cases[i].period));
        assert_true(index == 77);
    }
}

static void a_date_lies_in_its_period(void **state) {
    (void)state;
    static const struct {
        gw_period period;
        const char *text, *in;
    } cases[] = {
        {GW_PERIOD_MONTH, "2023-05-17", "2023-05"},
        {GW_PERIOD_MONTH, "2023-05", "2023-05"},
        {GW_PERIOD_MONTH, "2023-05-17T10:11:12", "2023-05"},
        {GW_PERIOD_MONTH, "2023-05-17 10:11:12.123456789", "2023-05"},
        {GW_PERIOD_MONTH, "2023-05-17T10:11", "2023-05"},
        {GW_PERIOD_MONTH, "2023-12-31T23:59:60", "2023-12"}, // a leap second
        {GW_PERIOD_MONTH, "2024-02-29", "2024-02"},
        {GW_PERIOD_MONTH, "2000-02-29", "2000-02"},
        {GW_PERIOD_MONTH, "0001-01-01", "0001-01"},
        {GW_PERIOD_MONTH, "9999-12-31", "9999-12"},
        // No zone moves a date.
        {GW_PERIOD_MONTH, "2023-05-31T23:30:00Z", "2023-05"},
        {GW_PERIOD_MONTH, "2023-05-31T23:30:00-12:00", "2023-05"},
        {GW_PERIOD_MONTH, "2023-06-01T00:30:00+14:00", "2023-06"},
        {GW_PERIOD_MONTH, "2023-06-01 00:30:00+00", "2023-06"},
        {GW_PERIOD_MONTH, "2023-06-01T00:30:00.5+0200", "2023-06"},
        {GW_PERIOD_QUARTER, "2023-03-31", "2023-Q1"},
        {GW_PERIOD_QUARTER, "2023-04-01", "2023-Q2"},
        {GW_PERIOD_QUARTER, "2023-12", "2023-Q4"},
        {GW_PERIOD_QUARTER, "2023-Q3", "2023-Q3"},
        {GW_PERIOD_YEAR, "2023", "2023"},
        {GW_PERIOD_YEAR, "2023-Q3", "2023"},
        {GW_PERIOD_YEAR, "2023-07", "2023"},
        {GW_PERIOD_YEAR, "2023-12-31T23:59:59", "2023"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t index = 0;
        char text[GW_PERIOD_TEXT] = "";
        if (!gw_period_of_date(cases[i].period, gw_bytes_of(cases[i].text), &index))
            print_error("%s\n", cases[i].text);
        gw_period_format(cases[i].period, index, text);
        assert_string_equal(text, cases[i].in);
    }
}

static void what_is_no_date_lies_in_no_period(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "2023-02-30",
        "2023-02-29",
        "1900-02-29",
        "2100-02-29",
        "2023-04-31",
        "2023-06-31",
        "2023-09-31",
        "2023-11-31",
        "2023-01-32",
        "2023-01-00",
        "2023-00-10",
        "2023-13-01",
        "0000-05-17",
        "12023-05-17",
        "+2023-05-17",
        "-2023-05-17",
        "0044-03-15 (BC)",
        "2023-5-7",
        "20230517",
        "17.05.2023",
        "05/17/2023",
        "2023/05/17",
        "2023-05-17T",
        "2023-05-17T24:00:00",
        "2023-05-17T10:60:00",
        "2023-05-17T10:11:61",
        "2023-05-17T10:11:12.",
        "2023-05-17T10",
        "2023-05-17t10:11:12",
        "2023-05-17T10:11:12z",
        "2023-05-17T10:11:12Zz",
        "2023-05-17T10:11:12+24:00",
        "2023-05-17T10:11:12+02:60",
        "2023-05-17T10:11:12+2",
        "2023-05-17T10:11:12+02:",
        "2023-05-17Z",
        "2023-05-17 ",
        " 2023-05-17",
        "2023-05-",
        "2023-",
        "2023-05-17x",
        "2023-05-1x",
        "2023-W20",
        "2023-137",
        "2023-Q22",
        "infinity",
        "NaN",
        "now",
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (gw_period period = GW_PERIOD_YEAR; period <= GW_PERIOD_MONTH; period++) {
            int64_t index = 77;
            if (gw_period_of_date(period, gw_bytes_of(cases[i]), &index))
                print_error("%s was taken for a date\n", cases[i]);
            assert_true(index == 77);
        }
    int64_t index = 77;
    assert_false(gw_period_of_date(GW_PERIOD_MONTH, gw_bytes_of("2023"), &index));
    assert_false(gw_period_of_date(GW_PERIOD_QUARTER, gw_bytes_of("2023"), &index));
    assert_false(gw_period_of_date(GW_PERIOD_MONTH, gw_bytes_of("2023-Q2"), &index));
    assert_false(gw_period_of_date(GW_PERIOD_NONE, gw_bytes_of("2023-05-17"), &index));
    assert_false(gw_period_of_date(GW_PERIOD_MONTH, (gw_bytes){(const uint8_t *)"2023-05\0", 8}, &index));
    assert_false(gw_period_of_date(GW_PERIOD_MONTH, (gw_bytes){NULL, 0}, &index));
}

// The days of four hundred years, counted one by one, against the count that the calendar is known to have.
static void four_centuries_have_146097_days(void **state) {
    (void)state;
    size_t days = 0;
    for (int year = 1801; year <= 2200; year++)
        for (int month = 0; month <= 13; month++)
            for (int day = 0; day <= 32; day++) {
                char text[48];
                int64_t index = 0;
                snprintf(text, sizeof(text), "%04d-%02d-%02d", year, month, day);
                if (gw_period_of_date(GW_PERIOD_MONTH, gw_bytes_of(text), &index)) {
                    assert_true(index == year * 12 + month - 1);
                    days++;
                }
            }
    assert_int_equal(days, 146097);
}

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

// What a broken text is taken for must at least begin with the year and the month that it is put into.
static void mutations_are_refused_or_read_as_they_stand(void **state) {
    (void)state;
    static const char *const seeds[] = {
        "2023-05-17", "2023-05-17T10:11:12.5+02:00", "2023-02-28 23:59:59Z", "2023", "2023-Q2", "2024-02-29",
        "1999-12"};
    static const char replacements[] = "0123456789-:.TZQ+ \0x";
    uint64_t random = 7;
    size_t accepted = 0;
    for (int i = 0; i < 200000; i++) {
        char text[32] = "";
        strcpy(text, seeds[next_random(&random) % COUNT(seeds)]);
        size_t size = strlen(text);
        for (uint64_t j = 1 + next_random(&random) % 3; j > 0; j--)
            text[next_random(&random) % size] = replacements[next_random(&random) % (sizeof(replacements) - 1)];
        if (next_random(&random) % 4 == 0)
            size = next_random(&random) % (size + 1);
        int64_t index = 0;
        if (!gw_period_of_date(GW_PERIOD_MONTH, (gw_bytes){(const uint8_t *)text, size}, &index))
            continue;
        char period[GW_PERIOD_TEXT];
        gw_period_format(GW_PERIOD_MONTH, index, period);
        assert_true(size >= 7 && memcmp(text, period, 7) == 0);
        assert_true(size == 7 || (size >= 10 && text[7] == '-' && memchr(text, 'x', size) == NULL));
        assert_true(size <= 10 || (size >= 16 && (text[10] == 'T' || text[10] == ' ')));
        accepted++;
    }
    assert_true(accepted > 10000 && accepted < 100000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_period_of_the_calendar_comes_back),
        cmocka_unit_test(labels_are_for_people),
        cmocka_unit_test(what_is_no_period_is_not_parsed),
        cmocka_unit_test(a_date_lies_in_its_period),
        cmocka_unit_test(what_is_no_date_lies_in_no_period),
        cmocka_unit_test(four_centuries_have_146097_days),
        cmocka_unit_test(mutations_are_refused_or_read_as_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
