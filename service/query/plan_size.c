// SPDX-License-Identifier: Apache-2.0
// The statement is built to see how long it is: its length follows from the names and numbers of codes, and nothing
// shorter tells it.
#include "service/query/plan_size.h"

#include "service/engine/codec.h"
#include "service/query/encode.h"
#include "service/query/sql.h"

_Static_assert(GW_SQL_BYTES_MAX <= GW_ENGINE_SQL_MAX, "a statement that can be built can be sent");

static bool statement_fits(const gw_plan *plan, gw_arena *arena) {
    gw_sql sql;
    if (gw_sql_build(plan, arena, &sql) != GW_OK)
        return false;
    bool fits = sql.param_count <= GW_ENGINE_PARAMS_MAX;
    gw_buffer_done(&sql.text);
    return fits;
}

gw_status gw_plan_check_size(const gw_plan *plan, gw_arena *arena, gw_problem *ret_problem) {
    if (!statement_fits(plan, arena))
        return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "This question is too large.",
                              "Its codes and filters make a longer statement than the engine takes.",
                              "Use fewer or coarser breakdowns, or filter on fewer codes.");
    if (gw_plan_answer_bytes(plan) > GW_ANSWER_BYTES_MAX)
        return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "This question is too large.",
                              "Its answer would be longer than a reply can be.", "Use fewer or coarser breakdowns.");
    return GW_OK;
}
