// SPDX-License-Identifier: Apache-2.0
// The newest signed checkpoint of the log that a profile has seen, beside the profile as <profile>.seen: what is sent
// along with every request, and what every receipt must extend. The file never goes back. Where the service's log went
// back, <profile>.rolled_back keeps the note that shows it and <profile>.rolled_back.seen the one it contradicts: the
// two are the proof, and need nobody's word.
// Thread safety: as gw_client.   Depends on: client.h, service/audit/{merkle,note}.h.
#pragma once
#include "client/lib/client.h"
#include "service/audit/note.h"

typedef struct {
    const gw_profile *profile; // borrowed
    gw_note_key log_key;
    bool is_known;
    gw_checkpoint checkpoint; // where is_known
    gw_buffer note;           // its signed note
} gw_seen;

// The key under which what was kept, a checkpoint's note, is to be believed: log_key_before where that one has signed
// it and log_key has not, else log_key.
GW_MUST_CHECK gw_status gw_seen_key_of(const gw_profile *profile, gw_bytes note, gw_note_key *ret,
                                       gw_problem *ret_problem);
// Codes: bad_seen, those of files.
GW_MUST_CHECK gw_status gw_seen_open(gw_seen *seen, const gw_profile *profile, const gw_note_key *log_key,
                                     gw_problem *ret_problem);
void gw_seen_close(gw_seen *seen);
// A receipt's note: of this log, no smaller than what was seen, of one history with it by the proof in the account, and
// then remembered. Codes: bad_checkpoint, rolled_back.
GW_MUST_CHECK gw_status gw_seen_check(gw_seen *seen, gw_bytes note, gw_bytes account, gw_problem *ret_problem);
// The service knows less than what was seen. `note`: its own newest one, where it gave any; it is kept where it is of
// this log. Returns GW_CORRUPT, code rolled_back.
gw_status gw_seen_contradicted(gw_seen *seen, gw_bytes note, gw_problem *ret_problem);
