// SPDX-License-Identifier: Apache-2.0
// Named statistics on concepts: one file works on every dataset that maps the concepts it needs.
// Thread safety: a gw_catalogue is immutable after load.   Depends on: policy.h.
#pragma once
#include "service/policy/policy.h"

typedef struct {
    const char *id;
    uint64_t version;
    const char *sdmx, *label, *definition, *unit, *reference, *better; // reference, better may be NULL
    unsigned decimals;
    gw_statistic statistic;
    const char *of;            // the concept of a statistic that has one
    const char *over;          // ratio: what it is divided by
    unsigned bins;             // statistics by a grid: its bins; 0: as suits
    const char *const *levels; // quantile
    size_t level_count;
    const char *fraction; // poverty: of the median; NULL: 0.6
    const gw_filter *population;
    size_t population_count;
    const gw_filter *numerator; // rate
    size_t numerator_count;
    const gw_filter *plus, *minus; // net
    size_t plus_count, minus_count;
    bool is_per_person; // "per":"person"
    uint64_t
        rows_per_person; // so many rows (or cells) of one person count, where the policy allows more; 0: as it allows
    const char *const *by_default;
    size_t by_default_count;
    const char *const *requires; // concepts a table must have, though no filter names them
    size_t requires_count;
} gw_indicator;

typedef struct gw_catalogue gw_catalogue;
// Every *.json of the folder, in name order; two files with one id are refused.
// A numerator may only narrow the population: each of its concepts is also in the population, and its codes among the
// population's, so that unknown values are in neither part of a rate.
// Codes: as json.h, plus bad_name, bad_filter, indicator_version, indicator_statistic, indicator_numerator,
// indicator_duplicate, file_missing, file_unreadable, file_too_big.
GW_MUST_CHECK gw_status gw_catalogue_load(const char *folder, gw_catalogue **ret, gw_problem *ret_problem);
void gw_catalogue_free(gw_catalogue *catalogue);
size_t gw_catalogue_count(const gw_catalogue *catalogue);
const gw_indicator *gw_catalogue_at(const gw_catalogue *catalogue, size_t index);
const gw_indicator *gw_catalogue_find(const gw_catalogue *catalogue, const char *id); // NULL where absent
const char *gw_catalogue_nearest(const gw_catalogue *catalogue, const char *id);      // or NULL

// The table of `policy` that has every concept the indicator needs (with the codes it names); NULL and, in
// `ret_missing` (may be NULL), the first concept that no table has.
const gw_table *gw_indicator_table(const gw_indicator *indicator, const gw_policy *policy, const char **ret_missing);
