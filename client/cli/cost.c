// SPDX-License-Identifier: Apache-2.0
// The price and the expected error, before anything is spent. Answered from policy, ledger and released figures alone.
#include "client/cli/asked.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/price.h"
#include "client/cli/questions_file.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"

#define QUESTION_BYTES_MAX 1048576u
#define ARENA_BYTES_MAX 16777216u

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)

typedef struct {
    gw_question_options question;
    const char *quote, *file;
} cost_options;
static const gw_option options_of_cost[] = {
    GW_QUESTION_OPTIONS(cost_options, question),
    {"quote", 0, GW_OPTION_TEXT, offsetof(cost_options, quote), "ID", "what a quote stands for, and its price"},
    {"file", 0, GW_OPTION_TEXT, offsetof(cost_options, file), "FILE", "the prices of all questions of this file"},
};

typedef struct {
    gw_cli *cli;
    const cost_options *options;
    const gw_words *words;
    gw_session *session;
    gw_arena *arena;
    gw_names *names;
    const gw_json_node *dataset; // in names; NULL for a basket
    gw_json *source;             // owns a file's texts
    gw_question question;
} cost_run;

static gw_status typed_read(cost_run *run, gw_problem *ret_problem) {
    gw_status status = gw_question_read(&run->options->question, run->words, run->words->items[0], run->arena,
                                        &run->question, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(run->cli, run->session, ret_problem);
    if (status == GW_OK)
        status = gw_names_load(run->cli, run->session, &run->names, ret_problem);
    if (status == GW_OK)
        status = gw_names_dataset(run->names, run->words->items[0], &run->dataset, ret_problem);
    if (status != GW_OK)
        return status;
    run->question.dataset = gw_doc_text(run->dataset, "dataset", run->words->items[0]);
    gw_ignore(gw_price_usual(run->dataset, &run->question)); // its figures show what was taken
    return GW_OK;
}

static gw_status file_read(cost_run *run, gw_problem *ret_problem) {
    gw_status status =
        gw_questions_file_read(run->options->file, run->arena, &run->source, &run->question, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(run->cli, run->session, ret_problem);
    if (status == GW_OK)
        status = gw_names_load(run->cli, run->session, &run->names, ret_problem);
    return status == GW_OK ? gw_questions_file_resolve(run->names, run->arena, &run->question, ret_problem) : status;
}

static gw_status quote_read(cost_run *run, gw_problem *ret_problem) {
    run->question.quote = run->options->quote;
    gw_status status = gw_session_open(run->cli, run->session, ret_problem);
    return status == GW_OK ? gw_names_load(run->cli, run->session, &run->names, ret_problem) : status;
}

static gw_status question_read(cost_run *run, gw_problem *ret_problem) {
    const cost_options *options = run->options;
    bool is_alone = options->quote != NULL || options->file != NULL;
    bool is_typed = run->words->count > 0 || gw_question_is_typed(&options->question);
    if ((options->quote != NULL && options->file != NULL) || (is_alone && is_typed))
        return gw_problem_set(ret_problem, GW_INVALID, "words", "A quote, or a file, is the whole question.",
                              "Nothing else about the question can stand beside it.",
                              "godwit cost --file questions.json");
    if (!is_alone && run->words->count == 0)
        return gw_problem_set(ret_problem, GW_INVALID, "words", "Which dataset?",
                              "A question names its dataset, or is named by --quote or --file.", "godwit catalogue");
    if (options->file != NULL)
        return file_read(run, ret_problem);
    return options->quote != NULL ? quote_read(run, ret_problem) : typed_read(run, ret_problem);
}

static gw_status cost_ask(cost_run *run, gw_client_reply *ret_reply, gw_json **ret_document, gw_problem *ret_problem) {
    gw_buffer body;
    gw_status status = question_read(run, ret_problem);
    if (status != GW_OK)
        return status;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    run->question.kind = GW_KIND_COST;
    gw_question_encode(&run->question, &body);
    status = body.status == GW_OK
                 ? gw_ask_document(run->cli, run->session, gw_buffer_bytes(&body), ret_reply, ret_document, ret_problem)
                 : gw_problem_set(ret_problem, body.status, "question_too_big", "The question is too long.", "", "");
    gw_buffer_done(&body);
    return status;
}

static gw_exit_code say(const cost_run *run, const gw_client_reply *reply, const gw_json_node *cost) {
    if (run->cli->output == GW_OUTPUT_JSON) {
        gw_say_answer(run->cli, reply->answer);
        return GW_EXIT_DONE;
    }
    if (run->question.basket != NULL)
        return gw_price_basket_say(run->cli, cost);
    if (run->cli->output == GW_OUTPUT_CSV)
        return gw_price_row_say(run->cli, cost);
    const gw_json_node *dataset = run->dataset; // a quote's is known only now
    gw_problem ignored;
    if (dataset == NULL && gw_names_dataset(run->names, gw_doc_text(cost, "dataset", ""), &dataset, &ignored) != GW_OK)
        dataset = NULL;
    gw_price_say(run->cli, cost, dataset);
    return GW_EXIT_DONE;
}

// A basket with refusals is told whole, and is a check that found problems.
static gw_exit_code run_cost(gw_cli *cli, const void *state, const gw_words *words) {
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ARENA_BYTES_MAX);
    GW_CLEANUP(gw_json_freep) gw_json *document = NULL;
    cost_run run = {.cli = cli, .options = state, .words = words, .session = &session, .arena = arena};
    gw_client_reply reply;
    gw_problem problem;
    GW_ASSERT(arena != NULL);
    gw_exit_code code;
    if (cost_ask(&run, &reply, &document, &problem) == GW_OK) {
        code = say(&run, &reply, gw_json_root(document));
        if (code == GW_EXIT_DONE && gw_doc_integer(gw_json_root(document), "refused", 0) > 0)
            code = GW_EXIT_FOUND;
    } else {
        gw_asked_mend(cli, &run.options->question, &problem);
        code = gw_fail(cli, &problem);
    }
    gw_names_free(run.names);
    gw_json_free(run.source);
    return code;
}

const gw_command gw_command_cost = {
    .name = "cost",
    .group = "Researcher",
    .arguments = "DATASET [INDICATOR] [--by A,B] [--where C=V]... [--epsilon E | --target-error X] | --file FILE",
    .summary = "the price and the expected error of a question, before anything is spent",
    .examples = "godwit cost register employment_rate --by c_birth,sex --target-error 3 --group-size 1500\n"
                "godwit cost register --measure mean:income --by sex --epsilon 0.1\n"
                "godwit cost register --measure median:income --by sex --target-error 100   (people away, in rank)\n"
                "godwit cost register population_count --by none --where age=20..64 --where sex=F\n"
                "godwit cost --file questions.json\n",
    GW_OPTIONS(options_of_cost),
    .options_size = sizeof(cost_options),
    .words_min = 0,
    .words_max = 2,
    .is_paged = true,
    .run = run_cost,
};
