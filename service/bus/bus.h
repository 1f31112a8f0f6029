// SPDX-License-Identifier: Apache-2.0
// The message bus: one nng REP socket listening on ipc and tcp, a bounded number of contexts (the admission limit), a
// bounded queue and a pool of workers. A full queue answers busy at once. The socket gets its receive limit in the one
// function that opens it, before it listens.
// Thread safety: open and close from one thread; the handler runs on the workers.   Depends on: base, wire/message.h,
// nng.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

typedef struct gw_bus gw_bus;
typedef struct {
    const char *const *urls; // "ipc:///…", "tcp://127.0.0.1:4711" (port 0: any; see gw_bus_url)
    size_t url_count;
    unsigned contexts; // requests held at once; 0: 256
    unsigned workers;  // requests answered at once; 0: 64
    // Requests waiting for a worker; one more is answered busy. 0: three quarters of contexts - workers. What is left
    // of the contexts says busy: without any left, a flood would wait unanswered in the connections.
    unsigned queue;
    // Answers one request: appends the whole reply message. `worker` is 0 .. workers-1, for per-worker state. A reply
    // that is left empty or has failed is replaced by `busy`: the client asks again with the same id.
    void (*handle)(void *state, unsigned worker, gw_bytes request, gw_buffer *reply);
    // May be NULL: told before `handle`, on its thread, who sent the request: "uid 1000" on ipc, an IPv4 address or an
    // IPv6 network of 64 bits in hexadecimal digits on tcp, "" where that is not known.
    void (*peer)(void *state, unsigned worker, const char *address);
    // Writes the constant busy reply for a request that found the queue full or the bus closing. Runs on nng's threads:
    // no waiting in it, and no state without a lock.
    void (*busy)(void *state, gw_bytes request, gw_buffer *reply);
    void *state;
} gw_bus_options;

// Codes: cannot_listen, cannot_start. A socket file left by a dead daemon is replaced, one of a live daemon is not, and
// neither is a file of any other kind. Socket files get mode 0660.
GW_MUST_CHECK gw_status gw_bus_open(const gw_bus_options *options, gw_bus **ret, gw_problem *ret_problem);
// The address of a listener as bound: what it was asked for, with the port the system chose.
const char *gw_bus_url(const gw_bus *bus, size_t index);
// In phases: new connections refused and new requests answered busy; the queue drained and the workers joined; replies
// flushed (5 seconds at most, for peers that don't read); listeners, contexts and socket closed (5 seconds at most, for
// what nng does not give up). Accepts NULL.
void gw_bus_close(gw_bus *bus);
