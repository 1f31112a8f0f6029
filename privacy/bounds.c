// SPDX-License-Identifier: Apache-2.0
// The choice of a bound, and the reference that says what one person adds under it. Both look at one person alone:
// that is why the sensitivity is a product of policy figures (bounds.md).
#include "privacy/bounds.h"
#include "privacy/mechanism/moments.h"
#include <stdlib.h>

#define SENSITIVITY_MAX (UINT64_C(1) << 62) // noise and exact sums stay far from the ends of 128 bits

static const char *const KIND_NAMES[] = {
    [GW_BOUND_NONE] = "none",
    [GW_BOUND_KEEP_ROWS] = "keep-rows",
    [GW_BOUND_KEEP_CELLS] = "keep-cells",
    [GW_BOUND_CLAMP_TOTAL] = "clamp-total",
};

const char *gw_bound_kind_name(gw_bound_kind kind) {
    return KIND_NAMES[kind];
}

static bool shape_is_sound(const gw_bound_shape *shape) {
    return shape->rows_max > 0 && shape->rows_kept > 0 && shape->rows_kept <= shape->rows_max && shape->unit_max > 0 &&
           shape->weight_max > 0;
}

// amount x unit x weight, or UINT64_MAX where that passes the largest sensitivity.
static uint64_t product(uint64_t amount, uint64_t unit, uint64_t weight) {
    uint64_t result;
    bool fits = gw_mul_u64(amount, unit, &result) && gw_mul_u64(result, weight, &result) && result <= SENSITIVITY_MAX;
    return fits ? result : UINT64_MAX;
}

// Units: rows, or the cells a person can be in. Nothing is dropped where as many are kept as there can be.
static gw_bound choose_units(const gw_bound_shape *shape) {
    uint64_t units_max = shape->is_per_person && shape->is_one_cell ? 1 : shape->rows_max;
    gw_bound bound = {.kind = GW_BOUND_NONE, .units = units_max};
    if (shape->rows_kept < units_max) {
        bound.kind = shape->is_per_person ? GW_BOUND_KEEP_CELLS : GW_BOUND_KEEP_ROWS;
        bound.units = shape->rows_kept;
    }
    bound.sensitivity = product(bound.units, shape->unit_max, shape->weight_max);
    return bound;
}

// At equal sensitivity a clamp is taken before keeping rows: the rows kept never pass the total, so it drops no more.
static bool clamp_is_better(const gw_bound_shape *shape, const gw_bound *units, uint64_t clamped) {
    if (shape->is_per_person || shape->total_max == 0)
        return false;
    return clamped < units->sensitivity || (clamped == units->sensitivity && units->kind != GW_BOUND_NONE);
}

gw_status gw_bound_choose(const gw_bound_shape *shape, gw_bound *ret_bound) {
    if (!shape_is_sound(shape))
        return GW_INVALID;
    gw_bound bound = choose_units(shape);
    uint64_t clamped = product(shape->total_max, 1, shape->weight_max);
    if (clamp_is_better(shape, &bound, clamped))
        bound = (gw_bound){.kind = GW_BOUND_CLAMP_TOTAL, .total = shape->total_max, .sensitivity = clamped};
    if (bound.sensitivity == UINT64_MAX)
        return GW_LIMIT;
    *ret_bound = bound;
    return GW_OK;
}

// ---- the reference

static int compare_u64(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int compare_i64(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

// Keyed order; rows that tie are alike, and the further fields make that so even where they are not.
static int row_by_order(const void *left, const void *right) {
    const gw_bound_row *a = left;
    const gw_bound_row *b = right;
    const int steps[] = {compare_u64(a->order, b->order), compare_u64(a->cell, b->cell),
                         compare_i64(a->value, b->value), compare_i64(a->other, b->other),
                         compare_u64(a->weight, b->weight)};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (steps[i] != 0)
            return steps[i];
    return 0;
}

static int row_by_cell(const void *left, const void *right) {
    int order = compare_u64(((const gw_bound_row *)left)->cell, ((const gw_bound_row *)right)->cell);
    return order != 0 ? order : row_by_order(left, right);
}

static void add_row(const gw_bound_rule *rule, const gw_bound_row *row, gw_int128 *cells) {
    gw_int128 *cell = cells + row->cell * rule->part_count;
    if (rule->is_moments) {
        int64_t parts[GW_MOMENT_PARTS];
        gw_moments_split(row->value, rule->unit_max, parts);
        for (size_t i = 0; i < GW_MOMENT_PARTS; i++)
            cell[i] += (gw_int128)parts[i] * row->weight;
        return;
    }
    cell[0] += (gw_int128)row->value * row->weight;
    if (rule->part_count > 1)
        cell[1] += (gw_int128)row->other * row->weight;
}

// The part of `value` that `room` leaves, nearest zero first; what is used is taken from the room.
static int64_t clamp_into(int64_t value, uint64_t *room) {
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (size <= *room) {
        *room -= size;
        return value;
    }
    uint64_t part = *room;
    *room = 0;
    return value < 0 ? -(int64_t)part : (int64_t)part;
}

static gw_bound_row join_two(gw_bound_join join, gw_bound_row a, const gw_bound_row *b, gw_int128 *total) {
    a.value = join == GW_JOIN_ANY ? a.value | b->value : a.value;
    a.other |= b->other;
    a.order = b->order < a.order ? b->order : a.order;
    a.weight = b->weight > a.weight ? b->weight : a.weight;
    *total += b->value;
    return a;
}

// The rows of one cell, first .. last, as one person-cell.
static gw_bound_row join_cell(const gw_bound_rule *rule, const gw_bound_row *first, const gw_bound_row *last) {
    gw_bound_row joined = *first;
    gw_int128 total = first->value;
    for (const gw_bound_row *row = first + 1; row <= last; row++)
        joined = join_two(rule->join, joined, row, &total);
    if (rule->join == GW_JOIN_ANY) {
        joined.other = joined.value == 0 ? joined.other : 0; // with it in any row: not without it
        return joined;
    }
    joined.value = total <= 0 ? 0 : total >= rule->unit_max ? rule->unit_max : (int64_t)total;
    joined.other = rule->unit_max - joined.value;
    return joined;
}

// One row per cell, in place; a cell stands where its first row does in the keyed order. Returns how many.
static size_t join_cells(const gw_bound_rule *rule, gw_bound_row *rows, size_t row_count) {
    qsort(rows, row_count, sizeof(*rows), row_by_cell);
    size_t count = 0;
    for (size_t first = 0, last; first < row_count; first = last + 1) {
        last = first;
        while (last + 1 < row_count && rows[last + 1].cell == rows[first].cell)
            last++;
        rows[count++] = join_cell(rule, &rows[first], &rows[last]);
    }
    return count;
}

void gw_bound_person(const gw_bound_rule *rule, gw_bound_row *rows, size_t row_count, gw_int128 *cells) {
    if (row_count == 0)
        return;
    size_t count = rule->join == GW_JOIN_ROWS ? row_count : join_cells(rule, rows, row_count);
    qsort(rows, count, sizeof(*rows), row_by_order);
    bool is_kept = rule->bound.kind == GW_BOUND_KEEP_ROWS || rule->bound.kind == GW_BOUND_KEEP_CELLS;
    if (is_kept && count > rule->bound.units)
        count = (size_t)rule->bound.units;
    uint64_t room = rule->bound.total;
    for (size_t i = 0; i < count; i++) {
        if (rule->bound.kind == GW_BOUND_CLAMP_TOTAL)
            rows[i].value = clamp_into(rows[i].value, &room);
        add_row(rule, &rows[i], cells);
    }
}
