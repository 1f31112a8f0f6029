// SPDX-License-Identifier: Apache-2.0
// Open points: `godwit policy new` writes "ASK: the largest possible income" where it cannot know. A file that still
// holds one is refused as a whole, so that a draft cannot come into force by accident.
// Thread safety: pure.   Depends on: wire/json.h.
#pragma once
#include "service/wire/json.h"

#define GW_POLICY_ASK "ASK" // a value that begins so, or is called so, waits for its owner

// Code: policy_open, at the first one, with their number.
void gw_policy_open_refuse(gw_json_reader *reader, const gw_json *json);
// One line each: line, what it belongs to, the question. Returns how many there are; 0 too for what is no JSON.
size_t gw_policy_open_list(gw_bytes text, gw_buffer *ret_lines);
