// SPDX-License-Identifier: Apache-2.0
// Looking things up in a loaded policy, and numbers between decimal text and steps of a column's grid.
#include "service/policy/policy.h"
#include "service/wire/decimal.h"
#include "service/base/check.h"
#include <stdio.h>
#include <string.h>

const gw_table *gw_policy_table(const gw_policy *policy, const char *name) {
    for (size_t i = 0; i < policy->table_count; i++)
        if (strcmp(policy->tables[i].name, name) == 0)
            return &policy->tables[i];
    return NULL;
}

static bool column_is(const gw_column *column, const char *concept, size_t size) {
    const char *name = column->concept; // NULL for a weight
    return name != NULL && strlen(name) == size && memcmp(name, concept, size) == 0;
}

const gw_column *gw_table_concept(const gw_table *table, const char *concept) {
    size_t size = strcspn(concept, ":");
    for (size_t i = 0; i < table->column_count; i++)
        if (column_is(&table->columns[i], concept, size))
            return &table->columns[i];
    for (size_t i = 0; i < table->inherit_count; i++)
        if (column_is(table->inherited[i], concept, size))
            return table->inherited[i];
    return NULL;
}

bool gw_column_is_number(const gw_column *column) {
    return column->type == GW_COLUMN_INTEGER || column->type == GW_COLUMN_DECIMAL;
}

bool gw_table_is_of_person(const gw_table *table, const gw_column *column) {
    if (table->rows_per_person_max == 1)
        return true;
    for (size_t i = 0; i < table->inherit_count; i++)
        if (table->inherited[i] == column)
            return true;
    return false;
}

size_t gw_table_concept_count(const gw_table *table) {
    size_t count = table->inherit_count;
    for (size_t i = 0; i < table->column_count; i++)
        count += table->columns[i].concept != NULL;
    return count;
}

const gw_column *gw_table_concept_at(const gw_table *table, size_t index) {
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].concept != NULL && index-- == 0)
            return &table->columns[i];
    GW_ASSERT(index < table->inherit_count);
    return table->inherited[index];
}

const gw_banding *gw_column_banding(const gw_column *column, const char *name) {
    for (size_t i = 0; i < column->banding_count; i++)
        if (strcmp(column->bandings[i].name, name) == 0)
            return &column->bandings[i];
    return NULL;
}

size_t gw_column_code(const gw_column *column, const char *code) {
    for (size_t i = 0; i < column->codelist.code_count; i++)
        if (strcmp(column->codelist.codes[i].id, code) == 0)
            return i;
    return SIZE_MAX;
}

// Trillionths in one unit of the last place of the column's scaled integers.
static gw_int128 unit_of(const gw_column *column) {
    return gw_decimal_of_scaled(1, column->scale).trillionths;
}

// Division by a positive number that rounds down for negative numbers too.
static gw_int128 divide_down(gw_int128 value, gw_int128 by) {
    return value / by - (value % by < 0);
}

// `extra` is added before the division rounds down: 0 to round down, grid - 1 trillionth to round up.
static bool step_of(const gw_column *column, const char *decimal, bool is_up, int64_t *ret_step) {
    gw_decimal value;
    if (!gw_column_is_number(column) || !gw_decimal_parse(decimal, &value))
        return false;
    // At most 10^30 for the value, and 2^63 * 10^12 < 10^31 for the bounds: far from 128 bits.
    gw_int128 grid = column->grid_scaled * unit_of(column);
    gw_int128 distance = value.trillionths - column->min_scaled * unit_of(column);
    gw_int128 step = divide_down(is_up ? distance + grid - 1 : distance, grid);
    if (step < -1)
        step = -1;
    if (step > column->steps + 1)
        step = column->steps + 1;
    *ret_step = (int64_t)step;
    return true;
}

bool gw_column_step_down(const gw_column *column, const char *decimal, int64_t *ret_step) {
    return step_of(column, decimal, false, ret_step);
}

bool gw_column_step_up(const gw_column *column, const char *decimal, int64_t *ret_step) {
    return step_of(column, decimal, true, ret_step);
}

void gw_column_step_format(const gw_column *column, int64_t step, char text[32]) {
    GW_ASSERT(gw_column_is_number(column));
    gw_int128 value = column->min_scaled + (gw_int128)step * column->grid_scaled;
    char decimal[GW_DECIMAL_TEXT];
    gw_decimal_format((gw_decimal){value * unit_of(column)}, decimal);
    // A sign, 18 digits before the point and 12 after it need 33 bytes; a scaled 64-bit value has 19 digits in all.
    int length = snprintf(text, 32, "%s", decimal);
    GW_ASSERT(length < 32);
}
