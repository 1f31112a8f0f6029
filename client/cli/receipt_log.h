// SPDX-License-Identifier: Apache-2.0
// A receipt held against the log folder: its tree is the beginning of that log, the asker's key was in force and signed
// the request, and what became of the release since.
// Thread safety: one thread.   Depends on: service/audit/verify.h.
#pragma once
#include "client/cli/cli.h"
#include "service/audit/verify.h"

// Checks the whole folder first: a key is believed only from a sound log. `note` is the receipt's checkpoint; `request`
// may be empty: then no signature is looked at. Says what was found; 0, 6 (another history, or no key of the asker's
// signed these bytes), 10 (the folder is missing, or older than the receipt).
gw_exit_code gw_receipt_log_say(gw_cli *cli, const char *folder, const gw_note_key *key, gw_bytes note,
                                gw_bytes request, const gw_entry *charge, const gw_entry *release);
