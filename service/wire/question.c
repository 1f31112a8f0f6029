// SPDX-License-Identifier: Apache-2.0
// Bodies into typed questions. Each kind has its own list of fields; a field of another kind is as unknown as a
// misspelt one. Names and what is measured are read in files of their own.
#include "service/wire/question_inner.h"
#include "service/wire/decimal.h"
#include "service/base/check.h"
#include <string.h>

#define GROUP_SIZE_MAX 100000000000 // persons; more than have ever lived

typedef struct {
    const char *name;
    const char *const *allowed;
} kind_rule;

#define QUESTION_FIELDS                                                                                                \
    "v", "kind", "dataset", "indicator", "measure", "weighted", "where", "by", "epsilon", "target_error",              \
        "group_size", "max_cost", "gap", "tables", "delta"
static const char *const fields_question[] = {QUESTION_FIELDS, NULL};
static const char *const fields_quote[] = {"v", "kind", "quote", "max_cost", NULL};
static const char *const fields_basket[] = {"v", "kind", "questions", NULL};
static const char *const fields_dataset[] = {"v", "kind", "dataset", NULL};
static const char *const fields_bare[] = {"v", "kind", NULL};
static const char *const fields_history[] = {"v", "kind", "all", NULL};
static const char *const fields_checkpoint[] = {"v", "kind", "note", NULL};
static const char *const fields_any[] = {QUESTION_FIELDS, "quote", "questions", "all", "action", "note", NULL};

// In the order of gw_question_kind.
static const kind_rule kinds[] = {
    [GW_KIND_QUERY] = {"query", fields_question},
    [GW_KIND_COST] = {"cost", fields_question},
    [GW_KIND_BUDGET] = {"budget", fields_dataset},
    [GW_KIND_CATALOGUE] = {"catalogue", fields_bare},
    [GW_KIND_DESCRIBE] = {"describe", fields_dataset},
    [GW_KIND_HISTORY] = {"history", fields_history},
    [GW_KIND_PING] = {"ping", fields_bare},
    [GW_KIND_DUMMY] = {"dummy", fields_question},
    [GW_KIND_ADMIN] = {"admin", NULL},
    [GW_KIND_CHECKPOINT] = {"checkpoint", fields_checkpoint},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const char *gw_question_kind_name(gw_question_kind kind) {
    return (size_t)kind < KIND_COUNT ? kinds[kind].name : "unknown";
}

// ------------------------------------------------------------------------------------------------ the question

static void decode_what(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    question->dataset = gw_question_read_name(reader, root, "dataset");
    bool has_indicator = gw_json_has(root, "indicator");
    bool has_measure = gw_json_has(root, "measure");
    if (has_indicator == has_measure)
        gw_json_fail(reader, root, has_indicator ? "bad_measure" : "missing_field", GW_QUESTION_WHAT,
                     "Ask for one \"indicator\", or one \"measure\".", "A question needs an indicator or a measure%s.",
                     has_indicator ? ", not both" : "");
    else if (has_indicator)
        question->indicator = gw_question_read_name(reader, root, "indicator");
    else
        gw_question_decode_measure(reader, root, arena, question);
    if (gw_json_has(root, "weighted"))
        question->is_unweighted = !gw_json_read_bool(reader, root, "weighted");
}

static void decode_groups(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    if (gw_json_has(root, "where"))
        question->where =
            gw_filters_read(reader, gw_json_read_array(reader, root, "where"), arena, &question->where_count);
    if (gw_json_has(root, "gap"))
        gw_question_decode_gap(reader, root, arena, question);
    question->has_by = gw_json_has(root, "by");
    if (gw_json_has(root, "tables"))
        gw_question_decode_tables(reader, root, arena, question);
    if (!question->has_by)
        return;
    const gw_json_node *by = gw_json_read_array(reader, root, "by");
    if (by != NULL)
        question->by = gw_question_read_names(reader, by, arena, GW_BY_MAX, "bad_by", &question->by_count);
}

// Zero would ask for an answer without information, and would be a free look at everything but the data.
static gw_epsilon decode_price(gw_json_reader *reader, const gw_json_node *root) {
    gw_epsilon epsilon = gw_json_read_epsilon(reader, root, "epsilon");
    if (reader->status == GW_OK && epsilon.micro == 0)
        gw_json_fail(reader, gw_json_member(root, "epsilon"), "bad_epsilon", "A question cannot cost nothing.",
                     "Ask for at least \"0.000001\"; the policy may ask for more.", "\"epsilon\" is zero.");
    return epsilon;
}

static void decode_target_error(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena,
                                gw_question *question) {
    const char *text = gw_json_read_string(reader, root, "target_error");
    gw_decimal value;
    if (text == NULL)
        return;
    if (!gw_decimal_parse(text, &value) || value.trillionths <= 0) {
        gw_json_fail(reader, gw_json_member(root, "target_error"), "bad_target_error", GW_QUESTION_WHAT,
                     "Write a decimal string, like \"3\" or \"0.5\".",
                     "A target error must be a plain decimal above zero.");
        return;
    }
    char shortest[GW_DECIMAL_TEXT];
    gw_decimal_format(value, shortest);
    question->target_error = gw_arena_string(arena, shortest);
    if (question->target_error == NULL)
        gw_question_no_memory(reader, root);
}

static void decode_delta(gw_json_reader *reader, const gw_json_node *root, gw_question *question) {
    question->has_delta = gw_json_has(root, "delta");
    const char *text = question->has_delta ? gw_json_read_string(reader, root, "delta") : NULL;
    const gw_json_node *node = gw_json_member(root, "delta");
    if (text == NULL)
        return;
    if (gw_delta_parse(text, &question->delta) != GW_OK || question->delta.atto == 0)
        gw_json_fail(reader, node, "bad_delta", GW_QUESTION_WHAT, "Write \"1e-10\", or leave it out.",
                     "A delta is a decimal above 0 and below 1 with at most 18 places.");
    else if (!question->indicator && question->statistic != GW_STATISTIC_KEYS)
        gw_json_fail(reader, node, "bad_delta", GW_QUESTION_WHAT, "Leave \"delta\" out.",
                     "Only unknown keys cost a delta.");
}

static void decode_cost(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    question->has_epsilon = gw_json_has(root, "epsilon");
    bool has_target = gw_json_has(root, "target_error");
    if (question->has_epsilon && has_target)
        gw_json_fail(reader, root, "bad_target_error", GW_QUESTION_WHAT, "Keep \"epsilon\" or \"target_error\".",
                     "A price and a target error cannot both be asked for: one follows from the other.");
    bool is_asking = question->kind == GW_KIND_QUERY || question->kind == GW_KIND_DUMMY;
    if (!question->has_epsilon && !has_target && is_asking)
        gw_json_fail(reader, root, "missing_field", GW_QUESTION_WHAT,
                     "Add \"epsilon\":\"0.05\", or ask for its cost first.",
                     "A query needs \"epsilon\" or \"target_error\".");
    if (question->has_epsilon)
        question->epsilon = decode_price(reader, root);
    if (has_target)
        decode_target_error(reader, root, arena, question);
    if (gw_json_has(root, "group_size"))
        question->group_size = (uint64_t)gw_json_read_integer(reader, root, "group_size", 1, GROUP_SIZE_MAX);
    question->has_max_cost = gw_json_has(root, "max_cost");
    if (question->has_max_cost)
        question->max_cost = gw_json_read_epsilon(reader, root, "max_cost");
}

static void decode_kind(gw_json_reader *reader, const gw_json_node *root, gw_question *question) {
    if (!gw_json_has(root, "kind") && !gw_json_expect_object(reader, root, fields_any))
        return; // a misspelt field says more than a missing one
    const char *kind = gw_json_read_string(reader, root, "kind");
    if (kind == NULL)
        return;
    const char *names[KIND_COUNT];
    for (size_t i = 0; i < KIND_COUNT; i++) {
        names[i] = kinds[i].name;
        if (strcmp(kind, kinds[i].name) == 0) {
            question->kind = (gw_question_kind)i;
            return;
        }
    }
    char shown[GW_SHOWN_MAX];
    const char *nearest = gw_nearest(kind, names, KIND_COUNT);
    gw_json_fail(reader, gw_json_member(root, "kind"), "unknown_kind", GW_QUESTION_WHAT,
                 "Kinds are: query, cost, budget, catalogue, describe, history, dummy, ping, checkpoint, "
                 "admin.",
                 "There is no kind \"%s\".", gw_json_shown(kind, shown));
    if (nearest != NULL)
        gw_problem_mend(&reader->problem, "Did you mean \"%s\"?", nearest);
}

static void decode_version(gw_json_reader *reader, const gw_json_node *root) {
    static const char *const required[] = {"v", NULL};
    if (!gw_json_require(reader, root, required))
        return;
    const gw_json_node *version = gw_json_member(root, "v");
    if (gw_json_type_of(version) != GW_JSON_INTEGER || gw_json_integer(version) != 1)
        gw_json_fail(reader, version, "bad_version", "The question's format is not known here.",
                     "Write \"v\":1, or ask with a client of this service's version.", "Only version 1 is understood.");
}

static void decode_question(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    decode_what(reader, root, arena, question);
    decode_groups(reader, root, arena, question);
    decode_cost(reader, root, arena, question);
    decode_delta(reader, root, question);
}

// "Q-" and three groups of four from an alphabet without look-alikes: what the service gave out, told from a typing
// mistake before anything is looked up.
static bool quote_is_valid(const char *id) {
    static const char alphabet[] = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (strlen(id) != GW_QUOTE_ID_TEXT - 1 || strncmp(id, "Q-", 2) != 0)
        return false;
    for (size_t i = 2; id[i] != '\0'; i++)
        if (i % 5 == 1 ? id[i] != '-' : strchr(alphabet, id[i]) == NULL)
            return false;
    return true;
}

// A quote stands for a whole question.
static void decode_quote(gw_json_reader *reader, const gw_json_node *root, gw_question *question) {
    if (!gw_json_expect_object(reader, root, fields_quote))
        return;
    question->quote = gw_json_read_string(reader, root, "quote");
    question->has_max_cost = gw_json_has(root, "max_cost");
    if (question->has_max_cost)
        question->max_cost = gw_json_read_epsilon(reader, root, "max_cost");
    if (question->quote != NULL && !quote_is_valid(question->quote))
        gw_json_fail(reader, gw_json_member(root, "quote"), "bad_quote", GW_QUESTION_WHAT,
                     "Write it as godwit cost printed it: Q-7K3M-9XWP-2T4V", "This is not the id of a quote.");
}

const gw_question *gw_questions_read(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                     size_t *ret_count) {
    static const char *const allowed[] = {"dataset",      "indicator",  "measure", "weighted", "where", "by", "epsilon",
                                          "target_error", "group_size", "gap",     "tables",   "delta", NULL};
    if (reader->status != GW_OK || array == NULL)
        return NULL;
    size_t count = gw_json_count(array);
    if (count == 0 || count > GW_BASKET_MAX) {
        gw_json_fail(reader, array, "too_many", GW_QUESTION_WHAT, "Ask for the rest in a second basket.",
                     "A basket holds 1 to %d questions, not %zu.", GW_BASKET_MAX, count);
        return NULL;
    }
    gw_question *basket = gw_arena_array(arena, count, sizeof(*basket));
    if (basket == NULL) {
        gw_question_no_memory(reader, array);
        return NULL;
    }
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL && reader->status == GW_OK;
         node = gw_json_next(node)) {
        basket[i] = (gw_question){.kind = GW_KIND_COST};
        if (gw_json_expect_object(reader, node, allowed))
            decode_question(reader, node, arena, &basket[i++]);
    }
    *ret_count = count;
    return reader->status == GW_OK ? basket : NULL;
}

bool gw_question_read_object(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_question *ret) {
    gw_question question = {.kind = GW_KIND_QUERY};
    if (node == NULL)
        gw_json_fail(reader, NULL, "missing_field", GW_QUESTION_WHAT, "", "The question itself is missing.");
    else if (gw_json_expect_object(reader, node, fields_question))
        decode_question(reader, node, arena, &question);
    *ret = question;
    return reader->status == GW_OK;
}

static void decode_basket(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    if (gw_json_expect_object(reader, root, fields_basket))
        question->basket =
            gw_questions_read(reader, gw_json_read_array(reader, root, "questions"), arena, &question->basket_count);
}

static void decode_by_kind(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    switch (question->kind) {
    case GW_KIND_QUERY:
        if (gw_json_has(root, "quote"))
            decode_quote(reader, root, question);
        else
            decode_question(reader, root, arena, question);
        return;
    case GW_KIND_COST:
        if (gw_json_has(root, "quote"))
            decode_quote(reader, root, question);
        else if (gw_json_has(root, "questions"))
            decode_basket(reader, root, arena, question);
        else
            decode_question(reader, root, arena, question);
        return;
    case GW_KIND_DUMMY:
        decode_question(reader, root, arena, question);
        return;
    case GW_KIND_BUDGET:
    case GW_KIND_DESCRIBE:
        question->dataset = gw_question_read_name(reader, root, "dataset");
        return;
    case GW_KIND_HISTORY:
        question->all = gw_json_has(root, "all") && gw_json_read_bool(reader, root, "all");
        return;
    case GW_KIND_ADMIN:
        gw_ignore(gw_json_read_string(reader, root, "action")); // admin/ reads it again, with the rest
        question->admin = root;
        return;
    case GW_KIND_CHECKPOINT:
        question->note = gw_json_read_string(reader, root, "note"); // what it proves, its signature says
        return;
    case GW_KIND_CATALOGUE:
    case GW_KIND_PING:
        return;
    }
}

gw_status gw_question_decode(const gw_json *json, gw_arena *arena, gw_question *ret, gw_problem *ret_problem) {
    const gw_json_node *root = gw_json_root(json);
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    gw_question question = {0};
    if (gw_json_type_of(root) != GW_JSON_OBJECT)
        gw_json_expect_object(&reader, root, fields_any);
    else
        decode_version(&reader, root);
    if (reader.status == GW_OK)
        decode_kind(&reader, root, &question);
    bool is_priced = question.kind == GW_KIND_QUERY || question.kind == GW_KIND_COST;
    bool is_short =
        (is_priced && gw_json_has(root, "quote")) || (question.kind == GW_KIND_COST && gw_json_has(root, "questions"));
    if (reader.status == GW_OK && kinds[question.kind].allowed != NULL && !is_short)
        gw_json_expect_object(&reader, root, kinds[question.kind].allowed);
    if (reader.status == GW_OK)
        decode_by_kind(&reader, root, arena, &question);
    if (reader.status != GW_OK) {
        if (ret_problem != NULL)
            *ret_problem = reader.problem;
        return reader.status;
    }
    *ret = question;
    return GW_OK;
}

// ------------------------------------------------------------------------------------------------ a file of questions

gw_status gw_questions_file_decode(const gw_json *json, gw_arena *arena, gw_question *ret_basket,
                                   gw_problem *ret_problem) {
    static const char *const allowed[] = {"godwit_questions", "questions", NULL};
    const gw_json_node *root = gw_json_root(json);
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    gw_question basket = {.kind = GW_KIND_COST};
    if (gw_json_expect_object(&reader, root, allowed) && gw_json_require(&reader, root, allowed)) {
        if (gw_json_read_integer(&reader, root, "godwit_questions", 0, INT64_MAX) != 1)
            gw_json_fail(&reader, gw_json_member(root, "godwit_questions"), "bad_version",
                         "The file's format is not known here.", "Write \"godwit_questions\":1.",
                         "Only version 1 is understood.");
        basket.basket =
            gw_questions_read(&reader, gw_json_read_array(&reader, root, "questions"), arena, &basket.basket_count);
    }
    if (reader.status != GW_OK) {
        if (ret_problem != NULL)
            *ret_problem = reader.problem;
        return reader.status;
    }
    *ret_basket = basket;
    return GW_OK;
}
