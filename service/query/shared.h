// SPDX-License-Identifier: Apache-2.0
// What the files of this room share: the insides of gw_queries and gw_query_worker. Nobody else includes it.
// Depends on: query.h, flight.h.
#pragma once
#include "service/base/random.h"
#include "service/query/flight.h"
#include "service/query/laws.h"
#include "service/query/query.h"
#include "service/query/quotes.h"
#include "service/query/rates.h"
#include "service/query/refusals.h"
#include "service/query/replay.h"
#include "service/query/rollback.h"
#include "service/query/rules.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct policy_slot {
    struct policy_slot *next;
    gw_policy *policy;
    gw_store_policy row;
    gw_hash layout;
    char layout_data[GW_ID_HEX]; // the data version last found to have this layout; under policies_lock
} policy_slot;

struct gw_queries {
    gw_query_options options;
    gw_flights *flights;
    gw_laws_cache *laws;
    gw_replays *replays;
    gw_quotes *quotes;
    gw_rollback *rollback;
    gw_rates *rates;
    gw_refusals *refusals;
    gw_incidents *incidents;
    _Atomic uint64_t limited; // requests refused for their rate, since it was last said
    pthread_mutex_t rules_lock;
    gw_rules *rules; // those in force; under rules_lock
    pthread_mutex_t policies_lock;
    policy_slot *policies; // under the lock; slots are added, never removed
};

struct gw_query_worker {
    gw_queries *queries;
    gw_store_reader *reader;
    gw_random *random; // re-keyed for every answer
    char peer[GW_QUERY_PEER_MAX];
};

// The rules in force, held for the caller: gw_rules_drop.
gw_rules *gw_queries_rules(gw_queries *queries);

// GW_OK when `data` was loaded under this policy's layout; GW_UNAVAILABLE with code data_layout otherwise.
GW_MUST_CHECK gw_status gw_queries_layout_check(gw_query_worker *worker, const gw_policy_in_force *in_force,
                                                const char *data, gw_problem *ret_problem);
