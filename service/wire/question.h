// SPDX-License-Identifier: Apache-2.0
// What a body asks: the typed form of `{"v":1,"kind":"query",…}`. Questions speak concepts, never columns.
// Thread safety: immutable after decode; memory belongs to the arena.   Depends on: base, wire/json.h, privacy/cost.h.
#pragma once
#include "privacy/accounting/delta.h"
#include "privacy/cost.h"
#include "service/base/arena.h"
#include "service/wire/json.h"

#define GW_NAME_MAX 128 // bytes of any identifier: dataset, concept, code, indicator
#define GW_WHERE_MAX 16
#define GW_BY_MAX 6
#define GW_FILTER_CODES_MAX 1024

typedef enum { GW_FILTER_IN, GW_FILTER_EQUALS, GW_FILTER_BETWEEN } gw_filter_kind;
typedef struct {
    const char *concept; // "sex", or a banding: "age:work"
    gw_filter_kind kind;
    const char *const *codes; // in, equals (one; a JSON integer is kept as text)
    size_t code_count;
    const char *low; // between: decimal texts, inclusive; JSON integers are accepted and kept as text
    const char *high;
} gw_filter;

typedef enum {
    GW_KIND_QUERY,
    GW_KIND_COST,
    GW_KIND_BUDGET,
    GW_KIND_CATALOGUE,
    GW_KIND_DESCRIBE, // one dataset
    GW_KIND_HISTORY,
    GW_KIND_PING,
    GW_KIND_DUMMY,      // a query's twin: the same shape, made from the policy alone, free
    GW_KIND_ADMIN,      // changes by owners and operators: see admin/
    GW_KIND_CHECKPOINT, // a signed checkpoint that the service is to be held to: see query/rollback.h
} gw_question_kind;
const char *gw_question_kind_name(gw_question_kind kind); // "query", …

// Two groups of one concept whose rates, shares or means are held against each other: group less reference.
typedef struct {
    const char *concept, *group, *reference;
} gw_question_gap;
// One of several tables: the concepts it is broken down by; none for the total.
typedef struct {
    const char *const *by;
    size_t by_count;
} gw_question_table;
#define GW_LEVELS_MAX 32
// Breakdowns that a statistic has of its own, behind those that were asked for: a quantile's level; whether a figure of
// a series is of its period or of all up to it. No concept of a data set has such a name.
#define GW_BY_QUANTILE "quantile"
#define GW_BY_SPAN "span"
#define GW_TABLES_MAX 64
#define GW_BINS_MAX 65536u

#define GW_BASKET_MAX 100
#define GW_QUOTE_ID_TEXT 17 // "Q-7K3M-9XWP-2T4V" and its NUL

typedef struct gw_question {
    gw_question_kind kind;
    const char *dataset;   // NULL where the kind needs none
    const char *indicator; // or NULL, and then `statistic` (and `of`) are the measure
    gw_statistic statistic;
    const char *of;        // measure: concept of a mean or sum; otherwise NULL
    const char *table;     // measure: which table's rows; NULL: the first with every concept the question names
    bool is_per_person;    // measure: "per":"person": persons (or their totals) are counted, not rows
    const gw_filter *plus; // measure net: rows that add one
    size_t plus_count;
    const gw_filter *minus; // measure net: rows that take one away
    size_t minus_count;
    const char *over;          // measure ratio: the concept of the denominator's sum
    unsigned bins;             // measure histogram: bins of equal width; statistics by a grid: its bins; 0: as suits
    const char *const *levels; // measure quantile: "at":["0.5"], decimals between 0 and 1, rising
    size_t level_count;
    const char *method;         // measure quantile: "pick" (one level) or "tree"; NULL: pick for one, tree for several
    const char *fraction;       // measure poverty: of the median, a decimal; NULL: 0.6
    const gw_question_gap *gap; // "gap":{"concept":"c_birth","group":"NEU_FOR","reference":"NAT"}; or NULL
    const gw_question_table
        *tables; // "tables":[["sex","c_birth"],["sex"],[]]: several tables of one price, instead of by
    size_t table_count;
    gw_delta delta; // keys: what deciding which are shown may cost; the policy's where has_delta is false
    bool has_delta;
    bool is_unweighted; // "weighted":false: where the table has weights, leave them out
    const gw_filter *where;
    size_t where_count;
    const char *const *by;
    size_t by_count;
    bool has_by; // absent `by` means the indicator's default
    gw_epsilon epsilon;
    bool has_epsilon;
    const char *target_error; // decimal text, or NULL
    uint64_t group_size;      // 0 = not stated
    gw_epsilon max_cost;
    bool has_max_cost;
    const char *quote; // query, cost: the id of a quote; then nothing else but max_cost stands in the body
    const struct gw_question *basket; // cost: several questions at once ("questions"); then nothing else stands there
    size_t basket_count;
    bool all;                  // kind history: everybody's, for owners and auditors
    const gw_json_node *admin; // kind admin: the whole object, borrowed from the document
    const char *note;          // kind checkpoint: a signed note
} gw_question;

// `json` must outlive the question. Codes: as json.h, plus bad_version, unknown_kind, bad_name, bad_filter, bad_by,
// bad_measure, bad_delta, bad_target_error, too_many. A price of zero is bad_epsilon.
// Numbers in `between` come out in their shortest text, so that equal questions are equal bytes.
// Names are ASCII letters, digits and . _ - / : only, so look-alikes, NUL and separators cannot pass; no part between
// slashes is empty or starts with a dot, so that a name can be a path below a folder.
GW_MUST_CHECK gw_status gw_question_decode(const gw_json *json, gw_arena *arena, gw_question *ret,
                                           gw_problem *ret_problem);
// Writes the body text of a question (for clients). Kind admin is not written here.
void gw_question_encode(const gw_question *question, gw_buffer *buffer);
// `where` and `numerator` lists, shared with indicator files.
const gw_filter *gw_filters_read(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena, size_t *ret_count);
void gw_filters_encode(gw_buffer *buffer, const char *name, const gw_filter *filters, size_t count);
// A file of questions, {"godwit_questions":1,"questions":[…]}, as a basket. `json` must outlive it.
GW_MUST_CHECK gw_status gw_questions_file_decode(const gw_json *json, gw_arena *arena, gw_question *ret_basket,
                                                 gw_problem *ret_problem);
// A list of questions as a basket or a file of questions holds them, each without "v" and "kind": 1 .. GW_BASKET_MAX.
const gw_question *gw_questions_read(gw_json_reader *reader, const gw_json_node *array, gw_arena *arena,
                                     size_t *ret_count);
// A question that stands inside another document, with or without "v" and "kind". False: the reader has the problem.
bool gw_question_read_object(gw_json_reader *reader, const gw_json_node *node, gw_arena *arena, gw_question *ret);
bool gw_name_is_valid(const char *name);
