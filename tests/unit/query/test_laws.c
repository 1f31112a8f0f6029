// SPDX-License-Identifier: Apache-2.0
// Laws worked out once: the same noise has the same sampler, other noise another; who holds one keeps it, however many
// others come and go; and workers that ask at once all get one that works.
#include "service/query/laws.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unit.h"
#include <pthread.h>

#define MANY 700 // more than the cache keeps

static const gw_laws *hold(gw_laws_cache *cache, uint64_t micro, uint64_t sensitivity, size_t others) {
    const gw_laws *laws = NULL;
    assert_int_equal(gw_laws_hold(cache, (gw_noise){{micro}, sensitivity}, others, &laws), GW_OK);
    assert_non_null(laws);
    return laws;
}

static void a_law_is_worked_out_once(void **state) {
    (void)state;
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *first = hold(cache, 100000, 1, 0), *again = hold(cache, 100000, 1, 0);
    assert_ptr_equal(first, again);
    gw_laws_drop(cache, first);
    gw_laws_drop(cache, again);
    again = hold(cache, 100000, 1, 0); // kept when nobody holds it
    assert_ptr_equal(first, again);
    gw_laws_drop(cache, again);
    gw_laws_cache_free(cache);
}

static void other_noise_has_another_law(void **state) {
    (void)state;
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *laws[4] = {hold(cache, 100000, 1, 0), hold(cache, 100001, 1, 0), hold(cache, 100000, 2, 0),
                              hold(cache, 100000, 1, 1)};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(laws[i], laws[j]);
    assert_int_equal(laws[1]->noise.epsilon.micro, 100001);
    assert_int_equal(laws[2]->noise.sensitivity, 2);
    assert_int_equal(laws[3]->others, 1);
    for (int i = 0; i < 4; i++)
        gw_laws_drop(cache, laws[i]);
    gw_laws_drop(cache, NULL);
    gw_laws_cache_free(cache);
}

static int64_t draw(const gw_laws *laws) {
    seeded_random random = {.state = 1};
    int64_t noise = 0;
    assert_int_equal(gw_discrete_laplace_fill(laws->sampler, seeded_source(&random), &noise, 1), GW_OK);
    return noise;
}

static void a_held_law_outlives_any_number_of_others(void **state) {
    (void)state;
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *held = hold(cache, 10000, 1, 0);
    int64_t before = draw(held);
    for (uint64_t i = 0; i < MANY; i++)
        gw_laws_drop(cache, hold(cache, 200000 + i, 1, 0));
    assert_int_equal(draw(held), before);
    assert_ptr_equal(hold(cache, 10000, 1, 0), held);
    gw_laws_drop(cache, held);
    gw_laws_drop(cache, held);
    gw_laws_cache_free(cache);
}

static void noise_without_a_sampler_is_refused(void **state) {
    (void)state;
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *laws = NULL;
    assert_int_equal(gw_laws_hold(cache, (gw_noise){{0}, 1}, 0, &laws), GW_INVALID);
    assert_int_equal(gw_laws_hold(cache, (gw_noise){{1}, 1ull << 40}, 0, &laws), GW_INVALID);
    gw_laws_cache_free(cache);
    gw_laws_cache_free(NULL);
}

static void *hold_and_drop(void *argument) {
    for (uint64_t i = 0; i < 300; i++) {
        const gw_laws *laws = NULL;
        if (gw_laws_hold(argument, (gw_noise){{100000 + i % 7}, 1}, 0, &laws) != GW_OK ||
            laws->noise.epsilon.micro != 100000 + i % 7)
            return argument;
        gw_laws_drop(argument, laws);
    }
    return NULL;
}

static void workers_that_ask_at_once_get_what_they_asked_for(void **state) {
    (void)state;
    gw_laws_cache *cache = gw_laws_cache_new();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_drop, cache), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    gw_laws_cache_free(cache); // asserts that nothing is held
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_law_is_worked_out_once),
        cmocka_unit_test(other_noise_has_another_law),
        cmocka_unit_test(a_held_law_outlives_any_number_of_others),
        cmocka_unit_test(noise_without_a_sampler_is_refused),
        cmocka_unit_test(workers_that_ask_at_once_get_what_they_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
