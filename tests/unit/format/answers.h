// SPDX-License-Identifier: Apache-2.0
// One answer for the tests of machine formats: a rate by two concepts, with a figure that is too uncertain to be given,
// one outside its range, and a notice with a comma and quotes.
#pragma once
#include "service/format/asked.h"
#include "service/wire/answer.h"

static const char *const answer_by[] = {"c_birth", "age:work"};
static const char *const answer_keys[][2] = {{"NAT", "Y20T64"}, {"NAT", "_U"}, {"EU_FOR", "Y20T64"}, {"EU_FOR", "_U"}};
static const gw_answer_cell answer_cells[] = {
    {.key = answer_keys[0], .estimate = "66.4", .lower = "63.5", .upper = "69.3", .se = "1.4", .flag = ""},
    {.key = answer_keys[1], .estimate = "101.2", .lower = "80.0", .upper = "100.0", .se = "9.4", .flag = ""},
    {.key = answer_keys[2], .estimate = "-0.5", .lower = "0.0", .upper = "4.0", .se = "2.0", .flag = "u"},
    {.key = answer_keys[3], .estimate = NULL, .lower = "0.0", .upper = "100.0", .se = NULL, .flag = "u"},
};
static const char *const answer_filter_codes[] = {"F"};
static const char *const answer_filter_many[] = {"ED0-2", "ED3_4"};
static const gw_filter answer_filters[] = {
    {.concept = "sex", .kind = GW_FILTER_IN, .codes = answer_filter_codes, .code_count = 1},
    {.concept = "isced11", .kind = GW_FILTER_IN, .codes = answer_filter_many, .code_count = 2},
    {.concept = "duration_stay", .kind = GW_FILTER_BETWEEN, .low = "1", .high = "4"}};
static const gw_asked answer_asked = {.title = "Employment rate, by Country of birth",
                                      .where = "isced11=ED0-2,ED3_4 and sex=F",
                                      .filters = answer_filters,
                                      .filter_count = 3,
                                      .sdmx = "EMP_RT"};

static inline gw_answer answer_sample(void) {
    return (gw_answer){.release = "GW-2026-000143",
                       .dataset = "nso.example/register",
                       .data_version = "00112233445566778899aabbccddeeff",
                       .question = "q",
                       .policy = 3,
                       .indicator = "employment_rate",
                       .indicator_version = 2,
                       .decimals = 1,
                       .unit = "PC",
                       .level = "0.95",
                       .notice = "SYNTHETIC, nobody \"in it\" exists.",
                       .statistic = "rate",
                       .noise = {.epsilon = {50000}},
                       .by = answer_by,
                       .by_count = 2,
                       .cells = answer_cells,
                       .cell_count = 4};
}
