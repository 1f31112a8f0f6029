// SPDX-License-Identifier: Apache-2.0
// One connection to the service that carries whole messages: a request out, its reply in, bounded in time and size.
// Never sends a request twice by itself. Thread safety: one owner.   Depends on: base, nng.
#pragma once
#include "service/base/buffer.h"

typedef struct gw_transport gw_transport;
// Connects, or says GW_UNAVAILABLE within `timeout_ms`. GW_INVALID: the address is not one ("ipc://…", "tcp://…").
GW_MUST_CHECK gw_status gw_transport_open(const char *url, int timeout_ms, size_t reply_size_max, gw_transport **ret);
void gw_transport_close(gw_transport *transport); // accepts NULL
// GW_OK: `ret_reply` is borrowed until the next call. GW_UNAVAILABLE: no connection within the time. GW_RETRY: sent,
// and then the connection was lost or the time passed: whether it was acted upon is not known.
GW_MUST_CHECK gw_status gw_transport_exchange(gw_transport *transport, gw_bytes message, int timeout_ms,
                                              gw_bytes *ret_reply);
