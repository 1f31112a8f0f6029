// SPDX-License-Identifier: Apache-2.0
// What an auditor's script sees of a changed log: `godwit audit verify` ends with one exit code for "tampered" and
// another for "cannot check", and names the entry. A seeded sample of flips over every file, and each file gone.
#include "client/cli/exit_code.h"
#include "service/base/file.h"
#include "tests/support/seeded_random.h"
#include "tests/support/small_log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHARGES 132
#define FLIPS_EACH 5

static small_log shared;
static char program[4096], output[128], vkey[GW_VKEY_MAX];
static const char *const names[] = {"checkpoint",     "tile/0/000",       "tile/0/001.p/14",
                                    "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/14"};
#define FILES (sizeof(names) / sizeof(names[0]))

static int verify(void) {
    pid_t pid = fork();
    if (pid == 0) {
        int file = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0)
            _exit(126);
        execl(program, program, "audit", "verify", "--log", shared.log, "--log-key", vkey, "--output", "json", NULL);
        _exit(127);
    }
    int status = 0;
    assert_true(pid > 0);
    assert_true(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_ends(int expected, const char *says, const char *name) {
    int code = verify();
    gw_buffer said;
    gw_buffer_init(&said, 1u << 20);
    assert_int_equal(gw_file_read(output, &said, NULL), GW_OK);
    if (code != expected || strstr(gw_buffer_string(&said), says) == NULL)
        fail_msg("%s: exit %d, not %d with %s:\n%s", name, code, expected, says, gw_buffer_string(&said));
    gw_buffer_done(&said);
}

static void path_of(const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", shared.log, name);
}

static void flip(const char *path, uint64_t word) {
    gw_buffer bytes;
    gw_buffer_init(&bytes, 1u << 24);
    assert_int_equal(gw_file_read(path, &bytes, NULL), GW_OK);
    bytes.data[(word >> 3) % bytes.size] ^= (uint8_t)(1u << (word & 7));
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&bytes), 0600, NULL), GW_OK);
    gw_buffer_done(&bytes);
}

static void a_sound_log_ends_with_0(void **state) {
    (void)state;
    assert_ends(GW_EXIT_DONE, "\"is_sound\":true", "as published");
}

static void a_flipped_bit_ends_as_tampered(void **state) {
    (void)state;
    seeded_random random = {.state = 7};
    for (size_t i = 0; i < FILES; i++)
        for (unsigned k = 0; k < FLIPS_EACH; k++) {
            char path[256];
            uint64_t word = seeded_next(&random);
            path_of(names[i], path);
            flip(path, word);
            assert_ends(GW_EXIT_TAMPERED, i == 0 ? "\"code\":\"bad_checkpoint\"" : "\"first_bad\":", names[i]);
            flip(path, word);
        }
    a_sound_log_ends_with_0(state);
}

static void a_missing_file_ends_as_not_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        char path[256], away[300];
        path_of(names[i], path);
        snprintf(away, sizeof(away), "%s.away", path);
        assert_int_equal(rename(path, away), 0);
        assert_ends(GW_EXIT_CANNOT_CHECK, "", names[i]);
        assert_int_equal(rename(away, path), 0);
    }
    a_sound_log_ends_with_0(state);
}

static void a_changed_question_names_its_charge(void **state) {
    (void)state;
    char path[256], away[300];
    snprintf(path, sizeof(path), "%s/000.jsonl", shared.questions);
    flip(path, 3 << 3);
    assert_ends(GW_EXIT_TAMPERED, "\"first_bad\":6,\"code\":\"bad_question\"", "a question");
    flip(path, 3 << 3);
    snprintf(away, sizeof(away), "%s.away", path);
    assert_int_equal(rename(path, away), 0);
    assert_ends(GW_EXIT_DONE, "\"questions\":0,\"questions_missing\":132", "questions that are not published");
    assert_int_equal(rename(away, path), 0);
    assert_ends(GW_EXIT_DONE, "\"questions\":132,\"questions_missing\":0", "questions as published");
}

static int setup(void **state) {
    (void)state;
    const char *folder = getenv("GW_BIN");
    if (folder == NULL)
        return -1;
    small_log_make(&shared, CHARGES);
    snprintf(program, sizeof(program), "%s/godwit", folder);
    snprintf(output, sizeof(output), "%s/output", shared.ledger.folder);
    gw_note_key_format(&shared.key, vkey);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    small_log_remove(&shared);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_log_ends_with_0),
        cmocka_unit_test(a_flipped_bit_ends_as_tampered),
        cmocka_unit_test(a_missing_file_ends_as_not_checked),
        cmocka_unit_test(a_changed_question_names_its_charge),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
