// SPDX-License-Identifier: Apache-2.0
// One answer's receipt checked offline: that it was charged before it left, under a signed checkpoint.
#include "client/cli/commands.h"
#include "client/cli/log_key.h"
#include "client/cli/wording.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/receipt.h"
#include <string.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX 268435456u
#define SUFFIX ".tlog-proof"

typedef struct {
    const char *answer, *request, *log_key;
} receipt_options;
static const gw_option options_of_receipt[] = {
    {"answer", 0, GW_OPTION_TEXT, offsetof(receipt_options, answer), "FILE",
     "the answer as it was saved (RELEASE.answer.json beside the receipt)"},
    {"request", 0, GW_OPTION_TEXT, offsetof(receipt_options, request), "FILE",
     "the request as it was signed (RELEASE.request, when it is there)"},
    {"log-key", 0, GW_OPTION_TEXT, offsetof(receipt_options, log_key), "VKEY",
     "the key you trust (that of the profile)"},
};

typedef struct {
    gw_buffer receipt, answer, request;
    char answer_path[GW_PATH_MAX], request_path[GW_PATH_MAX];
} receipt_files;

static void files_init(receipt_files *files) {
    *files = (receipt_files){0};
    gw_buffer_init(&files->receipt, 65536);
    gw_buffer_init(&files->answer, ANSWER_BYTES_MAX);
    gw_buffer_init(&files->request, GW_REQUEST_BYTES_MAX);
}

static void files_done(receipt_files *files) {
    gw_buffer_done(&files->receipt);
    gw_buffer_done(&files->answer);
    gw_buffer_done(&files->request);
}

// "X.tlog-proof" -> "X<suffix>"; empty where the receipt has another name.
static void beside(const char *receipt, const char *suffix, char path[GW_PATH_MAX]) {
    size_t size = strlen(receipt), suffix_size = sizeof(SUFFIX) - 1;
    path[0] = '\0';
    if (size > suffix_size && size < GW_PATH_MAX - 32 && strcmp(receipt + size - suffix_size, SUFFIX) == 0)
        gw_ignore(snprintf(path, GW_PATH_MAX, "%.*s%s", (int)(size - suffix_size), receipt,
                           suffix)); // its length was checked
}

static gw_status path_choose(const char *named, const char *receipt, const char *suffix, char path[GW_PATH_MAX],
                             gw_problem *ret_problem) {
    if (named == NULL) {
        beside(receipt, suffix, path);
        return GW_OK;
    }
    if ((unsigned)snprintf(path, GW_PATH_MAX, "%s", named) < GW_PATH_MAX)
        return GW_OK;
    return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of a file is too long.", "", "");
}

static gw_status files_read(const receipt_options *options, const char *receipt, receipt_files *files,
                            gw_problem *ret_problem) {
    gw_status status = gw_file_read(receipt, &files->receipt, ret_problem);
    if (status == GW_OK)
        status = path_choose(options->answer, receipt, ".answer.json", files->answer_path, ret_problem);
    if (status == GW_OK)
        status = path_choose(options->request, receipt, ".request", files->request_path, ret_problem);
    if (status == GW_OK && files->answer_path[0] == '\0')
        status = gw_problem_set(ret_problem, GW_INVALID, "option_missing", "Which answer does this receipt belong to?",
                                "", "--answer FILE");
    if (status == GW_OK && options->request == NULL &&
        (files->request_path[0] == '\0' || access(files->request_path, F_OK) != 0))
        files->request_path[0] = '\0'; // none was named and none lies there
    if (status == GW_OK)
        status = gw_file_read(files->answer_path, &files->answer, ret_problem);
    if (status == GW_OK && files->request_path[0] != '\0')
        status = gw_file_read(files->request_path, &files->request, ret_problem);
    return status;
}

// Longer than any such file is: changed, like one that is shorter.
static bool is_too_big(const gw_problem *problem) {
    return strcmp(problem->code, "file_too_big") == 0;
}

static void proven_say(gw_cli *cli, const receipt_files *files, const gw_note_key *key, const gw_entry *charge,
                       const gw_entry *release) {
    char cost[GW_AMOUNT_TEXT], charged[GW_TIME_TEXT], released[GW_TIME_TEXT];
    gw_amount_format((gw_epsilon){charge->charge.cost}, cost);
    gw_time_format(charge->time, charged);
    gw_time_format(release->time, released);
    gw_say_verdict(cli, "OK", "the checkpoint is signed by %s", key->name);
    gw_say_verdict(cli, "OK", "charge: entry %llu, %s UTC: %s paid %s on %s", (unsigned long long)charge->seq, charged,
                   charge->charge.principal, cost, charge->charge.dataset);
    gw_say_verdict(cli, "OK", "release: entry %llu, %s UTC: %s answers that charge", (unsigned long long)release->seq,
                   released, release->release.release);
    gw_say_verdict(cli, "OK", "both entries are in the signed log");
    gw_say_verdict(cli, "OK", "%s is the answer that was released, byte by byte", files->answer_path);
    if (files->request.size > 0)
        gw_say_verdict(cli, "OK",
                       "%s is the request that was charged (its signature was not checked: that takes the asker's "
                       "key)",
                       files->request_path);
    else
        gw_say_verdict(cli, "NOTE", "no request was given: which bytes were asked was not checked (--request FILE)");
}

// Which of the files fails. A receipt that holds without the request leaves only the request.
static const char *file_blamed(const receipt_files *files, const char *receipt, const gw_note_key *key,
                               const gw_problem *problem) {
    gw_problem none;
    if (strcmp(problem->code, "bad_answer") == 0)
        return files->answer_path;
    bool holds_alone = gw_audit_receipt(gw_buffer_bytes(&files->receipt), gw_buffer_bytes(&files->answer),
                                        (gw_bytes){0}, key, NULL, NULL, &none) == GW_OK;
    return holds_alone ? files->request_path : receipt;
}

// The request is hashed with the receipt's salt: where both can be read, either may be the one that was changed.
static void salt_say(gw_cli *cli, const char *receipt, const gw_problem *problem) {
    if (strcmp(problem->code, "bad_request_hash") == 0)
        gw_say(cli, "      or the salt in %s was changed\n", receipt);
}

// Whichever byte was changed, and however little of the file can still be read: a file that was saved whole and is not
// whole now was changed.
static gw_exit_code tampered_say(gw_cli *cli, const char *file, const char *receipt, const gw_problem *problem) {
    gw_say_verdict(cli, "FAIL", "%s: %s %s", file, problem->what, problem->why);
    salt_say(cli, receipt, problem);
    gw_say(cli, "      code %s\n", problem->code);
    return GW_EXIT_TAMPERED;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    const receipt_options *options = state;
    GW_CLEANUP(files_done) receipt_files files;
    gw_note_key key;
    gw_entry charge, release;
    gw_problem problem;
    bool has_key;
    files_init(&files);
    gw_status status = gw_log_key_find(cli, options->log_key, &key, &has_key, &problem);
    if (status == GW_OK && !has_key)
        status = gw_problem_set(&problem, GW_NOT_FOUND, "log_key_missing", "Under which key should I believe the log?",
                                "A receipt proves nothing without a key that you got from elsewhere.",
                                "--log-key VKEY, or --as NAME");
    if (status == GW_OK)
        status = files_read(options, words->items[0], &files, &problem);
    if (status != GW_OK && is_too_big(&problem)) {
        gw_say_verdict(cli, "FAIL", "%s %s", problem.what, problem.why);
        return GW_EXIT_TAMPERED;
    }
    if (status != GW_OK) {
        gw_exit_code code = gw_fail(cli, &problem);
        return code == GW_EXIT_USAGE ? code : GW_EXIT_CANNOT_CHECK;
    }
    status = gw_audit_receipt(gw_buffer_bytes(&files.receipt), gw_buffer_bytes(&files.answer),
                              gw_buffer_bytes(&files.request), &key, &charge, &release, &problem);
    if (status == GW_OK && files.request_path[0] != '\0' && files.request.size == 0)
        status = gw_problem_set(&problem, GW_CORRUPT, "bad_request_hash", "The request is empty.", "", "");
    if (status == GW_NO_MEMORY) {
        gw_ignore(gw_fail(cli, &problem)); // not checked, and no file is to blame
        return GW_EXIT_CANNOT_CHECK;
    }
    if (status != GW_OK)
        return tampered_say(cli, file_blamed(&files, words->items[0], &key, &problem), words->items[0], &problem);
    proven_say(cli, &files, &key, &charge, &release);
    return GW_EXIT_DONE;
}

const gw_command gw_command_audit_receipt = {
    .name = "audit receipt",
    .group = "Auditor",
    .arguments = "FILE.tlog-proof [--answer FILE] [--request FILE]",
    .summary = "check offline that an answer was charged and released as it is",
    .examples = "godwit audit receipt GW-2026-000143.tlog-proof\n"
                "godwit audit receipt proof --answer answer.json --log-key \"$(cat trusted.vkey)\"\n",
    GW_OPTIONS(options_of_receipt),
    .options_size = sizeof(receipt_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
