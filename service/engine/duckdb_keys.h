// SPDX-License-Identifier: Apache-2.0
// A result of keys and counts into slots. Only duckdb.c includes it.
// Thread safety: pure.   Depends on: codec.h, DuckDB.
#pragma once
#include "service/engine/codec.h"
#include <duckdb.h>

// GW_WORD_SHAPE: other columns than a text and an integer, a key that is missing, empty, too long or not a text, a
// count below 1, or more keys than slots.
GW_MUST_CHECK gw_engine_word gw_duckdb_copy_keys(duckdb_result *result, gw_exact_keys *keys);
