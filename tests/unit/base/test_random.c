// SPDX-License-Identifier: Apache-2.0
// The noise source: independent of how it is read, new for every answer, dead after a fork.
#include "service/base/random.h"
#include "service/base/check.h"
#include "tests/support/unit.h"
#include <sys/wait.h>

#define BIG 300000

static void two_sources_share_nothing(void **state) {
    (void)state;
    gw_random *a = NULL, *b = NULL;
    uint64_t first[512], second[512];
    assert_int_equal(gw_random_new(&a), GW_OK);
    assert_int_equal(gw_random_new(&b), GW_OK);
    gw_random_source from_a = gw_random_as_source(a), from_b = gw_random_as_source(b);
    assert_int_equal(from_a.fill(from_a.state, first, sizeof(first)), GW_OK);
    assert_int_equal(from_b.fill(from_b.state, second, sizeof(second)), GW_OK);
    for (size_t i = 0; i < 512; i++)
        for (size_t j = 0; j < 512; j++)
            assert_true(first[i] != second[j]);
    gw_random_free(a);
    gw_random_free(b);
    gw_random_free(NULL);
}

static int compare_words(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

// Small requests cross several refills; 64-bit words must not repeat (a repeat by chance: below 2^-30).
static void a_source_never_repeats_across_refills(void **state) {
    (void)state;
    static uint64_t words[BIG / 8];
    gw_random *random = NULL;
    assert_int_equal(gw_random_new(&random), GW_OK);
    gw_random_source source = gw_random_as_source(random);
    uint8_t *rest = (uint8_t *)words;
    for (size_t left = sizeof(words), size = 1; left != 0; size = size % 5000 + 37) {
        size_t now = size < left ? size : left;
        assert_int_equal(source.fill(source.state, rest, now), GW_OK);
        rest += now;
        left -= now;
    }
    qsort(words, BIG / 8, sizeof(words[0]), compare_words);
    for (size_t i = 1; i < BIG / 8; i++)
        assert_true(words[i] != words[i - 1]);
    gw_random_free(random);
}

static void bits_are_balanced(void **state) {
    (void)state;
    static uint8_t bytes[BIG];
    gw_random *random = NULL;
    assert_int_equal(gw_random_new(&random), GW_OK);
    gw_random_source source = gw_random_as_source(random);
    assert_int_equal(source.fill(source.state, bytes, sizeof(bytes)), GW_OK);
    long ones[8] = {0};
    for (size_t i = 0; i < sizeof(bytes); i++)
        for (int bit = 0; bit < 8; bit++)
            ones[bit] += bytes[i] >> bit & 1;
    // Binomial(300000, 1/2) has sd 274; 7 sd either side, false alarm 2e-11 for eight bits.
    for (int bit = 0; bit < 8; bit++)
        assert_in_range(ones[bit], BIG / 2 - 1917, BIG / 2 + 1917);
    gw_random_free(random);
}

static void a_source_refuses_after_a_fork(void **state) {
    (void)state;
    gw_random *random = NULL;
    uint64_t word = 0;
    assert_int_equal(gw_random_new(&random), GW_OK);
    gw_random_source source = gw_random_as_source(random);
    assert_int_equal(source.fill(source.state, &word, sizeof(word)), GW_OK);
    pid_t child = fork();
    if (child == 0) {
        uint64_t mine = 0;
        gw_status status = source.fill(source.state, &mine, sizeof(mine));
        _exit(status == GW_UNAVAILABLE && mine == 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(source.fill(source.state, &word, sizeof(word)), GW_OK); // the parent goes on
    gw_random_free(random);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sources_share_nothing),
        cmocka_unit_test(a_source_never_repeats_across_refills),
        cmocka_unit_test(bits_are_balanced),
        cmocka_unit_test(a_source_refuses_after_a_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
