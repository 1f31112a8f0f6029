// SPDX-License-Identifier: Apache-2.0
// Two policies side by side: budgets, tables, columns, grants. An amount that is absent bounds nothing, so taking one
// away is weaker than raising it.
#include "service/admin/policy_diff.h"
#include "service/query/plan.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 640

typedef struct {
    gw_policy_change_each each;
    void *state;
} teller;

__attribute__((format(printf, 3, 4))) static void tell(const teller *t, gw_policy_change change, const char *format,
                                                       ...) {
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments); // cut, it is only shown
    va_end(arguments);
    t->each(t->state, change, text);
}

const char *gw_policy_change_name(gw_policy_change change) {
    static const char *const names[] = {
        [GW_POLICY_CHANGE_WEAKER] = "weaker", [GW_POLICY_CHANGE_LOAD] = "load", [GW_POLICY_CHANGE_OTHER] = "other"};
    return names[change];
}

static gw_policy_change weaker_if(bool is_weaker) {
    return is_weaker ? GW_POLICY_CHANGE_WEAKER : GW_POLICY_CHANGE_OTHER;
}

// ---- budgets

static void diff_amount(const teller *t, const char *what, gw_epsilon before, gw_epsilon now) {
    char old_text[GW_EPSILON_TEXT], new_text[GW_EPSILON_TEXT];
    if (before.micro == now.micro)
        return;
    gw_epsilon_format(before, old_text);
    gw_epsilon_format(now, new_text);
    if (now.micro == 0)
        tell(t, GW_POLICY_CHANGE_WEAKER, "%s: %s is taken away; nothing bounds it any more", what, old_text);
    else if (before.micro == 0)
        tell(t, GW_POLICY_CHANGE_OTHER, "%s: bounded by %s from now", what, new_text);
    else
        tell(t, weaker_if(now.micro > before.micro), "%s: %s from %s to %s", what,
             now.micro > before.micro ? "raised" : "lowered", old_text, new_text);
}

// A delta that appears is a promise that no longer holds in every case.
static void diff_delta(const teller *t, const char *what, gw_delta before, gw_delta now) {
    char old_text[GW_DELTA_TEXT], new_text[GW_DELTA_TEXT];
    if (before.atto == now.atto)
        return;
    gw_delta_format(before, old_text);
    gw_delta_format(now, new_text);
    tell(t, weaker_if(now.atto > before.atto), "%s: from %s to %s", what, before.atto == 0 ? "none" : old_text,
         now.atto == 0 ? "none" : new_text);
}

static void diff_budget(const teller *t, const gw_policy *before, const gw_policy *now) {
    diff_amount(t, "budget of the dataset's lifetime", before->lifetime, now->lifetime);
    diff_amount(t, "budget of each asker", before->per_principal, now->per_principal);
    diff_amount(t, "budget of each time window", before->window_total, now->window_total);
    if (before->window_days != now->window_days && before->window_days != 0 && now->window_days != 0)
        tell(t, weaker_if(now->window_days < before->window_days),
             "time window: from %" PRIu32 " to %" PRIu32 " days; a shorter window renews its budget sooner",
             before->window_days, now->window_days);
    diff_amount(t, "most that one question may cost", before->question_max, now->question_max);
    diff_delta(t, "delta: the chance that the lifetime budget does not hold", before->delta, now->delta);
    diff_delta(t, "delta granted to questions about unknown keys", before->selection_delta, now->selection_delta);
    diff_delta(t, "delta of one such question where it does not say", before->question_delta, now->question_delta);
    char old_text[GW_EPSILON_TEXT], new_text[GW_EPSILON_TEXT];
    gw_epsilon_format(before->question_min, old_text);
    gw_epsilon_format(now->question_min, new_text);
    if (before->question_min.micro != now->question_min.micro)
        tell(t, GW_POLICY_CHANGE_OTHER, "least that one question costs: from %s to %s", old_text, new_text);
}

// ---- columns

static bool texts_equal(const char *a, const char *b) {
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool codes_equal(const gw_column *a, const gw_column *b) {
    bool is_equal = a->codelist.code_count == b->codelist.code_count;
    for (size_t i = 0; is_equal && i < a->codelist.code_count; i++)
        is_equal = strcmp(a->codelist.codes[i].id, b->codelist.codes[i].id) == 0;
    return is_equal;
}

static bool recodes_equal(const gw_column *a, const gw_column *b) {
    bool is_equal = a->recode_count == b->recode_count;
    for (size_t i = 0; is_equal && i < a->recode_count; i++)
        is_equal = strcmp(a->recodes[i].from, b->recodes[i].from) == 0 && a->recodes[i].code == b->recodes[i].code;
    return is_equal;
}

static bool bounds_equal(const gw_column *a, const gw_column *b) {
    return a->scale == b->scale && a->min_scaled == b->min_scaled && a->max_scaled == b->max_scaled &&
           a->grid_scaled == b->grid_scaled;
}

static bool banding_equal(const gw_banding *a, const gw_banding *b) {
    bool is_equal = a->band_count == b->band_count;
    for (size_t i = 0; is_equal && i < a->band_count; i++)
        is_equal = strcmp(a->bands[i].id, b->bands[i].id) == 0 && a->bands[i].low == b->bands[i].low &&
                   a->bands[i].high == b->bands[i].high;
    return is_equal;
}

static void diff_bandings(const teller *t, const gw_column *before, const gw_column *now) {
    for (size_t i = 0; i < before->banding_count; i++) {
        const gw_banding *banding = gw_column_banding(now, before->bandings[i].name);
        if (banding == NULL)
            tell(t, GW_POLICY_CHANGE_OTHER, "%s:%s: this banding is gone", before->concept, before->bandings[i].name);
        else if (!banding_equal(&before->bandings[i], banding))
            tell(t, GW_POLICY_CHANGE_OTHER, "%s:%s: other bands; the same words now ask another question, at its price",
                 before->concept, banding->name);
    }
    for (size_t i = 0; i < now->banding_count; i++)
        if (gw_column_banding(before, now->bandings[i].name) == NULL)
            tell(t, GW_POLICY_CHANGE_OTHER, "%s:%s: a new banding", now->concept, now->bandings[i].name);
}

static void diff_bounds(const teller *t, const char *where, const gw_column *before, const gw_column *now) {
    char texts[4][32];
    gw_column_step_format(before, 0, texts[0]);
    gw_column_step_format(before, before->steps, texts[1]);
    gw_column_step_format(now, 0, texts[2]);
    gw_column_step_format(now, now->steps, texts[3]);
    bool is_same_range = strcmp(texts[0], texts[2]) == 0 && strcmp(texts[1], texts[3]) == 0;
    tell(t, GW_POLICY_CHANGE_LOAD, "%s: bounds from %s..%s to %s..%s%s", where, texts[0], texts[1], texts[2], texts[3],
         is_same_range ? ", on another grid" : "; wider bounds mean more noise at the same price");
}

static void diff_column(const teller *t, const gw_table *table, const gw_column *before, const gw_column *now) {
    char where[2 * GW_NAME_MAX + 8];
    snprintf(where, sizeof where, "%s.%s", table->name, now->concept == NULL ? now->name : now->concept);
    if (strcmp(before->name, now->name) != 0)
        tell(t, GW_POLICY_CHANGE_LOAD, "%s: read from the column %s instead of %s", where, now->name, before->name);
    if (before->type != now->type || before->period != now->period)
        tell(t, GW_POLICY_CHANGE_LOAD, "%s: another type", where);
    else if (!bounds_equal(before, now))
        diff_bounds(t, where, before, now);
    if (!codes_equal(before, now))
        tell(t, GW_POLICY_CHANGE_LOAD, "%s: other codes (%zu before, %zu now)", where, before->codelist.code_count,
             now->codelist.code_count);
    else if (!recodes_equal(before, now))
        tell(t, GW_POLICY_CHANGE_LOAD, "%s: values of the file become other codes", where);
    if (before->missing != now->missing)
        tell(t, GW_POLICY_CHANGE_LOAD, "%s: missing values %s", where,
             now->missing == GW_MISSING_DROP ? "leave questions on it" : "become a cell of their own");
    if (before->outside != now->outside) {
        static const char *const words[] = {"refused", "counted as the bound", "missing", "dropped with their row"};
        tell(t, GW_POLICY_CHANGE_OTHER, "%s: values out of bounds are %s from the next load, not %s", where,
             words[now->outside], words[before->outside]);
    }
    if (before->depends_on_household && !now->depends_on_household)
        tell(t, GW_POLICY_CHANGE_WEAKER, "%s: no longer said to be moved by other people's records", where);
    if (!before->depends_on_household && now->depends_on_household)
        tell(t, GW_POLICY_CHANGE_OTHER, "%s: said to be moved by other people's records", where);
    if (before->person_total_scaled != now->person_total_scaled)
        tell(t, GW_POLICY_CHANGE_OTHER, "%s: a person's values count up to another total", where);
    if (before->weight_mean_scaled != now->weight_mean_scaled)
        tell(t, GW_POLICY_CHANGE_OTHER, "%s: another mean weight is stated; errors foretold before asking change",
             where);
    if (!texts_equal(before->unit, now->unit))
        tell(t, GW_POLICY_CHANGE_OTHER, "%s: unit from %s to %s", where, before->unit == NULL ? "none" : before->unit,
             now->unit == NULL ? "none" : now->unit);
    if (before->concept != NULL)
        diff_bandings(t, before, now);
}

static const gw_column *counterpart(const gw_table *table, const gw_column *column) {
    for (size_t i = 0; i < table->column_count; i++) {
        const gw_column *other = &table->columns[i];
        if (column->is_weight ? other->is_weight : !other->is_weight && texts_equal(other->concept, column->concept))
            return other;
    }
    return NULL;
}

// ---- tables

static bool inherits(const gw_table *table, const char *concept) {
    for (size_t i = 0; i < table->inherit_count; i++)
        if (strcmp(table->inherit[i], concept) == 0)
            return true;
    return false;
}

static void diff_rows(const teller *t, const gw_table *before, const gw_table *now) {
    if (strcmp(before->unit, now->unit) != 0)
        tell(t, GW_POLICY_CHANGE_WEAKER, "%s: a row belongs to %s, no longer to %s; what is one person's changes",
             now->name, now->unit, before->unit);
    if (before->rows_per_person_max != now->rows_per_person_max)
        tell(t, GW_POLICY_CHANGE_LOAD, "%s: rows of one person from at most %" PRIu64 " to %" PRIu64, now->name,
             before->rows_per_person_max, now->rows_per_person_max);
    if (before->rows_per_person_kept != now->rows_per_person_kept)
        tell(t, GW_POLICY_CHANGE_OTHER,
             "%s: of one person %" PRIu64 " instead of %" PRIu64 " rows count in a question; noise grows with them",
             now->name, now->rows_per_person_kept, before->rows_per_person_kept);
}

static void diff_table(const teller *t, const gw_table *before, const gw_table *now) {
    diff_rows(t, before, now);
    for (size_t i = 0; i < before->column_count; i++) {
        const gw_column *column = counterpart(now, &before->columns[i]);
        if (column != NULL)
            diff_column(t, now, &before->columns[i], column);
        else
            tell(t, GW_POLICY_CHANGE_LOAD, "%s.%s: gone, and what was asked of it", now->name, before->columns[i].name);
    }
    for (size_t i = 0; i < now->column_count; i++)
        if (counterpart(before, &now->columns[i]) == NULL)
            tell(t, GW_POLICY_CHANGE_LOAD, "%s.%s: a new column, which questions may use", now->name,
                 now->columns[i].name);
    for (size_t i = 0; i < before->inherit_count; i++)
        if (!inherits(now, before->inherit[i]))
            tell(t, GW_POLICY_CHANGE_LOAD, "%s: no longer has the person's %s", now->name, before->inherit[i]);
    for (size_t i = 0; i < now->inherit_count; i++)
        if (!inherits(before, now->inherit[i]))
            tell(t, GW_POLICY_CHANGE_LOAD, "%s: has the person's %s from now", now->name, now->inherit[i]);
}

static void diff_tables(const teller *t, const gw_policy *before, const gw_policy *now) {
    for (size_t i = 0; i < before->table_count; i++) {
        const gw_table *table = gw_policy_table(now, before->tables[i].name);
        if (table == NULL)
            tell(t, GW_POLICY_CHANGE_LOAD, "%s: this table is gone", before->tables[i].name);
        else
            diff_table(t, &before->tables[i], table);
    }
    for (size_t i = 0; i < now->table_count; i++)
        if (gw_policy_table(before, now->tables[i].name) == NULL)
            tell(t, GW_POLICY_CHANGE_LOAD, "%s: a new table, which questions may use", now->tables[i].name);
}

// ---- grants

static bool is_granted(const gw_policy *policy, const char *role, const char *table, gw_statistic statistic) {
    for (size_t g = 0; g < policy->grant_count; g++) {
        const gw_grant *grant = &policy->grants[g];
        bool has_table = false, has_statistic = false;
        for (size_t i = 0; i < grant->table_count; i++)
            has_table |= strcmp(grant->tables[i], table) == 0;
        for (size_t i = 0; i < grant->statistic_count; i++)
            has_statistic |= grant->statistics[i] == statistic;
        if (has_table && has_statistic && strcmp(grant->role, role) == 0)
            return true;
    }
    return false;
}

// Tells once what `ones` grants and `others` does not: a grant that stands twice in a file is one grant.
static void diff_grants(const teller *t, const gw_policy *ones, const gw_policy *others, bool is_new) {
    static const char *const roles[] = {"researcher", "owner", "auditor", "operator", "gateway"};
    for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++)
        for (size_t i = 0; i < ones->table_count; i++)
            for (int s = 0; s < GW_STATISTIC_COUNT_OF; s++) {
                const char *table = ones->tables[i].name;
                if (!is_granted(ones, roles[r], table, (gw_statistic)s) ||
                    is_granted(others, roles[r], table, (gw_statistic)s))
                    continue;
                tell(t, weaker_if(is_new), "%s: may %s ask for a %s on %s", roles[r], is_new ? "from now" : "no longer",
                     gw_statistic_name((gw_statistic)s), table);
            }
}

void gw_policy_diff(const gw_policy *before, const gw_policy *now, gw_policy_change_each each, void *state) {
    teller t = {each, state};
    if (strcmp(before->dataset, now->dataset) != 0)
        tell(&t, GW_POLICY_CHANGE_WEAKER, "dataset: %s, not %s; another name has a budget of its own", now->dataset,
             before->dataset);
    if (strcmp(before->population, now->population) != 0)
        tell(&t, GW_POLICY_CHANGE_WEAKER, "population: from %s to %s; the service refuses that for a dataset it knows",
             before->population, now->population);
    diff_budget(&t, before, now);
    diff_grants(&t, now, before, true);
    diff_grants(&t, before, now, false);
    diff_tables(&t, before, now);
    if (before->planning_cell_persons != now->planning_cell_persons ||
        before->planning_size_bucket != now->planning_size_bucket)
        tell(&t, GW_POLICY_CHANGE_OTHER, "planning sizes: errors foretold before asking change, answers do not");
    if (!texts_equal(before->title, now->title) || !texts_equal(before->notice, now->notice))
        tell(&t, GW_POLICY_CHANGE_OTHER, "title or notice: other words");
}
