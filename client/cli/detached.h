// SPDX-License-Identifier: Apache-2.0
// Detached signatures over a file's bytes: {"by":…,"key":…,"signature":…}.
// Thread safety: one thread.   Depends on: client/cli/profiles.h.
#pragma once
#include "client/cli/profiles.h"

GW_MUST_CHECK gw_status gw_detached_write(const char *path, const gw_profile *profile, const gw_secret_key *key,
                                          gw_bytes file, gw_problem *ret_problem);
