// SPDX-License-Identifier: Apache-2.0
// What the files that read a policy share; nobody else includes it.
// Depends on: load.h, policy.h.
#pragma once
#include "service/policy/load.h"
#include "service/wire/decimal.h"

typedef struct {
    gw_load load;
    const char *codelist_folder;
    gw_policy *policy;
} gw_policy_loader;

#define GW_POLICY_FAIL(l, node, code, mend, ...)                                                                       \
    gw_json_fail(&(l)->load.reader, node, code, "The policy cannot be used as it is.", mend, __VA_ARGS__)

static inline bool gw_policy_is_well(const gw_policy_loader *l) {
    return l->load.reader.status == GW_OK;
}

// The codes of a code column: a list of the installation by its name ("codelist"), or the owner's own, written into the
// signed file ("codes"). With missing "_U" that code comes last.
void gw_policy_read_codes(gw_policy_loader *l, const gw_json_node *node, gw_column *column);
// One column of a table: its concept, codes or bounds, bandings, recodes, what missing values become.
void gw_policy_read_column(gw_policy_loader *l, const gw_json_node *node, gw_column *column);
// Its bandings, once its bounds are known.
void gw_policy_read_bandings(gw_policy_loader *l, const gw_json_node *node, gw_column *column);
// What makes a code column of dates: "period", "first", "last", and the list of codes between the two.
void gw_policy_read_periods(gw_policy_loader *l, const gw_json_node *node, gw_column *column);
// Puts "_U" behind the codes of a column whose missing values have a cell of their own.
void gw_policy_add_unknown(gw_policy_loader *l, gw_column *column);
// "accounting": its kind and delta, and the delta it grants for unknown keys; then, when the planning sizes are read,
// whether the deltas are small enough for so many people.
void gw_policy_read_accounting(gw_policy_loader *l, const gw_json_node *root);
void gw_policy_check_delta(gw_policy_loader *l, const gw_json_node *root);
// A number as the column's type writes it: an integer, or a decimal string.
bool gw_policy_read_number(gw_policy_loader *l, const gw_json_node *node, gw_column_type type, gw_decimal *ret);
