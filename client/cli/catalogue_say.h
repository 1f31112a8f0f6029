// SPDX-License-Identifier: Apache-2.0
// What can be asked, as grids: indicators, tables, and concepts with their codes; and what of it a search finds.
// Thread safety: one thread.   Depends on: client/cli/names.h.
#pragma once
#include "client/cli/names.h"

// A filter of what is shown; zeroed: everything.
typedef struct {
    const char *search;  // in ids, titles, labels, definitions and codes, whatever the case; or NULL
    const char *concept; // only what knows this concept; or NULL
} gw_find;

bool gw_find_dataset(const gw_find *find, const gw_names *names, const gw_json_node *dataset);
bool gw_find_indicator(const gw_find *find, const gw_json_node *indicator);
bool gw_find_concept(const gw_find *find, const gw_json_node *concept);

// Those of one dataset, or all that some dataset can answer (NULL), with its name. The number of rows in `ret_rows`.
gw_exit_code gw_say_indicators(gw_cli *cli, const gw_names *names, const gw_json_node *dataset, const gw_find *find,
                               size_t *ret_rows);
gw_exit_code gw_say_concepts(gw_cli *cli, const gw_json_node *dataset, const gw_find *find, size_t *ret_rows);
// Tables with rows of a person, how many of them count, and their concepts; nothing where the service tells none.
gw_exit_code gw_say_tables(gw_cli *cli, const gw_json_node *dataset);
void gw_say_terms(gw_cli *cli, const gw_json_node *dataset); // the budget's terms
// Code: unknown_concept, with "Did you mean". `dataset` NULL: of any dataset.
GW_MUST_CHECK gw_status gw_find_check(const gw_find *find, const gw_names *names, const gw_json_node *dataset,
                                      gw_problem *ret_problem);
