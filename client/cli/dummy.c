// SPDX-License-Identifier: Apache-2.0
// What an answer will look like, made from the policy alone: for writing the code that reads it. Nothing is spent.
#include "client/cli/asked.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/names.h"
#include "client/cli/price.h"
#include "client/cli/say_answer.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"

#define QUESTION_BYTES_MAX 1048576u
#define ANSWER_BYTES_MAX 268435456u

GW_DEFINE_FREEP(gw_names, gw_names_free)
GW_DEFINE_FREEP(gw_arena, gw_arena_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    gw_question_options question;
    const char *level;
} dummy_options;
static const gw_option options_of_dummy[] = {GW_QUESTION_OPTIONS(dummy_options, question),
                                             GW_LEVEL_OPTION(dummy_options, level)};

// Nothing is paid, so nobody need think of a price; which one was taken is said.
static void price_choose(gw_cli *cli, const gw_json_node *dataset, gw_question *question) {
    char price[GW_EPSILON_TEXT];
    if (!gw_price_usual(dataset, question))
        return;
    gw_epsilon_format(question->epsilon, price);
    gw_note(cli, "Made as for a price of %s; --epsilon names another.\n", price);
}

typedef struct {
    gw_cli *cli;
    const dummy_options *options;
    const gw_words *words;
    gw_session *session;
    gw_arena *arena;
    gw_names *names;
    const gw_json_node *dataset; // in names
    gw_question question;
    uint32_t level_ppm;
} dummy_run;

static gw_status question_read(dummy_run *run, gw_problem *ret_problem) {
    const char *word = run->words->items[0];
    gw_status status =
        gw_question_read(&run->options->question, run->words, word, run->arena, &run->question, ret_problem);
    if (status == GW_OK)
        status = gw_session_open(run->cli, run->session, ret_problem);
    if (status == GW_OK)
        status = gw_names_load(run->cli, run->session, &run->names, ret_problem);
    if (status == GW_OK)
        status = gw_names_dataset(run->names, word, &run->dataset, ret_problem);
    if (status != GW_OK)
        return status;
    run->question.dataset = gw_doc_text(run->dataset, "dataset", word);
    run->question.kind = GW_KIND_DUMMY;
    price_choose(run->cli, run->dataset, &run->question);
    return GW_OK;
}

static gw_status dummy_ask(dummy_run *run, gw_client_reply *ret_reply, gw_problem *ret_problem) {
    gw_buffer body;
    gw_buffer_init(&body, QUESTION_BYTES_MAX);
    gw_question_encode(&run->question, &body);
    gw_status status =
        body.status == GW_OK
            ? gw_ask(run->cli, run->session, gw_buffer_bytes(&body), NULL, ret_reply, ret_problem)
            : gw_problem_set(ret_problem, body.status, "question_too_big", "The question is too long.", "", "");
    gw_buffer_done(&body);
    return status;
}

static gw_status answer_say(const dummy_run *run, const gw_client_reply *reply, gw_problem *ret_problem) {
    gw_answer answer;
    gw_status status = gw_answer_decode(reply->answer, run->arena, &answer, ret_problem);
    if (status == GW_OK && !answer.is_dummy)
        return gw_problem_set(ret_problem, GW_CORRUPT, "bad_reply", "The service's dummy does not say that it is one.",
                              "What is not marked as made up could be taken for an answer.", "");
    const gw_said_answer said = {&answer, reply->answer, &run->question, run->names, run->dataset, run->level_ppm};
    return status == GW_OK ? gw_say_figures(run->cli, &said, ret_problem) : status;
}

static void closing_say(const dummy_run *run, const gw_client_reply *reply) {
    GW_CLEANUP(gw_json_freep) gw_json *account = NULL;
    gw_problem ignored;
    if (run->cli->output != GW_OUTPUT_TABLE ||
        gw_json_parse(reply->account, GW_JSON_REPLY, &account, &ignored) != GW_OK)
        return;
    gw_say_lines(run->cli, "Nothing was spent; the real answer would cost %s",
                 gw_doc_text(gw_json_root(account), "price", "?"));
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    GW_CLEANUP(gw_session_close) gw_session session = {0};
    GW_CLEANUP(gw_arena_freep) gw_arena *arena = gw_arena_new(ANSWER_BYTES_MAX);
    dummy_run made = {.cli = cli, .options = state, .words = words, .session = &session, .arena = arena};
    gw_client_reply reply;
    gw_problem problem;
    GW_ASSERT(arena != NULL);
    gw_status status = gw_level_read(cli, made.options->level, &made.level_ppm, &problem);
    if (status == GW_OK)
        status = question_read(&made, &problem);
    if (status == GW_OK)
        status = dummy_ask(&made, &reply, &problem);
    if (status == GW_OK)
        status = answer_say(&made, &reply, &problem);
    if (status == GW_OK)
        closing_say(&made, &reply);
    else
        gw_asked_mend(cli, &made.options->question, &problem);
    gw_names_free(made.names);
    return status == GW_OK ? GW_EXIT_DONE : gw_fail(cli, &problem);
}

const gw_command gw_command_dummy = {
    .name = "dummy",
    .group = "Researcher",
    .arguments = "DATASET [INDICATOR] [--by A,B] [--where C=V]... [--epsilon E]",
    .summary = "made-up figures in the shape of the real answer, free: NOT REAL",
    .examples = "godwit dummy register employment_rate --by c_birth,sex\n"
                "godwit dummy register --measure mean:income --by sex -o csv > practice.csv\n",
    GW_OPTIONS(options_of_dummy),
    .options_size = sizeof(dummy_options),
    .words_min = 1,
    .words_max = 2,
    .says_figures = true,
    .is_paged = true,
    .run = run,
};
