// SPDX-License-Identifier: Apache-2.0
// godwitd keyrot: another key for the log, beside a running daemon or without one.
// Thread safety: main thread only.   Depends on: local.h.
#pragma once

extern const char gw_keyrot_help[];
int gw_keyrot_command(int argc, char **argv);
