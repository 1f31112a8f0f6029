// SPDX-License-Identifier: Apache-2.0
// Files: whole and bounded reads, replacements that are all or nothing, folders made once.
#include "service/base/file.h"
#include "tests/support/unit.h"

static void a_replaced_file_is_read_back(void **state) {
    char path[256], beside[256];
    unit_path(state, "state", path);
    unit_path(state, "state.new", beside);
    assert_int_equal(gw_file_replace(path, gw_bytes_of("old"), 0600, NULL), GW_OK);
    assert_int_equal(gw_file_replace(path, gw_bytes_of("newer"), 0640, NULL), GW_OK);
    gw_buffer buffer;
    gw_buffer_init(&buffer, 100);
    gw_buffer_text(&buffer, "head:");
    assert_int_equal(gw_file_read(path, &buffer, NULL), GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), "head:newer");
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0640);
    assert_int_equal(access(beside, F_OK), -1);
    gw_buffer_done(&buffer);
}

static void a_stale_file_beside_is_overwritten(void **state) {
    char path[256], beside[256];
    unit_path(state, "state", path);
    unit_path(state, "state.new", beside);
    FILE *stale = fopen(beside, "w"); // what a crash leaves
    fputs("half a longer text", stale);
    fclose(stale);
    assert_int_equal(gw_file_replace(path, gw_bytes_of("x"), 0600, NULL), GW_OK);
    gw_buffer buffer;
    gw_buffer_init(&buffer, 100);
    assert_int_equal(gw_file_read(path, &buffer, NULL), GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), "x");
    gw_buffer_done(&buffer);
}

static void a_failed_replacement_leaves_the_old_file(void **state) {
    char path[256], beside[256];
    unit_path(state, "state", path);
    unit_path(state, "state.new", beside);
    assert_int_equal(gw_file_replace(path, gw_bytes_of("old"), 0600, NULL), GW_OK);
    assert_int_equal(mkdir(beside, 0700), 0); // the place beside is taken
    gw_problem problem;
    assert_int_equal(gw_file_replace(path, gw_bytes_of("new"), 0600, &problem), GW_IO);
    assert_string_equal(problem.code, "file_unwritable");
    gw_buffer buffer;
    gw_buffer_init(&buffer, 100);
    assert_int_equal(gw_file_read(path, &buffer, NULL), GW_OK);
    assert_string_equal(gw_buffer_string(&buffer), "old");
    gw_buffer_done(&buffer);
}

static void a_read_past_the_maximum_changes_nothing(void **state) {
    char path[256];
    unit_path(state, "state", path);
    char big[70001];
    memset(big, 'x', 70000);
    big[70000] = '\0';
    assert_int_equal(gw_file_replace(path, gw_bytes_of(big), 0600, NULL), GW_OK);
    gw_buffer buffer;
    gw_problem problem;
    gw_buffer_init(&buffer, 70000);
    gw_buffer_text(&buffer, "a");
    assert_int_equal(gw_file_read(path, &buffer, &problem), GW_LIMIT);
    assert_string_equal(problem.code, "file_too_big");
    assert_string_equal(gw_buffer_string(&buffer), "a");
    gw_buffer_done(&buffer);
    assert_int_equal(gw_file_read(path, &buffer, NULL), GW_OK); // without the head it fits exactly
    assert_int_equal(buffer.size, 70000);
    gw_buffer_done(&buffer);
}

static void what_cannot_be_read_is_told_apart(void **state) {
    char path[256];
    gw_buffer buffer;
    gw_problem problem;
    gw_buffer_init(&buffer, 100);
    assert_int_equal(gw_file_read(unit_path(state, "none", path), &buffer, &problem), GW_NOT_FOUND);
    assert_string_equal(problem.code, "file_missing");
    assert_int_equal(problem.status, GW_NOT_FOUND);
    assert_int_equal(gw_file_read(*state, &buffer, &problem), GW_IO);
    assert_string_equal(problem.code, "file_unreadable");
    assert_string_equal(gw_buffer_string(&buffer), "");
    gw_buffer_done(&buffer);
}

static void folders_are_made_with_their_parents(void **state) {
    char path[256];
    unit_path(state, "a//b/c/", path);
    assert_int_equal(gw_folder_make(path, 0700, NULL), GW_OK);
    assert_int_equal(gw_folder_make(path, 0700, NULL), GW_OK);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_true(S_ISDIR(facts.st_mode));
    assert_int_equal(gw_folder_sync(path), GW_OK);
    unit_path(state, "a/b/c/file", path);
    assert_int_equal(gw_file_replace(path, gw_bytes_of(""), 0600, NULL), GW_OK);
    gw_problem problem;
    assert_int_equal(gw_folder_make(path, 0700, &problem), GW_IO);
    assert_string_equal(problem.code, "folder_unwritable");
    assert_int_equal(gw_folder_make("", 0700, NULL), GW_IO);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, unit_folder_new, unit_folder_free)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_replaced_file_is_read_back),
        WITH_FOLDER(a_stale_file_beside_is_overwritten),
        WITH_FOLDER(a_failed_replacement_leaves_the_old_file),
        WITH_FOLDER(a_read_past_the_maximum_changes_nothing),
        WITH_FOLDER(what_cannot_be_read_is_told_apart),
        WITH_FOLDER(folders_are_made_with_their_parents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
