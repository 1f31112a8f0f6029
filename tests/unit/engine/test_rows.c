// SPDX-License-Identifier: Apache-2.0
// CSV as rows: quotes, line ends, files cut short, and rows that cross the reader's buffer.
#include "service/engine/csv.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static gw_csv *open_bytes(const void *bytes, size_t size) {
    char path[] = "/tmp/godwit-rows-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes, size), (ssize_t)size);
    close(descriptor);
    gw_csv *csv = NULL;
    gw_status status = gw_csv_open(path, &csv);
    unlink(path);
    assert_int_equal(status, GW_OK);
    return csv;
}

// Reads all rows into one text: fields end in |, rows in their outcome's letter.
static void expect_rows(const char *text, size_t size, const char *expected) {
    static const char letters[] = "RXBEF";
    char seen[512] = "";
    size_t length = 0;
    gw_csv *csv = open_bytes(text, size);
    for (gw_rows_outcome outcome = GW_ROWS_ROW; outcome != GW_ROWS_END && outcome != GW_ROWS_FAILED;) {
        gw_row row = {0};
        outcome = gw_csv_next(csv, &row);
        for (size_t i = 0; i < row.count; i++) {
            memcpy(seen + length, row.fields[i].data, row.fields[i].size);
            length += row.fields[i].size;
            seen[length++] = '|';
        }
        seen[length++] = letters[outcome];
    }
    seen[length] = '\0';
    gw_csv_close(csv);
    assert_string_equal(seen, expected);
}

static void expect_text(const char *text, const char *expected) {
    expect_rows(text, strlen(text), expected);
}

static void plain_rows_come_as_they_are(void **state) {
    (void)state;
    expect_text("a,b\n1,2\n", "a|b|R1|2|RE");
    expect_text("a,b\r\n1,2\r\n", "a|b|R1|2|RE");
    expect_text("a,b\n1,2", "a|b|R1|2|RE");
    expect_text(" a ,\n,\n", " a ||R||RE");
    expect_text("a,b\n1,2,\n", "a|b|R1|2||RE");
    expect_text("a\rb,c\n", "a\rb|c|RE");
    expect_text("", "E");
}

static void byte_order_mark_is_no_part_of_the_header(void **state) {
    (void)state;
    expect_text("\xEF\xBB\xBFid,b\n", "id|b|RE");
}

static void quotes_hold_commas_line_ends_and_doubled_quotes(void **state) {
    (void)state;
    expect_text("\"a,b\",\"c\nd\",\"e\"\"f\"\n", "a,b|c\nd|e\"f|RE");
    expect_text("\"\",\"\"\"\"\r\n", "|\"|RE");
    expect_text("\"a\"", "a|RE");
    expect_text("a\"b,c\"\n", "a\"b|c\"|RE");
}

static void broken_quotes_are_told_and_end_with_their_line(void **state) {
    (void)state;
    expect_text("\"a\"x,b\nc,d\n", "a|b|Xc|d|RE");
    expect_text("a,\"never closed\nc,d\n", "a|never closed\nc,d\n|XE");
}

static void blank_lines_are_told(void **state) {
    (void)state;
    expect_text("a,b\n\n\r\n1,2\n\n", "a|b|R|B|B1|2|R|BE");
}

static void rows_across_the_buffer_are_whole(void **state) {
    (void)state;
    size_t size = 9u << 20, at = 0, count = 0;
    char *text = malloc(size + 64);
    for (; at < size; count++) // lengths that divide nothing, quotes that get cut anywhere
        at += (size_t)sprintf(text + at, "\"%zu \"\"x\"\"\",%.*s\n", count, (int)(count % 37),
                              "abcdefghijklmnopqrstuvwxyz0123456789!");
    gw_csv *csv = open_bytes(text, at);
    gw_row row;
    for (size_t i = 0; i < count; i++) {
        char expected[64];
        int length = sprintf(expected, "%zu \"x\"", i);
        assert_int_equal(gw_csv_next(csv, &row), GW_ROWS_ROW);
        assert_int_equal(row.count, 2);
        assert_int_equal(row.fields[0].size, length);
        assert_memory_equal(row.fields[0].data, expected, (size_t)length);
        assert_int_equal(row.fields[1].size, i % 37);
    }
    assert_int_equal(gw_csv_next(csv, &row), GW_ROWS_END);
    gw_csv_close(csv);
    free(text);
}

static void row_of_more_than_a_megabyte_fails(void **state) {
    (void)state;
    size_t size = GW_ROWS_BYTES_MAX + 10;
    char *text = malloc(size);
    memset(text, 'x', size);
    for (int with_end = 0; with_end < 2; with_end++) {
        gw_row row;
        text[size - 1] = with_end ? '\n' : 'x';
        gw_csv *csv = open_bytes(text, size);
        assert_int_equal(gw_csv_next(csv, &row), GW_ROWS_FAILED);
        gw_csv_close(csv);
    }
    free(text);
}

static void more_fields_than_fit_make_a_broken_row(void **state) {
    (void)state;
    char *text = malloc(3 * GW_ROWS_FIELDS_MAX);
    memset(text, ',', 2 * GW_ROWS_FIELDS_MAX);
    strcpy(text + 2 * GW_ROWS_FIELDS_MAX, "\na,b\n");
    gw_csv *csv = open_bytes(text, strlen(text));
    gw_row row;
    assert_int_equal(gw_csv_next(csv, &row), GW_ROWS_BROKEN);
    assert_int_equal(row.count, GW_ROWS_FIELDS_MAX);
    assert_int_equal(gw_csv_next(csv, &row), GW_ROWS_ROW);
    assert_int_equal(row.count, 2);
    gw_csv_close(csv);
    free(text);
}

static void nul_bytes_are_bytes(void **state) {
    (void)state;
    gw_csv *csv = open_bytes("a\0b,c\n", 6);
    gw_row row;
    assert_int_equal(gw_csv_next(csv, &row), GW_ROWS_ROW);
    assert_int_equal(row.fields[0].size, 3);
    gw_csv_close(csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_rows_come_as_they_are),
        cmocka_unit_test(byte_order_mark_is_no_part_of_the_header),
        cmocka_unit_test(quotes_hold_commas_line_ends_and_doubled_quotes),
        cmocka_unit_test(broken_quotes_are_told_and_end_with_their_line),
        cmocka_unit_test(blank_lines_are_told),
        cmocka_unit_test(rows_across_the_buffer_are_whole),
        cmocka_unit_test(row_of_more_than_a_megabyte_fails),
        cmocka_unit_test(more_fields_than_fit_make_a_broken_row),
        cmocka_unit_test(nul_bytes_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
