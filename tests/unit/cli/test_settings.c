// SPDX-License-Identifier: Apache-2.0
// Settings: which layer wins, what a file may say, and whose files are believed.
#include "client/cli/settings.h"
#include "tests/support/unit.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char root[64], user[96], system[96], project[96], below[128];
    gw_settings_places places;
} ground;

static char *no_environment(const char *name) {
    (void)name;
    return NULL;
}

static char *loud_environment(const char *name) {
    static char output[] = "json", as[] = "from_environment", set[] = "1";
    return strcmp(name, "GODWIT_OUTPUT") == 0 ? output
           : strcmp(name, "GODWIT_AS") == 0   ? as
           : strcmp(name, "NO_COLOR") == 0    ? set
                                              : NULL;
}

static int ground_make(void **state) {
    ground *g = calloc(1, sizeof(*g));
    snprintf(g->root, sizeof(g->root), "/tmp/gw_settings_XXXXXX");
    if (g == NULL || mkdtemp(g->root) == NULL)
        return 1;
    snprintf(g->user, sizeof(g->user), "%s/user", g->root);
    snprintf(g->system, sizeof(g->system), "%s/etc", g->root);
    snprintf(g->project, sizeof(g->project), "%s/project", g->root);
    snprintf(g->below, sizeof(g->below), "%s/a", g->project);
    mkdir(g->user, 0700), mkdir(g->system, 0755), mkdir(g->project, 0755), mkdir(g->below, 0755);
    g->places = (gw_settings_places){
        .folder = g->below, .user = g->user, .system = g->system, .uid = getuid(), .environment = no_environment};
    *state = g;
    return 0;
}

static int ground_clear(void **state) {
    ground *g = *state;
    static const char *const files[] = {"user/config.json", "etc/config.json", "project/godwit.json",
                                        "project/.godwit.json", "project/a/godwit.json"};
    static const char *const folders[] = {"user", "etc", "project/a", "project", ""};
    char path[256];
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", g->root, files[i]);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", g->root, folders[i]);
        rmdir(path);
    }
    free(g);
    return 0;
}

static void put(const ground *g, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", g->root, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static gw_settings *load(const ground *g) {
    gw_settings *settings = NULL;
    gw_problem problem;
    assert_int_equal(gw_settings_load(&g->places, &settings, &problem), GW_OK);
    return settings;
}

static void assert_setting(const gw_settings *settings, gw_setting setting, const char *value, gw_from from) {
    gw_setting_value found = gw_settings_get(settings, setting);
    if (value == NULL)
        assert_null(found.value);
    else
        assert_string_equal(found.value, value);
    assert_int_equal(found.from, from);
}

static void each_layer_hides_the_ones_below_it(void **state) {
    ground *g = *state;
    gw_settings *settings = load(g);
    assert_setting(settings, GW_SETTING_TIMEOUT, "120", GW_FROM_DEFAULT);
    assert_setting(settings, GW_SETTING_OUTPUT, NULL, GW_FROM_DEFAULT);
    gw_settings_free(settings);
    put(g, "etc/config.json", "{\"godwit_settings\":1,\"output\":\"csv\",\"timeout\":10,\"pager\":\"more\"}");
    settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, "csv", GW_FROM_SYSTEM);
    assert_setting(settings, GW_SETTING_TIMEOUT, "10", GW_FROM_SYSTEM);
    gw_settings_free(settings);
    put(g, "user/config.json", "{\"godwit_settings\":1,\"output\":\"md\", // mine\n\"timeout\":20}");
    settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, "md", GW_FROM_USER);
    assert_setting(settings, GW_SETTING_PAGER, "more", GW_FROM_SYSTEM);
    gw_settings_free(settings);
    put(g, "project/.godwit.json", "{\"godwit_settings\":1,\"output\":\"table\"}");
    settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, "table", GW_FROM_PROJECT);
    assert_setting(settings, GW_SETTING_TIMEOUT, "20", GW_FROM_USER);
    gw_settings_free(settings);
    g->places.environment = loud_environment;
    settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, "json", GW_FROM_ENVIRONMENT);
    assert_setting(settings, GW_SETTING_COLOR, "never", GW_FROM_ENVIRONMENT);
    gw_settings_override(settings, GW_SETTING_OUTPUT, "ndjson");
    assert_setting(settings, GW_SETTING_OUTPUT, "ndjson", GW_FROM_OPTION);
    gw_settings_free(settings);
}

static void the_nearest_project_file_is_taken_alone(void **state) {
    ground *g = *state;
    put(g, "project/godwit.json", "{\"godwit_settings\":1,\"output\":\"csv\",\"timeout\":7}");
    put(g, "project/a/godwit.json", "{\"godwit_settings\":1,\"output\":\"json\"}");
    gw_settings *settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, "json", GW_FROM_PROJECT);
    assert_setting(settings, GW_SETTING_TIMEOUT, "120", GW_FROM_DEFAULT);
    gw_settings_free(settings);
}

static void profile_and_as_are_one_choice(void **state) {
    ground *g = *state;
    put(g, "user/config.json", "{\"godwit_settings\":1,\"profile\":\"anna.json\"}");
    gw_settings *settings = load(g);
    char path[160];
    snprintf(path, sizeof(path), "%s/anna.json", g->user);
    assert_setting(settings, GW_SETTING_PROFILE, path, GW_FROM_USER); // from where the file lies
    gw_settings_free(settings);
    put(g, "project/godwit.json", "{\"godwit_settings\":1,\"as\":\"bob\"}");
    settings = load(g);
    assert_setting(settings, GW_SETTING_AS, "bob", GW_FROM_PROJECT);
    assert_setting(settings, GW_SETTING_PROFILE, NULL, GW_FROM_DEFAULT);
    gw_settings_override(settings, GW_SETTING_PROFILE, "here.json");
    assert_setting(settings, GW_SETTING_PROFILE, "here.json", GW_FROM_OPTION);
    assert_setting(settings, GW_SETTING_AS, NULL, GW_FROM_DEFAULT);
    gw_settings_free(settings);
}

static void assert_wrong(ground *g, const char *name, const char *text, const char *code, const char *said) {
    gw_settings *settings = NULL;
    gw_problem problem;
    put(g, name, text);
    assert_int_not_equal(gw_settings_load(&g->places, &settings, &problem), GW_OK);
    assert_string_equal(problem.code, code);
    bool is_said = strstr(problem.why, said) != NULL || strstr(problem.mend, said) != NULL;
    assert_true(is_said);
    gw_settings_free(settings);
}

static void files_are_read_strictly(void **state) {
    ground *g = *state;
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":1,\"outptu\":\"csv\"}", "unknown_field", "output");
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":2}", "out_of_range", "");
    assert_wrong(g, "user/config.json", "{\"output\":\"csv\"}", "missing_field", "godwit_settings");
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":1,\"timeout\":0}", "out_of_range", "timeout");
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":1,\"color\":\"pink\"}", "setting_value", "never");
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":1,\"output\":\"\"}", "setting_value", "output");
    assert_wrong(g, "user/config.json", "[]", "wrong_type", "");
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":1", "json_syntax", "");
}

static void secrets_are_refused_by_name(void **state) {
    ground *g = *state;
    assert_wrong(g, "user/config.json", "{\"godwit_settings\":1,\"token\":\"abc\"}", "setting_secret", "profile");
    assert_wrong(g, "project/godwit.json", "{\"godwit_settings\":1,\"password\":\"abc\"}", "setting_secret", "profile");
}

static void a_project_names_no_program_to_run(void **state) {
    ground *g = *state;
    assert_wrong(g, "project/godwit.json", "{\"godwit_settings\":1,\"pager\":\"sh -c x\"}", "setting_value",
                 ".config/godwit");
}

static void a_file_that_others_may_write_is_not_believed(void **state) {
    ground *g = *state;
    char path[160];
    put(g, "project/godwit.json", "{\"godwit_settings\":1,\"output\":\"json\"}");
    snprintf(path, sizeof(path), "%s/godwit.json", g->project);
    chmod(path, 0666);
    gw_settings *settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, NULL, GW_FROM_DEFAULT);
    assert_int_equal(gw_settings_file_at(settings, 2)->state, GW_SETTINGS_FOREIGN);
    assert_string_equal(gw_settings_file_at(settings, 2)->path, path);
    gw_settings_free(settings);
    chmod(path, 0644);
    g->places.uid = getuid() + 1; // neither ours now, nor root's unless root wrote it
    settings = load(g);
    assert_int_equal(gw_settings_file_at(settings, 2)->state, getuid() == 0 ? GW_SETTINGS_READ : GW_SETTINGS_FOREIGN);
    gw_settings_free(settings);
}

static void a_profile_of_the_same_name_is_no_settings_file(void **state) {
    ground *g = *state;
    put(g, "project/a/godwit.json", "{\"godwit_profile\":1}");
    put(g, "project/godwit.json", "{\"godwit_settings\":1,\"output\":\"json\"}");
    gw_settings *settings = load(g);
    assert_setting(settings, GW_SETTING_OUTPUT, "json", GW_FROM_PROJECT);
    gw_settings_free(settings);
}

static void files_lend_to_the_environment_what_it_does_not_say(void **state) {
    ground *g = *state;
    unsetenv("GODWIT_OUTPUT"), unsetenv("GODWIT_PAGER"), unsetenv("NO_COLOR"), unsetenv("GODWIT_TIMEOUT");
    put(g, "user/config.json", "{\"godwit_settings\":1,\"output\":\"csv\",\"pager\":\"less\",\"color\":\"never\"}");
    gw_settings *settings = load(g);
    gw_settings_override(settings, GW_SETTING_OUTPUT, "json");
    gw_settings_lend(settings);
    assert_null(getenv("GODWIT_OUTPUT")); // an option said otherwise
    assert_string_equal(getenv("GODWIT_PAGER"), "less");
    assert_non_null(getenv("NO_COLOR"));
    assert_null(getenv("GODWIT_TIMEOUT")); // a default is nobody's wish
    gw_settings_free(settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ground_make, ground_clear)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_layer_hides_the_ones_below_it),
        TEST(the_nearest_project_file_is_taken_alone),
        TEST(profile_and_as_are_one_choice),
        TEST(files_are_read_strictly),
        TEST(secrets_are_refused_by_name),
        TEST(a_project_names_no_program_to_run),
        TEST(a_file_that_others_may_write_is_not_believed),
        TEST(a_profile_of_the_same_name_is_no_settings_file),
        TEST(files_lend_to_the_environment_what_it_does_not_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
