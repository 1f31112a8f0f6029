// SPDX-License-Identifier: Apache-2.0
// Story: an operator reloads a service that is at work. New indicators and limits are there, every question under way
// is answered, what must not change is named and stays, and what is broken changes nothing. The log tells all of it, a
// line for each request, and never a word of a question or a figure.
#include "service/base/file.h"
#include "service/wire/json.h"
#include "tests/support/daemon.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <string.h>
#include <time.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define TRIES_MAX 2000 // of 10 ms
#define ASKERS 4
#define TICK 10
#define NEW_INDICATOR                                                                                                  \
    "{\"godwit_indicator\":1,\"id\":\"retired_share\",\"version\":1,\"sdmx\":\"RT_SH\",\"label\":{\"en\":\"Retired\"}" \
    ","                                                                                                                \
    "\"definition\":{\"en\":\"Residents of 65 and over as a share of residents of known age.\"},"                      \
    "\"statistic\":\"rate\",\"unit\":\"PC\",\"decimals\":1,"                                                           \
    "\"population\":[{\"concept\":\"age\",\"between\":[0,120]}],\"numerator\":[{\"concept\":\"age\",\"between\":[65,"  \
    "120]}],"                                                                                                          \
    "\"by_default\":[\"sex\"]}"

typedef struct {
    test_daemon daemon;
    gw_profile researcher;
    char share[TEST_PATH_MAX];
    atomic_bool is_over;
    atomic_uint asked, answered;
} story;

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    char source[TEST_PATH_MAX];
    assert_non_null(it);
    test_daemon_init(&it->daemon);
    snprintf(source, sizeof source, "%.400s/policies", test_source_folder());
    snprintf(it->share, sizeof it->share, "%.400s/share", it->daemon.folder);
    assert_int_equal(test_run((const char *const[]){"/bin/cp", "-r", source, it->share, NULL}, NULL), 0);
    it->daemon.serve_flags[0] = "--share";
    it->daemon.serve_flags[1] = it->share;
    test_daemon_start(&it->daemon);
    test_daemon_people(&it->daemon, 300, (test_budget){"1000", NULL, "0.01", "10"});
    test_daemon_principal(&it->daemon, "researcher", &it->researcher);
    *state = it;
    return 0;
}

static int end(void **state) {
    story *it = *state;
    test_daemon_done(&it->daemon);
    free(it);
    return 0;
}

// ---- files

static void read_at(const story *it, const char *name, gw_buffer *text) {
    char path[TEST_PATH_MAX];
    snprintf(path, sizeof path, "%.300s/%.200s", it->daemon.folder, name);
    gw_buffer_init(text, 64 << 20);
    assert_int_equal(gw_file_read(path, text, NULL), GW_OK);
}

static void write_at(const char *folder, const char *name, const char *text) {
    char path[TEST_PATH_MAX];
    snprintf(path, sizeof path, "%.300s/%.200s", folder, name);
    assert_int_equal(gw_file_replace(path, gw_bytes_of(text), 0600, NULL), GW_OK);
}

// config.json with one word changed for another.
static void change_config(const story *it, const char *from, const char *to) {
    gw_buffer text, changed;
    read_at(it, "config.json", &text);
    gw_buffer_init(&changed, 65536);
    const char *whole = gw_buffer_string(&text), *at = strstr(whole, from);
    assert_non_null(at);
    gw_buffer_format(&changed, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    write_at(it->daemon.folder, "config.json", gw_buffer_string(&changed));
    gw_buffer_done(&text);
    gw_buffer_done(&changed);
}

static size_t count_in_log(const story *it, const char *words) {
    gw_buffer text;
    size_t count = 0;
    read_at(it, "daemon.log", &text);
    for (const char *at = gw_buffer_string(&text); (at = strstr(at, words)) != NULL; at++)
        count++;
    gw_buffer_done(&text);
    return count;
}

static void wait_for_log(const story *it, const char *words, size_t count) {
    for (int i = 0; i < TRIES_MAX; i++) {
        if (count_in_log(it, words) >= count)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); // between two looks
    }
    fail_msg("the log never said %s", words);
}

static void reload_and_wait(const story *it) {
    const size_t before = count_in_log(it, "\"event\":\"reloaded\"");
    kill(it->daemon.pid, SIGHUP);
    wait_for_log(it, "\"event\":\"reloaded\"", before + 1);
}

// ---- the story

static void *ask_on(void *argument) {
    story *it = argument;
    test_asker asker;
    test_asker_open(&asker, &it->researcher);
    while (!atomic_load(&it->is_over)) {
        char body[512];
        const unsigned number = atomic_fetch_add(&it->asked, 1);
        snprintf(body, sizeof body,
                 "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"indicator\":\"employment_rate\","
                 "\"by\":[\"sex\"],\"epsilon\":\"0.%06u\"}",
                 200000 + number);
        if (test_ask_query(&asker, body, NULL))
            atomic_fetch_add(&it->answered, 1);
    }
    test_asker_close(&asker);
    return NULL;
}

static void questions_under_way_are_answered_while_everything_is_reloaded(void **state) {
    story *it = *state;
    pthread_t threads[ASKERS];
    pid_t engines[16];
    for (int i = 0; i < ASKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_on, it), 0);
    for (int round = 0; round < 6; round++) {
        const bool is_more = round % 2 == 0;
        change_config(it, is_more ? "\"engine_children\": 2" : "\"engine_children\": 3",
                      is_more ? "\"engine_children\": 3" : "\"engine_children\": 2");
        const unsigned before = atomic_load(&it->answered);
        reload_and_wait(it);
        assert_int_equal(test_daemon_engines(&it->daemon, engines, 16), is_more ? 3 : 2);
        for (int i = 0; atomic_load(&it->answered) < before + ASKERS && i < TRIES_MAX; i++)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); // until work has gone on
        assert_true(atomic_load(&it->answered) >= before + ASKERS);
    }
    atomic_store(&it->is_over, true);
    for (int i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&it->answered), atomic_load(&it->asked));
}

#define ASK_NEW                                                                                                        \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"indicator\":\"retired_share\",\"epsilon\":\"0."    \
    "5\"}"

static void a_new_indicator_is_there_after_a_reload(void **state) {
    story *it = *state;
    test_asker asker;
    char folder[TEST_PATH_MAX];
    test_asker_open(&asker, &it->researcher);
    assert_false(test_ask(&asker, ASK_NEW, NULL));
    snprintf(folder, sizeof folder, "%.400s/indicators", it->share);
    write_at(folder, "retired_share.json", NEW_INDICATOR);
    reload_and_wait(it);
    if (!test_ask_query(&asker, ASK_NEW, NULL))
        fail_msg("%s %s", asker.problem.code, asker.problem.why);
    test_asker_close(&asker);
}

static int reload_command(const story *it) {
    char program[TEST_PATH_MAX];
    test_program("godwitd", program);
    return test_run((const char *const[]){program, "reload", "--dir", it->daemon.folder, "--share", it->share, NULL},
                    NULL);
}

static void a_broken_indicator_changes_nothing_and_is_told(void **state) {
    story *it = *state;
    test_asker asker;
    char folder[TEST_PATH_MAX];
    snprintf(folder, sizeof folder, "%.400s/indicators", it->share);
    write_at(folder, "retired_share.json", "{\"godwit_indicator\":1,");
    assert_int_equal(reload_command(it), 3); // refused before the daemon is asked
    assert_int_equal(count_in_log(it, "reload_failed"), 0);
    kill(it->daemon.pid, SIGHUP); // who goes past the check is told in the log
    wait_for_log(it, "\"event\":\"reload_failed\"", 1);
    assert_true(count_in_log(it, "retired_share.json") > 0); // which file
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask_query(&asker, ASK_NEW, NULL)); // as before
    test_asker_close(&asker);
    write_at(folder, "retired_share.json", NEW_INDICATOR);
    assert_int_equal(reload_command(it), 0);
}

// A stored answer is found by the indicator's version: under one version it must mean one thing.
static void an_indicator_that_measures_something_else_needs_another_version(void **state) {
    story *it = *state;
    test_asker asker;
    char folder[TEST_PATH_MAX], changed[2048];
    const char *at = strstr(NEW_INDICATOR, "[65,");
    const size_t failed = count_in_log(it, "\"event\":\"reload_failed\"");
    snprintf(folder, sizeof folder, "%.400s/indicators", it->share);
    snprintf(changed, sizeof changed, "%.*s[20,%s", (int)(at - NEW_INDICATOR), NEW_INDICATOR, at + 4);
    write_at(folder, "retired_share.json", changed);
    kill(it->daemon.pid, SIGHUP);
    wait_for_log(it, "\"event\":\"reload_failed\"", failed + 1);
    assert_int_equal(count_in_log(it, "\"code\":\"indicator_version\""), 1);
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask_query(&asker, ASK_NEW, NULL)); // the stored answer is still of what it says
    test_asker_close(&asker);
    // Nor does a restart forget what the version meant.
    int status;
    test_daemon_stop(&it->daemon, SIGTERM);
    test_daemon_spawn(&it->daemon);
    assert_int_equal(waitpid(it->daemon.pid, &status, 0), it->daemon.pid);
    it->daemon.pid = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_int_equal(count_in_log(it, "code  indicator_version"), 1);
    write_at(folder, "retired_share.json", NEW_INDICATOR);
    test_daemon_start(&it->daemon);
}

static void what_must_not_change_is_named_and_stays(void **state) {
    story *it = *state;
    test_asker asker;
    char from[TEST_PATH_MAX];
    snprintf(from, sizeof from, "\"ipc://%.400s/godwit.sock\"", it->daemon.folder);
    change_config(it, from, "\"tcp://127.0.0.1:1\"");
    change_config(it, "\"workers\": 64", "\"workers\": 5");
    reload_and_wait(it);
    assert_int_equal(count_in_log(it, "\"event\":\"setting_ignored\",\"setting\":\"listen\""), 1);
    assert_int_equal(count_in_log(it, "\"event\":\"setting_ignored\",\"setting\":\"workers\""), 1);
    test_asker_open(&asker, &it->researcher); // at the old address
    assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"ping\"}", NULL));
    test_asker_close(&asker);
    change_config(it, "\"tcp://127.0.0.1:1\"", from);
    change_config(it, "\"workers\": 5", "\"workers\": 64");
}

static void the_log_level_changes_at_once(void **state) {
    story *it = *state;
    test_asker asker;
    // From here on with a tick, as a service has it, and nothing is measured: how long that takes is the machine's
    // matter.
    test_daemon_stop(&it->daemon, SIGTERM);
    it->daemon.serve_flags[2] = "--release-tick";
    it->daemon.serve_flags[3] = "10";
    test_daemon_start(&it->daemon);
    change_config(it, "\"log_level\": \"info\"", "\"log_level\": \"debug\"");
    assert_int_equal(count_in_log(it, "\"kind\":\"ping\""), 0);
    reload_and_wait(it);
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"ping\"}", NULL));
    test_asker_close(&asker);
    wait_for_log(it, "\"kind\":\"ping\"", 1);
    change_config(it, "\"log_level\": \"debug\"", "\"log_level\": \"info\"");
    reload_and_wait(it);
}

// ---- what the log says

static void a_refusal_is_found_by_what_the_asker_sees(void **state) {
    story *it = *state;
    test_asker asker;
    gw_request_message message;
    gw_problem problem;
    char hex[GW_HASH_HEX], line[128];
    test_asker_open(&asker, &it->researcher);
    assert_false(test_ask(&asker,
                          "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET
                          "\",\"measure\":{\"statistic\":\"count\"},\"where\":[{\"concept\":\"activity\",\"in\":"
                          "[\"SECRETLITERAL\"]}],\"by\":[\"sex\"],\"epsilon\":\"0.1\"}",
                          NULL));
    assert_int_equal(gw_request_message_decode(gw_buffer_bytes(&asker.message), &message, &problem), GW_OK);
    const gw_hash hash = gw_sha256(message.signed_bytes);
    gw_hex((gw_bytes){hash.bytes, sizeof hash.bytes}, hex);
    snprintf(line, sizeof line, "\"event\":\"request\",\"request\":\"%.8s\"", hex);
    wait_for_log(it, line, 1);
    assert_true(test_ask_query(&asker, ASK_NEW, NULL)); // a stored answer
    for (int i = 0; i < 3; i++)
        assert_true(test_ask(&asker, "{\"v\":1,\"kind\":\"catalogue\"}", NULL));
    assert_false(test_ask(&asker, "{\"v\":1,\"kind\":\"describe\",\"dataset\":\"SECRETNAME\"}", NULL));
    test_asker_close(&asker);
}

static bool is_among(const char *word, const char *const *words) {
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

// True where it says how long the request took.
static bool check_request_line(gw_bytes line) {
    static const char *const fields[] = {"time",    "level",  "event", "request", "idem", "principal", "kind",
                                         "dataset", "status", "step",  "code",    "ms",   NULL};
    gw_json *json = NULL;
    gw_problem problem;
    assert_int_equal(gw_json_parse(line, GW_JSON_REPLY, &json, &problem), GW_OK);
    size_t count = 0;
    for (const gw_json_node *one = gw_json_first(gw_json_root(json)); one; one = gw_json_next(one)) {
        assert_true(is_among(gw_json_name(one), fields));
        count++;
    }
    assert_int_equal(count, 12);
    const char *dataset = gw_json_string(gw_json_member(gw_json_root(json), "dataset"));
    assert_true(strcmp(dataset, TEST_DATASET) == 0 || strcmp(dataset, "-") == 0);
    const char *took = gw_json_string(gw_json_member(gw_json_root(json), "ms"));
    char *rest = NULL;
    const bool is_ticked = strcmp(took, "-") != 0;
    if (is_ticked) {
        assert_int_equal(strtol(took, &rest, 10) % TICK, 0);
        assert_string_equal(rest, "");
    }
    gw_json_free(json);
    return is_ticked;
}

static void no_line_holds_a_word_of_a_question_or_a_figure(void **state) {
    static const char *const never[] = {"SECRET",  "between",  "activity", "\"sex\"",
                                        "epsilon", "estimate", "parts",    NULL};
    story *it = *state;
    gw_buffer text;
    size_t requests = 0, ticked = 0;
    read_at(it, "daemon.log", &text);
    for (const char *line = gw_buffer_string(&text), *stop; (stop = strchr(line, '\n')) != NULL; line = stop + 1) {
        if (memmem(line, (size_t)(stop - line), "\"event\":\"request\"", 17) == NULL)
            continue;
        ticked += check_request_line((gw_bytes){(const uint8_t *)line, (size_t)(stop - line)});
        requests++;
    }
    assert_true(requests > 30);
    assert_true(ticked > 3 && ticked < requests); // only with a tick
    for (size_t i = 0; never[i]; i++)
        if (strstr(gw_buffer_string(&text), never[i]))
            fail_msg("the log says %s", never[i]);
    gw_buffer_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_under_way_are_answered_while_everything_is_reloaded),
        cmocka_unit_test(a_new_indicator_is_there_after_a_reload),
        cmocka_unit_test(a_broken_indicator_changes_nothing_and_is_told),
        cmocka_unit_test(an_indicator_that_measures_something_else_needs_another_version),
        cmocka_unit_test(what_must_not_change_is_named_and_stays),
        cmocka_unit_test(the_log_level_changes_at_once),
        cmocka_unit_test(a_refusal_is_found_by_what_the_asker_sees),
        cmocka_unit_test(no_line_holds_a_word_of_a_question_or_a_figure),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
