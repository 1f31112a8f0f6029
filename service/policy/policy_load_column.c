// SPDX-License-Identifier: Apache-2.0
// One column of a policy file: where numbers get their bounds and grid, and codes their list. Bands partition the whole
// domain, recodes name codes that exist; whatever does not is refused with its place and the remedy.
#include "service/policy/policy_load.h"
#include "service/base/cleanup.h"
#include "service/wire/decimal.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define RECODES_MAX 4096u
#define TEXT_BYTES_OTHERWISE 64u
#define KEYS_OTHERWISE 10000u
#define STEPS_MAX ((gw_int128)1 << 40) // so that sums over 2^40 persons stay far inside 128 bits

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
    return NULL;
}

// "paid_by" is read as "Paid by" where neither the file nor the house has a name for it.
static const char *concept_read(gw_policy_loader *l, const char *concept) {
    char label[GW_NAME_MAX + 1];
    size_t size = strlen(concept);
    for (size_t i = 0; i <= size && i < sizeof(label); i++)
        label[i] = concept[i] == '_' ? ' ' : concept[i];
    label[sizeof(label) - 1] = '\0';
    label[0] = (char)toupper((unsigned char)label[0]);
    return gw_load_copy(&l->load, label);
}

bool gw_policy_read_number(gw_policy_loader *l, const gw_json_node *node, gw_column_type type, gw_decimal *ret) {
    if (!gw_policy_is_well(l))
        return false;
    if (type == GW_COLUMN_INTEGER && gw_json_type_of(node) == GW_JSON_INTEGER) {
        ret->trillionths = gw_json_integer(node) * GW_DECIMAL_ONE;
        return true;
    }
    if (type == GW_COLUMN_DECIMAL && gw_json_type_of(node) == GW_JSON_STRING &&
        gw_decimal_parse(gw_json_string(node), ret))
        return true;
    if (type == GW_COLUMN_INTEGER)
        GW_POLICY_FAIL(l, node, "wrong_type", "Write it without quotes: 120.",
                       "Numbers of an integer column are whole numbers.");
    else
        GW_POLICY_FAIL(l, node, "wrong_type", "Write it in quotes: \"0.01\".",
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

// Differences and sums of what fits here stay within 60 bits, as bins of values must (format/tree_figures.c).
#define SCALED_MAX (INT64_C(1) << 58)

static bool scale_value(gw_decimal value, unsigned scale, int64_t *ret) {
    gw_int128 scaled = value.trillionths;
    for (unsigned i = scale; i < GW_DECIMAL_PLACES; i++)
        scaled /= 10; // exact: the value needs at most `scale` places
    if (scaled > SCALED_MAX || scaled < -SCALED_MAX)
        return false;
    *ret = (int64_t)scaled;
    return true;
}

static unsigned max_unsigned(unsigned a, unsigned b) {
    return a > b ? a : b;
}

// min, max and grid: the public range that clamps every person's contribution. Without it there is no noise to speak
// of.
static void read_bounds(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    bool is_integer = column->type == GW_COLUMN_INTEGER;
    if (!gw_json_has(node, "min") || !gw_json_has(node, "max")) {
        GW_POLICY_FAIL(l, node, "policy_bounds",
                       is_integer ? "Add \"min\":0,\"max\":120." : "Add \"min\":\"0\",\"max\":\"200000\".",
                       "A numeric column needs \"min\" and \"max\": what one person can contribute must be bounded.");
        return;
    }
    if (!is_integer && !gw_json_has(node, "grid")) {
        GW_POLICY_FAIL(l, node, "policy_grid", "Add \"grid\":\"1\", or a finer one.",
                       "A decimal column needs a \"grid\": values are rounded to its multiples above min.");
        return;
    }
    gw_decimal min, max, grid = {GW_DECIMAL_ONE};
    if (!gw_policy_read_number(l, gw_json_member(node, "min"), column->type, &min) ||
        !gw_policy_read_number(l, gw_json_member(node, "max"), column->type, &max) ||
        (!is_integer && !gw_policy_read_number(l, gw_json_member(node, "grid"), column->type, &grid)))
        return;
    if (min.trillionths >= max.trillionths) {
        GW_POLICY_FAIL(l, gw_json_member(node, "max"), "policy_bounds",
                       "Put the lowest possible value in min, the highest in max.",
                       "\"max\" must be more than \"min\".");
        return;
    }
    if (grid.trillionths <= 0) {
        GW_POLICY_FAIL(l, gw_json_member(node, "grid"), "policy_grid", "Write \"grid\":\"1\", or a finer one.",
                       "\"grid\" must be more than zero.");
        return;
    }
    gw_int128 range = max.trillionths - min.trillionths;
    const gw_json_node *grid_node = is_integer ? gw_json_member(node, "max") : gw_json_member(node, "grid");
    if (range % grid.trillionths != 0)
        GW_POLICY_FAIL(l, grid_node, "policy_grid", "Choose a grid that divides max - min.",
                       "\"max\" is not a whole number of grid steps above \"min\".");
    else if (range / grid.trillionths > STEPS_MAX)
        GW_POLICY_FAIL(l, grid_node, "policy_grid", "Choose a coarser grid, or narrower bounds.",
                       "There are more than 2^40 grid steps between \"min\" and \"max\".");
    column->scale = max_unsigned(max_unsigned(places_of(min), places_of(max)), places_of(grid));
    if (!gw_policy_is_well(l))
        return;
    if (!scale_value(min, column->scale, &column->min_scaled) ||
        !scale_value(max, column->scale, &column->max_scaled) ||
        !scale_value(grid, column->scale, &column->grid_scaled)) {
        GW_POLICY_FAIL(l, gw_json_member(node, "max"), "policy_bounds", "Use fewer places, or narrower bounds.",
                       "The bounds with all their places do not fit 58 bits.");
        return;
    }
    column->steps = (int64_t)(range / grid.trillionths);
}

static void read_missing(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    const char *missing = gw_json_read_string(&l->load.reader, node, "missing");
    if (missing == NULL)
        return;
    if (strcmp(missing, "drop") == 0)
        column->missing = GW_MISSING_DROP;
    else if (strcmp(missing, GW_CODE_UNKNOWN) == 0)
        column->missing = GW_MISSING_UNKNOWN;
    else
        GW_POLICY_FAIL(
            l, gw_json_member(node, "missing"), "wrong_type", "Write \"_U\" or \"drop\".",
            "\"missing\" says where empty and unlisted values go: to a cell of their own (_U), or out of questions "
            "(drop).");
}

void gw_policy_add_unknown(gw_policy_loader *l, gw_column *column) {
    if (column->missing != GW_MISSING_UNKNOWN)
        return;
    gw_code *codes = gw_load_array(&l->load, column->codelist.code_count + 1, sizeof(*codes));
    if (codes == NULL)
        return;
    memcpy(codes, column->codelist.codes, column->codelist.code_count * sizeof(*codes));
    codes[column->codelist.code_count++] = (gw_code){.id = GW_CODE_UNKNOWN, .label = "Unknown"};
    column->codelist.codes = codes;
}

static void read_recode(gw_policy_loader *l, const gw_json_node *node, const gw_column *column, gw_recode *recode) {
    char shown[GW_SHOWN_MAX];
    const char *from = gw_json_name(node);
    if (from[0] == '\0' || strlen(from) > GW_NAME_MAX)
        GW_POLICY_FAIL(l, node, "policy_recode", "Empty values are what \"missing\" is for.",
                       "A value to recode has 1 to %d bytes.", GW_NAME_MAX);
    else if (gw_json_type_of(node) != GW_JSON_STRING)
        GW_POLICY_FAIL(l, node, "wrong_type", "Write \"1\":\"M\".", "\"%s\" must be recoded to a code in quotes.",
                       gw_json_shown(from, shown));
    if (!gw_policy_is_well(l))
        return;
    const char *to = gw_json_string(node);
    recode->from = gw_load_copy(&l->load, from);
    recode->code = gw_column_code(column, to);
    if (recode->code != SIZE_MAX)
        return;
    GW_POLICY_FAIL(l, node, "policy_recode", "Use a code of the list.", "\"%s\" is not a code of %s.",
                   gw_json_shown(to, shown), column->codelist.id);
    const char *ids[GW_CODELIST_CODES_MAX + 1];
    for (size_t i = 0; i < column->codelist.code_count; i++)
        ids[i] = column->codelist.codes[i].id;
    const char *nearest = gw_nearest(to, ids, column->codelist.code_count);
    if (nearest != NULL)
        gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
}

static void read_recodes(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    if (!gw_json_has(node, "recode"))
        return;
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "recode");
    if (object != NULL && gw_json_count(object) > RECODES_MAX)
        GW_POLICY_FAIL(l, object, "too_many", "Recode the file before it is loaded.",
                       "A column has at most %u recodes.", RECODES_MAX);
    if (object == NULL || !gw_policy_is_well(l))
        return;
    gw_recode *recodes = gw_load_array(&l->load, gw_json_count(object), sizeof(*recodes));
    if (recodes == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *recode = gw_json_first(object); recode != NULL && gw_policy_is_well(l);
         recode = gw_json_next(recode))
        read_recode(l, recode, column, &recodes[i++]);
    column->recodes = recodes;
    column->recode_count = i;
}

static void read_depends(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    if (!gw_json_has(node, "depends_on"))
        return;
    const char *on = gw_json_read_string(&l->load.reader, node, "depends_on");
    if (on == NULL)
        return;
    column->depends_on_household = strcmp(on, "household") == 0;
    if (!column->depends_on_household && strcmp(on, "own") != 0)
        GW_POLICY_FAIL(l, gw_json_member(node, "depends_on"), "wrong_type", "Write \"own\" or \"household\".",
                       "\"depends_on\" says whose records move the value.");
}

// What "type" can say. Dates become codes.
typedef enum { TYPE_CODE, TYPE_INTEGER, TYPE_DECIMAL, TYPE_DATE, TYPE_TEXT } type_word;

static type_word read_type(gw_policy_loader *l, const gw_json_node *node) {
    static const char *const types[] = {"code", "integer", "decimal", "date", "text"}; // in the order of type_word
    const char *type = gw_json_read_string(&l->load.reader, node, "type");
    for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], type) == 0)
            return (type_word)i;
    if (type != NULL)
        GW_POLICY_FAIL(l, gw_json_member(node, "type"), "wrong_type",
                       "Write \"code\", \"integer\", \"decimal\", \"date\" or \"text\".",
                       "There is no such type of column.");
    return TYPE_CODE;
}

static gw_column_type type_of(type_word word) {
    static const gw_column_type types[] = {GW_COLUMN_CODE, GW_COLUMN_INTEGER, GW_COLUMN_DECIMAL, GW_COLUMN_CODE,
                                           GW_COLUMN_TEXT};
    return types[word];
}

// How far a person's values count, over all their rows in one question. It may be less than one value can be: then that
// value counts up to it. A multiple of the grid, so that clamping leaves it.
static void read_person_total(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    gw_decimal total;
    if (!gw_policy_is_well(l) || !gw_json_has(node, "person_total_max"))
        return;
    const gw_json_node *at = gw_json_member(node, "person_total_max");
    if (!gw_policy_read_number(l, at, column->type, &total))
        return;
    if (total.trillionths <= 0)
        GW_POLICY_FAIL(l, at, "policy_bounds", "Write the largest total of a person that counts, or leave it out.",
                       "\"person_total_max\" must be more than zero.");
    else if (places_of(total) > column->scale || !scale_value(total, column->scale, &column->person_total_scaled) ||
             column->person_total_scaled % column->grid_scaled != 0)
        GW_POLICY_FAIL(l, at, "policy_grid", "Write a multiple of the grid.",
                       "\"person_total_max\" is not a multiple of the column's grid, or has more than 58 bits.");
}

static void read_outside(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    static const char *const words[] = {"refuse", "clamp", "missing", "drop-row"}; // in the order of gw_outside
    if (!gw_policy_is_well(l) || !gw_json_has(node, "outside"))
        return;
    const char *word = gw_json_read_string(&l->load.reader, node, "outside");
    for (size_t i = 0; word != NULL && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i]) == 0) {
            column->outside = (gw_outside)i;
            return;
        }
    if (word != NULL)
        GW_POLICY_FAIL(l, gw_json_member(node, "outside"), "wrong_type",
                       "Write \"refuse\", \"clamp\" (count as the bound), \"missing\" or \"drop-row\".",
                       "\"outside\" says what becomes of values below \"min\" or above \"max\".");
}

// The mean weight, for estimates of price and error: a public figure, such as population over sample. Where it is not
// stated, a quarter of the largest.
static void read_weight_mean(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    gw_decimal mean;
    column->weight_mean_scaled = column->max_scaled / 4;
    if (column->weight_mean_scaled < column->min_scaled)
        column->weight_mean_scaled = column->min_scaled;
    if (column->weight_mean_scaled == 0)
        column->weight_mean_scaled = column->max_scaled; // a quarter of the last place is none
    if (!gw_policy_is_well(l) || !gw_json_has(node, "mean"))
        return;
    const gw_json_node *at = gw_json_member(node, "mean");
    if (!gw_policy_read_number(l, at, column->type, &mean))
        return;
    if (places_of(mean) > column->scale)
        GW_POLICY_FAIL(l, at, "policy_bounds", "Round it as the grid is.",
                       "\"mean\" has more places after the point than the column's bounds and grid.");
    else if (!scale_value(mean, column->scale, &column->weight_mean_scaled) || mean.trillionths <= 0 ||
             column->weight_mean_scaled < column->min_scaled || column->weight_mean_scaled > column->max_scaled)
        GW_POLICY_FAIL(l, at, "policy_bounds", "Write the mean weight, such as the population over the sample.",
                       "\"mean\" must be above zero, and from \"min\" to \"max\".");
}

static void read_weight(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    static const char *const allowed[] = {"role", "type", "min", "max", "grid", "mean", "outside", "depends_on", NULL};
    static const char *const required[] = {"role", "type", NULL};
    gw_json_expect_object(&l->load.reader, node, allowed);
    gw_json_require(&l->load.reader, node, required);
    const char *role = gw_json_read_string(&l->load.reader, node, "role");
    if (role != NULL && strcmp(role, "weight") != 0)
        GW_POLICY_FAIL(l, gw_json_member(node, "role"), "wrong_type", "Write \"weight\", or give the column a concept.",
                       "The only role a column can have is weight.");
    column->type = type_of(read_type(l, node));
    if (gw_policy_is_well(l) && column->type != GW_COLUMN_DECIMAL)
        GW_POLICY_FAIL(l, gw_json_member(node, "type"), "wrong_type", "Write \"type\":\"decimal\".",
                       "A weight is a decimal.");
    column->is_weight = true;
    column->missing = GW_MISSING_DROP;
    column->label = column->name;
    read_depends(l, node, column);
    if (gw_policy_is_well(l))
        read_bounds(l, node, column);
    if (gw_policy_is_well(l) && column->min_scaled < 0)
        GW_POLICY_FAIL(l, gw_json_member(node, "min"), "policy_bounds", "Write \"min\":\"0\".",
                       "A weight says how many people a row stands for: it is never below zero.");
    if (gw_policy_is_well(l))
        read_weight_mean(l, node, column);
    read_outside(l, node, column);
}

static uint32_t read_text_bound(gw_policy_loader *l, const gw_json_node *node, const char *name, uint32_t otherwise,
                                uint32_t most) {
    if (!gw_policy_is_well(l) || !gw_json_has(node, name))
        return otherwise;
    const gw_json_node *at = gw_json_member(node, name);
    if (gw_json_type_of(at) == GW_JSON_INTEGER && (gw_json_integer(at) < 1 || gw_json_integer(at) > (int64_t)most))
        GW_POLICY_FAIL(l, at, "policy_text", "Write the most there can be; it is public.",
                       "\"%s\" must be from 1 to %u.", name, most);
    return (uint32_t)gw_json_read_integer(&l->load.reader, node, name, 1, (int64_t)most);
}

// Values that no list names: how long one may be, and how many different ones there may be. Both are public.
static void read_text(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    column->text_bytes_max = read_text_bound(l, node, "length_max", TEXT_BYTES_OTHERWISE, GW_KEY_BYTES_MAX);
    column->keys_max = read_text_bound(l, node, "keys_max", KEYS_OTHERWISE, GW_KEYS_MAX);
}

void gw_policy_read_column(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    // In the order of type_word.
    static const char *const allowed[][13] = {
        {"concept", "type", "label", "missing", "depends_on", "codelist", "codes", "recode", NULL},
        {"concept", "type", "label", "missing", "depends_on", "unit", "min", "max", "outside", "person_total_max",
         "bandings", NULL},
        {"concept", "type", "label", "missing", "depends_on", "unit", "min", "max", "grid", "outside",
         "person_total_max", "bandings", NULL},
        {"concept", "type", "label", "missing", "depends_on", "period", "first", "last", NULL},
        {"concept", "type", "label", "missing", "depends_on", "length_max", "keys_max", NULL},
    };
    static const char *const allowed_any[] = {
        "concept",    "type",     "label", "missing", "depends_on",       "unit",   "min",   "max",  "grid", "bandings",
        "recode",     "codelist", "codes", "role",    "person_total_max", "period", "first", "last", "mean", "outside",
        "length_max", "keys_max", NULL};
    static const char *const required[][7] = {{"concept", "type", "missing", NULL},
                                              {"concept", "type", "missing", NULL},
                                              {"concept", "type", "missing", NULL},
                                              {"concept", "type", "missing", "period", "first", "last", NULL},
                                              {"concept", "type", "missing", NULL}};
    gw_json_reader *reader = &l->load.reader;
    column->name = gw_load_header_at(&l->load, node, gw_json_name(node));
    if (!gw_json_expect_object(reader, node, allowed_any))
        return;
    if (gw_json_has(node, "role")) {
        read_weight(l, node, column);
        return;
    }
    type_word type = gw_json_has(node, "type") ? read_type(l, node) : TYPE_CODE;
    column->type = type_of(type);
    if (!gw_policy_is_well(l) || !gw_json_expect_object(reader, node, allowed[type]) ||
        !gw_json_require(reader, node, required[type]))
        return;
    column->concept = gw_load_concept(&l->load, node);
    column->label = gw_load_text(&l->load, node, "label", false);
    if (column->concept != NULL && column->label == NULL)
        column->label = concept_label(column->concept);
    if (column->concept != NULL && column->label == NULL)
        column->label = concept_read(l, column->concept);
    read_missing(l, node, column);
    read_depends(l, node, column);
    if (!gw_policy_is_well(l))
        return;
    if (type == TYPE_DATE) {
        gw_policy_read_periods(l, node, column);
        return;
    }
    if (type == TYPE_TEXT) {
        read_text(l, node, column);
        return;
    }
    if (type == TYPE_CODE) {
        gw_policy_read_codes(l, node, column);
        if (gw_policy_is_well(l))
            read_recodes(l, node, column);
        return;
    }
    if (gw_json_has(node, "unit"))
        column->unit = gw_load_name(&l->load, node, "unit", "/:");
    read_bounds(l, node, column);
    read_person_total(l, node, column);
    read_outside(l, node, column);
    if (gw_policy_is_well(l))
        gw_policy_read_bandings(l, node, column);
}
