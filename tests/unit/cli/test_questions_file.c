// SPDX-License-Identifier: Apache-2.0
// Files of questions: the sample is read, comments and all; what is wrong is told with its place; short names resolve.
#include "client/cli/questions_file.h"
#include "service/base/cleanup.h"
#include "tests/support/unit.h"

typedef struct {
    gw_arena *arena;
    gw_json *json;
    gw_question basket;
    gw_problem problem;
    gw_status status;
} reading;

static void reading_done(reading *r) {
    gw_json_free(r->json);
    gw_arena_free(r->arena);
}

static reading read_path(const char *path) {
    reading r = {.arena = gw_arena_new(1u << 20)};
    r.status = gw_questions_file_read(path, r.arena, &r.json, &r.basket, &r.problem);
    return r;
}

static reading read_text(void **state, const char *text) {
    char path[256];
    FILE *file = fopen(unit_path(state, "questions.json", path), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return read_path(path);
}

static void the_sample_is_read(void **state) {
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%s/policies/samples/register.questions.json", getenv("GW_SOURCE"));
    GW_CLEANUP(reading_done) reading r = read_path(path);
    if (r.status != GW_OK)
        fail_msg("%s %s", r.problem.what, r.problem.why);
    assert_int_equal(r.basket.basket_count, 5);
    assert_string_equal(r.basket.basket[0].target_error, "3");
    assert_string_equal(r.basket.basket[3].of, "income");
}

// The schema's own example is a file of this kind.
static void the_schemas_example_is_read(void **state) {
    char path[4096];
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 1u << 20);
    snprintf(path, sizeof path, "%s/policies/schema/questions.json", getenv("GW_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char chunk[4096];
    for (size_t size; (size = fread(chunk, 1, sizeof chunk, file)) > 0;)
        gw_buffer_append(&text, chunk, size);
    fclose(file);
    const char *example = strstr(gw_buffer_string(&text), "\"examples\": [");
    assert_non_null(example);
    example = strchr(example, '{');
    char *end = strrchr((char *)text.data, ']');
    assert_true(end > example);
    *end = '\0';
    GW_CLEANUP(reading_done) reading r = read_text(state, example);
    if (r.status != GW_OK)
        fail_msg("%s %s", r.problem.what, r.problem.why);
    assert_int_equal(r.basket.basket_count, 2);
}

#define FILE_OF(questions) "{\"godwit_questions\":1,\n \"questions\":[" questions "]}"
static void what_is_wrong_is_told_with_its_place(void **state) {
    static const struct {
        const char *text, *code, *place;
    } cases[] = {
        {"{}", "missing_field", "line 1"},
        {"[]", "wrong_type", "line 1"},
        {"{\"godwit_questions\":2,\"questions\":[]}", "bad_version", "line 1"},
        {"{\"godwit_questions\":1,\"question\":[]}", "unknown_field", "line 1"},
        {FILE_OF(""), "too_many", "line 2"},
        {FILE_OF("\n{\"dataset\":\"register\"}"), "missing_field", "line 3"},
        {FILE_OF("\n{\"dataset\":\"register\",\"indicator\":\"i\",\n\"epsilon\":0.1}"), "json_number", "line 4"},
        {FILE_OF("\n{\"dataset\":\"register\",\"indicator\":\"i\",\n\"epsilon\":\"0\"}"), "bad_epsilon", "line 4"},
        {FILE_OF("\n{\"dataset\":\"register\",\"indicator\":\"i\",\"max_cost\":\"1\"}"), "unknown_field", "line 3"},
        {FILE_OF("{\"dataset\":\"register\",\"indicator\":\"i\"},"), "json_syntax", "line 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        GW_CLEANUP(reading_done) reading r = read_text(state, cases[i].text);
        assert_int_not_equal(r.status, GW_OK);
        assert_string_equal(r.problem.code, cases[i].code);
        if (strstr(r.problem.why, cases[i].place) == NULL || strstr(r.problem.why, "questions.json") == NULL)
            fail_msg("%s: %s", cases[i].text, r.problem.why);
    }
    GW_CLEANUP(reading_done) reading missing = read_path("/nowhere/questions.json");
    assert_string_equal(missing.problem.code, "file_missing");
}

static void short_names_become_full_ones(void **state) {
    static const char catalogue[] = "{\"v\":1,\"datasets\":[{\"dataset\":\"a.example/register\"},{\"dataset\":"
                                    "\"a.example/survey\"}],\"indicators\":[]}";
    gw_names *names = NULL;
    gw_problem problem;
    assert_int_equal(gw_names_read(gw_bytes_of(catalogue), &names, &problem), GW_OK);
    GW_CLEANUP(reading_done)
    reading r = read_text(
        state, FILE_OF("{\"dataset\":\"survey\",\"indicator\":\"i\"},{\"dataset\":\"a.example/register\",\"indicator\":"
                       "\"i\"} // the same people\n"));
    assert_int_equal(r.status, GW_OK);
    assert_int_equal(gw_questions_file_resolve(names, r.arena, &r.basket, &r.problem), GW_OK);
    assert_string_equal(r.basket.basket[0].dataset, "a.example/survey");
    assert_string_equal(r.basket.basket[1].dataset, "a.example/register");
    GW_CLEANUP(reading_done) reading wrong = read_text(state, FILE_OF("{\"dataset\":\"surve\",\"indicator\":\"i\"}"));
    assert_int_equal(wrong.status, GW_OK);
    assert_int_equal(gw_questions_file_resolve(names, wrong.arena, &wrong.basket, &wrong.problem), GW_NOT_FOUND);
    assert_string_equal(wrong.problem.code, "unknown_dataset");
    gw_names_free(names);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, unit_folder_new, unit_folder_free)
int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_sample_is_read),
        CASE(the_schemas_example_is_read),
        CASE(what_is_wrong_is_told_with_its_place),
        CASE(short_names_become_full_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
