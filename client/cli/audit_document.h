// SPDX-License-Identifier: Apache-2.0
// All that `audit verify` found, as one JSON document for programs. Amounts are decimal strings, counts integers, times
// ISO 8601. Members are only ever added.   Depends on: client/cli/audit_facts.h, service/audit/verify.h.
#pragma once
#include "client/cli/audit_facts.h"
#include "service/audit/verify.h"

// Appends members to an open object.
void gw_audit_verdict_json(const gw_audit_verdict *verdict, gw_buffer *json);
void gw_audit_facts_json(const gw_facts *facts, gw_buffer *json);
