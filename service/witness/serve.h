// SPDX-License-Identifier: Apache-2.0
// The witness over HTTP: POST <prefix>/add-checkpoint for logs, GET <prefix>/<hash of origin>/checkpoint for monitors.
// Thread safety: start and stop from one thread.   Depends on: witness.h, libmicrohttpd.
#pragma once
#include "service/witness/witness.h"

typedef struct gw_witness_server gw_witness_server;
typedef struct {
    gw_witness *witness; // borrowed
    const char *listen;  // 127.0.0.1:4712 or [::1]:4712; port 0: any that is free
    const char *prefix;  // "/" or "/some/path"
    unsigned per_second; // requests from one address; 0: 200
} gw_witness_server_options;

// Codes: bad_address, address_in_use.
GW_MUST_CHECK gw_status gw_witness_server_start(const gw_witness_server_options *options, gw_witness_server **ret,
                                                gw_problem *ret_problem);
unsigned gw_witness_server_port(const gw_witness_server *server);
// Takes no more connections, answers what was accepted, ends. Accepts NULL.
void gw_witness_server_stop(gw_witness_server *server);
