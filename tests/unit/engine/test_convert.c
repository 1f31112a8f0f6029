// SPDX-License-Identifier: Apache-2.0
// Text into steps and codes, at every edge: exactness is what keeps one row's contribution within its bound.
#include "service/engine/convert.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const gw_load_column age = {.name = "age",
                                   .target = "age",
                                   .is_whole = true,
                                   .min_scaled = 0,
                                   .max_scaled = 120,
                                   .grid_scaled = 1,
                                   .steps = 120};
// -100.0 to 200000.0 in steps of 0.5, kept in tenths
static const gw_load_column income = {.name = "income",
                                      .target = "income",
                                      .scale = 1,
                                      .min_scaled = -1000,
                                      .max_scaled = 2000000,
                                      .grid_scaled = 5,
                                      .steps = 400200};

static gw_converted convert(const gw_load_column *column, const char *text) {
    gw_converter *converter = gw_converter_new(column);
    assert_non_null(converter);
    gw_converted converted = gw_convert(converter, gw_bytes_of(text));
    gw_converter_free(converter);
    return converted;
}

static void expect_steps(const gw_load_column *column, const char *text, uint64_t steps) {
    gw_converted converted = convert(column, text);
    if (converted.outcome != GW_CONVERTED_VALUE || converted.value != steps)
        fail_msg("%s became %llu", text, (unsigned long long)converted.value);
}

static void expect_bad(const gw_load_column *column, const char *text, gw_load_kind kind, uint64_t nearer) {
    gw_converted converted = convert(column, text);
    if (converted.outcome != GW_CONVERTED_BAD || converted.kind != kind || converted.value != nearer)
        fail_msg("%s: outcome %d kind %d", text, converted.outcome, converted.kind);
}

static void whole_numbers_are_read_in_any_plain_form(void **state) {
    (void)state;
    expect_steps(&age, "0", 0);
    expect_steps(&age, "120", 120);
    expect_steps(&age, "007", 7);
    expect_steps(&age, "+39", 39);
    expect_steps(&age, "39.0", 39);
    expect_steps(&age, "39.", 39);
    expect_steps(&age, "3.9e1", 39);
    expect_steps(&age, "390e-1", 39);
    expect_steps(&age, "-0", 0);
    expect_steps(&age, "-0.0", 0);
    expect_steps(&age, "-0e999999999999", 0);
}

static void what_is_no_number_is_a_bad_type(void **state) {
    (void)state;
    const char *const texts[] = {"abc", " 39", "39 ",   "3 9", "0x27", "1e",   "e5",  ".",     "-",
                                 "+",   "--1", "1.2.3", "1,5", "39.5", "1e-1", "\t7", "1_000", "\xEF\xBC\x91"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_bad(&age, texts[i], GW_LOAD_BAD_TYPE, 0);
}

static void bounds_are_compared_before_rounding(void **state) {
    (void)state;
    expect_bad(&age, "-1", GW_LOAD_OUT_OF_BOUNDS, 0);
    expect_bad(&age, "121", GW_LOAD_OUT_OF_BOUNDS, 120);
    expect_bad(&age, "9223372036854775808", GW_LOAD_OUT_OF_BOUNDS, 120);
    expect_bad(&age, "1e400", GW_LOAD_OUT_OF_BOUNDS, 120);
    expect_bad(&age, "-1e400", GW_LOAD_OUT_OF_BOUNDS, 0);
    expect_bad(&age, "99999999999999999999999999999999999999999999999999999", GW_LOAD_OUT_OF_BOUNDS, 120);
    expect_steps(&income, "200000", 400200);
    expect_bad(&income, "200000.0000000000000000001", GW_LOAD_OUT_OF_BOUNDS, 400200);
    expect_steps(&income, "-100", 0);
    expect_bad(&income, "-100.0000000000000000001", GW_LOAD_OUT_OF_BOUNDS, 0);
    expect_steps(&income, "-99.9999999999999999999", 0);
}

static void halves_go_to_the_even_step(void **state) {
    (void)state;
    expect_steps(&income, "-99.75", 0);                      // half a step above step 0
    expect_steps(&income, "-99.25", 2);                      // one and a half
    expect_steps(&income, "-98.75", 2);                      // two and a half
    expect_steps(&income, "-99.74999999999999999999999", 1); // anything more than a half
    expect_steps(&income, "-99.75000000000000000000001", 0);
}

static void tiny_and_long_decimals_are_exact(void **state) {
    (void)state;
    expect_steps(&income, "1e-400", 200);
    expect_steps(&income, "-1e-400", 200);
    expect_steps(&income, "0.1234567890123456789", 200);
    expect_steps(&income, "0.25", 200);
    expect_steps(&income, "0.75", 202);
    expect_steps(&income, "0.2500000000000000000000000000000000000000001", 201);
    expect_steps(&income, "1234567890123456789e-18", 202);
}

static void nothing_infinite_passes(void **state) {
    (void)state;
    const char *const texts[] = {"nan", "NaN", "-nan", "inf", "-inf", "+Inf", "Infinity", "-INFINITY"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_bad(&age, texts[i], GW_LOAD_NOT_FINITE, 0);
        expect_bad(&income, texts[i], GW_LOAD_NOT_FINITE, 0);
    }
}

static void codes_go_through_the_recode_first(void **state) {
    (void)state;
    const char *const codes[] = {"F", "M", "_U"};
    const gw_load_recode recodes[] = {{"1", 1}, {"2", 0}, {"F", 1}, {"?", 2}};
    gw_load_column sex = {.name = "sex",
                          .target = "sex",
                          .is_code = true,
                          .codes = codes,
                          .code_count = 3,
                          .recodes = recodes,
                          .recode_count = 4,
                          .missing_is_unknown = true};
    expect_steps(&sex, "1", 1);
    expect_steps(&sex, "F", 1);
    expect_steps(&sex, "M", 1);
    expect_steps(&sex, "?", 2);
    expect_steps(&sex, "", 2);
    expect_bad(&sex, "f", GW_LOAD_UNLISTED_CODE, 0);
    expect_bad(&sex, "M ", GW_LOAD_UNLISTED_CODE, 0);
    sex.missing_is_unknown = false;
    assert_int_equal(convert(&sex, "").outcome, GW_CONVERTED_MISSING);
    assert_int_equal(convert(&age, "").outcome, GW_CONVERTED_MISSING);
}

static const char *const month_codes[] = {"2022-12", "2023-01", "2023-02", "_U"};
static const gw_load_column entered = {.name = "entered",
                                       .target = "time_period",
                                       .is_code = true,
                                       .missing_is_unknown = true,
                                       .codes = month_codes,
                                       .code_count = 4,
                                       .period = GW_PERIOD_MONTH,
                                       .period_first = 2022 * 12 + 11};

static void dates_become_the_codes_of_their_periods(void **state) {
    (void)state;
    expect_steps(&entered, "2022-12-01", 0);
    expect_steps(&entered, "2023-01-31T23:59:59", 1);
    expect_steps(&entered, "2023-02", 2);
    expect_steps(&entered, "", 3);
    expect_steps(&entered, "_U", 3);
    expect_bad(&entered, "2022-11-30", GW_LOAD_OUT_OF_BOUNDS, 0);
    expect_bad(&entered, "2023-03-01", GW_LOAD_OUT_OF_BOUNDS, 2);
    expect_bad(&entered, "0001-01-01", GW_LOAD_OUT_OF_BOUNDS, 0);
    expect_bad(&entered, "9999-12-31", GW_LOAD_OUT_OF_BOUNDS, 2);
    expect_bad(&entered, "2023-02-30", GW_LOAD_BAD_TYPE, 0);
    expect_bad(&entered, "2023", GW_LOAD_BAD_TYPE, 0);
    expect_bad(&entered, "0000-00-00", GW_LOAD_BAD_TYPE, 0);
    expect_bad(&entered, "infinity", GW_LOAD_NOT_FINITE, 0);
    gw_load_column dropped = entered;
    dropped.missing_is_unknown = false;
    dropped.code_count = 3;
    assert_int_equal(convert(&dropped, "").outcome, GW_CONVERTED_MISSING);
    expect_steps(&dropped, "2023-02", 2);
    expect_bad(&dropped, "2023-03", GW_LOAD_OUT_OF_BOUNDS, 2);
    expect_bad(&dropped, "_U", GW_LOAD_BAD_TYPE, 0);
}

static void explain_date(const char *value, const char *expected) {
    char text[GW_LOAD_TEXT_MAX];
    gw_converter *converter = gw_converter_new(&entered);
    gw_convert_explain(converter, gw_convert(converter, gw_bytes_of(value)), gw_bytes_of(value), text);
    assert_string_equal(text, expected);
    gw_converter_free(converter);
}

static void explanation_of_a_date_says_what_is_one(void **state) {
    (void)state;
    explain_date("2022-11-30", "entered \"2022-11-30\" is before 2022-12");
    explain_date("2023-03-01", "entered \"2023-03-01\" is after 2023-02");
    explain_date("2023-02-30", "entered \"2023-02-30\" is not a date (2023-05-17, or 2023-05)");
    explain_date("-infinity", "entered \"-infinity\" is not finite");
}

static void code_with_a_nul_inside_is_unlisted(void **state) {
    (void)state;
    const char *const codes[] = {"F", "M"};
    gw_load_column sex = {.name = "sex", .target = "sex", .is_code = true, .codes = codes, .code_count = 2};
    gw_converter *converter = gw_converter_new(&sex);
    gw_converted converted = gw_convert(converter, (gw_bytes){(const uint8_t *)"M\0x", 3});
    assert_int_equal(converted.outcome, GW_CONVERTED_BAD);
    gw_converter_free(converter);
}

static void explanation_tames_what_it_quotes(void **state) {
    (void)state;
    char text[GW_LOAD_TEXT_MAX];
    gw_converter *converter = gw_converter_new(&age);
    gw_bytes field = gw_bytes_of("\x1b[2Jbad\xC2\x9B and long long long long long long long long long");
    gw_convert_explain(converter, gw_convert(converter, field), field, text);
    assert_string_equal(text, "age \"?[2Jbad? and long long long long long l...\" is not a whole number");
    field = gw_bytes_of("121");
    gw_convert_explain(converter, gw_convert(converter, field), field, text);
    assert_string_equal(text, "age \"121\" is above 120");
    gw_converter_free(converter);
    converter = gw_converter_new(&income);
    field = gw_bytes_of("-1000");
    gw_convert_explain(converter, gw_convert(converter, field), field, text);
    assert_string_equal(text, "income \"-1000\" is below -100.0");
    gw_converter_free(converter);
}

static void explain_code(const char *value, const char *expected) {
    char text[GW_LOAD_TEXT_MAX];
    const char *const codes[] = {"AT", "DE"};
    gw_load_column birth = {.name = "Geburtsland (\xC3\x96sterreich)",
                            .target = "c_birth",
                            .is_code = true,
                            .codes = codes,
                            .code_count = 2};
    gw_converter *converter = gw_converter_new(&birth);
    gw_bytes field = gw_bytes_of(value);
    gw_convert_explain(converter, gw_convert(converter, field), field, text);
    char whole[GW_LOAD_TEXT_MAX];
    snprintf(whole, sizeof(whole), "Geburtsland (\xC3\x96sterreich) \"%s\" is not in the code list", expected);
    assert_string_equal(text, whole);
    gw_converter_free(converter);
}

static void explanation_quotes_words_of_every_language_as_they_are(void **state) {
    (void)state;
    explain_code("\xC3\x96sterreich", "\xC3\x96sterreich");
    explain_code("\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\xA6", "\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\xA6");
    // 40 bytes end inside the thirteenth-and-a-third character: the cut is before it.
    explain_code("\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5"
                 "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5",
                 "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5"
                 "\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5\xE6\x97\xA5...");
}

static void explanation_makes_what_is_no_text_harmless(void **state) {
    (void)state;
    explain_code("a\nb\tc\x7F", "a?b?c?");
    explain_code("\xE2\x80\xAE"
                 "abc\xE2\x81\xA6",
                 "?abc?"); // right-to-left override, isolate
    explain_code("\xFF\xC3", "??");
    explain_code("\xC0\x8A\xE0\x80\x8A", "?????"); // a line feed in too many bytes
    explain_code("\xED\xA0\x80", "???");           // half a pair of UTF-16
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_read_in_any_plain_form),
        cmocka_unit_test(what_is_no_number_is_a_bad_type),
        cmocka_unit_test(bounds_are_compared_before_rounding),
        cmocka_unit_test(halves_go_to_the_even_step),
        cmocka_unit_test(tiny_and_long_decimals_are_exact),
        cmocka_unit_test(nothing_infinite_passes),
        cmocka_unit_test(codes_go_through_the_recode_first),
        cmocka_unit_test(dates_become_the_codes_of_their_periods),
        cmocka_unit_test(explanation_of_a_date_says_what_is_one),
        cmocka_unit_test(code_with_a_nul_inside_is_unlisted),
        cmocka_unit_test(explanation_tames_what_it_quotes),
        cmocka_unit_test(explanation_quotes_words_of_every_language_as_they_are),
        cmocka_unit_test(explanation_makes_what_is_no_text_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
