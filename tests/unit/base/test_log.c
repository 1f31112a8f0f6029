// SPDX-License-Identifier: Apache-2.0
// Log lines: one JSON object each, whatever the values hold and however long they are.
#include "service/base/log.h"
#include "tests/support/unit.h"

#define LINE_MAX 8192

// Runs `write` with stderr in a pipe and returns what it wrote.
static void captured(void (*write_lines)(void), char text[LINE_MAX]) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    write_lines();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t count = read(ends[0], text, LINE_MAX - 1);
    close(ends[0]);
    text[count < 0 ? 0 : count] = '\0';
}

static void write_plain(void) {
    gw_log(GW_LOG_INFO, "listening", "url", "ipc:///run/x", "threads", "4", NULL);
}

static void a_line_is_one_object_with_its_fields(void **state) {
    (void)state;
    char text[LINE_MAX];
    captured(write_plain, text);
    assert_memory_equal(text, "{\"time\":\"20", 11);
    const char *rest = strstr(text, "Z\",");
    assert_non_null(rest);
    assert_string_equal(rest + 3,
                        "\"level\":\"info\",\"event\":\"listening\",\"url\":\"ipc:///run/x\",\"threads\":\"4\"}\n");
}

static void write_odd(void) {
    gw_log(GW_LOG_WARN, "odd", "text", "a\"b\\c\n\t\x01\x7f\xc3\xa9", "bad",
           "\xff\xc3(\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf", NULL);
}

static void values_are_escaped_and_always_utf8(void **state) {
    (void)state;
    char text[LINE_MAX];
    captured(write_odd, text);
    assert_non_null(strstr(text, "\"text\":\"a\\\"b\\\\c\\u000a\\u0009\\u0001\\u007f\xc3\xa9\""));
    const char *bad = strstr(text, "\"bad\":\"");
    assert_non_null(bad);
    for (const char *c = bad; *c != '\0'; c++)
        assert_true((unsigned char)*c < 0x80);
    assert_null(strchr(strchr(text, '\n') + 1, '\n')); // still one line
}

static void write_long(void) {
    char value[6000];
    memset(value, '"', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    gw_log(GW_LOG_ERROR, "long", "first", "kept", "second", value, "third", "dropped", NULL);
}

static void a_line_that_is_too_long_is_cut_and_says_so(void **state) {
    (void)state;
    char text[LINE_MAX];
    captured(write_long, text);
    size_t length = strlen(text);
    assert_true(length <= 4096);
    assert_non_null(strstr(text, "\"first\":\"kept\""));
    assert_null(strstr(text, "dropped"));
    assert_string_equal(text + length - 15, "\",\"cut\":\"yes\"}\n");
    size_t slashes = 0;
    for (const char *c = text + length - 16; *c == '\\'; c--)
        slashes++;
    assert_int_equal(slashes % 2, 0); // no escape was cut in the middle
}

static size_t value_length;
static void write_near_the_end(void) {
    char value[4200];
    memset(value, 'x', value_length);
    value[value_length] = '\0';
    gw_log(GW_LOG_ERROR, "long", "first", value, "a_second_name", "b", "c", "d", NULL);
}

// A flat object of strings: quotes in pairs, nothing between strings but ':' and ','.
static bool is_object_of_strings(const char *text) {
    size_t quotes = 0;
    if (*text != '{')
        return false;
    for (text++; *text != '}' || quotes % 2 == 1; text++) {
        if (*text == '\0' || *text == '\n')
            return false;
        if (*text == '"')
            quotes++;
        else if (quotes % 2 == 0 && *text != (quotes % 4 == 2 ? ':' : ','))
            return false;
    }
    return quotes % 4 == 0 && strcmp(text, "}\n") == 0;
}

static void a_line_cut_anywhere_is_still_an_object(void **state) {
    (void)state;
    char text[LINE_MAX];
    for (value_length = 3900; value_length < 4050; value_length++) {
        captured(write_near_the_end, text);
        if (!is_object_of_strings(text))
            fail_msg("value of %zu bytes: %s", value_length, text + 3900);
        assert_true(strlen(text) <= 4096);
    }
}

static void write_levels(void) {
    gw_log(GW_LOG_DEBUG, "hidden", NULL);
    gw_log_set_level(GW_LOG_DEBUG);
    gw_log(GW_LOG_DEBUG, "shown", NULL);
    gw_log_set_level(GW_LOG_ERROR);
    gw_log(GW_LOG_WARN, "hidden", NULL);
    gw_log_set_level(GW_LOG_INFO);
}

static void the_level_filters(void **state) {
    (void)state;
    char text[LINE_MAX];
    captured(write_levels, text);
    assert_non_null(strstr(text, "shown"));
    assert_null(strstr(text, "hidden"));
}

static void write_null_value(void) {
    const char *missing = NULL;
    gw_log(GW_LOG_INFO, "event", "a", "1", "b", missing, NULL);
}

static void a_null_value_ends_the_line_safely(void **state) {
    (void)state;
    char text[LINE_MAX];
    captured(write_null_value, text);
    assert_non_null(strstr(text, "\"a\":\"1\"}\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_object_with_its_fields),
        cmocka_unit_test(values_are_escaped_and_always_utf8),
        cmocka_unit_test(a_line_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(a_line_cut_anywhere_is_still_an_object),
        cmocka_unit_test(the_level_filters),
        cmocka_unit_test(a_null_value_ends_the_line_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
