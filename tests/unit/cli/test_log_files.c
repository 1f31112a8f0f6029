// SPDX-License-Identifier: Apache-2.0
// Reading a log's bundles: full and partial ones, and broken files told as such.
#include "client/cli/log_files.h"
#include "service/base/file.h"
#include "tests/support/unit.h"

static void entry_append(gw_buffer *bundle, uint64_t seq) {
    gw_entry entry = {.kind = GW_ENTRY_INCIDENT, .seq = seq, .time = 1795300200};
    gw_buffer text;
    gw_buffer_init(&text, 4096);
    strcpy(entry.incident.code, "drill");
    gw_entry_encode(&entry, &text);
    assert_int_equal(text.status, GW_OK);
    uint8_t size[2] = {(uint8_t)(text.size >> 8), (uint8_t)text.size};
    gw_buffer_append(bundle, size, 2);
    gw_buffer_append(bundle, text.data, text.size);
    gw_buffer_done(&text);
}

static void bundle_write(void **state, const char *name, uint64_t first, unsigned count, size_t cut) {
    char path[256];
    gw_buffer bundle;
    gw_problem problem;
    gw_buffer_init(&bundle, 1 << 20);
    for (uint64_t i = 0; i < count; i++)
        entry_append(&bundle, first + i);
    assert_int_equal(
        gw_file_replace(unit_path(state, name, path), (gw_bytes){bundle.data, bundle.size - cut}, 0644, &problem),
        GW_OK);
    gw_buffer_done(&bundle);
}

static void log_write(void **state, unsigned size, size_t cut) {
    char path[256], note[128];
    gw_problem problem;
    assert_int_equal(gw_folder_make(unit_path(state, "tile/entries/000.p", path), 0755, &problem), GW_OK);
    assert_int_equal(gw_folder_make(unit_path(state, "tile/entries/001.p", path), 0755, &problem), GW_OK);
    snprintf(note, sizeof(note), "demo.example/godwit\n%u\nAAAA\n", size);
    assert_int_equal(gw_file_replace(unit_path(state, "checkpoint", path), gw_bytes_of(note), 0644, &problem), GW_OK);
    if (size >= 256)
        bundle_write(state, "tile/entries/000", 0, 256, size == 256 ? cut : 0);
    snprintf(note, sizeof(note), "tile/entries/00%u.p/%u", size / 256, size % 256);
    if (size % 256 > 0)
        bundle_write(state, note, size / 256 * 256, size % 256, cut);
}

typedef struct {
    uint64_t count, next, stop_after;
} seen;

static bool see(void *state, const gw_entry *entry) {
    seen *s = state;
    assert_int_equal(entry->seq, s->next);
    s->next++;
    s->count++;
    return s->count != s->stop_after;
}

static void entries_come_in_order_over_bundles(void **state) {
    gw_problem problem;
    seen all = {0}, last = {.next = 290};
    log_write(state, 300, 0);
    assert_int_equal(gw_log_files_read(*state, 0, see, &all, &problem), GW_OK);
    assert_int_equal(all.count, 300);
    assert_int_equal(gw_log_files_read(*state, 290, see, &last, &problem), GW_OK);
    assert_int_equal(last.count, 10);
}

static void a_full_bundle_at_the_end_is_found(void **state) {
    gw_problem problem;
    seen all = {0};
    log_write(state, 256, 0);
    assert_int_equal(gw_log_files_read(*state, 0, see, &all, &problem), GW_OK);
    assert_int_equal(all.count, 256);
}

static void reading_stops_when_told(void **state) {
    gw_problem problem;
    seen some = {.stop_after = 5};
    log_write(state, 300, 0);
    assert_int_equal(gw_log_files_read(*state, 0, see, &some, &problem), GW_OK);
    assert_int_equal(some.count, 5);
}

static void a_bundle_that_ends_early_is_told(void **state) {
    gw_problem problem;
    seen some = {0};
    log_write(state, 10, 3);
    assert_int_equal(gw_log_files_read(*state, 0, see, &some, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_bundle");
    assert_string_equal(problem.what, "Entry 9 cannot be read.");
    assert_int_equal(some.count, 9);
}

static void an_entry_of_another_number_is_none(void **state) {
    gw_problem problem;
    seen some = {0};
    log_write(state, 10, 0);
    bundle_write(state, "tile/entries/000.p/10", 1, 10, 0); // true entries, one place too early
    assert_int_equal(gw_log_files_read(*state, 0, see, &some, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_entry");
    assert_int_equal(some.count, 0);
}

static void a_missing_bundle_or_checkpoint_is_told(void **state) {
    gw_problem problem;
    seen some = {0};
    char path[256];
    log_write(state, 300, 0);
    assert_int_equal(remove(unit_path(state, "tile/entries/001.p/44", path)), 0);
    assert_int_equal(gw_log_files_read(*state, 0, see, &some, &problem), GW_NOT_FOUND);
    assert_int_equal(some.count, 256);
    assert_int_equal(remove(unit_path(state, "checkpoint", path)), 0);
    assert_int_equal(gw_log_files_read(*state, 0, see, &some, &problem), GW_NOT_FOUND);
    assert_int_equal(gw_file_replace(path, gw_bytes_of("x\n-1\n"), 0644, &problem), GW_OK);
    assert_int_equal(gw_log_files_read(*state, 0, see, &some, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "bad_checkpoint");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_come_in_order_over_bundles, unit_folder_new, unit_folder_free),
        cmocka_unit_test_setup_teardown(a_full_bundle_at_the_end_is_found, unit_folder_new, unit_folder_free),
        cmocka_unit_test_setup_teardown(reading_stops_when_told, unit_folder_new, unit_folder_free),
        cmocka_unit_test_setup_teardown(a_bundle_that_ends_early_is_told, unit_folder_new, unit_folder_free),
        cmocka_unit_test_setup_teardown(an_entry_of_another_number_is_none, unit_folder_new, unit_folder_free),
        cmocka_unit_test_setup_teardown(a_missing_bundle_or_checkpoint_is_told, unit_folder_new, unit_folder_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
