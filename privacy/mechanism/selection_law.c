// SPDX-License-Identifier: Apache-2.0
// A law is its certified table, checked when it is made. Draws count how many of the table's entries lie above a random
// word, in blocks of lanes.
#include "privacy/mechanism/selection_law.h"
#include "privacy/sampling/digits.h"
#include "privacy/sampling/ties.h"
#include <stdlib.h>
#include <string.h>

struct gw_selection_law {
    gw_selection_price price;
    gw_digits_kernel kernel;
    size_t count;        // T is 1 .. count + 1
    gw_threshold *table; // pi_1 .. pi_count
    uint64_t *firsts;    // their first limbs
    uint64_t centre;
};

typedef struct {
    uint64_t words[GW_DIGITS_LANES];
    uint64_t above[GW_DIGITS_LANES]; // entries of the table above the word
    uint64_t ties[GW_DIGITS_LANES];
} draw_block;

static gw_fixed fixed_of(const gw_threshold *threshold) {
    gw_fixed value = {.limbs = {0}};
    for (size_t i = 0; i < GW_THRESHOLD_LIMBS; i++)
        value.limbs[GW_FIXED_FRACTION_LIMBS - 1 - i] = threshold->limbs[i];
    return value;
}

// floor(E T + 1/2), where E T is the sum of P(T > t) over t from 0 on.
static uint64_t centre_of(const gw_threshold *table, size_t count) {
    const gw_fixed one = {.limbs = {[GW_FIXED_FRACTION_LIMBS] = 1}};
    gw_fixed sum = {.limbs = {[GW_FIXED_FRACTION_LIMBS - 1] = (uint64_t)1 << 63}};
    sum = gw_fixed_add(&sum, &one);
    for (size_t t = 0; t < count; t++) {
        gw_fixed pi = fixed_of(&table[t]);
        gw_fixed above = gw_fixed_subtract(&one, &pi);
        sum = gw_fixed_add(&sum, &above);
    }
    return sum.limbs[GW_FIXED_FRACTION_LIMBS];
}

static gw_status law_tabulate(gw_selection_law *law) {
    gw_selection_share share;
    gw_status status = gw_selection_share_of(law->price, &share);
    if (status != GW_OK)
        return status;
    gw_threshold *room = malloc(GW_SELECTION_STEPS_MAX * sizeof(*room));
    if (room == NULL)
        return GW_NO_MEMORY;
    law->table = room;
    status = gw_selection_table_make(&share, law->table, GW_SELECTION_STEPS_MAX - 1, &law->count);
    if (status != GW_OK)
        return status;
    gw_threshold *fitted = realloc(law->table, law->count * sizeof(*fitted));
    law->table = fitted != NULL ? fitted : law->table;
    return gw_selection_table_keeps(&share, law->table, law->count) ? GW_OK : GW_INTERNAL;
}

gw_status gw_selection_law_new(gw_selection_price price, gw_selection_law **ret) {
    gw_selection_law *law = calloc(1, sizeof(*law));
    if (law == NULL)
        return GW_NO_MEMORY;
    law->price = price;
    law->kernel = gw_digits_kernel_best();
    gw_status status = law_tabulate(law);
    if (status == GW_OK) {
        law->firsts = malloc(law->count * sizeof(*law->firsts));
        status = law->firsts != NULL ? GW_OK : GW_NO_MEMORY;
    }
    if (status != GW_OK) {
        gw_selection_law_free(law);
        return status;
    }
    for (size_t t = 0; t < law->count; t++)
        law->firsts[t] = law->table[t].limbs[0];
    law->centre = centre_of(law->table, law->count);
    *ret = law;
    return GW_OK;
}

void gw_selection_law_free(gw_selection_law *law) {
    if (law == NULL)
        return;
    free(law->table);
    free(law->firsts);
    free(law);
}

gw_selection_price gw_selection_law_price(const gw_selection_law *law) {
    return law->price;
}

// ---- draws

// One uniform number decides T: the entries above it are those of the counts that it would show.
static gw_status fill_block(const gw_selection_law *law, gw_random_source source, draw_block *block, uint64_t *ret,
                            size_t count) {
    size_t lanes = (count + 3) / 4 * 4; // the kernel's step; what is drawn beyond `count` is thrown away
    gw_status status = source.fill(source.state, block->words, lanes * sizeof(*block->words));
    memset(block->above, 0, sizeof(block->above));
    memset(block->ties, 0, sizeof(block->ties));
    if (status == GW_OK)
        law->kernel(block->words, lanes, law->firsts, law->count, 0, block->above, block->ties);
    uint64_t any = 0;
    for (size_t i = 0; i < count; i++)
        any |= block->ties[i];
    for (size_t i = 0; i < count && status == GW_OK && __builtin_expect(any != 0, 0); i++)
        status = gw_tie_resolve(source, block->words[i], law->table, law->count, 0, &block->above[i]);
    for (size_t i = 0; i < count && status == GW_OK; i++)
        ret[i] = law->count + 1 - block->above[i];
    return status;
}

gw_status gw_selection_law_fill(const gw_selection_law *law, gw_random_source source, uint64_t *ret, size_t count) {
    draw_block block;
    gw_status status = GW_OK;
    for (size_t done = 0; done < count && status == GW_OK; done += GW_DIGITS_LANES) {
        size_t left = count - done;
        status = fill_block(law, source, &block, ret + done, left < GW_DIGITS_LANES ? left : GW_DIGITS_LANES);
    }
    explicit_bzero(&block, sizeof(block));
    if (status != GW_OK)
        explicit_bzero(ret, count * sizeof(*ret));
    return status;
}

uint64_t gw_selection_law_steps(const gw_selection_law *law) {
    return law->count + 1;
}

uint64_t gw_selection_law_centre(const gw_selection_law *law) {
    return law->centre;
}

const gw_threshold *gw_selection_law_table(const gw_selection_law *law, size_t *ret_count) {
    *ret_count = law->count;
    return law->table;
}
