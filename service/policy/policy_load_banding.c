// SPDX-License-Identifier: Apache-2.0
// Bandings of a numeric column: named partitions of its whole domain. Every value lies in exactly one band, whatever
// the order in which the file names them.
#include "service/policy/policy_load.h"
#include "service/base/check.h"
#include "service/wire/decimal.h"
#include <stdlib.h>
#include <string.h>

#define BANDINGS_MAX 32u
#define BANDS_MAX 1024u

// One end of a band, in steps. It must lie on the grid, within the bounds.
static int64_t read_band_end(gw_policy_loader *l, const gw_json_node *node, const gw_column *column) {
    gw_decimal value;
    if (!gw_policy_read_number(l, node, column->type, &value))
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

void gw_policy_read_bandings(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
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
