// SPDX-License-Identifier: Apache-2.0
// Exact keys: bounded, empty when made, and every slot its own.
#include "privacy/exact_keys.h"
#include "tests/support/unit.h"
#include <string.h>

static void slots_are_empty_and_apart(void **state) {
    (void)state;
    gw_exact_keys *keys = NULL;
    assert_int_equal(gw_exact_keys_new(3, 5, &keys), GW_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(keys->counts[i], 0);
        assert_string_equal(gw_exact_keys_text(keys, i), "");
    }
    strcpy(gw_exact_keys_text(keys, 1), "abcde");
    assert_string_equal(gw_exact_keys_text(keys, 0), "");
    assert_string_equal(gw_exact_keys_text(keys, 1), "abcde");
    assert_string_equal(gw_exact_keys_text(keys, 2), "");
    gw_exact_keys_free(keys);
    gw_exact_keys_free(NULL);
}

static void what_is_too_many_or_too_long_is_refused(void **state) {
    (void)state;
    gw_exact_keys *keys = NULL;
    assert_int_equal(gw_exact_keys_new(0, 5, &keys), GW_LIMIT);
    assert_int_equal(gw_exact_keys_new(GW_KEYS_MAX + 1, 5, &keys), GW_LIMIT);
    assert_int_equal(gw_exact_keys_new(3, 0, &keys), GW_LIMIT);
    assert_int_equal(gw_exact_keys_new(3, GW_KEY_BYTES_MAX + 1, &keys), GW_LIMIT);
    assert_null(keys);
    assert_int_equal(gw_exact_keys_new(GW_KEYS_MAX, GW_KEY_BYTES_MAX, &keys), GW_OK);
    gw_exact_keys_free(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_empty_and_apart),
        cmocka_unit_test(what_is_too_many_or_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
