// SPDX-License-Identifier: Apache-2.0
// One list of fields, filled once for an answer and then for each cell.
#include "service/format/fields.h"
#include "service/base/check.h"
#include <stdio.h>
#include <string.h>

#define NOTICE_BYTES_MAX 65536u

static void add(gw_fields *fields, const char *name, const char *value) {
    GW_ASSERT(fields->count < GW_FIELDS_MAX);
    fields->items[fields->count++] = (gw_field){.name = name, .value = value};
}

static void add_truth(gw_fields *fields, const char *name, bool truth) {
    add(fields, name, truth ? "true" : "false");
    fields->items[fields->count - 1].is_truth = true;
}

static bool is_taken(const gw_fields *fields, const char *concept) {
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->items[i].name, concept) == 0)
            return true;
    return false;
}

void gw_fields_init(gw_fields *fields, const gw_answer *answer, const gw_asked *asked) {
    static const char *const of_cell[] = {"estimate", "lower", "upper", "se", "flag"};
    *fields = (gw_fields){0};
    gw_buffer_init(&fields->notice, NOTICE_BYTES_MAX);
    gw_notice_append(answer, &fields->notice);
    gw_epsilon_format(answer->noise.epsilon, fields->epsilon);
    gw_bounds_format(answer, fields->bounds);
    for (size_t i = 0; i < sizeof(of_cell) / sizeof(of_cell[0]); i++)
        add(fields, of_cell[i], NULL);
    add(fields, "unit", answer->unit);
    add(fields, "statistic", answer->statistic);
    add(fields, "dataset", answer->dataset);
    add(fields, "indicator", answer->indicator);
    add(fields, "release", answer->release);
    add(fields, "of", answer->of);
    add(fields, "where", asked->where);
    add(fields, "epsilon", fields->epsilon);
    add(fields, "per", answer->is_per_person ? "person" : NULL);
    add_truth(fields, "weighted", answer->is_weighted);
    add(fields, "bounds", fields->bounds[0] == '\0' ? NULL : fields->bounds);
    gw_particulars_of(answer, &fields->particulars);
    for (size_t i = 0; i < fields->particulars.count; i++)
        add(fields, fields->particulars.items[i].name, fields->particulars.items[i].value);
    // Only where a level was asked for: the range of everything else holds 19 times in 20.
    if (answer->level != NULL && strcmp(answer->level, "0.95") != 0)
        add(fields, "level", answer->level);
    if (answer->block_count > 0) {
        fields->adjusted_at = fields->count;
        add(fields, "adjusted", NULL);
    }
    // Always there: a script that was written on dummies reads the real answer's columns.
    add_truth(fields, "dummy", answer->is_dummy);
    add(fields, "notice", fields->notice.size == 0 ? NULL : gw_buffer_string(&fields->notice));
    GW_ASSERT(answer->by_count <= GW_BY_MAX);
    for (size_t k = 0; k < answer->by_count; k++)
        gw_ignore(snprintf(fields->keys[k], GW_FIELD_NAME_MAX, "%s%s", is_taken(fields, answer->by[k]) ? "by_" : "",
                           answer->by[k])); // it fits
}

void gw_fields_done(gw_fields *fields) {
    gw_buffer_done(&fields->notice);
}

void gw_fields_set_cell(gw_fields *fields, const gw_answer_cell *cell) {
    const char *const values[] = {cell->estimate, cell->lower, cell->upper, cell->se, cell->flag};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        fields->items[i].value = values[i];
    if (fields->adjusted_at > 0)
        fields->items[fields->adjusted_at].value = cell->adjusted;
}
