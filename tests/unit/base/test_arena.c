// SPDX-License-Identifier: Apache-2.0
// Arenas: zeroed, aligned, bounded.
#include "service/base/arena.h"
#include "tests/support/unit.h"

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    gw_arena *arena = gw_arena_new(1u << 20);
    for (size_t size = 0; size < 200; size += 7) {
        uint8_t *bytes = gw_arena_alloc(arena, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xAB, size);
    }
    gw_arena_free(arena);
}

static void pieces_do_not_overlap(void **state) {
    (void)state;
    gw_arena *arena = gw_arena_new(1u << 20);
    char *pieces[300];
    for (size_t i = 0; i < 300; i++)
        pieces[i] = gw_arena_format(arena, "piece %zu of %300s", i, "x");
    for (size_t i = 0; i < 300; i++) {
        char wanted[400];
        snprintf(wanted, sizeof(wanted), "piece %zu of %300s", i, "x");
        assert_string_equal(pieces[i], wanted);
    }
    gw_arena_free(arena);
}

static void a_big_piece_gets_its_own_chunk(void **state) {
    (void)state;
    gw_arena *arena = gw_arena_new(1u << 20);
    char *big = gw_arena_alloc(arena, 100000);
    assert_non_null(big);
    big[99999] = 'x';
    assert_string_equal(gw_arena_string(arena, "small"), "small");
    gw_arena_free(arena);
}

static void the_maximum_holds(void **state) {
    (void)state;
    gw_arena *arena = gw_arena_new(64);
    assert_non_null(gw_arena_alloc(arena, 48));
    assert_null(gw_arena_alloc(arena, 17)); // 48 + 32 > 64
    assert_non_null(gw_arena_alloc(arena, 16));
    assert_null(gw_arena_alloc(arena, 1));
    assert_null(gw_arena_alloc(arena, SIZE_MAX));
    gw_arena_free(arena);
}

static void an_array_that_wraps_is_refused(void **state) {
    (void)state;
    gw_arena *arena = gw_arena_new(1u << 20);
    assert_null(gw_arena_array(arena, SIZE_MAX / 8 + 2, 8)); // the product is 8 modulo 2^64
    assert_non_null(gw_arena_array(arena, 10, 8));
    gw_arena_free(arena);
}

static void a_copy_ends_with_nul(void **state) {
    (void)state;
    gw_arena *arena = gw_arena_new(1024);
    assert_string_equal(gw_arena_copy(arena, "abcdef", 3), "abc");
    assert_string_equal(gw_arena_copy(arena, NULL, 0), "");
    assert_null(gw_arena_copy(arena, "x", SIZE_MAX));
    gw_arena_free(arena);
    gw_arena_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),   cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(a_big_piece_gets_its_own_chunk), cmocka_unit_test(the_maximum_holds),
        cmocka_unit_test(an_array_that_wraps_is_refused), cmocka_unit_test(a_copy_ends_with_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
