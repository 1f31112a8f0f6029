// SPDX-License-Identifier: Apache-2.0
// Folders made, copied and removed; the ledger opened as the daemon opens it.
#include "tests/faults/state.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/signer/client.h"
#include "service/store/durable.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gw_status submit(void *ledger, gw_store_op *op) {
    return gw_ledger_submit(ledger, op);
}

void fault_state_at(const fault_state *from, const char *folder, fault_state *ret) {
    *ret = *from;
    snprintf(ret->fixture.folder, sizeof(ret->fixture.folder), "%s", folder);
    snprintf(ret->fixture.database, sizeof(ret->fixture.database), "%s/godwit.db", folder);
    snprintf(ret->log, sizeof(ret->log), "%s/log", folder);
    snprintf(ret->questions, sizeof(ret->questions), "%s/questions", folder);
    snprintf(ret->mark, sizeof(ret->mark), "%s/hwm", folder);
    snprintf(ret->keys, sizeof(ret->keys), "%s/keys", folder);
}

gw_status fault_ledger_open(const fault_state *state, uint64_t free_bytes_min, gw_ledger **ret,
                            gw_problem *ret_problem) {
    gw_ledger_options options = {.state_folder = state->fixture.folder,
                                 .clock = gw_clock_system(),
                                 .free_bytes_min = free_bytes_min == 0 ? 1 : free_bytes_min};
    gw_signer_client_options signer = {.origin = FIXTURE_ORIGIN, .program = state->signer, .folder = state->keys};
    gw_status status = state->signer == NULL ? fixture_signer_open(state->fixture.folder, &options.signer, ret_problem)
                                             : gw_signer_client(&signer, &options.signer, ret_problem);
    return status == GW_OK ? gw_ledger_open(&options, ret, ret_problem) : status;
}

void fault_state_new(fault_state *ret, const fixture_budget *budget, bool is_on_disk) {
    fixture_budget large = fixture_budget_large;
    large.window_days = 30;
    large.window_total = large.principal_total = large.total;
    if (is_on_disk)
        setenv("TMPDIR", "/tmp", 0);
    ledger_fixture fixture;
    fixture_create(&fixture);
    fault_state_at(&(fault_state){.fixture = fixture}, fixture.folder, ret);
    gw_ledger *ledger = NULL;
    gw_status status = fault_ledger_open(ret, 0, &ledger, NULL);
    GW_ASSERT(status == GW_OK);
    fixture_settle(&ret->fixture, budget == NULL ? &large : budget, submit, ledger);
    gw_ledger_close(ledger);
}

void fault_file_copy(const char *from, const char *to) {
    unlink(to);
    GW_CLEANUP(gw_closep) int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return;
    GW_CLEANUP(gw_closep) int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    GW_ASSERT(out >= 0);
    struct stat facts;
    GW_ASSERT(fstat(in, &facts) == 0);
    // What is large is the ballast: zeros. Its blocks are not wanted here.
    if (facts.st_size >= (off_t)GW_BALLAST_BYTES && strstr(from, "/ballast") != NULL) {
        GW_ASSERT(ftruncate(out, facts.st_size) == 0);
        return;
    }
    char block[65536];
    ssize_t count;
    while ((count = read(in, block, sizeof(block))) > 0)
        GW_ASSERT(write(out, block, (size_t)count) == count);
}

// Calls `each` with the name of every item in a folder.
static void folder_each(const char *path, const char *other, void (*each)(const char *path, const char *other)) {
    DIR *folder = opendir(path);
    struct dirent *item;
    char inner[4096], inner_other[4096];
    while (folder != NULL && (item = readdir(folder)) != NULL) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, item->d_name);
        snprintf(inner_other, sizeof(inner_other), "%s/%s", other, item->d_name);
        each(inner, inner_other);
    }
    if (folder != NULL)
        closedir(folder);
}

static bool is_folder(const char *path) {
    struct stat facts;
    return lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static void item_remove(const char *path, const char *other) {
    (void)other;
    if (!is_folder(path)) {
        unlink(path);
        return;
    }
    folder_each(path, "", item_remove);
    rmdir(path);
}

static void item_copy(const char *from, const char *to) {
    if (is_folder(from))
        fault_folder_copy(from, to);
    else
        fault_file_copy(from, to);
}

void fault_folder_copy(const char *from, const char *to) {
    GW_ASSERT(mkdir(to, 0700) == 0 || errno == EEXIST);
    folder_each(from, to, item_copy);
}

void fault_state_empty(fault_state *state) {
    folder_each(state->fixture.folder, "", item_remove);
}

void fault_state_copy(const fault_state *from, fault_state *to) {
    fault_state_empty(to);
    fault_folder_copy(from->fixture.folder, to->fixture.folder);
}

void fault_state_clone(const fault_state *from, fault_state *ret) {
    ledger_fixture fixture;
    fixture_folder(&fixture);
    fault_state_at(from, fixture.folder, ret);
    fault_state_copy(from, ret);
}

void fault_state_remove(fault_state *state) {
    fixture_remove(&state->fixture);
}
