// SPDX-License-Identifier: Apache-2.0
// Who may do what: principals and their roles, each change one entry in the log.
#include "client/cli/admin.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/identity_file.h"
#include "client/cli/say_grid.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

#define BODY_MAX 4096u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    const char *roles;
} principal_options;
static const gw_option options_of_principal[] = {
    {"roles", 0, GW_OPTION_TEXT, offsetof(principal_options, roles), "LIST",
     "researcher, owner, auditor, operator; commas between"},
};

static bool is_id(const char *word) {
    uint8_t id[GW_ID_SIZE];
    return gw_unhex(word, strlen(word), id, sizeof(id));
}

static gw_exit_code roles_missing(gw_cli *cli) {
    return gw_usage(cli, "Roles are missing: researcher, owner, auditor or operator, with commas between.",
                    "--roles researcher");
}

static void body_of(gw_buffer *body, const char *action, const char *principal, const char *roles) {
    gw_buffer_init(body, BODY_MAX);
    gw_admin_begin(body, action);
    gw_json_write_member(body, "principal", principal);
    if (roles != NULL)
        gw_json_write_member(body, "roles", roles);
}

static gw_status key_add(gw_cli *cli, const gw_identity_file *identity, gw_session *session, gw_json **ret,
                         gw_problem *ret_problem) {
    gw_buffer body;
    body_of(&body, "key_add", identity->principal, NULL);
    gw_json_write_member(&body, "key", identity->key);
    gw_json_write_integer(&body, "not_before", 0);
    gw_json_write_integer(&body, "not_after", 0);
    gw_status status = gw_admin_send(cli, session, &body, ret, ret_problem);
    gw_buffer_done(&body);
    return status;
}

// A .pub file brings id and key: both are entered, the principal first.
static gw_exit_code add_file(gw_cli *cli, const char *path, const char *roles) {
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_json_freep) gw_json *added = NULL;
    GW_CLEANUP(gw_json_freep) gw_json *keyed = NULL;
    gw_identity_file identity;
    gw_problem problem;
    gw_buffer body;
    gw_status status = gw_identity_file_read(path, &identity, &problem);
    if (status == GW_OK)
        status = gw_session_open(cli, &session, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    body_of(&body, "principal_add", identity.principal, roles);
    status = gw_admin_send(cli, &session, &body, &added, &problem);
    gw_buffer_done(&body);
    if (status == GW_OK)
        status = key_add(cli, &identity, &session, &keyed, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    gw_say_verdict(cli, "OK", "%s is now %s · log entries %lld and %lld", identity.principal, roles,
                   (long long)gw_doc_integer(gw_json_root(added), "seq", -1),
                   (long long)gw_doc_integer(gw_json_root(keyed), "seq", -1));
    return GW_EXIT_DONE;
}

static gw_exit_code add_run(gw_cli *cli, const void *state, const gw_words *words) {
    const principal_options *options = state;
    char id[GW_ID_HEX], what[256];
    gw_buffer body;
    if (options->roles == NULL)
        return roles_missing(cli);
    if (words->count > 0 && !is_id(words->items[0]))
        return add_file(cli, words->items[0], options->roles);
    if (words->count > 0)
        memcpy(id, words->items[0], sizeof(id));
    else
        gw_random_id(id);
    body_of(&body, "principal_add", id, options->roles);
    gw_ignore(snprintf(what, sizeof(what), "%s is now %s", id, options->roles)); // bounded, it is only shown
    return gw_admin_finish(cli, &body, what);
}

static gw_exit_code grant_run(gw_cli *cli, const void *state, const gw_words *words) {
    const principal_options *options = state;
    char what[256];
    gw_buffer body;
    if (options->roles == NULL)
        return roles_missing(cli);
    body_of(&body, "principal_grant", words->items[0], options->roles);
    gw_ignore(
        snprintf(what, sizeof(what), "%s is now %s", words->items[0], options->roles)); // bounded, it is only shown
    return gw_admin_finish(cli, &body, what);
}

static gw_exit_code revoke_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    char what[256];
    gw_buffer body;
    body_of(&body, "principal_revoke", words->items[0], NULL);
    gw_ignore(snprintf(what, sizeof(what), "%s may do nothing any more", words->items[0])); // bounded, it is only shown
    return gw_admin_finish(cli, &body, what);
}

static gw_exit_code ls_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    static const gw_grid_column columns[] = {{"principal", "PRINCIPAL", GW_ALIGN_LEFT, false},
                                             {"roles", "ROLES", GW_ALIGN_LEFT, true},
                                             {"keys", "KEYS", GW_ALIGN_RIGHT, false}};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 3);
    gw_problem problem;
    GW_ASSERT(grid != NULL);
    if (gw_ask_once(cli, "{\"v\":1,\"kind\":\"admin\",\"action\":\"principals\"}", &document, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    for (const gw_json_node *node = gw_doc_first(gw_json_root(document), "principals"); node != NULL;
         node = gw_json_next(node)) {
        char keys[24];
        gw_ignore(snprintf(keys, sizeof(keys), "%lld", (long long)gw_doc_integer(node, "keys", 0))); // it fits
        gw_grid_add(grid, (const char *[]){gw_doc_text(node, "principal", ""), gw_doc_text(node, "roles", ""), keys});
    }
    return gw_say_grid(cli, grid);
}

const gw_command gw_command_principal_add = {
    .name = "principal add",
    .group = "Operator",
    .arguments = "[FILE.pub | ID] --roles LIST",
    .summary = "enter somebody, by the file their \"keys new\" made or by an id",
    .examples = "godwit principal add anna.pub --roles researcher\ngodwit principal add --roles auditor\n",
    GW_OPTIONS(options_of_principal),
    .options_size = sizeof(principal_options),
    .words_max = 1,
    .run = add_run,
};
const gw_command gw_command_principal_grant = {
    .name = "principal grant",
    .group = "Operator",
    .arguments = "ID --roles LIST",
    .summary = "give a principal these roles instead of what it had",
    .examples = "godwit principal grant 00112233445566778899aabbccddeeff --roles researcher,auditor\n",
    GW_OPTIONS(options_of_principal),
    .options_size = sizeof(principal_options),
    .words_min = 1,
    .words_max = 1,
    .run = grant_run,
};
const gw_command gw_command_principal_revoke = {
    .name = "principal revoke",
    .group = "Operator",
    .arguments = "ID",
    .summary = "take all roles from a principal; what it spent stays spent",
    .examples = "godwit principal revoke 00112233445566778899aabbccddeeff\n",
    .words_min = 1,
    .words_max = 1,
    .run = revoke_run,
};
const gw_command gw_command_principal_ls = {
    .name = "principal ls",
    .group = "Operator",
    .arguments = "",
    .summary = "list principals with their roles",
    .examples = "godwit principal ls\n",
    .is_paged = true,
    .run = ls_run,
};
