// SPDX-License-Identifier: Apache-2.0
// The search for a log's key.
#include "client/cli/log_key.h"
#include "client/lib/seen.h"

gw_status gw_log_key_find(const gw_cli *cli, const char *named, gw_bytes note, gw_note_key *ret, bool *ret_has_key,
                          gw_problem *ret_problem) {
    gw_profile profile;
    gw_problem none;
    *ret_has_key = true;
    if (named != NULL)
        return gw_note_key_parse(named, ret, ret_problem);
    gw_status status = gw_profiles_load(cli, &profile, &none);
    if (status == GW_OK)
        return gw_seen_key_of(&profile, note, ret, ret_problem);
    *ret_has_key = false;
    if (cli->globals.config == NULL && cli->globals.as == NULL)
        return GW_OK;
    *ret_problem = none;
    return status;
}
