// SPDX-License-Identifier: Apache-2.0
// Which key a log is believed under: --log-key, else the one of the profile (when there is one).
// Depends on: client/cli/profiles.h, service/audit/note.h.
#pragma once
#include "client/cli/profiles.h"
#include "service/audit/note.h"

// `note` is the checkpoint that it is to be believed under: of a profile with log_key_before it says which of the two.
// GW_OK with *ret_has_key false: no key was named and no profile found. A named one that is wrong is an error.
GW_MUST_CHECK gw_status gw_log_key_find(const gw_cli *cli, const char *named, gw_bytes note, gw_note_key *ret,
                                        bool *ret_has_key, gw_problem *ret_problem);
