// SPDX-License-Identifier: Apache-2.0
// Everything a state folder needs to answer, opened in order and closed in reverse: engine children first (before any
// thread), then ledger, publisher, queries and, when serving, the bus.
// Thread safety: open and close from one thread.   Depends on: every room of the service.
#pragma once
#include "service/admin/changes.h"
#include "service/config.h"

typedef struct gw_service gw_service;

typedef struct {
    bool is_serving;      // with engine and bus; otherwise for one local change on a stopped service
    bool asks_no_witness; // for who only writes public files anew, also such as a witness has yet to look at
    const char *engine_program;
} gw_service_options;

// Codes beside those of the parts: locked (another daemon), rolled_back (exit 78), data_tampered.
GW_MUST_CHECK gw_status gw_service_open(const gw_config *config, const gw_service_options *options, gw_service **ret,
                                        gw_problem *ret_problem);
void gw_service_close(gw_service *service); // drains; accepts NULL
// Looks after what runs beside the requests: publishes, and says when it cannot. Call it a few times a second.
void gw_service_tick(gw_service *service);
// GW_OK while it may answer. GW_CORRUPT, code rolled_back (exit 78): its log was proven to be set back, by what a
// client holds, or by a witness that has seen more of it than there is.
GW_MUST_CHECK gw_status gw_service_check(gw_service *service, gw_problem *ret_problem);
// Takes from `changed` what may change while running, and logs each setting that waits for a restart. Reads the
// indicators again. On failure nothing has changed, but for the engine's limits where memory ran out behind them.
// Codes: those of indicators, engine_missing, no_memory.
GW_MUST_CHECK gw_status gw_service_reload(gw_service *service, const gw_config *changed, gw_problem *ret_problem);
// The address of a listener as bound.
const char *gw_service_url(const gw_service *service, size_t index);
uint64_t gw_service_answered(gw_service *service); // requests answered since it was opened
// Handles one message on the calling thread (local changes).
void gw_service_handle(gw_service *service, gw_bytes request, gw_buffer *reply);
// Who signs the log of this state folder, for gw_ledger_open.
GW_MUST_CHECK gw_status gw_service_signer(const gw_config *config, gw_tree_signer *ret, gw_problem *ret_problem);
// The secret under which data files are sealed: a signature that only the seal key can make.
GW_MUST_CHECK gw_status gw_service_seal_secret(const gw_config *config, gw_signature *ret, gw_problem *ret_problem);
// The path of a key of the state folder: "log", "mark", "reply", "seal".
void gw_service_key_path(const gw_config *config, const char *name, char *ret_path, size_t size);
