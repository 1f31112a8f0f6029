// SPDX-License-Identifier: Apache-2.0
// A price as the service told it, in words: what it takes from which budget, the error to expect, what else could be
// asked, and the quote it can be asked by.
// Thread safety: one thread.   Depends on: client/cli/{cli,names}.h, wire/json.h.
#pragma once
#include "client/cli/names.h"

// The fields of one priced question. `dataset` is its object in the catalogue, for labels; or NULL.
void gw_price_say(gw_cli *cli, const gw_json_node *cost, const gw_json_node *dataset);
// A basket as a table of its questions, its total, and what is left of each budget. In formats for programs, the rows.
gw_exit_code gw_price_basket_say(gw_cli *cli, const gw_json_node *basket);
// One row for programs.
gw_exit_code gw_price_row_say(gw_cli *cli, const gw_json_node *cost);
// Which balance of a price (or of a basket) is too small for what would be taken from it; NULL where none is.
const gw_json_node *gw_price_short(const gw_json_node *cost);
// Where the question names neither a price nor an error: a usual price, 0.05, within what one question may cost. False
// where it names one.
bool gw_price_usual(const gw_json_node *dataset, gw_question *question);
// "yours", or the budget's own name.
const char *gw_price_budget_word(const char *budget);
