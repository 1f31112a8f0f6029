// SPDX-License-Identifier: Apache-2.0
// A sentence per kind of entry. What is short stands in lists, so each says the one thing that a reader looks for.
#include "client/cli/entry_words.h"
#include "client/cli/wording.h"
#include "privacy/accounting/delta.h"
#include "service/base/check.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef unsigned long long wide; // for printf

void gw_micro_format(uint64_t micro, char text[GW_EPSILON_TEXT]) {
    gw_epsilon_format((gw_epsilon){micro}, text);
}

void gw_stamp_format(int64_t unix_seconds, char text[GW_STAMP_TEXT]) {
    struct tm parts;
    time_t seconds = (time_t)unix_seconds;
    text[0] = '\0';
    if (unix_seconds != 0 && gmtime_r(&seconds, &parts) != NULL)
        gw_ignore(strftime(text, GW_STAMP_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts)); // it fits, or stays empty
}

void gw_amount_say(gw_buffer *text, const char *before, uint64_t micro) {
    char amount[GW_AMOUNT_TEXT];
    gw_amount_format((gw_epsilon){micro}, amount);
    gw_buffer_format(text, "%s%s", before, amount);
}

static void delta_say(gw_buffer *text, const char *before, uint64_t atto) {
    char delta[GW_DELTA_TEXT];
    gw_delta_format((gw_delta){atto}, delta);
    gw_buffer_format(text, "%s%s", before, delta);
}

void gw_signers_say(const gw_signers *by, gw_buffer *text) {
    for (size_t i = 0; i < by->count; i++)
        gw_buffer_format(text, "%s%.8s…", i == 0 ? "" : " ", by->ids[i]);
}

static void window_say(gw_buffer *text, uint64_t days, uint64_t total) {
    if (days == 0)
        return;
    gw_amount_say(text, ", ", total);
    gw_buffer_format(text, " in %llu days", (wide)days);
}

static void deltas_say(gw_buffer *text, uint64_t delta, uint64_t selection) {
    if (delta != 0)
        delta_say(text, ", delta ", delta);
    if (selection != 0)
        delta_say(text, ", selection delta ", selection);
}

void gw_policy_limits_say(const gw_entry *policy, gw_buffer *text) {
    gw_amount_say(text, "total ", policy->policy.total);
    if (policy->policy.principal_total != 0) {
        gw_amount_say(text, ", ", policy->policy.principal_total);
        gw_buffer_text(text, " for each principal");
    }
    window_say(text, policy->policy.window_days, policy->policy.window_total);
    if (policy->policy.question_max != 0) {
        gw_amount_say(text, ", a question ", policy->policy.question_min);
        gw_amount_say(text, " to ", policy->policy.question_max);
    }
    deltas_say(text, policy->policy.delta, policy->policy.selection_delta);
}

void gw_population_limits_say(const gw_entry *population, gw_buffer *text) {
    gw_amount_say(text, "total ", population->population.total);
    window_say(text, population->population.window_days, population->population.window_total);
    deltas_say(text, population->population.delta, population->population.selection_delta);
}

static void principal_say(const gw_entry *entry, gw_buffer *text) {
    char roles[80];
    gw_roles_format(entry->principal.roles, roles);
    if (strcmp(entry->principal.action, "revoke") == 0)
        gw_buffer_format(text, "%.8s… may do nothing any more", entry->principal.principal);
    else
        gw_buffer_format(text, "%.8s… %s: %s", entry->principal.principal,
                         strcmp(entry->principal.action, "add") == 0 ? "is added" : "is from here on", roles);
}

static void key_say(const gw_entry *entry, gw_buffer *text) {
    gw_buffer_format(text, "%s key %.8s… of %.8s… is %s", entry->key.key_kind, entry->key.key, entry->key.principal,
                     strcmp(entry->key.action, "add") == 0 ? "added" : "revoked");
}

static void charge_say(const gw_entry *entry, gw_buffer *text) {
    gw_buffer_format(text, "%s by %.8s…", entry->charge.dataset, entry->charge.principal);
    gw_amount_say(text, " pays ", entry->charge.cost);
    if (entry->charge.delta != 0)
        delta_say(text, " and delta ", entry->charge.delta);
    gw_amount_say(text, "; spent: dataset ", entry->charge.spent_dataset);
    gw_amount_say(text, ", population ", entry->charge.spent_population);
    gw_amount_say(text, ", own ", entry->charge.spent_principal);
}

// A verifier key by its name and its id; the whole of it is a line by itself, to be copied.
static void key_change_words(const char *vkey, gw_buffer *text) {
    size_t size = strcspn(vkey, "+");
    if (vkey[size] == '+')
        size += 1 + strcspn(vkey + size + 1, "+");
    gw_buffer_format(text, "the log's key changes to %.*s…", (int)size, vkey);
}

void gw_entry_say(const gw_entry *entry, gw_buffer *text) {
    char until[GW_TIME_TEXT], hash[GW_HASH_HEX];
    switch (entry->kind) {
    case GW_ENTRY_GENESIS:
        gw_buffer_format(text, "the log of %s begins", entry->genesis.origin);
        return;
    case GW_ENTRY_PRINCIPAL:
        principal_say(entry, text);
        return;
    case GW_ENTRY_KEY:
        key_say(entry, text);
        return;
    case GW_ENTRY_POPULATION:
        gw_buffer_format(text, "%s: ", entry->population.population);
        gw_population_limits_say(entry, text);
        return;
    case GW_ENTRY_POLICY:
        gw_buffer_format(text, "%s version %llu: ", entry->policy.dataset, (wide)entry->policy.version);
        gw_policy_limits_say(entry, text);
        return;
    case GW_ENTRY_DATA:
        gw_buffer_format(text, "%s has data version %.8s…", entry->data.dataset, entry->data.version);
        return;
    case GW_ENTRY_CHARGE:
        charge_say(entry, text);
        return;
    case GW_ENTRY_RELEASE:
        gw_buffer_format(text, "%s answers charge %llu", entry->release.release, (wide)entry->release.charge);
        return;
    case GW_ENTRY_ABANDON:
        gw_buffer_format(text, "charge %llu has no answer: %s", (wide)entry->abandon.charge, entry->abandon.why);
        return;
    case GW_ENTRY_REFUSALS:
        gw_buffer_format(text, "%.8s… was refused: %s", entry->refusals.principal, entry->refusals.counts);
        return;
    case GW_ENTRY_INCIDENT:
        gw_buffer_text(text, entry->incident.code);
        return;
    case GW_ENTRY_EMBARGO:
        gw_time_format(entry->embargo.until, until);
        gw_buffer_format(text, "%s is kept back until %s", entry->embargo.release, until);
        return;
    case GW_ENTRY_WITHDRAW:
        gw_buffer_format(text, "%s is withdrawn", entry->withdraw.release);
        return;
    case GW_ENTRY_WITNESSES:
        gw_hex((gw_bytes){.data = entry->witnesses.file.bytes, .size = GW_HASH_SIZE}, hash);
        gw_buffer_format(text, "witnesses by the quorum file %.8s…", hash);
        return;
    case GW_ENTRY_KEYROT:
        key_change_words(entry->keyrot.new_key, text);
        return;
    case GW_ENTRY_RESTORE:
        gw_buffer_format(text, "restored with %llu entries; %llu lost, counted as spent", (wide)entry->restore.from,
                         (wide)entry->restore.lost);
        return;
    case GW_ENTRY_CLOCK:
        gw_time_format(entry->clock.sure, until);
        gw_buffer_format(text, "this time is confirmed; the service was sure of %s", until);
        return;
    }
}
