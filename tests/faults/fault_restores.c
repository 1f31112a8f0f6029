// SPDX-License-Identifier: Apache-2.0
// Somebody puts old files back: the database alone, with its journal, everything but the high-water mark … A ledger
// that is older than what was acknowledged does not open. Where the files put back are, taken together with the rest,
// the newest state after all, it opens and is that.   fault_restores [refusals] [seed]
#include "tests/faults/history.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REFUSALS_DEFAULT 40
#define FILES_MAX 8

// NULL-ended. What is not named stays as it is now; what was not there then is removed.
typedef struct {
    const char *what;
    const char *files[FILES_MAX];
} restore;
static const restore restores[] = {
    {"database", {"godwit.db"}},
    {"database and journal", {"godwit.db", "godwit.db-wal"}},
    {"database, journal and its index", {"godwit.db", "godwit.db-wal", "godwit.db-shm"}},
    {"journal", {"godwit.db-wal"}},
    {"all but the mark", {"godwit.db", "godwit.db-wal", "godwit.db-shm", "lock", "ballast", "keys/log.newest"}},
    {"all but the signer", {"godwit.db", "godwit.db-wal", "godwit.db-shm", "lock", "ballast", "hwm"}},
    {"database, its journal removed", {"godwit.db", "-godwit.db-wal"}},
    {"journal removed", {"-godwit.db-wal", "-godwit.db-shm"}},
    {"mark removed", {"-hwm"}},
    {"signer's tree removed", {"-keys/log.newest"}},
    {"database, mark removed", {"godwit.db", "godwit.db-wal", "-hwm"}},
};
#define RESTORES (sizeof(restores) / sizeof(restores[0]))

static void put_back(const fault_state *old, const fault_state *now, const char *file) {
    char from[256], to[256];
    bool is_removed = file[0] == '-';
    snprintf(from, sizeof(from), "%s/%s", old->fixture.folder, file);
    snprintf(to, sizeof(to), "%s/%s", now->fixture.folder, file + is_removed);
    if (is_removed)
        unlink(to);
    else
        fault_file_copy(from, to);
}

int main(int count, char **arguments) {
    campaign_arguments given = campaign_read(count, arguments, REFUSALS_DEFAULT);
    unsigned random = given.seed;
    history past;
    fault_state state;
    history_make(&past, true);
    fault_state_clone(&past.state, &state);
    unsigned long refused[RESTORES] = {0}, rolled_back = 0, refusals = 0, newest = 0, lost = 0;
    for (unsigned long i = 0; refusals < given.count && i < given.count * 4; i++) {
        const restore *one = &restores[i % RESTORES];
        size_t step = campaign_random(&random, HISTORY_STEPS);
        fault_state_copy(&past.state, &state);
        for (size_t k = 0; k < FILES_MAX && one->files[k] != NULL; k++)
            put_back(&past.steps[step], &state, one->files[k]);
        char what[128];
        oracle_report report;
        snprintf(what, sizeof(what), "LOST: %s of step %zu", one->what, step);
        bool is_right = oracle_check(&state, past.acks, 0, what, &report);
        if (report.is_refused) {
            refusals++;
            refused[i % RESTORES]++;
            rolled_back += strcmp(report.code, "rolled_back") == 0;
        } else if (is_right && report.size == past.whole.size && gw_hash_equal(report.root, past.whole.root)) {
            newest++;
        } else {
            lost++;
            fprintf(stderr, "%s: opened with %llu entries of %llu\n", what, (unsigned long long)report.size,
                    (unsigned long long)past.whole.size);
        }
    }
    printf("%lu restores refused (%lu as rolled back):", refusals, rolled_back);
    for (size_t i = 0; i < RESTORES; i++)
        printf(" %lu %s,", refused[i], restores[i].what);
    printf(" %lu were the newest state, %lu lost (%.0f s)\n", newest, lost, campaign_seconds());
    fault_state_remove(&state);
    history_done(&past);
    return lost == 0 && refusals >= given.count && rolled_back > 0 ? 0 : 1;
}
