// SPDX-License-Identifier: Apache-2.0
// The codec between daemon and engine: what was packed comes back, and what was cut or bent is refused.
#include "service/engine/keyed_hash.h"
#include "service/engine/load.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void statement_comes_back_as_it_went(void **state) {
    (void)state;
    const int64_t params[] = {INT64_MIN, -1, 0, INT64_MAX};
    gw_engine_statement sent = {.snapshot = "a/b.duckdb",
                                .sql = "SELECT 1",
                                .params = params,
                                .param_count = 4,
                                .cell_count = 9,
                                .part_count = 2};
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1u << 20);
    gw_statement_pack(&sent, &buffer);
    int64_t *room = calloc(GW_ENGINE_PARAMS_MAX, sizeof(*room));
    gw_engine_statement seen;
    assert_int_equal(gw_statement_unpack(gw_buffer_bytes(&buffer), room, &seen), GW_OK);
    assert_string_equal(seen.snapshot, sent.snapshot);
    assert_string_equal(seen.sql, sent.sql);
    assert_int_equal(seen.cell_count, 9);
    assert_int_equal(seen.part_count, 2);
    assert_memory_equal(seen.params, params, sizeof(params));
    for (size_t size = 0; size < buffer.size; size++) // every cut is refused
        assert_int_equal(gw_statement_unpack((gw_bytes){buffer.data, size}, room, &seen), GW_CORRUPT);
    gw_buffer_append(&buffer, "x", 1);
    assert_int_equal(gw_statement_unpack(gw_buffer_bytes(&buffer), room, &seen), GW_CORRUPT);
    gw_buffer_done(&buffer);
    free(room);
}

static void statement_past_the_maxima_is_refused(void **state) {
    (void)state;
    const size_t shapes[][2] = {{0, 1}, {1, 0}, {GW_CELLS_MAX + 1, 1}, {1, GW_PARTS_MAX + 1}};
    int64_t *room = calloc(GW_ENGINE_PARAMS_MAX, sizeof(*room));
    for (size_t i = 0; i < 4; i++) {
        gw_engine_statement sent = {
            .snapshot = "s", .sql = "q", .cell_count = shapes[i][0], .part_count = shapes[i][1]};
        gw_engine_statement seen;
        gw_buffer buffer;
        gw_buffer_init(&buffer, 4096);
        gw_statement_pack(&sent, &buffer);
        assert_int_equal(gw_statement_unpack(gw_buffer_bytes(&buffer), room, &seen), GW_CORRUPT);
        gw_buffer_done(&buffer);
    }
    free(room);
}

static void plan_pack(gw_buffer *buffer) {
    static const char *const codes[] = {"F", "M", "_U"};
    static const gw_load_recode recodes[] = {{"1", 1}, {"2", 0}};
    static const gw_load_column columns[] = {
        {.name = "s",
         .target = "sex",
         .is_code = true,
         .codes = codes,
         .code_count = 3,
         .recodes = recodes,
         .recode_count = 2,
         .missing_is_unknown = true},
        {.name = "a", .target = "age", .is_whole = true, .max_scaled = 120, .grid_scaled = 1, .steps = 120}};
    static const gw_load_inherited inherited[] = {{0, 1}};
    static const gw_load_table tables[] = {{.name = "persons",
                                            .source = "p.csv",
                                            .person = "id",
                                            .rows_per_person_max = 1,
                                            .columns = columns,
                                            .column_count = 2},
                                           {.name = "permits",
                                            .source = "q.csv",
                                            .person = "id",
                                            .rows_per_person_max = 4,
                                            .columns = columns,
                                            .column_count = 1,
                                            .inherited = inherited,
                                            .inherited_count = 1}};
    static const uint64_t key[GW_LOAD_KEY_WORDS] = {1, 2, 3, UINT64_MAX};
    gw_load_plan plan = {
        .folder = "f", .threads = 2, .memory_bytes = 1, .key = key, .tables = tables, .table_count = 2};
    plan.treatments[GW_LOAD_OUT_OF_BOUNDS] = GW_TREAT_CLAMP;
    gw_load_plan_pack(&plan, buffer);
}

static void plan_comes_back_as_it_went(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1u << 20);
    plan_pack(&buffer);
    gw_arena *arena = gw_arena_new(1u << 20);
    gw_load_plan plan;
    assert_int_equal(gw_load_plan_unpack(gw_buffer_bytes(&buffer), arena, &plan), GW_OK);
    assert_int_equal(plan.table_count, 2);
    assert_string_equal(plan.tables[0].columns[0].recodes[1].from, "2");
    assert_int_equal(plan.tables[0].columns[1].max_scaled, 120);
    assert_int_equal(plan.tables[1].inherited[0].column, 1);
    assert_int_equal(plan.treatments[GW_LOAD_OUT_OF_BOUNDS], GW_TREAT_CLAMP);
    assert_true(plan.key[0] == 1 && plan.key[3] == UINT64_MAX);
    for (size_t size = 0; size < buffer.size; size++)
        assert_int_equal(gw_load_plan_unpack((gw_bytes){buffer.data, size}, arena, &plan), GW_CORRUPT);
    gw_arena_free(arena);
    gw_buffer_done(&buffer);
}

// No bent byte may be read out of bounds (the sanitizer watches); most are refused, the rest are other plans.
static void bent_plan_is_read_within_its_bounds(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 1u << 20);
    plan_pack(&buffer);
    size_t refused = 0;
    for (size_t i = 0; i < buffer.size; i++) {
        uint8_t *bent = malloc(buffer.size);
        memcpy(bent, buffer.data, buffer.size);
        bent[i] ^= 0xFF;
        gw_arena *arena = gw_arena_new(1u << 20);
        gw_load_plan plan;
        refused += gw_load_plan_unpack((gw_bytes){bent, buffer.size}, arena, &plan) != GW_OK;
        gw_arena_free(arena);
        free(bent);
    }
    assert_true(refused > buffer.size / 3);
    gw_buffer_done(&buffer);
}

static void treatments_fit_their_kinds(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < GW_LOAD_KINDS; kind++) {
        assert_true(gw_load_treatment_fits((gw_load_kind)kind, GW_TREAT_DROP_ROW));
        assert_int_equal(gw_load_treatment_fits((gw_load_kind)kind, GW_TREAT_CLAMP), kind == GW_LOAD_OUT_OF_BOUNDS);
    }
    assert_false(gw_load_treatment_fits(GW_LOAD_MISSING_ID, GW_TREAT_MISSING));
    assert_false(gw_load_treatment_fits(GW_LOAD_TOO_MANY_ROWS, GW_TREAT_MISSING));
}

static void frame_of_another_size_kind_or_request_is_refused(void **state) {
    (void)state;
    const gw_frame wrong[] = {{.kind = GW_FRAME_HELLO, .sequence = 7, .size = 4},
                              {.kind = GW_FRAME_TABLE, .sequence = 8, .size = 4},
                              {.kind = GW_FRAME_TABLE, .sequence = 7, .size = 5}};
    gw_frame expected = {.kind = GW_FRAME_TABLE, .sequence = 7, .size = 4};
    for (size_t i = 0; i < 3; i++) {
        int pair[2];
        char payload[8] = "";
        gw_frame seen;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(gw_frame_send(pair[0], &wrong[i], "abcdefg", -1), GW_OK);
        assert_int_equal(gw_frame_receive_exact(pair[1], &expected, payload, -1, &seen), GW_CORRUPT);
        close(pair[0]);
        close(pair[1]);
    }
}

static void silence_ends_at_the_deadline_and_hang_up_at_once(void **state) {
    (void)state;
    int pair[2];
    gw_frame expected = {.kind = GW_FRAME_TABLE}, seen;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(gw_frame_receive_exact(pair[1], &expected, NULL, gw_engine_now_ms() + 5, &seen), GW_RETRY);
    close(pair[0]);
    assert_int_equal(gw_frame_receive_exact(pair[1], &expected, NULL, -1, &seen), GW_IO);
    gw_frame frame = {.kind = GW_FRAME_HELLO};
    assert_int_equal(gw_frame_send(pair[1], &frame, NULL, -1), GW_IO);
    close(pair[1]);
}

// Vectors of the reference code: key 00..0f, messages of bytes 0, 1, 2 …
static void keyed_hash_is_siphash_2_4_128(void **state) {
    (void)state;
    uint64_t key[2];
    uint8_t bytes[16];
    for (uint8_t i = 0; i < 16; i++)
        bytes[i] = i;
    memcpy(key, bytes, sizeof(key));
    static const uint8_t empty[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                      0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    static const uint8_t one[16] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                    0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
    gw_keyed_hash hash = gw_keyed_hash_of(key, (gw_bytes){bytes, 0});
    assert_memory_equal(&hash.low, empty, 8);
    assert_memory_equal(&hash.high, empty + 8, 8);
    hash = gw_keyed_hash_of(key, (gw_bytes){bytes, 1});
    assert_memory_equal(&hash.low, one, 8);
    assert_memory_equal(&hash.high, one + 8, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statement_comes_back_as_it_went),
        cmocka_unit_test(statement_past_the_maxima_is_refused),
        cmocka_unit_test(plan_comes_back_as_it_went),
        cmocka_unit_test(bent_plan_is_read_within_its_bounds),
        cmocka_unit_test(treatments_fit_their_kinds),
        cmocka_unit_test(frame_of_another_size_kind_or_request_is_refused),
        cmocka_unit_test(silence_ends_at_the_deadline_and_hang_up_at_once),
        cmocka_unit_test(keyed_hash_is_siphash_2_4_128),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
