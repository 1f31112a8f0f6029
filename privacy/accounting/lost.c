// SPDX-License-Identifier: Apache-2.0
// The bound on what lost charges spent (lost.md): the lesser of what they may cost by number and by admission.
#include "privacy/accounting/lost.h"

static uint64_t multiply_saturated(uint64_t a, uint64_t b, uint64_t most) {
    gw_uint128 product = (gw_uint128)a * b;
    return product < most ? (uint64_t)product : most;
}

static uint64_t less_of(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

// lost.md, 2: what admission leaves of epsilon.
static uint64_t micro_admitted(gw_loss total, gw_loss spent) {
    uint64_t most = total.rho > total.micro ? total.rho : total.micro;
    return gw_budget_remaining(less_of(most, INT64_MAX), spent.micro);
}

gw_loss gw_lost_bound(uint64_t lost, uint64_t question_max, gw_loss total, gw_loss spent) {
    gw_loss bound = {.micro = lost == 0 ? 0 : micro_admitted(total, spent)};
    if (question_max != 0)
        bound.micro = less_of(bound.micro, multiply_saturated(lost, question_max, INT64_MAX));
    // lost.md, 3: rounded up once for each charge, and none costs less than one micro-epsilon.
    bound.rho = gw_rho_add(gw_rho_of((gw_epsilon){bound.micro}), less_of(lost, bound.micro));
    if (question_max != 0)
        bound.rho = less_of(bound.rho, multiply_saturated(lost, gw_rho_of((gw_epsilon){question_max}), GW_RHO_MAX));
    return bound;
}

uint64_t gw_lost_selection(gw_loss bound, uint64_t total, uint64_t spent) {
    return bound.micro == 0 ? 0 : gw_budget_remaining(total, spent);
}
