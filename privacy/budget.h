// SPDX-License-Identifier: Apache-2.0
// Privacy loss as an integer: micro-epsilon. Parsing, printing, and the one admission rule.
// Never a double: 0.1 ten times is exactly 1, and the eleventh is refused.
// Thread safety: pure.   Depends on: status.h, checked.h.
#pragma once
#include "privacy/checked.h"
#include "privacy/linkage.h"
#include "privacy/status.h"

GW_C_BEGIN

typedef struct {
    uint64_t micro; // epsilon * 10^6
} gw_epsilon;

#define GW_EPSILON_TEXT 24
#define GW_EPSILON_MICRO_MAX 1000000000000000ULL // 10^9 epsilon: sums of 2^13 of them still fit 64 bits

// Reads a plain decimal: digits, at most one point, at most 6 places; no sign, exponent, spaces, leading zeros ("00.1")
// or bare point. Zero parses (a price of zero is refused by whoever asks for a price). GW_INVALID otherwise.
GW_MUST_CHECK gw_status gw_epsilon_parse(const char *text, gw_epsilon *ret_epsilon);
// Shortest decimal text: "0.05", "2", "0.000001".
void gw_epsilon_format(gw_epsilon epsilon, char text[GW_EPSILON_TEXT]);

// The admission rule: spent <= total and cost <= total - spent. Cannot wrap; a lowered total freezes the budget.
bool gw_budget_admits(uint64_t total_micro, uint64_t spent_micro, uint64_t cost_micro);
// total - spent, or 0 where more than the total is spent.
uint64_t gw_budget_remaining(uint64_t total_micro, uint64_t spent_micro);

GW_C_END
