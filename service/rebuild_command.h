// SPDX-License-Identifier: Apache-2.0
// `godwitd rebuild`: a ledger's database from a published log, for whoever wants to look into it with SQL.
// Thread safety: one thread.   Depends on: recovery/rebuild.h.
#pragma once

int gw_rebuild_command(int argc, char **argv);
extern const char gw_rebuild_help[];
