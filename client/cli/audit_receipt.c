// SPDX-License-Identifier: Apache-2.0
// One answer's receipt checked offline: that it was charged before it left, under a signed checkpoint.
#include "client/cli/audit_say.h"
#include "client/cli/commands.h"
#include "client/cli/log_trust.h"
#include "client/cli/receipt_log.h"
#include "client/cli/profiles.h"
#include "client/cli/wording.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/wire/message.h"
#include "service/wire/receipt.h"
#include <string.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX 268435456u
#define SUFFIX ".tlog-proof"

GW_DEFINE_FREEP(gw_audit_state, gw_audit_state_free)

typedef struct {
    const char *answer, *request, *log_key, *policy, *log;
} receipt_options;
static const gw_option options_of_receipt[] = {
    {"answer", 0, GW_OPTION_TEXT, offsetof(receipt_options, answer), "FILE",
     "the answer as it was saved (RELEASE.answer.json beside the receipt)"},
    {"request", 0, GW_OPTION_TEXT, offsetof(receipt_options, request), "FILE",
     "the request as it was signed (RELEASE.request, when it is there)"},
    GW_OPTION_LOG_KEY(receipt_options),
    GW_OPTION_POLICY(receipt_options),
    {"log", 0, GW_OPTION_TEXT, offsetof(receipt_options, log), "DIR",
     "the log folder too: the whole log is checked, the receipt against it, and the request's signature"},
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
                       const gw_entry *release, bool has_log) {
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
        gw_say_verdict(cli, "OK", "%s is the request that was charged%s", files->request_path,
                       has_log ? "" : " (its signature was not checked: that takes the asker's key, --log DIR)");
    else
        gw_say_verdict(cli, "NOTE", "no request was given: which bytes were asked was not checked (--request FILE)");
}

// Which of the files fails. A receipt that holds without the request leaves only the request.
static const char *file_blamed(const receipt_files *files, const char *receipt, const gw_note_key *key,
                               const gw_problem *problem) {
    gw_problem none;
    if (strcmp(problem->code, "bad_answer") == 0 || strcmp(problem->code, "bad_question") == 0)
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
    if (strcmp(problem->code, "bad_checkpoint") == 0)
        gw_say_verdict(cli, "NOTE",
                       "if the log's key was changed since: --log DIR takes its keys from the log, and --policy FILE a "
                       "line \"log VKEY\" for each");
    return GW_EXIT_TAMPERED;
}

// The checkpoint that a receipt carries; empty where it cannot be read, which is found again where it is judged.
static gw_bytes note_of(gw_bytes receipt_bytes, gw_buffer *scratch) {
    gw_receipt receipt;
    gw_problem none;
    return gw_receipt_decode(receipt_bytes, scratch, &receipt, &none) == GW_OK ? receipt.checkpoint : (gw_bytes){0};
}

static gw_status trust_find(const gw_cli *cli, const receipt_options *options, gw_bytes note, gw_log_trust *ret,
                            gw_problem *ret_problem) {
    gw_status status = gw_log_trust_find(cli, options->log_key, options->policy, note, ret, ret_problem);
    if (status != GW_OK || ret->has_key)
        return status;
    gw_log_trust_done(ret);
    return gw_problem_set(ret_problem, GW_NOT_FOUND, "log_key_missing", "Under which key should I believe the log?",
                          "A receipt proves nothing without a key that you got from elsewhere.",
                          "--log-key VKEY, --policy FILE, or --as NAME");
}

static gw_status receipt_check(const receipt_files *files, const gw_note_key *key, gw_entry *ret_charge,
                               gw_entry *ret_release, gw_problem *ret_problem) {
    gw_status status = gw_audit_receipt(gw_buffer_bytes(&files->receipt), gw_buffer_bytes(&files->answer),
                                        gw_buffer_bytes(&files->request), key, ret_charge, ret_release, ret_problem);
    if (status == GW_OK && files->request_path[0] != '\0' && files->request.size == 0)
        status = gw_problem_set(ret_problem, GW_CORRUPT, "bad_request_hash", "The request is empty.", "", "");
    return status;
}

// What a receipt alone does not show: who else vouches for its tree, and what the log says of the asker's key.
static gw_exit_code beyond_say(gw_cli *cli, const receipt_options *options, const receipt_files *files,
                               const gw_log_trust *trust, const gw_note_key *key, gw_bytes note, const gw_entry *charge,
                               const gw_entry *release) {
    gw_exit_code code = GW_EXIT_DONE;
    if (trust->policy != NULL)
        code = gw_log_quorum_say(cli, trust->policy, true, "your policy", note, key);
    if (code == GW_EXIT_TAMPERED || options->log == NULL)
        return code;
    gw_exit_code in_log =
        gw_receipt_log_say(cli, options->log, &trust->key, note, gw_buffer_bytes(&files->request), charge, release);
    return in_log == GW_EXIT_DONE ? code : in_log;
}

// A receipt from before the log's key was changed, or from after it: the log that the trusted key leads to names all
// its keys, and may be asked which of them signed.
static gw_status key_from_log(const receipt_options *options, gw_bytes note, const gw_note_key *trusted,
                              gw_note_key *ret) {
    GW_CLEANUP(gw_audit_state_freep) gw_audit_state *state = NULL;
    gw_audit_verdict verdict;
    gw_checkpoint none;
    const gw_audit_options how = {.log_key = trusted};
    if (gw_audit_verify(options->log, &how, &state, &verdict) != GW_OK || !verdict.is_sound)
        return GW_NOT_FOUND;
    for (size_t i = 0; i < gw_audit_log_keys(state); i++) {
        gw_ignore(gw_audit_log_key(state, i, ret)); // its entry is not asked for
        if (gw_checkpoint_open(note, ret, &none, NULL) == GW_OK)
            return GW_OK;
    }
    return GW_NOT_FOUND;
}

static gw_exit_code files_unreadable(gw_cli *cli, const gw_problem *problem) {
    if (!is_too_big(problem))
        return gw_audit_fail(cli, problem);
    gw_say_verdict(cli, "FAIL", "%s %s", problem->what, problem->why);
    return GW_EXIT_TAMPERED;
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    const receipt_options *options = state;
    GW_CLEANUP(files_done) receipt_files files;
    GW_CLEANUP(gw_buffer_done) gw_buffer scratch;
    GW_CLEANUP(gw_log_trust_done) gw_log_trust trust = {.has_key = false};
    gw_entry charge, release;
    gw_problem problem;
    files_init(&files);
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_status status = files_read(options, words->items[0], &files, &problem);
    if (status != GW_OK)
        return files_unreadable(cli, &problem);
    gw_bytes note = note_of(gw_buffer_bytes(&files.receipt), &scratch);
    status = trust_find(cli, options, note, &trust, &problem);
    if (status != GW_OK)
        return gw_audit_fail(cli, &problem);
    status = receipt_check(&files, &trust.key, &charge, &release, &problem);
    gw_note_key key = trust.key;
    if (status == GW_CORRUPT && strcmp(problem.code, "bad_checkpoint") == 0 && options->log != NULL &&
        key_from_log(options, note, &trust.key, &key) == GW_OK)
        status = receipt_check(&files, &key, &charge, &release, &problem);
    if (status == GW_NO_MEMORY) // not checked, and no file is to blame
        return gw_audit_fail(cli, &problem);
    if (status != GW_OK)
        return tampered_say(cli, file_blamed(&files, words->items[0], &key, &problem), words->items[0], &problem);
    proven_say(cli, &files, &key, &charge, &release, options->log != NULL);
    if (memcmp(&key.key, &trust.key.key, sizeof(key.key)) != 0)
        gw_say_verdict(cli, "OK", "it is signed under another key of that log, which the key you trust leads to");
    return beyond_say(cli, options, &files, &trust, &key, note, &charge, &release);
}

const gw_command gw_command_audit_receipt = {
    .name = "audit receipt",
    .group = "Auditor",
    .arguments = "FILE.tlog-proof [--answer FILE] [--request FILE] [--policy FILE | --log-key VKEY] [--log DIR]",
    .summary = "check offline that an answer was charged and released as it is",
    .examples = "godwit audit receipt GW-2026-000143.tlog-proof\n"
                "godwit audit receipt proof --answer answer.json --log-key \"$(cat trusted.vkey)\"\n"
                "godwit audit receipt GW-2026-000143.tlog-proof --policy trust.policy --log log\n",
    GW_OPTIONS(options_of_receipt),
    .options_size = sizeof(receipt_options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
