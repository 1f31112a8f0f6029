// SPDX-License-Identifier: Apache-2.0
// Changes are made once: a signed change that comes again (the bus may deliver twice, anybody may resend what they saw)
// gets the first reply, for as long as its time is accepted at all. Thread safety: safe.   Depends on: base,
// wire/message.h.
#pragma once
#include "service/base/buffer.h"
#include "service/wire/message.h"

typedef struct gw_replays gw_replays;
typedef enum { GW_REPLAY_NEW, GW_REPLAY_SAME, GW_REPLAY_OTHER, GW_REPLAY_FULL } gw_replay;

gw_replays *gw_replays_new(void);
void gw_replays_free(gw_replays *replays); // accepts NULL
// NEW: go on, then call gw_replay_end. SAME: `ret_document` has the first reply (waits for it while it is being made).
// OTHER: the id stands for other bytes. FULL: too many changes in a short time.
gw_replay gw_replay_begin(gw_replays *replays, const gw_request_message *message, int64_t now, gw_buffer *ret_document);
// Keeps the reply of a change that was made; forgets one that was refused, which may be tried again.
void gw_replay_end(gw_replays *replays, const gw_request_message *message, bool is_made, gw_bytes document);
