// SPDX-License-Identifier: Apache-2.0
// A table of checks over one state folder. Each says what it found; none stops the others, but where one needs what
// another could not open, it is silent: the cause has been told.
#include "service/doctor.h"

#include "service/admin/load.h"
#include "service/arguments.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/doctor_files.h"
#include "service/doctor_log.h"
#include "service/doctor_report.h"
#include "service/doctor_state.h"
#include "service/engine/engine.h"
#include "service/load_command.h"
#include "service/ping.h"
#include "service/policy/indicator.h"
#include "service/service.h"
#include "service/store/durable.h"
#include "service/store/hwm.h"
#include "service/tell.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4300
#define MEGABYTE (1u << 20)
#define FREE_FAIL (64ull << 20) // the ledger refuses charges below it
#define FREE_WARN (1ull << 30)
#define FILES_MIN 2048u // 1,024 connections, a database connection with its journal for each worker, and room
#define PING_MS 10000

const char gw_doctor_help[] = "godwitd doctor [--dir DIR] [-o text|json]\n"
                              "  looks the state folder over, with or without a daemon on it, and changes\n"
                              "  nothing: OK, WARN or FAIL for each check, and how to mend it. Run as root it\n"
                              "  looks as the folder's owner. Exit: 0 no FAIL, 9 some, 10 it cannot look.\n\n"
                              "  --dir DIR  state folder (default: here, or ./state)\n"
                              "  -o json    for programs\n"
                              "  --help     this page\n";

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)
GW_DEFINE_FREEP(gw_policy, gw_policy_free)

GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)

typedef struct {
    gw_config config;
    gw_doctor_report report;
    pid_t daemon;            // 0: none
    gw_store_reader *reader; // NULL: it could not be opened
    gw_doctor_ledger ledger; // its sizes
    gw_doctor_log log;
    int64_t time_last;
} doctor;

static void path_of(const doctor *d, const char *name, char path[PATH_BYTES]) {
    snprintf(path, PATH_BYTES, "%s/%s", d->config.folder, name);
}

// ---- the machine

static void check_daemon(doctor *d) {
    char path[PATH_BYTES];
    path_of(d, "lock", path);
    if (gw_durable_lock_holder(path, &d->daemon) != GW_OK) {
        d->daemon = 0;
        gw_doctor_say(&d->report, GW_FOUND_OK, "daemon", "", "None runs on this folder.");
        return;
    }
    gw_problem problem = {0};
    gw_reply_status reply;
    if (gw_ping(d->config.listen[0], d->config.origin, PING_MS, &reply, &problem) == GW_OK)
        gw_doctor_say(&d->report, GW_FOUND_OK, "daemon", "", "Process %ld answers on %s.", (long)d->daemon,
                      d->config.listen[0]);
    else
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "daemon", &problem);
}

static void check_disk(doctor *d) {
    gw_problem problem = {0};
    uint64_t bytes = 0;
    char kind[32];
    bool lasts;
    gw_durable_filesystem(d->config.folder, kind, &lasts);
    if (!lasts)
        gw_doctor_say(&d->report, GW_FOUND_WARN, "disk", "Put the state folder on a disk.",
                      "The state folder is in memory (%s): when the power goes, ledger and budgets are gone.", kind);
    if (gw_durable_check_local(d->config.folder, &problem) != GW_OK)
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "disk", &problem);
    if (gw_durable_free_bytes(d->config.folder, &bytes) != GW_OK)
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "disk", "", "The free space cannot be read.");
    else
        gw_doctor_say(&d->report,
                      bytes < FREE_FAIL   ? GW_FOUND_FAIL
                      : bytes < FREE_WARN ? GW_FOUND_WARN
                                          : GW_FOUND_OK,
                      "disk", bytes < FREE_WARN ? "Free some space: below 64 MB no question is charged." : "",
                      "%s%s%llu MB are free.", kind, kind[0] ? ", " : "", (unsigned long long)(bytes / MEGABYTE));
}

// The soft limit in a line of /proc/<pid>/limits; `missing` where it cannot be read.
static unsigned long long limit_of(pid_t pid, const char *name, unsigned long long missing) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%ld/limits", (long)pid);
    FILE *file = fopen(path, "re");
    unsigned long long value = missing;
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        const char *at = line + strlen(name) + strspn(line + strlen(name), " ");
        value = strncmp(at, "unlimited", 9) == 0 ? ULLONG_MAX : strtoull(at, NULL, 10);
    }
    if (file)
        fclose(file);
    return value;
}

static void check_limits(doctor *d) {
    pid_t pid = d->daemon ? d->daemon : getpid();
    const char *who = d->daemon ? "The daemon" : "A process started like this one";
    unsigned long long files = limit_of(pid, "Max open files", 0);
    unsigned long long cores = limit_of(pid, "Max core file size", ULLONG_MAX);
    if (files == 0) {
        gw_doctor_say(&d->report, GW_FOUND_WARN, "limits", "Run this as root.", "The daemon's limits cannot be read.");
        return;
    }
    gw_doctor_say(&d->report, files < FILES_MIN ? GW_FOUND_WARN : GW_FOUND_OK, "limits",
                  files < FILES_MIN ? "LimitNOFILE=8192 in the unit, or: ulimit -n 8192" : "",
                  "%s may open %llu files.", who, files);
    bool is_closed = cores == 0 && (d->daemon || prctl(PR_GET_DUMPABLE) == 0);
    gw_doctor_say(&d->report, is_closed ? GW_FOUND_OK : GW_FOUND_FAIL, "core",
                  is_closed ? "" : "LimitCORE=0 in the unit",
                  is_closed ? "%s leaves no core file." : "%s could leave a core file with private data in it.", who);
}

// ---- ledger, mark and log

static void check_modes(doctor *d) {
    gw_doctor_files(&d->config, &d->report);
}

static void check_database(doctor *d) {
    char path[PATH_BYTES];
    gw_store_facts facts;
    gw_problem problem = {0};
    path_of(d, "godwit.db", path);
    if (gw_store_examine(path, &facts, &problem) != GW_OK) {
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "database", &problem);
        return;
    }
    if (!facts.is_whole)
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "database", "Restore the newest backup; do not delete files.",
                      "Its pages are damaged: %.300s", facts.trouble);
    if (!facts.is_wal)
        gw_doctor_say(&d->report, GW_FOUND_WARN, "database", "Start the service once.",
                      "Its journal is not in the mode that the service sets at its start.");
    gw_doctor_say(&d->report, facts.are_settings_taken ? GW_FOUND_OK : GW_FOUND_FAIL, "settings",
                  facts.are_settings_taken ? "" : "Install the SQLite that Godwit was built with.",
                  facts.are_settings_taken ? "SQLite takes what the ledger relies on: %s%s."
                                           : "SQLite does not take what the ledger relies on: %s%s.",
                  facts.is_wal ? "journal_mode=wal " : "", facts.settings);
    if (facts.version > facts.version_known)
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "schema",
                      "Install the version of Godwit that wrote it, or a newer one.",
                      "The tables are of version %d; this program knows up to %d.", facts.version, facts.version_known);
    else if (facts.version < facts.version_known)
        gw_doctor_say(&d->report, GW_FOUND_WARN, "schema", "godwitd serve brings them up, and keeps a copy.",
                      "The tables are of version %d; this program writes %d.", facts.version, facts.version_known);
    else
        gw_doctor_say(&d->report, GW_FOUND_OK, "schema", "",
                      "The tables are of version %d, the newest; %llu kB, and %llu kB of journal.", facts.version,
                      (unsigned long long)facts.bytes / 1024, (unsigned long long)facts.wal_bytes / 1024);
}

static gw_status mark_read(doctor *d, gw_hwm_mark *ret, gw_problem *problem) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    char path[PATH_BYTES];
    gw_hwm *hwm = NULL;
    gw_service_key_path(&d->config, "mark", path, sizeof path);
    if (access(path, F_OK) != 0) // a ledger that this version has not opened yet: the log's key has marked it
        gw_service_key_path(&d->config, "log", path, sizeof path);
    gw_status status = gw_key_file_read(path, &key, problem);
    if (status != GW_OK)
        return status;
    path_of(d, "hwm", path);
    status = gw_hwm_open(d->config.hwm[0] ? d->config.hwm : path, key, NULL, &hwm, ret, problem);
    if (status == GW_NOT_FOUND)
        gw_problem_mend(problem, "Put it back from where it lies, or restore the ledger with it.");
    gw_hwm_close(hwm);
    return status;
}

// What clients know, as far as one of them has said so.
static void check_proof(doctor *d) {
    char path[PATH_BYTES];
    path_of(d, "rolled_back.note", path);
    if (access(path, F_OK) == 0)
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "proof",
                      "Put the newest state folder back, or: godwitd restore. Keep the file: it is the proof.",
                      "A client proved that the ledger was set back, and the service stopped: %s", path);
}

static void check_mark(doctor *d) {
    char path[PATH_BYTES];
    gw_problem problem = {0};
    gw_hwm_mark mark;
    gw_doctor_log_read(&d->config, d->daemon != 0, &d->log);
    gw_status status = mark_read(d, &mark, &problem); // before the database, which only grows
    bool is_marked = status == GW_OK;
    path_of(d, "godwit.db", path);
    if (!is_marked)
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "mark", &problem);
    if (gw_store_reader_open(path, &d->reader, &problem) != GW_OK ||
        gw_store_last(d->reader, &d->ledger.size, &d->time_last) != GW_OK) {
        gw_doctor_say_problem(&d->report, GW_FOUND_WARN, "ledger", &problem);
        gw_store_reader_close(gw_take(&d->reader));
        return;
    }
    d->ledger.reader = d->reader;
    d->ledger.is_marked = is_marked;
    if (!is_marked)
        return;
    d->ledger.mark_size = mark.size;
    if (!gw_doctor_ledger_has(&d->ledger, mark.size, mark.root))
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "mark", "Restore the newest ledger; what is lost counts as spent.",
                      "The ledger holds %llu entries, the high-water mark stands at %llu, and they do not agree: the "
                      "ledger is older than what was acknowledged.",
                      (unsigned long long)d->ledger.size, (unsigned long long)mark.size);
    else
        gw_doctor_say(&d->report, GW_FOUND_OK, "mark", "", "Ledger %llu entries, high-water mark %llu, one tree.",
                      (unsigned long long)d->ledger.size, (unsigned long long)mark.size);
}

static void check_log(doctor *d) {
    if (d->reader)
        gw_doctor_log_check(&d->config, &d->log, &d->ledger, &d->report);
}

static void check_state(doctor *d) {
    if (d->reader)
        gw_doctor_state(&d->config, d->reader, d->ledger.size, d->time_last, &d->report);
}

// ---- policies, data, engine

static void check_policy(doctor *d, const gw_store_policy *row) {
    GW_CLEANUP(gw_policy_freep) gw_policy *policy = NULL;
    char codelists[PATH_BYTES], path[PATH_BYTES], hash[GW_HASH_HEX];
    gw_problem problem = {0};
    gw_store_policy again;
    gw_buffer text;
    gw_buffer_init(&text, GW_POLICY_BYTES_MAX);
    snprintf(codelists, sizeof codelists, "%s/codelists", d->config.share);
    gw_status status = gw_store_policy_current(d->reader, row->dataset, &again, &text);
    if (status == GW_OK)
        status = gw_policy_load(gw_buffer_bytes(&text), row->dataset, codelists, &policy, &problem);
    gw_buffer_done(&text);
    gw_hex((gw_bytes){row->file.bytes, GW_HASH_SIZE}, hash);
    snprintf(path, sizeof path, "%.4000s/policies/%s.json", d->config.folder, hash);
    if (status != GW_OK)
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "policy", &problem);
    else if (access(path, R_OK) != 0)
        gw_doctor_say(&d->report, GW_FOUND_WARN, "policy", "Put the signed file back; the ledger has its own copy.",
                      "%s version %llu is in force, but its file is not in policies/.", row->dataset,
                      (unsigned long long)row->version);
    else
        gw_doctor_say(&d->report, GW_FOUND_OK, "policy", "", "%s version %llu is in force.", row->dataset,
                      (unsigned long long)row->version);
}

static gw_status seal_in_log(const doctor *d, uint64_t seq, gw_hash *ret_seal, gw_problem *problem) {
    gw_entry entry;
    gw_buffer bytes;
    gw_buffer_init(&bytes, GW_ENTRY_BYTES_MAX);
    gw_status status = gw_store_entry(d->reader, seq, &bytes);
    if (status == GW_OK)
        status = gw_entry_decode(gw_buffer_bytes(&bytes), &entry, problem);
    gw_buffer_done(&bytes);
    if (status == GW_OK)
        *ret_seal = entry.data.seal;
    return status;
}

static void check_data(doctor *d, const char *dataset) {
    gw_store_data data;
    gw_signature secret;
    gw_hash seal, expected;
    gw_problem problem = {0};
    char path[PATH_BYTES];
    if (gw_store_data_current(d->reader, dataset, &data) != GW_OK) {
        gw_doctor_say(&d->report, GW_FOUND_WARN, "data", "godwitd load", "%s has no data loaded.", dataset);
        return;
    }
    snprintf(path, sizeof path, "%.3900s/data/%s/%s.duckdb", d->config.folder, dataset, data.version);
    gw_status status = seal_in_log(d, data.seq, &expected, &problem);
    if (status == GW_OK)
        status = gw_service_seal_secret(&d->config, &secret, &problem);
    if (status == GW_OK)
        status = gw_load_seal(path, (gw_bytes){secret.bytes, GW_SIGNATURE_SIZE}, &seal, &problem);
    gw_wipe(&secret, sizeof secret);
    if (status != GW_OK)
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "data", &problem);
    else if (!gw_hash_equal(seal, expected))
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "data", "Put the right file back, or take it away and load again.",
                      "%s of %s does not have the seal in the log.", data.version, dataset);
    else
        gw_doctor_say(&d->report, GW_FOUND_OK, "data", "", "%s version %.8s has its seal.", dataset, data.version);
}

static void check_dataset(void *state, const gw_store_policy *row) {
    check_policy(state, row);
    check_data(state, row->dataset);
}

static void check_datasets(doctor *d) {
    if (d->reader && gw_store_datasets(d->reader, check_dataset, d) != GW_OK)
        gw_doctor_say(&d->report, GW_FOUND_FAIL, "policy", "", "The datasets cannot be read.");
}

static void check_indicators(doctor *d) {
    char path[PATH_BYTES];
    gw_catalogue *catalogue = NULL;
    gw_problem problem = {0};
    snprintf(path, sizeof path, "%s/indicators", d->config.share);
    if (gw_catalogue_load(path, &catalogue, &problem) != GW_OK)
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "indicators", &problem);
    else
        gw_doctor_say(&d->report, GW_FOUND_OK, "indicators", "", "%zu in %.300s.", gw_catalogue_count(catalogue), path);
    gw_catalogue_free(catalogue);
}

static void check_engine(doctor *d) {
    char program[PATH_MAX];
    gw_engine *engine = NULL;
    gw_problem problem = {0};
    gw_program_beside("godwit-engine", program, sizeof program);
    gw_engine_options options = {
        .program = program, .children = 1, .threads = 1, .memory_bytes = (uint64_t)d->config.engine_memory_mb << 20};
    if (gw_engine_open(&options, &engine, &problem) != GW_OK)
        gw_doctor_say_problem(&d->report, GW_FOUND_FAIL, "engine", &problem);
    else
        gw_doctor_say(&d->report, GW_FOUND_OK, "engine", "", "%.300s starts.", program);
    gw_engine_close(engine);
}

static void (*const checks[])(doctor *) = {check_daemon,   check_disk,     check_limits,     check_modes,
                                           check_database, check_proof,    check_mark,       check_log,
                                           check_state,    check_datasets, check_indicators, check_engine};

// Root looks with the eyes of the folder's owner: key files are refused to anybody else, and nothing here needs root.
static bool become_owner(const char *folder) {
    struct stat facts;
    if (geteuid() != 0 || stat(folder, &facts) != 0 || facts.st_uid == 0)
        return true;
    return setegid(facts.st_gid) == 0 && seteuid(facts.st_uid) == 0;
}

int gw_doctor_command(int argc, char **argv) {
    gw_arguments arguments;
    if (!gw_arguments_read(argc, argv, &arguments) || arguments.word_count != 0)
        return gw_usage("doctor takes a state folder.", "godwitd doctor --dir state");
    doctor *d = calloc(1, sizeof *d);
    gw_problem problem = {0};
    if (!d)
        return GW_EXIT_FAILED;
    gw_status status = become_owner(arguments.dir)
                           ? gw_config_load(arguments.dir, &d->config, &problem)
                           : gw_problem_set(&problem, GW_DENIED, "not_owner", "The folder's owner cannot be taken on.",
                                            "", "Run this as that user.");
    if (status == GW_OK)
        status = gw_arguments_apply(&arguments, &d->config, &problem);
    if (status != GW_OK) {
        free(d);
        gw_tell(status, &problem);
        return GW_EXIT_CANNOT_CHECK;
    }
    gw_doctor_say(&d->report, GW_FOUND_OK, "config", "", "%.300s/config.json reads well.", d->config.folder);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](d);
    gw_doctor_print(&d->report, arguments.is_json);
    int code = gw_doctor_count(&d->report, GW_FOUND_FAIL) > 0 ? GW_EXIT_FOUND_PROBLEMS : 0;
    gw_doctor_log_done(&d->log);
    gw_store_reader_close(d->reader);
    free(d);
    return code;
}
