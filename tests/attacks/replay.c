// SPDX-License-Identifier: Apache-2.0
// Record and replay. The steps are those of service/query/step_charge.c without its ledger: what they call is called
// here, in the same order.
#include "tests/attacks/replay.h"

#include "service/query/encode.h"
#include "service/query/protect.h"
#include "service/query/sql.h"
#include "tests/support/unit.h"

#define DOCUMENT_MAX (16u << 20)

// ---- measure

static char *statement_text(const gw_plan *plan, const replay_plant *plant, const gw_sql *sql) {
    const char *text = gw_buffer_string(&((gw_sql *)sql)->text);
    return plant && plant->statement ? plant->statement(plan, text) : strdup(text);
}

gw_exact_table *replay_measure(world *w, const world_snapshot *snapshot, const replay_plant *plant) {
    gw_plan plan = w->plan;
    gw_sql sql;
    gw_exact_table *exact = NULL;
    if (plant && plant->plan)
        plant->plan(&plan, false);
    assert_int_equal(gw_sql_build(&plan, w->arena, &sql), GW_OK);
    char *text = statement_text(&plan, plant, &sql);
    assert_non_null(text);
    const gw_engine_statement statement = {.snapshot = snapshot->path,
                                           .sql = text,
                                           .params = sql.params,
                                           .param_count = sql.param_count,
                                           .cell_count = plan.measured_cells,
                                           .part_count = plan.measured_parts,
                                           .deadline_ms = 20000};
    if (gw_engine_measure(w->engine, &statement, &exact) != GW_OK)
        fail_msg("the engine refused: %s\n%s", w->question, text);
    free(text);
    gw_buffer_done(&sql.text);
    return exact;
}

// ---- protect

gw_released_table *replay_protect(world *w, const gw_exact_table *exact, const replay_plant *plant,
                                  gw_random_source source) {
    const gw_laws *laws = NULL;
    gw_plan declared = w->plan;
    gw_released_table *released = NULL;
    if (plant && plant->plan)
        plant->plan(&declared, true);
    if (plant && plant->noise) {
        gw_noise noise = plant->noise(&declared, exact);
        declared.sensitivity = noise.sensitivity;
        declared.epsilon = noise.epsilon;
    }
    if (plant && plant->draw)
        plant->draw(exact, source);
    assert_int_equal(gw_query_laws_of(&declared, w->laws, &laws), GW_OK);
    gw_status status = gw_query_protect(&declared, laws, exact, source, &released);
    if (status != GW_OK)
        fail_msg("not protected: status %d\n%s", (int)status, w->question);
    gw_laws_drop(w->laws, laws);
    return released;
}

void replay_encode(world *w, const gw_released_table *released, gw_buffer *ret_document) {
    const gw_laws *laws = NULL;
    assert_int_equal(gw_query_laws_of(&w->plan, w->laws, &laws), GW_OK);
    const gw_plan_answer answer = {
        .plan = &w->plan, .laws = laws, .data_version = "00000000000000000000000000000000", .release = "R-2026-000001"};
    gw_buffer_init(ret_document, DOCUMENT_MAX);
    gw_status status = gw_plan_encode(&answer, released, (gw_hash){{7}}, ret_document);
    if (status != GW_OK)
        fail_msg("not encoded: status %d\n%s", (int)status, w->question);
    gw_laws_drop(w->laws, laws);
}

static void encode(world *w, const gw_exact_table *exact, const replay_plant *plant, const replay_run *run,
                   gw_buffer *ret) {
    replay_encode(w, run->released, ret);
    if (plant && plant->after)
        plant->after(exact, ret);
}

static bool documents_differ(gw_buffer *a, gw_buffer *b) {
    return a->size != b->size || memcmp(a->data, b->data, a->size) != 0;
}

// What goes into a tree or a choice is one count a person-unit; the nodes above it are the mechanism's own matter.
static uint64_t input_sensitivity(const gw_plan *plan) {
    bool is_by_grid = plan->mechanism == GW_MECHANISM_TREE || plan->mechanism == GW_MECHANISM_PICK;
    return is_by_grid ? plan->bound.sensitivity : plan->sensitivity;
}

void replay_make(world *w, const world_snapshot *snapshot, uint64_t seed, const replay_plant *plant, replay_run *ret) {
    const gw_plan *plan = &w->plan;
    gw_buffer again;
    *ret = (replay_run){.record = {.random = {.state = seed}},
                        .mechanism = gw_plan_mechanism_name(plan->mechanism),
                        .sensitivity = input_sensitivity(plan),
                        .epsilon = plan->epsilon.micro};
    if (plan->mechanism == GW_MECHANISM_SELECTION) {
        replay_make_keys(w, snapshot, seed, ret);
        return;
    }
    gw_exact_table *exact = replay_measure(w, snapshot, plant);
    if (plant && plant->input)
        plant->input(plan, exact);
    ret->input_count = exact->cell_count * exact->part_count;
    ret->input = malloc(ret->input_count * sizeof(*ret->input));
    assert_non_null(ret->input);
    memcpy(ret->input, exact->values, ret->input_count * sizeof(*ret->input));
    ret->released = replay_protect(w, exact, plant, recorded_source(&ret->record));
    ret->cells = gw_released_cell_count(ret->released);
    ret->parts = gw_released_part_count(ret->released);
    ret->block_count = gw_released_block_count(ret->released);
    for (size_t i = 0; i < ret->block_count; i++)
        ret->blocks[i] = gw_released_block(ret->released, i);
    encode(w, exact, plant, ret, &ret->document);
    // What a step after the noise makes of the data is seen when the data have gone by then.
    for (size_t i = 0; i < ret->input_count; i++)
        exact->values[i] = -12345 - (gw_int128)i;
    encode(w, exact, plant, ret, &again);
    ret->has_read_after_noise = documents_differ(&ret->document, &again);
    gw_buffer_done(&again);
    gw_exact_table_free(exact);
}

void replay_done(replay_run *run) {
    free(run->input);
    gw_exact_keys_free(run->keys);
    gw_released_free(run->released);
    gw_buffer_done(&run->document);
}

// ---- judge

const char *replay_verdict_name(replay_verdict verdict) {
    static const char *const names[] = {
        "holds",         "another trace", "inputs too far apart", "too little noise", "data read after the noise",
        "another length"};
    return names[verdict];
}

static bool traces_are_alike(const replay_run *a, const replay_run *b) {
    bool are = strcmp(a->mechanism, b->mechanism) == 0 && a->cells == b->cells && a->parts == b->parts &&
               a->input_count == b->input_count && a->block_count == b->block_count &&
               a->sensitivity == b->sensitivity && a->epsilon == b->epsilon && recorded_alike(&a->record, &b->record);
    for (size_t i = 0; i < a->block_count && are; i++)
        are = a->blocks[i].first_cell == b->blocks[i].first_cell &&
              a->blocks[i].cell_count == b->blocks[i].cell_count &&
              a->blocks[i].noise.epsilon.micro == b->blocks[i].noise.epsilon.micro &&
              a->blocks[i].noise.sensitivity == b->blocks[i].noise.sensitivity;
    return are;
}

uint64_t replay_distance(const replay_run *a, const replay_run *b) {
    gw_int128 sum = 0;
    if (a->keys)
        return replay_keys_distance(a->keys, b->keys);
    for (size_t i = 0; i < a->input_count; i++)
        sum += a->input[i] > b->input[i] ? a->input[i] - b->input[i] : b->input[i] - a->input[i];
    return sum > (gw_int128)UINT64_MAX ? UINT64_MAX : (uint64_t)sum;
}

// Noise on every value of the input: what one person changes, times epsilon over sensitivity, is within the price.
static bool is_paid_for(const replay_run *a, const replay_run *b) {
    if (strcmp(a->mechanism, gw_plan_mechanism_name(GW_MECHANISM_PARTS)) != 0)
        return true; // the noise is on sums of the input; their own notes and tests say how much of it
    const gw_noise noise = a->blocks[0].noise;
    return a->block_count == 1 &&
           (gw_int128)replay_distance(a, b) * noise.epsilon.micro <= (gw_int128)a->epsilon * noise.sensitivity;
}

replay_verdict replay_judge(const replay_run *a, const replay_run *b) {
    if (!traces_are_alike(a, b))
        return REPLAY_TRACE;
    if (replay_distance(a, b) > a->sensitivity)
        return REPLAY_DISTANCE;
    if (!is_paid_for(a, b))
        return REPLAY_NOISE;
    if (a->has_read_after_noise || b->has_read_after_noise)
        return REPLAY_AFTER;
    // Which keys are shown follows from the draw, at the price of a delta, and so may the length.
    return a->keys || a->document.size == b->document.size ? REPLAY_HOLDS : REPLAY_LENGTH;
}
