// SPDX-License-Identifier: Apache-2.0
// Text at a terminal: widths, wrapping, thousands, and that nothing from elsewhere can play with the reader's screen.
#include "service/format/text.h"
#include "tests/support/unit.h"
#include <string.h>

static void width_counts_columns_not_bytes(void **state) {
    (void)state;
    assert_int_equal(gw_text_width("abc", 3), 3);
    assert_int_equal(gw_text_width("é·±", strlen("é·±")), 3);
    assert_int_equal(gw_text_width("e\xCC\x81", 3), 1); // e with a combining accent
    assert_int_equal(gw_text_width("日本", strlen("日本")), 4);
    assert_int_equal(gw_text_width("\xC3", 1), 1); // a broken byte still takes a place
}

static void assert_clean(const char *text, bool is_unicode, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1024);
    gw_text_clean(&buffer, text, is_unicode);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void clean_leaves_no_escape_sequence(void **state) {
    (void)state;
    assert_clean("a\033[2Jb", true, "a?[2Jb");
    assert_clean("a\rb\ac\x7F", true, "a?b?c?");
    assert_clean("\xC2\x9B"
                 "31m",
                 true, "?31m");                  // C1 control: CSI in one character
    assert_clean("x\xE2\x80\xAEy", true, "x?y"); // right-to-left override
    assert_clean("\xFFz\xE2\x82", true, "?z??"); // broken UTF-8
    assert_clean("two\nlines", true, "two\nlines");
}

static void clean_writes_ascii_where_the_terminal_has_no_more(void **state) {
    (void)state;
    assert_clean("±3 · x — “y” → …", false, "+/-3 - x - \"y\" -> ...");
    assert_clean("Österreich, Kärnten, ÀÿÆß×÷", false, "Osterreich, Karnten, AyAsx/");
    assert_clean("日本Ωě", false, "????");
    assert_clean("Österreich ±3", true, "Österreich ±3");
}

static void assert_wrapped(const char *text, unsigned width, unsigned column, unsigned indent, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1024);
    gw_text_wrap(&buffer, text, width, column, indent);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void wrap_breaks_at_spaces_and_keeps_the_column(void **state) {
    (void)state;
    assert_wrapped("one two three", 80, 0, 2, "one two three\n");
    assert_wrapped("one two three", 8, 0, 2, "one two\n  three\n");
    assert_wrapped("one two three", 13, 5, 5, "one two\n     three\n");
    assert_wrapped("", 10, 0, 0, "\n");
}

static void wrap_breaks_a_word_that_fits_no_line(void **state) {
    (void)state;
    assert_wrapped("abcdefgh", 3, 0, 0, "abc\ndef\ngh\n");
    assert_wrapped("/a/bcdef/gh_ijk", 8, 0, 0, "/a/bcdef\n/gh_ijk\n");
    assert_wrapped("ab_cdefgh", 5, 0, 0, "ab_\ncdefg\nh\n");
    assert_wrapped("日本語", 4, 0, 0, "日本\n語\n");
    assert_wrapped("日", 1, 0, 0, "日\n"); // wider than the line: taken all the same, or it would never end
}

static void assert_thousands(const char *decimal, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 256);
    gw_text_thousands(&buffer, decimal);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void thousands_touch_only_plain_decimals(void **state) {
    (void)state;
    assert_thousands("0", "0");
    assert_thousands("999", "999");
    assert_thousands("1000", "1,000");
    assert_thousands("-1234567.25", "-1,234,567.25");
    assert_thousands("12345678901234567890123", "12,345,678,901,234,567,890,123");
    assert_thousands("1e5", "1e5");
    assert_thousands("GW-2026", "GW-2026");
    assert_thousands("", "");
}

static void assert_number(const char *decimal, gw_numbers numbers, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 256);
    gw_text_number(&buffer, decimal, &numbers);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void numbers_follow_their_reader(void **state) {
    (void)state;
    const gw_numbers german = {",", ".", "\3\3"}, hindi = {".", ",", "\3\2"}, none = {",", "", ""},
                     once = {".", "'", "\3\x7F"};
    assert_number("-1234567.25", german, "-1.234.567,25");
    assert_number("123456789", hindi, "12,34,56,789");
    assert_number("1234567.5", none, "1234567,5");
    assert_number("1234567", once, "1234'567"); // CHAR_MAX: no further groups
    assert_number("1234.5", (gw_numbers){0}, "1,234.5");
    assert_number("too uncertain", german, "too uncertain");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(width_counts_columns_not_bytes),
        cmocka_unit_test(clean_leaves_no_escape_sequence),
        cmocka_unit_test(clean_writes_ascii_where_the_terminal_has_no_more),
        cmocka_unit_test(wrap_breaks_at_spaces_and_keeps_the_column),
        cmocka_unit_test(wrap_breaks_a_word_that_fits_no_line),
        cmocka_unit_test(thousands_touch_only_plain_decimals),
        cmocka_unit_test(numbers_follow_their_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
