// SPDX-License-Identifier: Apache-2.0
// Reads what canonical.c writes. Filters stand in it as they may be asked, so the reader of questions reads them.
#include "service/query/canonical_read.h"

#include <string.h>

static void read_by(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    const gw_json_node *by = gw_json_read_array(reader, root, "by");
    size_t count = by ? gw_json_count(by) : 0;
    const char **names = gw_arena_array(arena, count + 1, sizeof *names);
    if (!names || count > GW_BY_MAX) {
        gw_json_fail(reader, by, "too_many", "The question is too big.", "", "It has too many breakdowns.");
        return;
    }
    for (const gw_json_node *node = by ? gw_json_first(by) : NULL; node; node = gw_json_next(node))
        if (gw_json_type_of(node) == GW_JSON_STRING)
            names[question->by_count++] = gw_json_string(node);
    question->by = names;
    question->has_by = true;
}

// Several tables stand for their breakdowns.
static bool read_tables(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    const gw_json_node *array = gw_json_member(root, "tables");
    if (!array)
        return false;
    gw_question_table *tables = gw_arena_array(arena, GW_TABLES_MAX, sizeof *tables);
    if (!tables || gw_json_type_of(array) != GW_JSON_ARRAY || gw_json_count(array) > GW_TABLES_MAX)
        gw_json_fail(reader, array, "too_many", "The question is too big.", "", "It has too many tables.");
    for (const gw_json_node *node = tables ? gw_json_first(array) : NULL; node && reader->status == GW_OK;
         node = gw_json_next(node)) {
        gw_question_table *table = &tables[question->table_count++];
        const char **by = gw_arena_array(arena, GW_BY_MAX, sizeof *by);
        if (!by || gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) > GW_BY_MAX)
            gw_json_fail(reader, node, "too_many", "The question is too big.", "", "It has too many breakdowns.");
        for (const gw_json_node *name = by && reader->status == GW_OK ? gw_json_first(node) : NULL; name;
             name = gw_json_next(name))
            if (gw_json_type_of(name) == GW_JSON_STRING)
                by[table->by_count++] = gw_json_string(name);
        table->by = by;
    }
    question->tables = tables;
    return true;
}

static const char *read_text_or_null(gw_json_reader *reader, const gw_json_node *root, const char *name) {
    const gw_json_node *node = gw_json_member(root, name);
    return node && gw_json_type_of(node) == GW_JSON_STRING ? gw_json_read_string(reader, root, name) : NULL;
}

// The mechanism's name says how a quantile is taken; the number of bins leads to the same bins again.
static void read_grid(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    const char *mechanism = gw_json_read_string(reader, root, "mechanism");
    const gw_json_node *grid = gw_json_read_array(reader, root, "grid"), *at = gw_json_member(root, "at");
    question->fraction = read_text_or_null(reader, root, "fraction");
    if (!mechanism || !grid || gw_json_count(grid) != 3)
        return;
    const gw_json_node *count = gw_json_next(gw_json_next(gw_json_first(grid)));
    if (question->statistic != GW_STATISTIC_SERIES && gw_json_type_of(count) == GW_JSON_INTEGER)
        question->bins = (unsigned)gw_json_integer(count);
    if (question->statistic != GW_STATISTIC_QUANTILE || !at || gw_json_count(at) > GW_LEVELS_MAX)
        return;
    const char **levels = gw_arena_array(arena, GW_LEVELS_MAX, sizeof *levels);
    question->method = strncmp(mechanism, "pick", 4) == 0 ? "pick" : "tree";
    for (const gw_json_node *node = gw_json_first(at); levels && node; node = gw_json_next(node))
        if (gw_json_type_of(node) == GW_JSON_STRING)
            levels[question->level_count++] = gw_json_string(node);
    question->levels = levels;
}

static void read_gap(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    const gw_json_node *object = gw_json_member(root, "gap");
    gw_question_gap *gap = object ? gw_arena_array(arena, 1, sizeof *gap) : NULL;
    if (!gap)
        return;
    gap->concept = gw_json_read_string(reader, object, "concept");
    gap->group = gw_json_read_string(reader, object, "group");
    gap->reference = gw_json_read_string(reader, object, "reference");
    question->gap = gap;
}

static void read_measure(gw_json_reader *reader, const gw_json_node *root, gw_arena *arena, gw_question *question) {
    const char *statistic = gw_json_read_string(reader, root, "statistic");
    if (statistic && gw_statistic_parse(statistic, &question->statistic) != GW_OK)
        gw_json_fail(reader, root, "bad_measure", "The question cannot be read.", "", "Its statistic is not known.");
    question->of = read_text_or_null(reader, root, "of");
    question->over = read_text_or_null(reader, root, "over");
    if (question->statistic == GW_STATISTIC_HISTOGRAM)
        question->bins = (unsigned)gw_json_read_integer(reader, root, "bins", 0, GW_BINS_MAX);
    question->table = gw_json_read_string(reader, root, "table");
    const char *per = read_text_or_null(reader, root, "per");
    question->is_per_person = per && per[0] == 'p';
    if (gw_json_has(root, "grid"))
        read_grid(reader, root, arena, question);
    if (question->statistic != GW_STATISTIC_NET)
        return;
    question->plus = gw_filters_read(reader, gw_json_read_array(reader, root, "plus"), arena, &question->plus_count);
    question->minus = gw_filters_read(reader, gw_json_read_array(reader, root, "minus"), arena, &question->minus_count);
}

gw_status gw_canonical_read(gw_bytes text, gw_arena *arena, gw_json **ret_json, gw_question *ret_question,
                            gw_problem *ret_problem) {
    const gw_json_limits limits = {.name = "question", .size_max = GW_CANONICAL_BYTES_MAX, .depth_max = 8};
    gw_status status = gw_json_parse(text, limits, ret_json, ret_problem);
    if (status != GW_OK)
        return status;
    const gw_json_node *root = gw_json_root(*ret_json);
    gw_json_reader reader;
    gw_json_reader_init(&reader, *ret_json);
    gw_question question = {.kind = GW_KIND_QUERY, .has_epsilon = true};
    question.dataset = gw_json_read_string(&reader, root, "dataset");
    question.indicator = read_text_or_null(&reader, root, "indicator");
    if (!question.indicator)
        read_measure(&reader, root, arena, &question);
    read_gap(&reader, root, arena, &question);
    const gw_json_node *weighted = gw_json_member(root, "weighted");
    question.is_unweighted = !(weighted && gw_json_type_of(weighted) == GW_JSON_BOOL && gw_json_bool(weighted));
    question.where = gw_filters_read(&reader, gw_json_read_array(&reader, root, "where"), arena, &question.where_count);
    if (!read_tables(&reader, root, arena, &question))
        read_by(&reader, root, arena, &question);
    question.epsilon = gw_json_read_epsilon(&reader, root, "epsilon");
    const char *delta = read_text_or_null(&reader, root, "delta");
    question.has_delta = delta != NULL && gw_delta_parse(delta, &question.delta) == GW_OK;
    if (reader.status != GW_OK) {
        if (ret_problem)
            *ret_problem = reader.problem;
        return reader.status;
    }
    *ret_question = question;
    return GW_OK;
}
