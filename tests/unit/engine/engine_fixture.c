// SPDX-License-Identifier: Apache-2.0
// The fixture fails the test by itself: what a story takes for granted is asserted here.
#include "tests/unit/engine/engine_fixture.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <string.h>
#include <cmocka.h>

static const uint8_t seal_key[32] = "a seal key for tests, 32 bytes..";

static const char *environment(const char *name) {
    const char *value = getenv(name);
    assert_non_null(value);
    return value;
}

void fixture_init(test_dataset *fixture, const char *policy_text) {
    memset(fixture, 0, sizeof(*fixture));
    assert_int_equal(gw_crypto_init(), GW_OK);
    strcpy(fixture->folder, "/tmp/godwit-engine-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->program, sizeof(fixture->program), "%s/godwit-engine", environment("GW_BIN"));
    snprintf(fixture->codelists, sizeof(fixture->codelists), "%s/policies/codelists", environment("GW_SOURCE"));
    gw_status status = gw_policy_load(gw_bytes_of(policy_text), "policy.json", fixture->codelists, &fixture->policy,
                                      &fixture->problem);
    if (status != GW_OK)
        print_message("%s %s\n", fixture->problem.what, fixture->problem.why);
    assert_int_equal(status, GW_OK);
}

void fixture_done(test_dataset *fixture) {
    gw_engine_close(fixture->engine);
    gw_policy_free(fixture->policy);
    gw_engine_folder_remove(fixture->folder);
}

void fixture_path(const test_dataset *fixture, const char *name, char path[512]) {
    snprintf(path, 512, "%s/%s", fixture->folder, name);
}

void fixture_write(const test_dataset *fixture, const char *name, const void *bytes, size_t size) {
    char path[512];
    fixture_path(fixture, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

#define SOURCES_MAX 8u

gw_status fixture_load_sources(test_dataset *fixture, const gw_load_source *sources, size_t count) {
    char paths[SOURCES_MAX][512], data[512];
    gw_load_source found[SOURCES_MAX];
    assert_true(count <= SOURCES_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof(paths[i]), sources[i].path[0] == '/' ? "%.0s%s" : "%s/%s", fixture->folder,
                 sources[i].path);
        found[i] = (gw_load_source){.table = sources[i].table, .path = paths[i]};
    }
    fixture_path(fixture, "data", data);
    gw_load_options options = {
        .program = fixture->program,
        .policy = fixture->policy,
        .sources = found,
        .source_count = count,
        .folder = data,
        .seal_key = {seal_key, sizeof(seal_key)},
        .key = fixture->key,
        .progress = fixture->progress,
        .state = fixture->progress_state,
    };
    options.treatments = fixture->treatments;
    options.version = fixture->version;
    options.is_empty_allowed = fixture->is_empty_allowed;
    options.is_shrunk_allowed = fixture->is_shrunk_allowed;
    gw_status status = gw_load_run(&options, &fixture->loaded, &fixture->report, &fixture->problem);
    if (status != GW_OK && status != GW_INVALID)
        print_message("load: %s %s\n", fixture->problem.what, fixture->problem.why);
    return status;
}

gw_status fixture_load(test_dataset *fixture, const char *name) {
    char path[512], files[GW_LOAD_TABLES_MAX][512];
    gw_load_source sources[GW_LOAD_TABLES_MAX];
    struct stat found;
    fixture_path(fixture, name[0] == '/' ? "." : name, path);
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode) && name[0] != '/') {
        for (size_t i = 0; i < fixture->policy->table_count; i++) {
            snprintf(files[i], sizeof(files[i]), "%s/%s.parquet", name, fixture->policy->tables[i].name);
            sources[i] = (gw_load_source){.table = fixture->policy->tables[i].name, .path = files[i]};
        }
        return fixture_load_sources(fixture, sources, fixture->policy->table_count);
    }
    return fixture_load_sources(fixture, &(gw_load_source){.table = "persons", .path = name}, 1);
}

gw_status fixture_load_text(test_dataset *fixture, const char *csv) {
    fixture_write(fixture, "people.csv", csv, strlen(csv));
    return fixture_load(fixture, "people.csv");
}

size_t fixture_data_count(const test_dataset *fixture) {
    char data[512];
    fixture_path(fixture, "data", data);
    DIR *folder = opendir(data);
    size_t count = 0;
    if (folder == NULL)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

void fixture_snapshot(const test_dataset *fixture, char path[512]) {
    snprintf(path, 512, "%s/data/%s.duckdb", fixture->folder, fixture->loaded.version);
}

gw_engine *fixture_engine(const test_dataset *fixture, unsigned children) {
    gw_engine_options options = {
        .program = fixture->program, .children = children, .threads = 1, .memory_bytes = 256u << 20};
    gw_engine *engine = NULL;
    gw_problem problem;
    assert_int_equal(gw_engine_open(&options, &engine, &problem), GW_OK);
    return engine;
}

gw_status fixture_measure(const test_dataset *fixture, gw_engine *engine, const char *sql, size_t cell_count,
                          size_t part_count, gw_exact_table **ret_table) {
    char snapshot[512];
    fixture_snapshot(fixture, snapshot);
    gw_engine_statement statement = {
        .snapshot = snapshot, .sql = sql, .cell_count = cell_count, .part_count = part_count, .deadline_ms = 20000};
    return gw_engine_measure(engine, &statement, ret_table);
}

int64_t fixture_number(test_dataset *fixture, const char *sql) {
    if (fixture->engine == NULL)
        fixture->engine = fixture_engine(fixture, 1);
    gw_exact_table *table = NULL;
    assert_int_equal(fixture_measure(fixture, fixture->engine, sql, 1, 1, &table), GW_OK);
    int64_t number = (int64_t)table->values[0];
    gw_exact_table_free(table);
    return number;
}

bool fixture_has_finding(const test_dataset *fixture, gw_load_kind kind, uint64_t row, const char *text) {
    const gw_load_kind_report *found = &fixture->report.kinds[kind];
    for (size_t i = 0; i < found->finding_count; i++)
        if (found->findings[i].row == row && strcmp(found->findings[i].text, text) == 0)
            return true;
    for (size_t i = 0; i < found->finding_count; i++)
        print_message("%s row %llu: %s\n", gw_load_kind_name(kind), (unsigned long long)found->findings[i].row,
                      found->findings[i].text);
    return false;
}
