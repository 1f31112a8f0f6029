// SPDX-License-Identifier: Apache-2.0
// The settings: where each comes from, what is refused, and what a reload takes. Reaches gw_config_*.
#include "service/config.h"
#include "tests/support/unit.h"

static void write_config(void **state, const char *text) {
    char path[256];
    FILE *file = fopen(unit_path(state, "config.json", path), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static gw_status load(void **state, gw_config *ret, gw_problem *problem) {
    *problem = (gw_problem){0};
    return gw_config_load(*state, ret, problem);
}

static const char *origin_of(const gw_config *config, const char *name, gw_buffer *value) {
    gw_config_setting one;
    for (size_t i = 0;; i++) {
        gw_buffer_done(value);
        if (!gw_config_setting_at(config, i, &one, value))
            break;
        if (strcmp(one.name, name) == 0)
            return one.origin;
    }
    return "";
}

static void each_setting_says_where_it_comes_from(void **state) {
    gw_config config;
    gw_problem problem;
    gw_buffer value;
    gw_buffer_init(&value, 4096);
    setenv("GODWIT_SHARE", "/usr/share/godwit", 1);
    write_config(state, "{\"godwit_config\":1,\"origin\":\"a.example/b\",\"workers\":7,\"log_level\":\"warn\"}");
    assert_int_equal(load(state, &config, &problem), GW_OK);
    config.engine_threads = 3;
    gw_config_note(&config, "engine_threads", GW_ORIGIN_FLAG);
    assert_string_equal(origin_of(&config, "workers", &value), "config.json");
    assert_string_equal(gw_buffer_string(&value), "7");
    assert_string_equal(origin_of(&config, "log_level", &value), "config.json");
    assert_string_equal(gw_buffer_string(&value), "\"warn\"");
    assert_string_equal(origin_of(&config, "share", &value), "environment");
    assert_string_equal(origin_of(&config, "engine_threads", &value), "flag");
    assert_string_equal(origin_of(&config, "engine_children", &value), "default");
    assert_string_equal(gw_buffer_string(&value), "2");
    unsetenv("GODWIT_SHARE");
    gw_buffer_done(&value);
}

static void what_cannot_be_used_is_refused(void **state) {
    static const char *const bad[] = {
        "{\"godwit_config\":1,\"log_level\":\"loud\"}",
        "{\"godwit_config\":1,\"log_level\":3}",
        "{\"godwit_config\":1,\"workers\":0}",
        "{\"godwit_config\":1,\"colour\":\"red\"}",
        "{\"godwit_config\":2}",
    };
    gw_config config;
    gw_problem problem;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_config(state, bad[i]);
        assert_int_equal(load(state, &config, &problem), GW_INVALID);
        assert_true(problem.what[0] != '\0' && problem.code[0] != '\0');
    }
}

static void a_flag_out_of_range_is_refused(void **state) {
    gw_config config;
    gw_problem problem;
    write_config(state, "{\"godwit_config\":1}");
    assert_int_equal(load(state, &config, &problem), GW_OK);
    assert_int_equal(gw_config_check(&config, &problem), GW_OK);
    config.workers = 257;
    assert_int_equal(gw_config_check(&config, &problem), GW_INVALID);
    assert_string_equal(problem.code, "setting_range");
}

typedef struct {
    char taken[256], left[256];
} changes;

static void note(void *state, const char *name, bool is_taken) {
    changes *seen = state;
    char *list = is_taken ? seen->taken : seen->left;
    size_t size = strlen(list);
    snprintf(list + size, 256 - size, "%s ", name);
}

static void a_reload_takes_what_may_change_and_names_the_rest(void **state) {
    gw_config config, changed;
    gw_problem problem;
    changes seen = {0};
    write_config(state, "{\"godwit_config\":1,\"origin\":\"a.example/b\"}");
    assert_int_equal(load(state, &config, &problem), GW_OK);
    gw_config before = config;
    write_config(state,
                 "{\"godwit_config\":1,\"origin\":\"c.example/d\",\"listen\":[\"tcp://127.0.0.1:1\"],\"hwm\":\"/x\","
                 "\"share\":\"/y\",\"workers\":3,\"log_level\":\"debug\",\"release_tick_ms\":10,"
                 "\"engine_children\":3,\"engine_threads\":4,\"engine_memory_mb\":100}");
    assert_int_equal(load(state, &changed, &problem), GW_OK);
    gw_config_reload(&config, &changed, note, &seen);
    assert_string_equal(seen.taken, "log_level release_tick_ms engine_children engine_threads engine_memory_mb ");
    assert_string_equal(seen.left, "origin listen share hwm workers ");
    assert_string_equal(config.log_level, "debug");
    assert_int_equal(config.release_tick_ms, 10);
    assert_int_equal(config.engine_children, 3);
    assert_string_equal(config.origin, "a.example/b");
    assert_string_equal(config.share, before.share);
    assert_int_equal(config.workers, before.workers);
    assert_int_equal(config.listen_count, before.listen_count);
    assert_string_equal(config.listen[0], before.listen[0]);
    seen = (changes){0};
    gw_config_reload(&config, &changed, note, &seen);
    assert_string_equal(seen.taken, ""); // what was taken is not different any more
}

static void what_is_saved_reads_back_the_same(void **state) {
    gw_config config, again;
    gw_problem problem;
    changes seen = {0};
    gw_config_default(*state, &config);
    snprintf(config.origin, sizeof(config.origin), "a.example/b");
    snprintf(config.log_level, sizeof(config.log_level), "error");
    config.listen_count = 2;
    snprintf(config.listen[1], sizeof(config.listen[1]), "tcp://127.0.0.1:4711");
    assert_int_equal(gw_config_save(&config, &problem), GW_OK);
    assert_int_equal(load(state, &again, &problem), GW_OK);
    gw_config_reload(&config, &again, note, &seen);
    assert_string_equal(seen.taken, "");
    assert_string_equal(seen.left, "");
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, unit_folder_new, unit_folder_free)

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(each_setting_says_where_it_comes_from),
        FOLDER_TEST(what_cannot_be_used_is_refused),
        FOLDER_TEST(a_flag_out_of_range_is_refused),
        FOLDER_TEST(a_reload_takes_what_may_change_and_names_the_rest),
        FOLDER_TEST(what_is_saved_reads_back_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
