// SPDX-License-Identifier: Apache-2.0
// Before anything is drawn, what is about to be released is held against the plan: a noise smaller than the price that
// was charged, or a table of another shape, would be our own error, and no answer is better than that one.
#include "service/query/protect.h"

#include "privacy/mechanism/marginals.h"
#include "privacy/mechanism/parts.h"
#include "privacy/mechanism/quantile.h"
#include "privacy/mechanism/tree.h"
#include "service/format/cell_figures.h"
#include "service/query/plan_tables.h"

// Each table has a share of the price, and so the smallest of them the widest noise: what its sampler is certified for
// the others' are.
static gw_status shares_are_certified(const gw_plan *plan) {
    gw_marginals_law law;
    gw_discrete_laplace *sampler = NULL;
    gw_status status = gw_plan_tables_law(plan, plan->epsilon, &law);
    if (status != GW_OK)
        return status;
    gw_noise widest = law.noises[0];
    for (size_t i = 1; i < law.count; i++)
        if (law.noises[i].epsilon.micro < widest.epsilon.micro)
            widest = law.noises[i];
    status = gw_discrete_laplace_new(widest, &sampler);
    gw_discrete_laplace_free(sampler);
    return status;
}

gw_status gw_query_laws_of(const gw_plan *plan, gw_laws_cache *cache, const gw_laws **ret) {
    const gw_noise noise = {.epsilon = plan->epsilon, .sensitivity = plan->sensitivity};
    if (plan->mechanism == GW_MECHANISM_SELECTION)
        return gw_laws_hold_keys(cache, noise, (gw_delta){plan->delta}, ret);
    gw_status status = plan->mechanism == GW_MECHANISM_MARGINALS ? shares_are_certified(plan) : GW_OK;
    if (status != GW_OK)
        return status;
    return gw_laws_hold(cache, noise, plan->gap.column ? 0 : gw_figures_others(plan->statistic, plan->cell_count), ret);
}

static gw_status pick(const gw_plan *plan, const gw_laws *laws, const gw_exact_table *exact, gw_random_source source,
                      gw_released_table **ret) {
    const gw_quantile_shape shape = {.group_count = plan->group_count,
                                     .bin_count = plan->grid.count,
                                     .level = {plan->levels[0].numerator, plan->levels[0].denominator}};
    return gw_quantile_release(exact, &shape, laws->noise, source, ret);
}

static gw_status marginals(const gw_plan *plan, const gw_exact_table *exact, gw_random_source source,
                           gw_released_table **ret) {
    gw_marginals_law law;
    gw_status status = gw_plan_tables_law(plan, plan->epsilon, &law); // never more than the price
    return status == GW_OK ? gw_marginals_release(exact, &law, source, ret) : status;
}

static bool is_as_planned(const gw_plan *plan, const gw_laws *laws, const gw_exact_table *exact) {
    return exact->cell_count == plan->measured_cells && exact->part_count == plan->measured_parts &&
           laws->noise.epsilon.micro == plan->epsilon.micro && laws->noise.sensitivity == plan->sensitivity;
}

gw_status gw_query_protect(const gw_plan *plan, const gw_laws *laws, const gw_exact_table *exact,
                           gw_random_source source, gw_released_table **ret) {
    if (!is_as_planned(plan, laws, exact))
        return GW_INTERNAL;
    switch (plan->mechanism) {
    case GW_MECHANISM_PARTS:
        return gw_parts_release_under(exact, laws->sampler, laws->noise, source, ret);
    case GW_MECHANISM_TREE:
        return gw_tree_release_under(exact, &plan->tree, laws->sampler, laws->noise, source, ret);
    case GW_MECHANISM_PICK:
        return pick(plan, laws, exact, source, ret);
    case GW_MECHANISM_MARGINALS:
        return marginals(plan, exact, source, ret);
    case GW_MECHANISM_SELECTION:
        break;
    }
    return GW_INTERNAL; // no plan has one of these, or it is of keys
}

gw_status gw_query_protect_keys(const gw_plan *plan, const gw_laws *laws, const gw_exact_keys *exact,
                                gw_random_source source, gw_released_keys **ret) {
    if (plan->mechanism != GW_MECHANISM_SELECTION || !laws->selection || exact->slot_count != plan->measured_cells ||
        exact->text_size != (size_t)plan->of->text_bytes_max + 1)
        return GW_INTERNAL;
    gw_selection_price price = gw_selection_law_price(laws->selection);
    if (price.epsilon.micro != plan->epsilon.micro || price.keys_per_person != plan->sensitivity ||
        price.delta.atto != plan->delta)
        return GW_INTERNAL;
    return gw_selection_release(exact, laws->selection, source, ret);
}
