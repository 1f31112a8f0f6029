// SPDX-License-Identifier: Apache-2.0
// The noise source: independent of how it is read, new for every answer, dead after a fork.
#include "service/base/random.h"
#include "privacy/sampling/discrete_laplace.h"
#include "service/base/check.h"
#include "tests/support/unit.h"
#include <sys/wait.h>

#define BIG 300000
#define NOISES 10000
#define RUN 10                    // noises of one hash: 90 bits of entropy at epsilon 0.01
#define HASHES (NOISES - RUN + 1) // of all runs of the first noises, wherever they begin
#define EMIT "--emit"             // how this program is asked to be a service that has just started

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

// The first noises of a new source, as hashes of all their runs: equal noises at any two places would be seen.
static bool first_hashes(uint64_t ret[HASHES]) {
    static int64_t noises[NOISES];
    gw_random *random = NULL;
    gw_discrete_laplace *law = NULL;
    if (gw_random_new(&random) != GW_OK || gw_discrete_laplace_new((gw_noise){{10000}, 1}, &law) != GW_OK ||
        gw_discrete_laplace_fill(law, gw_random_as_source(random), noises, NOISES) != GW_OK)
        return false;
    for (size_t i = 0; i < HASHES; i++) {
        ret[i] = 0xCBF29CE484222325u;
        for (size_t j = i; j < i + RUN; j++) {
            ret[i] = (ret[i] ^ (uint64_t)noises[j]) * 0x100000001B3u;
            ret[i] ^= ret[i] >> 32;
        }
    }
    gw_discrete_laplace_free(law);
    gw_random_free(random);
    return true;
}

static bool write_all(int file, const void *bytes, size_t size) {
    const char *rest = bytes;
    for (ssize_t written; size != 0; rest += written, size -= (size_t)written)
        if ((written = write(file, rest, size)) <= 0)
            return false;
    return true;
}

static int emit(int file) {
    static uint64_t hashes[HASHES];
    return first_hashes(hashes) && write_all(file, hashes, sizeof(hashes)) ? 0 : 1;
}

// What a child gives: one that goes on after the fork, or one that becomes a fresh process of this program.
static void read_child(bool is_restart, uint64_t ret[HASHES]) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        if (!is_restart)
            _exit(emit(ends[1]));
        dup2(ends[1], STDOUT_FILENO);
        execl("/proc/self/exe", "test_random", EMIT, (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    char *rest = (char *)ret;
    size_t left = HASHES * sizeof(*ret);
    for (ssize_t count; left != 0 && (count = read(ends[0], rest, left)) > 0; rest += count)
        left -= (size_t)count;
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(left, 0);
}

// Parent, two children of one fork each, two restarts: 60,000 hashes of 64 bits, equal by chance below 2^-32.
static void noises_never_repeat_after_a_fork_or_a_restart(void **state) {
    (void)state;
    static uint64_t hashes[6 * HASHES];
    assert_true(first_hashes(hashes));
    read_child(false, hashes + HASHES);
    read_child(false, hashes + 2 * HASHES);
    read_child(true, hashes + 3 * HASHES);
    read_child(true, hashes + 4 * HASHES);
    assert_true(first_hashes(hashes + 5 * HASHES)); // the parent's next answer
    qsort(hashes, 6 * HASHES, sizeof(hashes[0]), compare_words);
    for (size_t i = 1; i < 6 * HASHES; i++)
        assert_true(hashes[i] != hashes[i - 1]);
}

// A snapshot of a machine, restored: the copy's next draw is the original's, which is why each answer takes a new key.
static void a_restored_snapshot_repeats_nothing_after_the_next_key(void **state) {
    (void)state;
    gw_random *random = NULL;
    uint64_t drawn[4][8];
    static char snapshot[8192]; // the whole pages the source lies in
    assert_int_equal(gw_random_new(&random), GW_OK);
    gw_random_source source = gw_random_as_source(random);
    assert_int_equal(source.fill(source.state, drawn[0], sizeof(drawn[0])), GW_OK);
    memcpy(snapshot, random, sizeof(snapshot));
    for (int i = 0; i < 4; i++) { // twice as it was, twice as the service does
        memcpy(random, snapshot, sizeof(snapshot));
        if (i >= 2)
            assert_int_equal(gw_random_reseed(random), GW_OK);
        assert_int_equal(source.fill(source.state, drawn[i], sizeof(drawn[i])), GW_OK);
    }
    assert_memory_equal(drawn[0], drawn[1], sizeof(drawn[0]));
    for (int i = 0; i < 8; i++)
        assert_true(drawn[2][i] != drawn[3][i] && drawn[2][i] != drawn[0][i] && drawn[3][i] != drawn[0][i]);
    gw_random_free(random);
}

// A source that failed gives no noise, not noise of zero.
static void a_refused_source_gives_no_noise(void **state) {
    (void)state;
    gw_random *random = NULL;
    gw_discrete_laplace *law = NULL;
    assert_int_equal(gw_random_new(&random), GW_OK);
    assert_int_equal(gw_discrete_laplace_new((gw_noise){{100000}, 1}, &law), GW_OK);
    pid_t child = fork();
    if (child == 0) {
        int64_t noises[100];
        memset(noises, 0x55, sizeof(noises));
        gw_status filled = gw_discrete_laplace_fill(law, gw_random_as_source(random), noises, 100);
        gw_status reseeded = gw_random_reseed(random);
        _exit(filled == GW_UNAVAILABLE && reseeded == GW_UNAVAILABLE ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    gw_discrete_laplace_free(law);
    gw_random_free(random);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], EMIT) == 0)
        return emit(STDOUT_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_sources_share_nothing),
        cmocka_unit_test(a_source_never_repeats_across_refills),
        cmocka_unit_test(bits_are_balanced),
        cmocka_unit_test(a_source_refuses_after_a_fork),
        cmocka_unit_test(noises_never_repeat_after_a_fork_or_a_restart),
        cmocka_unit_test(a_restored_snapshot_repeats_nothing_after_the_next_key),
        cmocka_unit_test(a_refused_source_gives_no_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
