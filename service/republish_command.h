// SPDX-License-Identifier: Apache-2.0
// `godwitd republish`: the public files once more, byte for byte, from the ledger.
// Thread safety: one thread.   Depends on: audit/publish.h, service.h.
#pragma once

int gw_republish_command(int argc, char **argv);
extern const char gw_republish_help[];
