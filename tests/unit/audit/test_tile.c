// SPDX-License-Identifier: Apache-2.0
// Names and widths of published tiles, as C2SP tlog-tiles writes them, and bundles cut anywhere.
#include "service/audit/tile.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void names_are_those_of_the_format(void **state) {
    (void)state;
    static const struct {
        unsigned level;
        uint64_t number;
        unsigned width;
        const char *name;
    } tiles[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 0, 1, "tile/0/000.p/1"},
        {0, 999, 256, "tile/0/999"},
        {0, 1000, 256, "tile/0/x001/000"},
        {3, 1234067, 256, "tile/3/x001/x234/067"},
        {3, 1234067, 255, "tile/3/x001/x234/067.p/255"},
        {1, 1, 17, "tile/1/001.p/17"},
        {7, UINT64_MAX, 256, "tile/7/x018/x446/x744/x073/x709/x551/615"},
    };
    char name[GW_TILE_PATH_MAX];
    for (size_t i = 0; i < sizeof(tiles) / sizeof(tiles[0]); i++) {
        gw_tile_path(tiles[i].level, tiles[i].number, tiles[i].width, name);
        assert_string_equal(name, tiles[i].name);
    }
    gw_bundle_path(1234067, 256, name);
    assert_string_equal(name, "tile/entries/x001/x234/067");
    gw_bundle_path(0, 40, name);
    assert_string_equal(name, "tile/entries/000.p/40");
}

static void widths_are_the_tree_divided_by_256_level_by_level(void **state) {
    (void)state;
    static const struct {
        uint64_t size;
        unsigned level;
        uint64_t number;
        unsigned width;
    } widths[] = {
        {0, 0, 0, 0},          {1, 0, 0, 1},
        {255, 0, 0, 255},      {256, 0, 0, 256},
        {256, 0, 1, 0}, // 0: not served
        {256, 1, 0, 1},        {255, 1, 0, 0},
        {257, 0, 1, 1},        {70000, 0, 273, 112},
        {70000, 0, 274, 0},    {70000, 1, 0, 256},
        {70000, 1, 1, 17},     {70000, 2, 0, 1},
        {70000, 3, 0, 0},      {65536, 1, 0, 256},
        {65536, 1, 1, 0},      {65535, 1, 0, 255},
        {65536, 2, 0, 1},      {UINT64_MAX, 7, 0, 255},
        {UINT64_MAX, 8, 0, 0},
    };
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
        assert_int_equal(gw_tile_width(widths[i].size, widths[i].level, widths[i].number), widths[i].width);
}

static void a_bundle_cut_anywhere_ends_there_and_nowhere_else(void **state) {
    (void)state;
    static const char *const entries[] = {"first", "", "the third one"};
    gw_buffer bundle;
    gw_buffer_init(&bundle, 1000);
    for (size_t i = 0; i < 3; i++)
        gw_bundle_append(&bundle, gw_bytes_of(entries[i]));
    assert_int_equal(bundle.size, 6 + strlen("first") + strlen("the third one"));
    assert_memory_equal(bundle.data, "\0\5first\0\0\0\15the", 14);
    for (size_t size = 0; size <= bundle.size; size++) {
        gw_bytes rest = {.data = bundle.data, .size = size}, entry;
        size_t used = 0, count = 0;
        while (count < 3 && gw_bundle_next(&rest, &entry)) {
            assert_true(gw_bytes_equal(entry, gw_bytes_of(entries[count])));
            used += 2 + entry.size;
            count++;
        }
        assert_false(gw_bundle_next(&rest, &entry));
        assert_int_equal(rest.size, size - used);
        assert_int_equal(count == 3, size == bundle.size);
    }
    gw_buffer_done(&bundle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_format),
        cmocka_unit_test(widths_are_the_tree_divided_by_256_level_by_level),
        cmocka_unit_test(a_bundle_cut_anywhere_ends_there_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
