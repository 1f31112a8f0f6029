// SPDX-License-Identifier: Apache-2.0
// The auditor's whole check, from files alone, and what the log says in plain words.
#include "client/cli/commands.h"
#include "client/cli/log_files.h"
#include "client/cli/log_key.h"
#include "client/cli/progress.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "privacy/accounting/delta.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLICIES_MAX 256u
#define PATH_SIZE 4352u

GW_DEFINE_FREEP(gw_audit_state, gw_audit_state_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    const char *log, *log_key, *questions;
} verify_options;
static const gw_option options_of_verify[] = {
    {"log", 0, GW_OPTION_TEXT, offsetof(verify_options, log), "DIR", "the log folder (./log, ./state/log)"},
    {"log-key", 0, GW_OPTION_TEXT, offsetof(verify_options, log_key), "VKEY",
     "the key you trust, got from elsewhere (that of the profile)"},
    {"questions", 0, GW_OPTION_TEXT, offsetof(verify_options, questions), "DIR",
     "the folder of questions' texts (questions beside the log)"},
};

static gw_exit_code cannot_check(gw_cli *cli, const gw_problem *problem) {
    gw_exit_code code = gw_fail(cli, problem);
    return code == GW_EXIT_USAGE ? code : GW_EXIT_CANNOT_CHECK;
}

static void sound_say(gw_cli *cli, const gw_audit_verdict *verdict) {
    gw_say_verdict(cli, "OK", "checkpoint of %s is signed, %llu entries", verdict->checkpoint.origin,
                   (unsigned long long)verdict->size);
    gw_say_verdict(cli, "OK", "every entry re-hashed; the tree's root is the signed one");
    gw_say_verdict(cli, "OK", "%llu charges: every balance recomputed, none passes the total in force at that entry",
                   (unsigned long long)verdict->charges);
    gw_say_verdict(cli, "OK", "%llu answers: each has exactly one earlier charge, and no charge has two outcomes",
                   (unsigned long long)verdict->releases);
    if (verdict->abandons > 0)
        gw_say_verdict(cli, "OK", "%llu charges ended without an answer and stay spent",
                       (unsigned long long)verdict->abandons);
    if (verdict->questions > 0)
        gw_say_verdict(cli, "OK", "%llu texts of questions are those that were charged",
                       (unsigned long long)verdict->questions);
    if (verdict->questions_missing > 0)
        gw_say_verdict(cli, "NOTE", "the texts of %llu questions are not published here",
                       (unsigned long long)verdict->questions_missing);
    if (verdict->open_charges > 0)
        gw_say_verdict(cli, "NOTE", "%llu charges are open: spent, their outcome not yet in this log",
                       (unsigned long long)verdict->open_charges);
}

static void bad_say(gw_cli *cli, const gw_audit_verdict *verdict) {
    if (verdict->first_bad == UINT64_MAX)
        gw_say_verdict(cli, "FAIL", "%s %s", verdict->problem.what, verdict->problem.why);
    else
        gw_say_verdict(cli, "FAIL", "entry %llu: %s %s", (unsigned long long)verdict->first_bad, verdict->problem.what,
                       verdict->problem.why);
    gw_say(cli, "      code %s; %llu of %llu entries were checked before it\n", verdict->problem.code,
           (unsigned long long)verdict->entries, (unsigned long long)verdict->size);
}

static void balance_add(gw_cli *cli, gw_grid *grid, const gw_audit_balance *balance) {
    char total[GW_AMOUNT_TEXT], spent[GW_AMOUNT_TEXT], charges[24], who[GW_ID_HEX] = "", delta[GW_DELTA_TEXT];
    gw_amount_format((gw_epsilon){balance->total}, total);
    gw_amount_format((gw_epsilon){balance->spent}, spent);
    gw_ignore(snprintf(charges, sizeof(charges), "%llu", (unsigned long long)balance->charges)); // it fits
    if (balance->principal != NULL)
        gw_id_format(balance->principal, cli->output == GW_OUTPUT_TABLE, who);
    gw_delta_format((gw_delta){balance->delta}, delta);
    gw_grid_add(grid, (const char *[]){balance->kind, balance->id, who, spent, balance->total == 0 ? "-" : total,
                                       charges, balance->delta == 0 ? "" : delta});
}

static gw_exit_code balances_say(gw_cli *cli, const gw_audit_state *state) {
    static const gw_grid_column columns[] = {
        {"budget", "BUDGET OF", GW_ALIGN_LEFT, false},  {"id", "", GW_ALIGN_LEFT, true},
        {"principal", "ASKED BY", GW_ALIGN_LEFT, true}, {"spent", "SPENT", GW_ALIGN_RIGHT, false},
        {"total", "TOTAL", GW_ALIGN_RIGHT, false},      {"charges", "CHARGES", GW_ALIGN_RIGHT, false},
        {"delta", "DELTA", GW_ALIGN_RIGHT, false}};
    static const char *const kinds[] = {"dataset", "principal", "population", "window"};
    size_t count = gw_audit_balances(state, NULL, 0);
    GW_CLEANUP(gw_freep) gw_audit_balance *balances = calloc(count == 0 ? 1 : count, sizeof(*balances));
    GW_ASSERT(balances != NULL);
    count = gw_audit_balances(state, balances, count);
    bool has_delta = false;
    for (size_t i = 0; i < count; i++)
        has_delta |= balances[i].delta != 0;
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, has_delta ? 7 : 6); // totals of epsilon say all
    GW_ASSERT(grid != NULL);
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
        for (size_t i = 0; i < count; i++)
            if (strcmp(balances[i].kind, kinds[kind]) == 0)
                balance_add(cli, grid, &balances[i]);
    if (cli->output == GW_OUTPUT_TABLE)
        gw_say(cli, "\nWho spent what\n");
    return gw_say_grid(cli, grid);
}

static bool policy_add(void *state, const gw_entry *entry) {
    gw_grid *grid = state;
    char version[24], total[GW_AMOUNT_TEXT], time[GW_TIME_TEXT], seq[24];
    gw_buffer by;
    if (entry->kind != GW_ENTRY_POLICY)
        return true;
    gw_buffer_init(&by, 256);
    gw_ignore(snprintf(version, sizeof(version), "%llu", (unsigned long long)entry->policy.version)); // it fits
    gw_ignore(snprintf(seq, sizeof(seq), "%llu", (unsigned long long)entry->seq));                    // it fits
    gw_amount_format((gw_epsilon){entry->policy.total}, total);
    gw_time_format(entry->time, time);
    for (size_t i = 0; i < entry->by.count; i++)
        gw_buffer_format(&by, "%s%.8s…", i == 0 ? "" : " ", entry->by.ids[i]);
    gw_grid_add(grid, (const char *[]){seq, time, entry->policy.dataset, version, total, gw_buffer_string(&by)});
    gw_buffer_done(&by);
    return gw_grid_rows(grid) < POLICIES_MAX;
}

// Only for a sound log: what a tampered one says is not repeated.
static gw_exit_code policies_say(gw_cli *cli, const char *folder) {
    static const gw_grid_column columns[] = {
        {"seq", "ENTRY", GW_ALIGN_RIGHT, false},       {"time", "SINCE (UTC)", GW_ALIGN_LEFT, false},
        {"dataset", "POLICY OF", GW_ALIGN_LEFT, true}, {"version", "VERSION", GW_ALIGN_RIGHT, false},
        {"total", "TOTAL", GW_ALIGN_RIGHT, false},     {"by", "SIGNED BY", GW_ALIGN_LEFT, true}};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 6);
    gw_problem problem;
    GW_ASSERT(grid != NULL);
    gw_progress *progress = gw_progress_begin(cli, "reading policies");
    gw_status status = gw_log_files_read(folder, 0, policy_add, grid, &problem);
    gw_progress_end(progress);
    if (status != GW_OK)
        return cannot_check(cli, &problem);
    gw_say(cli, "\nWho allowed what\n");
    return gw_say_grid(cli, grid);
}

// Which key was believed. A key from the log itself proves only that one hand wrote it all.
static void key_say(gw_cli *cli, bool has_key, const gw_note_key *key) {
    char vkey[GW_VKEY_MAX];
    if (!has_key) {
        gw_say_verdict(cli, "WARN",
                       "no --log-key and no profile: the key was taken from the log itself; compare it with one you "
                       "got elsewhere");
        return;
    }
    gw_note_key_format(key, vkey);
    gw_say_verdict(cli, "OK", "checked under the key %s", vkey);
}

static gw_exit_code json_say(gw_cli *cli, const gw_audit_verdict *verdict, bool has_key) {
    gw_buffer text;
    char root[GW_HASH_HEX];
    gw_buffer_init(&text, 16384);
    gw_hex((gw_bytes){verdict->checkpoint.root.bytes, GW_HASH_SIZE}, root);
    gw_buffer_format(&text, "{\"v\":1,\"is_sound\":%s", verdict->is_sound ? "true" : "false");
    // False: the key came from the log itself, and shows only that one hand wrote it all.
    gw_buffer_format(&text, ",\"key_is_trusted\":%s", has_key ? "true" : "false");
    gw_json_write_member(&text, "origin", verdict->checkpoint.origin);
    gw_json_write_integer(&text, "size", (int64_t)verdict->size);
    gw_json_write_member(&text, "root", root);
    gw_json_write_integer(&text, "entries", (int64_t)verdict->entries);
    gw_json_write_integer(&text, "charges", (int64_t)verdict->charges);
    gw_json_write_integer(&text, "releases", (int64_t)verdict->releases);
    gw_json_write_integer(&text, "abandons", (int64_t)verdict->abandons);
    gw_json_write_integer(&text, "open_charges", (int64_t)verdict->open_charges);
    gw_json_write_integer(&text, "questions", (int64_t)verdict->questions);
    gw_json_write_integer(&text, "questions_missing", (int64_t)verdict->questions_missing);
    if (verdict->first_bad != UINT64_MAX)
        gw_json_write_integer(&text, "first_bad", (int64_t)verdict->first_bad);
    if (!verdict->is_sound)
        gw_json_write_member(&text, "code", verdict->problem.code);
    gw_buffer_text(&text, "}\n");
    gw_say_bytes(cli, gw_buffer_bytes(&text));
    gw_buffer_done(&text);
    return verdict->is_sound ? GW_EXIT_DONE : GW_EXIT_TAMPERED;
}

// Texts are public beside the log, but a copy of the log may come without them.
static const char *questions_find(const char *named, const char *folder, char path[PATH_SIZE]) {
    if (named != NULL)
        return named;
    bool fits = (unsigned)snprintf(path, PATH_SIZE, "%s/../questions", folder) < PATH_SIZE;
    return fits && access(path, F_OK) == 0 ? path : NULL;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const verify_options *options = state;
    GW_CLEANUP(gw_audit_state_freep) gw_audit_state *audited = NULL;
    gw_audit_verdict verdict;
    gw_note_key key;
    gw_problem problem;
    char folder[4096], questions[PATH_SIZE];
    bool has_key = false;
    gw_status status = gw_log_files_find(options->log, folder, &problem);
    if (status == GW_OK)
        status = gw_log_key_find(cli, options->log_key, &key, &has_key, &problem);
    if (status != GW_OK)
        return cannot_check(cli, &problem);
    gw_progress *progress = gw_progress_begin(cli, "checking");
    gw_audit_options audit = {.log_key = has_key ? &key : NULL,
                              .questions_folder = questions_find(options->questions, folder, questions),
                              .progress = gw_progress_step,
                              .progress_state = progress};
    status = gw_audit_verify(folder, &audit, &audited, &verdict);
    gw_progress_end(progress);
    if (status != GW_OK && verdict.problem.mend[0] == '\0')
        gw_problem_mend(&verdict.problem, "--log DIR   (the folder that holds the file checkpoint)");
    if (status != GW_OK)
        return cannot_check(cli, &verdict.problem);
    // A program's output has no place for it, and must not lack it.
    if (!has_key && cli->output != GW_OUTPUT_TABLE)
        gw_note(cli,
                "WARN  no --log-key and no profile: the key was taken from the log itself, so this shows only that "
                "one hand wrote it all\n");
    if (cli->output == GW_OUTPUT_JSON)
        return json_say(cli, &verdict, has_key);
    if (cli->output == GW_OUTPUT_CSV && verdict.is_sound)
        return balances_say(cli, audited);
    if (!verdict.is_sound) {
        bad_say(cli, &verdict);
        gw_say(cli, "\n");
        if (strcmp(verdict.problem.code, "bad_checkpoint") == 0 && has_key)
            gw_say_field(cli, "Either",
                         "the key of %s is not this log's key (the first line of the file checkpoint names the log), "
                         "or another hand wrote the checkpoint.",
                         key.name);
        else
            gw_say(cli, "This log was changed after it was written, or its writer broke the rules.\n");
        return GW_EXIT_TAMPERED;
    }
    key_say(cli, has_key, &key);
    sound_say(cli, &verdict);
    gw_exit_code code = balances_say(cli, audited);
    if (code == GW_EXIT_DONE)
        code = policies_say(cli, folder);
    gw_say_text(cli, "\n");
    gw_say_lines(cli, "The log of %s is sound%s.", verdict.checkpoint.origin,
                 has_key ? "" : " in itself: whose it is was not checked");
    gw_say_lines(cli, "No answer among its %llu entries left without a charge; no budget was passed.",
                 (unsigned long long)verdict.size);
    return code;
}

const gw_command gw_command_audit_verify = {
    .name = "audit verify",
    .group = "Auditor",
    .arguments = "[--log DIR] [--log-key VKEY] [--questions DIR]",
    .summary = "re-hash every entry, recompute every balance, name the first bad one",
    .examples = "godwit audit verify --log log --log-key \"$(cat trusted.vkey)\"\n"
                "godwit audit verify --as auditor\n",
    GW_OPTIONS(options_of_verify),
    .options_size = sizeof(verify_options),
    .is_paged = true,
    .run = run,
};
