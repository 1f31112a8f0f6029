// SPDX-License-Identifier: Apache-2.0
// Asking for money, and keeping what it bought.
#include "client/cli/purchase.h"
#include "client/cli/doc.h"
#include "client/cli/price.h"
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

// ---- before anything is asked

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

gw_status gw_purchase_check(const gw_purchase_options *options, gw_problem *ret_problem) {
    uint8_t id[GW_ID_SIZE];
    gw_epsilon max_cost;
    gw_status status = GW_OK;
    if (options->idem != NULL && !gw_unhex(options->idem, strlen(options->idem), id, sizeof(id)))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "A request id is 32 hex digits in lower case.",
                              "", "");
    if (options->max_cost != NULL)
        status = gw_amount_read("--max-cost", options->max_cost, true, &max_cost, ret_problem);
    if (status == GW_OK && !options->no_save)
        status = folder_check("--save", options->save == NULL ? "." : options->save, ret_problem);
    if (status == GW_OK)
        status = file_check("--answer", options->answer, ret_problem);
    if (status == GW_OK)
        status = file_check("--receipt", options->receipt, ret_problem);
    if (status == GW_OK)
        status = file_check("--request", options->request, ret_problem);
    return status;
}

// ---- the price

static const char *own_remaining(const gw_json_node *cost) {
    for (const gw_json_node *node = gw_doc_first(cost, "balances"); node != NULL; node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "budget", ""), "principal") == 0)
            return gw_doc_text(node, "remaining", "?");
    return "budget"; // no limit of its own
}

// Said before the question is put: nobody should agree to what is refused a second later.
static gw_status balance_refusal(const gw_json_node *cost, const gw_json_node *balance, const char *mend,
                                 gw_problem *ret_problem) {
    const char *budget = gw_doc_text(balance, "budget", "");
    const char *remaining = gw_doc_text(balance, "remaining", "0");
    bool is_own = strcmp(budget, "principal") == 0;
    gw_status status =
        gw_problem_set(ret_problem, GW_BUDGET, "",
                       is_own ? "This costs more than you have left." : "This costs more than is left.", "", "");
    gw_ignore(snprintf(ret_problem->code, sizeof(ret_problem->code), "budget_%.32s", budget)); // it fits
    gw_problem_why(ret_problem, "It costs %s; %s budget has %s left. Nothing was asked, nothing was spent.",
                   gw_doc_text(balance, "price", gw_doc_text(cost, "price", "?")), is_own ? "your" : budget, remaining);
    if (gw_doc_epsilon(balance, "remaining").micro > 0 && mend != NULL)
        gw_problem_mend(ret_problem, "%s --epsilon %s", mend, remaining);
    else
        gw_problem_mend(ret_problem, "godwit budget");
    return status;
}

static gw_status yes_missing(gw_cli *cli, const char *command, const char *price, gw_problem *ret_problem) {
    gw_status status =
        gw_problem_set(ret_problem, GW_INVALID, "option_missing", "I don't spend without a yes.", "", "");
    gw_buffer line;
    gw_buffer_init(&line, 4096);
    gw_command_line(command, cli->argc, cli->argv, &line);
    gw_problem_why(ret_problem, "This costs %s, and nobody is here to ask.", price);
    gw_problem_mend(ret_problem, "%s --max-cost %s", gw_buffer_string(&line), price);
    gw_buffer_done(&line);
    return status;
}

static gw_status max_cost_refusal(const gw_json_node *cost, const char *max_cost, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_BUDGET, "max_cost", "This costs more than you allowed.", "", "");
    gw_problem_why(ret_problem, "It costs %s; --max-cost is %s. Nothing was asked, nothing was spent.",
                   gw_doc_text(cost, "price", "?"), max_cost);
    gw_problem_mend(ret_problem, "--max-cost %s, or lower prices", gw_doc_text(cost, "price", "?"));
    return status;
}

gw_status gw_purchase_agree(gw_cli *cli, const gw_purchase_options *options, const char *command,
                            const gw_json_node *cost, const char *mend, gw_problem *ret_problem) {
    const char *price = gw_doc_text(cost, "price", "0");
    gw_epsilon asked = gw_doc_epsilon(cost, "price"), allowed = {0};
    if (options->max_cost != NULL) {
        gw_status status = gw_amount_read("--max-cost", options->max_cost, true, &allowed, ret_problem);
        if (status == GW_OK && asked.micro > allowed.micro)
            status = max_cost_refusal(cost, options->max_cost, ret_problem);
        return status;
    }
    if (options->yes || asked.micro == 0)
        return GW_OK;
    const gw_json_node *balance = gw_price_short(cost);
    if (balance != NULL)
        return balance_refusal(cost, balance, mend, ret_problem);
    char text[160];
    gw_ignore(snprintf(text, sizeof(text), "This costs %s of your %s. Ask?", price,
                       own_remaining(cost))); // bounded, it is only shown
    if (gw_confirm(cli, text))
        return GW_OK;
    if (!cli->in_is_terminal || !cli->err_is_terminal)
        return yes_missing(cli, command, price, ret_problem);
    return gw_problem_set(ret_problem, GW_DENIED, "cancelled", "Nothing was asked, nothing was spent.", "", "");
}

// ---- asking and keeping

// One purchase on its way. Everything borrowed lives in it until the end.
typedef struct {
    const gw_purchase *of;
    gw_client_reply reply;
    gw_arena *arena;
    gw_answer answer;
    gw_json *account;
} purchase_run;

static void purchase_run_done(purchase_run *run) {
    gw_json_free(run->account);
    gw_arena_free(run->arena);
}

static gw_status body_ask(purchase_run *run, gw_problem *ret_problem) {
    const gw_purchase *of = run->of;
    gw_question question = of->question;
    gw_buffer body;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    question.kind = GW_KIND_QUERY;
    if (of->quote != NULL)
        question = (gw_question){.kind = GW_KIND_QUERY,
                                 .quote = of->quote,
                                 .has_max_cost = question.has_max_cost,
                                 .max_cost = question.max_cost};
    gw_question_encode(&question, &body);
    gw_status status = body.status;
    if (status == GW_OK)
        status = gw_ask(of->cli, of->session, gw_buffer_bytes(&body), of->options->idem, &run->reply, ret_problem);
    else
        gw_ignore(
            gw_problem_set(ret_problem, status, "question_too_big", "The question is too long.", "", "")); // returns it
    gw_buffer_done(&body);
    return status;
}

static gw_status file_save(const purchase_run *run, const char *named, const char *suffix, gw_bytes bytes,
                           unsigned *ret_count, gw_problem *ret_problem) {
    char path[GW_PATH_MAX];
    const gw_purchase_options *options = run->of->options;
    if ((named == NULL && options->no_save) || bytes.size == 0)
        return GW_OK;
    int used = named != NULL ? snprintf(path, sizeof(path), "%s", named)
                             : snprintf(path, sizeof(path), "%s/%s%s", options->save == NULL ? "." : options->save,
                                        run->answer.release, suffix);
    if (used < 0 || (unsigned)used >= sizeof(path))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of a file is too long.", "",
                              "--save DIR");
    gw_status status = gw_file_replace(path, bytes, 0644, ret_problem);
    *ret_count += status == GW_OK;
    return status;
}

// Checked before it is called saved: a receipt that proves nothing must not lie beside an answer.
static gw_status receipt_check(const purchase_run *run, gw_bytes request, gw_problem *ret_problem) {
    gw_note_key key;
    gw_entry charge, release;
    if (run->reply.receipt.size == 0)
        return GW_OK;
    gw_status status = gw_note_key_parse(run->of->session->profile.log_key, &key, ret_problem);
    if (status == GW_OK)
        status = gw_audit_receipt(run->reply.receipt, run->reply.answer, request, &key, &charge, &release, ret_problem);
    return status;
}

// The receipt of a repeated question speaks of the request that was charged, not of this one.
static gw_bytes charged_request(const purchase_run *run) {
    bool is_repeat = run->account != NULL && gw_doc_bool(gw_json_root(run->account), "repeat");
    return is_repeat ? (gw_bytes){0} : run->reply.request;
}

static gw_status keep(purchase_run *run, unsigned *ret_receipts, gw_problem *ret_problem) {
    const gw_purchase_options *options = run->of->options;
    unsigned others = 0;
    gw_status status = file_save(run, options->answer, ".answer.json", run->reply.answer, &others, ret_problem);
    if (status == GW_OK)
        status = file_save(run, options->receipt, ".tlog-proof", run->reply.receipt, ret_receipts, ret_problem);
    if (status == GW_OK)
        status = file_save(run, options->request, ".request", charged_request(run), &others, ret_problem);
    return status;
}

static void closing_say(const purchase_run *run, bool is_saved) {
    gw_cli *cli = run->of->cli;
    const gw_json_node *account = run->account == NULL ? NULL : gw_json_root(run->account);
    gw_buffer line;
    gw_buffer_init(&line, 1024);
    gw_buffer_format(&line, "Release %s", run->answer.release);
    if (is_saved)
        gw_buffer_text(&line, " · receipt saved");
    if (gw_doc_bool(account, "repeat"))
        gw_buffer_text(&line, " · asked before: free");
    const char *remaining = gw_doc_text(account, "remaining", NULL);
    if (remaining != NULL && run->of->session->profile.principal[0] != '\0') {
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

static gw_status reply_read(purchase_run *run, gw_problem *ret_problem) {
    gw_status status = gw_answer_decode(run->reply.answer, run->arena, &run->answer, ret_problem);
    if (status == GW_OK && run->reply.account.size > 0)
        status = gw_json_parse(run->reply.account, GW_JSON_REPLY, &run->account, ret_problem);
    if (status == GW_OK && !gw_release_is_plain(run->answer.release))
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_reply", "The release id in the answer is not one.", "", "");
    return status == GW_OK ? receipt_check(run, charged_request(run), ret_problem) : status;
}

static gw_status answer_say(const purchase_run *run, gw_problem *ret_problem) {
    const gw_purchase *of = run->of;
    const gw_said_answer said = {&run->answer, run->reply.answer, &of->question, of->names, of->dataset, of->level_ppm};
    return gw_say_figures(of->cli, &said, ret_problem);
}

gw_status gw_purchase_make(const gw_purchase *purchase, gw_problem *ret_problem) {
    GW_CLEANUP(purchase_run_done) purchase_run run = {.of = purchase, .arena = gw_arena_new(ANSWER_BYTES_MAX)};
    unsigned receipts = 0;
    GW_ASSERT(run.arena != NULL);
    gw_status status = body_ask(&run, ret_problem);
    if (status == GW_OK)
        status = reply_read(&run, ret_problem);
    if (status != GW_OK)
        return status;
    // It is paid for: kept whatever becomes of showing it, and shown whatever becomes of keeping it.
    gw_problem unsaid;
    status = keep(&run, &receipts, ret_problem);
    if (answer_say(&run, &unsaid) != GW_OK && status == GW_OK) {
        *ret_problem = unsaid;
        status = unsaid.status;
    }
    if (status == GW_OK)
        closing_say(&run, receipts > 0);
    return status;
}
