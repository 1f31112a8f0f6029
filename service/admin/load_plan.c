// SPDX-License-Identifier: Apache-2.0
// A policy, the owner's files and treatments, as a plan for the engine. Whatever in them does not fit together is told
// before a file is opened.
#include "service/admin/load_plan.h"
#include "service/base/cleanup.h"
#include <stdlib.h>
#include <string.h>

#define THREADS_DEFAULT 2u
#define MEMORY_DEFAULT (1ull << 30)
#define TABLES_TEXT_MAX 8192u // names of all tables of a policy, and more

static const char *const treatment_words[] = {"drop-row", "missing", "clamp"};

static bool treat_find_kind(const char *text, size_t size, gw_load_kind *ret_kind) {
    for (unsigned i = 0; i < GW_LOAD_KINDS; i++) {
        const char *name = gw_load_kind_name((gw_load_kind)i);
        if (strlen(name) == size && memcmp(name, text, size) == 0) {
            *ret_kind = (gw_load_kind)i;
            return true;
        }
    }
    return false;
}

static gw_status treat_refuse_kind(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_INVALID, "unknown_kind", "There is no such kind of finding.",
                          "Kinds are bad_type, unlisted_code, out_of_bounds, not_finite, too_many_rows, missing_id "
                          "and ragged_row.",
                          "--treat bad_type=missing; of one column: --treat age:bad_type=missing");
}

static gw_status treat_column(const char *column, size_t size, gw_load_kind kind, gw_load_treatment treatment,
                              gw_load_treatments *treatments, gw_problem *ret_problem) {
    if (!gw_load_kind_is_of_column(kind))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_treatment", "This kind belongs to no column.",
                              "A whole row is concerned: say how to treat the kind in all of the source.",
                              "--treat ragged_row=drop-row");
    if (size == 0 || size > GW_NAME_MAX || treatments->column_count == GW_LOAD_COLUMN_TREATMENTS_MAX)
        return treat_refuse_kind(ret_problem);
    gw_load_column_treatment *own = &treatments->columns[treatments->column_count++];
    *own = (gw_load_column_treatment){.kind = kind, .treatment = treatment};
    memcpy(own->column, column, size);
    return GW_OK;
}

// Read from the end: a column's name may hold any of these signs.
gw_status gw_load_treat(const char *text, gw_load_treatments *treatments, gw_problem *ret_problem) {
    const char *word = strrchr(text, '=');
    const char *colon = word != NULL ? memrchr(text, ':', (size_t)(word - text)) : NULL;
    const char *name = colon != NULL ? colon + 1 : text;
    gw_load_kind kind;
    if (word == NULL || !treat_find_kind(name, (size_t)(word - name), &kind))
        return treat_refuse_kind(ret_problem);
    gw_load_treatment treatment = GW_TREAT_REFUSE;
    for (unsigned i = 0; i < sizeof(treatment_words) / sizeof(treatment_words[0]); i++)
        if (strcmp(word + 1, treatment_words[i]) == 0)
            treatment = (gw_load_treatment)(i + 1);
    if (treatment == GW_TREAT_REFUSE)
        return gw_problem_set(ret_problem, GW_INVALID, "unknown_treatment", "There is no such treatment.",
                              "Treatments are drop-row, missing and clamp.", "--treat bad_type=missing");
    if (!gw_load_treatment_fits(kind, treatment))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_treatment", "This kind cannot be treated that way.",
                              "clamp is for out_of_bounds; missing is for single values; drop-row is for all kinds.",
                              "--treat out_of_bounds=clamp");
    if (colon != NULL)
        return treat_column(text, (size_t)(colon - text), kind, treatment, treatments, ret_problem);
    treatments->kinds[kind] = treatment;
    return GW_OK;
}

static bool plan_column(gw_arena *arena, const gw_load_treatments *treatments, const gw_column *from,
                        gw_load_column *to) {
    const char **codes = gw_arena_array(arena, from->codelist.code_count + 1, sizeof(*codes));
    gw_load_recode *recodes = gw_arena_array(arena, from->recode_count + 1, sizeof(*recodes));
    if (codes == NULL || recodes == NULL)
        return false;
    for (size_t i = 0; i < from->codelist.code_count; i++)
        codes[i] = from->codelist.codes[i].id;
    for (size_t i = 0; i < from->recode_count; i++)
        recodes[i] = (gw_load_recode){.from = from->recodes[i].from, .code = from->recodes[i].code};
    *to = (gw_load_column){
        .name = from->name,
        .target = from->is_weight ? GW_LOAD_WEIGHT : from->concept,
        .is_code = from->type == GW_COLUMN_CODE,
        .is_text = from->type == GW_COLUMN_TEXT,
        .is_whole = from->type == GW_COLUMN_INTEGER,
        .missing_is_unknown = from->missing == GW_MISSING_UNKNOWN,
        .codes = codes,
        .code_count = from->codelist.code_count,
        .recodes = recodes,
        .recode_count = from->recode_count,
        .period = from->period,
        .scale = from->scale,
        .min_scaled = from->min_scaled,
        .max_scaled = from->max_scaled,
        .grid_scaled = from->grid_scaled,
        .steps = from->steps,
        .text_bytes_max = from->text_bytes_max,
        .keys_max = from->keys_max,
    };
    if (from->period != GW_PERIOD_NONE && !gw_period_parse(from->period, codes[0], &to->period_first))
        return false;
    // What the owner signed, unless this load says otherwise for the column.
    static const gw_load_treatment outside[] = {[GW_OUTSIDE_REFUSE] = GW_TREAT_REFUSE,
                                                [GW_OUTSIDE_CLAMP] = GW_TREAT_CLAMP,
                                                [GW_OUTSIDE_MISSING] = GW_TREAT_MISSING,
                                                [GW_OUTSIDE_DROP_ROW] = GW_TREAT_DROP_ROW};
    to->treatments[GW_LOAD_OUT_OF_BOUNDS] = outside[from->outside];
    for (size_t i = 0; i < treatments->column_count; i++)
        if (strcmp(treatments->columns[i].column, from->name) == 0)
            to->treatments[treatments->columns[i].kind] = treatments->columns[i].treatment;
    return true;
}

bool gw_load_plan_inherited(const gw_policy *policy, const gw_column *column, gw_load_inherited *ret) {
    for (size_t i = 0; i < policy->table_count; i++) {
        const gw_table *table = &policy->tables[i];
        for (size_t j = 0; j < table->column_count; j++)
            if (&table->columns[j] == column) {
                *ret = (gw_load_inherited){.table = i, .column = j};
                return true;
            }
    }
    return false;
}

static bool plan_table(gw_arena *arena, const gw_load_options *options, size_t index, gw_load_table *to) {
    const gw_policy *policy = options->policy;
    const gw_table *from = &policy->tables[index];
    gw_load_column *columns = gw_arena_array(arena, from->column_count, sizeof(*columns));
    gw_load_inherited *inherited = gw_arena_array(arena, from->inherit_count + 1, sizeof(*inherited));
    if (columns == NULL || inherited == NULL)
        return false;
    for (size_t i = 0; i < from->column_count; i++)
        if (!plan_column(arena, &options->treatments, &from->columns[i], &columns[i]))
            return false;
    for (size_t i = 0; i < from->inherit_count; i++)
        if (!gw_load_plan_inherited(policy, from->inherited[i], &inherited[i]))
            return false;
    *to = (gw_load_table){
        .name = from->name,
        .person = from->unit,
        .rows_per_person_max = from->rows_per_person_max,
        .columns = columns,
        .column_count = from->column_count,
        .inherited = inherited,
        .inherited_count = from->inherit_count,
    };
    return true;
}

static const char *plan_find_source(const gw_load_options *options, const char *table, size_t *ret_count) {
    const char *path = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < options->source_count; i++)
        if (strcmp(options->sources[i].table, table) == 0) {
            path = options->sources[i].path;
            ++*ret_count;
        }
    return path;
}

// `names` are the tables that the sentence in `why` ends with.
static gw_status refuse_tables(const gw_load_options *options, const char *what, const char *why, gw_buffer *names,
                               gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer mend;
    gw_buffer_init(&mend, TABLES_TEXT_MAX);
    gw_buffer_format(&mend, "godwitd load %s", options->policy->dataset);
    for (size_t i = 0; i < options->policy->table_count; i++)
        gw_buffer_format(&mend, " %s=FILE", options->policy->tables[i].name);
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "load_tables", what, "", "");
    gw_problem_why(ret_problem, why, gw_buffer_string(names));
    gw_problem_mend(ret_problem, "%s", gw_buffer_string(&mend));
    return status;
}

static gw_status plan_sources(const gw_load_options *options, gw_load_table *tables, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer none;
    GW_CLEANUP(gw_buffer_done) gw_buffer many;
    gw_buffer_init(&none, TABLES_TEXT_MAX);
    gw_buffer_init(&many, TABLES_TEXT_MAX);
    for (size_t i = 0; i < options->policy->table_count; i++) {
        size_t count;
        tables[i].source = plan_find_source(options, options->policy->tables[i].name, &count);
        gw_buffer *names = count == 0 ? &none : &many;
        if (count != 1)
            gw_buffer_format(names, "%s%s", names->size > 0 ? ", " : "", options->policy->tables[i].name);
    }
    static const char *const what = "Every table of the policy needs one source.";
    if (none.size > 0)
        return refuse_tables(options, what, "No file is named for %s.", &none, ret_problem);
    if (many.size > 0)
        return refuse_tables(options, what, "More than one file is named for %s.", &many, ret_problem);
    return GW_OK;
}

// A data version holds the policy's tables and nothing else.
static gw_status plan_check_sources(const gw_load_options *options, gw_problem *ret_problem) {
    const char *names[GW_LOAD_TABLES_MAX];
    for (size_t i = 0; i < options->policy->table_count; i++)
        names[i] = options->policy->tables[i].name;
    for (size_t i = 0; i < options->source_count; i++) {
        const char *table = options->sources[i].table;
        if (gw_policy_table(options->policy, table) != NULL)
            continue;
        char quoted[GW_SHOWN_MAX];
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, TABLES_TEXT_MAX);
        gw_buffer_format(&text, "%s has no table \"%s\"", options->policy->dataset, gw_json_shown(table, quoted));
        gw_status status = refuse_tables(options, "A source names no table of the policy.", "%s.", &text, ret_problem);
        const char *nearest = gw_nearest(table, names, options->policy->table_count);
        if (nearest != NULL)
            gw_problem_mend(ret_problem, "Did you mean \"%s\"?", nearest);
        return status;
    }
    return GW_OK;
}

static bool plan_has_column(const gw_policy *policy, const char *name, const char **names, size_t *ret_count) {
    *ret_count = 0;
    for (size_t i = 0; i < policy->table_count; i++)
        for (size_t j = 0; j < policy->tables[i].column_count; j++) {
            const char *column = policy->tables[i].columns[j].name;
            if (strcmp(column, name) == 0)
                return true;
            names[(*ret_count)++] = column;
        }
    return false;
}

// A treatment of a column that is not there would leave what it was meant for untreated, without a word.
static gw_status plan_check_treated(const gw_load_options *options, gw_problem *ret_problem) {
    size_t total = 0, count;
    for (size_t i = 0; i < options->policy->table_count; i++)
        total += options->policy->tables[i].column_count;
    GW_CLEANUP(gw_freep) const char **names = calloc(total + 1, sizeof(*names));
    if (names == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
    for (size_t i = 0; i < options->treatments.column_count; i++) {
        const char *column = options->treatments.columns[i].column;
        if (plan_has_column(options->policy, column, names, &count))
            continue;
        gw_status status = gw_problem_set(ret_problem, GW_INVALID, "unknown_column",
                                          "A treatment names a column that the policy does not have.", "",
                                          "Write the column as the source and the policy do.");
        gw_problem_why(ret_problem, "No table of %s has a column \"%s\".", options->policy->dataset, column);
        const char *nearest = gw_nearest(column, names, count);
        if (nearest != NULL)
            gw_problem_mend(ret_problem, "Did you mean \"%s\"?", nearest);
        return status;
    }
    return GW_OK;
}

gw_status gw_load_plan_build(const gw_load_options *options, const char *work, gw_arena *arena, gw_load_plan *ret_plan,
                             gw_problem *ret_problem) {
    const gw_policy *policy = options->policy;
    gw_load_table *tables = gw_arena_array(arena, policy->table_count, sizeof(*tables));
    for (size_t i = 0; i < policy->table_count; i++)
        if (tables == NULL || !plan_table(arena, options, i, &tables[i]))
            return gw_problem_set(ret_problem, GW_LIMIT, "load_tables", "The policy is too large to load.", "", "");
    *ret_plan = (gw_load_plan){
        .folder = work,
        .threads = options->threads != 0 ? options->threads : THREADS_DEFAULT,
        .memory_bytes = options->memory_bytes != 0 ? options->memory_bytes : MEMORY_DEFAULT,
        .key = options->key,
        .tables = tables,
        .table_count = policy->table_count,
    };
    memcpy(ret_plan->treatments, options->treatments.kinds, sizeof(ret_plan->treatments));
    gw_status status = plan_check_treated(options, ret_problem);
    if (status == GW_OK)
        status = plan_check_sources(options, ret_problem);
    return status == GW_OK ? plan_sources(options, tables, ret_problem) : status;
}
