// SPDX-License-Identifier: Apache-2.0
// A visitor's ping: whether a daemon answers on an address as it would answer anybody.
// Thread safety: safe.   Depends on: bus/ask.h, wire/message.h.
#pragma once
#include "service/wire/message.h"

// Over a connection of its own. The reply is read, not only awaited; busy is a reply.
// Codes: those of gw_bus_ask and gw_reply_message_decode.
GW_MUST_CHECK gw_status gw_ping(const char *url, const char *origin, int timeout_ms, gw_reply_status *ret,
                                gw_problem *ret_problem);
