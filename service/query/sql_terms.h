// SPDX-License-Identifier: Apache-2.0
// The pieces that statements are put together from. Nobody outside this room includes it. Each appends to the text and
// adds its parameters; failures stick in the gw_sql.
// Thread safety: one owner.   Depends on: sql.h.
#pragma once
#include "service/query/sql.h"

// Columns that the load adds to a snapshot's table (engine/load.h).
#define GW_SQL_PERSON "_person"
#define GW_SQL_ROWS "_rows"
#define GW_SQL_ORDER "_order"
#define GW_SQL_WEIGHT "_weight"

void gw_sql_identifier(gw_sql *sql, const char *name);
// The conditions of rows that count at all, each after `joiner`, which becomes " AND ".
void gw_sql_where(gw_sql *sql, const gw_plan *plan, const char **joiner);
// The cell of a row; and the grouping that goes with it where it is the first column of a SELECT.
void gw_sql_cell(gw_sql *sql, const gw_plan *plan);
void gw_sql_group(gw_sql *sql, const gw_plan *plan);
// What a row adds, in steps: 1; rates: whether it is in the numerator; means: the first part.
void gw_sql_value(gw_sql *sql, const gw_plan *plan);
void gw_sql_over(gw_sql *sql, const gw_plan *plan); // ratios: the second part
void gw_sql_weight(gw_sql *sql, const gw_plan *plan);

// A value and its weight summed up into the parts of a cell, after ", ". The two are written by the callbacks.
typedef struct {
    void (*value)(gw_sql *sql, const gw_plan *plan);
    void (*weight)(gw_sql *sql, const gw_plan *plan);
    void (*over)(gw_sql *sql, const gw_plan *plan);
} gw_sql_unit;
void gw_sql_parts(gw_sql *sql, const gw_plan *plan, const gw_sql_unit *unit);

// The inside of a bounded statement: SELECT cell and parts, perhaps more than one row a cell (sql_bounded.c).
void gw_sql_bounded(gw_sql *sql, const gw_plan *plan);
