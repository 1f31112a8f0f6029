// SPDX-License-Identifier: Apache-2.0
// A purchase: a question whose price is agreed to, its answer shown, and answer, receipt and request kept and checked.
// Thread safety: one thread.   Depends on: client/cli/{names,asked}.h, wire/answer.h.
#pragma once
#include "client/cli/names.h"
#include "service/wire/answer.h"
#include "service/wire/question.h"

// Where what was paid for is kept, and how the price is agreed to.
typedef struct {
    const char *max_cost, *receipt, *answer, *request, *save, *idem;
    bool yes, no_save;
} gw_purchase_options;
#define GW_PURCHASE_OPTIONS(type, field)                                                                               \
    {"max-cost", 0, GW_OPTION_TEXT, offsetof(type, field.max_cost), "E", "pay at most this much, in all"},             \
        {"yes", 'y', GW_OPTION_FLAG, offsetof(type, field.yes), NULL, "pay what it costs, without asking"},            \
        {"save",         0,                                                                                            \
         GW_OPTION_TEXT, offsetof(type, field.save),                                                                   \
         "DIR",          "where answer, receipt and request are kept (here)"},                                         \
        {"no-save", 0, GW_OPTION_FLAG, offsetof(type, field.no_save), NULL, "keep no files"},                          \
        {"answer", 0, GW_OPTION_TEXT, offsetof(type, field.answer), "FILE", "keep the answer in this file"},           \
        {"receipt", 0, GW_OPTION_TEXT, offsetof(type, field.receipt), "FILE", "keep the receipt in this file"},        \
        {"request", 0, GW_OPTION_TEXT, offsetof(type, field.request), "FILE", "keep the signed request in this file"}, \
    {                                                                                                                  \
        "idem", 0, GW_OPTION_TEXT, offsetof(type, field.idem), "HEX",                                                  \
            "the request id, 32 hex digits: the same id is never charged twice"                                        \
    }

typedef struct {
    gw_cli *cli;
    const gw_purchase_options *options;
    gw_session *session;
    const gw_names *names;       // NULL where no labels and no short name are needed
    const gw_json_node *dataset; // in names; or NULL
    gw_question question;        // with its price
    const char *quote;           // asked by this id instead of in full; or NULL
    uint32_t level_ppm;          // of the ranges shown; 0: as they were sealed
} gw_purchase;

// Before anything is asked: the options make sense, and what is to be kept can be kept. Code: option_value.
GW_MUST_CHECK gw_status gw_purchase_check(const gw_purchase_options *options, gw_problem *ret_problem);
// A yes for `cost`, the price as the service stated it (of one question, or of a basket): from --yes, --max-cost or the
// terminal. Refused before the question is put where a budget is too small. Codes: budget_…, max_cost, option_missing,
// cancelled.
GW_MUST_CHECK gw_status gw_purchase_agree(gw_cli *cli, const gw_purchase_options *options, const char *command,
                                          const gw_json_node *cost, const char *mend, gw_problem *ret_problem);
// Asks, shows the answer, keeps and checks the files, says what is left. The answer is shown before anything that a
// full disk could spoil.
GW_MUST_CHECK gw_status gw_purchase_make(const gw_purchase *purchase, gw_problem *ret_problem);
