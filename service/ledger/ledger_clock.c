// SPDX-License-Identifier: Apache-2.0
// Anchors are never moved forward by the wall clock, so that many small steps of it are no way around the rule for
// large ones. The file: its name and version, the boot's id, then "sure" and "seen" (unix seconds and boot milliseconds
// of each anchor; seen is "none" where no possible time was seen), and the boot milliseconds when it was written.
#include "service/ledger/ledger_clock.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIX_MAX INT64_C(253402300799) // the year 9999; a log's years have four digits
// Over a long time wall and boot clock part, by small corrections: a hundred millionths, what a quartz is off.
#define DRIFT_PARTS 10000
// Without a window to renew a wrong clock costs no budget, only true times: what is further away wants a confirmation.
#define DOWNTIME_SECONDS_MAX INT64_C(34560000) // 400 days

static int64_t within(int64_t seconds) {
    return seconds < 0 ? 0 : seconds > UNIX_MAX ? UNIX_MAX : seconds;
}

// Seconds of the boot clock since the anchor, none where that went back.
static int64_t elapsed(const ledger_anchor *anchor, int64_t boot_ms) {
    int64_t ms;
    if (__builtin_sub_overflow(boot_ms, anchor->boot_ms, &ms))
        return 0;
    return within(ms / 1000);
}

static int64_t estimate(const ledger_anchor *anchor, int64_t boot_ms) {
    return within(anchor->unix_seconds + elapsed(anchor, boot_ms));
}

static int64_t tolerance(const ledger_anchor *anchor, int64_t boot_ms) {
    return LEDGER_CLOCK_AHEAD_MAX + elapsed(anchor, boot_ms) / DRIFT_PARTS;
}

static int64_t wall_of(const ledger_clock *clock) {
    return within(clock->os.unix_seconds(clock->os.state));
}

static int64_t boot_of(const ledger_clock *clock) {
    return clock->os.boot_ms(clock->os.state);
}

// ---- the file

typedef struct {
    char boot[2 * GW_BOOT_ID_SIZE + 1];
    ledger_anchor sure, seen;
    bool has_seen;
    int64_t kept_boot_ms;
} kept;

static void kept_format(const kept *what, gw_buffer *text) {
    gw_buffer_format(text, "godwit-clock/1\nboot %s\nsure %" PRId64 " %" PRId64 "\nseen ", what->boot,
                     what->sure.unix_seconds, what->sure.boot_ms);
    if (what->has_seen)
        gw_buffer_format(text, "%" PRId64 " %" PRId64 "\n", what->seen.unix_seconds, what->seen.boot_ms);
    else
        gw_buffer_text(text, "none\n");
    gw_buffer_format(text, "kept %" PRId64 "\n", what->kept_boot_ms);
}

// Takes a file that reads as it would be written, and nothing else.
static bool kept_read(const char *path, kept *ret) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text, again;
    gw_buffer_init(&text, LEDGER_CLOCK_BYTES_MAX);
    gw_buffer_init(&again, LEDGER_CLOCK_BYTES_MAX);
    *ret = (kept){.has_seen = true};
    if (gw_file_read(path, &text, NULL) != GW_OK)
        return false;
    const char *at = gw_buffer_string(&text);
    if (sscanf(at, "godwit-clock/1 boot %32s sure %" SCNd64 " %" SCNd64 " seen %" SCNd64 " %" SCNd64 " kept %" SCNd64,
               ret->boot, &ret->sure.unix_seconds, &ret->sure.boot_ms, &ret->seen.unix_seconds, &ret->seen.boot_ms,
               &ret->kept_boot_ms) != 6) {
        ret->has_seen = false;
        if (sscanf(at, "godwit-clock/1 boot %32s sure %" SCNd64 " %" SCNd64 " seen none kept %" SCNd64, ret->boot,
                   &ret->sure.unix_seconds, &ret->sure.boot_ms, &ret->kept_boot_ms) != 4)
            return false;
    }
    kept_format(ret, &again);
    return again.status == GW_OK && again.size == text.size && memcmp(again.data, text.data, text.size) == 0 &&
           ret->sure.unix_seconds == within(ret->sure.unix_seconds) &&
           ret->seen.unix_seconds == within(ret->seen.unix_seconds);
}

bool ledger_clock_keep(ledger_clock *clock, bool is_due, gw_buffer *text) {
    int64_t boot_ms = boot_of(clock);
    const ledger_anchor last = {.boot_ms = clock->kept_boot_ms};
    if (!is_due && !clock->is_new && elapsed(&last, boot_ms) < LEDGER_KEEP_SECONDS)
        return false;
    kept now = {.sure = clock->sure, .seen = clock->seen, .has_seen = clock->has_seen, .kept_boot_ms = boot_ms};
    gw_hex((gw_bytes){clock->boot, GW_BOOT_ID_SIZE}, now.boot);
    kept_format(&now, text);
    clock->kept_boot_ms = boot_ms;
    clock->is_new = false;
    return text->status == GW_OK;
}

void ledger_clock_write(const ledger_clock *clock, const gw_buffer *text) {
    gw_ignore(gw_file_replace(clock->path, gw_buffer_bytes(text), 0600, NULL)); // the header says what then
}

// ---- reading

bool ledger_clock_wants_edge(const ledger_clock *clock, int64_t *ret_limit) {
    int64_t boot_ms = boot_of(clock);
    *ret_limit = estimate(&clock->sure, boot_ms) + tolerance(&clock->sure, boot_ms);
    return !clock->has_seen || clock->seen.unix_seconds != clock->sure.unix_seconds ||
           clock->seen.boot_ms != clock->sure.boot_ms;
}

// Where the time of an entry may not come to without a confirmation.
static int64_t stop_of(const ledger_clock *clock, int64_t limit) {
    int64_t far = limit + DOWNTIME_SECONDS_MAX;
    return clock->edge > limit && clock->edge < far ? clock->edge : far;
}

gw_ledger_clock ledger_clock_read(ledger_clock *clock, int64_t last) {
    int64_t boot_ms = boot_of(clock), wall = wall_of(clock);
    int64_t sure = estimate(&clock->sure, boot_ms), limit = sure + tolerance(&clock->sure, boot_ms);
    if (!clock->has_seen && wall >= sure) {
        clock->seen = (ledger_anchor){.unix_seconds = wall, .boot_ms = boot_ms};
        clock->has_seen = clock->is_new = true;
    }
    int64_t bound = UNIX_MAX;
    if (clock->has_seen)
        bound = estimate(&clock->seen, boot_ms) + tolerance(&clock->seen, boot_ms);
    gw_ledger_clock reading = {.wall = wall, .sure = sure, .last = last, .stamp = wall < bound ? wall : bound};
    bool is_held = reading.stamp > limit && reading.stamp >= stop_of(clock, limit);
    if (is_held)
        reading.stamp = limit;
    reading.state = wall > bound                           ? GW_CLOCK_JUMPED
                    : is_held                              ? GW_CLOCK_UNCONFIRMED
                    : wall < last - LEDGER_CLOCK_AHEAD_MAX ? GW_CLOCK_BEHIND
                                                           : GW_CLOCK_RIGHT;
    return reading;
}

// ---- anchors

static bool is_same_boot(const ledger_clock *clock, const kept *from) {
    static const uint8_t unknown[GW_BOOT_ID_SIZE] = {0};
    char boot[2 * GW_BOOT_ID_SIZE + 1];
    gw_hex((gw_bytes){clock->boot, GW_BOOT_ID_SIZE}, boot);
    return memcmp(clock->boot, unknown, GW_BOOT_ID_SIZE) != 0 && strcmp(boot, from->boot) == 0;
}

// The machine was started anew, or this is another one: how long nobody counted is not known.
static void open_after(ledger_clock *clock, int64_t sure) {
    clock->sure = (ledger_anchor){.unix_seconds = sure, .boot_ms = boot_of(clock)};
    clock->has_seen = false;
}

void ledger_clock_open(ledger_clock *clock, gw_clock os, char *path, int64_t last, bool has_charges) {
    kept from;
    *clock = (ledger_clock){.os = os, .path = path, .edge = LEDGER_NO_EDGE};
    if (os.boot_id != NULL)
        os.boot_id(os.state, clock->boot);
    if (kept_read(path, &from)) {
        if (is_same_boot(clock, &from)) {
            clock->sure = from.sure;
            clock->seen = from.seen;
            clock->has_seen = from.has_seen;
        } else {
            open_after(clock, estimate(&from.sure, from.kept_boot_ms));
        }
    } else {
        int64_t wall = wall_of(clock);
        open_after(clock, has_charges || wall < last ? last : wall);
    }
    ledger_clock_read(clock, last); // sees the wall clock
}

void ledger_clock_done(ledger_clock *clock) {
    free(clock->path);
    clock->path = NULL;
}

void ledger_clock_confirm(ledger_clock *clock) {
    clock->sure = (ledger_anchor){.unix_seconds = wall_of(clock), .boot_ms = boot_of(clock)};
    clock->seen = clock->sure;
    clock->has_seen = clock->is_new = true;
    clock->edge = LEDGER_NO_EDGE;
}
