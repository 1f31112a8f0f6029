// SPDX-License-Identifier: Apache-2.0
// Other programs of the house: found beside this one, else on the PATH; run in place of this process or as a child.
// Thread safety: one thread.   Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"
#include <sys/types.h>

// The path of `name` beside the running program, or `name` itself where it isn't there (the PATH decides then).
void gw_program_find(const char *name, char path[4096]);
// The folder with samples, code lists and indicators: `named`, else $GODWIT_SHARE, else ../share/godwit beside this
// program. False where it isn't there.
bool gw_program_share(const char *named, char path[4096]);
// Never returns when it works.
gw_exit_code gw_program_become(gw_cli *cli, const char *name, char *const argv[]);
typedef struct {
    int out;          // takes the child's stdout and stderr; -1: this process's own
    bool is_detached; // a session of its own and no stdin: it outlives this program and its terminal
} gw_program_streams;
// A child with default signals. -1 with errno where it can't start.
pid_t gw_program_start(const char *name, char *const argv[], gw_program_streams streams);
int gw_program_exit_code(int wait_status); // 128 + signal where one ended it
