// SPDX-License-Identifier: Apache-2.0
// Auditors with tools that no one here wrote: Go's sumdb packages accept our checkpoints, tiles, bundles and receipts,
// at sizes with partial, full and higher tiles, and refuse each of them with one byte flipped. Exit 77 where there is
// no go or no package.
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

#define CHARGES_FULL 125 // with the 6 entries before them 256: one full tile, and no partial one
#define CHARGES_MORE 20
#define SKIPPED 77
#define PACKAGES "/usr/share/gocode"

typedef struct {
    small_log log;
    char program[128], receipt[128], output[128], vkey[GW_VKEY_MAX];
} story;
static story it;

// Runs without a shell; what it says goes to `output`. The exit code.
static int run(char *const arguments[]) {
    pid_t pid = fork();
    if (pid == 0) {
        int file = open(it.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0)
            _exit(126);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    int status = 0;
    assert_true(pid > 0);
    assert_true(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void output_read(gw_buffer *ret) {
    gw_buffer_init(ret, 1u << 20);
    assert_int_equal(gw_file_read(it.output, ret, NULL), GW_OK);
}

static void verifier_build(void) {
    const char *source = getenv("GW_SOURCE");
    char path[4096], cache[4096];
    assert_non_null(source);
    snprintf(path, sizeof(path), "%s/tests/independent/verifier.go", source);
    snprintf(cache, sizeof(cache), "%s/.build/go", source);
    // From Debian's packages alone: no module, no network, nothing in anybody's home.
    setenv("GO111MODULE", "off", 1);
    setenv("GOPATH", PACKAGES, 1);
    setenv("GOFLAGS", "", 1);
    setenv("GOPROXY", "off", 1);
    setenv("GOTOOLCHAIN", "local", 1);
    setenv("GOCACHE", cache, 1);
    setenv("CGO_ENABLED", "0", 1);
    char *const arguments[] = {(char *)"go", (char *)"build", (char *)"-o", it.program, path, NULL};
    int code = run(arguments);
    gw_buffer said;
    output_read(&said);
    if (code != 0)
        fail_msg("go build ended with %d: %s", code, gw_buffer_string(&said));
    gw_buffer_done(&said);
}

static int verify(void) {
    char *const arguments[] = {it.program, it.vkey, it.log.log, it.receipt, NULL};
    return run(arguments);
}

static void receipt_write(uint64_t from) {
    gw_buffer receipt;
    gw_buffer_init(&receipt, 16384);
    assert_true(small_log_receipt(&it.log, from, &receipt) >= from);
    assert_int_equal(gw_file_replace(it.receipt, gw_buffer_bytes(&receipt), 0600, NULL), GW_OK);
    gw_buffer_done(&receipt);
}

static void assert_accepted(void) {
    char line[64];
    int code = verify();
    gw_buffer said;
    output_read(&said);
    if (code != 0)
        fail_msg("%d: %s", code, gw_buffer_string(&said));
    snprintf(line, sizeof(line), "ok %llu entries are in the tree\n", (unsigned long long)it.log.size);
    assert_non_null(strstr(gw_buffer_string(&said), line));
    assert_non_null(strstr(gw_buffer_string(&said), "ok every tile follows from the entries\n"));
    assert_non_null(strstr(gw_buffer_string(&said), "ok receipt "));
    gw_buffer_done(&said);
}

static void it_accepts_logs_of_every_shape_and_their_receipts(void **state) {
    (void)state;
    receipt_write(8); // 22 entries
    assert_accepted();
    small_log_grow(&it.log, CHARGES_FULL - 8);
    assert_int_equal(it.log.size, 256);
    assert_accepted(); // with a receipt under the older checkpoint
    receipt_write(200);
    assert_accepted();
    small_log_grow(&it.log, CHARGES_MORE);
    receipt_write(260);
    assert_accepted();
}

static void flip(const char *path, uint64_t word) {
    gw_buffer bytes;
    gw_buffer_init(&bytes, 1u << 24);
    assert_int_equal(gw_file_read(path, &bytes, NULL), GW_OK);
    bytes.data[(word >> 3) % bytes.size] ^= (uint8_t)(1u << (word & 7));
    assert_int_equal(gw_file_replace(path, gw_buffer_bytes(&bytes), 0600, NULL), GW_OK);
    gw_buffer_done(&bytes);
}

static void it_refuses_a_flipped_bit_of_any_file(void **state) {
    (void)state;
    static const char *const names[] = {"checkpoint",     "tile/0/000",       "tile/0/001.p/40",
                                        "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/40"};
    seeded_random random = {.state = 20260921};
    for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
        char path[256];
        if (i < sizeof(names) / sizeof(names[0]))
            snprintf(path, sizeof(path), "%s/%s", it.log.log, names[i]);
        else
            snprintf(path, sizeof(path), "%s", it.receipt);
        uint64_t word = seeded_next(&random);
        flip(path, word);
        int code = verify();
        if (code != 1)
            fail_msg("%s with a flipped bit: exit %d", path, code);
        flip(path, word);
    }
    assert_accepted();
}

static void it_refuses_another_logs_key(void **state) {
    (void)state;
    gw_note_key other = it.log.key;
    char own[GW_VKEY_MAX];
    memcpy(own, it.vkey, sizeof(own));
    gw_secret_key *secret = NULL;
    assert_int_equal(gw_key_generate(&secret), GW_OK);
    assert_int_equal(gw_note_key_new(FIXTURE_ORIGIN, gw_key_public(secret), &other), GW_OK);
    gw_secret_key_free(secret);
    gw_note_key_format(&other, it.vkey);
    assert_int_equal(verify(), 1);
    memcpy(it.vkey, own, sizeof(own));
}

static int setup(void **state) {
    (void)state;
    small_log_make(&it.log, 8);
    snprintf(it.program, sizeof(it.program), "%s/verifier", it.log.ledger.folder);
    snprintf(it.receipt, sizeof(it.receipt), "%s/receipt.tlog-proof", it.log.ledger.folder);
    snprintf(it.output, sizeof(it.output), "%s/output", it.log.ledger.folder);
    gw_note_key_format(&it.log.key, it.vkey);
    verifier_build();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    small_log_remove(&it.log);
    return 0;
}

int main(void) {
    if (system("command -v go >/dev/null 2>&1") != 0 ||
        access(PACKAGES "/src/golang.org/x/mod/sumdb/tlog", R_OK) != 0) {
        printf("skipped: there is no go, or no golang.org/x/mod in " PACKAGES
               " (Debian: golang-go golang-golang-x-mod-dev)\n");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_accepts_logs_of_every_shape_and_their_receipts),
        cmocka_unit_test(it_refuses_a_flipped_bit_of_any_file),
        cmocka_unit_test(it_refuses_another_logs_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
