// SPDX-License-Identifier: Apache-2.0
// Changes by owners and operators, each one signed request and one log entry: principals, keys, populations, policies,
// data. The same code serves a running daemon and a local command on a stopped one. Thread safety: as gw_query_handle.
// Depends on: query.h, ledger.h, policy.h.
#pragma once
#include "service/query/query.h"

typedef struct {
    gw_ledger *ledger;
    gw_engine *engine; // may be NULL
    gw_queries *queries;
    const char *origin;
    const char *codelist_folder;
    const char *state_folder; // policies/ gets a copy of each policy put in force
    int64_t started;          // boot clock, milliseconds
    gw_bytes seal_secret;     // under which data files are sealed (load.h)
} gw_changes;

// True for actions that only tell (principals, status).
bool gw_changes_is_reading(const gw_json_node *body);
// A gw_admin_handler; `state` is a gw_changes. Codes: denied_role, unknown_action, bad_signature, policy_version,
// policy_population, unknown_population, no_snapshot, data_tampered, and those of policy loading and of the store.
gw_status gw_changes_handle(void *state, gw_query_worker *worker, const gw_identity *who, const gw_json *json,
                            const gw_json_node *body, gw_buffer *ret_document, gw_problem *ret_problem);
