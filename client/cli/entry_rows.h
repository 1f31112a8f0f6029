// SPDX-License-Identifier: Apache-2.0
// Entries for programs: one row of the same columns for every kind, and one JSON object with the members a kind has.
// Amounts are decimal strings of epsilon, deltas decimal strings, times ISO 8601 in UTC, everything else as the log
// writes it. Columns are only ever added at the end.
// Thread safety: pure.   Depends on: service/audit/entry.h.
#pragma once
#include "service/audit/entry.h"

void gw_entry_columns(gw_buffer *csv); // the line of names
// A line of CSV. Texts that a spreadsheet would take for a formula begin with an apostrophe.
void gw_entry_row(const gw_entry *entry, gw_buffer *csv);
// An object. Numbers of entries and versions are JSON integers; all else strings.
void gw_entry_object(const gw_entry *entry, gw_buffer *json);
