// SPDX-License-Identifier: Apache-2.0
// `godwitd serve`: the daemon's life from its checks to its drain, with reloads in between; and `godwitd reload`, which
// checks the new settings and asks the running daemon to take them.
// Thread safety: the main thread.   Depends on: service.h, notify.h, watchdog.h.
#pragma once

int gw_serve_command(int argc, char **argv);
int gw_reload_command(int argc, char **argv);
extern const char gw_serve_help[], gw_reload_help[];
