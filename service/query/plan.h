// SPDX-License-Identifier: Apache-2.0
// From a question and a policy to what will be measured: table, cells, parts, sensitivity, price. Pure: sees no data,
// no clock, no ledger. `by` and `where` are put in canonical order here, so equal questions make equal plans. Thread
// safety: immutable after build; memory belongs to the arena, policy and catalogue must outlive it. Depends on:
// policy/{policy,indicator}.h, wire/question.h.
#pragma once
#include "privacy/bounds.h"
#include "privacy/mechanism/tree.h"
#include "service/policy/indicator.h"

// One group-by concept: its codes are the declared cells along it, so an absent group still gets its noisy zero.
typedef struct {
    const char *concept; // "sex", "age:work"
    const gw_column *column;
    const gw_banding *banding; // NULL for code columns
    const char *const *codes;  // shown in this order; only those a filter on the same concept leaves
    const size_t *positions;   // index of each code in the column's codes, or in the bands (band_count = _U)
    size_t code_count;
} gw_plan_axis;

// One resolved condition: the value is in a set of codes or in one of several ranges of steps.
typedef struct {
    const gw_column *column;
    const char *text;        // canonical JSON of this filter
    const size_t *positions; // code columns
    size_t position_count;
    const int64_t (*ranges)[2]; // numeric columns: inclusive steps
    size_t range_count;
    bool with_missing; // numeric columns: NULL (code _U of a banding) is in the set
} gw_plan_condition;

// From what the snapshot holds to steps of the noise: first + factor * held.
typedef struct {
    int64_t first, factor;
} gw_plan_line;

// How measured values become released ones.
typedef enum {
    GW_MECHANISM_PARTS,     // noise on every part of every cell
    GW_MECHANISM_TREE,      // noise on every node of a tree over a grid, per group
    GW_MECHANISM_PICK,      // permute-and-flip over a grid, per group
    GW_MECHANISM_MARGINALS, // several tables from one base table, each with a share of the price
    GW_MECHANISM_SELECTION, // keys that no list names: which are shown, and their counts
} gw_plan_mechanism;
const char *gw_plan_mechanism_name(gw_plan_mechanism mechanism); // "parts/1", …: part of the canonical question

// Bins of equal width over a numeric concept: bin i holds steps first + i * width .. first + (i + 1) * width - 1.
typedef struct {
    const gw_column *column; // NULL: no grid
    int64_t first, width;
    size_t count;
    const char *const *keys; // histogram: "0..9999"
} gw_plan_grid;

typedef struct {
    uint32_t numerator, denominator; // in lowest terms, 0 < n < d
    const char *text;
} gw_plan_level;

// Two groups of a concept that are held against each other: an axis of two codes, group and reference, that is the
// innermost of what is measured and none of the answer's. The plan's statistic is what it is a gap of.
typedef struct {
    const gw_column *column; // NULL: no gap
    const char *concept;
    const gw_banding *banding; // or NULL
    const char *codes[2];      // group, reference
    size_t positions[2];       // as in an axis
} gw_plan_gap;

typedef struct {
    uint32_t axes; // bit i: broken down by axes[i]
    size_t cell_count;
    uint64_t share; // of the price, in proportion to the others' (plan_tables.h); 0: worked out from others alone
    bool is_asked;  // otherwise measured because it makes those asked more exact
} gw_plan_table;

typedef struct {
    gw_statistic statistic;
    gw_plan_mechanism mechanism;
    const gw_policy *policy;
    const gw_table *table;
    const gw_indicator *indicator; // NULL for a measure
    const gw_column *of;           // the statistic's numeric (or period, or text) concept; otherwise NULL
    gw_plan_line of_line;          // values in steps
    const gw_column *over;         // ratio
    gw_plan_line over_line;        // its values in steps: as many at most as those of `of`, or nearly
    int64_t over_step_scaled;      // what one of its steps is: this many 10^-over_step_scale of its unit
    unsigned over_step_scale;
    gw_plan_grid grid;           // histogram and statistics by tree or pick
    size_t group_count;          // statistics by tree or pick: combinations of the breakdowns' codes
    bool has_rest;               // poverty: one more group, of all who are in none but count for everybody's median
    gw_tree_shape tree;          // statistics by tree
    const gw_plan_level *levels; // quantile
    size_t level_count;
    gw_plan_level fraction; // poverty
    gw_plan_gap gap;
    gw_plan_table *tables; // marginals
    size_t table_count;
    uint64_t delta; // selection: what deciding which keys are shown costs, in units of 1e-18; otherwise 0
    const gw_plan_axis *axes;
    size_t axis_count;
    const gw_plan_condition *where; // the asker's, in canonical order
    size_t where_count;
    const gw_plan_condition *population; // the indicator's
    size_t population_count;
    const gw_plan_condition *numerator;
    size_t numerator_count;
    const gw_plan_condition *plus, *minus; // net
    size_t plus_count, minus_count;
    const gw_column *weight; // NULL: every row counts once
    gw_plan_line weight_line;
    bool is_per_person;    // only where a person may have many rows
    int64_t unit_width;    // mean, variance, sd: the parts of a row or person add up to this many steps
    uint64_t unit_max;     // what one row or person adds at most, in steps, without its weight
    gw_bound bound;        // what one person may add, and how the statement sees to it
    size_t cell_count;     // of the answer
    size_t part_count;     // measured values beside each; of a gap beside each of its two
    size_t measured_cells; // of the statement: groups times bins, or the base table; as many as the answer's otherwise
    size_t measured_parts;
    uint64_t sensitivity; // bound.sensitivity: L1, in steps of the noise
    int64_t step_scaled; // what one step is: this many 10^-step_scale of the unit (counts 1; sums, weights: their grid)
    unsigned step_scale;
    int64_t offset_scaled; // mean: the value where the first part is 0, at step_scale; otherwise 0
    const char *unit;
    unsigned decimals;
    gw_cost_shape shape;
    gw_epsilon epsilon; // 0 where neither epsilon nor target_error was given
} gw_plan;

#define GW_PLAN_CELLS_MAX 200000u // an answer of about 30 MB
// Codes: unknown_indicator, unknown_concept, unknown_code, unknown_banding, concept_missing, bad_filter,
// too_many_cells, by_needed, of_needed, target_error, unknown_table, bounds_too_wide, bad_measure; text_concept,
// selection_delta_needed, question_delta, bad_delta, bad_by, weighted_keys (plan_keys.c).
GW_MUST_CHECK gw_status gw_plan_build(const gw_question *question, const gw_policy *policy,
                                      const gw_catalogue *catalogue, gw_arena *arena, gw_plan *ret_plan,
                                      gw_problem *ret_problem);

// scaled * 10^-scale, for figures that may round.
double gw_plan_number(int64_t scaled, unsigned scale);
// The bins of equal width that a histogram has: of at most so many, or round ones for 0.
gw_plan_grid gw_plan_histogram_grid(const gw_column *column, unsigned bins);
// The axis that a gap's two groups are.
gw_plan_axis gw_plan_gap_axis(const gw_plan *plan);
// What was asked: a gap, or the plan's statistic.
gw_statistic gw_plan_asked(const gw_plan *plan);
// What an error is stated in: "persons", "rows", "points", or the unit of the values.
const char *gw_plan_error_unit(const gw_plan *plan);

// The canonical question: its text names dataset, data version, mechanism version, statistic, indicator version, sorted
// where and by, and epsilon; nothing of the asker. Its SHA-256 is the question's name everywhere.
void gw_plan_canonical(const gw_plan *plan, const char *data_version, gw_buffer *ret_text);
// One sentence for people: "Employment rate, by Country of birth (4) x Sex (2)".
void gw_plan_title(const gw_plan *plan, gw_buffer *ret_text);
// SHA-256 of how a policy lays its tables out (tables, concepts, codes, steps): data loaded under one layout is never
// read under another.
gw_hash gw_plan_layout(const gw_policy *policy);
