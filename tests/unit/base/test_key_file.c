// SPDX-License-Identifier: Apache-2.0
// Key files: written once and privately, read only when nobody else could have touched them.
#include "service/base/crypto.h"
#include "tests/support/unit.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const uint8_t SEED[GW_SEED_SIZE] = {1, 2, 3, 250};

static gw_secret_key *key_new(void) {
    gw_secret_key *key = NULL;
    assert_int_equal(gw_key_from_seed(SEED, &key), GW_OK);
    return key;
}

static void write_text(const char *path, const char *text, mode_t mode) {
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void assert_refused(const char *path, gw_status status, const char *code) {
    gw_secret_key *key = NULL;
    gw_problem problem;
    assert_int_equal(gw_key_file_read(path, &key, &problem), status);
    assert_null(key);
    assert_string_equal(problem.code, code);
    assert_int_equal(problem.status, status);
    assert_int_equal(gw_key_file_read(path, &key, NULL), status);
}

#define SEED_HEX "010203fa00000000000000000000000000000000000000000000000000000000"

static void a_written_key_is_read_back(void **state) {
    char path[256];
    unit_path(state, "operator.key", path);
    gw_secret_key *key = key_new();
    assert_int_equal(gw_key_file_write(path, key, NULL), GW_OK);
    gw_secret_key *back = NULL;
    assert_int_equal(gw_key_file_read(path, &back, NULL), GW_OK);
    gw_public_key a = gw_key_public(key), b = gw_key_public(back);
    assert_memory_equal(a.bytes, b.bytes, sizeof(a.bytes));
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0400);
    assert_int_equal(facts.st_size, 65);
    gw_secret_key_free(key);
    gw_secret_key_free(back);
}

static void a_key_is_never_overwritten(void **state) {
    char path[256];
    unit_path(state, "operator.key", path);
    write_text(path, "something else", 0600);
    gw_secret_key *key = key_new();
    gw_problem problem;
    assert_int_equal(gw_key_file_write(path, key, &problem), GW_CONFLICT);
    assert_string_equal(problem.code, "key_file_exists");
    char text[32] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "something else");
    gw_secret_key_free(key);
}

static void a_missing_key_is_told_apart(void **state) {
    char path[256];
    assert_refused(unit_path(state, "none.key", path), GW_NOT_FOUND, "key_file_missing");
}

static void a_key_that_others_may_open_is_refused(void **state) {
    char path[256];
    unit_path(state, "operator.key", path);
    const mode_t modes[] = {0440, 0404, 0420, 0402, 0410, 0401};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        write_text(path, SEED_HEX "\n", modes[i]);
        assert_refused(path, GW_DENIED, "key_file_mode");
    }
    gw_problem problem;
    gw_secret_key *key = NULL;
    assert_int_equal(gw_key_file_read(path, &key, &problem), GW_DENIED);
    assert_non_null(strstr(problem.mend, "chmod 0400 "));
    assert_non_null(strstr(problem.mend, path));
}

static void a_link_is_refused(void **state) {
    char path[256], link_path[256];
    unit_path(state, "operator.key", path);
    unit_path(state, "link.key", link_path);
    write_text(path, SEED_HEX "\n", 0400);
    assert_int_equal(symlink(path, link_path), 0);
    assert_refused(link_path, GW_DENIED, "key_file_link");
    gw_secret_key *key = key_new();
    assert_int_equal(gw_key_file_write(link_path, key, NULL), GW_CONFLICT);
    gw_secret_key_free(key);
}

static void a_key_of_another_user_is_refused(void **state) {
    if (geteuid() != 0)
        skip(); // giving a file away takes root
    char path[256];
    unit_path(state, "operator.key", path);
    write_text(path, SEED_HEX "\n", 0400);
    assert_int_equal(chown(path, 12345, 12345), 0);
    assert_refused(path, GW_DENIED, "key_file_owner");
}

static void only_the_exact_form_is_a_key(void **state) {
    char path[256];
    unit_path(state, "operator.key", path);
    const char *const bad[] = {"",
                               SEED_HEX,
                               SEED_HEX "\n\n",
                               SEED_HEX "x",
                               "G10203fa00000000000000000000000000000000000000000000000000000000\n",
                               "010203FA00000000000000000000000000000000000000000000000000000000\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_text(path, bad[i], 0400);
        assert_refused(path, GW_INVALID, "key_file_malformed");
    }
    assert_refused(*state, GW_INVALID, "key_file_malformed"); // a folder
    unlink(path);
    assert_int_equal(mkfifo(path, 0400), 0);
    assert_refused(path, GW_INVALID, "key_file_malformed"); // and no waiting for a writer
}

static void a_key_without_locked_memory_is_refused(void **state) {
    if (getenv("GW_SANITIZER") != NULL && strcmp(getenv("GW_SANITIZER"), "none") != 0)
        skip(); // sanitizers make mlock do nothing
    char path[256];
    unit_path(state, "operator.key", path);
    write_text(path, SEED_HEX "\n", 0400);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0, 0};
        gw_secret_key *key = NULL;
        gw_problem problem;
        if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(12345) != 0))
            _exit(2);
        bool is_refused = gw_key_generate(&key) == GW_UNAVAILABLE && key == NULL;
        // As another user the file may not be opened; as oneself it is opened and the memory is refused.
        gw_status status = gw_key_file_read(path, &key, &problem);
        bool is_told = status == GW_IO || strcmp(problem.code, "key_memory_unlocked") == 0;
        _exit(is_refused && is_told ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int init(void **state) {
    (void)state;
    return gw_crypto_init() == GW_OK ? 0 : -1;
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, unit_folder_new, unit_folder_free)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_written_key_is_read_back),
        WITH_FOLDER(a_key_is_never_overwritten),
        WITH_FOLDER(a_missing_key_is_told_apart),
        WITH_FOLDER(a_key_that_others_may_open_is_refused),
        WITH_FOLDER(a_link_is_refused),
        WITH_FOLDER(a_key_of_another_user_is_refused),
        WITH_FOLDER(only_the_exact_form_is_a_key),
        WITH_FOLDER(a_key_without_locked_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, init, NULL);
}
