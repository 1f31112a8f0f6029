// SPDX-License-Identifier: Apache-2.0
// The profile's file. Reaches gw_profile_*.
#include "client/lib/client.h"
#include "service/base/check.h"
#include "service/base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define REPLY_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEAD                                                                                                           \
    "{\"godwit_profile\":1,\"url\":\"ipc:///x/s\",\"origin\":\"a.example/g\",\"log_key\":\"a.example/g+00+AA\","
#define VISITOR HEAD "\"reply_key\":\"" REPLY_KEY "\"}"

static char folder[64], path[96];

static int folder_make(void **state) {
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/gw_profile_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/me.json", folder);
    return 0;
}

static int folder_remove(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static gw_status load_text(const char *text, gw_profile *ret, gw_problem *problem) {
    assert_int_equal(gw_file_replace(path, gw_bytes_of(text), 0600, NULL), GW_OK);
    *problem = (gw_problem){0};
    return gw_profile_load(path, ret, problem);
}

static void what_is_saved_is_loaded(void **state) {
    (void)state;
    gw_problem problem = {0};
    gw_profile profile = {.url = "tcp://127.0.0.1:4711",
                          .origin = "stats.example/godwit",
                          .log_key = "stats.example/godwit+01020304+AAAA",
                          .log_key_before = "stats.example/godwit+05060708+BBBB",
                          .principal = "00112233445566778899aabbccddeeff",
                          .key_path = "me.key"};
    gw_profile loaded;
    struct stat facts;
    memset(profile.reply_key.bytes, 0xC3, sizeof(profile.reply_key.bytes));
    assert_int_equal(gw_profile_save(path, &profile, &problem), GW_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(gw_profile_load(path, &loaded, &problem), GW_OK);
    assert_string_equal(loaded.path, path);
    assert_string_equal(loaded.url, profile.url);
    assert_string_equal(loaded.origin, profile.origin);
    assert_string_equal(loaded.log_key, profile.log_key);
    assert_string_equal(loaded.log_key_before, profile.log_key_before);
    assert_string_equal(loaded.principal, profile.principal);
    assert_string_equal(loaded.key_path, profile.key_path);
    assert_memory_equal(&loaded.reply_key, &profile.reply_key, sizeof(loaded.reply_key));
}

static void a_visitor_has_neither_principal_nor_key(void **state) {
    (void)state;
    gw_problem problem;
    gw_profile profile;
    assert_int_equal(load_text(VISITOR, &profile, &problem), GW_OK);
    assert_string_equal(profile.principal, "");
    assert_string_equal(profile.key_path, "");
    assert_int_equal(gw_profile_save(path, &profile, &problem), GW_OK);
    assert_int_equal(gw_profile_load(path, &profile, &problem), GW_OK);
    assert_string_equal(profile.principal, "");
}

static void the_key_file_is_found_from_the_profiles_folder(void **state) {
    (void)state;
    char file[4096];
    gw_profile profile = {.path = "/home/me/.config/godwit/me.json", .key_path = "keys/me.key"};
    assert_true(gw_profile_key_file(&profile, file));
    assert_string_equal(file, "/home/me/.config/godwit/keys/me.key");
    snprintf(profile.key_path, sizeof(profile.key_path), "/secure/me.key");
    assert_true(gw_profile_key_file(&profile, file));
    assert_string_equal(file, "/secure/me.key");
    snprintf(profile.path, sizeof(profile.path), "me.json");
    snprintf(profile.key_path, sizeof(profile.key_path), "me.key");
    assert_true(gw_profile_key_file(&profile, file));
    assert_string_equal(file, "me.key");
    memset(profile.key_path, 'k', sizeof(profile.key_path) - 1);
    snprintf(profile.path, sizeof(profile.path), "/home/me.json");
    assert_false(gw_profile_key_file(&profile, file));
}

static void assert_refused(const char *text, const char *code) {
    gw_problem problem;
    gw_profile profile;
    assert_int_not_equal(load_text(text, &profile, &problem), GW_OK);
    assert_string_equal(problem.code, code);
}

static void anything_else_is_refused(void **state) {
    (void)state;
    gw_problem problem;
    gw_profile profile;
    assert_refused("", "json_syntax");
    assert_refused("{}", "missing_field");
    assert_refused(HEAD "\"reply_key\":\"00\"}", "bad_profile");
    assert_refused(HEAD "\"reply_key\":\"" REPLY_KEY "\",\"colour\":1}", "unknown_field");
    assert_refused(HEAD "\"reply_key\":\"" REPLY_KEY "\",\"principal\":\"00112233445566778899aabbccddeeff\"}",
                   "missing_field");
    assert_refused(HEAD "\"reply_key\":\"" REPLY_KEY "\",\"key\":\"me.key\"}", "missing_field");
    assert_refused(HEAD "\"reply_key\":\"" REPLY_KEY "\",\"principal\":\"x\",\"key\":\"me.key\"}", "bad_profile");
    assert_refused(
        "{\"godwit_profile\":1,\"url\":\"ipc:///a b\",\"origin\":\"o\",\"log_key\":\"k\",\"reply_key\":\"" REPLY_KEY
        "\"}",
        "bad_profile");
    assert_int_not_equal(load_text("{\"godwit_profile\":2" VISITOR, &profile, &problem), GW_OK);
    unlink(path);
    assert_int_equal(gw_profile_load(path, &profile, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "file_missing");
}

static void a_problem_names_file_and_line(void **state) {
    (void)state;
    gw_problem problem;
    gw_profile profile;
    assert_int_not_equal(load_text(HEAD "\n\"reply_key\":\"00\"}", &profile, &problem), GW_OK);
    assert_non_null(strstr(problem.why, "me.json"));
    assert_non_null(strstr(problem.why, "line 2"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_loaded),
        cmocka_unit_test(a_visitor_has_neither_principal_nor_key),
        cmocka_unit_test(the_key_file_is_found_from_the_profiles_folder),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_problem_names_file_and_line),
    };
    if (gw_crypto_init() != GW_OK)
        return 1;
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
