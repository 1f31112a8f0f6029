// SPDX-License-Identifier: Apache-2.0
// Drafting a policy: a header is read and nothing behind it, answers become a file that says what is still open.
#include "client/cli/policy_answers.h"
#include "client/cli/policy_checks.h"
#include "client/cli/policy_draft.h"
#include "service/base/cleanup.h"
#include "service/wire/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)

static char path[64];

static void write_file(const char *text) {
    memcpy(path, "/tmp/godwit-draft-XXXXXX", sizeof("/tmp/godwit-draft-XXXXXX"));
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

static gw_status read_header(const char *text, gw_arena *arena, gw_source *source, gw_problem *problem) {
    write_file(text);
    gw_status status = gw_source_read(path, arena, source, problem);
    unlink(path);
    return status;
}

static void a_header_is_read_and_nothing_behind_it(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 20);
    gw_source source = {0};
    gw_problem problem;
    // What follows is no CSV at all: it is not looked at.
    assert_int_equal(
        read_header("\xEF\xBB\xBFid,\"net, of tax\",\"say \"\"so\"\"\"\r\n\"\"\"\"\"", arena, &source, &problem),
        GW_OK);
    assert_int_equal(source.column_count, 3);
    assert_string_equal(source.columns[0].name, "id");
    assert_string_equal(source.columns[1].name, "net, of tax");
    assert_string_equal(source.columns[2].name, "say \"so\"");
}

// Bytes that this process has read from anywhere, as the kernel counts them.
static unsigned long long bytes_read(void) {
    char text[512] = "";
    FILE *file = fopen("/proc/self/io", "re");
    if (file == NULL)
        skip(); // a kernel that does not count
    setvbuf(file, NULL, _IONBF, 0);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    return strtoull(strstr(text, "rchar: ") + 7, NULL, 10);
}

static void no_value_leaves_the_file(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 20);
    char text[65536];
    gw_source source = {0};
    gw_problem problem;
    memset(text, '7', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text, "id,income\n", 10);
    unsigned long long before = bytes_read(), alone = bytes_read() - before;
    before = bytes_read();
    assert_int_equal(read_header(text, arena, &source, &problem), GW_OK);
    unsigned long long count = bytes_read() - before - alone;
    if (count > 4 + 10 + 8) // the four that tell Parquet, the line, and what the counts of counting differ by
        fail_msg("%llu bytes were read for a line of 10", count);
}

// A file without a header: its first line is a person, who must not get into a draft, nor onto a screen.
static void a_first_line_of_values_is_not_taken_for_names(void **state) {
    (void)state;
    static const char *const lines[] = {"1003,F,Kovacs Anna,52000\n", "Kovacs Anna,1987-03-04\n", "Kovacs Anna,-0.5\n",
                                        "Kovacs Anna,04/03/1987 12:00\n"};
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 20);
        gw_source source = {0};
        gw_problem problem;
        assert_int_equal(read_header(lines[i], arena, &source, &problem), GW_INVALID);
        assert_string_equal(problem.code, "source_header");
        assert_int_equal(source.column_count, 0);
        assert_null(strstr(problem.what, "Kovacs"));
        assert_null(strstr(problem.why, "Kovacs"));
        assert_null(strstr(problem.why, "1987"));
    }
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 20);
    gw_source source = {0};
    gw_problem problem;
    assert_int_equal(read_header("id,income 2021,c_birth,x1\n", arena, &source, &problem), GW_OK);
}

static void headers_that_name_no_columns_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {{"", "empty"},
                                           {"a;b;c\n", "';'"},
                                           {"a\tb\n", "tabs"},
                                           {"a,,c\n", "Column 2 has no name"},
                                           {"a,b,a\n", "Column 3 is another a"},
                                           {"a,\"b\n", "Quotes"},
                                           {"a,\"b\"c\n", "Quotes"}};
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 22);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_source source = {0};
        gw_problem problem = {0};
        assert_int_equal(read_header(cases[i][0], arena, &source, &problem), GW_INVALID);
        assert_string_equal(problem.code, "source_header");
        if (strstr(problem.why, cases[i][1]) == NULL)
            fail_msg("%s is not said but: %s", cases[i][1], problem.why);
    }
}

static void what_is_not_answered_is_a_value_that_asks(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 22);
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_draft_column columns[] = {
        {.name = "age", .kind = GW_DRAFT_NUMBER, .concept = "age", .is_whole = true, .min = "0", .bands = "20,65"},
        {.name = "kind", .kind = GW_DRAFT_CODES, .concept = "kind", .codes = "Full time=Full, B, \xC3\xA4=Umlaut"},
        {.name = "note", .kind = GW_DRAFT_OPEN, .concept = "note"},
        {.name = "name", .kind = GW_DRAFT_OUT, .concept = "name"},
    };
    const gw_draft draft = {
        .dataset = "nso.example/x",
        .tables = {{.name = "persons", .id = "id", .rows_max = "1", .columns = columns, .column_count = 4}},
        .table_count = 1,
        .lifetime = "10",
        .per_principal = "2",
        .question_min = "0.01",
        .question_max = "0.5",
        .cell_persons = "1000",
        .roles = "owner",
        .statistics = "count"};
    gw_buffer_init(&text, 1u << 20);
    assert_int_equal(gw_draft_write(&draft, arena, &text), 3); // population, age's max, note
    assert_int_equal(gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE("draft"), &json, NULL), GW_OK);
    const gw_json_node *table = gw_json_member(gw_json_member(gw_json_root(json), "tables"), "persons");
    const gw_json_node *read = gw_json_member(table, "columns");
    assert_int_equal(gw_json_count(read), 3);
    assert_int_equal(gw_json_integer(gw_json_member(gw_json_member(read, "age"), "min")), 0);
    assert_memory_equal(gw_json_string(gw_json_member(gw_json_member(read, "age"), "max")), "ASK", 3);
    assert_null(gw_json_member(gw_json_member(read, "age"), "bandings")); // no bands without bounds
    assert_memory_equal(gw_json_string(gw_json_member(read, "note")), "ASK", 3);
    const gw_json_node *kind = gw_json_member(read, "kind");
    assert_string_equal(gw_json_string(gw_json_member(gw_json_member(kind, "codes"), "FULL_TIME")), "Full");
    assert_string_equal(gw_json_string(gw_json_member(gw_json_member(kind, "codes"), "B")), "B");
    assert_string_equal(gw_json_string(gw_json_member(gw_json_member(kind, "recode"), "Full time")), "FULL_TIME");
    assert_string_equal(gw_json_string(gw_json_member(gw_json_member(kind, "recode"), "\xC3\xA4")), "C3");
    assert_null(gw_json_member(gw_json_member(kind, "recode"), "B"));
}

static void answers_that_cannot_be_are_told_with_their_line(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 22);
    gw_answers *answers = gw_arena_alloc(arena, sizeof(*answers));
    gw_problem problem = {0};
    const gw_draft_column column = {.name = "x", .min = "10"};
    *answers = (gw_answers){.arena = arena};
    write_file("# a comment\nx.max = 5\nx.min=10\nodd = 1\n");
    assert_int_equal(gw_answers_read(answers, path, &problem), GW_OK);
    unlink(path);
    const gw_ask_for min = {.key = "x.min", .check = gw_check_number, .state = &(gw_draft_column){0}};
    const gw_ask_for max = {.key = "x.max", .check = gw_check_number, .state = &column};
    const gw_ask_for none = {.key = "x.unit", .suggest = "EUR"};
    const gw_ask_for safe = {.key = "x.grid", .suggest = "1", .is_safe = true};
    assert_string_equal(gw_answers_ask(answers, &min), "10");
    assert_null(gw_answers_ask(answers, &none)); // nobody is there to press enter
    assert_string_equal(gw_answers_ask(answers, &safe), "1");
    assert_int_equal(gw_answers_end(answers, &problem), GW_INVALID);
    assert_string_equal(problem.code, "answer_unknown"); // line 2 was not asked for
    assert_null(gw_answers_ask(answers, &max));
    assert_int_equal(gw_answers_end(answers, &problem), GW_INVALID);
    assert_string_equal(problem.code, "answer_bad");
    assert_non_null(strstr(problem.why, "line 2"));
}

static void answers_must_be_what_a_policy_takes(void **state) {
    (void)state;
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(1u << 24);
    const gw_draft_column age = {.min = "0", .max = "120", .is_whole = true};
    const gw_draft_column whole = {.is_whole = true};
    static const long most = 5;
    const struct {
        gw_answer_check check;
        const void *state;
        const char *good, *bad;
    } cases[] = {
        {gw_check_owned, NULL, "nso.example/register", "register"},
        {gw_check_owned, NULL, "nso.example/r", "nso.example/r/s"},
        {gw_check_count, &most, "5", "6"},
        {gw_check_count, &most, "1", "01"},
        {gw_check_amount, NULL, "0.05", "0"},
        {gw_check_amount, NULL, "10", "ten"},
        {gw_check_concept, NULL, "c_birth", "C_BIRTH"},
        {gw_check_codes, arena, "A=One, B", "A=One,,B"},
        {gw_check_codes, arena, "A, B", "A, A"},
        {gw_check_number, &whole, "-3", "0.5"},
        {gw_check_number, &age, "121", "0"},
        {gw_check_grid, &age, "0.5", "7"},
        {gw_check_bands, &age, "20, 65", "65, 20"},
        {gw_check_bands, &age, "1", "121"},
        {gw_check_period, "month", "2023-12", "2023-13"},
        {gw_check_period, "quarter", "2023-Q4", "2023-Q5"},
        {gw_check_period, "year", "2023", "2023-01"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char reason[GW_REASON_MAX] = "";
        if (!cases[i].check(cases[i].state, cases[i].good, reason))
            fail_msg("%s: %s", cases[i].good, reason);
        if (cases[i].check(cases[i].state, cases[i].bad, reason) || reason[0] == '\0')
            fail_msg("%s was taken", cases[i].bad);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_and_nothing_behind_it),
        cmocka_unit_test(no_value_leaves_the_file),
        cmocka_unit_test(a_first_line_of_values_is_not_taken_for_names),
        cmocka_unit_test(headers_that_name_no_columns_are_refused),
        cmocka_unit_test(what_is_not_answered_is_a_value_that_asks),
        cmocka_unit_test(answers_that_cannot_be_are_told_with_their_line),
        cmocka_unit_test(answers_must_be_what_a_policy_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
