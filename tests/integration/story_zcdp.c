// SPDX-License-Identifier: Apache-2.0
// Story: a dataset accounted with a delta. More small questions fit than their epsilons add up to, all hear the same at
// the end, a kill -9 in between changes nothing, and the log proves it; one digit of a rho changed is found.
#include "privacy/accounting/zcdp.h"
#include "tests/support/spending.h"
#include "tests/support/unit.h"
#include <dirent.h>
#include <signal.h>

#define LIFETIME_MICRO 3000000u
#define DELTA_ATTO 10000000000000u // 1e-5, among a thousand people
#define TENTH 100000u

typedef struct {
    test_daemon daemon;
    gw_profile first, second;
    spending spending;
    uint64_t admitted;
} story;

static void population(story *it, const char *delta) {
    char body[256];
    test_asker admin;
    snprintf(body, sizeof body,
             "{\"v\":1,\"kind\":\"admin\",\"action\":\"population_add\",\"population\":\"%s\",\"total\":\"3\","
             "\"window_days\":0,\"window_total\":null%s}",
             TEST_POPULATION, delta);
    test_asker_open(&admin, &it->daemon.admin);
    assert_true(test_ask(&admin, body, NULL));
    test_asker_close(&admin);
}

// A policy of this version, with `accounting` in place of the pure one.
static void policy(story *it, unsigned version, const char *accounting) {
    gw_buffer text, changed;
    gw_buffer_init(&text, 65536);
    gw_buffer_init(&changed, 65536);
    test_people_policy(version, (test_budget){"3", NULL, "0.01", "0.5"}, &text);
    const char *at = strstr(gw_buffer_string(&text), "{\"kind\":\"pure\"}");
    assert_non_null(at);
    gw_buffer_append(&changed, text.data, (size_t)(at - gw_buffer_string(&text)));
    gw_buffer_text(&changed, accounting);
    gw_buffer_text(&changed, at + strlen("{\"kind\":\"pure\"}"));
    test_daemon_policy(&it->daemon, gw_buffer_string(&changed));
    gw_buffer_done(&text);
    gw_buffer_done(&changed);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    char path[TEST_PATH_MAX + 16];
    assert_non_null(it);
    test_daemon_init(&it->daemon);
    test_daemon_start(&it->daemon);
    population(it, "");
    snprintf(path, sizeof path, "%s/people.csv", it->daemon.folder);
    assert_true(test_people_write(path, 300));
    policy(it, 1, "{\"kind\":\"pure\"}");
    test_daemon_load(&it->daemon, TEST_DATASET, path);
    test_daemon_principal(&it->daemon, "researcher", &it->first);
    test_daemon_principal(&it->daemon, "researcher", &it->second);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    spending_done(&it->spending);
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

static gw_problem ask_until_refused(story *it) {
    for (;;) {
        gw_problem problem = spending_ask(&it->spending, &it->first, TEST_DATASET, "0.1");
        if (problem.code[0] != '\0')
            return problem;
        it->admitted++;
        assert_true(it->admitted < 100);
    }
}

static uint64_t expected(void) {
    gw_loss total = {LIFETIME_MICRO, gw_rho_total((gw_epsilon){LIFETIME_MICRO}, (gw_delta){DELTA_ATTO})};
    return gw_zcdp_fits(total, (gw_loss){0}, (gw_epsilon){TENTH});
}

static void without_a_delta_thirty_tenths_are_three(void **state) {
    story *it = *state;
    gw_problem problem = ask_until_refused(it);
    assert_string_equal(problem.code, "budget_dataset");
    assert_int_equal(it->admitted, 30);
}

static void with_one_more_fit_and_what_was_spent_before_counts(void **state) {
    story *it = *state;
    policy(it, 2, "{\"kind\":\"zcdp\",\"delta\":\"1e-5\"}");
    // The people's own budget is still pure.
    assert_string_equal(spending_ask(&it->spending, &it->first, TEST_DATASET, "0.1").code, "budget_population");
    population(it, ",\"delta\":\"1e-5\"");
    const gw_json_node *dataset = spending_balance(&it->spending, &it->first, TEST_DATASET, "dataset");
    assert_string_equal(gw_json_string(gw_json_member(dataset, "delta")), "1e-5");
    assert_string_equal(gw_json_string(gw_json_member(dataset, "spent")), "3");
    assert_int_equal(gw_json_integer(gw_json_member(dataset, "fits")), expected() - 30);
    for (int i = 0; i < 5; i++, it->admitted++)
        assert_string_equal(spending_ask(&it->spending, &it->second, TEST_DATASET, "0.1").code, "");
}

static void a_kill_changes_nothing_and_all_hear_the_same_at_the_end(void **state) {
    story *it = *state;
    test_daemon_stop(&it->daemon, SIGKILL);
    test_daemon_start(&it->daemon);
    gw_problem problem = ask_until_refused(it);
    assert_int_equal(it->admitted, expected());
    assert_true(it->admitted > 40); // 44, where epsilon alone lets 30 in
    assert_string_equal(problem.code, "budget_dataset");
    gw_problem other = spending_ask(&it->spending, &it->second, TEST_DATASET, "0.1");
    assert_string_equal(other.code, problem.code);
    assert_string_equal(other.what, problem.what);
    assert_string_equal(other.why, problem.why);
    assert_string_equal(other.mend, problem.mend);
    assert_int_equal(other.remaining.micro, problem.remaining.micro);
    assert_int_equal(other.charged.micro, 0);
    // What is said to be left is; nothing is after it.
    char left[GW_EPSILON_TEXT];
    assert_true(problem.remaining.micro >= 10000);
    gw_epsilon_format(problem.remaining, left);
    assert_string_equal(spending_ask(&it->spending, &it->second, TEST_DATASET, left).code, "");
    assert_string_equal(spending_ask(&it->spending, &it->second, TEST_DATASET, "0.01").code, "budget_dataset");
}

static void the_log_proves_it_offline(void **state) {
    story *it = *state;
    gw_audit_verdict verdict;
    test_daemon_verify(&it->daemon, &verdict);
    assert_int_equal(verdict.charges, expected() + 1);
    assert_true(test_daemon_spent(&it->daemon, TEST_DATASET) > LIFETIME_MICRO + 1000000); // in epsilon alone
}

// More is spent than epsilon alone allows: nothing is left, nothing wraps, and what was answered stays.
static void assert_nothing_is_left(story *it, const char *budget) {
    gw_problem problem = spending_ask(&it->spending, &it->first, TEST_DATASET, "0.01");
    assert_string_equal(problem.code, budget);
    assert_int_equal(problem.remaining.micro, 0);
    assert_int_equal(problem.charged.micro, 0);
}

static void made_pure_again_or_of_a_smaller_delta_nothing_is_left(void **state) {
    story *it = *state;
    gw_audit_verdict verdict;
    policy(it, 3, "{\"kind\":\"pure\"}");
    assert_nothing_is_left(it, "budget_dataset");
    const gw_json_node *dataset = spending_balance(&it->spending, &it->first, TEST_DATASET, "dataset");
    assert_string_equal(gw_json_string(gw_json_member(dataset, "remaining")), "0");
    policy(it, 4, "{\"kind\":\"zcdp\",\"delta\":\"1e-12\"}");
    assert_nothing_is_left(it, "budget_dataset");
    policy(it, 5, "{\"kind\":\"zcdp\",\"delta\":\"1e-5\"}");
    population(it, "");
    assert_nothing_is_left(it, "budget_population"); // the shortest is told
    population(it, ",\"delta\":\"1e-5\"");
    test_daemon_verify(&it->daemon, &verdict);
    assert_int_equal(verdict.charges, expected() + 1);
}

// The file of a folder's newest bundle of entries (a log of less than 256 has one).
static void bundle_path(const test_daemon *daemon, char ret[2 * TEST_PATH_MAX]) {
    char folder[TEST_PATH_MAX + 32];
    long newest = 0;
    snprintf(folder, sizeof folder, "%s/tile/entries/000.p", daemon->log_folder);
    DIR *bundles = opendir(folder);
    assert_non_null(bundles);
    for (struct dirent *item; (item = readdir(bundles)) != NULL;)
        newest = strtol(item->d_name, NULL, 10) > newest ? strtol(item->d_name, NULL, 10) : newest;
    closedir(bundles);
    snprintf(ret, 2 * TEST_PATH_MAX, "%s/%ld", folder, newest);
}

static void a_changed_rho_is_found(void **state) {
    story *it = *state;
    static char bytes[1 << 20];
    char path[2 * TEST_PATH_MAX];
    gw_audit_state *folded = NULL;
    gw_audit_verdict verdict;
    assert_int_equal(test_daemon_stop(&it->daemon, SIGTERM), 0);
    bundle_path(&it->daemon, path);
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    char *at = memmem(bytes, size, "\nrho 54929814", 13);
    assert_non_null(at);
    at[13] ^= 1; // the last digit but one
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    assert_int_equal(gw_audit_verify_folder(it->daemon.log_folder, NULL, NULL, NULL, &folded, &verdict), GW_OK);
    gw_audit_state_free(folded);
    assert_false(verdict.is_sound);
    assert_true(verdict.first_bad != UINT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_delta_thirty_tenths_are_three),
        cmocka_unit_test(with_one_more_fit_and_what_was_spent_before_counts),
        cmocka_unit_test(a_kill_changes_nothing_and_all_hear_the_same_at_the_end),
        cmocka_unit_test(the_log_proves_it_offline),
        cmocka_unit_test(made_pure_again_or_of_a_smaller_delta_nothing_is_left),
        cmocka_unit_test(a_changed_rho_is_found),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
