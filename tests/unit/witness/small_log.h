// SPDX-License-Identifier: Apache-2.0
// A log of made-up entries in memory, with its key: any tree of it, any proof, any signed checkpoint. A second history
// parts from the first at a chosen entry.
// Thread safety: one owner.   Depends on: audit/{merkle,note}.
#pragma once
#include "service/audit/merkle.h"
#include "service/audit/note.h"
#include "tests/support/unit.h"

#define SMALL_LOG_MAX 600u
typedef struct {
    char origin[128];
    gw_secret_key *secret;
    gw_note_key key;
    char vkey[GW_VKEY_MAX];
    uint64_t parts_at; // entries from here on are another history's; UINT64_MAX: none
} small_log;

static inline small_log small_log_new(const char *origin, uint8_t seed_byte) {
    small_log log = {.parts_at = UINT64_MAX};
    uint8_t seed[GW_SEED_SIZE];
    memset(seed, seed_byte, sizeof(seed));
    snprintf(log.origin, sizeof(log.origin), "%s", origin);
    assert_int_equal(gw_key_from_seed(seed, &log.secret), GW_OK);
    assert_int_equal(gw_note_key_new(origin, gw_key_public(log.secret), &log.key), GW_OK);
    gw_note_key_format(&log.key, log.vkey);
    return log;
}

// Node of a level, computed from its leaves: small trees only.
static inline gw_status small_log_node(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    const small_log *log = state;
    if (level == 0) {
        char entry[64];
        int size = snprintf(entry, sizeof(entry), "%s %llu", index >= log->parts_at ? "other" : "entry",
                            (unsigned long long)index);
        *ret = gw_merkle_leaf((gw_bytes){(const uint8_t *)entry, (size_t)size});
        return GW_OK;
    }
    gw_hash left, right;
    gw_status status = small_log_node(state, level - 1, 2 * index, &left);
    if (status == GW_OK)
        status = small_log_node(state, level - 1, 2 * index + 1, &right);
    if (status == GW_OK)
        *ret = gw_merkle_node(left, right);
    return status;
}

static inline gw_merkle_source small_log_tree(small_log *log) {
    return (gw_merkle_source){.node = small_log_node, .state = log};
}

static inline gw_checkpoint small_log_checkpoint(small_log *log, uint64_t size) {
    gw_checkpoint checkpoint = {.size = size};
    memcpy(checkpoint.origin, log->origin, sizeof(checkpoint.origin));
    assert_true(size <= SMALL_LOG_MAX);
    assert_int_equal(gw_merkle_root(small_log_tree(log), size, &checkpoint.root), GW_OK);
    return checkpoint;
}

// Appends the signed checkpoint of a size.
static inline void small_log_sign(small_log *log, uint64_t size, gw_buffer *note) {
    gw_checkpoint checkpoint = small_log_checkpoint(log, size);
    gw_checkpoint_sign(&checkpoint, log->secret, note);
    assert_int_equal(note->status, GW_OK);
}
