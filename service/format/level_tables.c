// SPDX-License-Identifier: Apache-2.0
// From an answer of several tables back to what was measured under which noise: each estimate follows from all of it.
// The file may claim anything: what does not fit together is refused before anything is worked out.
#include "service/format/level_inner.h"

#include "privacy/accounting/delta.h"
#include "privacy/derive/keys.h"
#include "privacy/derive/marginals_estimate.h"
#include "service/base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_END ((gw_int128)1 << 96) // far above any measured integer

typedef struct {
    gw_marginals_law law;
    unsigned masks[GW_MARGINALS_MASKS]; // of each block
    size_t first[GW_MARGINALS_MASKS];   // cell of the answer
    gw_int128 *values;                  // of the measured blocks, in order
} tables;

static bool mask_of(const gw_answer *answer, const gw_answer_block *block, unsigned *ret) {
    unsigned mask = 0;
    for (size_t i = 0; i < block->by_count; i++) {
        size_t axis = 0;
        while (axis < answer->by_count && strcmp(answer->by[axis], block->by[i]) != 0)
            axis++;
        if (axis == answer->by_count || mask >> axis != 0)
            return false; // unknown, twice, or not in the order of the answer
        mask |= 1u << axis;
    }
    *ret = mask;
    return true;
}

// The codes of one axis of a block whose cells repeat their codes every `stride` cells: until the first comes again.
static size_t codes_of(const gw_answer *answer, size_t first, size_t count, size_t axis, size_t stride) {
    const char *code = answer->cells[first].key[axis];
    size_t size = 1;
    while (size * stride < count && strcmp(answer->cells[first + size * stride].key[axis], code) != 0)
        size++;
    return size;
}

// The sizes of the axes of one block, which must be those of all others.
static bool sizes_read(const gw_answer *answer, tables *t, size_t block) {
    size_t stride = 1, count = answer->blocks[block].cell_count;
    for (size_t axis = answer->by_count; axis-- > 0;) {
        if ((t->masks[block] >> axis & 1) == 0)
            continue;
        uint32_t *size = &t->law.base.sizes[axis];
        uint32_t found = (uint32_t)codes_of(answer, t->first[block], count, axis, stride);
        if (*size != 0 && *size != found)
            return false;
        *size = found;
        stride *= found;
    }
    return stride == count;
}

static bool law_of(const gw_answer *answer, tables *t) {
    if (answer->by_count == 0 || answer->by_count > GW_MARGINALS_ATTRIBUTES_MAX ||
        answer->block_count > GW_MARGINALS_MASKS)
        return false;
    gw_marginals_set seen = 0;
    t->law.base.attribute_count = answer->by_count;
    for (size_t i = 0, first = 0; i < answer->block_count; i++) {
        const gw_answer_block *block = &answer->blocks[i];
        t->first[i] = first;
        if (!mask_of(answer, block, &t->masks[i]) || gw_marginals_has(seen, t->masks[i]) || !sizes_read(answer, t, i))
            return false;
        seen |= 1ull << t->masks[i];
        first += block->cell_count;
        if (block->epsilon.micro == 0)
            continue;
        t->law.masks[t->law.count] = t->masks[i];
        t->law.noises[t->law.count++] = (gw_noise){block->epsilon, answer->noise.sensitivity};
    }
    return gw_marginals_law_is_sound(&t->law);
}

static gw_status values_read(const gw_answer *answer, gw_arena *arena, tables *t) {
    size_t at = 0;
    t->values = gw_arena_array(arena, answer->cell_count, sizeof *t->values);
    if (!t->values)
        return GW_NO_MEMORY;
    for (size_t i = 0; i < answer->cell_count; i++) {
        gw_int128 value = 0;
        if (!answer->cells[i].parts)
            continue;
        GW_ASSERT(gw_int128_parse(answer->cells[i].parts[0], &value)); // the decoder saw to it
        if (value >= VALUE_END || value <= -VALUE_END)
            return GW_INVALID;
        t->values[at++] = value;
    }
    return GW_OK;
}

static gw_status block_put(gw_level_work *work, const tables *t, const gw_marginals_estimate *estimate, size_t block) {
    const gw_answer *answer = work->answer;
    const double *estimates = gw_marginals_estimate_cells(estimate, t->masks[block]);
    double half_width = 0, step = strtod(answer->grid, NULL);
    gw_status status = gw_marginals_half_width(&t->law, t->masks[block], work->level_ppm, &half_width);
    for (size_t i = 0; status == GW_OK && i < answer->blocks[block].cell_count; i++) {
        gw_cell_figures figures;
        status = gw_figures_around(estimates[i], half_width, step, (unsigned)answer->decimals, &figures);
        if (status == GW_OK)
            status = gw_level_put(work, t->first[block] + i, &figures);
    }
    return status;
}

gw_status gw_level_tables(gw_level_work *work) {
    tables t = {.values = NULL};
    gw_marginals_estimate *estimate = NULL;
    gw_marginals_set wanted = 0;
    if (!law_of(work->answer, &t))
        return GW_INVALID;
    for (size_t i = 0; i < work->answer->block_count; i++)
        wanted |= 1ull << t.masks[i];
    gw_status status = values_read(work->answer, work->arena, &t);
    if (status == GW_OK)
        status = gw_marginals_estimate_of_published(&t.law, t.values, wanted, &estimate);
    for (size_t i = 0; status == GW_OK && i < work->answer->block_count; i++)
        status = block_put(work, &t, estimate, i);
    gw_marginals_estimate_free(estimate);
    return status;
}

// ---- unknown keys

static gw_status keys_put(gw_level_work *work, const gw_keys_figures *figures) {
    gw_status status = GW_OK;
    for (size_t i = 0; status == GW_OK && i < work->answer->cell_count; i++) {
        gw_int128 value = -1;
        gw_cell_figures cell;
        GW_ASSERT(gw_int128_parse(work->answer->cells[i].parts[0], &value)); // the decoder saw to it
        if (value < 0 || value > INT64_MAX)
            return GW_INVALID;
        gw_figures_of_key(figures, (uint64_t)value, work->level_ppm, &cell);
        status = gw_level_put(work, i, &cell);
    }
    return status;
}

gw_status gw_level_keys(gw_level_work *work) {
    const gw_answer *answer = work->answer;
    gw_selection_price price = {.epsilon = answer->noise.epsilon, .keys_per_person = answer->noise.sensitivity};
    gw_selection_law *law = NULL;
    gw_keys_figures *figures = NULL;
    if (answer->part_count != 1 || !answer->selection_delta ||
        gw_delta_parse(answer->selection_delta, &price.delta) != GW_OK)
        return GW_INVALID;
    gw_status status = gw_selection_law_new(price, &law);
    if (status == GW_OK)
        status = gw_keys_figures_new(law, &figures);
    if (status == GW_OK)
        status = keys_put(work, figures);
    gw_keys_figures_free(figures);
    gw_selection_law_free(law);
    return status;
}
