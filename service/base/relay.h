// SPDX-License-Identifier: Apache-2.0
// Work passed on in order from a second thread to this one, through a few slots: the far side fills them ahead of the
// near side, which uses them one at a time. Each side owns the slot it holds, so that slots need no locks.
// Thread safety: one thread on each side.   Depends on: libc.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct gw_relay gw_relay;

// Starts a thread that runs `fill`. Slots are the caller's and stay until gw_relay_stop has returned. NULL: there is no
// memory or no thread.
gw_relay *gw_relay_start(void *slots, size_t slot_size, size_t slot_count, void (*fill)(void *state, gw_relay *relay),
                         void *state);
// The far side: waits for a free slot, hands it back with the next call. NULL: the near side wants no more.
void *gw_relay_empty(gw_relay *relay);
void gw_relay_send(gw_relay *relay); // the slot that was got last is filled
// The near side: frees the slot before and waits for the next one. NULL: `fill` has returned and all were had.
void *gw_relay_next(gw_relay *relay);
// Waits until `fill` has returned, which it does at the next call of gw_relay_empty. Accepts NULL.
void gw_relay_stop(gw_relay *relay);
