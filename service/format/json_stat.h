// SPDX-License-Identifier: Apache-2.0
// An answer as a JSON-stat 2.0 dataset (json-stat.org/full): a cube with one dimension per concept of the breakdown and
// a last one, `figure`, with estimate, lower, upper and se. Values are numbers, the unbiased figures digit by digit;
// null where there is none. What JSON-stat has no place for stands in `extension`. Thread safety: pure.   Depends on:
// format/figures.h, wire/json.h.
#pragma once
#include "service/format/figures.h"

// `labels` may be NULL. GW_LIMIT in the buffer where cells are few and scattered in a cube that would be far bigger.
void gw_format_json_stat(const gw_answer *answer, const gw_asked *asked, const gw_labels *labels, gw_buffer *buffer);
