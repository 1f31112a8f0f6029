// SPDX-License-Identifier: Apache-2.0
// What is measured: a statistic with the fields that belong to it, the gap between two groups, several tables at once.
#include "service/wire/question_inner.h"
#include "service/wire/decimal.h"
#include <string.h>

// What a statistic must say, and must not, beside its name.
static void decode_measure_fields(gw_json_reader *reader, const gw_json_node *measure, gw_arena *arena,
                                  gw_question *question) {
    bool has_of = gw_statistic_has_of(question->statistic);
    bool is_net = question->statistic == GW_STATISTIC_NET;
    static const char *const sides[] = {"plus", "minus"};
    if (has_of)
        question->of = gw_question_read_name(reader, measure, "of");
    else if (gw_json_has(measure, "of"))
        gw_json_fail(reader, gw_json_member(measure, "of"), "bad_measure", GW_QUESTION_WHAT, "Leave \"of\" out.",
                     "This statistic is not of a concept.");
    for (size_t i = 0; i < 2; i++)
        if (is_net != gw_json_has(measure, sides[i]))
            gw_json_fail(reader, measure, "bad_measure", GW_QUESTION_WHAT,
                         "Write \"plus\":[{\"concept\":\"direction\",\"in\":[\"ARR\"]}], and \"minus\" likewise.",
                         is_net ? "A net needs \"plus\" and \"minus\": which rows add one, and which take one away."
                                : "Only a net has \"plus\" and \"minus\".");
    if (!is_net || reader->status != GW_OK)
        return;
    question->plus = gw_filters_read(reader, gw_json_read_array(reader, measure, "plus"), arena, &question->plus_count);
    question->minus =
        gw_filters_read(reader, gw_json_read_array(reader, measure, "minus"), arena, &question->minus_count);
    if (reader->status == GW_OK && (question->plus_count == 0 || question->minus_count == 0))
        gw_json_fail(reader, measure, "bad_measure", GW_QUESTION_WHAT, "Name at least one filter for each.",
                     "\"plus\" and \"minus\" cannot be empty: every row would count.");
}

static void fail_measure(gw_json_reader *reader, const gw_json_node *node, const char *why, const char *mend) {
    gw_json_fail(reader, node, "bad_measure", GW_QUESTION_WHAT, mend, "%s", why);
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
        gw_question_no_memory(reader, node);
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
        question->over = gw_question_read_name(reader, measure, "over");
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
        gw_json_fail(reader, gw_json_member(measure, "per"), "bad_measure", GW_QUESTION_WHAT,
                     "Write \"per\":\"person\" or \"per\":\"row\".", "\"%s\" is neither a person nor a row.",
                     gw_json_shown(per, shown));
    bool is_of_rows = question->statistic == GW_STATISTIC_SUM || question->statistic == GW_STATISTIC_NET ||
                      question->statistic == GW_STATISTIC_RATIO;
    if (question->is_per_person && is_of_rows)
        gw_json_fail(reader, gw_json_member(measure, "per"), "bad_measure", GW_QUESTION_WHAT, "Leave \"per\" out.",
                     "A sum, a net or a ratio of sums is the same whether it is taken by rows or by persons.");
}

void gw_question_decode_measure(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena,
                                gw_question *question) {
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
        gw_json_fail(reader, node, "bad_measure", GW_QUESTION_WHAT,
                     "Use count, share, mean, sum, net, variance, sd, ratio, histogram, quantile, poverty, gini, "
                     "quintile_ratio, series or keys; or an indicator.",
                     "There is no statistic \"%s\".", gw_json_shown(statistic, shown));
    else if (question->statistic == GW_STATISTIC_RATE)
        gw_json_fail(reader, node, "bad_measure", GW_QUESTION_WHAT,
                     "Ask for an indicator: godwit catalogue lists them.",
                     "A rate needs a numerator, which only an indicator defines.");
    else if (question->statistic == GW_STATISTIC_GAP)
        gw_json_fail(reader, node, "bad_measure", GW_QUESTION_WHAT, "Add \"gap\" to a mean, a share or an indicator.",
                     "A gap is one of rates, shares or means, named beside them.");
    else
        decode_measure_fields(reader, measure, arena, question);
    if (reader->status == GW_OK)
        decode_measure_details(reader, measure, arena, question);
    if (gw_json_has(measure, "table"))
        question->table = gw_question_read_name(reader, measure, "table");
    decode_per(reader, measure, question);
}

// ---- gap and tables

void gw_question_decode_gap(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    static const char *const allowed[] = {"concept", "group", "reference", NULL};
    const gw_json_node *object = gw_json_read_object(reader, root, "gap");
    gw_question_gap *gap = gw_arena_array(arena, 1, sizeof(*gap));
    if (gap == NULL)
        gw_question_no_memory(reader, root);
    if (!gw_json_expect_object(reader, object, allowed) || gap == NULL)
        return;
    gap->concept = gw_question_read_name(reader, object, "concept");
    gap->group = gw_question_read_name(reader, object, "group");
    gap->reference = gw_question_read_name(reader, object, "reference");
    question->gap = gap;
    if (reader->status == GW_OK && strcmp(gap->group, gap->reference) == 0)
        gw_json_fail(reader, object, "bad_gap", GW_QUESTION_WHAT, "Name two groups.", "A group has no gap to itself.");
}

void gw_question_decode_tables(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena,
                               gw_question *question) {
    const gw_json_node *array = gw_json_read_array(reader, root, "tables");
    size_t count = array == NULL ? 0 : gw_json_count(array);
    gw_question_table *tables = gw_arena_array(arena, count + 1, sizeof(*tables));
    if (tables == NULL)
        gw_question_no_memory(reader, root);
    else if (question->has_by || count == 0 || count > GW_TABLES_MAX)
        gw_json_fail(reader, array, "bad_tables", GW_QUESTION_WHAT,
                     "Write \"tables\":[[\"sex\",\"c_birth\"],[\"sex\"]].",
                     "\"tables\" is a list of 1 to %d breakdowns, instead of \"by\".", GW_TABLES_MAX);
    if (tables == NULL || reader->status != GW_OK)
        return;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node)) {
        gw_question_table *table = &tables[question->table_count++];
        if (gw_json_type_of(node) != GW_JSON_ARRAY)
            gw_json_fail(reader, node, "bad_tables", GW_QUESTION_WHAT, "Write [\"sex\"], or [] for the total.",
                         "Each table is a list of concepts.");
        else
            table->by = gw_question_read_names(reader, node, arena, GW_BY_MAX, "bad_tables", &table->by_count);
        if (reader->status != GW_OK)
            return;
    }
    question->tables = tables;
}
