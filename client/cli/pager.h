// SPDX-License-Identifier: Apache-2.0
// Paging: what a command says on a terminal is held back, and where it is longer than the screen it goes through the
// reader's pager: $GODWIT_PAGER, $PAGER, or "less -FRX"; a line for the shell, as elsewhere. Held-back text is shown at
// once when something is said on stderr, so that nothing changes places.
// Thread safety: one thread.   Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"

// Nothing where stdout is no terminal, the format is for programs, or no pager is wanted (--no-pager; an empty name, or
// "cat"; the default one on a dumb terminal).
void gw_pager_begin(gw_cli *cli);
// Shows what was held back, and waits until the reader has seen enough. A pager that can't be started is done without;
// one that is left early is no failure. Nothing where nothing is held back.
void gw_pager_end(gw_cli *cli);
// The same before something else is said: holding back goes on while nothing was said yet.
void gw_pager_flush(gw_cli *cli);
