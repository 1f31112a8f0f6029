// SPDX-License-Identifier: Apache-2.0
// Who I am to the service, and which service that is: identity is never a riddle.
#include "client/cli/ask.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/say_grid.h"
#include "service/base/cleanup.h"

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

static void key_id_of(const gw_profile *profile, char text[GW_KEY_ID_HEX]) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    gw_problem problem;
    text[0] = '-', text[1] = '\0';
    if (gw_profiles_key(profile, &key, &problem) == GW_OK)
        gw_key_id(gw_key_public(key), text);
}

static gw_exit_code say_csv(gw_cli *cli, const gw_profile *profile, const char *key, const char *roles) {
    static const gw_grid_column columns[] = {
        {"profile", "PROFILE", GW_ALIGN_LEFT, true}, {"principal", "PRINCIPAL", GW_ALIGN_LEFT, false},
        {"key", "KEY", GW_ALIGN_LEFT, false},        {"roles", "ROLES", GW_ALIGN_LEFT, true},
        {"origin", "ORIGIN", GW_ALIGN_LEFT, true},   {"url", "URL", GW_ALIGN_LEFT, true}};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 6);
    if (grid == NULL)
        return GW_EXIT_FAILED;
    gw_grid_add(grid, (const char *[]){profile->path, profile->principal, key, roles, profile->origin, profile->url});
    return gw_say_grid(cli, grid);
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_client_reply reply;
    gw_problem problem;
    char key[GW_KEY_ID_HEX];
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    const gw_profile *profile = &session.profile;
    key_id_of(profile, key);
    status = gw_ask_document(cli, &session, gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}"), &reply, &document, &problem);
    const char *roles = document == NULL ? "" : gw_doc_text(gw_json_root(document), "roles", "none");
    if (cli->output != GW_OUTPUT_TABLE) {
        gw_exit_code code = say_csv(cli, profile, key, roles);
        return status == GW_OK ? code : gw_fail(cli, &problem);
    }
    gw_say_field(cli, "Profile", "%s", profile->path);
    gw_say_field(cli, "Service", "%s at %s", profile->origin, profile->url);
    gw_say_field(cli, "Principal", "%s", profile->principal[0] == '\0' ? "none: a visitor" : profile->principal);
    gw_say_field(cli, "Key", "%s", key);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    gw_say_field(cli, "Roles", "%s", roles);
    return GW_EXIT_DONE;
}

const gw_command gw_command_whoami = {
    .name = "whoami",
    .group = "Identity",
    .arguments = "",
    .summary = "say who I am to the service, and what I may do there",
    .examples = "godwit whoami\ngodwit whoami --as anna\n",
    .run = run,
};
