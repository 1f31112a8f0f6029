// SPDX-License-Identifier: Apache-2.0
// JSON-stat: the cube's order, nulls, flags and labels, whatever order the cells come in; and, where pyjstat is
// installed, that a reader no one here wrote makes the same data frame of it ($GW_PYTHON, or python3).
#include "service/format/json_stat.h"
#include "service/wire/json.h"
#include "tests/support/unit.h"
#include "tests/unit/format/answers.h"
#include <stdlib.h>
#include <string.h>

static void assert_holds(const gw_answer *answer, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_json_stat(answer, &answer_asked, NULL, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    if (strstr(gw_buffer_string(&buffer), expected) == NULL)
        fail_msg("not there: %s\nin: %s", expected, gw_buffer_string(&buffer));
    gw_buffer_done(&buffer);
}

static void a_dataset_is_a_cube_in_row_major_order(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    assert_holds(&answer,
                 "{\"version\":\"2.0\",\"class\":\"dataset\",\"label\":\"Employment rate, by Country of birth\","
                 "\"source\":\"nso.example/register\",\"note\":[\"SYNTHETIC, nobody \\\"in it\\\" exists.\",");
    assert_holds(&answer,
                 "\"id\":[\"c_birth\",\"age:work\",\"figure\"],\"size\":[2,2,4],\"role\":{\"metric\":[\"figure\"]}");
    assert_holds(&answer, "\"c_birth\":{\"label\":\"c_birth\",\"category\":{\"index\":{\"NAT\":0,\"EU_FOR\":1},");
    assert_holds(&answer, "\"value\":[66.4,63.5,69.3,1.4,101.2,80.0,100.0,9.4,-0.5,0.0,4.0,2.0,null,0.0,100.0,null],"
                          "\"status\":{\"8\":\"u\",\"12\":\"u\"}");
    assert_holds(&answer, "\"extension\":{\"release\":\"GW-2026-000143\"");
    assert_holds(&answer, "\"epsilon\":\"0.05\",\"per\":null,\"weighted\":false,\"bounds\":null,\"dummy\":false,");
}

static void cells_find_their_place_in_any_order_and_gaps_are_null(void **state) {
    (void)state;
    const gw_answer_cell cells[] = {answer_cells[0], answer_cells[3], answer_cells[2]};
    gw_answer answer = answer_sample();
    answer.cells = cells;
    answer.cell_count = 3;
    assert_holds(&answer, "\"value\":[66.4,63.5,69.3,1.4,null,null,null,null,-0.5,0.0,4.0,2.0,null,0.0,100.0,null]");
}

static void one_figure_is_a_cube_of_one_dimension(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    answer.by_count = 0;
    answer.cell_count = 1;
    assert_holds(&answer, "\"id\":[\"figure\"],\"size\":[4]");
    assert_holds(&answer, "\"value\":[66.4,63.5,69.3,1.4],\"status\":{}");
}

// Unknown keys are somebody's texts, each a category of its own; and there may be none.
static void keys_are_categories_whatever_they_hold(void **state) {
    (void)state;
    static const char *const by[] = {"workplace"};
    static const char *const keys[][1] = {{"A \"B\", C"}, {"a|b\\"}, {"\xc3\x96"}};
    gw_answer_cell cells[3];
    gw_answer answer = answer_sample();
    for (size_t i = 0; i < 3; i++) {
        cells[i] = answer_cells[0];
        cells[i].key = keys[i];
    }
    answer.by = by;
    answer.by_count = 1;
    answer.cells = cells;
    answer.cell_count = 3;
    assert_holds(&answer, "\"category\":{\"index\":{\"A \\\"B\\\", C\":0,\"a|b\\\\\":1,\"\xc3\x96\":2}");
    assert_holds(&answer, "\"size\":[3,4]");
    answer.cell_count = 0;
    assert_holds(&answer, "\"size\":[0,4]");
    assert_holds(&answer, "\"value\":[],\"status\":{}");
}

static void a_concept_called_figure_keeps_its_name(void **state) {
    (void)state;
    static const char *const by[] = {"figure", "time_period"};
    gw_answer answer = answer_sample();
    answer.by = by;
    assert_holds(&answer, "\"id\":[\"figure\",\"time_period\",\"figure_\"]");
    assert_holds(&answer, "\"role\":{\"time\":[\"time_period\"],\"metric\":[\"figure_\"]}");
}

static void dummies_and_bounds_are_named(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    answer.is_dummy = true;
    answer.bounds_kind = "clamp-total";
    answer.bounds_total = "60000";
    answer.bounds_note = "Large totals are cut.";
    assert_holds(&answer, "\"label\":\"NOT REAL - Employment rate");
    assert_holds(&answer, "\"note\":[\"NOT REAL: ");
    assert_holds(&answer,
                 "\"bounds\":{\"kind\":\"clamp-total\",\"units\":null,\"total\":\"60000\",\"note\":\"Large totals are "
                 "cut.\"},\"dummy\":true,\"notice\":\"NOT REAL: ");
}

// Six breakdowns of a thousand codes each, on the diagonal: a thousand cells must not become 10^18 values.
static void a_scattered_answer_is_refused_before_it_fills_the_memory(void **state) {
    (void)state;
    enum { CELLS = 1000 };
    static const char *const by[] = {"a", "b", "c", "d", "e", "f"};
    static char names[CELLS][8];
    static const char *keys[CELLS][6];
    static gw_answer_cell cells[CELLS];
    for (int i = 0; i < CELLS; i++) {
        snprintf(names[i], sizeof(names[i]), "N%d", i);
        for (int k = 0; k < 6; k++)
            keys[i][k] = names[i];
        cells[i] = (gw_answer_cell){.key = keys[i], .estimate = "1", .flag = ""};
    }
    gw_answer answer = answer_sample();
    answer.by = by;
    answer.by_count = 6;
    answer.cells = cells;
    answer.cell_count = CELLS;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1 << 20);
    gw_format_json_stat(&answer, &answer_asked, NULL, &buffer);
    assert_int_equal(buffer.status, GW_LIMIT);
    gw_buffer_done(&buffer);
}

static void pyjstat_reads_it_as_a_data_frame(void **state) {
    (void)state;
    static const char script[] =
        "import sys\n"
        "try:\n"
        "    from pyjstat import pyjstat\n"
        "except ImportError:\n"
        "    sys.exit(77)\n"
        "d = pyjstat.Dataset.read(open(sys.argv[1]).read())\n"
        "f = d.write('dataframe', naming='id')\n"
        "assert list(f.columns) == ['c_birth', 'age:work', 'figure', 'value'], f.columns\n"
        "def at(c, a, x): return f[(f.c_birth==c) & (f['age:work']==a) & (f.figure==x)].value.iloc[0]\n"
        "assert at('NAT', '_U', 'estimate') == 101.2\n"
        "assert at('EU_FOR', 'Y20T64', 'lower') == 0.0\n"
        "assert f.value.isna().sum() == 2 and len(f) == 16\n"
        "assert d['size'] == [2, 2, 4] and d['extension']['release'] == 'GW-2026-000143'\n";
    const char *python = getenv("GW_PYTHON");
    char file[] = "/tmp/godwit-json-stat-XXXXXX", program[] = "/tmp/godwit-json-stat-XXXXXX", command[512];
    gw_answer answer = answer_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_json_stat(&answer, &answer_asked, NULL, &buffer);
    int data = mkstemp(file), code = mkstemp(program);
    assert_true(data >= 0 && code >= 0);
    assert_int_equal(write(data, buffer.data, buffer.size), (ssize_t)buffer.size);
    assert_int_equal(write(code, script, sizeof(script) - 1), (ssize_t)sizeof(script) - 1);
    close(data);
    close(code);
    snprintf(command, sizeof(command), "'%s' %s %s", python == NULL ? "python3" : python, program, file);
    int result = system(command);
    unlink(file);
    unlink(program);
    gw_buffer_done(&buffer);
    if (WEXITSTATUS(result) == 77 || WEXITSTATUS(result) == 127)
        skip(); // not installed here
    assert_int_equal(result, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dataset_is_a_cube_in_row_major_order),
        cmocka_unit_test(cells_find_their_place_in_any_order_and_gaps_are_null),
        cmocka_unit_test(one_figure_is_a_cube_of_one_dimension),
        cmocka_unit_test(keys_are_categories_whatever_they_hold),
        cmocka_unit_test(a_concept_called_figure_keeps_its_name),
        cmocka_unit_test(dummies_and_bounds_are_named),
        cmocka_unit_test(a_scattered_answer_is_refused_before_it_fills_the_memory),
        cmocka_unit_test(pyjstat_reads_it_as_a_data_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
