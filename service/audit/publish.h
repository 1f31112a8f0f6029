// SPDX-License-Identifier: Apache-2.0
// The log as public files: tiles and entry bundles first, then the checkpoint that covers them, by rename. A crash in
// between leaves the older checkpoint with every file it needs. Canonical questions lie beside (question_files.h). Only
// what a signed checkpoint covers is written. Behind the ledger, never in its way: notify copies and returns.
// Thread safety: any call from any thread; one writer thread inside.   Depends on: store/store.h, audit/{note,tile}.
#pragma once
#include "service/audit/note.h"
#include "service/store/store.h"

typedef struct gw_publisher gw_publisher;

// `questions_folder` NULL: question texts are not published. Files that are missing are written with the first
// checkpoint.
GW_MUST_CHECK gw_status gw_publisher_open(const char *database, const char *log_folder, const char *questions_folder,
                                          gw_publisher **ret, gw_problem *ret_problem);
// The newest signed checkpoint; older ones that were not yet written are skipped.
void gw_publisher_notify(gw_publisher *publisher, const gw_checkpoint *checkpoint, gw_bytes note);
// How the last publication went: GW_OK, or why it could not be written. The next one tries everything again.
GW_MUST_CHECK gw_status gw_publisher_state(gw_publisher *publisher, uint64_t *ret_size, gw_problem *ret_problem);
// Writes what was notified last, synced, then ends. Accepts NULL.
void gw_publisher_close(gw_publisher *publisher);
// Writes every file of the note's tree anew from the ledger, whatever stands there, through a reader of its own: a
// daemon may be at work, as long as it does not publish into the same folders. `questions_folder` may be NULL. Code:
// publish_other (GW_CORRUPT: the ledger has no such tree).
GW_MUST_CHECK gw_status gw_publish_anew(const char *database, const char *log_folder, const char *questions_folder,
                                        gw_bytes note, gw_problem *ret_problem);
