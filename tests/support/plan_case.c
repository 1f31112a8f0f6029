// SPDX-License-Identifier: Apache-2.0
// Plans for tests: policy, question and plan, each freed when the next takes its place.
#include "tests/support/plan_case.h"

#include "service/base/crypto.h"
#include "service/query/encode.h"

#define POLICY_BYTES_MAX 16384

static void source_path(const char *name, char path[4096]) {
    snprintf(path, 4096, "%s/%s", getenv("GW_SOURCE"), name);
}

void plan_case_open(plan_case *it, const char *indicators, const char *also) {
    char folder[4096];
    *it = (plan_case){.also = also};
    assert_int_equal(gw_crypto_init(), GW_OK);
    source_path("policies/indicators", folder);
    if (gw_catalogue_load(indicators == NULL ? folder : indicators, &it->catalogue, &it->problem) != GW_OK)
        fail_msg("%s %s", it->problem.what, it->problem.why);
}

void plan_case_close(plan_case *it) {
    gw_json_free(it->json);
    gw_arena_free(it->arena);
    gw_policy_free(it->policy);
    gw_catalogue_free(it->catalogue);
}

plan_case *plan_case_new(const char *policy_text, const char *also) {
    plan_case *made = calloc(1, sizeof *made);
    assert_non_null(made);
    plan_case_open(made, NULL, also);
    plan_case_policy(made, policy_text);
    return made;
}

int plan_case_teardown(void **state) {
    plan_case_close(*state);
    free(*state);
    return 0;
}

void plan_case_policy(plan_case *it, const char *text) {
    char folder[4096];
    gw_policy_free(it->policy);
    it->policy = NULL;
    source_path("policies/codelists", folder);
    if (gw_policy_load(gw_bytes_of(text), "test", folder, &it->policy, &it->problem) != GW_OK)
        fail_msg("%s %s %s", it->problem.what, it->problem.why, it->problem.mend);
}

void plan_case_change(plan_case *it, const char *text, const char *from, const char *to) {
    gw_buffer changed;
    const char *at = strstr(text, from);
    assert_non_null(at);
    gw_buffer_init(&changed, POLICY_BYTES_MAX);
    gw_buffer_format(&changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(changed.status, GW_OK);
    plan_case_policy(it, gw_buffer_string(&changed));
    gw_buffer_done(&changed);
}

gw_status plan_case_build(plan_case *it, const char *fields) {
    gw_buffer text;
    gw_question question;
    gw_json_free(it->json);
    gw_arena_free(it->arena);
    it->json = NULL;
    it->arena = gw_arena_new(1u << 24);
    it->problem = (gw_problem){0};
    gw_buffer_init(&text, PLAN_CASE_TEXT);
    gw_buffer_format(&text, "{\"v\":1,\"kind\":\"query\",\"dataset\":\"%s\",%s%s%s}", it->policy->dataset, fields,
                     it->also[0] == '\0' ? "" : ",", it->also);
    assert_int_equal(text.status, GW_OK);
    gw_status status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_REQUEST, &it->json, &it->problem);
    gw_buffer_done(&text);
    if (status == GW_OK)
        status = gw_question_decode(it->json, it->arena, &question, &it->problem);
    if (status == GW_OK)
        status = gw_plan_build(&question, it->policy, it->catalogue, it->arena, &it->plan, &it->problem);
    return status;
}

const gw_plan *plan_case_must(plan_case *it, const char *fields) {
    if (plan_case_build(it, fields) != GW_OK)
        fail_msg("%s: %s %s %s", fields, it->problem.code, it->problem.what, it->problem.why);
    return &it->plan;
}

void plan_case_refused(plan_case *it, const char *fields, const char *code) {
    if (plan_case_build(it, fields) == GW_OK)
        fail_msg("%s: planned, wanted %s", fields, code);
    if (strcmp(it->problem.code, code) != 0)
        fail_msg("%s: %s, wanted %s", fields, it->problem.code, code);
    assert_true(it->problem.mend[0] != '\0');
}

const char *plan_case_canonical(plan_case *it, const char *fields, char text[PLAN_CASE_TEXT]) {
    gw_buffer buffer;
    gw_buffer_init(&buffer, PLAN_CASE_TEXT);
    gw_plan_canonical(plan_case_must(it, fields), PLAN_CASE_DATA, &buffer);
    assert_int_equal(buffer.status, GW_OK);
    snprintf(text, PLAN_CASE_TEXT, "%s", gw_buffer_string(&buffer));
    gw_buffer_done(&buffer);
    return text;
}
