// SPDX-License-Identifier: Apache-2.0
// The flat formats, csv and ndjson: codes, unbiased figures as released, what is not real named in every line.
#include "service/format/csv.h"
#include "service/format/fields.h"
#include "service/format/ndjson.h"
#include "service/wire/json.h"
#include "tests/support/unit.h"
#include "tests/unit/format/answers.h"
#include <string.h>

static void assert_csv(const gw_answer *answer, const char *expected) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_csv(answer, &answer_asked, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), expected);
    gw_buffer_done(&buffer);
}

static void csv_keeps_codes_and_unbiased_figures(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    assert_csv(
        &answer,
        "c_birth,age:work,estimate,lower,upper,se,flag,unit,statistic,dataset,indicator,release,of,where,epsilon,per,"
        "weighted,bounds,dummy,notice\n"
        "NAT,Y20T64,66.4,63.5,69.3,1.4,,PC,rate,nso.example/register,employment_rate,GW-2026-000143,,\"isced11=ED0-2,"
        "ED3_4 and sex=F\",0.05,,false,,false,\"SYNTHETIC, nobody \"\"in it\"\" exists.\"\n"
        "NAT,_U,101.2,80.0,100.0,9.4,,PC,rate,nso.example/register,employment_rate,GW-2026-000143,,\"isced11=ED0-2,"
        "ED3_4 and sex=F\",0.05,,false,,false,\"SYNTHETIC, nobody \"\"in it\"\" exists.\"\n"
        "EU_FOR,Y20T64,-0.5,0.0,4.0,2.0,u,PC,rate,nso.example/register,employment_rate,GW-2026-000143,,\"isced11=ED0-2,"
        "ED3_4 and sex=F\",0.05,,false,,false,\"SYNTHETIC, nobody \"\"in it\"\" exists.\"\n"
        "EU_FOR,_U,,0.0,100.0,,u,PC,rate,nso.example/register,employment_rate,GW-2026-000143,,\"isced11=ED0-2,"
        "ED3_4 and sex=F\",0.05,,false,,false,\"SYNTHETIC, nobody \"\"in it\"\" exists.\"\n");
}

static void a_column_without_anything_to_say_is_there_and_empty(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    answer.notice = NULL;
    answer.indicator = NULL;
    answer.by_count = 0;
    answer.cell_count = 1;
    answer.is_per_person = answer.is_weighted = true;
    answer.bounds_kind = "keep-rows";
    answer.bounds_units = "3";
    assert_csv(&answer, "estimate,lower,upper,se,flag,unit,statistic,dataset,indicator,release,of,where,epsilon,per,"
                        "weighted,bounds,dummy,notice\n"
                        "66.4,63.5,69.3,1.4,,PC,rate,nso.example/register,,GW-2026-000143,,\"isced11=ED0-2,"
                        "ED3_4 and sex=F\",0.05,person,true,keep-rows 3,false,\n");
}

static void every_line_of_dummies_says_they_are_not_real(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    gw_buffer csv, ndjson;
    gw_buffer_init(&csv, 65536);
    gw_buffer_init(&ndjson, 65536);
    answer.is_dummy = true;
    answer.notice = NULL;
    gw_format_csv(&answer, &answer_asked, &csv);
    gw_format_ndjson(&answer, &answer_asked, &ndjson);
    assert_non_null(strstr(gw_buffer_string(&csv), ",bounds,dummy,notice\n"));
    unsigned lines = 0, named_csv = 0, named_ndjson = 0;
    for (const char *c = gw_buffer_string(&csv); (c = strstr(c, ",true,\"NOT REAL: ")) != NULL; c++)
        named_csv++;
    for (const char *c = gw_buffer_string(&ndjson); (c = strstr(c, "\"dummy\":true,\"notice\":\"NOT REAL: ")) != NULL;
         c++)
        named_ndjson++;
    for (const char *c = gw_buffer_string(&ndjson); (c = strchr(c, '\n')) != NULL; c++)
        lines++;
    assert_int_equal(lines, answer.cell_count);
    assert_int_equal(named_csv, answer.cell_count);
    assert_int_equal(named_ndjson, answer.cell_count);
    gw_buffer_done(&csv);
    gw_buffer_done(&ndjson);
}

static void every_line_of_ndjson_is_an_object_of_the_same_texts(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    gw_buffer buffer;
    gw_buffer_init(&buffer, 65536);
    gw_format_ndjson(&answer, &answer_asked, &buffer);
    const char *line = gw_buffer_string(&buffer);
    for (size_t i = 0; i < answer.cell_count; i++) {
        size_t size = strcspn(line, "\n");
        gw_json *json;
        gw_problem problem;
        assert_int_equal(gw_json_parse((gw_bytes){(const uint8_t *)line, size}, GW_JSON_REPLY, &json, &problem), GW_OK);
        const gw_json_node *root = gw_json_root(json);
        const gw_answer_cell *cell = &answer.cells[i];
        assert_string_equal(gw_json_string(gw_json_member(root, "c_birth")), cell->key[0]);
        assert_string_equal(gw_json_string(gw_json_member(root, "age:work")), cell->key[1]);
        assert_string_equal(gw_json_string(gw_json_member(root, "lower")), cell->lower);
        if (cell->estimate == NULL)
            assert_int_equal(gw_json_type_of(gw_json_member(root, "estimate")), GW_JSON_NULL);
        else
            assert_string_equal(gw_json_string(gw_json_member(root, "estimate")), cell->estimate);
        assert_false(gw_json_bool(gw_json_member(root, "weighted")));
        assert_string_equal(gw_json_string(gw_json_member(root, "notice")), answer.notice);
        gw_json_free(json);
        line += size + 1;
    }
    assert_int_equal(*line, '\0');
    gw_buffer_done(&buffer);
}

static void assert_line(const gw_answer *answer, const char *name, const char *value) {
    gw_fields fields;
    size_t found = 0;
    gw_fields_init(&fields, answer, &answer_asked);
    for (size_t i = 0; i < fields.count; i++)
        if (strcmp(fields.items[i].name, name) == 0) {
            found++;
            assert_string_equal(fields.items[i].value, value);
        }
    assert_int_equal(found, 1);
    gw_fields_done(&fields);
}

// A file that is passed on alone says what its figures are: of which groups, over what, below which line, how sure.
static void what_a_figure_cannot_be_read_without_is_in_every_line(void **state) {
    (void)state;
    gw_answer answer = answer_sample();
    answer.gap_of = "rate";
    answer.gap_concept = "c_birth";
    answer.gap_group = "NEU_FOR";
    answer.gap_reference = "NAT";
    answer.over = "hours";
    answer.fraction = "0.6";
    answer.line = (gw_answer_line){.unit = "EUR", .threshold_lower = "19080", .threshold_upper = "19320"};
    answer.selection_delta = "1e-9";
    answer.rank_error = "28";
    answer.level = "0.9";
    assert_line(&answer, "gap", "c_birth=NEU_FOR:NAT");
    assert_line(&answer, "gap_of", "rate");
    assert_line(&answer, "over", "hours");
    assert_line(&answer, "fraction", "0.6");
    assert_line(&answer, "line", ""); // not determinable; its range is
    assert_line(&answer, "line_lower", "19080");
    assert_line(&answer, "line_upper", "19320");
    assert_line(&answer, "line_unit", "EUR");
    assert_line(&answer, "rank_error", "28");
    assert_line(&answer, "delta", "1e-9");
    assert_line(&answer, "level", "0.9");
}

// A concept is called what its policy calls it; two columns of one name would hide one of them.
static void a_concept_never_takes_a_field_s_name(void **state) {
    (void)state;
    static const char *const by[] = {"unit", "sex"};
    gw_answer answer = answer_sample();
    gw_fields fields;
    answer.by = by;
    gw_fields_init(&fields, &answer, &answer_asked);
    assert_string_equal(fields.keys[0], "by_unit");
    assert_string_equal(fields.keys[1], "sex");
    gw_fields_done(&fields);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_keeps_codes_and_unbiased_figures),
        cmocka_unit_test(a_column_without_anything_to_say_is_there_and_empty),
        cmocka_unit_test(every_line_of_dummies_says_they_are_not_real),
        cmocka_unit_test(every_line_of_ndjson_is_an_object_of_the_same_texts),
        cmocka_unit_test(what_a_figure_cannot_be_read_without_is_in_every_line),
        cmocka_unit_test(a_concept_never_takes_a_field_s_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
