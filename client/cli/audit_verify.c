// SPDX-License-Identifier: Apache-2.0
// The auditor's whole check, from files alone, and what the log says in plain words.
#include "client/cli/audit_balances.h"
#include "client/cli/audit_document.h"
#include "client/cli/audit_page.h"
#include "client/cli/audit_say.h"
#include "client/cli/audit_since.h"
#include "client/cli/commands.h"
#include "client/cli/log_files.h"
#include "client/cli/log_trust.h"
#include "client/cli/progress.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/json.h"
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4352u
#define NOTE_BYTES_MAX 1000000u
#define DOCUMENT_BYTES_MAX 268435456u

typedef unsigned long long wide; // for printf

typedef struct {
    const char *log, *log_key, *policy, *since, *save, *proof, *questions;
} verify_options;
static const gw_option options_of_verify[] = {
    {"log", 0, GW_OPTION_TEXT, offsetof(verify_options, log), "DIR", "the log folder (./log, ./state/log)"},
    GW_OPTION_LOG_KEY(verify_options),
    GW_OPTION_POLICY(verify_options),
    {"since", 0, GW_OPTION_TEXT, offsetof(verify_options, since), "FILE",
     "a signed checkpoint that was kept: the log must begin with what it had, and what is new is shown"},
    {"save", 0, GW_OPTION_TEXT, offsetof(verify_options, save), "FILE",
     "keep the checkpoint of a sound log, for --since next time"},
    {"proof", 0, GW_OPTION_TEXT, offsetof(verify_options, proof), "FILE",
     "where to write two checkpoints that contradict each other (log-OLD-NEW.conflict)"},
    {"questions", 0, GW_OPTION_TEXT, offsetof(verify_options, questions), "DIR",
     "the folder of questions' texts (questions beside the log)"},
};

// One check, from its files to what is said.
typedef struct {
    gw_cli *cli;
    const verify_options *options;
    char folder[4096];
    gw_buffer note; // the checkpoint that was checked
    gw_log_trust trust;
    gw_since since;
    gw_audit_state *state;
    gw_audit_verdict verdict;
    gw_facts facts;
    gw_tlog_policy *own_quorum;  // what the log itself published, where no policy was given
    bool has_questions;          // their texts were looked at
    gw_tlog_policy *kept_quorum; // what it had published when the kept checkpoint was signed
} audit;

static void audit_done(audit *a) {
    gw_buffer_done(&a->note);
    gw_log_trust_done(&a->trust);
    gw_since_done(&a->since);
    gw_audit_state_free(a->state);
    gw_facts_done(&a->facts);
    gw_tlog_policy_free(a->own_quorum);
    gw_tlog_policy_free(a->kept_quorum);
}

// ---- reading and checking

static gw_status audit_open(audit *a, gw_problem *ret_problem) {
    gw_status status = gw_log_files_find(a->options->log, a->folder, ret_problem);
    if (status == GW_OK)
        status = gw_log_files_note(a->folder, &a->note, ret_problem);
    if (status == GW_CORRUPT)
        status = GW_OK; // the verifier finds it again, and says where it leads
    if (status == GW_OK)
        status = gw_log_trust_find(a->cli, a->options->log_key, a->options->policy, gw_buffer_bytes(&a->note),
                                   &a->trust, ret_problem);
    if (status == GW_OK && a->options->since != NULL)
        status = gw_since_read(a->options->since, &a->since, ret_problem);
    return status;
}

// Texts are public beside the log, but a copy of the log may come without them.
static const char *questions_find(const char *named, const char *folder, char path[PATH_SIZE]) {
    if (named != NULL)
        return named;
    bool fits = (unsigned)snprintf(path, PATH_SIZE, "%s/../questions", folder) < PATH_SIZE;
    return fits && access(path, F_OK) == 0 ? path : NULL;
}

static gw_status audit_verify(audit *a, gw_problem *ret_problem) {
    char questions[PATH_SIZE];
    gw_progress *progress = gw_progress_begin(a->cli, "checking");
    const char *folder = questions_find(a->options->questions, a->folder, questions);
    a->has_questions = folder != NULL;
    gw_audit_options options = {.log_key = a->trust.has_key ? &a->trust.key : NULL,
                                .questions_folder = folder,
                                .roots = &a->since.root,
                                .root_count = a->options->since == NULL ? 0 : 1,
                                .progress = gw_progress_step,
                                .progress_state = progress,
                                .each = gw_facts_add,
                                .each_state = &a->facts};
    gw_facts_init(&a->facts, a->options->since == NULL ? UINT64_MAX : a->since.checkpoint.size);
    gw_status status = gw_audit_verify(a->folder, &options, &a->state, &a->verdict);
    gw_progress_end(progress);
    if (status == GW_OK && a->verdict.is_sound && !a->facts.is_whole)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is no memory for the page.", "", "");
    if (status == GW_OK)
        return GW_OK;
    *ret_problem = a->verdict.problem;
    if (ret_problem->mend[0] == '\0')
        gw_problem_mend(ret_problem, strcmp(ret_problem->code, "file_missing") == 0
                                         ? "Copy the whole log again: its checkpoint speaks of this file."
                                         : "--log DIR   (the folder that holds the file checkpoint)");
    return status;
}

static gw_status changed_meanwhile(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_BUSY, "log_moving", "The log's files changed while they were read.",
                          "The service published more of it meanwhile.", "Check a copy of the folder.");
}

// The note that was read first must be the one that was checked.
static gw_status note_again(audit *a, gw_problem *ret_problem) {
    gw_checkpoint read;
    if (gw_checkpoint_peek(gw_buffer_bytes(&a->note), &read, NULL) == GW_OK && read.size == a->verdict.size)
        return GW_OK;
    gw_buffer_done(&a->note);
    gw_status status = gw_log_files_note(a->folder, &a->note, ret_problem);
    if (status == GW_OK &&
        (gw_checkpoint_peek(gw_buffer_bytes(&a->note), &read, NULL) != GW_OK || read.size != a->verdict.size))
        status = changed_meanwhile(ret_problem);
    return status;
}

// The quorum file that the log itself named when it had `size` entries: its newest witnesses entry, else its first
// entry. Witnesses come and go: a checkpoint is judged by those of its own time.
static gw_tlog_policy *own_quorum_find(const audit *a, uint64_t size) {
    gw_hash file = {0};
    gw_tlog_policy *policy = NULL;
    for (size_t i = 0; i < a->facts.facts.count && a->facts.facts.items[i].entry.seq < size; i++) {
        const gw_entry *entry = &a->facts.facts.items[i].entry;
        if (entry->kind == GW_ENTRY_WITNESSES)
            file = entry->witnesses.file;
        else if (entry->kind == GW_ENTRY_GENESIS)
            file = entry->genesis.witnesses;
    }
    bool is_found = !gw_hash_equal(file, (gw_hash){0}) && gw_log_quorum_file(a->folder, file, &policy);
    return is_found ? policy : NULL; // where it is not there, nothing is said of it
}

// ---- saying

// Which key was believed. A key from the log itself proves only that one hand wrote it all.
static void key_say(const audit *a) {
    char vkey[GW_VKEY_MAX];
    if (!a->trust.has_key) {
        gw_say_verdict(a->cli, "WARN",
                       "no --policy, no --log-key and no profile: the key was taken from the log itself; compare it "
                       "with one you got elsewhere");
        return;
    }
    gw_note_key_format(&a->trust.key, vkey);
    gw_say_verdict(a->cli, "OK", "checked under the key %s", vkey);
    if (a->verdict.keys_followed == 0)
        return;
    gw_note_key_format(&a->verdict.log_key, vkey);
    gw_say_verdict(a->cli, "OK",
                   "the log's key was changed since, in trees that the key before signed too; trust from now on %s",
                   vkey);
}

static void sound_say(gw_cli *cli, const gw_audit_verdict *verdict) {
    gw_say_verdict(cli, "OK", "checkpoint of %s is signed, %llu entries", verdict->checkpoint.origin,
                   (wide)verdict->size);
    gw_say_verdict(cli, "OK", "every entry re-hashed; the tree's root is the signed one");
    gw_say_verdict(cli, "OK", "%llu %s: every balance recomputed, none passes the total in force at that entry",
                   (wide)verdict->charges, verdict->charges == 1 ? "charge" : "charges");
    gw_say_verdict(cli, "OK", "%llu %s: each has exactly one earlier charge, and no charge has two outcomes",
                   (wide)verdict->releases, verdict->releases == 1 ? "answer" : "answers");
    if (verdict->abandons > 0)
        gw_say_verdict(cli, "OK", "%llu %s ended without an answer and %s spent", (wide)verdict->abandons,
                       verdict->abandons == 1 ? "charge" : "charges", verdict->abandons == 1 ? "stays" : "stay");
    if (verdict->questions > 0)
        gw_say_verdict(cli, "OK", "%llu %s of what was asked: as it was charged", (wide)verdict->questions,
                       verdict->questions == 1 ? "text" : "texts");
    if (verdict->questions_missing > 0)
        gw_say_verdict(cli, "NOTE", "%llu %s published here", (wide)verdict->questions_missing,
                       verdict->questions_missing == 1 ? "text of what was asked is not"
                                                       : "texts of what was asked are not");
    if (verdict->open_charges > 0)
        gw_say_verdict(cli, "NOTE", "%llu %s open: spent, the outcome not yet in this log", (wide)verdict->open_charges,
                       verdict->open_charges == 1 ? "charge is" : "charges are");
}

static void bad_say(const audit *a) {
    const gw_audit_verdict *verdict = &a->verdict;
    gw_cli *cli = a->cli;
    if (verdict->first_bad == UINT64_MAX)
        gw_say_verdict(cli, "FAIL", "%s %s", verdict->problem.what, verdict->problem.why);
    else
        gw_say_verdict(cli, "FAIL", "entry %llu: %s %s", (wide)verdict->first_bad, verdict->problem.what,
                       verdict->problem.why);
    gw_say(cli, "      code %s; %llu of %llu entries were checked before it\n\n", verdict->problem.code,
           (wide)verdict->entries, (wide)verdict->size);
    if (strcmp(verdict->problem.code, "bad_checkpoint") == 0 && a->trust.has_key)
        gw_say_field(cli, "Either",
                     "the key of %s is not this log's key (the first line of the file checkpoint names the log), or "
                     "another hand wrote the checkpoint.",
                     a->trust.key.name);
    else
        gw_say(cli, "This log was changed after it was written, or its writer broke the rules.\n");
}

static gw_exit_code worse(gw_exit_code a, gw_exit_code b) {
    static const gw_exit_code order[] = {GW_EXIT_TAMPERED, GW_EXIT_CANNOT_CHECK, GW_EXIT_FOUND};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a == GW_EXIT_DONE ? b : a;
}

static gw_exit_code witnesses_say(const audit *a) {
    if (a->kept_quorum != NULL)
        gw_ignore(gw_log_quorum_say(a->cli, a->kept_quorum, false, "the log's quorum file of the checkpoint you kept",
                                    gw_buffer_bytes(&a->since.note), &a->since.key)); // as below
    if (a->trust.policy != NULL)
        return gw_log_quorum_say(a->cli, a->trust.policy, true, "your policy", gw_buffer_bytes(&a->note),
                                 &a->verdict.log_key);
    if (a->own_quorum != NULL) // what the log asks of itself shows nothing about it, and fails nothing
        gw_ignore(gw_log_quorum_say(a->cli, a->own_quorum, false, "the log's own quorum file",
                                    gw_buffer_bytes(&a->note), &a->verdict.log_key));
    return GW_EXIT_DONE;
}

static void end_say(const audit *a, gw_exit_code code) {
    gw_say_text(a->cli, "\n");
    gw_say_lines(a->cli, "The log of %s is sound%s.", a->verdict.checkpoint.origin,
                 a->trust.has_key ? "" : " in itself: whose it is was not checked");
    gw_say_lines(a->cli, "No answer among its %llu entries left without a charge; no budget was passed.",
                 (wide)a->verdict.size);
    if (code == GW_EXIT_TAMPERED)
        gw_say_lines(a->cli, "But it is not the log that it was: see FAIL above.");
    else if (code == GW_EXIT_FOUND)
        gw_say_lines(a->cli, "But not everything is as it should be: see FAIL or WARN above.");
    else if (code == GW_EXIT_CANNOT_CHECK)
        gw_say_lines(a->cli, "But it was not compared with what you kept.");
}

static gw_exit_code page_say(const audit *a, gw_exit_code code) {
    gw_cli *cli = a->cli;
    key_say(a);
    sound_say(cli, &a->verdict);
    if (!a->has_questions && a->verdict.charges > 0)
        gw_say_verdict(cli, "NOTE",
                       "the texts of what was asked were not looked at: the folder questions is not beside the log "
                       "(--questions DIR)");
    if (a->options->since != NULL)
        gw_since_say(cli, &a->since, &a->verdict);
    code = worse(code, witnesses_say(a));
    gw_exit_code said = gw_audit_balances_say(cli, a->state);
    if (said != GW_EXIT_DONE)
        return said;
    gw_audit_page_say(cli, a->state, &a->facts);
    if (a->options->since != NULL && a->since.verdict == GW_SINCE_GROWN)
        gw_audit_news_say(cli, &a->facts);
    end_say(a, code);
    return code;
}

static gw_exit_code json_say(const audit *a, gw_exit_code code) {
    gw_buffer json;
    gw_buffer_init(&json, DOCUMENT_BYTES_MAX);
    gw_buffer_text(&json, "{\"v\":1");
    gw_audit_verdict_json(&a->verdict, &json);
    gw_json_write_name(&json,
                       "key_is_trusted"); // false: the key came from the log, and shows that one hand wrote it all
    gw_buffer_text(&json, a->trust.has_key ? "true" : "false");
    if (a->verdict.is_sound) {
        const gw_tlog_policy *policy = a->trust.policy != NULL ? a->trust.policy : a->own_quorum;
        if (policy != NULL) {
            gw_json_write_name(&json, a->trust.policy != NULL ? "witnesses" : "own_witnesses");
            gw_log_quorum_json(policy, gw_buffer_bytes(&a->note), &a->verdict.log_key, &json);
        }
        if (a->options->since != NULL) {
            gw_json_write_name(&json, "since");
            gw_since_json(&a->since, &json);
        }
        if (a->kept_quorum != NULL) {
            gw_json_write_name(&json, "since_witnesses");
            gw_log_quorum_json(a->kept_quorum, gw_buffer_bytes(&a->since.note), &a->since.key, &json);
        }
        gw_json_write_name(&json, "balances");
        gw_audit_balances_json(a->state, &json);
        gw_audit_facts_json(&a->facts, &json);
    }
    gw_buffer_text(&json, "}\n");
    gw_status status = json.status;
    if (status == GW_OK)
        gw_say_bytes(a->cli, gw_buffer_bytes(&json));
    gw_buffer_done(&json);
    if (status == GW_OK)
        return code;
    gw_problem problem;
    gw_ignore(
        gw_problem_set(&problem, status, "output_too_big", "The document is too big.", "", "-o csv")); // it is said
    return gw_fail(a->cli, &problem);
}

// ---- the command

static gw_status checkpoint_save(const audit *a, gw_problem *ret_problem) {
    return gw_file_replace(a->options->save, gw_buffer_bytes(&a->note), 0644, ret_problem);
}

static gw_exit_code sound_run(audit *a) {
    gw_problem problem;
    gw_exit_code code = GW_EXIT_DONE;
    gw_status status = note_again(a, &problem);
    if (status != GW_OK) {
        gw_exit_code said = gw_fail(a->cli, &problem);
        return said == GW_EXIT_USAGE ? said : GW_EXIT_CANNOT_CHECK;
    }
    if (a->trust.policy == NULL)
        a->own_quorum = own_quorum_find(a, a->verdict.size);
    if (a->options->since != NULL) {
        gw_since_judge(&a->since, a->folder, gw_buffer_bytes(&a->note), &a->verdict.log_key, &a->verdict, &a->facts,
                       a->options->proof);
        code = gw_since_exit(&a->since);
        if (a->since.verdict == GW_SINCE_GROWN)
            a->kept_quorum = own_quorum_find(a, a->since.checkpoint.size);
    }
    if (a->cli->output == GW_OUTPUT_TABLE) {
        code = page_say(a, code);
    } else {
        code = worse(code, witnesses_say(a));
        gw_exit_code said =
            a->cli->output == GW_OUTPUT_JSON ? json_say(a, code) : gw_audit_balances_say(a->cli, a->state);
        code = said == GW_EXIT_DONE ? code : said;
        if (code == GW_EXIT_TAMPERED || code == GW_EXIT_FOUND)
            gw_note(a->cli, "FAIL  the log is sound, and yet not as it should be: see it with -o table\n");
    }
    if (code != GW_EXIT_DONE || a->options->save == NULL)
        return code; // what was kept stays the better one
    if (checkpoint_save(a, &problem) != GW_OK)
        return gw_fail(a->cli, &problem);
    gw_note(a->cli, "The checkpoint is kept: next time --since %s\n", a->options->save);
    return code;
}

static gw_exit_code audit_run(audit *a) {
    gw_problem problem;
    gw_status status = audit_open(a, &problem);
    if (status == GW_OK)
        status = audit_verify(a, &problem);
    if (status != GW_OK)
        return gw_audit_fail(a->cli, &problem);
    // A program's output has no place for it, and must not lack it.
    if (!a->trust.has_key && a->cli->output != GW_OUTPUT_TABLE)
        gw_note(a->cli,
                "WARN  no --policy, no --log-key and no profile: the key was taken from the log itself, so this shows "
                "only that one hand wrote it all\n");
    if (a->verdict.is_sound)
        return sound_run(a);
    if (a->cli->output == GW_OUTPUT_JSON)
        gw_ignore(json_say(a, GW_EXIT_TAMPERED)); // tampered either way
    else
        bad_say(a);
    return GW_EXIT_TAMPERED;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    GW_CLEANUP(audit_done) audit a = {.cli = cli, .options = state};
    gw_buffer_init(&a.note, NOTE_BYTES_MAX);
    gw_since_init(&a.since);
    gw_facts_init(&a.facts, UINT64_MAX);
    return audit_run(&a);
}

const gw_command gw_command_audit_verify = {
    .name = "audit verify",
    .group = "Auditor",
    .arguments = "[--log DIR] [--policy FILE | --log-key VKEY] [--since FILE] [--save FILE]",
    .summary = "re-hash every entry, recompute every balance, name the first bad one, and say what happened",
    .examples = "godwit audit verify --log log --log-key \"$(cat trusted.vkey)\" --save kept.checkpoint\n"
                "godwit audit verify --log log --policy trust.policy --since kept.checkpoint\n"
                "godwit audit verify --as auditor -o json\n",
    GW_OPTIONS(options_of_verify),
    .options_size = sizeof(verify_options),
    .is_paged = true,
    .run = run,
};
