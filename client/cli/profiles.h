// SPDX-License-Identifier: Apache-2.0
// Which profile is meant: --config, --as, $GODWIT_PROFILE, $GODWIT_AS, ./godwit.json, ~/.config/godwit/profile.json,
// /etc/godwit/profile.json, in this order; and where a new one goes.
// Thread safety: one thread (reads the environment).   Depends on: client/lib/client.h, client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include "client/lib/client.h"

#define GW_PATH_MAX 4096u

// Codes: profile_missing, and those of gw_profile_load.
GW_MUST_CHECK gw_status gw_profiles_find(const gw_cli *cli, char path[GW_PATH_MAX], gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_profiles_load(const gw_cli *cli, gw_profile *ret, gw_problem *ret_problem);
// $GODWIT_PROFILES, ./profiles where it exists, the folder of the default profile, ~/.config/godwit.
void gw_profiles_folder(const gw_cli *cli, char path[GW_PATH_MAX]);
// The secret key of a profile. Code: profile_visitor where it names none.
GW_MUST_CHECK gw_status gw_profiles_key(const gw_profile *profile, gw_secret_key **ret, gw_problem *ret_problem);
// "anna" of "/…/anna.json".
void gw_profiles_name(const char *path, char name[128]);
// Letters, digits, '-' and '_' only: it becomes a file name. Code: option_value.
GW_MUST_CHECK gw_status gw_profiles_check_name(const char *name, gw_problem *ret_problem);
