// SPDX-License-Identifier: Apache-2.0
// Bodies into typed questions. Each kind has its own list of fields; a field of another kind is as unknown as a
// misspelt one.
#include "service/wire/question.h"
#include "service/wire/decimal.h"
#include "service/base/check.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GROUP_SIZE_MAX 100000000000 // persons; more than have ever lived

static const char what_question[] = "The question is not well formed.";
static const char mend_name[] =
    "Names have at most 128 ASCII letters, digits and . _ - / : and no part that starts with a dot.";

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
static const char *const fields_any[] = {QUESTION_FIELDS, "quote", "questions", "all", "action", NULL};

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
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const char *gw_question_kind_name(gw_question_kind kind) {
    return (size_t)kind < KIND_COUNT ? kinds[kind].name : "unknown";
}

// ------------------------------------------------------------------------------------------------ names and lists

bool gw_name_is_valid(const char *name) {
    size_t size = 0;
    bool is_part_start = true;
    for (; name[size] != '\0'; size++) {
        char c = name[size];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                        c == '-' || c == ':';
        bool is_inner = c == '.' || c == '/'; // neither first in a part, so that no part is empty, "." or ".."
        if (size == GW_NAME_MAX || (!is_plain && !is_inner) || (is_inner && is_part_start))
            return false;
        is_part_start = c == '/';
    }
    return !is_part_start;
}

static void fail_no_memory(gw_json_reader *reader, const gw_json_node *node) {
    gw_json_fail(reader, node, "too_many", "The question is too big.", "Ask for less at once.",
                 "Its parts do not fit the memory set aside for one question.");
}

// The text of a string node that must be a name.
static const char *name_of(gw_json_reader *reader, const gw_json_node *node) {
    if (reader->status != GW_OK)
        return NULL;
    if (gw_json_type_of(node) != GW_JSON_STRING) {
        gw_json_fail(reader, node, "wrong_type", what_question, "Write it in quotes.", "A name must be a string.");
        return NULL;
    }
    char shown[GW_SHOWN_MAX];
    const char *name = gw_json_string(node);
    if (!gw_name_is_valid(name)) {
        gw_json_fail(reader, node, "bad_name", "A name has characters that names cannot have.", mend_name,
                     "\"%s\" is not a name.", gw_json_shown(name, shown));
        return NULL;
    }
    return name;
}

static const char *read_name(gw_json_reader *reader, const gw_json_node *object, const char *field) {
    if (gw_json_read_string(reader, object, field) == NULL)
        return NULL;
    return name_of(reader, gw_json_member(object, field));
}

static const char *const *read_names(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                     size_t count_max, const char *code, size_t *ret_count) {
    size_t count = gw_json_count(array);
    if (count > count_max) {
        gw_json_fail(reader, array, "too_many", what_question, "Ask for less at once.",
                     "At most %zu may stand here, not %zu.", count_max, count);
        return NULL;
    }
    const char **names = gw_arena_array(arena, count + 1, sizeof(*names));
    if (names == NULL) {
        fail_no_memory(reader, array);
        return NULL;
    }
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node), i++) {
        names[i] = name_of(reader, node);
        if (names[i] == NULL)
            return NULL;
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[j], names[i]) == 0)
                gw_json_fail(reader, node, code, what_question, "Keep one of the two.", "\"%s\" stands here twice.",
                             names[i]);
    }
    *ret_count = count;
    return reader->status == GW_OK ? names : NULL;
}

// ------------------------------------------------------------------------------------------------ filters

// A bound of `between`: an integer or a decimal string, in its shortest text.
static const char *read_bound(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena,
                              gw_decimal *ret_value) {
    if (gw_json_type_of(node) == GW_JSON_INTEGER) {
        ret_value->trillionths = gw_json_integer(node) * GW_DECIMAL_ONE;
    } else if (gw_json_type_of(node) != GW_JSON_STRING || !gw_decimal_parse(gw_json_string(node), ret_value)) {
        gw_json_fail(reader, node, "bad_filter", what_question, "Write [20,64], or [\"0.5\",\"1.5\"].",
                     "A bound must be a whole number or a plain decimal in quotes.");
        return NULL;
    }
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(*ret_value, text);
    const char *copy = gw_arena_string(arena, text);
    if (copy == NULL)
        fail_no_memory(reader, node);
    return copy;
}

static void read_between(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    filter->kind = GW_FILTER_BETWEEN;
    if (gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) != 2) {
        gw_json_fail(reader, node, "bad_filter", what_question, "Write [20,64].",
                     "\"between\" needs the lowest and the highest value.");
        return;
    }
    gw_decimal low = {0}, high = {0};
    filter->low = read_bound(reader, gw_json_first(node), arena, &low);
    if (filter->low == NULL)
        return;
    filter->high = read_bound(reader, gw_json_next(gw_json_first(node)), arena, &high);
    if (filter->high != NULL && low.trillionths > high.trillionths)
        gw_json_fail(reader, node, "bad_filter", what_question, "Put the lower value first.",
                     "%s is more than %s: nothing lies between.", filter->low, filter->high);
}

static void read_equals(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    filter->kind = GW_FILTER_EQUALS;
    const char **codes = gw_arena_array(arena, 1, sizeof(*codes));
    if (codes == NULL) {
        fail_no_memory(reader, node);
        return;
    }
    if (gw_json_type_of(node) == GW_JSON_INTEGER)
        codes[0] = gw_arena_format(arena, "%" PRId64, gw_json_integer(node));
    else
        codes[0] = name_of(reader, node);
    if (codes[0] == NULL)
        fail_no_memory(reader, node); // keeps an earlier problem
    filter->codes = codes;
    filter->code_count = 1;
}

static void read_in(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    filter->kind = GW_FILTER_IN;
    if (gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) == 0) {
        gw_json_fail(reader, node, "bad_filter", what_question, "Write [\"F\",\"M\"].",
                     "\"in\" needs a list of at least one code.");
        return;
    }
    filter->codes = read_names(reader, node, arena, GW_FILTER_CODES_MAX, "bad_filter", &filter->code_count);
}

static void read_filter(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_filter *filter) {
    static const char *const allowed[] = {"concept", "in", "equals", "between", NULL};
    if (!gw_json_expect_object(reader, node, allowed))
        return;
    filter->concept = read_name(reader, node, "concept");
    const gw_json_node *in = gw_json_member(node, "in");
    const gw_json_node *equals = gw_json_member(node, "equals");
    const gw_json_node *between = gw_json_member(node, "between");
    if ((in != NULL) + (equals != NULL) + (between != NULL) != 1)
        gw_json_fail(reader, node, "bad_filter", what_question, "Write {\"concept\":\"sex\",\"in\":[\"F\"]}.",
                     "A filter needs exactly one of \"in\", \"equals\" and \"between\".");
    if (reader->status != GW_OK)
        return;
    if (in != NULL)
        read_in(reader, in, arena, filter);
    else if (equals != NULL)
        read_equals(reader, equals, arena, filter);
    else
        read_between(reader, between, arena, filter);
}

const gw_filter *gw_filters_read(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                 size_t *ret_count) {
    if (reader->status != GW_OK || array == NULL)
        return NULL;
    size_t count = gw_json_count(array);
    if (count > GW_WHERE_MAX) {
        gw_json_fail(reader, array, "too_many", what_question, "Use fewer filters.",
                     "At most %d filters may stand here, not %zu.", GW_WHERE_MAX, count);
        return NULL;
    }
    gw_filter *filters = gw_arena_array(arena, count, sizeof(*filters));
    if (filters == NULL) {
        fail_no_memory(reader, array);
        return NULL;
    }
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node))
        read_filter(reader, node, arena, &filters[i++]);
    *ret_count = count;
    return reader->status == GW_OK ? filters : NULL;
}

// ------------------------------------------------------------------------------------------------ the question

// What a statistic must say, and must not, beside its name.
static void decode_measure_fields(gw_json_reader *reader, const gw_json_node *measure, gw_arena *arena,
                                  gw_question *question) {
    bool has_of = gw_statistic_has_of(question->statistic);
    bool is_net = question->statistic == GW_STATISTIC_NET;
    static const char *const sides[] = {"plus", "minus"};
    if (has_of)
        question->of = read_name(reader, measure, "of");
    else if (gw_json_has(measure, "of"))
        gw_json_fail(reader, gw_json_member(measure, "of"), "bad_measure", what_question, "Leave \"of\" out.",
                     "This statistic is not of a concept.");
    for (size_t i = 0; i < 2; i++)
        if (is_net != gw_json_has(measure, sides[i]))
            gw_json_fail(reader, measure, "bad_measure", what_question,
                         "Write \"plus\":[{\"concept\":\"direction\",\"in\":[\"ARR\"]}], and \"minus\" likewise.",
                         is_net ? "A net needs \"plus\" and \"minus\": which rows add one, and which take one away."
                                : "Only a net has \"plus\" and \"minus\".");
    if (!is_net || reader->status != GW_OK)
        return;
    question->plus = gw_filters_read(reader, gw_json_read_array(reader, measure, "plus"), arena, &question->plus_count);
    question->minus =
        gw_filters_read(reader, gw_json_read_array(reader, measure, "minus"), arena, &question->minus_count);
    if (reader->status == GW_OK && (question->plus_count == 0 || question->minus_count == 0))
        gw_json_fail(reader, measure, "bad_measure", what_question, "Name at least one filter for each.",
                     "\"plus\" and \"minus\" cannot be empty: every row would count.");
}

static void fail_measure(gw_json_reader *reader, const gw_json_node *node, const char *why, const char *mend) {
    gw_json_fail(reader, node, "bad_measure", what_question, mend, "%s", why);
}

// A decimal above 0 and below 1 in its shortest text, so that equal questions are equal bytes.
static const char *read_portion(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena,
                                gw_decimal *ret_value) {
    if (gw_json_type_of(node) != GW_JSON_STRING || !gw_decimal_parse(gw_json_string(node), ret_value) ||
        ret_value->trillionths <= 0 || ret_value->trillionths >= GW_DECIMAL_ONE ||
        ret_value->trillionths % (GW_DECIMAL_ONE / 1000000) != 0) {
        fail_measure(reader, node, "It must lie between 0 and 1, with at most six places.", "Write \"0.5\".");
        return NULL;
    }
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(*ret_value, text);
    const char *copy = gw_arena_string(arena, text);
    if (copy == NULL)
        fail_no_memory(reader, node);
    return copy;
}

static void decode_levels(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena, gw_question *question) {
    size_t count = gw_json_type_of(array) == GW_JSON_ARRAY ? gw_json_count(array) : 0;
    const char **levels = gw_arena_array(arena, GW_LEVELS_MAX, sizeof(*levels));
    if (count == 0 || count > GW_LEVELS_MAX || levels == NULL) {
        fail_measure(reader, array, "\"at\" is a list of 1 to 32 levels.", "Write \"at\":[\"0.5\"] for the median.");
        return;
    }
    gw_decimal last = {0};
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node)) {
        gw_decimal level = {0};
        const char *text = read_portion(reader, node, arena, &level);
        if (text == NULL)
            return;
        if (level.trillionths <= last.trillionths)
            fail_measure(reader, node, "Levels must rise, and none may stand there twice.", "Put the lower one first.");
        last = level;
        levels[question->level_count++] = text;
    }
    question->levels = levels;
}

// "over", "bins", "at", "method", "fraction": each belongs to some statistics.
static void decode_measure_details(gw_json_reader *reader, const gw_json_node *measure, gw_arena *arena,
                                   gw_question *question) {
    gw_statistic statistic = question->statistic;
    bool is_quantile = statistic == GW_STATISTIC_QUANTILE, is_ratio = statistic == GW_STATISTIC_RATIO;
    bool has_bins = is_quantile || statistic == GW_STATISTIC_HISTOGRAM || statistic == GW_STATISTIC_POVERTY ||
                    statistic == GW_STATISTIC_GINI || statistic == GW_STATISTIC_QUINTILE_RATIO;
    gw_decimal portion;
    if (gw_json_has(measure, "over") != is_ratio)
        fail_measure(reader, measure, "A ratio has \"over\", the concept that is divided by; nothing else has.",
                     "Write \"statistic\":\"ratio\",\"of\":\"income\",\"over\":\"hours\".");
    else if (is_ratio)
        question->over = read_name(reader, measure, "over");
    if (gw_json_has(measure, "at") != is_quantile)
        fail_measure(reader, measure, "A quantile has \"at\", its levels; nothing else has.",
                     "Write \"statistic\":\"quantile\",\"at\":[\"0.5\"] for the median.");
    else if (is_quantile)
        decode_levels(reader, gw_json_member(measure, "at"), arena, question);
    if (gw_json_has(measure, "bins") && !has_bins)
        fail_measure(reader, measure, "This statistic has no bins.", "Leave \"bins\" out.");
    else if (gw_json_has(measure, "bins"))
        question->bins = (unsigned)gw_json_read_integer(reader, measure, "bins", 2, GW_BINS_MAX);
    if (gw_json_has(measure, "fraction") && statistic != GW_STATISTIC_POVERTY)
        fail_measure(reader, measure, "Only poverty has a fraction of the median.", "Leave \"fraction\" out.");
    else if (gw_json_has(measure, "fraction"))
        question->fraction = read_portion(reader, gw_json_member(measure, "fraction"), arena, &portion);
    if (!gw_json_has(measure, "method"))
        return;
    question->method = gw_json_read_string(reader, measure, "method");
    bool is_pick = question->method != NULL && strcmp(question->method, "pick") == 0;
    bool is_tree = question->method != NULL && strcmp(question->method, "tree") == 0;
    if (!is_quantile || (!is_pick && !is_tree) || (is_pick && question->level_count != 1))
        fail_measure(reader, gw_json_member(measure, "method"),
                     "The method of a quantile is \"pick\" (for one level) or \"tree\".", "Leave \"method\" out.");
}

static void decode_per(gw_json_reader *reader, const gw_json_node *measure, gw_question *question) {
    const char *per = gw_json_has(measure, "per") ? gw_json_read_string(reader, measure, "per") : NULL;
    char shown[GW_SHOWN_MAX];
    if (per == NULL)
        return;
    question->is_per_person = strcmp(per, "person") == 0;
    if (!question->is_per_person && strcmp(per, "row") != 0)
        gw_json_fail(reader, gw_json_member(measure, "per"), "bad_measure", what_question,
                     "Write \"per\":\"person\" or \"per\":\"row\".", "\"%s\" is neither a person nor a row.",
                     gw_json_shown(per, shown));
    bool is_of_rows = question->statistic == GW_STATISTIC_SUM || question->statistic == GW_STATISTIC_NET ||
                      question->statistic == GW_STATISTIC_RATIO;
    if (question->is_per_person && is_of_rows)
        gw_json_fail(reader, gw_json_member(measure, "per"), "bad_measure", what_question, "Leave \"per\" out.",
                     "A sum, a net or a ratio of sums is the same whether it is taken by rows or by persons.");
}

static void decode_measure(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    static const char *const allowed[] = {"statistic", "of",   "table", "per",    "plus",     "minus",
                                          "over",      "bins", "at",    "method", "fraction", NULL};
    const gw_json_node *measure = gw_json_read_object(reader, root, "measure");
    if (!gw_json_expect_object(reader, measure, allowed))
        return;
    const char *statistic = gw_json_read_string(reader, measure, "statistic");
    if (statistic == NULL)
        return;
    const gw_json_node *node = gw_json_member(measure, "statistic");
    char shown[GW_SHOWN_MAX];
    if (gw_statistic_parse(statistic, &question->statistic) != GW_OK)
        gw_json_fail(reader, node, "bad_measure", what_question,
                     "Use count, share, mean, sum, net, variance, sd, ratio, histogram, quantile, poverty, gini, "
                     "quintile_ratio, series or keys; or an indicator.",
                     "There is no statistic \"%s\".", gw_json_shown(statistic, shown));
    else if (question->statistic == GW_STATISTIC_RATE)
        gw_json_fail(reader, node, "bad_measure", what_question, "Ask for an indicator: godwit catalogue lists them.",
                     "A rate needs a numerator, which only an indicator defines.");
    else if (question->statistic == GW_STATISTIC_GAP)
        gw_json_fail(reader, node, "bad_measure", what_question, "Add \"gap\" to a mean, a share or an indicator.",
                     "A gap is one of rates, shares or means, named beside them.");
    else
        decode_measure_fields(reader, measure, arena, question);
    if (reader->status == GW_OK)
        decode_measure_details(reader, measure, arena, question);
    if (gw_json_has(measure, "table"))
        question->table = read_name(reader, measure, "table");
    decode_per(reader, measure, question);
}

static void decode_what(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    question->dataset = read_name(reader, root, "dataset");
    bool has_indicator = gw_json_has(root, "indicator");
    bool has_measure = gw_json_has(root, "measure");
    if (has_indicator == has_measure)
        gw_json_fail(reader, root, has_indicator ? "bad_measure" : "missing_field", what_question,
                     "Ask for one \"indicator\", or one \"measure\".", "A question needs an indicator or a measure%s.",
                     has_indicator ? ", not both" : "");
    else if (has_indicator)
        question->indicator = read_name(reader, root, "indicator");
    else
        decode_measure(reader, root, arena, question);
    if (gw_json_has(root, "weighted"))
        question->is_unweighted = !gw_json_read_bool(reader, root, "weighted");
}

static void decode_gap(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    static const char *const allowed[] = {"concept", "group", "reference", NULL};
    const gw_json_node *object = gw_json_read_object(reader, root, "gap");
    gw_question_gap *gap = gw_arena_array(arena, 1, sizeof(*gap));
    if (gap == NULL)
        fail_no_memory(reader, root);
    if (!gw_json_expect_object(reader, object, allowed) || gap == NULL)
        return;
    gap->concept = read_name(reader, object, "concept");
    gap->group = read_name(reader, object, "group");
    gap->reference = read_name(reader, object, "reference");
    question->gap = gap;
    if (reader->status == GW_OK && strcmp(gap->group, gap->reference) == 0)
        gw_json_fail(reader, object, "bad_gap", what_question, "Name two groups.", "A group has no gap to itself.");
}

static void decode_tables(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    const gw_json_node *array = gw_json_read_array(reader, root, "tables");
    size_t count = array == NULL ? 0 : gw_json_count(array);
    gw_question_table *tables = gw_arena_array(arena, count + 1, sizeof(*tables));
    if (tables == NULL)
        fail_no_memory(reader, root);
    else if (question->has_by || count == 0 || count > GW_TABLES_MAX)
        gw_json_fail(reader, array, "bad_tables", what_question, "Write \"tables\":[[\"sex\",\"c_birth\"],[\"sex\"]].",
                     "\"tables\" is a list of 1 to %d breakdowns, instead of \"by\".", GW_TABLES_MAX);
    if (reader->status != GW_OK)
        return;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node)) {
        gw_question_table *table = &tables[question->table_count++];
        if (gw_json_type_of(node) != GW_JSON_ARRAY)
            gw_json_fail(reader, node, "bad_tables", what_question, "Write [\"sex\"], or [] for the total.",
                         "Each table is a list of concepts.");
        else
            table->by = read_names(reader, node, arena, GW_BY_MAX, "bad_tables", &table->by_count);
        if (reader->status != GW_OK)
            return;
    }
    question->tables = tables;
}

static void decode_groups(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    if (gw_json_has(root, "where"))
        question->where =
            gw_filters_read(reader, gw_json_read_array(reader, root, "where"), arena, &question->where_count);
    if (gw_json_has(root, "gap"))
        decode_gap(reader, root, arena, question);
    question->has_by = gw_json_has(root, "by");
    if (gw_json_has(root, "tables"))
        decode_tables(reader, root, arena, question);
    if (!question->has_by)
        return;
    const gw_json_node *by = gw_json_read_array(reader, root, "by");
    if (by != NULL)
        question->by = read_names(reader, by, arena, GW_BY_MAX, "bad_by", &question->by_count);
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
        gw_json_fail(reader, gw_json_member(root, "target_error"), "bad_target_error", what_question,
                     "Write a decimal string, like \"3\" or \"0.5\".",
                     "A target error must be a plain decimal above zero.");
        return;
    }
    char shortest[GW_DECIMAL_TEXT];
    gw_decimal_format(value, shortest);
    question->target_error = gw_arena_string(arena, shortest);
    if (question->target_error == NULL)
        fail_no_memory(reader, root);
}

static void decode_delta(gw_json_reader *reader, const gw_json_node *root, gw_question *question) {
    question->has_delta = gw_json_has(root, "delta");
    const char *text = question->has_delta ? gw_json_read_string(reader, root, "delta") : NULL;
    const gw_json_node *node = gw_json_member(root, "delta");
    if (text == NULL)
        return;
    if (gw_delta_parse(text, &question->delta) != GW_OK || question->delta.atto == 0)
        gw_json_fail(reader, node, "bad_delta", what_question, "Write \"1e-10\", or leave it out.",
                     "A delta is a decimal above 0 and below 1 with at most 18 places.");
    else if (!question->indicator && question->statistic != GW_STATISTIC_KEYS)
        gw_json_fail(reader, node, "bad_delta", what_question, "Leave \"delta\" out.",
                     "Only unknown keys cost a delta.");
}

static void decode_cost(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    question->has_epsilon = gw_json_has(root, "epsilon");
    bool has_target = gw_json_has(root, "target_error");
    if (question->has_epsilon && has_target)
        gw_json_fail(reader, root, "bad_target_error", what_question, "Keep \"epsilon\" or \"target_error\".",
                     "A price and a target error cannot both be asked for: one follows from the other.");
    bool is_asking = question->kind == GW_KIND_QUERY || question->kind == GW_KIND_DUMMY;
    if (!question->has_epsilon && !has_target && is_asking)
        gw_json_fail(reader, root, "missing_field", what_question,
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
    gw_json_fail(reader, gw_json_member(root, "kind"), "unknown_kind", what_question,
                 "Kinds are: query, cost, budget, catalogue, describe, history, dummy, ping, admin.",
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
        gw_json_fail(reader, gw_json_member(root, "quote"), "bad_quote", what_question,
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
        gw_json_fail(reader, array, "too_many", what_question, "Ask for the rest in a second basket.",
                     "A basket holds 1 to %d questions, not %zu.", GW_BASKET_MAX, count);
        return NULL;
    }
    gw_question *basket = gw_arena_array(arena, count, sizeof(*basket));
    if (basket == NULL) {
        fail_no_memory(reader, array);
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
        gw_json_fail(reader, NULL, "missing_field", what_question, "", "The question itself is missing.");
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
        question->dataset = read_name(reader, root, "dataset");
        return;
    case GW_KIND_HISTORY:
        question->all = gw_json_has(root, "all") && gw_json_read_bool(reader, root, "all");
        return;
    case GW_KIND_ADMIN:
        gw_ignore(gw_json_read_string(reader, root, "action")); // admin/ reads it again, with the rest
        question->admin = root;
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
