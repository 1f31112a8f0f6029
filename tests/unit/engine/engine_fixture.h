// SPDX-License-Identifier: Apache-2.0
// A dataset in a temporary folder, loaded by the real engine from text written in the test, and questions asked of it.
// Depends on: admin/load.h, engine.h.
#pragma once
#include "service/admin/load.h"
#include "service/engine/engine.h"

typedef struct {
    char folder[256]; // removed by fixture_done
    char program[512];
    char codelists[512];
    gw_policy *policy;
    gw_loaded loaded;
    gw_load_report report;
    gw_problem problem;
    gw_load_treatments treatments;
    const char *version; // in force, for the next load to be compared with; or NULL
    bool is_empty_allowed, is_shrunk_allowed;
    const uint64_t *key;                                               // of the next load; NULL: random
    void (*progress)(void *state, double fraction, const char *phase); // of the next load; or NULL
    void *progress_state;
    gw_engine *engine; // started by the first fixture_number
} test_dataset;

void fixture_init(test_dataset *fixture, const char *policy_text);
void fixture_done(test_dataset *fixture);
void fixture_path(const test_dataset *fixture, const char *name, char path[512]);
void fixture_write(const test_dataset *fixture, const char *name, const void *bytes, size_t size);
// Loads one file of the folder as the table "persons", or a folder with a Parquet file for each table.
gw_status fixture_load(test_dataset *fixture, const char *name);
gw_status fixture_load_text(test_dataset *fixture, const char *csv);
// Loads files of the folder, or from anywhere, as the tables named with them.
gw_status fixture_load_sources(test_dataset *fixture, const gw_load_source *sources, size_t count);
// Entries in the data folder: nothing may be left behind by a load that failed.
size_t fixture_data_count(const test_dataset *fixture);
void fixture_snapshot(const test_dataset *fixture, char path[512]);

gw_engine *fixture_engine(const test_dataset *fixture, unsigned children);
// Measures on the loaded snapshot. The caller frees the table.
gw_status fixture_measure(const test_dataset *fixture, gw_engine *engine, const char *sql, size_t cell_count,
                          size_t part_count, gw_exact_table **ret_table);
// The one number of a statement, from the fixture's own engine.
int64_t fixture_number(test_dataset *fixture, const char *sql);
bool fixture_has_finding(const test_dataset *fixture, gw_load_kind kind, uint64_t row, const char *text);

#define POLICY_HEAD                                                                                                    \
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/people\",\"version\":1,"   \
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
#define POLICY_TAIL                                                                                                    \
    "}},\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},"                          \
    "\"accounting\":{\"kind\":\"pure\"},\"grants\":[]}"
#define COLUMN_SEX                                                                                                     \
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\","                       \
    "\"recode\":{\"1\":\"M\",\"2\":\"F\"}}"
#define COLUMN_AGE "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\"}"
#define COLUMN_INCOME                                                                                                  \
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"min\":\"-100\",\"max\":\"200000\",\"grid\":\"0.5\","    \
    "\"missing\":\"drop\"}"
#define POLICY_PEOPLE                                                                                                  \
    POLICY_HEAD "\"rows_per_person_max\":1,\"columns\":{" COLUMN_SEX "," COLUMN_AGE "," COLUMN_INCOME "}" POLICY_TAIL
