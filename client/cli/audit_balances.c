// SPDX-License-Identifier: Apache-2.0
// Balances in an order that reads: datasets, who asked them, populations, windows.
#include "client/cli/audit_balances.h"
#include "client/cli/entry_words.h"
#include "client/cli/say_grid.h"
#include "client/cli/wording.h"
#include "privacy/accounting/delta.h"
#include "privacy/accounting/zcdp.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/json.h"
#include <stdlib.h>
#include <string.h>

#define RHO_TEXT 32
#define RHO_PLACES 1000000u
#define TABLE_ROWS_MAX 40u // of principals and windows each; programs get all

typedef unsigned long long wide; // for printf
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    gw_audit_balance *items;
    size_t count;
} balance_list;

static const char *const kinds[] = {"dataset", "principal", "population", "window"};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static int place_of(const gw_audit_balance *balance) {
    for (int i = 0; i < (int)KIND_COUNT; i++)
        if (strcmp(balance->kind, kinds[i]) == 0)
            return i;
    return (int)KIND_COUNT;
}

static int balance_compare(const void *a, const void *b) {
    const gw_audit_balance *first = a, *second = b;
    int order = place_of(first) - place_of(second);
    order = order != 0 ? order : strcmp(first->id, second->id);
    if (order == 0 && first->spent != second->spent && place_of(first) == 1)
        return first->spent > second->spent ? -1 : 1; // who asked most stands first
    order = order != 0 ? order : strcmp(first->principal, second->principal);
    return order != 0 ? order : (first->window > second->window) - (first->window < second->window);
}

static balance_list balances_of(const gw_audit_state *state) {
    balance_list list = {.count = gw_audit_balances(state, NULL, 0)};
    list.items = calloc(list.count == 0 ? 1 : list.count, sizeof(*list.items));
    GW_ASSERT(list.items != NULL);
    gw_ignore(gw_audit_balances(state, list.items, list.count)); // as many as there are
    qsort(list.items, list.count, sizeof(*list.items), balance_compare);
    return list;
}

// Rho is counted in units of 2^-40; what is spent is shown rounded up, what is granted rounded down.
static void rho_format(uint64_t rho, bool is_up, char text[RHO_TEXT]) {
    uint64_t part = rho % GW_RHO_ONE * RHO_PLACES; // below 2^60
    uint64_t places = rho / GW_RHO_ONE * RHO_PLACES + part / GW_RHO_ONE + (is_up && part % GW_RHO_ONE != 0);
    gw_micro_format(places, text);
}

typedef struct {
    char total[GW_AMOUNT_TEXT], spent[GW_AMOUNT_TEXT], charges[24], window[24], who[GW_ID_HEX];
    char restored[GW_AMOUNT_TEXT]; // "" where it is 0
    char delta[GW_DELTA_TEXT], rho[RHO_TEXT], rho_total[RHO_TEXT], selection[GW_DELTA_TEXT],
        selection_total[GW_DELTA_TEXT];
} balance_texts;

static void texts_make(const gw_audit_balance *balance, bool is_for_people, balance_texts *ret) {
    *ret = (balance_texts){.who = ""};
    if (is_for_people) {
        gw_amount_format((gw_epsilon){balance->total}, ret->total);
        gw_amount_format((gw_epsilon){balance->spent}, ret->spent);
    } else {
        gw_micro_format(balance->total, ret->total);
        gw_micro_format(balance->spent, ret->spent);
    }
    gw_ignore(snprintf(ret->charges, sizeof(ret->charges), "%llu", (wide)balance->charges)); // it fits
    if (strcmp(balance->kind, "window") == 0)
        gw_ignore(snprintf(ret->window, sizeof(ret->window), "%llu", (wide)balance->window)); // it fits
    if (balance->restored != 0 && is_for_people)
        gw_amount_format((gw_epsilon){balance->restored}, ret->restored);
    else if (balance->restored != 0)
        gw_micro_format(balance->restored, ret->restored);
    if (balance->principal != NULL)
        gw_id_format(balance->principal, is_for_people, ret->who);
    if (balance->delta != 0) {
        gw_delta_format((gw_delta){balance->delta}, ret->delta);
        rho_format(balance->rho, true, ret->rho);
        rho_format(balance->rho_total, false, ret->rho_total);
    }
    if (balance->selection_total != 0 || balance->selection != 0) {
        gw_delta_format((gw_delta){balance->selection}, ret->selection);
        gw_delta_format((gw_delta){balance->selection_total}, ret->selection_total);
    }
}

static gw_exit_code rows_say(gw_cli *cli, const balance_list *list) {
    static const gw_grid_column columns[] = {{"budget", "BUDGET OF", GW_ALIGN_LEFT, false},
                                             {"id", "", GW_ALIGN_LEFT, true},
                                             {"principal", "ASKED BY", GW_ALIGN_LEFT, true},
                                             {"spent", "SPENT", GW_ALIGN_RIGHT, false},
                                             {"total", "TOTAL", GW_ALIGN_RIGHT, false},
                                             {"charges", "CHARGES", GW_ALIGN_RIGHT, false},
                                             {"delta", "DELTA", GW_ALIGN_RIGHT, false},
                                             {"window", "WINDOW", GW_ALIGN_RIGHT, false},
                                             {"rho", "RHO", GW_ALIGN_RIGHT, false},
                                             {"rho_total", "RHO TOTAL", GW_ALIGN_RIGHT, false},
                                             {"selection_delta", "SELECTION", GW_ALIGN_RIGHT, false},
                                             {"selection_delta_total", "SELECTION TOTAL", GW_ALIGN_RIGHT, false},
                                             {"restored", "RESTORED", GW_ALIGN_RIGHT, false}};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, sizeof(columns) / sizeof(columns[0]));
    GW_ASSERT(grid != NULL);
    for (size_t i = 0; i < list->count; i++) {
        const gw_audit_balance *balance = &list->items[i];
        balance_texts texts;
        texts_make(balance, false, &texts);
        gw_grid_add(grid, (const char *[]){balance->kind, balance->id, texts.who, texts.spent,
                                           balance->total == 0 ? "" : texts.total, texts.charges, texts.delta,
                                           texts.window, texts.rho, texts.rho_total, texts.selection,
                                           texts.selection_total, texts.restored});
    }
    return gw_say_grid(cli, grid);
}

static gw_exit_code table_say(gw_cli *cli, const balance_list *list) {
    static const gw_grid_column columns[] = {
        {"budget", "BUDGET OF", GW_ALIGN_LEFT, false},  {"id", "", GW_ALIGN_LEFT, true},
        {"principal", "ASKED BY", GW_ALIGN_LEFT, true}, {"spent", "SPENT", GW_ALIGN_RIGHT, false},
        {"total", "TOTAL", GW_ALIGN_RIGHT, false},      {"charges", "CHARGES", GW_ALIGN_RIGHT, false}};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, sizeof(columns) / sizeof(columns[0]));
    size_t shown[KIND_COUNT + 1] = {0}, left_out = 0;
    GW_ASSERT(grid != NULL);
    for (size_t i = 0; i < list->count; i++) {
        const gw_audit_balance *balance = &list->items[i];
        balance_texts texts;
        if (shown[place_of(balance)]++ >= TABLE_ROWS_MAX) {
            left_out++;
            continue;
        }
        texts_make(balance, true, &texts);
        gw_grid_add(grid, (const char *[]){balance->kind, balance->id, texts.who, texts.spent,
                                           balance->total == 0 ? "-" : texts.total, texts.charges});
    }
    gw_say(cli, "\nWho spent what\n");
    gw_exit_code code = gw_say_grid(cli, grid);
    if (left_out > 0)
        gw_say(cli, "  and %zu more: godwit audit verify -o csv\n", left_out);
    return code;
}

gw_exit_code gw_audit_balances_say(gw_cli *cli, const gw_audit_state *state) {
    balance_list list = balances_of(state);
    gw_exit_code code = cli->output == GW_OUTPUT_TABLE ? table_say(cli, &list) : rows_say(cli, &list);
    free(list.items);
    return code;
}

void gw_audit_deltas_say(gw_cli *cli, const gw_audit_state *state) {
    balance_list list = balances_of(state);
    for (size_t i = 0; i < list.count; i++) {
        const gw_audit_balance *balance = &list.items[i];
        balance_texts texts;
        texts_make(balance, true, &texts);
        if (balance->restored != 0 && (place_of(balance) == 0 || place_of(balance) == 2))
            gw_say_lines(cli, "  %s %s: %s of what is spent was counted by a restore, for entries that are gone.",
                         balance->kind, balance->id, texts.restored);
        if (balance->delta != 0)
            gw_say_lines(cli,
                         "  %s %s also counts rho: %s of the %s that %s and a delta of %s allow. It is passed only "
                         "where both are.",
                         balance->kind, balance->id, texts.rho, texts.rho_total, texts.total, texts.delta);
        if (balance->selection_total != 0)
            gw_say_lines(cli, "  %s %s: questions that select unknown keys used a delta of %s of %s.", balance->kind,
                         balance->id, texts.selection, texts.selection_total);
    }
    free(list.items);
}

void gw_audit_balances_json(const gw_audit_state *state, gw_buffer *json) {
    balance_list list = balances_of(state);
    gw_buffer_text(json, "[");
    for (size_t i = 0; i < list.count; i++) {
        const gw_audit_balance *balance = &list.items[i];
        balance_texts texts;
        texts_make(balance, false, &texts);
        gw_buffer_text(json, i == 0 ? "{" : ",{");
        gw_json_write_member(json, "budget", balance->kind);
        gw_json_write_member(json, "id", balance->id);
        if (texts.who[0] != '\0')
            gw_json_write_member(json, "principal", texts.who);
        if (texts.window[0] != '\0')
            gw_json_write_integer(json, "window", (int64_t)balance->window);
        gw_json_write_member(json, "spent", texts.spent);
        gw_json_write_member(json, "total", balance->total == 0 ? NULL : texts.total);
        gw_json_write_integer(json, "charges", (int64_t)balance->charges);
        if (texts.restored[0] != '\0')
            gw_json_write_member(json, "restored", texts.restored);
        if (balance->delta != 0) {
            gw_json_write_member(json, "delta", texts.delta);
            gw_json_write_member(json, "rho", texts.rho);
            gw_json_write_member(json, "rho_total", texts.rho_total);
        }
        if (texts.selection_total[0] != '\0') {
            gw_json_write_member(json, "selection_delta", texts.selection);
            gw_json_write_member(json, "selection_delta_total", texts.selection_total);
        }
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
    free(list.items);
}
