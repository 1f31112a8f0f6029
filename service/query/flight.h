// SPDX-License-Identifier: Apache-2.0
// Questions on their way: one worker at a time per canonical question, so that askers of the same thing wait for the
// first answer and then recall it, instead of paying again. Thread safety: safe.   Depends on: base/crypto.h.
#pragma once
#include "service/base/crypto.h"

typedef struct gw_flights gw_flights;
gw_flights *gw_flights_new(void);
void gw_flights_free(gw_flights *flights); // accepts NULL
// Blocks while another thread holds `question`, then holds it. False without memory.
bool gw_flight_begin(gw_flights *flights, gw_hash question);
void gw_flight_end(gw_flights *flights, gw_hash question);
