// SPDX-License-Identifier: Apache-2.0
// Two catalogues, one after the other. What an indicator measures is its statistic, its filters and what of a person
// counts; labels, units and defaults may be corrected under the same version.
#include "service/policy/indicator.h"
#include "service/base/cleanup.h"
#include <inttypes.h>

#define DEFINITION_BYTES_MAX (4u << 20)

static void write_definition(const gw_indicator *indicator, gw_buffer *text) {
    gw_buffer_text(text, "{");
    gw_json_write_member(text, "statistic", gw_statistic_name(indicator->statistic));
    gw_json_write_member(text, "of", indicator->of);
    gw_json_write_member(text, "per", indicator->is_per_person ? "person" : "row");
    gw_json_write_integer(text, "rows_per_person", (int64_t)indicator->rows_per_person);
    gw_filters_encode(text, "population", indicator->population, indicator->population_count);
    gw_filters_encode(text, "numerator", indicator->numerator, indicator->numerator_count);
    gw_filters_encode(text, "plus", indicator->plus, indicator->plus_count);
    gw_filters_encode(text, "minus", indicator->minus, indicator->minus_count);
    gw_buffer_text(text, "}");
}

static bool measures_the_same(const gw_indicator *one, const gw_indicator *other) {
    GW_CLEANUP(gw_buffer_done) gw_buffer before;
    GW_CLEANUP(gw_buffer_done) gw_buffer after;
    gw_buffer_init(&before, DEFINITION_BYTES_MAX);
    gw_buffer_init(&after, DEFINITION_BYTES_MAX);
    write_definition(one, &before);
    write_definition(other, &after);
    return before.status == GW_OK && after.status == GW_OK &&
           gw_bytes_equal(gw_buffer_bytes(&before), gw_buffer_bytes(&after));
}

gw_status gw_catalogue_check_change(const gw_catalogue *now, const gw_catalogue *next, gw_problem *ret_problem) {
    for (size_t i = 0; i < gw_catalogue_count(next); i++) {
        const gw_indicator *changed = gw_catalogue_at(next, i);
        const gw_indicator *known = gw_catalogue_find(now, changed->id);
        if (known == NULL || known->version != changed->version || measures_the_same(known, changed))
            continue;
        gw_problem_set(ret_problem, GW_CONFLICT, "indicator_version", "An indicator was changed under its old version.",
                       "", "");
        gw_problem_why(ret_problem,
                       "%s measures something else than before and still calls itself version %" PRIu64
                       ": answers of both would go by one name.",
                       changed->id, changed->version);
        gw_problem_mend(ret_problem, "Write \"version\":%" PRIu64 " into its file.", changed->version + 1);
        return GW_CONFLICT;
    }
    return GW_OK;
}
