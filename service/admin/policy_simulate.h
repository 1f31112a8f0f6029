// SPDX-License-Identifier: Apache-2.0
// What a policy would mean before anyone signs it: for typical questions (or given ones) what one person can move, the
// error at the lowest, a middle and the highest price, how many such tables each budget pays for, and what an answer
// could teach about a person in the worst case. Everything comes from the policy and the catalogue, nothing from data.
// Thread safety: pure.   Depends on: query/plan.h.
#pragma once
#include "service/query/plan.h"

#define GW_SIMULATION_PRICES 3u // question_min, a round amount between, question_max
#define GW_SIMULATION_QUESTIONS_MAX 256u

typedef struct {
    char title[256];
    char error_unit[32];  // "persons", "points", "EUR"
    const char *bound;    // gw_bound_kind_name
    uint64_t sensitivity; // steps of the noise
    double moves;         // the same in the unit of what is counted: weights and sums have steps below 1
    size_t cell_count;
    uint64_t group_size;
    double half_width[GW_SIMULATION_PRICES]; // 95 %
    char refused[640];                       // why this question cannot be asked under the policy; "" where it can
} gw_simulated_question;

typedef struct {
    const char *name; // "each asker"
    gw_epsilon total; // 0: no such budget
    gw_delta delta;   // 0: the total holds always
    uint32_t days;    // of a window
    uint64_t tables[GW_SIMULATION_PRICES];
} gw_simulated_budget;

typedef struct {
    const char *id, *label;
    const char *missing;   // the concept that no table has; NULL where the indicator works
    const char *statistic; // ungranted: which nobody may ask
    bool is_granted;
} gw_simulated_indicator;

typedef struct {
    const gw_policy *policy;
    gw_epsilon prices[GW_SIMULATION_PRICES];
    gw_simulated_question *questions;
    size_t question_count;
    gw_simulated_budget budgets[3]; // each asker, window, lifetime
    gw_simulated_indicator *indicators;
    size_t indicator_count;
} gw_simulation;

// `questions` NULL: typical ones are made up: each granted statistic on each table, and the indicators that work.
GW_MUST_CHECK gw_status gw_policy_simulate(const gw_policy *policy, const gw_catalogue *catalogue,
                                           const gw_question *questions, size_t question_count, gw_arena *arena,
                                           gw_simulation *ret_simulation);
void gw_simulation_text(const gw_simulation *simulation, gw_buffer *ret_text); // for people, at most 80 columns
void gw_simulation_json(const gw_simulation *simulation, gw_buffer *ret_text);
// e^eps / (1 + e^eps): whoever thought it as likely as not that somebody is in the data may become this sure, in the
// worst case. In tenths of a percent, rounded up, at most 999.
unsigned gw_simulation_odds_up(gw_epsilon epsilon);
