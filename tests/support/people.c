// SPDX-License-Identifier: Apache-2.0
// A small made-up population that tests know exactly.
#include "tests/support/people.h"
#include <inttypes.h>
#include <stdio.h>

// Steele, Lea, Flood 2014, splitmix64: a well-mixed number for each index, no state.
static uint64_t mixed(uint64_t index) {
    uint64_t value = (index + 1) * 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

test_person test_person_at(size_t index) {
    const uint64_t bits = mixed(index);
    const unsigned part = (unsigned)(bits >> 16) % 100;
    test_person person = {.is_female = bits & 1, .age = (unsigned)(bits >> 32) % 100};
    person.activity = part < 62 ? TEST_EMPLOYED : part < 70 ? TEST_UNEMPLOYED : TEST_INACTIVE;
    person.hours = person.activity == TEST_EMPLOYED ? 10 + (unsigned)(bits >> 48) % 51 : 0;
    return person;
}

bool test_people_write(const char *path, size_t count) {
    static const char *const words[] = {"EMP", "UNE", "INAC"};
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    fputs("person_id,sex,age,status,hours\n", file);
    for (size_t i = 0; i < count; i++) {
        const test_person person = test_person_at(i);
        fprintf(file, "p%08zu,%s,%u,%s,%u\n", i, person.is_female ? "F" : "M", person.age, words[person.activity],
                person.hours);
    }
    return fclose(file) == 0;
}

void test_people_policy(unsigned version, test_budget budget, gw_buffer *ret_text) {
    gw_buffer_format(ret_text,
                     "{\"godwit_policy\":1,\"dataset\":\"%s\",\"population\":\"%s\",\"version\":%u,\n"
                     " \"title\":{\"en\":\"People made up for tests\"},\n"
                     " \"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\n",
                     TEST_DATASET, TEST_POPULATION, version);
    gw_buffer_text(
        ret_text,
        " \"tables\":{\"persons\":{\"unit\":\"person_id\",\"rows_per_person_max\":1,\"columns\":{\n"
        "  \"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},\n"
        "  \"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\",\n"
        "   \"bandings\":{\"work\":{\"Y_LT20\":[0,19],\"Y20T64\":[20,64],\"Y_GE65\":[65,120]}}},\n"
        "  \"status\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"_U\"},\n"
        "  "
        "\"hours\":{\"concept\":\"hours\",\"type\":\"integer\",\"unit\":\"H\",\"min\":0,\"max\":80,\"missing\":"
        "\"drop\"}}}},\n");
    gw_buffer_format(ret_text, " \"budget\":{\"lifetime\":\"%s\",", budget.lifetime);
    if (budget.per_principal != NULL)
        gw_buffer_format(ret_text, "\"per_principal\":\"%s\",", budget.per_principal);
    gw_buffer_format(ret_text, "\"question_min\":\"%s\",\"question_max\":\"%s\"},\n", budget.question_min,
                     budget.question_max);
    gw_buffer_text(
        ret_text,
        " \"accounting\":{\"kind\":\"pure\"},\"planning\":{\"cell_persons\":100,\"size_bucket\":1000},\n"
        " \"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\"],"
        "\"statistics\":[\"count\",\"share\",\"rate\",\"mean\",\"variance\",\"sd\",\"ratio\",\"gap\",\"histogram\","
        "\"quantile\",\"poverty\",\"gini\",\"quintile_ratio\"]}]}\n");
}
