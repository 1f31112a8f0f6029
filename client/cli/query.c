// SPDX-License-Identifier: Apache-2.0
// Asking for money: the question, its price agreed to, the answer as a table, and the receipt kept and checked.
#include "client/cli/asked.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/say_answer.h"
#include "client/cli/wording.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUESTION_BYTES_MAX 1048576u
#define ANSWER_BYTES_MAX 268435456u

GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    gw_question_options question;
    const char *max_cost, *receipt, *answer, *request, *save, *idem;
    bool yes, no_save;
} query_options;

static const gw_option options_of_query[] = {
    GW_QUESTION_OPTIONS(query_options, question),
    {"max-cost", 0, GW_OPTION_TEXT, offsetof(query_options, max_cost), "E", "pay at most this much"},
    {"yes", 'y', GW_OPTION_FLAG, offsetof(query_options, yes), NULL, "pay what it costs, without asking"},
    {"save", 0, GW_OPTION_TEXT, offsetof(query_options, save), "DIR",
     "where answer, receipt and request are kept (here)"},
    {"no-save", 0, GW_OPTION_FLAG, offsetof(query_options, no_save), NULL, "keep no files"},
    {"answer", 0, GW_OPTION_TEXT, offsetof(query_options, answer), "FILE", "keep the answer in this file"},
    {"receipt", 0, GW_OPTION_TEXT, offsetof(query_options, receipt), "FILE", "keep the receipt in this file"},
    {"request", 0, GW_OPTION_TEXT, offsetof(query_options, request), "FILE", "keep the signed request in this file"},
    {"idem", 0, GW_OPTION_TEXT, offsetof(query_options, idem), "HEX",
     "the request id, 32 hex digits: the same id is never charged twice"},
};

// One run of the command. Everything borrowed lives in it until the end.
typedef struct {
    gw_cli *cli;
    const query_options *options;
    const gw_words *words;
    gw_session session;
    gw_arena *arena;
    gw_names *names;             // NULL where no labels and no short name are needed
    const gw_json_node *dataset; // in names
    gw_question question;
    gw_client_reply reply;
    gw_answer answer;
    gw_json *account;
} query_run;

static void query_run_done(query_run *run) {
    gw_json_free(run->account);
    gw_names_free(run->names);
    gw_arena_free(run->arena);
    gw_session_close(&run->session);
}

static gw_status folder_check(const char *option, const char *folder, gw_problem *ret_problem) {
    struct stat info;
    if (stat(folder, &info) == 0 && S_ISDIR(info.st_mode) && access(folder, W_OK | X_OK) == 0)
        return GW_OK;
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "option_value", "",
                                      "Nothing was asked: an answer that is paid for should be kept.", "");
    gw_problem_what(ret_problem, "I can't write into the folder %.200s (%s).", folder, option);
    gw_problem_mend(ret_problem, "mkdir -p %s, or --save another-folder, or --no-save", folder);
    return status;
}

static gw_status file_check(const char *option, const char *file, gw_problem *ret_problem) {
    char folder[GW_PATH_MAX];
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    if (file == NULL || slash == file)
        return GW_OK;
    int size = slash == NULL ? 1 : (int)(slash - file);
    if ((unsigned)snprintf(folder, sizeof(folder), "%.*s", size, slash == NULL ? "." : file) >= sizeof(folder))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of a file is too long.", "",
                              "--save DIR");
    return folder_check(option, folder, ret_problem);
}

// Before anything is asked: what is to be kept can be kept.
static gw_status places_check(const query_options *options, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    if (!options->no_save)
        status = folder_check("--save", options->save == NULL ? "." : options->save, ret_problem);
    if (status == GW_OK)
        status = file_check("--answer", options->answer, ret_problem);
    if (status == GW_OK)
        status = file_check("--receipt", options->receipt, ret_problem);
    if (status == GW_OK)
        status = file_check("--request", options->request, ret_problem);
    return status;
}

static gw_status options_check(const query_options *options, gw_problem *ret_problem) {
    uint8_t id[GW_ID_SIZE];
    if (options->idem != NULL && !gw_unhex(options->idem, strlen(options->idem), id, sizeof(id)))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "A request id is 32 hex digits in lower case.",
                              "", "");
    if (options->question.epsilon == NULL && options->question.target_error == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "option_missing", "A question has a price.",
                              "Say what you pay (--epsilon), or the error you can live with (--target-error).",
                              "godwit cost DATASET INDICATOR   shows both");
    return places_check(options, ret_problem);
}

// Labels and short names come from the catalogue; a full id for a program needs neither.
static gw_status dataset_find(query_run *run, gw_problem *ret_problem) {
    const char *word = run->words->items[0];
    if (strchr(word, '/') != NULL && !run->cli->format->has_labels)
        return GW_OK;
    gw_status status = gw_names_load(run->cli, &run->session, &run->names, ret_problem);
    if (status == GW_OK)
        status = gw_names_dataset(run->names, word, &run->dataset, ret_problem);
    if (status == GW_OK)
        run->question.dataset = gw_doc_text(run->dataset, "dataset", word);
    return status;
}

static gw_status body_ask(query_run *run, gw_question_kind kind, const char *idem, gw_problem *ret_problem) {
    gw_buffer body;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    run->question.kind = kind;
    gw_question_encode(&run->question, &body);
    gw_status status = body.status;
    if (status == GW_OK)
        status = gw_ask(run->cli, &run->session, gw_buffer_bytes(&body), idem, &run->reply, ret_problem);
    else
        gw_ignore(
            gw_problem_set(ret_problem, status, "question_too_big", "The question is too long.", "", "")); // returns it
    gw_buffer_done(&body);
    return status;
}

static gw_status yes_missing(query_run *run, const char *price, gw_problem *ret_problem) {
    gw_status status =
        gw_problem_set(ret_problem, GW_INVALID, "option_missing", "I don't spend without a yes.", "", "");
    gw_buffer line;
    gw_buffer_init(&line, 4096);
    gw_command_line("query", run->cli->argc, run->cli->argv, &line);
    gw_problem_why(ret_problem, "This question costs %s, and nobody is here to ask.", price);
    gw_problem_mend(ret_problem, "%s --max-cost %s", gw_buffer_string(&line), price);
    gw_buffer_done(&line);
    return status;
}

static const char *own_remaining(const gw_json_node *cost) {
    for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "budget", ""), "principal") == 0)
            return gw_doc_text(node, "remaining", "?");
    return "budget"; // no limit of its own
}

// Which of the budgets is too small for the price; NULL where all have enough.
static const gw_json_node *balance_short(const gw_json_node *cost) {
    gw_epsilon price = gw_doc_epsilon(cost, "price");
    for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node))
        if (gw_doc_epsilon(node, "remaining").micro < price.micro)
            return node;
    return NULL;
}

// Said before the question is put: nobody should agree to what is refused a second later.
static gw_status balance_refusal(const query_run *run, const gw_json_node *cost, const gw_json_node *balance,
                                 gw_problem *ret_problem) {
    const char *budget = gw_doc_text(balance, "budget", "");
    const char *remaining = gw_doc_text(balance, "remaining", "0");
    bool is_own = strcmp(budget, "principal") == 0;
    gw_status status = gw_problem_set(
        ret_problem, GW_BUDGET, "",
        is_own ? "This question costs more than you have left." : "This question costs more than is left.", "", "");
    gw_ignore(snprintf(ret_problem->code, sizeof(ret_problem->code), "budget_%.32s", budget)); // it fits
    gw_problem_why(ret_problem, "It costs %s; %s budget has %s left. Nothing was asked, nothing was spent.",
                   gw_doc_text(cost, "price", "?"), is_own ? "your" : budget, remaining);
    if (gw_doc_epsilon(balance, "remaining").micro > 0 && run->question.indicator != NULL)
        gw_problem_mend(ret_problem, "godwit cost %s %s --epsilon %s", run->words->items[0], run->question.indicator,
                        remaining);
    else
        gw_problem_mend(ret_problem, "godwit budget %s", run->words->items[0]);
    return status;
}

// The price as the service states it now; what is agreed to is the most that is ever paid.
static gw_status price_agree(query_run *run, gw_problem *ret_problem) {
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    gw_status status = body_ask(run, GW_KIND_COST, NULL, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(run->reply.answer, GW_JSON_REPLY, &document, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_json_node *cost = gw_json_root(document);
    const char *price = gw_doc_text(cost, "price", "0");
    bool is_free = gw_doc_bool(cost, "free");
    // --yes also covers a stored answer that is gone in between; without it, free is all that was agreed to.
    run->question.max_cost = gw_doc_epsilon(cost, is_free && run->options->yes ? "epsilon" : "price");
    run->question.has_max_cost = true;
    if (run->options->yes || is_free)
        return GW_OK;
    const gw_json_node *balance = balance_short(cost);
    if (balance != NULL)
        return balance_refusal(run, cost, balance, ret_problem);
    char text[160];
    gw_ignore(snprintf(text, sizeof(text), "This costs %s of your %s. Ask?", price,
                       own_remaining(cost))); // bounded, it is only shown
    if (gw_confirm(run->cli, text))
        return GW_OK;
    if (!run->cli->in_is_terminal || !run->cli->err_is_terminal)
        return yes_missing(run, price, ret_problem);
    return gw_problem_set(ret_problem, GW_DENIED, "cancelled", "Nothing was asked, nothing was spent.", "", "");
}

static gw_status price_read(query_run *run, gw_problem *ret_problem) {
    if (run->options->max_cost == NULL)
        return price_agree(run, ret_problem);
    run->question.has_max_cost = true;
    return gw_amount_read("--max-cost", run->options->max_cost, true, &run->question.max_cost, ret_problem);
}

static gw_status file_save(const query_run *run, const char *named, const char *suffix, gw_bytes bytes,
                           unsigned *ret_count, gw_problem *ret_problem) {
    char path[GW_PATH_MAX];
    if ((named == NULL && run->options->no_save) || bytes.size == 0)
        return GW_OK;
    int used = named != NULL
                   ? snprintf(path, sizeof(path), "%s", named)
                   : snprintf(path, sizeof(path), "%s/%s%s", run->options->save == NULL ? "." : run->options->save,
                              run->answer.release, suffix);
    if (used < 0 || (unsigned)used >= sizeof(path))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of a file is too long.", "",
                              "--save DIR");
    gw_status status = gw_file_replace(path, bytes, 0644, ret_problem);
    *ret_count += status == GW_OK;
    return status;
}

// Checked before it is called saved: a receipt that proves nothing must not lie beside an answer.
static gw_status receipt_check(const query_run *run, gw_bytes request, gw_problem *ret_problem) {
    gw_note_key key;
    gw_entry charge, release;
    if (run->reply.receipt.size == 0)
        return GW_OK;
    gw_status status = gw_note_key_parse(run->session.profile.log_key, &key, ret_problem);
    if (status == GW_OK)
        status = gw_audit_receipt(run->reply.receipt, run->reply.answer, request, &key, &charge, &release, ret_problem);
    return status;
}

// The receipt of a repeated question speaks of the request that was charged, not of this one.
static gw_bytes charged_request(const query_run *run) {
    bool is_repeat = run->account != NULL && gw_doc_bool(gw_json_root(run->account), "repeat");
    return is_repeat ? (gw_bytes){0} : run->reply.request;
}

static gw_status keep(query_run *run, unsigned *ret_receipts, gw_problem *ret_problem) {
    const query_options *options = run->options;
    unsigned others = 0;
    gw_status status = file_save(run, options->answer, ".answer.json", run->reply.answer, &others, ret_problem);
    if (status == GW_OK)
        status = file_save(run, options->receipt, ".tlog-proof", run->reply.receipt, ret_receipts, ret_problem);
    if (status == GW_OK)
        status = file_save(run, options->request, ".request", charged_request(run), &others, ret_problem);
    return status;
}

static void closing_say(query_run *run, bool is_saved) {
    gw_cli *cli = run->cli;
    const gw_json_node *account = run->account == NULL ? NULL : gw_json_root(run->account);
    gw_buffer line;
    gw_buffer_init(&line, 1024);
    gw_buffer_format(&line, "Release %s", run->answer.release);
    if (is_saved)
        gw_buffer_text(&line, " · receipt saved");
    if (gw_doc_bool(account, "repeat"))
        gw_buffer_text(&line, " · asked before: free");
    const char *remaining = gw_doc_text(account, "remaining", NULL);
    if (remaining != NULL && run->session.profile.principal[0] != '\0') {
        char left[GW_AMOUNT_TEXT];
        gw_amount_text(remaining, left);
        gw_buffer_format(&line, " · left %s", left);
    }
    if (cli->output == GW_OUTPUT_TABLE)
        gw_say_wrapped(cli, gw_buffer_string(&line));
    else
        gw_note(cli, "%s\n", gw_buffer_string(&line));
    gw_buffer_done(&line);
}

static gw_status answer_say(query_run *run, gw_problem *ret_problem) {
    const gw_said_answer said = {&run->answer, run->reply.answer, &run->question, run->names, run->dataset};
    return gw_say_figures(run->cli, &said, ret_problem);
}

static gw_status reply_read(query_run *run, gw_problem *ret_problem) {
    gw_status status = gw_answer_decode(run->reply.answer, run->arena, &run->answer, ret_problem);
    if (status == GW_OK && run->reply.account.size > 0)
        status = gw_json_parse(run->reply.account, GW_JSON_REPLY, &run->account, ret_problem);
    if (status == GW_OK && !gw_release_is_plain(run->answer.release))
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_reply", "The release id in the answer is not one.", "", "");
    return status == GW_OK ? receipt_check(run, charged_request(run), ret_problem) : status;
}

static gw_exit_code run_query(gw_cli *cli, const void *state, const gw_words *words) {
    GW_CLEANUP(query_run_done) query_run run = {.cli = cli, .options = state, .words = words};
    gw_problem problem;
    unsigned receipts = 0;
    run.arena = gw_arena_new(ANSWER_BYTES_MAX);
    GW_ASSERT(run.arena != NULL);
    gw_status status = options_check(run.options, &problem);
    if (status == GW_OK)
        status = gw_question_read(&run.options->question, words, words->items[0], run.arena, &run.question, &problem);
    if (status == GW_OK)
        status = gw_session_open(cli, &run.session, &problem);
    if (status == GW_OK)
        status = dataset_find(&run, &problem);
    if (status == GW_OK)
        status = price_read(&run, &problem);
    if (status == GW_OK)
        status = body_ask(&run, GW_KIND_QUERY, run.options->idem, &problem);
    if (status == GW_OK)
        status = reply_read(&run, &problem);
    // The answer is paid for: it is shown before anything that a full disk could spoil.
    if (status == GW_OK)
        status = answer_say(&run, &problem);
    if (status == GW_OK)
        status = keep(&run, &receipts, &problem);
    if (status != GW_OK) {
        gw_asked_mend(cli, &run.options->question, &problem);
        return gw_fail(cli, &problem);
    }
    closing_say(&run, receipts > 0);
    return GW_EXIT_DONE;
}

const gw_command gw_command_query = {
    .name = "query",
    .group = "Researcher",
    .arguments = "DATASET [INDICATOR] --epsilon E --max-cost E [--by A,B] [--where C=V]...",
    .summary = "ask, pay, and keep the receipt; the same question again is free",
    .examples = "godwit query register employment_rate --by c_birth,sex --epsilon 0.05 --max-cost 0.05\n"
                "godwit query register employment_rate --target-error 3 --group-size 1500 --yes\n"
                "godwit query register --measure mean:income --by sex --epsilon 0.1 --yes -o csv > income.csv\n",
    GW_OPTIONS(options_of_query),
    .options_size = sizeof(query_options),
    .words_min = 1,
    .words_max = 2,
    .says_figures = true,
    .is_paged = true,
    .run = run_query,
};
