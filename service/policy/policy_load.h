// SPDX-License-Identifier: Apache-2.0
// What the two files that read a policy share; nobody else includes it.
// Depends on: load.h, policy.h.
#pragma once
#include "service/policy/load.h"

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

// One column of a table: its concept, codes or bounds, bandings, recodes, what missing values become.
void gw_policy_read_column(gw_policy_loader *l, const gw_json_node *node, gw_column *column);
