// SPDX-License-Identifier: Apache-2.0
// A policy file into a gw_policy. What a later step would trip over is refused here, where a person with an editor can
// mend it: every problem names file, line, column and a remedy. Everything lives in one arena behind the policy.
#include "service/policy/load.h"
#include "service/audit/entry.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/decimal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE_MAX 33554432u // 32 MiB: a file of 1 MiB with a code list of 1024 codes in each of 256 columns
#define TABLES_MAX 16u
#define COLUMNS_MAX 256u
#define BANDINGS_MAX 32u
#define BANDS_MAX 1024u
#define RECODES_MAX 4096u
#define GRANTS_MAX 64u
#define ROWS_PER_PERSON_MAX 1000000
#define WINDOW_DAYS_MAX 3660           // ten years
#define STEPS_MAX ((gw_int128)1 << 40) // so that sums over 2^40 persons stay far inside 128 bits
#define PLANNING_MAX 100000000000      // persons
#define VERSION_MAX 9007199254740991   // what a JSON integer holds

static const char what_policy[] = "The policy cannot be used as it is.";

typedef struct {
    gw_policy policy; // first: gw_policy_free finds the owner behind it
    gw_arena *arena;
} policy_owner;

typedef struct {
    gw_load load;
    const char *codelist_folder;
    gw_policy *policy;
} loader;

#define FAIL(l, node, code, mend, ...) gw_json_fail(&(l)->load.reader, node, code, what_policy, mend, __VA_ARGS__)

static bool is_well(const loader *l) {
    return l->load.reader.status == GW_OK;
}

// ------------------------------------------------------------------------------------------------ columns

// How a concept is called where the file does not say.
static const char *concept_label(const char *concept) {
    static const char *const labels[][2] = {
        {"sex", "Sex"},
        {"age", "Age"},
        {"citizen", "Citizenship"},
        {"c_birth", "Country of birth"},
        {"ref_area", "Region"},
        {"isced11", "Education (ISCED 2011)"},
        {"activity", "Labour-force status"},
        {"occupation", "Occupation"},
        {"reason", "Reason of the permit"},
        {"duration", "Length of the permit"},
        {"duration_stay", "Duration of stay"},
        {"income", "Income"},
        {"hours", "Weekly hours"},
        {"time_period", "Period"},
    };
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (strcmp(labels[i][0], concept) == 0)
            return labels[i][1];
    return concept;
}

// A number as the column's type writes it: an integer, or a decimal string.
static bool read_number(loader *l, const gw_json_node *node, gw_column_type type, gw_decimal *ret) {
    if (!is_well(l))
        return false;
    if (type == GW_COLUMN_INTEGER && gw_json_type_of(node) == GW_JSON_INTEGER) {
        ret->trillionths = gw_json_integer(node) * GW_DECIMAL_ONE;
        return true;
    }
    if (type == GW_COLUMN_DECIMAL && gw_json_type_of(node) == GW_JSON_STRING &&
        gw_decimal_parse(gw_json_string(node), ret))
        return true;
    if (type == GW_COLUMN_INTEGER)
        FAIL(l, node, "wrong_type", "Write it without quotes: 120.", "Numbers of an integer column are whole numbers.");
    else
        FAIL(l, node, "wrong_type", "Write it in quotes: \"0.01\".",
             "Numbers of a decimal column are plain decimals in quotes, with at most 12 places.");
    return false;
}

// Places after the point that the value needs.
static unsigned places_of(gw_decimal value) {
    unsigned places = GW_DECIMAL_PLACES;
    gw_int128 rest = value.trillionths;
    for (; places > 0 && rest % 10 == 0; places--)
        rest /= 10;
    return places;
}

static bool scale_value(gw_decimal value, unsigned scale, int64_t *ret) {
    gw_int128 scaled = value.trillionths;
    for (unsigned i = scale; i < GW_DECIMAL_PLACES; i++)
        scaled /= 10; // exact: the value needs at most `scale` places
    if (scaled > INT64_MAX || scaled < INT64_MIN)
        return false;
    *ret = (int64_t)scaled;
    return true;
}

static unsigned max_unsigned(unsigned a, unsigned b) {
    return a > b ? a : b;
}

// min, max and grid: the public range that clamps every person's contribution. Without it there is no noise to speak
// of.
static void read_bounds(loader *l, const gw_json_node *node, gw_column *column) {
    bool is_integer = column->type == GW_COLUMN_INTEGER;
    if (!gw_json_has(node, "min") || !gw_json_has(node, "max")) {
        FAIL(l, node, "policy_bounds",
             is_integer ? "Add \"min\":0,\"max\":120." : "Add \"min\":\"0\",\"max\":\"200000\".",
             "A numeric column needs \"min\" and \"max\": what one person can contribute must be bounded.");
        return;
    }
    if (!is_integer && !gw_json_has(node, "grid")) {
        FAIL(l, node, "policy_grid", "Add \"grid\":\"1\", or a finer one.",
             "A decimal column needs a \"grid\": values are rounded to its multiples above min.");
        return;
    }
    gw_decimal min, max, grid = {GW_DECIMAL_ONE};
    if (!read_number(l, gw_json_member(node, "min"), column->type, &min) ||
        !read_number(l, gw_json_member(node, "max"), column->type, &max) ||
        (!is_integer && !read_number(l, gw_json_member(node, "grid"), column->type, &grid)))
        return;
    if (min.trillionths >= max.trillionths) {
        FAIL(l, gw_json_member(node, "max"), "policy_bounds",
             "Put the lowest possible value in min, the highest in max.", "\"max\" must be more than \"min\".");
        return;
    }
    if (grid.trillionths <= 0) {
        FAIL(l, gw_json_member(node, "grid"), "policy_grid", "Write \"grid\":\"1\", or a finer one.",
             "\"grid\" must be more than zero.");
        return;
    }
    gw_int128 range = max.trillionths - min.trillionths;
    const gw_json_node *grid_node = is_integer ? gw_json_member(node, "max") : gw_json_member(node, "grid");
    if (range % grid.trillionths != 0)
        FAIL(l, grid_node, "policy_grid", "Choose a grid that divides max - min.",
             "\"max\" is not a whole number of grid steps above \"min\".");
    else if (range / grid.trillionths > STEPS_MAX)
        FAIL(l, grid_node, "policy_grid", "Choose a coarser grid, or narrower bounds.",
             "There are more than 2^40 grid steps between \"min\" and \"max\".");
    column->scale = max_unsigned(max_unsigned(places_of(min), places_of(max)), places_of(grid));
    if (!is_well(l))
        return;
    if (!scale_value(min, column->scale, &column->min_scaled) ||
        !scale_value(max, column->scale, &column->max_scaled) ||
        !scale_value(grid, column->scale, &column->grid_scaled)) {
        FAIL(l, gw_json_member(node, "max"), "policy_bounds", "Use fewer places, or narrower bounds.",
             "The bounds with all their places do not fit 64 bits.");
        return;
    }
    column->steps = (int64_t)(range / grid.trillionths);
}

// One end of a band, in steps. It must lie on the grid, within the bounds.
static int64_t read_band_end(loader *l, const gw_json_node *node, const gw_column *column) {
    gw_decimal value;
    if (!read_number(l, node, column->type, &value))
        return 0;
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(value, text);
    int64_t down = 0, up = 0;
    bool is_number = gw_column_step_down(column, text, &down) && gw_column_step_up(column, text, &up);
    GW_ASSERT(is_number); // the text was just written from a decimal
    if (down < 0 || up > column->steps)
        FAIL(l, node, "policy_banding", "Keep bands between the column's min and max.",
             "%s lies outside the column's bounds.", text);
    else if (down != up)
        FAIL(l, node, "policy_banding", "Bands end on multiples of the grid.", "%s is not on the column's grid.", text);
    return down;
}

static void read_band(loader *l, const gw_json_node *node, const gw_column *column, gw_band *band) {
    band->id = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (!is_well(l))
        return;
    if (strcmp(band->id, GW_CODE_UNKNOWN) == 0 || strcmp(band->id, "_T") == 0)
        FAIL(l, node, "policy_banding", "Choose another code for the band.",
             "%s has a meaning of its own: _U is unknown, _T is the total.", band->id);
    else if (gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) != 2)
        FAIL(l, node, "policy_banding", "Write \"Y20T64\":[20,64].", "A band is its lowest and its highest value.");
    if (!is_well(l))
        return;
    band->low = read_band_end(l, gw_json_first(node), column);
    band->high = read_band_end(l, gw_json_next(gw_json_first(node)), column);
    if (is_well(l) && band->low > band->high)
        FAIL(l, node, "policy_banding", "Put the lower value first.", "The band %s is empty.", band->id);
}

static int compare_bands(const void *a, const void *b) {
    const gw_band *left = a;
    const gw_band *right = b;
    return (left->low > right->low) - (left->low < right->low);
}

// Bands in rising order: every value of the domain in exactly one.
static void check_partition(loader *l, const gw_json_node *node, const gw_column *column, const gw_banding *banding) {
    char text[32];
    int64_t next = 0; // first step not yet covered
    for (size_t i = 0; i < banding->band_count && is_well(l); i++) {
        const gw_band *band = &banding->bands[i];
        if (band->low < next) {
            gw_column_step_format(column, band->low, text);
            FAIL(l, node, "policy_banding", "Every value must lie in exactly one band.", "%s lies in both %s and %s.",
                 text, banding->bands[i - 1].id, band->id);
        } else if (band->low > next) {
            gw_column_step_format(column, next, text);
            FAIL(l, node, "policy_banding", "Every value must lie in exactly one band.", "%s lies in no band.", text);
        }
        next = band->high + 1;
    }
    if (is_well(l) && next <= column->steps) {
        gw_column_step_format(column, next, text);
        FAIL(l, node, "policy_banding", "Every value must lie in exactly one band.", "%s lies in no band.", text);
    }
}

static void read_banding(loader *l, const gw_json_node *node, const gw_column *column, gw_banding *banding) {
    banding->name = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (is_well(l) && (gw_json_type_of(node) != GW_JSON_OBJECT || gw_json_count(node) > BANDS_MAX))
        FAIL(l, node, "policy_banding", "Write {\"Y_LT20\":[0,19], …}.", "A banding is an object of at most %u bands.",
             BANDS_MAX);
    if (!is_well(l))
        return;
    gw_band *bands = gw_load_array(&l->load, gw_json_count(node), sizeof(*bands));
    if (bands == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *band = gw_json_first(node); band != NULL && is_well(l); band = gw_json_next(band))
        read_band(l, band, column, &bands[i++]);
    if (!is_well(l))
        return;
    banding->bands = bands;
    banding->band_count = i;
    qsort(bands, i, sizeof(*bands), compare_bands);
    check_partition(l, node, column, banding);
}

static void read_bandings(loader *l, const gw_json_node *node, gw_column *column) {
    if (!gw_json_has(node, "bandings"))
        return;
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "bandings");
    if (object != NULL && gw_json_count(object) > BANDINGS_MAX)
        FAIL(l, object, "too_many", "Keep the ones that are asked for.", "A column has at most %u bandings.",
             BANDINGS_MAX);
    if (object == NULL || !is_well(l))
        return;
    gw_banding *bandings = gw_load_array(&l->load, gw_json_count(object), sizeof(*bandings));
    if (bandings == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *banding = gw_json_first(object); banding != NULL && is_well(l);
         banding = gw_json_next(banding))
        read_banding(l, banding, column, &bandings[i++]);
    column->bandings = bandings;
    column->banding_count = i;
}

static void read_missing(loader *l, const gw_json_node *node, gw_column *column) {
    const char *missing = gw_json_read_string(&l->load.reader, node, "missing");
    if (missing == NULL)
        return;
    if (strcmp(missing, "drop") == 0)
        column->missing = GW_MISSING_DROP;
    else if (strcmp(missing, GW_CODE_UNKNOWN) == 0)
        column->missing = GW_MISSING_UNKNOWN;
    else
        FAIL(l, gw_json_member(node, "missing"), "wrong_type", "Write \"_U\" or \"drop\".",
             "\"missing\" says where empty and unlisted values go: to a cell of their own (_U), or out of questions "
             "(drop).");
}

static void read_codelist(loader *l, const gw_json_node *node, gw_column *column) {
    const char *id = gw_load_name(&l->load, node, "codelist", "/:.");
    if (id == NULL)
        return;
    char reason[GW_CODELIST_REASON_MAX];
    gw_status status = gw_codelist_load(l->codelist_folder, id, l->load.arena, &column->codelist, reason);
    if (status != GW_OK) {
        FAIL(l, gw_json_member(node, "codelist"), "policy_codelist", "Correct the list, or name another one.",
             "The code list %s cannot be used: %s", id,
             status == GW_LIMIT && reason[0] == '\0' ? "it is too big." : reason);
        return;
    }
    if (column->missing != GW_MISSING_UNKNOWN)
        return;
    gw_code *codes = gw_load_array(&l->load, column->codelist.code_count + 1, sizeof(*codes));
    if (codes == NULL)
        return;
    memcpy(codes, column->codelist.codes, column->codelist.code_count * sizeof(*codes));
    codes[column->codelist.code_count++] = (gw_code){.id = GW_CODE_UNKNOWN, .label = "Unknown"};
    column->codelist.codes = codes;
}

static void read_recode(loader *l, const gw_json_node *node, const gw_column *column, gw_recode *recode) {
    char shown[GW_SHOWN_MAX];
    const char *from = gw_json_name(node);
    if (from[0] == '\0' || strlen(from) > GW_NAME_MAX)
        FAIL(l, node, "policy_recode", "Empty values are what \"missing\" is for.",
             "A value to recode has 1 to %d bytes.", GW_NAME_MAX);
    else if (gw_json_type_of(node) != GW_JSON_STRING)
        FAIL(l, node, "wrong_type", "Write \"1\":\"M\".", "\"%s\" must be recoded to a code in quotes.",
             gw_json_shown(from, shown));
    if (!is_well(l))
        return;
    const char *to = gw_json_string(node);
    recode->from = gw_load_copy(&l->load, from);
    recode->code = gw_column_code(column, to);
    if (recode->code != SIZE_MAX)
        return;
    FAIL(l, node, "policy_recode", "Use a code of the list.", "\"%s\" is not a code of %s.", gw_json_shown(to, shown),
         column->codelist.id);
    const char *ids[GW_CODELIST_CODES_MAX + 1];
    for (size_t i = 0; i < column->codelist.code_count; i++)
        ids[i] = column->codelist.codes[i].id;
    const char *nearest = gw_nearest(to, ids, column->codelist.code_count);
    if (nearest != NULL)
        gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
}

static void read_recodes(loader *l, const gw_json_node *node, gw_column *column) {
    if (!gw_json_has(node, "recode"))
        return;
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "recode");
    if (object != NULL && gw_json_count(object) > RECODES_MAX)
        FAIL(l, object, "too_many", "Recode the file before it is loaded.", "A column has at most %u recodes.",
             RECODES_MAX);
    if (object == NULL || !is_well(l))
        return;
    gw_recode *recodes = gw_load_array(&l->load, gw_json_count(object), sizeof(*recodes));
    if (recodes == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *recode = gw_json_first(object); recode != NULL && is_well(l);
         recode = gw_json_next(recode))
        read_recode(l, recode, column, &recodes[i++]);
    column->recodes = recodes;
    column->recode_count = i;
}

static void read_depends(loader *l, const gw_json_node *node, gw_column *column) {
    if (!gw_json_has(node, "depends_on"))
        return;
    const char *on = gw_json_read_string(&l->load.reader, node, "depends_on");
    if (on == NULL)
        return;
    column->depends_on_household = strcmp(on, "household") == 0;
    if (!column->depends_on_household && strcmp(on, "own") != 0)
        FAIL(l, gw_json_member(node, "depends_on"), "wrong_type", "Write \"own\" or \"household\".",
             "\"depends_on\" says whose records move the value.");
}

static gw_column_type read_type(loader *l, const gw_json_node *node) {
    static const char *const types[] = {"code", "integer", "decimal"}; // in the order of gw_column_type
    const char *type = gw_json_read_string(&l->load.reader, node, "type");
    for (size_t i = 0; type != NULL && i < 3; i++)
        if (strcmp(types[i], type) == 0)
            return (gw_column_type)i;
    if (type != NULL)
        FAIL(l, gw_json_member(node, "type"), "wrong_type", "Write \"code\", \"integer\" or \"decimal\".",
             "There is no such type of column.");
    return GW_COLUMN_CODE;
}

static void read_weight(loader *l, const gw_json_node *node, gw_column *column) {
    static const char *const allowed[] = {"role", "type", "min", "max", "grid", NULL};
    static const char *const required[] = {"role", "type", NULL};
    gw_json_expect_object(&l->load.reader, node, allowed);
    gw_json_require(&l->load.reader, node, required);
    const char *role = gw_json_read_string(&l->load.reader, node, "role");
    if (role != NULL && strcmp(role, "weight") != 0)
        FAIL(l, gw_json_member(node, "role"), "wrong_type", "Write \"weight\", or give the column a concept.",
             "The only role a column can have is weight.");
    column->type = read_type(l, node);
    if (is_well(l) && column->type != GW_COLUMN_DECIMAL)
        FAIL(l, gw_json_member(node, "type"), "wrong_type", "Write \"type\":\"decimal\".", "A weight is a decimal.");
    column->is_weight = true;
    column->missing = GW_MISSING_DROP;
    column->label = column->name;
    if (is_well(l))
        read_bounds(l, node, column);
}

static void read_column(loader *l, const gw_json_node *node, gw_column *column) {
    // In the order of gw_column_type.
    static const char *const allowed[][12] = {
        {"concept", "type", "label", "missing", "depends_on", "codelist", "recode", NULL},
        {"concept", "type", "label", "missing", "depends_on", "unit", "min", "max", "bandings", NULL},
        {"concept", "type", "label", "missing", "depends_on", "unit", "min", "max", "grid", "bandings", NULL},
    };
    static const char *const allowed_any[] = {"concept", "type", "label",    "missing",  "depends_on", "unit", "min",
                                              "max",     "grid", "bandings", "codelist", "recode",     "role", NULL};
    static const char *const required[][6] = {{"concept", "type", "missing", "codelist", NULL},
                                              {"concept", "type", "missing", NULL},
                                              {"concept", "type", "missing", NULL}};
    gw_json_reader *reader = &l->load.reader;
    column->name = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (!gw_json_expect_object(reader, node, allowed_any))
        return;
    if (gw_json_has(node, "role")) {
        read_weight(l, node, column);
        return;
    }
    column->type = gw_json_has(node, "type") ? read_type(l, node) : GW_COLUMN_CODE;
    if (!is_well(l) || !gw_json_expect_object(reader, node, allowed[column->type]) ||
        !gw_json_require(reader, node, required[column->type]))
        return;
    column->concept = gw_load_concept(&l->load, node);
    column->label = gw_load_text(&l->load, node, "label", false);
    if (column->concept != NULL && column->label == NULL)
        column->label = concept_label(column->concept);
    read_missing(l, node, column);
    read_depends(l, node, column);
    if (!is_well(l))
        return;
    if (column->type == GW_COLUMN_CODE) {
        read_codelist(l, node, column);
        if (is_well(l))
            read_recodes(l, node, column);
        return;
    }
    if (gw_json_has(node, "unit"))
        column->unit = gw_load_name(&l->load, node, "unit", "/:");
    read_bounds(l, node, column);
    if (is_well(l))
        read_bandings(l, node, column);
}

// ------------------------------------------------------------------------------------------------ tables

static void check_column_in_table(loader *l, const gw_json_node *node, const gw_table *table, const gw_column *column) {
    if (strcmp(column->name, table->unit) == 0)
        FAIL(l, node, "policy_table", "Leave it out of the columns: it is never asked for.",
             "\"%s\" is the person id of this table.", column->name);
    for (const gw_column *other = table->columns; other < column; other++) {
        if (column->concept != NULL && other->concept != NULL && strcmp(column->concept, other->concept) == 0)
            FAIL(l, gw_json_member(node, "concept"), "policy_concept", "Keep one of the two columns.",
                 "The columns %s and %s of one table are both %s.", other->name, column->name, column->concept);
        if (column->is_weight && other->is_weight)
            FAIL(l, node, "policy_table", "Keep one weight.", "The columns %s and %s of one table are both weights.",
                 other->name, column->name);
    }
}

static void read_columns(loader *l, const gw_json_node *node, gw_table *table) {
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "columns");
    if (object != NULL && (gw_json_count(object) == 0 || gw_json_count(object) > COLUMNS_MAX))
        FAIL(l, object, "policy_table", "List the columns that questions may use.", "A table has 1 to %u columns.",
             COLUMNS_MAX);
    if (object == NULL || !is_well(l))
        return;
    gw_column *columns = gw_load_array(&l->load, gw_json_count(object), sizeof(*columns));
    if (columns == NULL)
        return;
    table->columns = columns;
    for (const gw_json_node *column = gw_json_first(object); column != NULL && is_well(l);
         column = gw_json_next(column)) {
        gw_column *read = &columns[table->column_count++];
        read_column(l, column, read);
        if (is_well(l))
            check_column_in_table(l, column, table, read);
    }
}

static void read_table(loader *l, const gw_json_node *node, gw_table *table) {
    static const char *const allowed[] = {"unit", "rows_per_person_max", "inherit", "columns", NULL};
    static const char *const required[] = {"unit", "rows_per_person_max", "columns", NULL};
    gw_json_reader *reader = &l->load.reader;
    table->name = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (!gw_json_expect_object(reader, node, allowed) || !gw_json_require(reader, node, required))
        return;
    table->unit = gw_load_name(&l->load, node, "unit", "/:");
    const gw_json_node *rows = gw_json_member(node, "rows_per_person_max");
    if (is_well(l) && gw_json_type_of(rows) == GW_JSON_INTEGER &&
        (gw_json_integer(rows) < 1 || gw_json_integer(rows) > ROWS_PER_PERSON_MAX))
        FAIL(l, rows, "policy_table", "Write the most rows that one person can have.",
             "\"rows_per_person_max\" must be from 1 to %d.", ROWS_PER_PERSON_MAX);
    table->rows_per_person_max =
        (uint64_t)gw_json_read_integer(reader, node, "rows_per_person_max", 1, ROWS_PER_PERSON_MAX);
    if (gw_json_has(node, "inherit"))
        table->inherit = gw_load_names(&l->load, node, "inherit", COLUMNS_MAX, "policy_concept", &table->inherit_count);
    if (is_well(l))
        read_columns(l, node, table);
}

// Inherited concepts come from the one table that has a row per person; a concept the table has itself cannot be meant.
static void check_inherit(loader *l, const gw_json_node *node, const gw_table *table) {
    const gw_json_node *at = gw_json_has(node, "inherit") ? gw_json_first(gw_json_member(node, "inherit")) : NULL;
    for (size_t i = 0; i < table->inherit_count && is_well(l); i++, at = gw_json_next(at)) {
        const gw_column *found = NULL;
        for (size_t j = 0; j < l->policy->table_count && found == NULL; j++)
            if (&l->policy->tables[j] != table && l->policy->tables[j].rows_per_person_max == 1)
                found = gw_table_concept(&l->policy->tables[j], table->inherit[i]);
        if (gw_table_concept(table, table->inherit[i]) != NULL)
            FAIL(l, at, "policy_concept", "Leave it out of \"inherit\".", "The table has a column of %s itself.",
                 table->inherit[i]);
        else if (found == NULL)
            FAIL(l, at, "policy_concept", "Inherit from a table whose \"rows_per_person_max\" is 1.",
                 "No table with one row per person has the concept %s.", table->inherit[i]);
    }
}

static void read_tables(loader *l, const gw_json_node *root) {
    const gw_json_node *object = gw_json_read_object(&l->load.reader, root, "tables");
    if (object != NULL && (gw_json_count(object) == 0 || gw_json_count(object) > TABLES_MAX))
        FAIL(l, object, "policy_table", "Describe the tables of this dataset.", "A dataset has 1 to %u tables.",
             TABLES_MAX);
    if (object == NULL || !is_well(l))
        return;
    gw_table *tables = gw_load_array(&l->load, gw_json_count(object), sizeof(*tables));
    if (tables == NULL)
        return;
    l->policy->tables = tables;
    for (const gw_json_node *table = gw_json_first(object); table != NULL && is_well(l); table = gw_json_next(table))
        read_table(l, table, &tables[l->policy->table_count++]);
    size_t i = 0;
    for (const gw_json_node *table = gw_json_first(object); table != NULL && is_well(l); table = gw_json_next(table))
        check_inherit(l, table, &tables[i++]);
}

// ------------------------------------------------------------------------------------------------ budget and grants

static gw_epsilon read_amount(loader *l, const gw_json_node *object, const char *name) {
    gw_epsilon amount = gw_json_read_epsilon(&l->load.reader, object, name);
    if (is_well(l) && amount.micro == 0)
        FAIL(l, gw_json_member(object, name), "policy_budget", "Write an amount above zero, or leave the field out.",
             "\"%s\" is zero.", name);
    return amount;
}

static void read_window(loader *l, const gw_json_node *budget, gw_policy *policy) {
    static const char *const allowed[] = {"days", "epsilon", NULL};
    if (!gw_json_has(budget, "window"))
        return;
    const gw_json_node *window = gw_json_member(budget, "window");
    if (!gw_json_expect_object(&l->load.reader, window, allowed) || !gw_json_require(&l->load.reader, window, allowed))
        return;
    const gw_json_node *days = gw_json_member(window, "days");
    if (gw_json_type_of(days) == GW_JSON_INTEGER &&
        (gw_json_integer(days) < 1 || gw_json_integer(days) > WINDOW_DAYS_MAX))
        FAIL(l, days, "policy_budget", "Write the days after which the window's budget renews.",
             "\"days\" must be from 1 to %d.", WINDOW_DAYS_MAX);
    policy->window_days = (uint32_t)gw_json_read_integer(&l->load.reader, window, "days", 1, WINDOW_DAYS_MAX);
    policy->window_total = read_amount(l, window, "epsilon");
}

// `small` must not be above `big`.
static void check_order(loader *l, const gw_json_node *budget, const char *small_name, gw_epsilon small,
                        const char *big_name, gw_epsilon big) {
    if (is_well(l) && small.micro > big.micro)
        FAIL(l, gw_json_member(budget, small_name), "policy_budget", "Lower the one, or raise the other.",
             "\"%s\" is more than \"%s\".", small_name, big_name);
}

static void read_budget(loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"lifetime", "per_principal", "window", "question_min", "question_max", NULL};
    static const char *const required[] = {"lifetime", "question_min", "question_max", NULL};
    const gw_json_node *budget = gw_json_member(root, "budget");
    gw_policy *policy = l->policy;
    if (!is_well(l) || !gw_json_expect_object(&l->load.reader, budget, allowed) ||
        !gw_json_require(&l->load.reader, budget, required))
        return;
    policy->lifetime = read_amount(l, budget, "lifetime");
    policy->question_min = read_amount(l, budget, "question_min");
    policy->question_max = read_amount(l, budget, "question_max");
    if (gw_json_has(budget, "per_principal"))
        policy->per_principal = read_amount(l, budget, "per_principal");
    read_window(l, budget, policy);
    check_order(l, budget, "question_min", policy->question_min, "question_max", policy->question_max);
    check_order(l, budget, "question_max", policy->question_max, "lifetime", policy->lifetime);
    check_order(l, budget, "per_principal", policy->per_principal, "lifetime", policy->lifetime);
}

static void read_grant_role(loader *l, const gw_json_node *node, gw_grant *grant) {
    static const char *const roles[] = {"researcher", "owner", "auditor", "operator", "gateway"};
    char shown[GW_SHOWN_MAX];
    grant->role = gw_load_name(&l->load, node, "role", "/:");
    if (grant->role == NULL || gw_roles_parse(grant->role) != 0)
        return;
    const char *nearest = gw_nearest(grant->role, roles, sizeof(roles) / sizeof(roles[0]));
    FAIL(l, gw_json_member(node, "role"), "policy_grant", "Roles are: researcher, owner, auditor, operator, gateway.",
         "There is no role \"%s\".", gw_json_shown(grant->role, shown));
    if (nearest != NULL)
        gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
}

static void read_grant_tables(loader *l, const gw_json_node *node, gw_grant *grant) {
    grant->tables = gw_load_names(&l->load, node, "tables", TABLES_MAX, "policy_grant", &grant->table_count);
    if (grant->tables == NULL)
        return;
    const char *names[TABLES_MAX];
    for (size_t i = 0; i < l->policy->table_count; i++)
        names[i] = l->policy->tables[i].name;
    const gw_json_node *at = gw_json_first(gw_json_member(node, "tables"));
    for (size_t i = 0; i < grant->table_count && is_well(l); i++, at = gw_json_next(at)) {
        if (gw_policy_table(l->policy, grant->tables[i]) != NULL)
            continue;
        const char *nearest = gw_nearest(grant->tables[i], names, l->policy->table_count);
        FAIL(l, at, "policy_grant", "Name a table of this policy.", "There is no table \"%s\".", grant->tables[i]);
        if (nearest != NULL)
            gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
    }
}

static void read_grant_statistics(loader *l, const gw_json_node *node, gw_grant *grant) {
    size_t count = 0;
    const size_t count_max = sizeof(grant->statistics) / sizeof(grant->statistics[0]);
    const char *const *names = gw_load_names(&l->load, node, "statistics", count_max, "policy_grant", &count);
    if (names == NULL)
        return;
    const gw_json_node *at = gw_json_first(gw_json_member(node, "statistics"));
    for (size_t i = 0; i < count; i++, at = gw_json_next(at))
        if (gw_statistic_parse(names[i], &grant->statistics[i]) != GW_OK)
            FAIL(l, at, "policy_grant", "Statistics are: count, share, rate, mean.", "There is no statistic \"%s\".",
                 names[i]);
    grant->statistic_count = count;
}

static void read_grants(loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"role", "tables", "statistics", NULL};
    const gw_json_node *array = gw_json_read_array(&l->load.reader, root, "grants");
    if (array != NULL && gw_json_count(array) > GRANTS_MAX)
        FAIL(l, array, "too_many", "Join grants of one role.", "A policy has at most %u grants.", GRANTS_MAX);
    if (array == NULL || !is_well(l))
        return;
    gw_grant *grants = gw_load_array(&l->load, gw_json_count(array), sizeof(*grants));
    if (grants == NULL)
        return;
    l->policy->grants = grants;
    for (const gw_json_node *node = gw_json_first(array); node != NULL && is_well(l); node = gw_json_next(node)) {
        gw_grant *grant = &grants[l->policy->grant_count++];
        if (!gw_json_expect_object(&l->load.reader, node, allowed) || !gw_json_require(&l->load.reader, node, allowed))
            return;
        read_grant_role(l, node, grant);
        read_grant_tables(l, node, grant);
        read_grant_statistics(l, node, grant);
    }
}

// ------------------------------------------------------------------------------------------------ the whole file

// An object with one member that can have one value today, and will have more.
static void read_kind(loader *l, const gw_json_node *root, const char *name, const char *only) {
    static const char *const allowed[] = {"kind", NULL};
    const gw_json_node *object = gw_json_member(root, name);
    if (!is_well(l) || !gw_json_expect_object(&l->load.reader, object, allowed))
        return;
    const char *kind = gw_json_read_string(&l->load.reader, object, "kind");
    char shown[GW_SHOWN_MAX];
    if (kind != NULL && strcmp(kind, only) != 0) {
        FAIL(l, gw_json_member(object, "kind"), "policy_unsupported", "", "This version does not know the %s \"%s\".",
             name, gw_json_shown(kind, shown));
        gw_problem_mend(&l->load.reader.problem, "Write \"%s\":{\"kind\":\"%s\"}.", name, only);
    }
}

// owner/name: one slash, so that the owner's part can be told from the dataset's.
static const char *read_owned_name(loader *l, const gw_json_node *root, const char *field) {
    const char *name = gw_load_name(&l->load, root, field, ":");
    if (name == NULL)
        return NULL;
    const char *slash = strchr(name, '/');
    if (slash == NULL || strchr(slash + 1, '/') != NULL)
        FAIL(l, gw_json_member(root, field), "bad_name", "Write \"nso.example/register\".",
             "\"%s\" must be an owner and a name with one slash between them.", field);
    return name;
}

static void read_planning(loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"cell_persons", "size_bucket", NULL};
    if (!gw_json_has(root, "planning"))
        return;
    gw_json_reader *reader = &l->load.reader;
    const gw_json_node *planning = gw_json_member(root, "planning");
    if (!gw_json_expect_object(reader, planning, allowed))
        return;
    if (gw_json_has(planning, "cell_persons"))
        l->policy->planning_cell_persons =
            (uint64_t)gw_json_read_integer(reader, planning, "cell_persons", 1, PLANNING_MAX);
    if (gw_json_has(planning, "size_bucket"))
        l->policy->planning_size_bucket =
            (uint64_t)gw_json_read_integer(reader, planning, "size_bucket", 1, PLANNING_MAX);
}

static void read_versions(loader *l, const gw_json_node *root) {
    const gw_json_node *format = gw_json_member(root, "godwit_policy");
    if (!is_well(l))
        return;
    if (gw_json_type_of(format) != GW_JSON_INTEGER || gw_json_integer(format) != 1)
        FAIL(l, format, "policy_version", "Write \"godwit_policy\":1.",
             "Only version 1 of the policy format is known here.");
    const gw_json_node *version = gw_json_member(root, "version");
    if (gw_json_type_of(version) == GW_JSON_INTEGER && gw_json_integer(version) < 1)
        FAIL(l, version, "policy_version", "Start at 1 and add 1 with every change.",
             "\"version\" must be at least 1.");
    l->policy->version = (uint64_t)gw_json_read_integer(&l->load.reader, root, "version", 1, VERSION_MAX);
}

static void read_neighbours(loader *l, const gw_json_node *root) {
    const char *neighbours = gw_json_read_string(&l->load.reader, root, "neighbours");
    if (neighbours != NULL && strcmp(neighbours, "add-remove-person") != 0)
        FAIL(l, gw_json_member(root, "neighbours"), "policy_unsupported", "Write \"neighbours\":\"add-remove-person\".",
             "What is protected is one person's presence with all their records; nothing else is offered.");
}

static void read_policy(loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"godwit_policy", "dataset",    "population", "title",  "notice",
                                          "version",       "neighbours", "engine",     "tables", "budget",
                                          "accounting",    "planning",   "grants",     NULL};
    static const char *const required[] = {"godwit_policy", "dataset", "population", "version", "neighbours", "engine",
                                           "tables",        "budget",  "accounting", "grants",  NULL};
    gw_policy *policy = l->policy;
    if (!gw_json_expect_object(&l->load.reader, root, allowed) || !gw_json_require(&l->load.reader, root, required))
        return;
    read_versions(l, root);
    policy->dataset = read_owned_name(l, root, "dataset");
    policy->population = read_owned_name(l, root, "population");
    policy->title = gw_load_text(&l->load, root, "title", false);
    if (policy->title == NULL)
        policy->title = policy->dataset;
    policy->notice = gw_load_text(&l->load, root, "notice", false);
    read_neighbours(l, root);
    read_kind(l, root, "engine", "duckdb");
    read_tables(l, root);
    read_budget(l, root);
    read_kind(l, root, "accounting", "pure");
    read_planning(l, root);
    read_grants(l, root);
}

static void policy_owner_free(policy_owner *owner) {
    if (owner == NULL)
        return;
    gw_arena_free(owner->arena);
    free(owner);
}

GW_DEFINE_FREEP(policy_owner, policy_owner_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)

gw_status gw_policy_load(gw_bytes text, const char *file_name, const char *codelist_folder, gw_policy **ret_policy,
                         gw_problem *ret_problem) {
    GW_CLEANUP(policy_owner_freep) policy_owner *owner = calloc(1, sizeof(*owner));
    if (owner == NULL || (owner->arena = gw_arena_new(ARENA_SIZE_MAX)) == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_status status = gw_json_parse(text, GW_JSON_FILE(file_name), &json, ret_problem);
    if (status != GW_OK)
        return status;
    loader l = {.load.arena = owner->arena, .codelist_folder = codelist_folder, .policy = &owner->policy};
    gw_json_reader_init(&l.load.reader, json);
    read_policy(&l, gw_json_root(json));
    if (!is_well(&l)) {
        if (ret_problem != NULL)
            *ret_problem = l.load.reader.problem;
        return l.load.reader.status;
    }
    owner->policy.file = gw_sha256(text);
    *ret_policy = &gw_take(&owner)->policy;
    return GW_OK;
}

void gw_policy_free(gw_policy *policy) {
    policy_owner_free((policy_owner *)(void *)policy);
}
