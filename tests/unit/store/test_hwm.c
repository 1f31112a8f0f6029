// SPDX-License-Identifier: Apache-2.0
// The high-water mark and the disk's helpers: the newest whole slot counts, nothing torn or foreign does.
#include "service/store/durable.h"
#include "service/store/hwm.h"
#include "tests/unit/store/ledger_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    ledger_fixture ledger;
    char path[96];
    gw_secret_key *key;
} world;
static world shared;

static int setup(void **state) {
    (void)state;
    fixture_folder(&shared.ledger);
    snprintf(shared.path, sizeof(shared.path), "%s/hwm", shared.ledger.folder);
    shared.key = fixture_key();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    gw_secret_key_free(shared.key);
    fixture_remove(&shared.ledger);
    return 0;
}

// A file with marks of sizes 1 .. count; the last one is in slot (count & 1).
static void marks_make(uint64_t count) {
    unlink(shared.path);
    gw_hwm_mark mark = {
        .instance = fixture_hash("genesis"), .epoch = 1, .size = 1, .root = fixture_hash("1"), .time = 5};
    gw_hwm *hwm = NULL;
    assert_int_equal(gw_hwm_create(shared.path, &mark, shared.key, &hwm, NULL), GW_OK);
    for (uint64_t size = 2; size <= count; size++)
        assert_int_equal(gw_hwm_advance(hwm, size, fixture_hash("root"), 5 + (int64_t)size), GW_OK);
    gw_hwm_close(hwm);
}

static gw_status mark_read(gw_hwm_mark *mark) {
    gw_hwm *hwm = NULL;
    gw_status status = gw_hwm_open(shared.path, shared.key, NULL, &hwm, mark, NULL);
    gw_hwm_close(hwm);
    return status;
}

static void flip(long at) {
    int file = open(shared.path, O_RDWR);
    uint8_t byte = 0;
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    close(file);
}

static void the_newest_mark_is_read_back(void **state) {
    (void)state;
    for (uint64_t count = 1; count <= 5; count++) {
        gw_hwm_mark mark;
        marks_make(count);
        assert_int_equal(mark_read(&mark), GW_OK);
        assert_int_equal(mark.size, count);
        assert_int_equal(mark.epoch, count);
        assert_int_equal(mark.time, count == 1 ? 5 : 5 + (int)count);
    }
}

static void a_torn_newest_slot_leaves_the_older_one(void **state) {
    (void)state;
    for (long at = 0; at < 192; at++) {
        gw_hwm_mark mark;
        marks_make(4); // in slot 0
        flip(at);
        assert_int_equal(mark_read(&mark), GW_OK);
        assert_int_equal(mark.size, 3);
        flip(GW_HWM_SLOT_SIZE + at);
        assert_int_equal(mark_read(&mark), GW_CORRUPT);
    }
}

static void a_mark_of_another_key_or_none_is_refused(void **state) {
    (void)state;
    gw_hwm_mark mark;
    gw_hwm *hwm = NULL;
    gw_secret_key *other = NULL;
    gw_problem problem = {0};
    marks_make(3);
    assert_int_equal(gw_key_generate(&other), GW_OK);
    assert_int_equal(gw_hwm_open(shared.path, other, NULL, &hwm, &mark, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "hwm_corrupt");
    gw_secret_key_free(other);
    assert_int_equal(truncate(shared.path, 700), 0);
    assert_int_equal(mark_read(&mark), GW_CORRUPT);
    unlink(shared.path);
    assert_int_equal(mark_read(&mark), GW_NOT_FOUND);
}

static void a_mark_is_never_made_over_another(void **state) {
    (void)state;
    gw_hwm_mark mark;
    gw_hwm *hwm = NULL;
    marks_make(2);
    assert_int_equal(mark_read(&mark), GW_OK);
    assert_int_equal(gw_hwm_create(shared.path, &mark, shared.key, &hwm, NULL), GW_CONFLICT);
}

static void a_lock_is_held_by_one_process(void **state) {
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/lock", shared.ledger.folder);
    int first = -1, second = -1;
    gw_problem problem = {0};
    assert_int_equal(gw_durable_lock(path, &first, NULL), GW_OK);
    assert_int_equal(gw_durable_lock(path, &second, &problem), GW_BUSY);
    assert_string_equal(problem.code, "locked");
    close(first);
    assert_int_equal(gw_durable_lock(path, &second, NULL), GW_OK);
    close(second);
}

static void only_local_filesystems_are_taken(void **state) {
    (void)state;
    gw_problem problem = {0};
    assert_int_equal(gw_durable_check_local(shared.ledger.folder, &problem), GW_OK);
    assert_int_equal(gw_durable_check_local("/nowhere/at/all", &problem), GW_IO);
    uint64_t bytes = 0;
    assert_int_equal(gw_durable_free_bytes(shared.ledger.folder, &bytes), GW_OK);
    assert_true(bytes > 0);
}

static void ballast_has_real_blocks(void **state) {
    (void)state;
    char path[128];
    struct stat facts;
    snprintf(path, sizeof(path), "%s/ballast", shared.ledger.folder);
    assert_int_equal(gw_durable_ballast_keep(path), GW_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_true((uint64_t)facts.st_blocks * 512 >= GW_BALLAST_BYTES);
    gw_durable_ballast_drop(path);
    assert_int_equal(stat(path, &facts), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_mark_is_read_back),
        cmocka_unit_test(a_torn_newest_slot_leaves_the_older_one),
        cmocka_unit_test(a_mark_of_another_key_or_none_is_refused),
        cmocka_unit_test(a_mark_is_never_made_over_another),
        cmocka_unit_test(a_lock_is_held_by_one_process),
        cmocka_unit_test(only_local_filesystems_are_taken),
        cmocka_unit_test(ballast_has_real_blocks),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
