// SPDX-License-Identifier: Apache-2.0
// What two owners or operators sign before a ledger is restored. Nothing else is signed here: a key that signs whatever
// bytes it is given signs requests in its owner's name too.
#include "client/cli/commands.h"
#include "client/cli/detached.h"
#include "client/cli/doc.h"
#include "client/cli/profiles.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <string.h>

#define STATEMENT_BYTES_MAX 65536u
#define SIGNER_DIGITS 8 // of the principal, in the file's name

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)

typedef struct {
    gw_buffer text;
    gw_json *json;
    const gw_json_node *root;
} statement;

static void statement_done(statement *told) {
    gw_buffer_done(&told->text);
    gw_json_free(told->json);
}

static gw_status statement_read(const char *path, const gw_profile *profile, statement *ret, gw_problem *ret_problem) {
    gw_status status = gw_file_read(path, &ret->text, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&ret->text), GW_JSON_FILE(path), &ret->json, ret_problem);
    if (status != GW_OK)
        return status;
    ret->root = gw_json_root(ret->json);
    if (gw_json_type_of(ret->root) != GW_JSON_OBJECT || gw_doc_integer(ret->root, "godwit_restore", 0) != 1)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_statement", "This is not a statement of a restore.",
                              "Only what godwitd restore wrote is signed here.",
                              "godwit policy sign FILE, for a policy");
    if (strcmp(gw_doc_text(ret->root, "origin", ""), profile->origin) == 0)
        return GW_OK;
    gw_ignore(gw_problem_set(ret_problem, GW_INVALID, "bad_statement", "This statement is about another service.", "",
                             "--as NAME: a profile of that service")); // returns what it is given
    gw_problem_why(ret_problem, "It is about %.100s; this profile is of %.100s.", gw_doc_text(ret->root, "origin", ""),
                   profile->origin);
    return GW_INVALID;
}

static void statement_say(gw_cli *cli, const statement *told) {
    long long lost = (long long)gw_doc_integer(told->root, "lost", 0);
    gw_say_field(cli, "Service", "%s", gw_doc_text(told->root, "origin", ""));
    gw_say_field(cli, "Recovered", "%lld entries", (long long)gw_doc_integer(told->root, "from", 0));
    if (lost == 0)
        gw_say_field(cli, "Lost", "nothing that is known of");
    else
        gw_say_field(cli, "Lost", "%lld entries: they count as spent, each as the dearest question there is", lost);
    gw_say_field(cli, "You say", "that no policy and no people's budget was changed by what is lost");
}

static gw_exit_code run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    GW_CLEANUP(statement_done) statement told = {.json = NULL};
    gw_profile profile;
    gw_problem problem;
    char path[GW_PATH_MAX];
    gw_buffer_init(&told.text, STATEMENT_BYTES_MAX);
    gw_status status = gw_profiles_load(cli, &profile, &problem);
    if (status == GW_OK)
        status = statement_read(words->items[0], &profile, &told, &problem);
    if (status == GW_OK)
        status = gw_profiles_key(&profile, &key, &problem);
    if (status == GW_OK && (unsigned)snprintf(path, sizeof(path), "%s.%.*s.sig", words->items[0], SIGNER_DIGITS,
                                              profile.principal) >= sizeof(path))
        status = gw_problem_set(&problem, GW_INVALID, "option_value", "The file's path is too long.", "", "");
    if (status == GW_OK)
        status = gw_detached_write(path, &profile, key, gw_buffer_bytes(&told.text), &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    gw_say_verdict(cli, "OK", "signed by %s: %s", profile.principal, path);
    statement_say(cli, &told);
    gw_say(cli, "  next  a second owner or operator signs it; then godwitd restore, as before\n");
    return GW_EXIT_DONE;
}

const gw_command gw_command_sign = {
    .name = "sign",
    .group = "Operator",
    .arguments = "RESTORE.json",
    .summary = "sign, as owner or operator, what a restore counts as lost",
    .examples = "godwit sign state/restore.json --as owner\n",
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
