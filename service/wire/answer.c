// SPDX-License-Identifier: Apache-2.0
// Answer bytes into a gw_answer, strictly: every cell has its codes and its parts, every number is one.
#include "service/wire/answer.h"
#include "service/wire/decimal.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/question.h"
#include <string.h>

#define PARTS_MAX 8 // values measured per cell; today one or two
#define DECIMALS_MAX 12

GW_DEFINE_FREEP(gw_json, gw_json_free)

static const char what_answer[] = "The answer is not well formed.";
static const char mend_answer[] = "Ask again; if it stays so, tell the operator of the service.";

typedef struct {
    gw_json_reader reader;
    gw_arena *arena;
    bool has_blocks;   // tables that were not measured have cells without parts
    bool is_rank_only; // the law says nothing of values: ranges may be missing
    bool is_ratio;     // of sums
    bool is_open;      // nothing may bound it above
} decoder;

static void fail_value(decoder *d, const gw_json_node *node, const char *name, const char *wanted) {
    gw_json_fail(&d->reader, node, "bad_answer", what_answer, mend_answer, "\"%s\" must be %s.", name, wanted);
}

static const char *keep(decoder *d, const char *text) {
    if (text == NULL)
        return NULL;
    const char *copy = gw_arena_string(d->arena, text);
    if (copy == NULL)
        gw_json_fail(&d->reader, NULL, "too_many", "The answer is too big.", "",
                     "It does not fit the memory set aside.");
    return copy;
}

static const char *read_text(decoder *d, const gw_json_node *object, const char *name) {
    return keep(d, gw_json_read_string(&d->reader, object, name));
}

// NULL where the member is null or absent.
static const char *read_optional(decoder *d, const gw_json_node *object, const char *name) {
    const gw_json_node *node = gw_json_member(object, name);
    if (node == NULL || gw_json_type_of(node) == GW_JSON_NULL)
        return NULL;
    return read_text(d, object, name);
}

static const char *read_hex(decoder *d, const gw_json_node *object, const char *name, size_t size) {
    const char *text = read_text(d, object, name);
    if (text != NULL && (strlen(text) != size || strspn(text, "0123456789abcdef") != size))
        fail_value(d, gw_json_member(object, name), name, size == 64 ? "64 hex digits" : "32 hex digits");
    return text;
}

static void check_decimal(decoder *d, const gw_json_node *object, const char *name, const char *text) {
    gw_decimal value;
    if (text != NULL && !gw_decimal_parse(text, &value))
        fail_value(d, gw_json_member(object, name), name, "a decimal");
}

static const char *read_decimal(decoder *d, const gw_json_node *object, const char *name) {
    const char *text = read_text(d, object, name);
    check_decimal(d, object, name, text);
    return text;
}

static const char *read_decimal_or_null(decoder *d, const gw_json_node *object, const char *name) {
    const char *text = read_optional(d, object, name);
    check_decimal(d, object, name, text);
    return text;
}

// An array of exactly `count` strings.
static const char *const *texts_of(decoder *d, const gw_json_node *array, const char *name, size_t count) {
    if (d->reader.status != GW_OK)
        return NULL;
    if (gw_json_type_of(array) != GW_JSON_ARRAY) {
        fail_value(d, array, name, "a list of strings");
        return NULL;
    }
    if (gw_json_count(array) != count) {
        gw_json_fail(&d->reader, array, "bad_answer", what_answer, mend_answer,
                     "\"%s\" must have %zu elements, not %zu.", name, count, gw_json_count(array));
        return NULL;
    }
    const char **texts = gw_arena_array(d->arena, count + 1, sizeof(*texts));
    if (texts == NULL) {
        gw_json_fail(&d->reader, array, "too_many", "The answer is too big.", "",
                     "It does not fit the memory set aside.");
        return NULL;
    }
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL; node = gw_json_next(node), i++) {
        if (gw_json_type_of(node) != GW_JSON_STRING) {
            fail_value(d, node, name, "a list of strings");
            return NULL;
        }
        texts[i] = keep(d, gw_json_string(node));
    }
    return texts;
}

// A cell's members, in the order in which they are written; an answer may have a hundred thousand of them.
enum { CELL_KEY, CELL_PARTS, CELL_ESTIMATE, CELL_LOWER, CELL_UPPER, CELL_SE, CELL_FLAG, CELL_ADJUSTED, CELL_MEMBERS };
static const char *const cell_names[] = {"key", "parts", "estimate", "lower", "upper", "se", "flag", "adjusted", NULL};

// One walk where the order is the usual one; else by name.
static bool find_members(decoder *d, const gw_json_node *node, const gw_json_node *members[CELL_MEMBERS]) {
    const gw_json_node *member = gw_json_type_of(node) == GW_JSON_OBJECT ? gw_json_first(node) : NULL;
    size_t i = 0;
    for (; member != NULL && i < CELL_MEMBERS && strcmp(gw_json_name(member), cell_names[i]) == 0; i++) {
        members[i] = member;
        member = gw_json_next(member);
    }
    members[CELL_ADJUSTED] = i == CELL_MEMBERS ? members[CELL_ADJUSTED] : NULL;
    if (member == NULL && i >= CELL_ADJUSTED)
        return true;
    static const char *const required[] = {"key", "parts", "lower", "upper", "flag", NULL};
    if (!gw_json_expect_object(&d->reader, node, cell_names) || !gw_json_require(&d->reader, node, required))
        return false;
    for (i = 0; i < CELL_MEMBERS; i++)
        members[i] = gw_json_member(node, cell_names[i]);
    return true;
}

// A decimal in quotes; NULL where it is null or absent.
static const char *cell_figure(decoder *d, const gw_json_node *cell, const gw_json_node *member, size_t which) {
    bool may_be_null = which == CELL_ESTIMATE || which == CELL_SE || which == CELL_ADJUSTED ||
                       (d->is_rank_only && (which == CELL_LOWER || which == CELL_UPPER)) ||
                       (d->is_open && which == CELL_UPPER);
    if (may_be_null && (member == NULL || gw_json_type_of(member) == GW_JSON_NULL))
        return NULL;
    if (gw_json_type_of(member) != GW_JSON_STRING)
        return read_text(d, cell, cell_names[which]); // says what is wrong
    const char *text = keep(d, gw_json_string(member));
    if (which != CELL_FLAG)
        check_decimal(d, cell, cell_names[which], text);
    return text;
}

static void decode_cell(decoder *d, const gw_json_node *node, const gw_answer *answer, gw_answer_cell *cell) {
    const gw_json_node *members[CELL_MEMBERS];
    if (!find_members(d, node, members))
        return;
    cell->key = texts_of(d, members[CELL_KEY], "key", answer->by_count);
    bool has_parts = !d->has_blocks || gw_json_type_of(members[CELL_PARTS]) != GW_JSON_ARRAY ||
                     gw_json_count(members[CELL_PARTS]) > 0;
    cell->parts = has_parts ? texts_of(d, members[CELL_PARTS], "parts", answer->part_count) : NULL;
    for (size_t i = 0; has_parts && d->reader.status == GW_OK && i < answer->part_count; i++) {
        gw_int128 value;
        if (!gw_int128_parse(cell->parts[i], &value))
            fail_value(d, members[CELL_PARTS], "parts", "whole numbers in quotes");
    }
    cell->estimate = cell_figure(d, node, members[CELL_ESTIMATE], CELL_ESTIMATE);
    cell->lower = cell_figure(d, node, members[CELL_LOWER], CELL_LOWER);
    cell->upper = cell_figure(d, node, members[CELL_UPPER], CELL_UPPER);
    cell->se = cell_figure(d, node, members[CELL_SE], CELL_SE);
    cell->flag = cell_figure(d, node, members[CELL_FLAG], CELL_FLAG);
    cell->adjusted = cell_figure(d, node, members[CELL_ADJUSTED], CELL_ADJUSTED);
}

static void decode_cells(decoder *d, const gw_json_node *root, gw_answer *answer) {
    const gw_json_node *array = gw_json_read_array(&d->reader, root, "cells");
    if (array == NULL)
        return;
    answer->cell_count = gw_json_count(array);
    gw_answer_cell *cells = gw_arena_array(d->arena, answer->cell_count, sizeof(*cells));
    if (cells == NULL) {
        gw_json_fail(&d->reader, array, "too_many", "The answer is too big.", "",
                     "It does not fit the memory set aside.");
        return;
    }
    // The first cell says how many values were measured for each; the others must agree.
    const gw_json_node *first = gw_json_first(array);
    const gw_json_node *parts = first == NULL ? NULL : gw_json_member(first, "parts");
    if (parts != NULL && gw_json_type_of(parts) == GW_JSON_ARRAY)
        answer->part_count = d->has_blocks ? 1 : gw_json_count(parts);
    bool has_parts = answer->part_count > 0 || answer->measured.kind != NULL;
    if (first != NULL && (!has_parts || answer->part_count > PARTS_MAX))
        fail_value(d, first, "parts", "a list of one to eight numbers");
    size_t i = 0;
    for (const gw_json_node *node = first; node != NULL && d->reader.status == GW_OK; node = gw_json_next(node))
        decode_cell(d, node, answer, &cells[i++]);
    answer->cells = cells;
}

// A whole number of steps in quotes, at least 1.
static uint64_t read_steps(decoder *d, const gw_json_node *object, const char *name) {
    const char *text = gw_json_read_string(&d->reader, object, name);
    gw_int128 value = 0;
    if (text != NULL && (!gw_int128_parse(text, &value) || value < 1 || value > INT64_MAX))
        fail_value(d, gw_json_member(object, name), name, "a whole number in quotes, at least 1");
    return (uint64_t)value;
}

static void decode_noise(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"law",   "epsilon",    "sensitivity", "grid", "offset",
                                          "width", "rank_error", "over_grid",   "bins", NULL};
    const gw_json_node *noise = gw_json_read_object(&d->reader, root, "noise");
    if (!gw_json_expect_object(&d->reader, noise, allowed))
        return;
    const char *law = gw_json_read_string(&d->reader, noise, "law");
    d->is_rank_only = law != NULL && strcmp(law, "permute-and-flip") == 0;
    bool is_known = law == NULL || strcmp(law, "discrete-laplace") == 0 || strcmp(law, "random-threshold") == 0;
    if (!is_known && !d->is_rank_only)
        fail_value(d, gw_json_member(noise, "law"), "law", "discrete-laplace, random-threshold or permute-and-flip");
    answer->law = keep(d, law);
    answer->rank_error = gw_json_has(noise, "rank_error") ? read_decimal(d, noise, "rank_error") : NULL;
    if (gw_json_has(noise, "bins"))
        answer->choice_bins = (size_t)gw_json_read_integer(&d->reader, noise, "bins", 1, 1000000);
    answer->noise.epsilon = gw_json_read_epsilon(&d->reader, noise, "epsilon");
    answer->noise.sensitivity = read_steps(d, noise, "sensitivity");
    if (d->reader.status == GW_OK && answer->noise.epsilon.micro == 0)
        fail_value(d, gw_json_member(noise, "epsilon"), "epsilon", "above zero");
    answer->grid = read_decimal(d, noise, "grid");
    answer->offset = gw_json_has(noise, "offset") ? read_decimal(d, noise, "offset") : keep(d, "0");
    answer->over_grid = gw_json_has(noise, "over_grid") ? read_decimal(d, noise, "over_grid") : NULL;
    if ((answer->over_grid != NULL) != d->is_ratio)
        fail_value(d, noise, "over_grid", "what a step of the divisor is, for ratios alone");
    // Where a person is one row that counts once, that row's width is what the noise covers.
    bool is_mean = answer->statistic != NULL && strcmp(answer->statistic, "mean") == 0;
    if (gw_json_has(noise, "width"))
        answer->width = read_steps(d, noise, "width");
    else
        answer->width = is_mean ? answer->noise.sensitivity : 0;
}

static void decode_per(decoder *d, const gw_json_node *root, gw_answer *answer) {
    const char *per = gw_json_has(root, "per") ? gw_json_read_string(&d->reader, root, "per") : NULL;
    if (per == NULL)
        return;
    answer->is_per_person = strcmp(per, "person") == 0;
    if (!answer->is_per_person && strcmp(per, "row") != 0)
        fail_value(d, gw_json_member(root, "per"), "per", "\"person\" or \"row\"");
}

// Absent where a person is one row that counts once, by values of their own.
static void decode_bounds(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"kind", "units", "total", "note", NULL};
    decode_per(d, root, answer);
    if (gw_json_has(root, "weighted"))
        answer->is_weighted = gw_json_read_bool(&d->reader, root, "weighted");
    if (gw_json_has(root, "dummy"))
        answer->is_dummy = gw_json_read_bool(&d->reader, root, "dummy");
    if (!gw_json_has(root, "bounds"))
        return;
    const gw_json_node *bounds = gw_json_read_object(&d->reader, root, "bounds");
    if (!gw_json_expect_object(&d->reader, bounds, allowed))
        return;
    answer->bounds_kind = read_text(d, bounds, "kind");
    answer->bounds_units = read_decimal_or_null(d, bounds, "units");
    answer->bounds_total = read_decimal_or_null(d, bounds, "total");
    answer->bounds_note = read_text(d, bounds, "note");
}

static void decode_head(decoder *d, const gw_json_node *root, gw_answer *answer) {
    gw_ignore(gw_json_read_integer(&d->reader, root, "v", 1, 1)); // the check is the point
    answer->salt = read_hex(d, root, "salt", 64);
    answer->release = read_text(d, root, "release");
    answer->dataset = read_text(d, root, "dataset");
    answer->data_version = read_hex(d, root, "data_version", 32);
    answer->policy = gw_json_read_integer(&d->reader, root, "policy", 0, INT64_MAX);
    answer->indicator = read_optional(d, root, "indicator");
    if (answer->indicator != NULL)
        answer->indicator_version = gw_json_read_integer(&d->reader, root, "indicator_version", 1, INT64_MAX);
    answer->question = read_hex(d, root, "question", 64);
    answer->unit = read_text(d, root, "unit");
    answer->decimals = gw_json_read_integer(&d->reader, root, "decimals", 0, DECIMALS_MAX);
    answer->level = read_decimal(d, root, "level");
    answer->statistic = read_text(d, root, "statistic");
    d->is_ratio = answer->statistic != NULL && strcmp(answer->statistic, "ratio") == 0;
    d->is_open = d->is_ratio || (answer->statistic != NULL && strcmp(answer->statistic, "quintile_ratio") == 0);
    answer->of = read_optional(d, root, "of");
    answer->notice = read_optional(d, root, "notice");
}

static void decode_by(decoder *d, const gw_json_node *root, gw_answer *answer) {
    const gw_json_node *by = gw_json_read_array(&d->reader, root, "by");
    if (by == NULL)
        return;
    answer->by_count = gw_json_count(by);
    if (answer->by_count > GW_BY_MAX)
        fail_value(d, by, "by", "a list of at most 6 concepts");
    else
        answer->by = texts_of(d, by, "by", answer->by_count);
}

// The texts of a list that may have any number of elements up to `count_max`.
static const char *const *read_list(decoder *d, const gw_json_node *object, const char *name, size_t count_max,
                                    size_t *ret_count) {
    const gw_json_node *array = gw_json_read_array(&d->reader, object, name);
    size_t count = array == NULL ? 0 : gw_json_count(array);
    if (count > count_max)
        fail_value(d, array, name, "a shorter list");
    const char *const *texts = array == NULL || count > count_max ? NULL : texts_of(d, array, name, count);
    *ret_count = texts == NULL ? 0 : count;
    return texts;
}

static void decode_gap(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"concept", "group", "reference", "of", NULL};
    const gw_json_node *gap = gw_json_read_object(&d->reader, root, "gap");
    if (!gw_json_expect_object(&d->reader, gap, allowed))
        return;
    answer->gap_concept = read_text(d, gap, "concept");
    answer->gap_group = read_text(d, gap, "group");
    answer->gap_reference = read_text(d, gap, "reference");
    answer->gap_of = read_text(d, gap, "of");
}

static void decode_selection(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"epsilon", "delta", NULL};
    const gw_json_node *selection = gw_json_read_object(&d->reader, root, "selection");
    if (!gw_json_expect_object(&d->reader, selection, allowed))
        return;
    answer->selection_epsilon = read_decimal(d, selection, "epsilon");
    answer->selection_delta = read_text(d, selection, "delta");
}

// A table that was measured has its integers, one that was not has none.
static bool block_fits(const gw_answer *answer, const gw_answer_block *block, size_t first) {
    if (block->cell_count > answer->cell_count - first)
        return false;
    for (size_t i = first; i < first + block->cell_count; i++)
        if ((answer->cells[i].parts != NULL) != (block->epsilon.micro > 0))
            return false;
    return true;
}

static void decode_blocks(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"by", "cells", "epsilon", "asked", NULL};
    const gw_json_node *array = gw_json_read_array(&d->reader, root, "blocks");
    size_t count = array == NULL ? 0 : gw_json_count(array);
    gw_answer_block *blocks = count > GW_TABLES_MAX ? NULL : gw_arena_array(d->arena, count + 1, sizeof(*blocks));
    if (array != NULL && blocks == NULL)
        fail_value(d, array, "blocks", "a list of at most 64 tables");
    size_t cells = 0;
    for (const gw_json_node *node = blocks == NULL || array == NULL ? NULL : gw_json_first(array); node != NULL;
         node = gw_json_next(node)) {
        gw_answer_block *block = &blocks[answer->block_count++];
        if (!gw_json_expect_object(&d->reader, node, allowed))
            return; // the answer is refused
        block->by = read_list(d, node, "by", GW_BY_MAX, &block->by_count);
        block->cell_count = (size_t)gw_json_read_integer(&d->reader, node, "cells", 1, INT32_MAX);
        block->epsilon = gw_json_read_epsilon(&d->reader, node, "epsilon");
        block->is_asked = !gw_json_has(node, "asked") || gw_json_read_bool(&d->reader, node, "asked");
        if (d->reader.status == GW_OK && !block_fits(answer, block, cells))
            fail_value(d, node, "blocks", "what was measured, with an integer in each of its cells");
        if (d->reader.status != GW_OK)
            return;
        cells += block->cell_count;
    }
    answer->blocks = blocks;
    if (d->reader.status == GW_OK && cells != answer->cell_count)
        fail_value(d, array, "blocks", "as many cells as the answer has");
}

static const char *const *nodes_of(decoder *d, const gw_json_node *object, const char *name, size_t count) {
    const gw_json_node *array = gw_json_read_array(&d->reader, object, name);
    const char *const *nodes = array == NULL ? NULL : texts_of(d, array, name, count);
    gw_int128 value;
    for (size_t i = 0; nodes != NULL && d->reader.status == GW_OK && i < count; i++)
        if (!gw_int128_parse(nodes[i], &value))
            fail_value(d, array, name, "whole numbers in quotes");
    return nodes;
}

static void decode_group(decoder *d, const gw_json_node *node, const gw_answer_measured *measured,
                         gw_answer_group *group) {
    static const char *const allowed[] = {"key", "nodes", NULL};
    if (!gw_json_expect_object(&d->reader, node, allowed))
        return;
    group->key = texts_of(d, gw_json_read_array(&d->reader, node, "key"), "key", measured->by_count);
    group->nodes = nodes_of(d, node, "nodes", measured->node_count);
}

static void decode_measured(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"kind", "fan",  "bins", "nodes",  "first", "width",
                                          "step", "last", "by",   "groups", "rest",  NULL};
    const gw_json_node *object = gw_json_read_object(&d->reader, root, "measured");
    gw_answer_measured *measured = &answer->measured;
    if (!gw_json_expect_object(&d->reader, object, allowed))
        return;
    measured->kind = read_text(d, object, "kind");
    if (measured->kind != NULL && strcmp(measured->kind, "tree") != 0)
        fail_value(d, gw_json_member(object, "kind"), "kind", "tree");
    measured->fan = (unsigned)gw_json_read_integer(&d->reader, object, "fan", 2, 65536);
    measured->bin_count = (size_t)gw_json_read_integer(&d->reader, object, "bins", 1, 1000000);
    measured->node_count = (size_t)gw_json_read_integer(&d->reader, object, "nodes", 1, 2000000);
    measured->first = read_decimal_or_null(d, object, "first");
    measured->width = read_decimal_or_null(d, object, "width");
    measured->step = read_decimal_or_null(d, object, "step");
    measured->last = read_decimal_or_null(d, object, "last");
    measured->by = read_list(d, object, "by", GW_BY_MAX, &measured->by_count);
    const gw_json_node *array = gw_json_read_array(&d->reader, object, "groups");
    measured->group_count = array == NULL ? 0 : gw_json_count(array);
    gw_answer_group *groups = gw_arena_array(d->arena, measured->group_count + 1, sizeof(*groups));
    if (groups == NULL) {
        gw_json_fail(&d->reader, array, "too_many", "The answer is too big.", "",
                     "It does not fit the memory set aside.");
        return;
    }
    measured->groups = groups;
    for (const gw_json_node *node = array == NULL ? NULL : gw_json_first(array);
         node != NULL && d->reader.status == GW_OK; node = gw_json_next(node))
        decode_group(d, node, measured, groups++);
    if (gw_json_has(object, "rest"))
        measured->rest = nodes_of(d, object, "rest", measured->node_count);
}

static void decode_line(decoder *d, const gw_json_node *root, gw_answer *answer) {
    static const char *const allowed[] = {"unit",         "median",          "threshold",       "median_lower",
                                          "median_upper", "threshold_lower", "threshold_upper", NULL};
    const gw_json_node *object = gw_json_read_object(&d->reader, root, "line");
    gw_answer_line *line = &answer->line;
    if (!gw_json_expect_object(&d->reader, object, allowed))
        return;
    line->unit = read_text(d, object, "unit");
    line->median = read_decimal_or_null(d, object, "median");
    line->threshold = read_decimal_or_null(d, object, "threshold");
    line->median_lower = read_decimal(d, object, "median_lower");
    line->median_upper = read_decimal(d, object, "median_upper");
    line->threshold_lower = read_decimal(d, object, "threshold_lower");
    line->threshold_upper = read_decimal(d, object, "threshold_upper");
}

// What only some statistics have.
static void decode_details(decoder *d, const gw_json_node *root, gw_answer *answer) {
    answer->over = read_optional(d, root, "over");
    answer->fraction = read_decimal_or_null(d, root, "fraction");
    if (gw_json_has(root, "at"))
        answer->levels = read_list(d, root, "at", GW_LEVELS_MAX, &answer->level_count);
    if (gw_json_has(root, "gap"))
        decode_gap(d, root, answer);
    if (gw_json_has(root, "selection"))
        decode_selection(d, root, answer);
    if (gw_json_has(root, "measured"))
        decode_measured(d, root, answer);
    if (gw_json_has(root, "line"))
        decode_line(d, root, answer);
}

gw_status gw_answer_decode(gw_bytes bytes, gw_arena *arena, gw_answer *ret, gw_problem *ret_problem) {
    static const char *const allowed[] = {
        "v",        "salt",  "release",   "dataset",  "data_version", "policy", "indicator", "indicator_version",
        "question", "unit",  "decimals",  "level",    "statistic",    "of",     "notice",    "noise",
        "by",       "cells", "per",       "weighted", "bounds",       "dummy",  "over",      "fraction",
        "at",       "gap",   "selection", "measured", "blocks",       "line",   NULL};
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_status status = gw_json_parse(bytes, GW_JSON_REPLY, &json, ret_problem);
    if (status != GW_OK)
        return status;
    decoder d = {.arena = arena};
    gw_json_reader_init(&d.reader, json);
    const gw_json_node *root = gw_json_root(json);
    gw_answer answer = {0};
    if (gw_json_expect_object(&d.reader, root, allowed)) {
        decode_head(&d, root, &answer);
        decode_noise(&d, root, &answer);
        decode_bounds(&d, root, &answer);
        decode_by(&d, root, &answer);
        decode_details(&d, root, &answer);
        d.has_blocks = gw_json_has(root, "blocks");
        decode_cells(&d, root, &answer);
        if (gw_json_has(root, "blocks"))
            decode_blocks(&d, root, &answer);
    }
    if (d.reader.status != GW_OK) {
        if (ret_problem != NULL)
            *ret_problem = d.reader.problem;
        return d.reader.status;
    }
    *ret = answer;
    return GW_OK;
}
