// SPDX-License-Identifier: Apache-2.0
// Each check says one line, and how to mend what it finds.
#include "service/doctor_state.h"

#include "service/audit/tile.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include "service/base/file.h"
#include "service/ledger/ledger.h"
#include "service/recovery/restore.h"
#include "service/store/durable.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4400
#define RESTORE_SIGNERS 2
#define LAG_WARN 3600 // seconds that a budget period may open late before somebody is told

// ---- the clock

static void check_clock(const gw_config *config, int64_t time_last, gw_doctor_report *report) {
    gw_ledger_clock clock;
    if (gw_ledger_clock_look(config->folder, gw_clock_system(), time_last, &clock) != GW_OK)
        return;
    long long lag = (long long)(clock.wall - clock.sure);
    if (clock.state == GW_CLOCK_JUMPED)
        gw_doctor_say(report, GW_FOUND_FAIL, "clock",
                      "Set the clock right, or, where it is right: godwit clock confirm",
                      "The clock is ahead of what this machine counted: nothing new is charged or entered.");
    else if (clock.state == GW_CLOCK_BEHIND)
        gw_doctor_say(report, GW_FOUND_WARN, "clock", "Look at the clock: timedatectl",
                      "This machine's clock is %lld seconds behind the ledger's last entry.",
                      (long long)(clock.last - clock.wall));
    else if (lag > LAG_WARN)
        gw_doctor_say(report, GW_FOUND_WARN, "clock", "Where the clock is right: godwit clock confirm",
                      "The machine was off, nobody confirmed the time since: budget periods open %lld minutes late.",
                      lag / 60);
    else
        gw_doctor_say(report, GW_FOUND_OK, "clock", "", "The clock is right; budget periods open %lld minutes late.",
                      lag > 0 ? lag / 60 : 0);
}

// ---- the mark's place, room kept aside

static void check_place(const gw_config *config, gw_doctor_report *report) {
    struct stat mark, database;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.4000s/hwm", config->folder);
    if (stat(config->hwm[0] ? config->hwm : path, &mark) != 0)
        return; // told by the check of the mark
    snprintf(path, sizeof path, "%.4000s/godwit.db", config->folder);
    if (stat(path, &database) != 0)
        return;
    if (mark.st_dev == database.st_dev)
        gw_doctor_say(report, GW_FOUND_WARN, "mark place",
                      "The setting hwm: a path on another disk, which no restored copy of this one brings back",
                      "The high-water mark lies on the ledger's filesystem: whoever sets that back sets back both.");
    else
        gw_doctor_say(report, GW_FOUND_OK, "mark place", "", "The high-water mark lies on another filesystem.");
}

static void check_ballast(const gw_config *config, gw_doctor_report *report) {
    struct stat facts;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%.4000s/ballast", config->folder);
    if (stat(path, &facts) == 0 && facts.st_size >= GW_BALLAST_BYTES)
        gw_doctor_say(report, GW_FOUND_OK, "ballast", "", "%lld kB are kept aside for a full disk.",
                      (long long)facts.st_size / 1024);
    else
        gw_doctor_say(report, GW_FOUND_WARN, "ballast", "Free some space and start the service again.",
                      "No room is kept aside for a full disk.");
}

// ---- the published files

typedef struct {
    const gw_config *config;
    uint64_t files, bytes;
    char missing[GW_TILE_PATH_MAX]; // the first one that is not there
} tile_count;

static void tile_see(tile_count *count, const char *name) {
    char path[PATH_BYTES];
    struct stat facts;
    snprintf(path, sizeof path, "%.4000s/log/%s", count->config->folder, name);
    if (stat(path, &facts) == 0) {
        count->files++;
        count->bytes += (uint64_t)facts.st_size;
    } else if (count->missing[0] == '\0') {
        snprintf(count->missing, sizeof count->missing, "%s", name);
    }
}

// The size that the published note states; doctor's check of the log says whether it is true.
static uint64_t published_size(const gw_config *config) {
    char path[PATH_BYTES], line[256];
    unsigned long long size = 0;
    snprintf(path, sizeof path, "%.4000s/log/checkpoint", config->folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    bool has_origin = fgets(line, sizeof line, file) != NULL;
    if (has_origin && fgets(line, sizeof line, file) != NULL)
        size = strtoull(line, NULL, 10);
    fclose(file);
    return size;
}

static void check_tiles(const gw_config *config, uint64_t size_max, gw_doctor_report *report) {
    uint64_t size = published_size(config);
    tile_count count = {.config = config};
    if (size == 0 || size > size_max)
        return;
    for (unsigned level = 0; level < GW_TILE_LEVELS && gw_tile_width(size, level, 0) > 0; level++)
        for (uint64_t number = 0;; number++) {
            char name[GW_TILE_PATH_MAX];
            unsigned width = gw_tile_width(size, level, number);
            if (width == 0)
                break;
            gw_tile_path(level, number, width, name);
            tile_see(&count, name);
            if (level > 0)
                continue;
            gw_bundle_path(number, width, name);
            tile_see(&count, name);
        }
    if (count.missing[0] != '\0')
        gw_doctor_say(report, GW_FOUND_FAIL, "tiles", "Start the service again: it writes what is missing.",
                      "The published log of %llu entries lacks %s.", (unsigned long long)size, count.missing);
    else
        gw_doctor_say(report, GW_FOUND_OK, "tiles", "", "All %llu files of the published log are there, %llu kB.",
                      (unsigned long long)count.files, (unsigned long long)count.bytes / 1024);
}

// ---- restores

// A statement that the last restore has not done with; without signatures beside it nothing of the state was changed.
static void check_statement(const gw_config *config, gw_store_reader *reader, gw_doctor_report *report) {
    char path[PATH_BYTES], mend[512];
    gw_problem problem = {0};
    statement told;
    gw_signers signers = {0};
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, 65536);
    snprintf(path, sizeof path, "%.4000s/" RESTORE_STATEMENT, config->folder);
    if (access(path, F_OK) != 0)
        return;
    gw_status status = gw_file_read(path, &text, &problem);
    if (status == GW_OK)
        status = statement_decode(gw_buffer_bytes(&text), path, &told, &problem);
    if (status == GW_OK)
        status = statement_signers(path, gw_buffer_bytes(&text), told.time, reader, &signers, &problem);
    if (status != GW_OK) {
        gw_doctor_say_problem(report, GW_FOUND_WARN, "restore", &problem);
        return;
    }
    if (signers.count < RESTORE_SIGNERS) {
        snprintf(
            mend, sizeof mend,
            "godwit sign %.160s --as NAME, then godwitd restore as before; or remove the file, if it is not wanted",
            path);
        gw_doctor_say(report, GW_FOUND_WARN, "restore", mend,
                      "A restore to %llu entries, with %llu lost, waits for signatures: %zu of %d. Nothing is changed "
                      "yet.",
                      (unsigned long long)told.from, (unsigned long long)told.lost, signers.count, RESTORE_SIGNERS);
    } else {
        gw_doctor_say(report, GW_FOUND_WARN, "restore", "godwitd restore, with the folders it was given before",
                      "A restore to %llu entries, with %llu lost, has its signatures and is not finished.",
                      (unsigned long long)told.from, (unsigned long long)told.lost);
    }
}

static void signer_count(void *state, const char *principal, unsigned roles, size_t live_keys) {
    size_t *count = state;
    (void)principal;
    *count += (roles & (GW_ROLE_OWNER | GW_ROLE_OPERATOR)) != 0 && live_keys > 0;
}

static void check_signers(gw_store_reader *reader, gw_doctor_report *report) {
    size_t count = 0;
    if (gw_store_principals(reader, signer_count, &count) != GW_OK)
        return;
    if (count < RESTORE_SIGNERS)
        gw_doctor_say(report, GW_FOUND_OK, "signers", "",
                      "%zu owner or operator has a key. A restore takes two: add one before it is needed.", count);
    else
        gw_doctor_say(report, GW_FOUND_OK, "signers", "", "%zu owners or operators have keys; a restore takes two.",
                      count);
}

void gw_doctor_state(const gw_config *config, gw_store_reader *reader, uint64_t size, int64_t time_last,
                     gw_doctor_report *report) {
    check_statement(config, reader, report);
    check_signers(reader, report);
    check_clock(config, time_last, report);
    check_place(config, report);
    check_ballast(config, report);
    check_tiles(config, size, report);
}
