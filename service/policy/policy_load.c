// SPDX-License-Identifier: Apache-2.0
// A policy file into a gw_policy. What a later step would trip over is refused here, where a person with an editor can
// mend it: every problem names file, line, column and a remedy. Everything lives in one arena behind the policy.
#include "service/policy/policy_load.h"
#include "service/policy/policy_open.h"
#include "service/audit/entry.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/decimal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARENA_SIZE_MAX 33554432u // 32 MiB: a file of 1 MiB with a code list of 1024 codes in each of 256 columns
#define TABLES_MAX 16u
#define COLUMNS_MAX 256u
#define GRANTS_MAX 64u
#define ROWS_PER_PERSON_MAX 1000000
#define WINDOW_DAYS_MAX 3660         // ten years
#define PLANNING_MAX 100000000000    // persons
#define VERSION_MAX 9007199254740991 // what a JSON integer holds

typedef struct {
    gw_policy policy; // first: gw_policy_free finds the owner behind it
    gw_arena *arena;
} policy_owner;

// ------------------------------------------------------------------------------------------------ tables

static void check_column_in_table(gw_policy_loader *l, const gw_json_node *node, const gw_table *table,
                                  const gw_column *column) {
    if (strcmp(column->name, table->unit) == 0)
        GW_POLICY_FAIL(l, node, "policy_table", "Leave it out of the columns: it is never asked for.",
                       "\"%s\" is the person id of this table.", column->name);
    for (const gw_column *other = table->columns; other < column; other++) {
        if (column->concept != NULL && other->concept != NULL && strcmp(column->concept, other->concept) == 0)
            GW_POLICY_FAIL(l, gw_json_member(node, "concept"), "policy_concept", "Keep one of the two columns.",
                           "The columns %s and %s of one table are both %s.", other->name, column->name,
                           column->concept);
        if (column->is_weight && other->is_weight)
            GW_POLICY_FAIL(l, node, "policy_table", "Keep one weight.",
                           "The columns %s and %s of one table are both weights.", other->name, column->name);
    }
}

static void read_columns(gw_policy_loader *l, const gw_json_node *node, gw_table *table) {
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "columns");
    if (object != NULL && (gw_json_count(object) == 0 || gw_json_count(object) > COLUMNS_MAX))
        GW_POLICY_FAIL(l, object, "policy_table", "List the columns that questions may use.",
                       "A table has 1 to %u columns.", COLUMNS_MAX);
    if (object == NULL || !gw_policy_is_well(l))
        return;
    gw_column *columns = gw_load_array(&l->load, gw_json_count(object), sizeof(*columns));
    if (columns == NULL)
        return;
    table->columns = columns;
    for (const gw_json_node *column = gw_json_first(object); column != NULL && gw_policy_is_well(l);
         column = gw_json_next(column)) {
        gw_column *read = &columns[table->column_count++];
        gw_policy_read_column(l, column, read);
        if (gw_policy_is_well(l))
            check_column_in_table(l, column, table, read);
        if (read->is_weight)
            table->weight = read;
    }
}

// How many rows a person may have, and how many of them may count in one question. Fewer rows need less noise.
static void read_rows(gw_policy_loader *l, const gw_json_node *node, gw_table *table) {
    gw_json_reader *reader = &l->load.reader;
    const gw_json_node *rows = gw_json_member(node, "rows_per_person_max");
    if (gw_policy_is_well(l) && gw_json_type_of(rows) == GW_JSON_INTEGER &&
        (gw_json_integer(rows) < 1 || gw_json_integer(rows) > ROWS_PER_PERSON_MAX))
        GW_POLICY_FAIL(l, rows, "policy_table", "Write the most rows that one person can have.",
                       "\"rows_per_person_max\" must be from 1 to %d.", ROWS_PER_PERSON_MAX);
    table->rows_per_person_max =
        (uint64_t)gw_json_read_integer(reader, node, "rows_per_person_max", 1, ROWS_PER_PERSON_MAX);
    table->rows_per_person_kept = table->rows_per_person_max;
    if (!gw_policy_is_well(l) || !gw_json_has(node, "rows_per_person_kept"))
        return;
    const gw_json_node *kept = gw_json_member(node, "rows_per_person_kept");
    if (gw_json_type_of(kept) == GW_JSON_INTEGER &&
        (gw_json_integer(kept) < 1 || (uint64_t)gw_json_integer(kept) > table->rows_per_person_max))
        GW_POLICY_FAIL(l, kept, "policy_table", "Write how many of a person's rows may count in one question.",
                       "\"rows_per_person_kept\" must be from 1 to \"rows_per_person_max\", which is %" PRIu64 ".",
                       table->rows_per_person_max);
    table->rows_per_person_kept =
        (uint64_t)gw_json_read_integer(reader, node, "rows_per_person_kept", 1, ROWS_PER_PERSON_MAX);
}

static void read_table(gw_policy_loader *l, const gw_json_node *node, gw_table *table) {
    static const char *const allowed[] = {"unit", "rows_per_person_max", "rows_per_person_kept", "inherit", "columns",
                                          NULL};
    static const char *const required[] = {"unit", "rows_per_person_max", "columns", NULL};
    gw_json_reader *reader = &l->load.reader;
    table->name = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    for (const gw_table *other = l->policy->tables; other < table && gw_policy_is_well(l); other++)
        if (strcasecmp(other->name, table->name) == 0) // the snapshot's names have no case
            GW_POLICY_FAIL(l, node, "policy_table", "Give one of them another name.",
                           "The tables %s and %s differ in capitals alone.", other->name, table->name);
    if (!gw_json_expect_object(reader, node, allowed) || !gw_json_require(reader, node, required))
        return;
    table->unit = gw_load_header_at(&l->load, gw_json_member(node, "unit"), gw_json_read_string(reader, node, "unit"));
    read_rows(l, node, table);
    if (gw_policy_is_well(l))
        read_columns(l, node, table);
}

// Of the tables with one row per person the first that has the concept itself: what it inherits is another's to give.
static const gw_column *find_inherited(const gw_policy_loader *l, const gw_table *table, const char *concept) {
    for (size_t i = 0; i < l->policy->table_count; i++) {
        const gw_table *from = &l->policy->tables[i];
        for (size_t j = 0; j < from->column_count && from != table && from->rows_per_person_max == 1; j++)
            if (from->columns[j].concept != NULL && strcmp(from->columns[j].concept, concept) == 0)
                return &from->columns[j];
    }
    return NULL;
}

// Inherited concepts come from a table that has a row per person; a concept the table has itself cannot be meant.
static void read_inherit(gw_policy_loader *l, const gw_json_node *node, gw_table *table) {
    if (!gw_json_has(node, "inherit"))
        return;
    size_t count = 0;
    const char *const *names = gw_load_names(&l->load, node, "inherit", COLUMNS_MAX, "policy_concept", &count);
    const gw_column **inherited = gw_load_array(&l->load, count + 1, sizeof(const gw_column *));
    if (names == NULL || inherited == NULL)
        return;
    const gw_json_node *at = gw_json_first(gw_json_member(node, "inherit"));
    for (size_t i = 0; i < count && gw_policy_is_well(l); i++, at = gw_json_next(at)) {
        inherited[i] = find_inherited(l, table, names[i]);
        if (gw_table_concept(table, names[i]) != NULL)
            GW_POLICY_FAIL(l, at, "policy_concept", "Leave it out of \"inherit\".",
                           "The table has a column of %s itself.", names[i]);
        else if (inherited[i] == NULL)
            GW_POLICY_FAIL(l, at, "policy_concept", "Inherit from a table whose \"rows_per_person_max\" is 1.",
                           "No table with one row per person has the concept %s.", names[i]);
    }
    if (!gw_policy_is_well(l))
        return;
    table->inherit = names;
    table->inherited = inherited;
    table->inherit_count = count;
}

static void read_tables(gw_policy_loader *l, const gw_json_node *root) {
    const gw_json_node *object = gw_json_read_object(&l->load.reader, root, "tables");
    if (object != NULL && (gw_json_count(object) == 0 || gw_json_count(object) > TABLES_MAX))
        GW_POLICY_FAIL(l, object, "policy_table", "Describe the tables of this dataset.",
                       "A dataset has 1 to %u tables.", TABLES_MAX);
    if (object == NULL || !gw_policy_is_well(l))
        return;
    gw_table *tables = gw_load_array(&l->load, gw_json_count(object), sizeof(*tables));
    if (tables == NULL)
        return;
    l->policy->tables = tables;
    for (const gw_json_node *table = gw_json_first(object); table != NULL && gw_policy_is_well(l);
         table = gw_json_next(table))
        read_table(l, table, &tables[l->policy->table_count++]);
    size_t i = 0;
    for (const gw_json_node *table = gw_json_first(object); table != NULL && gw_policy_is_well(l);
         table = gw_json_next(table))
        read_inherit(l, table, &tables[i++]);
}

// ------------------------------------------------------------------------------------------------ budget and grants

static gw_epsilon read_amount(gw_policy_loader *l, const gw_json_node *object, const char *name) {
    gw_epsilon amount = gw_json_read_epsilon(&l->load.reader, object, name);
    if (gw_policy_is_well(l) && amount.micro == 0)
        GW_POLICY_FAIL(l, gw_json_member(object, name), "policy_budget",
                       "Write an amount above zero, or leave the field out.", "\"%s\" is zero.", name);
    return amount;
}

static void read_window(gw_policy_loader *l, const gw_json_node *budget, gw_policy *policy) {
    static const char *const allowed[] = {"days", "epsilon", NULL};
    if (!gw_json_has(budget, "window"))
        return;
    const gw_json_node *window = gw_json_member(budget, "window");
    if (!gw_json_expect_object(&l->load.reader, window, allowed) || !gw_json_require(&l->load.reader, window, allowed))
        return;
    const gw_json_node *days = gw_json_member(window, "days");
    if (gw_json_type_of(days) == GW_JSON_INTEGER &&
        (gw_json_integer(days) < 1 || gw_json_integer(days) > WINDOW_DAYS_MAX))
        GW_POLICY_FAIL(l, days, "policy_budget", "Write the days after which the window's budget renews.",
                       "\"days\" must be from 1 to %d.", WINDOW_DAYS_MAX);
    policy->window_days = (uint32_t)gw_json_read_integer(&l->load.reader, window, "days", 1, WINDOW_DAYS_MAX);
    policy->window_total = read_amount(l, window, "epsilon");
}

// `small` must not be above `big`.
static void check_order(gw_policy_loader *l, const gw_json_node *budget, const char *small_name, gw_epsilon small,
                        const char *big_name, gw_epsilon big) {
    if (gw_policy_is_well(l) && small.micro > big.micro)
        GW_POLICY_FAIL(l, gw_json_member(budget, small_name), "policy_budget", "Lower the one, or raise the other.",
                       "\"%s\" is more than \"%s\".", small_name, big_name);
}

static void read_budget(gw_policy_loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"lifetime", "per_principal", "window", "question_min", "question_max", NULL};
    static const char *const required[] = {"lifetime", "question_min", "question_max", NULL};
    const gw_json_node *budget = gw_json_member(root, "budget");
    gw_policy *policy = l->policy;
    if (!gw_policy_is_well(l) || !gw_json_expect_object(&l->load.reader, budget, allowed) ||
        !gw_json_require(&l->load.reader, budget, required))
        return;
    policy->lifetime = read_amount(l, budget, "lifetime");
    policy->question_min = read_amount(l, budget, "question_min");
    policy->question_max = read_amount(l, budget, "question_max");
    if (gw_json_has(budget, "per_principal"))
        policy->per_principal = read_amount(l, budget, "per_principal");
    read_window(l, budget, policy);
    check_order(l, budget, "question_min", policy->question_min, "question_max", policy->question_max);
    check_order(l, budget, "question_max", policy->question_max, "lifetime", policy->lifetime);
    check_order(l, budget, "per_principal", policy->per_principal, "lifetime", policy->lifetime);
}

static void read_grant_role(gw_policy_loader *l, const gw_json_node *node, gw_grant *grant) {
    static const char *const roles[] = {"researcher", "owner", "auditor", "operator", "gateway"};
    char shown[GW_SHOWN_MAX];
    grant->role = gw_load_name(&l->load, node, "role", "/:");
    if (grant->role == NULL || gw_roles_parse(grant->role) != 0)
        return;
    const char *nearest = gw_nearest(grant->role, roles, sizeof(roles) / sizeof(roles[0]));
    GW_POLICY_FAIL(l, gw_json_member(node, "role"), "policy_grant",
                   "Roles are: researcher, owner, auditor, operator, gateway.", "There is no role \"%s\".",
                   gw_json_shown(grant->role, shown));
    if (nearest != NULL)
        gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
}

static void read_grant_tables(gw_policy_loader *l, const gw_json_node *node, gw_grant *grant) {
    grant->tables = gw_load_names(&l->load, node, "tables", TABLES_MAX, "policy_grant", &grant->table_count);
    if (grant->tables == NULL)
        return;
    const char *names[TABLES_MAX];
    for (size_t i = 0; i < l->policy->table_count; i++)
        names[i] = l->policy->tables[i].name;
    const gw_json_node *at = gw_json_first(gw_json_member(node, "tables"));
    for (size_t i = 0; i < grant->table_count && gw_policy_is_well(l); i++, at = gw_json_next(at)) {
        if (gw_policy_table(l->policy, grant->tables[i]) != NULL)
            continue;
        const char *nearest = gw_nearest(grant->tables[i], names, l->policy->table_count);
        GW_POLICY_FAIL(l, at, "policy_grant", "Name a table of this policy.", "There is no table \"%s\".",
                       grant->tables[i]);
        if (nearest != NULL)
            gw_problem_mend(&l->load.reader.problem, "Did you mean \"%s\"?", nearest);
    }
}

static void read_grant_statistics(gw_policy_loader *l, const gw_json_node *node, gw_grant *grant) {
    size_t count = 0;
    const size_t count_max = sizeof(grant->statistics) / sizeof(grant->statistics[0]);
    const char *const *names = gw_load_names(&l->load, node, "statistics", count_max, "policy_grant", &count);
    if (names == NULL)
        return;
    const gw_json_node *at = gw_json_first(gw_json_member(node, "statistics"));
    for (size_t i = 0; i < count; i++, at = gw_json_next(at))
        if (gw_statistic_parse(names[i], &grant->statistics[i]) != GW_OK)
            GW_POLICY_FAIL(l, at, "policy_grant",
                           "Statistics are: count, share, rate, mean, sum, net, variance, sd, ratio, gap, histogram, "
                           "quantile, poverty, gini, quintile_ratio, series, keys.",
                           "There is no statistic \"%s\".", names[i]);
    grant->statistic_count = count;
}

static void read_grants(gw_policy_loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"role", "tables", "statistics", NULL};
    const gw_json_node *array = gw_json_read_array(&l->load.reader, root, "grants");
    if (array != NULL && gw_json_count(array) > GRANTS_MAX)
        GW_POLICY_FAIL(l, array, "too_many", "Join grants of one role.", "A policy has at most %u grants.", GRANTS_MAX);
    if (array == NULL || !gw_policy_is_well(l))
        return;
    gw_grant *grants = gw_load_array(&l->load, gw_json_count(array), sizeof(*grants));
    if (grants == NULL)
        return;
    l->policy->grants = grants;
    for (const gw_json_node *node = gw_json_first(array); node != NULL && gw_policy_is_well(l);
         node = gw_json_next(node)) {
        gw_grant *grant = &grants[l->policy->grant_count++];
        if (!gw_json_expect_object(&l->load.reader, node, allowed) || !gw_json_require(&l->load.reader, node, allowed))
            return;
        read_grant_role(l, node, grant);
        read_grant_tables(l, node, grant);
        read_grant_statistics(l, node, grant);
    }
}

// ------------------------------------------------------------------------------------------------ the whole file

// An object with one member that can have one value today, and will have more.
static void read_kind(gw_policy_loader *l, const gw_json_node *root, const char *name, const char *only) {
    static const char *const allowed[] = {"kind", NULL};
    const gw_json_node *object = gw_json_member(root, name);
    if (!gw_policy_is_well(l) || !gw_json_expect_object(&l->load.reader, object, allowed))
        return;
    const char *kind = gw_json_read_string(&l->load.reader, object, "kind");
    char shown[GW_SHOWN_MAX];
    if (kind != NULL && strcmp(kind, only) != 0) {
        GW_POLICY_FAIL(l, gw_json_member(object, "kind"), "policy_unsupported", "",
                       "This version does not know the %s \"%s\".", name, gw_json_shown(kind, shown));
        gw_problem_mend(&l->load.reader.problem, "Write \"%s\":{\"kind\":\"%s\"}.", name, only);
    }
}

// owner/name: one slash, so that the owner's part can be told from the dataset's.
static const char *read_owned_name(gw_policy_loader *l, const gw_json_node *root, const char *field) {
    const char *name = gw_load_name(&l->load, root, field, ":");
    if (name == NULL)
        return NULL;
    const char *slash = strchr(name, '/');
    if (slash == NULL || strchr(slash + 1, '/') != NULL)
        GW_POLICY_FAIL(l, gw_json_member(root, field), "bad_name", "Write \"nso.example/register\".",
                       "\"%s\" must be an owner and a name with one slash between them.", field);
    return name;
}

static void read_planning(gw_policy_loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"cell_persons", "size_bucket", NULL};
    if (!gw_json_has(root, "planning"))
        return;
    gw_json_reader *reader = &l->load.reader;
    const gw_json_node *planning = gw_json_member(root, "planning");
    if (!gw_json_expect_object(reader, planning, allowed))
        return;
    if (gw_json_has(planning, "cell_persons"))
        l->policy->planning_cell_persons =
            (uint64_t)gw_json_read_integer(reader, planning, "cell_persons", 1, PLANNING_MAX);
    if (gw_json_has(planning, "size_bucket"))
        l->policy->planning_size_bucket =
            (uint64_t)gw_json_read_integer(reader, planning, "size_bucket", 1, PLANNING_MAX);
}

static void read_versions(gw_policy_loader *l, const gw_json_node *root) {
    const gw_json_node *format = gw_json_member(root, "godwit_policy");
    if (!gw_policy_is_well(l))
        return;
    if (gw_json_type_of(format) != GW_JSON_INTEGER || gw_json_integer(format) != 1)
        GW_POLICY_FAIL(l, format, "policy_version", "Write \"godwit_policy\":1.",
                       "Only version 1 of the policy format is known here.");
    const gw_json_node *version = gw_json_member(root, "version");
    if (gw_json_type_of(version) == GW_JSON_INTEGER && gw_json_integer(version) < 1)
        GW_POLICY_FAIL(l, version, "policy_version", "Start at 1 and add 1 with every change.",
                       "\"version\" must be at least 1.");
    l->policy->version = (uint64_t)gw_json_read_integer(&l->load.reader, root, "version", 1, VERSION_MAX);
}

static void read_neighbours(gw_policy_loader *l, const gw_json_node *root) {
    const char *neighbours = gw_json_read_string(&l->load.reader, root, "neighbours");
    if (neighbours != NULL && strcmp(neighbours, "add-remove-person") != 0)
        GW_POLICY_FAIL(l, gw_json_member(root, "neighbours"), "policy_unsupported",
                       "Write \"neighbours\":\"add-remove-person\".",
                       "What is protected is one person's presence with all their records; nothing else is offered.");
}

static void read_policy(gw_policy_loader *l, const gw_json_node *root) {
    static const char *const allowed[] = {"godwit_policy", "dataset",    "population", "title",  "notice",
                                          "version",       "neighbours", "engine",     "tables", "budget",
                                          "accounting",    "planning",   "grants",     NULL};
    static const char *const required[] = {"godwit_policy", "dataset", "population", "version", "neighbours", "engine",
                                           "tables",        "budget",  "accounting", "grants",  NULL};
    gw_policy *policy = l->policy;
    if (!gw_json_expect_object(&l->load.reader, root, allowed) || !gw_json_require(&l->load.reader, root, required))
        return;
    read_versions(l, root);
    policy->dataset = read_owned_name(l, root, "dataset");
    policy->population = read_owned_name(l, root, "population");
    policy->title = gw_load_text(&l->load, root, "title", false);
    if (policy->title == NULL)
        policy->title = policy->dataset;
    policy->notice = gw_load_text(&l->load, root, "notice", false);
    read_neighbours(l, root);
    read_kind(l, root, "engine", "duckdb");
    read_tables(l, root);
    read_budget(l, root);
    gw_policy_read_accounting(l, root);
    read_planning(l, root);
    gw_policy_check_delta(l, root);
    read_grants(l, root);
}

static void policy_owner_free(policy_owner *owner) {
    if (owner == NULL)
        return;
    gw_arena_free(owner->arena);
    free(owner);
}

GW_DEFINE_FREEP(policy_owner, policy_owner_free)
GW_DEFINE_FREEP(gw_json, gw_json_free)

gw_status gw_policy_load(gw_bytes text, const char *file_name, const char *codelist_folder, gw_policy **ret_policy,
                         gw_problem *ret_problem) {
    GW_CLEANUP(policy_owner_freep) policy_owner *owner = calloc(1, sizeof(*owner));
    if (owner == NULL || (owner->arena = gw_arena_new(ARENA_SIZE_MAX)) == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_status status = gw_json_parse(text, GW_JSON_FILE(file_name), &json, ret_problem);
    if (status != GW_OK)
        return status;
    gw_policy_loader l = {.load.arena = owner->arena, .codelist_folder = codelist_folder, .policy = &owner->policy};
    gw_json_reader_init(&l.load.reader, json);
    gw_policy_open_refuse(&l.load.reader, json);
    if (gw_policy_is_well(&l))
        read_policy(&l, gw_json_root(json));
    if (!gw_policy_is_well(&l)) {
        if (ret_problem != NULL)
            *ret_problem = l.load.reader.problem;
        return l.load.reader.status;
    }
    owner->policy.file = gw_sha256(text);
    *ret_policy = &gw_take(&owner)->policy;
    return GW_OK;
}

void gw_policy_free(gw_policy *policy) {
    policy_owner_free((policy_owner *)(void *)policy);
}
