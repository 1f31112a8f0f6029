// SPDX-License-Identifier: Apache-2.0
// One column of a policy file: where numbers get their bounds and grid, and codes their list. Bands partition the whole
// domain, recodes name codes that exist; whatever does not is refused with its place and the remedy.
#include "service/policy/policy_load.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/decimal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANDINGS_MAX 32u
#define BANDS_MAX 1024u
#define RECODES_MAX 4096u
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
    return concept;
}

// A number as the column's type writes it: an integer, or a decimal string.
static bool read_number(gw_policy_loader *l, const gw_json_node *node, gw_column_type type, gw_decimal *ret) {
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
    if (!read_number(l, gw_json_member(node, "min"), column->type, &min) ||
        !read_number(l, gw_json_member(node, "max"), column->type, &max) ||
        (!is_integer && !read_number(l, gw_json_member(node, "grid"), column->type, &grid)))
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
                       "The bounds with all their places do not fit 64 bits.");
        return;
    }
    column->steps = (int64_t)(range / grid.trillionths);
}

// One end of a band, in steps. It must lie on the grid, within the bounds.
static int64_t read_band_end(gw_policy_loader *l, const gw_json_node *node, const gw_column *column) {
    gw_decimal value;
    if (!read_number(l, node, column->type, &value))
        return 0;
    char text[GW_DECIMAL_TEXT];
    gw_decimal_format(value, text);
    int64_t down = 0, up = 0;
    bool is_number = gw_column_step_down(column, text, &down) && gw_column_step_up(column, text, &up);
    GW_ASSERT(is_number); // the text was just written from a decimal
    if (down < 0 || up > column->steps)
        GW_POLICY_FAIL(l, node, "policy_banding", "Keep bands between the column's min and max.",
                       "%s lies outside the column's bounds.", text);
    else if (down != up)
        GW_POLICY_FAIL(l, node, "policy_banding", "Bands end on multiples of the grid.",
                       "%s is not on the column's grid.", text);
    return down;
}

static void read_band(gw_policy_loader *l, const gw_json_node *node, const gw_column *column, gw_band *band) {
    band->id = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (!gw_policy_is_well(l))
        return;
    if (strcmp(band->id, GW_CODE_UNKNOWN) == 0 || strcmp(band->id, "_T") == 0)
        GW_POLICY_FAIL(l, node, "policy_banding", "Choose another code for the band.",
                       "%s has a meaning of its own: _U is unknown, _T is the total.", band->id);
    else if (gw_json_type_of(node) != GW_JSON_ARRAY || gw_json_count(node) != 2)
        GW_POLICY_FAIL(l, node, "policy_banding", "Write \"Y20T64\":[20,64].",
                       "A band is its lowest and its highest value.");
    if (!gw_policy_is_well(l))
        return;
    band->low = read_band_end(l, gw_json_first(node), column);
    band->high = read_band_end(l, gw_json_next(gw_json_first(node)), column);
    if (gw_policy_is_well(l) && band->low > band->high)
        GW_POLICY_FAIL(l, node, "policy_banding", "Put the lower value first.", "The band %s is empty.", band->id);
}

static int compare_bands(const void *a, const void *b) {
    const gw_band *left = a;
    const gw_band *right = b;
    return (left->low > right->low) - (left->low < right->low);
}

// Bands in rising order: every value of the domain in exactly one.
static void check_partition(gw_policy_loader *l, const gw_json_node *node, const gw_column *column,
                            const gw_banding *banding) {
    char text[32];
    int64_t next = 0; // first step not yet covered
    for (size_t i = 0; i < banding->band_count && gw_policy_is_well(l); i++) {
        const gw_band *band = &banding->bands[i];
        if (band->low < next) {
            gw_column_step_format(column, band->low, text);
            GW_POLICY_FAIL(l, node, "policy_banding", "Every value must lie in exactly one band.",
                           "%s lies in both %s and %s.", text, banding->bands[i - 1].id, band->id);
        } else if (band->low > next) {
            gw_column_step_format(column, next, text);
            GW_POLICY_FAIL(l, node, "policy_banding", "Every value must lie in exactly one band.",
                           "%s lies in no band.", text);
        }
        next = band->high + 1;
    }
    if (gw_policy_is_well(l) && next <= column->steps) {
        gw_column_step_format(column, next, text);
        GW_POLICY_FAIL(l, node, "policy_banding", "Every value must lie in exactly one band.", "%s lies in no band.",
                       text);
    }
}

static void read_banding(gw_policy_loader *l, const gw_json_node *node, const gw_column *column, gw_banding *banding) {
    banding->name = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (gw_policy_is_well(l) && (gw_json_type_of(node) != GW_JSON_OBJECT || gw_json_count(node) > BANDS_MAX))
        GW_POLICY_FAIL(l, node, "policy_banding", "Write {\"Y_LT20\":[0,19], …}.",
                       "A banding is an object of at most %u bands.", BANDS_MAX);
    if (!gw_policy_is_well(l))
        return;
    gw_band *bands = gw_load_array(&l->load, gw_json_count(node), sizeof(*bands));
    if (bands == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *band = gw_json_first(node); band != NULL && gw_policy_is_well(l);
         band = gw_json_next(band))
        read_band(l, band, column, &bands[i++]);
    if (!gw_policy_is_well(l))
        return;
    banding->bands = bands;
    banding->band_count = i;
    qsort(bands, i, sizeof(*bands), compare_bands);
    check_partition(l, node, column, banding);
}

static void read_bandings(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    if (!gw_json_has(node, "bandings"))
        return;
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "bandings");
    if (object != NULL && gw_json_count(object) > BANDINGS_MAX)
        GW_POLICY_FAIL(l, object, "too_many", "Keep the ones that are asked for.", "A column has at most %u bandings.",
                       BANDINGS_MAX);
    if (object == NULL || !gw_policy_is_well(l))
        return;
    gw_banding *bandings = gw_load_array(&l->load, gw_json_count(object), sizeof(*bandings));
    if (bandings == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *banding = gw_json_first(object); banding != NULL && gw_policy_is_well(l);
         banding = gw_json_next(banding))
        read_banding(l, banding, column, &bandings[i++]);
    column->bandings = bandings;
    column->banding_count = i;
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

static void read_codelist(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    const char *id = gw_load_name(&l->load, node, "codelist", "/:.");
    if (id == NULL)
        return;
    char reason[GW_CODELIST_REASON_MAX];
    gw_status status = gw_codelist_load(l->codelist_folder, id, l->load.arena, &column->codelist, reason);
    if (status != GW_OK) {
        GW_POLICY_FAIL(l, gw_json_member(node, "codelist"), "policy_codelist", "Correct the list, or name another one.",
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

static gw_column_type read_type(gw_policy_loader *l, const gw_json_node *node) {
    static const char *const types[] = {"code", "integer", "decimal"}; // in the order of gw_column_type
    const char *type = gw_json_read_string(&l->load.reader, node, "type");
    for (size_t i = 0; type != NULL && i < 3; i++)
        if (strcmp(types[i], type) == 0)
            return (gw_column_type)i;
    if (type != NULL)
        GW_POLICY_FAIL(l, gw_json_member(node, "type"), "wrong_type", "Write \"code\", \"integer\" or \"decimal\".",
                       "There is no such type of column.");
    return GW_COLUMN_CODE;
}

static void read_weight(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    static const char *const allowed[] = {"role", "type", "min", "max", "grid", NULL};
    static const char *const required[] = {"role", "type", NULL};
    gw_json_expect_object(&l->load.reader, node, allowed);
    gw_json_require(&l->load.reader, node, required);
    const char *role = gw_json_read_string(&l->load.reader, node, "role");
    if (role != NULL && strcmp(role, "weight") != 0)
        GW_POLICY_FAIL(l, gw_json_member(node, "role"), "wrong_type", "Write \"weight\", or give the column a concept.",
                       "The only role a column can have is weight.");
    column->type = read_type(l, node);
    if (gw_policy_is_well(l) && column->type != GW_COLUMN_DECIMAL)
        GW_POLICY_FAIL(l, gw_json_member(node, "type"), "wrong_type", "Write \"type\":\"decimal\".",
                       "A weight is a decimal.");
    column->is_weight = true;
    column->missing = GW_MISSING_DROP;
    column->label = column->name;
    if (gw_policy_is_well(l))
        read_bounds(l, node, column);
}

void gw_policy_read_column(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
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
    column->name = gw_load_header_at(&l->load, node, gw_json_name(node));
    if (!gw_json_expect_object(reader, node, allowed_any))
        return;
    if (gw_json_has(node, "role")) {
        read_weight(l, node, column);
        return;
    }
    column->type = gw_json_has(node, "type") ? read_type(l, node) : GW_COLUMN_CODE;
    if (!gw_policy_is_well(l) || !gw_json_expect_object(reader, node, allowed[column->type]) ||
        !gw_json_require(reader, node, required[column->type]))
        return;
    column->concept = gw_load_concept(&l->load, node);
    column->label = gw_load_text(&l->load, node, "label", false);
    if (column->concept != NULL && column->label == NULL)
        column->label = concept_label(column->concept);
    read_missing(l, node, column);
    read_depends(l, node, column);
    if (!gw_policy_is_well(l))
        return;
    if (column->type == GW_COLUMN_CODE) {
        read_codelist(l, node, column);
        if (gw_policy_is_well(l))
            read_recodes(l, node, column);
        return;
    }
    if (gw_json_has(node, "unit"))
        column->unit = gw_load_name(&l->load, node, "unit", "/:");
    read_bounds(l, node, column);
    if (gw_policy_is_well(l))
        read_bandings(l, node, column);
}
