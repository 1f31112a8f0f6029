// SPDX-License-Identifier: Apache-2.0
// What the service's indicators meant when it first read them: a release names an indicator and its version, so a
// version means one thing for ever. Kept as lines "<id> <version> <SHA-256 of the definition>" in the state folder.
// Thread safety: one thread at a time per folder.   Depends on: policy/indicator.h, base.
#pragma once
#include "service/policy/indicator.h"

// GW_CONFLICT, code indicator_version: a definition changed and kept its version (words for people may change freely).
// With `is_keeping`, what is new is written down.
GW_MUST_CHECK gw_status gw_definitions_check(const char *state_folder, const gw_catalogue *catalogue, bool is_keeping,
                                             gw_problem *ret_problem);
