// SPDX-License-Identifier: Apache-2.0
// Grids: golden layouts, the promise that no line is wider than asked, and the same rows for programs.
#include "service/format/csv.h"
#include "service/format/grid.h"
#include "service/format/text.h"
#include "tests/support/unit.h"
#include <string.h>

static const gw_grid_column two_columns[] = {{"name", "NAME", GW_ALIGN_LEFT, true},
                                             {"cost", "COST", GW_ALIGN_RIGHT, false}};

static void assert_text(const gw_grid *grid, unsigned width, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_grid_text(grid, width, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void columns_line_up_and_figures_stand_right(void **state) {
    (void)state;
    gw_grid *grid = gw_grid_new(two_columns, 2);
    gw_grid_add(grid, (const char *[]){"alpha", "0.05"});
    gw_grid_add(grid, (const char *[]){"Ö", "12.00"});
    gw_grid_add(grid, (const char *[]){NULL, "1"});
    assert_text(grid, 80,
                " NAME    COST\n"
                " alpha   0.05\n"
                " Ö      12.00\n"
                "            1\n");
    gw_grid_free(grid);
}

static void labels_wrap_before_figures_do(void **state) {
    (void)state;
    gw_grid *grid = gw_grid_new(two_columns, 2);
    gw_grid_add(grid, (const char *[]){"a rather long label here", "1,234,567.00"});
    assert_text(grid, 26,
                " NAME                 COST\n"
                " a rather     1,234,567.00\n"
                " long label\n"
                " here\n");
    gw_grid_free(grid);
}

static void bars_give_way_before_anything_wraps(void **state) {
    (void)state;
    const gw_grid_column columns[] = {{"name", "NAME", GW_ALIGN_LEFT, true},
                                      {"cost", "COST", GW_ALIGN_RIGHT, false},
                                      {"BAR", "", GW_ALIGN_BAR, false}};
    gw_grid *grid = gw_grid_new(columns, 3);
    gw_grid_add(grid, (const char *[]){"one of two", "24", "████████████████████████"});
    gw_grid_add(grid, (const char *[]){"half", "12", "████████████"});
    assert_text(grid, 44,
                " NAME        COST\n"
                " one of two    24  ████████████████████████\n"
                " half          12  ████████████\n");
    assert_text(grid, 31, // both shorter, and one still half the other
                " NAME        COST\n"
                " one of two    24  ████████████\n"
                " half          12  ██████\n");
    assert_text(grid, 20, // too little is left to compare
                " NAME        COST\n"
                " one of two    24\n"
                " half          12\n");
    gw_grid_free(grid);
}

static void words_break_at_their_parts_and_never_elsewhere(void **state) {
    (void)state;
    gw_grid *grid = gw_grid_new(two_columns, 2);
    gw_grid_add(grid, (const char *[]){"demo.example/register", "mean_weekly_hours"});
    assert_text(grid, 24,
                " NAME               COST\n"
                " demo.example      mean_\n"
                " /register       weekly_\n"
                "                   hours\n");
    // Narrower than its parts: a row is a block, and an empty cell is left out.
    gw_grid_add(grid, (const char *[]){NULL, "12.00"});
    assert_text(grid, 20,
                " NAME  demo.example\n"
                "       /register\n"
                " COST  mean_weekly_\n"
                "       hours\n"
                "\n"
                " COST  12.00\n");
    gw_grid_free(grid);
}

// A header longer than half a line stands on a line of its own.
static void blocks_keep_their_width_with_long_headers(void **state) {
    (void)state;
    const gw_grid_column column = {"a", "A HEADER OF SO MANY WORDS", GW_ALIGN_LEFT, true};
    gw_grid *grid = gw_grid_new(&column, 1);
    gw_grid_add(grid, (const char *[]){"unbreakable-and-very-long-word"});
    assert_text(grid, 24,
                " A HEADER OF SO MANY\n"
                " WORDS\n"
                "            unbreakable-\n"
                "            and-very-lon\n"
                "            g-word\n");
    gw_grid_free(grid);
}

// Every width is kept, whatever the cells hold.
static void no_line_is_wider_than_asked(void **state) {
    (void)state;
    const gw_grid_column columns[] = {{"a", "COUNTRY OF BIRTH", GW_ALIGN_LEFT, true},
                                      {"b", "SEX", GW_ALIGN_LEFT, true},
                                      {"c", "ESTIMATE", GW_ALIGN_RIGHT, false},
                                      {"d", "LIKELY BETWEEN", GW_ALIGN_RIGHT, false},
                                      {"e", "FLAG", GW_ALIGN_LEFT, false}};
    gw_grid *grid = gw_grid_new(columns, 5);
    gw_grid_add(grid, (const char *[]){"Foreign country outside the European Union", "Women", "1,234,567,890.12",
                                       "1,234,567,800.00 and 1,234,567,990.00", "u"});
    gw_grid_add(grid, (const char *[]){"日本日本日本日本日本", "x", "too uncertain", "-", ""});
    for (unsigned width = 30; width <= 120; width++) {
        gw_buffer buffer;
        gw_buffer_init(&buffer, 65536);
        gw_grid_text(grid, width, &buffer);
        for (const char *line = gw_buffer_string(&buffer); *line != '\0'; line += strcspn(line, "\n") + 1) {
            size_t size = strcspn(line, "\n");
            assert_true(gw_text_width(line, size) <= width);
            assert_true(size == 0 || line[size - 1] != ' ');
        }
        gw_buffer_done(&buffer);
    }
    gw_grid_free(grid);
}

static void csv_quotes_what_would_break_a_line(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1024);
    gw_csv_row(&buffer, (const char *[]){"plain", "a,b", "say \"hi\"", "two\nlines", NULL, "", " edge", "cr\r"}, 8);
    assert_string_equal(gw_buffer_string(&buffer),
                        "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",,,\" edge\",\"cr\r\"\n");
    gw_buffer_done(&buffer);
}

static void csv_and_json_hold_the_same_rows(void **state) {
    (void)state;
    gw_buffer csv, json;
    gw_buffer_init(&csv, 1024);
    gw_buffer_init(&json, 1024);
    gw_grid *grid = gw_grid_new(two_columns, 2);
    gw_grid_add(grid, (const char *[]){"a,\"b\"", "0.05"});
    gw_grid_add(grid, (const char *[]){NULL, "1"});
    gw_grid_csv(grid, &csv);
    gw_grid_json(grid, &json);
    assert_string_equal(gw_buffer_string(&csv), "name,cost\n\"a,\"\"b\"\"\",0.05\n,1\n");
    assert_string_equal(gw_buffer_string(&json),
                        "[{\"name\":\"a,\\\"b\\\"\",\"cost\":\"0.05\"},{\"name\":null,\"cost\":\"1\"}]\n");
    gw_grid_free(grid);
    gw_buffer_done(&csv);
    gw_buffer_done(&json);
}

static void ndjson_and_md_hold_the_same_rows(void **state) {
    (void)state;
    const gw_grid_column nameless[] = {{"name", "", GW_ALIGN_LEFT, true}, {"cost", "COST", GW_ALIGN_RIGHT, false}};
    gw_buffer ndjson, md;
    gw_buffer_init(&ndjson, 1024);
    gw_buffer_init(&md, 1024);
    gw_grid *grid = gw_grid_new(nameless, 2);
    gw_grid_add(grid, (const char *[]){"a|\"b\"", "0.05"});
    gw_grid_add(grid, (const char *[]){NULL, "1"});
    gw_grid_ndjson(grid, &ndjson);
    gw_grid_md(grid, &md);
    assert_string_equal(gw_buffer_string(&ndjson),
                        "{\"name\":\"a|\\\"b\\\"\",\"cost\":\"0.05\"}\n{\"name\":null,\"cost\":\"1\"}\n");
    assert_string_equal(gw_buffer_string(&md), "| name | COST |\n| --- | ---: |\n| a\\|\"b\" | 0.05 |\n|  | 1 |\n");
    gw_grid_free(grid);
    gw_buffer_done(&ndjson);
    gw_buffer_done(&md);
}

// A table that lost rows must not pass for a whole one.
static void a_grid_too_big_for_its_memory_says_so(void **state) {
    (void)state;
    static char big[1 << 20];
    memset(big, 'x', sizeof(big) - 1);
    gw_grid *grid = gw_grid_new(two_columns, 2);
    for (int i = 0; i < 80; i++)
        gw_grid_add(grid, (const char *[]){big, "1"});
    gw_buffer buffer;
    gw_buffer_init(&buffer, SIZE_MAX / 2);
    gw_grid_csv(grid, &buffer);
    assert_int_equal(buffer.status, GW_LIMIT);
    assert_int_equal(buffer.size, 0);
    gw_buffer_done(&buffer);
    gw_grid_free(grid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_and_figures_stand_right),
        cmocka_unit_test(labels_wrap_before_figures_do),
        cmocka_unit_test(bars_give_way_before_anything_wraps),
        cmocka_unit_test(words_break_at_their_parts_and_never_elsewhere),
        cmocka_unit_test(blocks_keep_their_width_with_long_headers),
        cmocka_unit_test(no_line_is_wider_than_asked),
        cmocka_unit_test(csv_quotes_what_would_break_a_line),
        cmocka_unit_test(csv_and_json_hold_the_same_rows),
        cmocka_unit_test(ndjson_and_md_hold_the_same_rows),
        cmocka_unit_test(a_grid_too_big_for_its_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
