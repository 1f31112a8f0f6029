// SPDX-License-Identifier: Apache-2.0
// What may stand next on a command line, for the shells' completion: made from the commands' own tables, and names of
// datasets, indicators, concepts and codes from the service, quietly and within a second.
// Thread safety: one thread.   Depends on: client/cli/cli.h.
#pragma once
#include "client/cli/cli.h"

#define GW_COMPLETE_FILES ":files" // the only line where a file's name is expected

// argv: the words behind "godwit", the last being the one that is typed (maybe ""). One candidate a line: the whole
// word, and behind a tab what it is. Without a service there are no names, and nothing is said about it.
void gw_complete(gw_cli *cli, int argc, char *const *argv, gw_buffer *ret_lines);
