// SPDX-License-Identifier: Apache-2.0
// The message bus: nng REP sockets on ipc and tcp, a bounded number of contexts (the admission limit), a bounded queue and
// a pool of workers. A full queue answers busy at once. Every socket gets its receive limit in the one function that
// opens sockets.
// Thread safety: open and close from one thread; the handler runs on the workers.   Depends on: base, wire/message.h, nng.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

typedef struct gw_bus gw_bus;
typedef struct {
    const char *const *urls; // "ipc:///…", "tcp://127.0.0.1:4711"
    size_t url_count;
    unsigned contexts;      // 0: 256
    unsigned workers;       // 0: 64
    // Answers one request: appends the whole reply message. `worker` is 0 .. workers-1, for per-worker state.
    void (*handle)(void *state, unsigned worker, gw_bytes request, gw_buffer *reply);
    // Writes the constant busy reply for a request that found the queue full.
    void (*busy)(void *state, gw_bytes request, gw_buffer *reply);
    void *state;
} gw_bus_options;

GW_MUST_CHECK gw_status gw_bus_open(const gw_bus_options *options, gw_bus **ret, gw_problem *ret_problem); // code cannot_listen
// In phases: listeners closed, queue drained, replies flushed, workers joined, sockets closed. Accepts NULL.
void gw_bus_close(gw_bus *bus);
