// SPDX-License-Identifier: Apache-2.0
// Loading and changing policy texts, for the tests of this folder.
#pragma once
#include "service/base/buffer.h"
#include "service/base/cleanup.h"
#include "service/base/crypto.h"
#include "service/policy/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

GW_DEFINE_FREEP(gw_policy, gw_policy_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)

static inline int start_crypto(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK ? 0 : -1;
}

// A path below the source tree (GW_SOURCE, or the current folder), in `path`.
static inline const char *source_path(const char *relative, char path[4096]) {
    const char *source = getenv("GW_SOURCE");
    snprintf(path, 4096, "%s/%s", source == NULL ? "." : source, relative);
    return path;
}

static inline gw_status load_text(gw_bytes text, gw_policy **policy, gw_problem *problem) {
    char folder[4096];
    return gw_policy_load(text, "p.json", source_path("policies/codelists", folder), policy, problem);
}

// `text` with the first `from` replaced by `to`.
static inline void replace_text(gw_buffer *buffer, const char *text, const char *from, const char *to) {
    const char *at = strstr(text, from);
    if (at == NULL)
        print_error("not in the text: %s\n", from);
    assert_non_null(at);
    gw_buffer_append(buffer, text, (size_t)(at - text));
    gw_buffer_text(buffer, to);
    gw_buffer_text(buffer, at + strlen(from));
}

// One thing a line, so that places are easy to state.
static const char policy_text[] =
    "{\"godwit_policy\":1,\n"                                                                   // 1
    "\"dataset\":\"nso.example/register\",\n"                                                   // 2
    "\"population\":\"nso.example/residents\",\n"                                               // 3
    "\"version\":3, // rises with every change\n"                                               // 4
    "\"neighbours\":\"add-remove-person\",\n"                                                   // 5
    "\"engine\":{\"kind\":\"duckdb\"},\n"                                                       // 6
    "\"tables\":{\"persons\":{\"unit\":\"person_id\",\"rows_per_person_max\":1,\"columns\":{\n" // 7
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"recode\":{\"1\":\"M\","
    "\"2\":\"F\"},\"missing\":\"_U\"},\n" // 8
    "\"cob\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\",\"missing\":\"drop\"}"
    ",\n" // 9
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\","
    "\"bandings\":{\n"                                                         // 10
    "\"work\":{\"Y_GE65\":[65,120],\"Y_LT20\":[0,19],\"Y20T64\":[20,64]}}},\n" // 11
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"-10\",\"max\":"
    "\"90.5\",\"grid\":\"0.25\",\"missing\":\"drop\"},\n" // 12
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"2000\",\"grid\":\"0.01\"}}"
    "},\n" // 13
    "\"stays\":{\"unit\":\"person_id\",\"rows_per_person_max\":4,\"inherit\":[\"sex\",\"c_birth\"],"
    "\"columns\":{\n" // 14
    "\"since\":{\"concept\":\"duration_stay\",\"type\":\"code\",\"codelist\":\"CL_DURATION_STAY\","
    "\"missing\":\"_U\"}}}},\n" // 15
    "\"budget\":{\"lifetime\":\"10\",\"per_principal\":\"2\",\"window\":{\"days\":365,\"epsilon\":"
    "\"4\"},\n"                                                       // 16
    "\"question_min\":\"0.01\",\"question_max\":\"0.5\"},\n"          // 17
    "\"accounting\":{\"kind\":\"pure\"},\n"                           // 18
    "\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000000},\n" // 19
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\"],\"statistics\":[\"count\",\"mean\"]}"
    ",\n"                                                                                     // 20
    "{\"role\":\"owner\",\"tables\":[\"persons\",\"stays\"],\"statistics\":[\"count\"]}]}\n"; // 21
