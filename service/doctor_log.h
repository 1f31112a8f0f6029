// SPDX-License-Identifier: Apache-2.0
// What doctor says of the published log and of who stands behind it: the signer's newest tree, the published
// checkpoint, and the witnesses that cosigned it, all against the ledger. Changes nothing.
// Thread safety: one thread.   Depends on: config.h, doctor_report.h, signer/{signer,client}.h, audit/tlog_policy.h.
#pragma once
#include "service/audit/note.h"
#include "service/config.h"
#include "service/doctor_report.h"
#include "service/store/store.h"

// As it was found, before mark and ledger were read: a daemon at work goes ledger, mark, signer, published files, and
// who reads the other way round sees none of them ahead of the one before it.
typedef struct {
    gw_buffer note; // as published
    gw_status note_status;
    gw_problem note_problem;
    bool is_signer_asked; // a signer of its own serves one at a time: not while a daemon has it
    gw_checkpoint newest;
    gw_status signer_status;
    gw_problem signer_problem;
} gw_doctor_log;

void gw_doctor_log_read(const gw_config *config, bool has_daemon, gw_doctor_log *ret);
void gw_doctor_log_done(gw_doctor_log *log);

typedef struct {
    gw_store_reader *reader;
    uint64_t size;      // entries that it sees
    bool is_marked;     // the mark could be read
    uint64_t mark_size; // where it stands
} gw_doctor_ledger;

bool gw_doctor_ledger_has(const gw_doctor_ledger *ledger, uint64_t size, gw_hash root); // is this its beginning?
void gw_doctor_log_check(const gw_config *config, const gw_doctor_log *log, const gw_doctor_ledger *ledger,
                         gw_doctor_report *report);
