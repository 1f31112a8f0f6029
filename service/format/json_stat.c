// SPDX-License-Identifier: Apache-2.0
// The cube is built from the cells' own codes, in the order they first appear: the service's answers are whole cubes in
// row-major order, but nothing here relies on it.
#include "service/format/json_stat.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/particulars.h"
#include "service/wire/decimal.h"
#include "service/wire/json.h"
#include <string.h>

// Two million values are about 20 MB of nulls at worst.
#define VALUES_MAX 2000000u
#define FIGURES 5u // the last only of several tables
#define TEXT_BYTES_MAX 65536u

static const char *const figure_codes[FIGURES] = {"estimate", "lower", "upper", "se", "adjusted"};
static const char *const figure_labels[FIGURES] = {"Estimate", "Noise range from", "Noise range to", "Standard error",
                                                   "Whole number, consistent"};

typedef struct {
    const char **codes; // borrowed from the answer
    size_t count, capacity, latest;
} dimension;
typedef struct {
    const gw_answer *answer;
    const gw_asked *asked;
    const gw_labels *labels;
    gw_buffer *out;
    dimension dimensions[GW_BY_MAX];
    size_t place_count;                             // cells of the whole cube
    const gw_answer_cell **placed;                  // place_count; NULL where the answer has no such cell
    char figure_name[sizeof("figure") + GW_BY_MAX]; // no concept's name
} cube;

static size_t figure_count(const cube *c) {
    return c->answer->block_count > 0 ? FIGURES : FIGURES - 1;
}

static void cube_done(cube *c) {
    for (size_t k = 0; k < GW_BY_MAX; k++)
        free(c->dimensions[k].codes);
    free(c->placed);
}

static bool code_add(dimension *d, const char *code, size_t *ret_index) {
    if (d->count == d->capacity) {
        size_t capacity = d->capacity == 0 ? 16 : d->capacity * 2;
        const char **codes = reallocarray(d->codes, capacity, sizeof(*codes));
        if (codes == NULL)
            return false;
        d->codes = codes;
        d->capacity = capacity;
    }
    d->codes[d->count] = code;
    *ret_index = d->latest = d->count++;
    return true;
}

// The index of a code, added where it is new. Cells come in order, so the search starts where the last one ended.
static bool code_index(dimension *d, const char *code, size_t *ret_index) {
    for (size_t i = 0; i < d->count; i++) {
        size_t at = (d->latest + i) % d->count;
        if (strcmp(d->codes[at], code) != 0)
            continue;
        *ret_index = d->latest = at;
        return true;
    }
    return code_add(d, code, ret_index);
}

// With one dimension each cell has a code of its own, and there may be a hundred thousand unknown keys.
static bool dimension_collect(const cube *c, dimension *d, const char *code, size_t *ret_index) {
    return c->answer->by_count == 1 ? code_add(d, code, ret_index) : code_index(d, code, ret_index);
}

static gw_status dimensions_collect(cube *c) {
    size_t index;
    for (size_t i = 0; i < c->answer->cell_count; i++)
        for (size_t k = 0; k < c->answer->by_count; k++)
            if (!dimension_collect(c, &c->dimensions[k], c->answer->cells[i].key[k], &index))
                return GW_NO_MEMORY;
    c->place_count = 1;
    for (size_t k = 0; k < c->answer->by_count; k++)
        if (__builtin_mul_overflow(c->place_count, c->dimensions[k].count, &c->place_count) ||
            c->place_count > VALUES_MAX / FIGURES)
            return GW_LIMIT;
    return GW_OK;
}

static gw_status cells_place(cube *c) {
    c->placed = calloc(c->place_count == 0 ? 1 : c->place_count, sizeof(const gw_answer_cell *));
    if (c->placed == NULL)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < c->answer->cell_count; i++) {
        size_t place = 0, index;
        for (size_t k = 0; k < c->answer->by_count; k++) {
            bool is_known = code_index(&c->dimensions[k], c->answer->cells[i].key[k], &index);
            GW_ASSERT(is_known);
            place = place * c->dimensions[k].count + index;
        }
        c->placed[place] = &c->answer->cells[i];
    }
    return GW_OK;
}

static void figure_name_choose(cube *c) {
    strcpy(c->figure_name, "figure");
    for (size_t k = 0; k < c->answer->by_count; k++)
        if (strcmp(c->answer->by[k], c->figure_name) == 0) {
            strcat(c->figure_name, "_"); // at most once per concept, so it fits
            k = SIZE_MAX;                // and again from the first
        }
}

static void write_category(cube *c, const char *concept, const dimension *d) {
    gw_json_write_name(c->out, "category");
    gw_buffer_text(c->out, "{\"index\":{");
    for (size_t i = 0; i < d->count; i++)
        gw_json_write_integer(c->out, d->codes[i], (int64_t)i);
    gw_buffer_text(c->out, "},\"label\":{");
    for (size_t i = 0; i < d->count; i++)
        gw_json_write_member(c->out, d->codes[i], gw_label_of_code(c->labels, concept, d->codes[i]));
    gw_buffer_text(c->out, "}}");
}

static void write_figures(cube *c) {
    gw_json_write_name(c->out, c->figure_name);
    gw_buffer_text(c->out, "{\"label\":\"Figure\",\"category\":{\"index\":{");
    for (size_t i = 0; i < figure_count(c); i++)
        gw_json_write_integer(c->out, figure_codes[i], (int64_t)i);
    gw_buffer_text(c->out, "},\"label\":{");
    for (size_t i = 0; i < figure_count(c); i++)
        gw_json_write_member(c->out, figure_codes[i], figure_labels[i]);
    gw_buffer_text(c->out, "},\"unit\":{");
    for (size_t i = 0; i < figure_count(c); i++) {
        gw_json_write_name(c->out, figure_codes[i]);
        gw_buffer_text(c->out, "{");
        gw_json_write_member(c->out, "label", c->answer->unit);
        gw_json_write_integer(c->out, "decimals", c->answer->decimals);
        gw_buffer_text(c->out, "}");
    }
    gw_buffer_text(c->out, "}}}");
}

static void write_role(cube *c, const char *role, const char *concept) {
    for (size_t k = 0; k < c->answer->by_count; k++)
        if (strcmp(c->answer->by[k], concept) == 0) {
            gw_json_write_name(c->out, role);
            gw_buffer_text(c->out, "[");
            gw_json_write_string(c->out, concept);
            gw_buffer_text(c->out, "]");
        }
}

static void write_dimensions(cube *c) {
    gw_json_write_name(c->out, "id");
    gw_buffer_text(c->out, "[");
    for (size_t k = 0; k < c->answer->by_count; k++) {
        gw_json_write_string(c->out, c->answer->by[k]);
        gw_buffer_text(c->out, ",");
    }
    gw_json_write_string(c->out, c->figure_name);
    gw_buffer_text(c->out, "],\"size\":[");
    for (size_t k = 0; k < c->answer->by_count; k++)
        gw_buffer_format(c->out, "%zu,", c->dimensions[k].count);
    gw_buffer_format(c->out, "%zu],\"role\":{", figure_count(c));
    write_role(c, "time", "time_period");
    write_role(c, "geo", "ref_area");
    gw_json_write_name(c->out, "metric");
    gw_buffer_text(c->out, "[");
    gw_json_write_string(c->out, c->figure_name);
    gw_buffer_text(c->out, "]},\"dimension\":{");
    for (size_t k = 0; k < c->answer->by_count; k++) {
        const char *concept = c->answer->by[k];
        gw_json_write_name(c->out, concept);
        gw_buffer_text(c->out, "{");
        gw_json_write_member(c->out, "label", gw_label_of_concept(c->labels, concept));
        write_category(c, concept, &c->dimensions[k]);
        gw_buffer_text(c->out, "}");
    }
    write_figures(c);
    gw_buffer_text(c->out, "}");
}

// A JSON number is what the decimal text is; only a text that is no plain decimal can't be one.
static void write_number(gw_buffer *out, const char *decimal) {
    gw_decimal value;
    gw_buffer_text(out, decimal != NULL && gw_decimal_parse(decimal, &value) ? decimal : "null");
}

static void write_values(cube *c) {
    gw_json_write_name(c->out, "value");
    gw_buffer_text(c->out, "[");
    for (size_t place = 0; place < c->place_count; place++) {
        const gw_answer_cell *cell = c->placed[place];
        const char *const figures[FIGURES] = {cell == NULL ? NULL : cell->estimate, cell == NULL ? NULL : cell->lower,
                                              cell == NULL ? NULL : cell->upper, cell == NULL ? NULL : cell->se,
                                              cell == NULL ? NULL : cell->adjusted};
        for (size_t i = 0; i < figure_count(c); i++) {
            gw_buffer_text(c->out, place + i == 0 ? "" : ",");
            write_number(c->out, figures[i]);
        }
    }
    gw_buffer_text(c->out, "]");
    gw_json_write_name(c->out, "status");
    gw_buffer_text(c->out, "{");
    const char *comma = "";
    for (size_t place = 0; place < c->place_count; place++) {
        const gw_answer_cell *cell = c->placed[place];
        if (cell == NULL || cell->flag == NULL || cell->flag[0] == '\0')
            continue;
        gw_buffer_format(c->out, "%s\"%zu\":", comma, place * figure_count(c));
        gw_json_write_string(c->out, cell->flag);
        comma = ",";
    }
    gw_buffer_text(c->out, "}");
}

static void write_truth(gw_buffer *out, const char *name, bool truth) {
    gw_json_write_name(out, name);
    gw_buffer_text(out, truth ? "true" : "false");
}

static void write_bounds(cube *c) {
    const gw_answer *answer = c->answer;
    gw_json_write_name(c->out, "bounds");
    if (answer->bounds_kind == NULL) {
        gw_buffer_text(c->out, "null");
        return;
    }
    gw_buffer_text(c->out, "{");
    gw_json_write_member(c->out, "kind", answer->bounds_kind);
    gw_json_write_member(c->out, "units", answer->bounds_units);
    gw_json_write_member(c->out, "total", answer->bounds_total);
    gw_json_write_member(c->out, "note", answer->bounds_note);
    gw_buffer_text(c->out, "}");
}

// The line of poverty, as the answer has it.
static void write_line(cube *c) {
    const gw_answer_line *line = &c->answer->line;
    const char *const members[][2] = {{"unit", line->unit},
                                      {"median", line->median},
                                      {"median_lower", line->median_lower},
                                      {"median_upper", line->median_upper},
                                      {"threshold", line->threshold},
                                      {"threshold_lower", line->threshold_lower},
                                      {"threshold_upper", line->threshold_upper}};
    gw_json_write_name(c->out, "line");
    gw_buffer_text(c->out, "{");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        gw_json_write_member(c->out, members[i][0], members[i][1]);
    gw_buffer_text(c->out, "}");
}

// All but the line of poverty, which has a place of its own.
static void write_particulars(gw_buffer *out, const gw_answer *answer) {
    gw_particulars particulars;
    gw_particulars_of(answer, &particulars);
    for (size_t i = 0; i < particulars.count; i++)
        if (strncmp(particulars.items[i].name, "line", 4) != 0)
            gw_json_write_member(out, particulars.items[i].name, particulars.items[i].value);
}

static void write_extension(cube *c, const char *notice) {
    const gw_answer *answer = c->answer;
    gw_json_write_name(c->out, "extension");
    gw_buffer_text(c->out, "{");
    gw_json_write_member(c->out, "release", answer->release);
    gw_json_write_member(c->out, "dataset", answer->dataset);
    gw_json_write_member(c->out, "data_version", answer->data_version);
    gw_json_write_integer(c->out, "policy", answer->policy);
    gw_json_write_member(c->out, "question", answer->question);
    gw_json_write_member(c->out, "indicator", answer->indicator);
    gw_json_write_member(c->out, "statistic", answer->statistic);
    gw_json_write_member(c->out, "of", answer->of);
    gw_json_write_member(c->out, "where", c->asked->where);
    gw_json_write_member(c->out, "unit", answer->unit);
    gw_json_write_member(c->out, "level", answer->level);
    gw_json_write_member(c->out, "mechanism", answer->law == NULL ? "discrete-laplace" : answer->law);
    write_particulars(c->out, answer);
    if (answer->line.unit != NULL)
        write_line(c);
    gw_json_write_epsilon(c->out, "epsilon", answer->noise.epsilon);
    gw_json_write_member(c->out, "per", answer->is_per_person ? "person" : NULL);
    write_truth(c->out, "weighted", answer->is_weighted);
    write_bounds(c);
    write_truth(c->out, "dummy", answer->is_dummy);
    gw_json_write_member(c->out, "notice", notice);
    gw_buffer_text(c->out, "}");
}

typedef struct {
    gw_buffer *out;
    const char *comma;
} notes;

static void note_write(void *state, const char *text, unsigned indent) {
    notes *n = state;
    (void)indent;
    gw_buffer_text(n->out, n->comma);
    gw_json_write_string(n->out, text);
    n->comma = ",";
}

static void write_dataset(cube *c) {
    gw_buffer notice, label;
    gw_buffer_init(&notice, TEXT_BYTES_MAX);
    gw_buffer_init(&label, TEXT_BYTES_MAX);
    gw_notice_append(c->answer, &notice);
    gw_buffer_format(&label, "%s%s", c->answer->is_dummy ? "NOT REAL - " : "",
                     c->asked->title == NULL ? c->answer->dataset : c->asked->title);
    gw_buffer_text(c->out, "{\"version\":\"2.0\",\"class\":\"dataset\"");
    gw_json_write_member(c->out, "label", gw_buffer_string(&label));
    gw_json_write_member(c->out, "source", c->answer->dataset);
    gw_json_write_name(c->out, "note");
    gw_buffer_text(c->out, "[");
    notes n = {c->out, ""};
    if (notice.size > 0)
        note_write(&n, gw_buffer_string(&notice), 0);
    gw_figures_notes(c->answer, NULL, false, note_write, &n);
    gw_buffer_text(c->out, "]");
    write_dimensions(c);
    write_values(c);
    write_extension(c, notice.size > 0 ? gw_buffer_string(&notice) : NULL);
    gw_buffer_text(c->out, "}\n");
    gw_buffer_done(&notice);
    gw_buffer_done(&label);
}

void gw_format_json_stat(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, gw_buffer *buffer) {
    GW_CLEANUP(cube_done) cube c = {.answer = answer, .asked = asked, .labels = labels, .out = buffer};
    GW_ASSERT(answer->by_count <= GW_BY_MAX);
    gw_status status = dimensions_collect(&c);
    if (status == GW_OK)
        status = cells_place(&c);
    if (status != GW_OK) {
        buffer->status = status;
        return;
    }
    figure_name_choose(&c);
    write_dataset(&c);
}
