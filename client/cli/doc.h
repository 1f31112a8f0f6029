// SPDX-License-Identifier: Apache-2.0
// Reading reply documents for display: a missing or unexpected member is the fallback, never a failure, so that an
// older command still shows what it understands of a newer service's reply. Thread safety: pure.   Depends on:
// wire/json.h.
#pragma once
#include "service/wire/json.h"

const gw_json_node *gw_doc_at(const gw_json_node *object, const char *name); // NULL where absent or null
const char *gw_doc_text(const gw_json_node *object, const char *name, const char *otherwise);
int64_t gw_doc_integer(const gw_json_node *object, const char *name, int64_t otherwise);
bool gw_doc_bool(const gw_json_node *object, const char *name);
// The first element of an array member (then gw_json_next), or NULL.
const gw_json_node *gw_doc_first(const gw_json_node *object, const char *name);
// An amount of epsilon; 0 where absent.
gw_epsilon gw_doc_epsilon(const gw_json_node *object, const char *name);
