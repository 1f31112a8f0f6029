// SPDX-License-Identifier: Apache-2.0
// What time it is, as far as a budget may depend on it. A wrong clock must not renew one: beside the wall clock stands
// a time that is sure, the time last known to be right and what the boot clock has counted since, which may lag behind
// the truth (nobody counts while the machine is off) and never runs ahead of it. Entries bear the wall clock's time
// unless a window in which something is spent would end between what is sure and that: then they bear what is sure.
// Inside this room only. Thread safety: one owner at a time.   Depends on: base/clock.h.
#pragma once
#include "service/base/clock.h"
#include "service/ledger/ledger.h"

typedef struct {
    int64_t unix_seconds, boot_ms; // it was this time when the boot clock stood there
} ledger_anchor;

typedef struct {
    gw_clock os;
    char *path; // of the file that holds the anchors from one run to the next
    uint8_t boot[GW_BOOT_ID_SIZE];
    ledger_anchor sure;
    ledger_anchor seen; // the wall clock when this boot first showed a possible time: it does not jump away from it
    bool has_seen;
    int64_t edge;         // the first end of a window in which something is spent, after what was sure; LEDGER_NO_EDGE
    int64_t kept_boot_ms; // when the file was last written
    bool is_new;          // since then an anchor was set
} ledger_clock;

#define LEDGER_NO_EDGE INT64_MAX
#define LEDGER_CLOCK_AHEAD_MAX 120 // seconds
#define LEDGER_CLOCK_BYTES_MAX 512
#define LEDGER_KEEP_SECONDS 60 // so much of the sure time may be lost with the power

// Reads the anchors in `path` (taken). `last` is the time of the last entry; without charges no window can be renewed,
// and the wall clock is believed.
void ledger_clock_open(ledger_clock *clock, gw_clock os, char *path, int64_t last, bool has_charges);
void ledger_clock_done(ledger_clock *clock);

gw_ledger_clock ledger_clock_read(ledger_clock *clock, int64_t last);
// Whether nobody counted for a while since the time was last sure: then `edge` is wanted, the first after `limit`.
bool ledger_clock_wants_edge(const ledger_clock *clock, int64_t *ret_limit);
// Somebody answers for the wall clock as it stands.
void ledger_clock_confirm(ledger_clock *clock);
// What the file is to hold now, where something new or a minute has to be kept, or `is_due`; then write it. That it
// cannot be written is a matter of degree: less is sure after the next start of the machine.
bool ledger_clock_keep(ledger_clock *clock, bool is_due, gw_buffer *text);
void ledger_clock_write(const ledger_clock *clock, const gw_buffer *text);
