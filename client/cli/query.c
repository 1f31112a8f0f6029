// SPDX-License-Identifier: Apache-2.0
// Asking for money: one question, one that was quoted, or a file of them one after another.
#include "client/cli/asked.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/price.h"
#include "client/cli/purchase.h"
#include "client/cli/questions_file.h"
#include "client/cli/say_answer.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <string.h>

#define QUESTION_BYTES_MAX 1048576u
#define ARENA_BYTES_MAX 16777216u

GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    gw_question_options question;
    gw_purchase_options purchase;
    const char *quote, *file, *level;
} query_options;

static const gw_option options_of_query[] = {
    GW_QUESTION_OPTIONS(query_options, question),
    GW_PURCHASE_OPTIONS(query_options, purchase),
    {"quote", 0, GW_OPTION_TEXT, offsetof(query_options, quote), "ID", "the question that godwit cost gave this id to"},
    {"file", 0, GW_OPTION_TEXT, offsetof(query_options, file), "FILE", "all questions of this file, one by one"},
    GW_LEVEL_OPTION(query_options, level),
};

// One run of the command. Everything borrowed lives in it until the end.
typedef struct {
    gw_cli *cli;
    const query_options *options;
    const gw_words *words;
    gw_session session;
    gw_arena *arena;
    gw_names *names;   // NULL where no labels and no short name are needed
    gw_json *document; // a price
    gw_json *source;   // owns the texts of a quoted question, or of a file's
    gw_purchase purchase;
} query_run;

static void query_run_done(query_run *run) {
    gw_json_free(run->document);
    gw_json_free(run->source);
    gw_names_free(run->names);
    gw_arena_free(run->arena);
    gw_session_close(&run->session);
}

static gw_status cost_ask(query_run *run, const gw_question *question, gw_problem *ret_problem) {
    gw_question asked = *question;
    gw_client_reply reply;
    gw_buffer body;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    asked.kind = GW_KIND_COST;
    gw_question_encode(&asked, &body);
    gw_status status =
        body.status == GW_OK
            ? gw_ask_document(run->cli, &run->session, gw_buffer_bytes(&body), &reply, &run->document, ret_problem)
            : gw_problem_set(ret_problem, body.status, "question_too_big", "The question is too long.", "", "");
    gw_buffer_done(&body);
    return status;
}

// The most that is ever paid is what was agreed to. --yes also covers a stored answer that is gone in between; without
// it, free is all that was agreed to.
static void price_bind(query_run *run, const gw_json_node *cost) {
    gw_question *question = &run->purchase.question;
    bool is_free = gw_doc_bool(cost, "free");
    question->max_cost = gw_doc_epsilon(cost, is_free && run->options->purchase.yes ? "epsilon" : "price");
    question->has_max_cost = true;
}

// ---- one question

// The mend is the same question put to `cost`; its options are added where every mend gets them.
static gw_status price_needed(const query_options *options, const gw_words *words, gw_problem *ret_problem) {
    if (options->question.epsilon != NULL || options->question.target_error != NULL)
        return GW_OK;
    gw_status status =
        gw_problem_set(ret_problem, GW_INVALID, "option_missing", "A question has a price.",
                       "Say what you pay (--epsilon), or the error you can live with (--target-error).", "");
    gw_problem_mend(ret_problem, "godwit cost %.200s%s%.200s", words->items[0], words->count > 1 ? " " : "",
                    words->count > 1 ? words->items[1] : "");
    return status;
}

// Labels and short names come from the catalogue; a full id for a program needs neither.
static gw_status dataset_find(query_run *run, const char *word, gw_problem *ret_problem) {
    if (strchr(word, '/') != NULL && !run->cli->format->has_labels)
        return GW_OK;
    gw_status status = run->names == NULL ? gw_names_load(run->cli, &run->session, &run->names, ret_problem) : GW_OK;
    run->purchase.names = run->names;
    if (status == GW_OK)
        status = gw_names_dataset(run->names, word, &run->purchase.dataset, ret_problem);
    if (status == GW_OK)
        run->purchase.question.dataset = gw_doc_text(run->purchase.dataset, "dataset", word);
    return status;
}

static gw_status price_agree(query_run *run, gw_problem *ret_problem) {
    gw_question *question = &run->purchase.question;
    char mend[320];
    if (run->options->purchase.max_cost != NULL) {
        question->has_max_cost = true;
        return gw_amount_read("--max-cost", run->options->purchase.max_cost, true, &question->max_cost, ret_problem);
    }
    gw_status status = cost_ask(run, question, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_json_node *cost = gw_json_root(run->document);
    price_bind(run, cost);
    gw_ignore(snprintf(mend, sizeof(mend), "godwit cost %.128s %.128s", run->words->items[0],
                       question->indicator == NULL ? "" : question->indicator)); // it fits
    return gw_purchase_agree(run->cli, &run->options->purchase, "query", cost,
                             question->indicator == NULL ? NULL : mend, ret_problem);
}

static gw_status one_run(query_run *run, gw_problem *ret_problem) {
    const gw_words *words = run->words;
    gw_question *question = &run->purchase.question;
    gw_status status = price_needed(run->options, words, ret_problem);
    if (status == GW_OK)
        status = gw_question_read(&run->options->question, words, words->items[0], run->arena, question, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(run->cli, &run->session, ret_problem);
    if (status == GW_OK)
        status = dataset_find(run, words->items[0], ret_problem);
    if (status == GW_OK)
        status = price_agree(run, ret_problem);
    if (status == GW_OK)
        status = gw_purchase_make(&run->purchase, ret_problem);
    if (status != GW_OK)
        gw_asked_mend(run->cli, &run->options->question, ret_problem);
    return status;
}

// ---- one that was quoted

// What the service says the quote stands for becomes the question of this run, for the answer's title and labels.
static gw_status quoted_read(query_run *run, gw_problem *ret_problem) {
    const gw_json_node *cost = gw_json_root(run->document), *asked = gw_doc_at(cost, "asked");
    gw_json_reader reader;
    gw_json_reader_init(&reader, run->document);
    if (!gw_question_read_object(&reader, asked, run->arena, &run->purchase.question)) {
        *ret_problem = reader.problem;
        return reader.status;
    }
    price_bind(run, cost);
    run->purchase.quote = run->options->quote;
    return GW_OK;
}

static gw_status quoted_run(query_run *run, gw_problem *ret_problem) {
    const gw_question quoted = {.quote = run->options->quote};
    gw_status status = gw_session_open(run->cli, &run->session, ret_problem);
    if (status == GW_OK)
        status = cost_ask(run, &quoted, ret_problem);
    if (status == GW_OK)
        status = quoted_read(run, ret_problem);
    if (status == GW_OK)
        status = dataset_find(run, run->purchase.question.dataset, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_json_node *cost = gw_json_root(run->document);
    gw_note(run->cli, "%s · %s · price %s\n", gw_doc_text(cost, "title", "?"),
            gw_dataset_short(gw_doc_text(cost, "dataset", "?")), gw_doc_text(cost, "price", "?"));
    status = gw_purchase_agree(run->cli, &run->options->purchase, "query", cost, NULL, ret_problem);
    return status == GW_OK ? gw_purchase_make(&run->purchase, ret_problem) : status;
}

// ---- a file of them

// Every question goes out in full, with the price that was agreed to; so its saved request says what was asked.
static gw_status basket_question(query_run *run, const gw_question *basket, const gw_json_node *cost,
                                 gw_problem *ret_problem) {
    int64_t place = gw_doc_integer(cost, "place", 0);
    if (place < 1 || (size_t)place > basket->basket_count)
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_reply", "The prices do not fit the questions.", "", "");
    run->purchase.question = basket->basket[place - 1];
    run->purchase.question.has_epsilon = true;
    run->purchase.question.epsilon = gw_doc_epsilon(cost, "epsilon");
    run->purchase.question.target_error = NULL;
    run->purchase.question.group_size = 0;
    price_bind(run, cost);
    return dataset_find(run, run->purchase.question.dataset, ret_problem);
}

static const gw_json_node *basket_refused(const gw_json_node *prices) {
    for (const gw_json_node *node = gw_doc_first(prices, "quotes"); node != NULL; node = gw_json_next(node))
        if (gw_doc_at(node, "problem") != NULL)
            return node;
    return NULL;
}

// A basket with a question that is refused is not begun: what was meant to be read together would be half there.
static gw_status basket_refusal(const gw_json_node *refused, gw_problem *ret_problem) {
    const gw_json_node *problem = gw_doc_at(refused, "problem");
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, gw_doc_text(problem, "code", "bad_reply"), "",
                                      gw_doc_text(problem, "why", ""), gw_doc_text(problem, "mend", ""));
    gw_problem_what(ret_problem, "Question %lld of the file is refused: %s",
                    (long long)gw_doc_integer(refused, "place", 0), gw_doc_text(problem, "what", "?"));
    return status;
}

static gw_status basket_make(query_run *run, const gw_question *basket, size_t *ret_done, gw_problem *ret_problem) {
    gw_status status = GW_OK;
    for (const gw_json_node *node = gw_doc_first(gw_json_root(run->document), "quotes");
         node != NULL && status == GW_OK; node = gw_json_next(node)) {
        if (gw_doc_at(node, "same_as") != NULL)
            continue; // its answer stands above
        if (*ret_done > 0 && run->cli->output == GW_OUTPUT_TABLE)
            gw_say(run->cli, "\n");
        status = basket_question(run, basket, node, ret_problem);
        if (status == GW_OK)
            status = gw_purchase_make(&run->purchase, ret_problem);
        *ret_done += status == GW_OK;
    }
    return status;
}

static gw_status basket_run(query_run *run, size_t *ret_done, gw_problem *ret_problem) {
    gw_question basket;
    gw_status status = gw_questions_file_read(run->options->file, run->arena, &run->source, &basket, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(run->cli, &run->session, ret_problem);
    if (status == GW_OK)
        status = gw_names_load(run->cli, &run->session, &run->names, ret_problem);
    run->purchase.names = run->names;
    if (status == GW_OK)
        status = gw_questions_file_resolve(run->names, run->arena, &basket, ret_problem);
    if (status == GW_OK)
        status = cost_ask(run, &basket, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_json_node *prices = gw_json_root(run->document), *refused = basket_refused(prices);
    if (refused != NULL)
        return basket_refusal(refused, ret_problem);
    status = gw_purchase_agree(run->cli, &run->options->purchase, "query", prices, NULL, ret_problem);
    return status == GW_OK ? basket_make(run, &basket, ret_done, ret_problem) : status;
}

// ---- the command

static gw_status options_check(const query_options *options, const gw_words *words, gw_problem *ret_problem) {
    bool is_alone = options->quote != NULL || options->file != NULL;
    const gw_purchase_options *purchase = &options->purchase;
    if (options->quote != NULL && options->file != NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "option_twice", "Both --quote and --file are given.",
                              "Each of them says what is asked.", "Leave one of them out.");
    if (is_alone && (words->count > 0 || gw_question_is_typed(&options->question)))
        return gw_problem_set(ret_problem, GW_INVALID, "words", "A quote, or a file, is the whole question.",
                              "Nothing else about the question can stand beside it.",
                              "godwit query --quote Q-7K3M-9XWP-2T4V --yes");
    if (!is_alone && words->count == 0)
        return gw_problem_set(ret_problem, GW_INVALID, "words", "Which dataset?",
                              "A question names its dataset, or is named by --quote or --file.", "godwit catalogue");
    bool is_of_one =
        purchase->answer != NULL || purchase->receipt != NULL || purchase->request != NULL || purchase->idem != NULL;
    if (options->file != NULL && is_of_one)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "This option is for one question.",
                              "A file's answers are kept under their release ids.", "--save DIR");
    return gw_purchase_check(purchase, ret_problem);
}

static gw_exit_code run_query(gw_cli *cli, const void *state, const gw_words *words) {
    GW_CLEANUP(query_run_done) query_run run = {.cli = cli, .options = state, .words = words};
    gw_problem problem;
    size_t done = 0;
    run.arena = gw_arena_new(ARENA_BYTES_MAX);
    GW_ASSERT(run.arena != NULL);
    run.purchase = (gw_purchase){.cli = cli, .options = &run.options->purchase, .session = &run.session};
    gw_status status = options_check(run.options, words, &problem);
    if (status == GW_OK)
        status = gw_level_read(cli, run.options->level, &run.purchase.level_ppm, &problem);
    if (status == GW_OK && run.options->file != NULL)
        status = basket_run(&run, &done, &problem);
    else if (status == GW_OK && run.options->quote != NULL)
        status = quoted_run(&run, &problem);
    else if (status == GW_OK)
        status = one_run(&run, &problem);
    if (status == GW_OK)
        return GW_EXIT_DONE;
    gw_exit_code code = gw_fail(cli, &problem);
    if (done == 0)
        return code;
    gw_note(cli, "%zu answered and kept; the rest was not asked. The same command again asks only for the rest.\n",
            done);
    return GW_EXIT_PARTIAL;
}

const gw_command gw_command_query = {
    .name = "query",
    .group = "Researcher",
    .arguments = "DATASET [INDICATOR] --epsilon E --max-cost E [--by A,B] [--where C=V]... | --quote ID | --file FILE",
    .summary = "ask, pay, and keep the receipt; the same question again is free",
    .examples = "godwit query register employment_rate --by c_birth,sex --epsilon 0.05 --max-cost 0.05\n"
                "godwit query register employment_rate --target-error 3 --group-size 1500 --yes\n"
                "godwit query register --measure mean:income --by sex --epsilon 0.1 --yes -o csv > income.csv\n"
                "godwit query register --measure quantile:income --at 0.1,0.5,0.9 --by sex --epsilon 0.1 --yes\n"
                "godwit query register --measure count --by sex,c_birth --up-to 2 --epsilon 0.1 --yes\n"
                "godwit query --file questions.json --max-cost 0.5\n",
    GW_OPTIONS(options_of_query),
    .options_size = sizeof(query_options),
    .words_min = 0,
    .words_max = 2,
    .says_figures = true,
    .is_paged = true,
    .run = run_query,
};
