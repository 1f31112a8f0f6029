// SPDX-License-Identifier: Apache-2.0
// Which profile is meant, in which order; and the three files of a new key.
#include "client/cli/commands.h"
#include "client/cli/identity_file.h"
#include "client/cli/profiles.h"
#include "service/audit/note.h"
#include "tests/support/unit.h"

static const gw_command *const commands[] = {&gw_command_keys_new, &gw_command_keys_ls, &gw_command_keys_show};

typedef struct {
    char *folder;
    char before[4096];
} place;

static int place_new(void **state) {
    place *p = calloc(1, sizeof(*p));
    void *folder;
    if (p == NULL || unit_folder_new(&folder) != 0 || getcwd(p->before, sizeof(p->before)) == NULL ||
        chdir(folder) != 0 || gw_crypto_init() != GW_OK)
        return -1;
    p->folder = folder;
    *state = p;
    unsetenv("GODWIT_PROFILE");
    unsetenv("GODWIT_PROFILES");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", p->folder, 1);
    return 0;
}

static int place_free(void **state) {
    place *p = *state;
    void *folder = p->folder;
    if (chdir(p->before) != 0)
        return -1;
    unit_folder_free(&folder);
    free(p);
    return 0;
}

static void profile_write(const char *path) {
    gw_profile profile = {.url = "ipc:///nowhere", .origin = "demo.example/godwit"};
    gw_secret_key *key = NULL;
    gw_note_key note_key;
    gw_problem problem;
    assert_int_equal(gw_key_generate(&key), GW_OK);
    profile.reply_key = gw_key_public(key);
    assert_int_equal(gw_note_key_new(profile.origin, gw_key_public(key), &note_key), GW_OK);
    gw_note_key_format(&note_key, profile.log_key);
    gw_secret_key_free(key);
    assert_int_equal(gw_profile_save(path, &profile, &problem), GW_OK);
}

static void assert_found(gw_cli *cli, const char *expected) {
    char path[GW_PATH_MAX];
    gw_problem problem;
    assert_int_equal(gw_profiles_find(cli, path, &problem), GW_OK);
    assert_string_equal(path, expected);
}

static void the_nearest_place_wins(void **state) {
    place *p = *state;
    gw_cli cli = {0};
    char path[GW_PATH_MAX], user[GW_PATH_MAX];
    gw_problem problem;
    assert_int_equal(gw_profiles_find(&cli, path, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "profile_missing");
    assert_int_equal(mkdir(".config", 0700), 0);
    assert_int_equal(mkdir(".config/godwit", 0700), 0);
    profile_write(".config/godwit/profile.json");
    snprintf(user, sizeof(user), "%s/.config/godwit/profile.json", p->folder);
    assert_found(&cli, user);
    profile_write("godwit.json");
    assert_found(&cli, "./godwit.json");
    setenv("GODWIT_PROFILE", "elsewhere.json", 1);
    assert_found(&cli, "elsewhere.json");
    assert_int_equal(mkdir("profiles", 0700), 0);
    profile_write("profiles/anna.json");
    cli.globals.as = "anna";
    assert_found(&cli, "./profiles/anna.json");
    cli.globals.as = NULL;
    cli.globals.config = "named.json";
    assert_found(&cli, "named.json");
    cli.globals.as = "anna";
    assert_int_equal(gw_profiles_find(&cli, path, &problem), GW_INVALID);
}

static void an_unknown_profile_gets_the_nearest_one(void **state) {
    (void)state;
    gw_cli cli = {.globals = {.as = "ana"}};
    char path[GW_PATH_MAX];
    gw_problem problem;
    assert_int_equal(mkdir("profiles", 0700), 0);
    profile_write("profiles/anna.json");
    assert_int_equal(gw_profiles_find(&cli, path, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.mend, "Did you mean --as anna?");
}

static void a_profile_name_cannot_leave_its_folder(void **state) {
    (void)state;
    static const char *const names[] = {
        "../anna", "a/b", "",          ".hidden",
        "-x",      "a b", "anna.json", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        gw_problem problem;
        assert_int_equal(gw_profiles_check_name(names[i], &problem), GW_INVALID);
    }
}

static gw_exit_code run(const char *const *line, char **ret_out) {
    gw_cli cli;
    char *argv[16], *err = NULL;
    size_t out_size, err_size;
    int argc = 0;
    for (; line[argc] != NULL; argc++)
        argv[argc] = (char *)line[argc];
    gw_cli_init(&cli, commands, sizeof(commands) / sizeof(commands[0]));
    cli.out = open_memstream(ret_out, &out_size);
    cli.err = open_memstream(&err, &err_size);
    gw_exit_code code = gw_cli_run(&cli, argc, argv);
    fclose(cli.out);
    fclose(cli.err);
    free(err);
    return code;
}
#define RUN(out, ...) run((const char *[]){__VA_ARGS__, NULL}, (out))

static void a_new_key_makes_three_files_and_never_overwrites(void **state) {
    (void)state;
    gw_profile profile;
    gw_identity_file identity;
    gw_secret_key *key = NULL;
    gw_problem problem;
    struct stat info;
    char *out, hex[GW_HASH_HEX];
    profile_write("service.json");
    assert_int_equal(RUN(&out, "keys", "new", "anna", "--config", "service.json", "--out", "p", "-o", "csv"), 0);
    assert_int_equal(gw_profile_load("p/anna.json", &profile, &problem), GW_OK);
    assert_int_equal(gw_identity_file_read("p/anna.pub", &identity, &problem), GW_OK);
    assert_string_equal(profile.principal, identity.principal);
    assert_int_equal(gw_profiles_key(&profile, &key, &problem), GW_OK);
    gw_public_key public = gw_key_public(key);
    gw_hex((gw_bytes){public.bytes, sizeof(public.bytes)}, hex);
    assert_string_equal(identity.key, hex);
    assert_non_null(strstr(out, hex));
    assert_int_equal(stat("p/anna.key", &info), 0);
    assert_int_equal(info.st_mode & 077, 0);
    gw_secret_key_free(key);
    free(out);
    assert_int_equal(RUN(&out, "keys", "new", "anna", "--config", "service.json", "--out", "p"), 1);
    free(out);
    assert_int_equal(RUN(&out, "keys", "ls", "--config", "p/anna.json", "-o", "csv"), 0);
    assert_non_null(strstr(out, profile.principal));
    free(out);
}

static void a_named_profile_that_is_missing_makes_no_key(void **state) {
    (void)state;
    char *out;
    assert_int_not_equal(RUN(&out, "keys", "new", "anna", "--config", "nowhere.json", "--out", "p"), 0);
    assert_int_not_equal(access("p/anna.key", F_OK), 0);
    free(out);
}

static void an_identity_file_is_read_strictly(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{}",
        "{\"godwit_identity\":2,\"principal\":\"00112233445566778899aabbccddeeff\",\"key\":\"00\"}",
        "{\"godwit_identity\":1,\"principal\":\"00112233445566778899AABBCCDDEEFF\",\"key\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
        "{\"godwit_identity\":1,\"principal\":\"00112233445566778899aabbccddeeff\",\"key\":"
        "\"000000000000000000000000000000000000000000000000000000000000000000\"}",
        "{\"godwit_identity\":1,\"principal\":\"00112233445566778899aabbccddeeff\",\"key\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\",\"roles\":\"owner\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        gw_identity_file identity;
        gw_problem problem;
        FILE *file = fopen("bad.pub", "w");
        assert_non_null(file);
        assert_true(fputs(bad[i], file) >= 0);
        fclose(file);
        assert_int_not_equal(gw_identity_file_read("bad.pub", &identity, &problem), GW_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_nearest_place_wins, place_new, place_free),
        cmocka_unit_test_setup_teardown(an_unknown_profile_gets_the_nearest_one, place_new, place_free),
        cmocka_unit_test_setup_teardown(a_profile_name_cannot_leave_its_folder, place_new, place_free),
        cmocka_unit_test_setup_teardown(a_new_key_makes_three_files_and_never_overwrites, place_new, place_free),
        cmocka_unit_test_setup_teardown(a_named_profile_that_is_missing_makes_no_key, place_new, place_free),
        cmocka_unit_test_setup_teardown(an_identity_file_is_read_strictly, place_new, place_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
