// SPDX-License-Identifier: Apache-2.0
// Record and replay where keys are counted that no list names: other tables and another mechanism, the same judge.
#include "tests/attacks/replay.h"

#include "service/query/encode.h"
#include "service/query/protect.h"
#include "service/query/sql.h"
#include "tests/support/unit.h"

#define DOCUMENT_MAX (16u << 20)

static gw_exact_keys *measure(world *w, const world_snapshot *snapshot) {
    gw_sql sql;
    gw_exact_keys *exact = NULL;
    assert_int_equal(gw_sql_build(&w->plan, w->arena, &sql), GW_OK);
    const gw_engine_statement statement = {.snapshot = snapshot->path,
                                           .sql = gw_buffer_string(&sql.text),
                                           .params = sql.params,
                                           .param_count = sql.param_count,
                                           .cell_count = w->plan.measured_cells,
                                           .part_count = w->plan.measured_parts,
                                           .key_bytes = w->plan.of->text_bytes_max,
                                           .deadline_ms = 20000};
    if (gw_engine_measure_keys(w->engine, &statement, &exact) != GW_OK)
        fail_msg("the engine refused: %s\n%s", w->question, gw_buffer_string(&sql.text));
    gw_buffer_done(&sql.text);
    return exact;
}

static void encode(world *w, const gw_laws *laws, const gw_released_keys *released, gw_buffer *ret) {
    const gw_plan_answer answer = {
        .plan = &w->plan, .laws = laws, .data_version = "00000000000000000000000000000000", .release = "R-2026-000001"};
    gw_buffer_init(ret, DOCUMENT_MAX);
    if (gw_plan_encode_keys(&answer, released, (gw_hash){{7}}, ret) != GW_OK)
        fail_msg("not encoded: %s", w->question);
}

void replay_make_keys(world *w, const world_snapshot *snapshot, uint64_t seed, replay_run *ret) {
    const gw_laws *laws = NULL;
    gw_released_keys *released = NULL;
    gw_buffer again;
    ret->record = (recorded_random){.random = {.state = seed}};
    ret->keys = measure(w, snapshot);
    ret->cells = ret->keys->slot_count;
    ret->parts = ret->keys->text_size;
    gw_exact_keys *measured = measure(w, snapshot); // to be wiped; the other is kept for the judge
    assert_int_equal(gw_query_laws_of(&w->plan, w->laws, &laws), GW_OK);
    gw_status status = gw_query_protect_keys(&w->plan, laws, measured, recorded_source(&ret->record), &released);
    if (status != GW_OK)
        fail_msg("not protected: status %d\n%s", (int)status, w->question);
    encode(w, laws, released, &ret->document);
    memset(measured->counts, 0x55, gw_exact_keys_bytes(measured));
    encode(w, laws, released, &again);
    ret->has_read_after_noise =
        again.size != ret->document.size || memcmp(again.data, ret->document.data, again.size) != 0;
    gw_buffer_done(&again);
    gw_exact_keys_free(measured);
    gw_released_keys_free(released);
    gw_laws_drop(w->laws, laws);
}

static uint64_t count_of(const gw_exact_keys *keys, const char *text) {
    for (size_t i = 0; i < keys->slot_count; i++)
        if (keys->counts[i] != 0 && strcmp(gw_exact_keys_text(keys, i), text) == 0)
            return keys->counts[i];
    return 0;
}

// Over the keys of one side: those that both have, where `is_of_both`, and those that the other has not.
static uint64_t one_side(const gw_exact_keys *a, const gw_exact_keys *b, bool is_of_both) {
    uint64_t sum = 0;
    for (size_t i = 0; i < a->slot_count; i++) {
        uint64_t other = a->counts[i] == 0 ? 0 : count_of(b, gw_exact_keys_text((gw_exact_keys *)a, i));
        if (other == 0 || is_of_both)
            sum += a->counts[i] > other ? a->counts[i] - other : other - a->counts[i];
    }
    return sum;
}

uint64_t replay_keys_distance(const gw_exact_keys *a, const gw_exact_keys *b) {
    return one_side(a, b, true) + one_side(b, a, false);
}
