// SPDX-License-Identifier: Apache-2.0
// Token buckets: how often somebody may ask at all, before any signature is checked, and how long the service works for
// somebody for nothing. Two levels, each filled within a minute. What is claimed and not proven (a key's id) shares its
// bucket only with the same claim from the same address, so that nobody empties another's. The memory is bounded: who
// finds no place drives out the one that asked least, and begins full.
// Nothing here depends on private data: what is measured is work before a charge.
// Thread safety: safe.   Depends on: base/crypto.h.
#pragma once
#include "service/base/crypto.h"

typedef struct {
    int64_t requests_per_minute; // of one key at one address, and of one address; 0: no limit
    int64_t free_ms_per_minute;  // processor time of one principal for what is not charged; 0: no limit
} gw_rate_limits;

typedef enum { GW_RATE_ADDRESS, GW_RATE_KEY, GW_RATE_WORK } gw_rate_kind;

typedef struct gw_rates gw_rates;
gw_rates *gw_rates_new(void);        // without limits; NULL without memory
void gw_rates_free(gw_rates *rates); // accepts NULL
void gw_rates_limit(gw_rates *rates, gw_rate_limits limits);

// One request. True: it may go on. False: not before `ret_wait_ms` from now. `now_ms` is a clock that only goes
// forward.
bool gw_rates_ask(gw_rates *rates, gw_rate_kind kind, gw_bytes who, int64_t now_ms, int64_t *ret_wait_ms);
// Free work: may it begin; and then how long it took, which may be more than was left.
bool gw_rates_may_work(gw_rates *rates, gw_bytes who, int64_t now_ms, int64_t *ret_wait_ms);
void gw_rates_worked(gw_rates *rates, gw_bytes who, int64_t now_ms, int64_t work_us);
