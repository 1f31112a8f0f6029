// SPDX-License-Identifier: Apache-2.0
// Local commands of the operator: init, and one signed change sent to the running daemon or, when there is none,
// applied to the state folder by the same code. Thread safety: one thread.   Depends on: config.h, service.h,
// bus/ask.h.
#pragma once
#include "service/config.h"
#include "service/service.h"

// Makes a new state folder: keys, genesis, an operator-owner principal with its key and profile, config.json.
// Codes: state_exists, bad_name.
GW_MUST_CHECK gw_status gw_local_init(gw_config *config, gw_problem *ret_problem);

// The admin's profile once more, at `path`, so that commands typed beside it find it. It names the key file and holds
// no secret.
GW_MUST_CHECK gw_status gw_local_profile_at(const gw_config *config, const char *path, gw_problem *ret_problem);

// Signs `body` as the folder's admin, gets it answered, and gives the reply's document. A refusal is a status and
// problem.
GW_MUST_CHECK gw_status gw_local_change(const gw_config *config, gw_bytes body, gw_buffer *ret_document,
                                        gw_problem *ret_problem);
// The log's key in force, put into profiles/admin.json, of which other profiles are made.
GW_MUST_CHECK gw_status gw_local_profile_log_key(const gw_config *config, char ret_log_key[256],
                                                 gw_problem *ret_problem);
