// SPDX-License-Identifier: Apache-2.0
// Parts of the documents of facts, each a member of the object that is being written: what a policy says of its tables
// and grants, how an indicator is defined, and how a question would be protected. From policy and plan alone.
// Thread safety: pure.   Depends on: plan.h.
#pragma once
#include "service/query/plan.h"

// "tables": name, rows of a person that are taken and that count, concepts own and inherited, weights, totals, and the
// concepts whose values other people's records move.
void gw_describe_tables(const gw_policy *policy, gw_buffer *out);
void gw_describe_grants(const gw_policy *policy, gw_buffer *out); // "grants": role, tables, statistics
// "of", "population", "numerator", "plus", "minus", "per": only what the indicator has.
void gw_describe_indicator(const gw_indicator *indicator, gw_buffer *out);
// "protection": table, what is counted, what one person may add at most and how that is seen to, and the noise's law.
void gw_describe_protection(const gw_plan *plan, gw_buffer *out);
