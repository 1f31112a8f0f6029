// SPDX-License-Identifier: Apache-2.0
// One rule for each place that the service makes, and one for keys of any other name.
#include "service/doctor_files.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4400

typedef struct {
    const char *name;
    mode_t mode_max;
    bool is_required;
} place_rule;

static const place_rule places[] = {
    {"", 0700, true},
    {"keys", 0700, true},
    {"profiles", 0700, false},
    {"data", 0700, true},
    {"policies", 0700, true},
    {"log", 0755, true},
    {"questions", 0755, true},
    {"config.json", 0644, true},
    {"godwit.db", 0600, true},
    {"hwm", 0600, false},
    {"clock", 0600, false},
    {"keys/log.newest", 0600, false},
    {"keys/log.key", 0400, false},      // a signer of its own has it elsewhere
    {"keys/log.next.key", 0400, false}, // while the log's key is changed
    {"keys/mark.key", 0400, false},
    {"keys/reply.key", 0400, true},
    {"keys/seal.key", 0400, true},
};

static bool check_place(const gw_config *config, const place_rule *rule, gw_doctor_report *report) {
    char path[PATH_BYTES], mend[PATH_BYTES + 32];
    struct stat facts;
    snprintf(path, sizeof path, "%.4000s/%s", config->folder, rule->name);
    if (lstat(path, &facts) != 0) {
        if (rule->is_required)
            gw_doctor_say(report, GW_FOUND_FAIL, "modes", "Restore it from a backup.", "%.300s is missing.", path);
        return !rule->is_required;
    }
    if (S_ISLNK(facts.st_mode) || facts.st_uid != geteuid()) {
        gw_doctor_say(report, GW_FOUND_FAIL, "modes", "chown -R it to the user of the service",
                      "%.300s belongs to another user, or is a link.", path);
        return false;
    }
    mode_t mode = facts.st_mode & 07777;
    if ((mode & ~rule->mode_max) == 0)
        return true;
    snprintf(mend, sizeof mend, "chmod %o %.200s", (unsigned)rule->mode_max, path);
    gw_doctor_say(report, GW_FOUND_FAIL, "modes", mend, "%.300s has mode %o; at most %o is safe.", path, (unsigned)mode,
                  (unsigned)rule->mode_max);
    return false;
}

// Every other key: those that people keep beside the state.
static bool check_keys(const gw_config *config, const char *folder, gw_doctor_report *report) {
    char path[PATH_BYTES], name[300];
    bool is_well = true;
    struct dirent *item;
    snprintf(path, sizeof path, "%.4000s/%s", config->folder, folder);
    DIR *listed = opendir(path);
    while (listed && (item = readdir(listed)) != NULL) {
        size_t size = strlen(item->d_name);
        place_rule rule = {.name = name, .mode_max = 0600};
        if (size < 5 || strcmp(item->d_name + size - 4, ".key") != 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", folder, item->d_name);
        bool is_told = false; // by a rule of its own
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            is_told = is_told || strcmp(places[i].name, name) == 0;
        is_well = (is_told || check_place(config, &rule, report)) && is_well;
    }
    if (listed)
        closedir(listed);
    return is_well;
}

void gw_doctor_files(const gw_config *config, gw_doctor_report *report) {
    bool is_well = true;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        is_well = check_place(config, &places[i], report) && is_well;
    is_well = check_keys(config, "keys", report) && is_well;
    is_well = check_keys(config, "profiles", report) && is_well;
    if (is_well)
        gw_doctor_say(report, GW_FOUND_OK, "modes", "", "Keys, data and ledger are their owner's alone.");
}
