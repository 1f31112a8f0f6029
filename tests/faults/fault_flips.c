// SPDX-License-Identifier: Apache-2.0
// One byte of one file of the state folder is another. The ledger refuses to open, or it is what it was, entry for
// entry, balance for balance, answer for answer: never are there fewer charges.   fault_flips [flips] [seed]
#include "service/base/check.h"
#include "tests/faults/history.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLIPS_DEFAULT 150
#define FILES_MAX 32
#define CODES_MAX 16

typedef struct {
    char names[FILES_MAX][272];
    long long sizes[FILES_MAX];
    size_t file_count;
    struct tally {
        char code[48];
        unsigned long count;
    } codes[CODES_MAX], flips[FILES_MAX];
    unsigned long refused, identical, lost;
} campaign;

// Files of the folder, and below it those of `inner`.
static void list(campaign *all, const char *state_folder, const char *inner) {
    char folder[256];
    snprintf(folder, sizeof(folder), "%s/%s", state_folder, inner);
    DIR *items = opendir(folder);
    struct dirent *item;
    GW_ASSERT(items != NULL);
    while ((item = readdir(items)) != NULL && all->file_count < FILES_MAX) {
        char path[512];
        struct stat facts;
        snprintf(path, sizeof(path), "%s/%s", folder, item->d_name);
        // The ballast is zeros that nobody reads.
        if (strcmp(item->d_name, "ballast") == 0 || lstat(path, &facts) != 0 || !S_ISREG(facts.st_mode) ||
            facts.st_size == 0)
            continue;
        snprintf(all->names[all->file_count], sizeof(all->names[0]), "%s%s", inner, item->d_name);
        all->sizes[all->file_count++] = (long long)facts.st_size;
    }
    closedir(items);
}

static void flip(const char *path, long long at, unsigned char by) {
    unsigned char byte;
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    GW_ASSERT(descriptor >= 0);
    ssize_t count = pread(descriptor, &byte, 1, at);
    GW_ASSERT(count == 1);
    byte ^= by;
    count = pwrite(descriptor, &byte, 1, at);
    GW_ASSERT(count == 1);
    close(descriptor);
}

static void tally_count(struct tally *tallies, const char *code) {
    size_t i = 0;
    while (i < CODES_MAX - 1 && tallies[i].count > 0 && strcmp(tallies[i].code, code) != 0)
        i++;
    snprintf(tallies[i].code, sizeof(tallies[i].code), "%s", code);
    tallies[i].count++;
}

// The same past with its journal played back and taken away: nothing hides what is wrong in the database.
static void settle(const history *past, fault_state *ret) {
    gw_ledger *ledger = NULL;
    char path[256];
    fault_state_clone(&past->state, ret);
    gw_status status = fault_ledger_open(ret, 0, &ledger, NULL);
    GW_ASSERT(status == GW_OK);
    gw_ledger_close(ledger);
    static const char *const journals[] = {"godwit.db-wal", "godwit.db-shm"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s", ret->fixture.folder, journals[i]);
        unlink(path);
    }
}

// Half of the flips hit the database or its journal.
static size_t file_choose(const campaign *all, unsigned *random) {
    bool is_database = campaign_random(random, 2) == 0;
    for (;;) {
        size_t number = campaign_random(random, (unsigned)all->file_count);
        if (!is_database || strcmp(all->names[number], "godwit.db") == 0 ||
            strcmp(all->names[number], "godwit.db-wal") == 0)
            return number;
    }
}

static void flip_once(campaign *all, const history *past, const fault_state *from, fault_state *state,
                      unsigned *random) {
    size_t number = file_choose(all, random);
    long long at = (long long)campaign_random(random, (unsigned)all->sizes[number]);
    unsigned char by = (unsigned char)(1 + campaign_random(random, 255));
    char path[512], what[400];
    fault_state_copy(from, state);
    snprintf(path, sizeof(path), "%s/%s", state->fixture.folder, all->names[number]);
    flip(path, at, by);
    snprintf(what, sizeof(what), "LOST: byte %lld of %s, xor %u", at, all->names[number], by);
    oracle_report report;
    bool is_right = oracle_check(state, past->acks, ORACLE_MARK_MAY_LAG | ORACLE_MAY_REFUSE_ANSWERS, what, &report);
    tally_count(all->flips, all->names[number]);
    if (report.is_refused || (is_right && report.answers_refused > 0)) {
        tally_count(all->codes, report.is_refused ? report.code : "the answer alone");
        all->refused++;
    } else if (is_right && report.size == past->whole.size && gw_hash_equal(report.root, past->whole.root)) {
        all->identical++;
    } else {
        all->lost++;
        fprintf(stderr, "%s: neither refused nor identical\n", what);
    }
    if (report.is_refused && report.code[0] == '\0') {
        all->lost++;
        fprintf(stderr, "%s: refused without a word\n", what);
    }
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, FLIPS_DEFAULT);
    unsigned random = given.seed;
    campaign all = {0};
    history past;
    fault_state state, settled;
    history_make(&past, false);
    settle(&past, &settled);
    fault_state_clone(&past.state, &state);
    for (unsigned long i = 0; i < given.count; i++) {
        const fault_state *from = i % 2 == 0 ? &past.state : &settled;
        all.file_count = 0;
        list(&all, from->fixture.folder, "");
        list(&all, from->fixture.folder, "keys/");
        flip_once(&all, &past, from, &state, &random);
    }
    printf("%lu flips:", given.count);
    for (size_t i = 0; i < CODES_MAX && all.flips[i].count > 0; i++)
        printf(" %lu in %s,", all.flips[i].count, all.flips[i].code);
    printf(" %lu refused (", all.refused);
    for (size_t i = 0; i < CODES_MAX && all.codes[i].count > 0; i++)
        printf("%s%lu %s", i == 0 ? "" : ", ", all.codes[i].count, all.codes[i].code);
    printf("), %lu identical, %lu lost (%.0f s)\n", all.identical, all.lost, campaign_seconds());
    fault_state_remove(&state);
    fault_state_remove(&settled);
    history_done(&past);
    return all.lost == 0 && all.refused > 0 && all.identical > 0 ? 0 : 1;
}
