// SPDX-License-Identifier: Apache-2.0
// One request from this machine to the daemon on it: how a local command hands its signed change to a running service.
// Thread safety: safe.   Depends on: base, nng.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

// Appends the whole reply message. GW_UNAVAILABLE, code unreachable, when nobody listens or no reply came in time.
GW_MUST_CHECK gw_status gw_bus_ask(const char *url, gw_bytes request, int timeout_ms, gw_buffer *ret_reply,
                                   gw_problem *ret_problem);
