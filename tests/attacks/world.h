// SPDX-License-Identifier: Apache-2.0
// Made-up registers for attacks: a random policy over two tables, random people with ties, duplicates, missing values,
// values at their ends and too many rows, and questions of every statistic there is. A register is written as CSV and
// loaded by the real engine under one key, so that neighbours differ in one person's rows and in nothing else.
// Whatever fails here fails the test. Thread safety: one owner.   Depends on: tests/unit/engine/engine_fixture.h,
// service/query/{plan,laws}.h.
#pragma once
#include "service/query/laws.h"
#include "service/query/plan.h"
#include "tests/support/seeded_random.h"
#include "tests/unit/engine/engine_fixture.h"

#define WORLD_PERSONS_MAX 10u
#define WORLD_ROWS_MAX 6u
#define WORLD_NOBODY SIZE_MAX
#define WORLD_FIELD 24u

// Fields as the source has them: "" is missing.
typedef struct {
    char why[WORLD_FIELD], month[WORLD_FIELD], fee[WORLD_FIELD], weight[WORLD_FIELD], day[WORLD_FIELD],
        place[WORLD_FIELD];
} world_permit;

typedef struct {
    char sex[WORLD_FIELD], income[WORLD_FIELD], hours[WORLD_FIELD];
    world_permit permits[WORLD_ROWS_MAX];
    size_t permit_count;
} world_person;

typedef struct {
    seeded_random random;
    gw_engine *engine; // one for all registers
    gw_catalogue *catalogue;
    gw_laws_cache *laws;
    test_dataset dataset; // of the policy in force
    bool has_dataset, has_weight;
    world_person persons[WORLD_PERSONS_MAX];
    size_t person_count;
    uint64_t order;      // another number, another order of the source's rows; 0: person by person
    char question[2048]; // the last one
    gw_arena *arena;     // of the last plan
    gw_json *json;
    gw_plan plan;
    gw_problem problem;
} world;

typedef struct {
    char path[512];
} world_snapshot;

void world_begin(world *w, uint64_t seed);
void world_end(world *w);
// The same for cmocka: what *state is to be, and a teardown for it.
world *world_new(uint64_t seed);
int world_teardown(void **state);
uint64_t world_below(world *w, uint64_t end);

typedef struct {
    unsigned rows_max, rows_kept; // of permits
    const char *income, *fee;     // bounds: "min", "max", "grid" as a policy has them
    const char *total, *weight;   // more of fee's fields; the weight's bounds; or NULL
} world_bounds;
#define WORLD_BOUNDS(min, max, grid) "\"min\":\"" min "\",\"max\":\"" max "\",\"grid\":\"" grid "\""
void world_policy_make(world *w, const world_bounds *bounds);
void world_policy_draw(world *w);
// At most four permits, of which two count, incomes to 210 and fees to 50.
void world_policy_plain(world *w);
// Now and then nobody but one, so that neighbours are one person and an empty register.
void world_persons_draw(world *w);
// The register without one person, or with everybody; a snapshot lasts until the next policy.
world_snapshot world_load(world *w, size_t without);

typedef enum { WORLD_PLANNED, WORLD_REFUSED } world_asked;
// `question` is the body without "v", "kind", "dataset": its plan is in w->plan until the next question.
world_asked world_ask(world *w, const char *question);
void world_must_plan(world *w, const char *question);
// Draws questions until one of this statistic has a plan. WORLD_REFUSED: no form of question here fits the statistic,
// which is a gap in the test.
world_asked world_question_draw(world *w, gw_statistic statistic);
// The forms one by one, by nothing or by sex, unfiltered: `index` counts up until false is returned.
bool world_question_at(world *w, gw_statistic statistic, size_t index, const char *epsilon, world_asked *ret);
// One that asks for several tables at one price.
world_asked world_tables_draw(world *w);
