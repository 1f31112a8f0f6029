// SPDX-License-Identifier: Apache-2.0
// Record and replay: one question through the query room's own functions (statement, engine, mechanism, encoder) with
// recorded randomness. Two neighbouring registers run under the same record must leave the same trace, and what goes
// into the mechanism must differ by no more than the plan declares. After "Re:cord-play" (PETS 2026).
// A plant bends the way between these functions, as a mistake in one of them would; the service has no such seam.
// Thread safety: one owner.   Depends on: world.h, service/query/{sql,protect,encode}.h.
#pragma once
#include "privacy/exact_keys.h"
#include "tests/attacks/world.h"
#include "tests/support/recorded_random.h"

typedef struct {
    const char *name;
    char *(*statement)(const gw_plan *plan, const char *text); // another text, for free(); NULL: as it was built
    void (*plan)(gw_plan *plan, bool is_of_noise); // another plan for the statement (false) or for the noise (true)
    void (*input)(const gw_plan *plan, gw_exact_table *exact);           // between engine and mechanism
    gw_noise (*noise)(const gw_plan *plan, const gw_exact_table *exact); // another noise than the plan's
    void (*draw)(const gw_exact_table *exact, gw_random_source source);  // draws of its own
    void (*after)(const gw_exact_table *exact, gw_buffer *document);     // reads the data after the noise
} replay_plant;

typedef struct {
    // The trace.
    recorded_random record;
    const char *mechanism;
    size_t cells, parts, block_count;
    gw_released_block_facts blocks[GW_RELEASED_BLOCKS_MAX];
    uint64_t sensitivity, epsilon; // as the plan declares them
    // What went in: measured_cells x measured_parts.
    gw_int128 *input;
    size_t input_count;
    gw_exact_keys *keys; // instead, where keys are counted that no list names
    // What came out.
    gw_released_table *released;
    gw_buffer document;
    bool has_read_after_noise; // the document changes with values that are wiped by then
} replay_run;

// The two halves of it, for whoever releases one input many times: what the engine gives for w->plan, and a release of
// it. The caller frees both.
gw_exact_table *replay_measure(world *w, const world_snapshot *snapshot, const replay_plant *plant);
gw_released_table *replay_protect(world *w, const gw_exact_table *exact, const replay_plant *plant,
                                  gw_random_source source);

// The answer's bytes. The caller ends the buffer.
void replay_encode(world *w, const gw_released_table *released, gw_buffer *ret_document);

// Runs the plan in w->plan on a snapshot. `plant` NULL: as it is.
void replay_make(world *w, const world_snapshot *snapshot, uint64_t seed, const replay_plant *plant, replay_run *ret);
void replay_done(replay_run *run);
// replay_keys.c: the same for keys that no list names; and how far apart the counts of two runs are, over all keys.
void replay_make_keys(world *w, const world_snapshot *snapshot, uint64_t seed, replay_run *ret);
uint64_t replay_keys_distance(const gw_exact_keys *a, const gw_exact_keys *b);

typedef enum {
    REPLAY_HOLDS,
    REPLAY_TRACE,    // another mechanism, noise or shape, or other draws
    REPLAY_DISTANCE, // the inputs are further apart than declared
    REPLAY_NOISE,    // the noise is smaller than the inputs' distance needs at the price
    REPLAY_AFTER,    // data was read after the noise
    REPLAY_LENGTH,   // the documents are not equally long
} replay_verdict;
const char *replay_verdict_name(replay_verdict verdict);
replay_verdict replay_judge(const replay_run *a, const replay_run *b);
uint64_t replay_distance(const replay_run *a, const replay_run *b);
