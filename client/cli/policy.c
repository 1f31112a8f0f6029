// SPDX-License-Identifier: Apache-2.0
// Policies from the owner's side: signed here, put in force through the log. (Checking needs the service's loader:
// daemon.c.)
#include "client/cli/admin.h"
#include "client/cli/commands.h"
#include "client/cli/detached.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/program.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <string.h>

#define POLICY_BYTES_MAX 1048576u
#define ROLES_TIMEOUT_MS 2000 // signing needs no service, and does not wait for one
#define BODY_BYTES_MAX 4194304u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)
GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)

typedef struct {
    const char *dir;
} activate_options;
static const gw_option options_of_activate[] = {
    {"dir", 0, GW_OPTION_TEXT, offsetof(activate_options, dir), "DIR",
     "the state folder, when no daemon is running on it"},
};

static gw_status signature_path(const char *file, char path[GW_PATH_MAX], gw_problem *ret_problem) {
    if ((unsigned)snprintf(path, GW_PATH_MAX, "%s.sig", file) < GW_PATH_MAX)
        return GW_OK;
    return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The file's path is too long.", "", "");
}

// A signature of somebody who is no owner is refused at activation; the signer is told now, where the service is there
// to say so.
static void roles_warn(gw_cli *cli, const gw_profile *profile) {
    GW_CLEANUP(gw_session_close) gw_session session = {.profile = *profile};
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_client_reply reply;
    gw_problem none;
    if (gw_client_open(&session.profile, &session.client, &none) != GW_OK ||
        gw_client_call(session.client, gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}"), NULL, 1, ROLES_TIMEOUT_MS, &reply,
                       &none) != GW_OK ||
        reply.status != GW_REPLY_OK || gw_json_parse(reply.answer, GW_JSON_REPLY, &document, &none) != GW_OK)
        return;
    const char *roles = gw_doc_text(gw_json_root(document), "roles", "");
    if (strstr(roles, "owner") == NULL)
        gw_say_verdict(cli, "WARN", "at %s you are %s; a policy takes the signature of an owner", profile->origin,
                       roles[0] == '\0' ? "nobody" : roles);
}

// "--as" and "--config" of this command, so that the next one is typed by the same person.
static void who_say(const gw_cli *cli, gw_buffer *line) {
    if (cli->globals.as != NULL)
        gw_buffer_format(line, " --as %s", cli->globals.as);
    if (cli->globals.config != NULL)
        gw_buffer_format(line, " --config %s", cli->globals.config);
}

static bool has_open_point(gw_bytes policy) {
    static const char mark[] = "\"ASK";
    for (size_t i = 0; i + sizeof(mark) <= policy.size; i++)
        if (memcmp(policy.data + i, mark, sizeof(mark) - 1) == 0 &&
            strchr(": \"", policy.data[i + sizeof(mark) - 1]) != NULL)
            return true;
    return false;
}

// A file for each table, where there are several.
static void load_next_say(gw_cli *cli, const gw_json_node *policy) {
    const gw_json_node *tables = gw_doc_at(policy, "tables");
    bool has_many = tables != NULL && gw_json_count(tables) > 1;
    gw_say(cli, "  next  godwit load %s%s", gw_doc_text(policy, "dataset", "DATASET"), has_many ? "" : " YOUR.csv");
    for (const gw_json_node *table = has_many ? gw_json_first(tables) : NULL; table != NULL;
         table = gw_json_next(table))
        gw_say(cli, " %s=FILE", gw_json_name(table));
    gw_say(cli, "\n        (on the service's machine; from another folder with --dir STATE)\n");
}

// Names the next commands: a dataset's first policy needs its people's budget before it, and its data after it.
static void next_say(gw_cli *cli, const char *file, gw_bytes policy, bool is_signed_only) {
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer who;
    gw_problem none;
    gw_buffer_init(&who, 2 * GW_PATH_MAX);
    who_say(cli, &who);
    if (gw_json_parse(policy, GW_JSON_FILE(file), &json, &none) != GW_OK)
        return;
    const gw_json_node *root = gw_json_root(json);
    bool is_first = gw_doc_integer(root, "version", 0) == 1;
    if (!is_signed_only) {
        if (is_first)
            load_next_say(cli, root);
        return;
    }
    if (has_open_point(policy)) {
        gw_say_verdict(cli, "WARN", "it is a draft that still says ASK; godwit policy check %s lists where", file);
        return;
    }
    if (is_first) {
        const gw_json_node *accounting = gw_doc_at(root, "accounting");
        const char *delta = gw_doc_text(accounting, "delta", NULL);
        const char *selection = gw_doc_text(accounting, "selection_delta", NULL);
        gw_say(cli,
               "  next  godwit population add %s --total 20%s%.32s%s%.32s%s\n"
               "        (once: what may ever be learned about them, over all datasets)\n",
               gw_doc_text(root, "population", "NAME"), delta == NULL ? "" : " --delta ", delta == NULL ? "" : delta,
               selection == NULL ? "" : " --selection-delta ", selection == NULL ? "" : selection,
               gw_buffer_string(&who));
    }
    gw_say(cli, "  %s  godwit policy activate %s%s\n", is_first ? "then" : "next", file, gw_buffer_string(&who));
}

static gw_exit_code sign_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer policy;
    gw_profile profile;
    gw_problem problem;
    char path[GW_PATH_MAX];
    gw_buffer_init(&policy, POLICY_BYTES_MAX);
    gw_status status = gw_file_read(words->items[0], &policy, &problem);
    if (status == GW_OK)
        status = signature_path(words->items[0], path, &problem);
    if (status == GW_OK)
        status = gw_profiles_load(cli, &profile, &problem);
    if (status == GW_OK)
        status = gw_profiles_key(&profile, &key, &problem);
    if (status == GW_OK)
        status = gw_detached_write(path, &profile, key, gw_buffer_bytes(&policy), &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    gw_hash hash = gw_sha256(gw_buffer_bytes(&policy));
    char hex[GW_HASH_HEX];
    gw_hex((gw_bytes){hash.bytes, sizeof(hash.bytes)}, hex);
    gw_say_verdict(cli, "OK", "signed by %s: %s", profile.principal, path);
    gw_say_field(cli, "File", "SHA-256 %s", hex);
    roles_warn(cli, &profile);
    next_say(cli, words->items[0], gw_buffer_bytes(&policy), true);
    return GW_EXIT_DONE;
}

static gw_status body_write(const char *file, gw_buffer *body, gw_problem *ret_problem) {
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    GW_CLEANUP(gw_buffer_done) gw_buffer policy;
    GW_CLEANUP(gw_buffer_done) gw_buffer signature;
    char path[GW_PATH_MAX];
    gw_buffer_init(&policy, POLICY_BYTES_MAX);
    gw_buffer_init(&signature, 4096);
    gw_status status = gw_file_read(file, &policy, ret_problem);
    if (status == GW_OK)
        status = signature_path(file, path, ret_problem);
    if (status != GW_OK)
        return status;
    status = gw_file_read(path, &signature, ret_problem);
    if (status != GW_OK) {
        gw_problem_mend(ret_problem, "godwit policy sign %s --as owner", file);
        return status;
    }
    status = gw_json_parse(gw_buffer_bytes(&signature), GW_JSON_FILE(path), &json, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_json_node *root = gw_json_root(json);
    gw_admin_begin(body, "policy_activate");
    gw_json_write_member(body, "policy", gw_buffer_string(&policy));
    gw_json_write_member(body, "signature", gw_doc_text(root, "signature", ""));
    gw_json_write_member(body, "by", gw_doc_text(root, "by", ""));
    gw_json_write_member(body, "key", gw_doc_text(root, "key", ""));
    return GW_OK;
}

static gw_exit_code activate_run(gw_cli *cli, const void *state, const gw_words *words) {
    const activate_options *options = state;
    gw_problem problem;
    gw_buffer body;
    char what[512];
    if (options->dir != NULL) {
        char *argv[] = {(char *)"godwitd",    (char *)"policy",        (char *)"activate",
                        (char *)"--dir", // execvp takes char *, and changes none
                        (char *)options->dir, (char *)words->items[0], NULL};
        return gw_program_become(cli, "godwitd", argv);
    }
    gw_buffer_init(&body, BODY_BYTES_MAX);
    if (body_write(words->items[0], &body, &problem) != GW_OK) {
        gw_buffer_done(&body);
        return gw_fail(cli, &problem);
    }
    gw_ignore(snprintf(what, sizeof(what), "%s is in force", words->items[0])); // bounded, it is only shown
    gw_exit_code code = gw_admin_finish(cli, &body, what);
    GW_CLEANUP(gw_buffer_done) gw_buffer policy;
    gw_buffer_init(&policy, POLICY_BYTES_MAX);
    if (code == GW_EXIT_DONE && gw_file_read(words->items[0], &policy, &problem) == GW_OK)
        next_say(cli, words->items[0], gw_buffer_bytes(&policy), false);
    return code;
}

static void grants_say(gw_cli *cli, const gw_json_node *dataset) {
    gw_buffer text;
    gw_buffer_init(&text, 4096);
    for (const gw_json_node *node = gw_doc_first(dataset, "statistics"); node != NULL; node = gw_json_next(node))
        if (gw_json_type_of(node) == GW_JSON_STRING)
            gw_buffer_format(&text, "%s%s", text.size == 0 ? "" : ", ", gw_json_string(node));
    gw_say_field(cli, "You may", "ask for %s", text.size == 0 ? "nothing" : gw_buffer_string(&text));
    gw_buffer_done(&text);
}

static void budget_say(gw_cli *cli, const gw_json_node *dataset) {
    const gw_json_node *budget = gw_doc_at(dataset, "budget"), *accounting = gw_doc_at(dataset, "accounting");
    const char *delta = gw_doc_text(accounting, "delta", NULL);
    gw_say_field(cli, "Lifetime", "%s%s%s", gw_doc_text(budget, "lifetime", "?"),
                 delta == NULL ? "" : ", but for a chance of ", delta == NULL ? "" : delta);
    gw_say_field(cli, "Each asker", "%s", gw_doc_text(budget, "per_principal", "no limit of its own"));
    if (gw_doc_text(budget, "window", NULL) != NULL)
        gw_say_field(cli, "Window", "%s in %lld days", gw_doc_text(budget, "window", "?"),
                     (long long)gw_doc_integer(budget, "window_days", 0));
    gw_say_field(cli, "Question", "from %s to %s", gw_doc_text(budget, "question_min", "?"),
                 gw_doc_text(budget, "question_max", "?"));
}

static gw_exit_code show_csv(gw_cli *cli, const gw_json_node *dataset) {
    static const gw_grid_column columns[] = {
        {"dataset", "", GW_ALIGN_LEFT, false},       {"policy", "", GW_ALIGN_LEFT, false},
        {"population", "", GW_ALIGN_LEFT, false},    {"lifetime", "", GW_ALIGN_LEFT, false},
        {"per_principal", "", GW_ALIGN_LEFT, false}, {"window", "", GW_ALIGN_LEFT, false},
        {"window_days", "", GW_ALIGN_LEFT, false},   {"question_min", "", GW_ALIGN_LEFT, false},
        {"question_max", "", GW_ALIGN_LEFT, false},  {"notice", "", GW_ALIGN_LEFT, false}};
    const gw_json_node *budget = gw_doc_at(dataset, "budget");
    char version[24], days[24];
    gw_ignore(snprintf(version, sizeof(version), "%lld", (long long)gw_doc_integer(dataset, "policy", 0))); // it fits
    gw_ignore(snprintf(days, sizeof(days), "%lld", (long long)gw_doc_integer(budget, "window_days", 0)));   // it fits
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, sizeof(columns) / sizeof(columns[0]));
    if (grid == NULL)
        return GW_EXIT_FAILED;
    gw_grid_add(grid,
                (const char *[]){gw_doc_text(dataset, "dataset", ""), version, gw_doc_text(dataset, "population", ""),
                                 gw_doc_text(budget, "lifetime", ""), gw_doc_text(budget, "per_principal", NULL),
                                 gw_doc_text(budget, "window", NULL), days, gw_doc_text(budget, "question_min", ""),
                                 gw_doc_text(budget, "question_max", ""), gw_doc_text(dataset, "notice", NULL)});
    return gw_say_grid(cli, grid);
}

// The service's own description, as it came.
static gw_exit_code show_json(gw_cli *cli, gw_session *session, const char *dataset) {
    gw_client_reply reply;
    gw_problem problem;
    gw_buffer body;
    gw_buffer_init(&body, 4096);
    gw_buffer_text(&body, "{\"v\":1,\"kind\":\"describe\"");
    gw_json_write_member(&body, "dataset", dataset);
    gw_buffer_text(&body, "}");
    gw_status status = gw_ask(cli, session, gw_buffer_bytes(&body), NULL, &reply, &problem);
    gw_buffer_done(&body);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    gw_say_answer(cli, reply.answer);
    return GW_EXIT_DONE;
}

static void signed_say(gw_cli *cli, const gw_json_node *dataset) {
    int64_t entry = gw_doc_integer(dataset, "policy_entry", -1);
    if (entry < 0)
        return; // an older service does not say
    gw_buffer by;
    char when[GW_TIME_TEXT];
    gw_buffer_init(&by, 4096);
    for (const gw_json_node *node = gw_doc_first(dataset, "policy_by"); node != NULL; node = gw_json_next(node))
        if (gw_json_type_of(node) == GW_JSON_STRING)
            gw_buffer_format(&by, "%s%s", by.size == 0 ? "" : " and ", gw_json_string(node));
    gw_time_format(gw_doc_integer(dataset, "policy_time", 0), when);
    gw_say_field(cli, "Signed", "by %s", gw_buffer_string(&by));
    gw_say_field(cli, "In force", "since %s UTC · log entry %lld", when, (long long)entry);
    gw_say_field(cli, "File", "SHA-256 %s", gw_doc_text(dataset, "policy_file", "?"));
    gw_buffer_done(&by);
}

static gw_exit_code show_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_names_freep) gw_names *names = NULL;
    const gw_json_node *dataset = NULL;
    gw_problem problem;
    gw_status status = gw_session_open(cli, &session, &problem);
    if (status == GW_OK)
        status = gw_names_load(cli, &session, &names, &problem);
    if (status == GW_OK)
        status = gw_names_dataset(names, words->items[0], &dataset, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    if (cli->output == GW_OUTPUT_JSON)
        return show_json(cli, &session, gw_doc_text(dataset, "dataset", ""));
    if (cli->output == GW_OUTPUT_CSV)
        return show_csv(cli, dataset);
    gw_say_field(cli, "Dataset", "%s, policy version %lld", gw_doc_text(dataset, "dataset", "?"),
                 (long long)gw_doc_integer(dataset, "policy", 0));
    gw_say_field(cli, "Title", "%s", gw_doc_text(dataset, "title", ""));
    signed_say(cli, dataset);
    if (gw_doc_text(dataset, "notice", NULL) != NULL)
        gw_say_field(cli, "Notice", "%s", gw_doc_text(dataset, "notice", ""));
    gw_say_field(cli, "People", "%s (%s)", gw_doc_text(dataset, "population", "?"),
                 gw_doc_text(dataset, "neighbours", "?"));
    budget_say(cli, dataset);
    grants_say(cli, dataset);
    return GW_EXIT_DONE;
}

const gw_command gw_command_policy_sign = {
    .name = "policy sign",
    .group = "Data owner",
    .arguments = "FILE",
    .summary = "sign a policy file's bytes; the signature goes beside it as FILE.sig",
    .examples = "godwit policy sign register.policy.json --as owner\n",
    .words_min = 1,
    .words_max = 1,
    .run = sign_run,
};
const gw_command gw_command_policy_activate = {
    .name = "policy activate",
    .group = "Data owner",
    .arguments = "FILE [--dir DIR]",
    .summary = "put a signed policy in force, by an entry in the log",
    .examples = "godwit policy activate register.policy.json --as owner\n"
                "godwit policy activate register.policy.json --dir state      (daemon stopped)\n",
    GW_OPTIONS(options_of_activate),
    .options_size = sizeof(activate_options),
    .words_min = 1,
    .words_max = 1,
    .run = activate_run,
};
const gw_command gw_command_policy_show = {
    .name = "policy show",
    .group = "Data owner",
    .arguments = "DATASET",
    .summary = "what the policy in force allows",
    .examples = "godwit policy show register\ngodwit policy show register -o json\n",
    .words_min = 1,
    .words_max = 1,
    .is_paged = true,
    .run = show_run,
};
