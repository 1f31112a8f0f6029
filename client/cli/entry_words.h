// SPDX-License-Identifier: Apache-2.0
// One entry of the log as a sentence for people.
// Thread safety: pure.   Depends on: service/audit/entry.h.
#pragma once
#include "service/audit/entry.h"

// Ids are shown by their first 8 digits: a reader compares them, programs read whole ones. The entries handed in need
// not be true, so what is said goes out through the cleaners like any text from elsewhere.
void gw_entry_say(const gw_entry *entry, gw_buffer *text);
// "3f2a9c01… 77b0d4aa…": who signed.
void gw_signers_say(const gw_signers *by, gw_buffer *text);
// An amount, with `before` in front of it.
void gw_amount_say(gw_buffer *text, const char *before, uint64_t micro);
// The limits of a policy, and of a population: "total 10.00, 2.00 for each principal, 4.00 in 365 days, …".
void gw_policy_limits_say(const gw_entry *policy, gw_buffer *text);
void gw_population_limits_say(const gw_entry *population, gw_buffer *text);
// "2026-11-21T22:30:00Z", as programs read times; "" for 0.
#define GW_STAMP_TEXT 32
void gw_stamp_format(int64_t unix_seconds, char text[GW_STAMP_TEXT]);
// Exactly the text of an amount: "0.05".
void gw_micro_format(uint64_t micro, char text[GW_EPSILON_TEXT]);
