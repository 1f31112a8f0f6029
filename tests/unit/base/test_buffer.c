// SPDX-License-Identifier: Apache-2.0
// Buffers: what was appended is there, the maximum holds, the first error sticks.
#include "service/base/buffer.h"
#include "tests/support/unit.h"

static void appended_bytes_are_kept_in_order(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 100000);
    for (int i = 0; i < 5000; i++)
        gw_buffer_format(&buffer, "%04d,", i);
    assert_int_equal(buffer.status, GW_OK);
    assert_int_equal(buffer.size, 25000);
    assert_memory_equal(buffer.data + 5 * 1234, "1234,", 5);
    assert_int_equal(strlen(gw_buffer_string(&buffer)), buffer.size);
    gw_buffer_done(&buffer);
}

static void an_empty_buffer_is_an_empty_string(void **state) {
    (void)state;
    gw_buffer buffer = {0};
    assert_string_equal(gw_buffer_string(&buffer), "");
    gw_buffer_append(&buffer, NULL, 0);
    assert_int_equal(buffer.status, GW_OK);
    gw_buffer_done(&buffer);
    gw_buffer_done(&buffer);
}

static void the_maximum_holds_and_the_error_sticks(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, 5);
    gw_buffer_text(&buffer, "12345");
    assert_int_equal(buffer.status, GW_OK);
    gw_buffer_text(&buffer, "6");
    assert_int_equal(buffer.status, GW_LIMIT);
    assert_string_equal(gw_buffer_string(&buffer), "12345");
    gw_buffer_append(&buffer, "", 0);
    gw_buffer_format(&buffer, "%s", "");
    assert_int_equal(buffer.status, GW_LIMIT);
    gw_buffer_done(&buffer);
    assert_int_equal(buffer.status, GW_OK);
    assert_int_equal(buffer.size_max, 5);
    gw_buffer_text(&buffer, "123");
    gw_buffer_text(&buffer, "456");
    gw_buffer_text(&buffer, "7"); // would fit, but what came before is missing
    assert_int_equal(buffer.status, GW_LIMIT);
    assert_string_equal(gw_buffer_string(&buffer), "123");
    gw_buffer_done(&buffer);
}

static void a_huge_count_cannot_wrap(void **state) {
    (void)state;
    gw_buffer buffer;
    gw_buffer_init(&buffer, SIZE_MAX);
    gw_buffer_text(&buffer, "x");
    gw_buffer_append(&buffer, "y", SIZE_MAX);
    assert_int_equal(buffer.status, GW_LIMIT);
    assert_string_equal(gw_buffer_string(&buffer), "x");
    gw_buffer_done(&buffer);
}

static void views_compare_by_content(void **state) {
    (void)state;
    assert_true(gw_bytes_equal(gw_bytes_of("abc"), gw_bytes_of("abc")));
    assert_false(gw_bytes_equal(gw_bytes_of("abc"), gw_bytes_of("abd")));
    assert_false(gw_bytes_equal(gw_bytes_of("abc"), gw_bytes_of("ab")));
    assert_true(gw_bytes_equal((gw_bytes){0}, gw_bytes_of("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_bytes_are_kept_in_order),
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(the_maximum_holds_and_the_error_sticks),
        cmocka_unit_test(a_huge_count_cannot_wrap),
        cmocka_unit_test(views_compare_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
