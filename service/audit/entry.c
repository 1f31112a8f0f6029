// SPDX-License-Identifier: Apache-2.0
// The grammar of the log as a table: one row per line of each kind, read by the encoder and by the decoder, so that the
// two cannot drift apart.
#include "service/audit/entry_inner.h"
#include <stddef.h>
#include <string.h>

#define LINE(name, type, member)                                                                                       \
    name, sizeof(name) - 1, type, offsetof(gw_entry, member), sizeof(((gw_entry *)0)->member)
#define FIELD(name, type, member)                                                                                      \
    { LINE(name, type, member), NULL, false, 0 }
#define FIELD_WHEN(name, type, member, other)                                                                          \
    { LINE(name, type, member), NULL, true, offsetof(gw_entry, other) }
#define CHOICE(name, member, choices)                                                                                  \
    { LINE(name, GW_ENTRY_VALUE_WORD, member), choices, false, 0 }

static const gw_entry_line genesis_lines[] = {
    FIELD("origin", GW_ENTRY_VALUE_NAME, genesis.origin),
    FIELD("log-key", GW_ENTRY_VALUE_LINE, genesis.log_key),
    FIELD("witnesses", GW_ENTRY_VALUE_HASH, genesis.witnesses),
};
static const gw_entry_line principal_lines[] = {
    FIELD("principal", GW_ENTRY_VALUE_ID, principal.principal),
    CHOICE("action", principal.action, "add grant revoke"),
    FIELD("roles", GW_ENTRY_VALUE_ROLES, principal.roles),
};
static const gw_entry_line key_lines[] = {
    FIELD("principal", GW_ENTRY_VALUE_ID, key.principal),     CHOICE("action", key.action, "add revoke"),
    CHOICE("kind", key.key_kind, "sign token tls"),           FIELD("key", GW_ENTRY_VALUE_HEX, key.key),
    FIELD("not-before", GW_ENTRY_VALUE_TIME, key.not_before), FIELD("not-after", GW_ENTRY_VALUE_TIME, key.not_after),
};
static const gw_entry_line population_lines[] = {
    FIELD("population", GW_ENTRY_VALUE_NAME, population.population),
    FIELD("total", GW_ENTRY_VALUE_U64, population.total),
    FIELD("window-days", GW_ENTRY_VALUE_U64, population.window_days),
    FIELD("window-total", GW_ENTRY_VALUE_U64, population.window_total),
    FIELD_WHEN("accounting", GW_ENTRY_VALUE_ACCOUNTING, population.delta, population.delta),
    FIELD_WHEN("delta", GW_ENTRY_VALUE_U64, population.delta, population.delta),
    FIELD_WHEN("selection-delta", GW_ENTRY_VALUE_U64, population.selection_delta, population.selection_delta),
};
static const gw_entry_line policy_lines[] = {
    FIELD("dataset", GW_ENTRY_VALUE_NAME, policy.dataset),
    FIELD("population", GW_ENTRY_VALUE_NAME, policy.population),
    FIELD("version", GW_ENTRY_VALUE_U64, policy.version),
    FIELD("file", GW_ENTRY_VALUE_HASH, policy.file),
    FIELD("accounting", GW_ENTRY_VALUE_ACCOUNTING, policy.delta),
    FIELD("total", GW_ENTRY_VALUE_U64, policy.total),
    FIELD("principal-total", GW_ENTRY_VALUE_U64, policy.principal_total),
    FIELD("window-days", GW_ENTRY_VALUE_U64, policy.window_days),
    FIELD("window-total", GW_ENTRY_VALUE_U64, policy.window_total),
    FIELD("question-min", GW_ENTRY_VALUE_U64, policy.question_min),
    FIELD("question-max", GW_ENTRY_VALUE_U64, policy.question_max),
    FIELD("delta", GW_ENTRY_VALUE_U64, policy.delta),
    FIELD_WHEN("selection-delta", GW_ENTRY_VALUE_U64, policy.selection_delta, policy.selection_delta),
    FIELD("supersedes", GW_ENTRY_VALUE_SEQ, policy.supersedes),
};
static const gw_entry_line data_lines[] = {
    FIELD("dataset", GW_ENTRY_VALUE_NAME, data.dataset),
    FIELD("version", GW_ENTRY_VALUE_ID, data.version),
    FIELD("seal", GW_ENTRY_VALUE_HASH, data.seal),
};
static const gw_entry_line charge_lines[] = {
    FIELD("dataset", GW_ENTRY_VALUE_NAME, charge.dataset),
    FIELD("population", GW_ENTRY_VALUE_NAME, charge.population),
    FIELD("policy", GW_ENTRY_VALUE_U64, charge.policy),
    FIELD("data", GW_ENTRY_VALUE_ID, charge.data),
    FIELD("principal", GW_ENTRY_VALUE_ID, charge.principal),
    FIELD("idem", GW_ENTRY_VALUE_ID, charge.idem),
    FIELD("request", GW_ENTRY_VALUE_HASH, charge.request),
    FIELD("question", GW_ENTRY_VALUE_HASH, charge.question),
    FIELD("window", GW_ENTRY_VALUE_U64, charge.window),
    FIELD("cost", GW_ENTRY_VALUE_U64, charge.cost),
    FIELD("delta", GW_ENTRY_VALUE_U64, charge.delta),
    FIELD("spent-dataset", GW_ENTRY_VALUE_U64, charge.spent_dataset),
    FIELD("spent-population", GW_ENTRY_VALUE_U64, charge.spent_population),
    FIELD("spent-principal", GW_ENTRY_VALUE_U64, charge.spent_principal),
    FIELD("spent-window", GW_ENTRY_VALUE_U64, charge.spent_window),
    FIELD_WHEN("rho", GW_ENTRY_VALUE_U64, charge.rho, charge.rho),
    FIELD_WHEN("spent-rho-dataset", GW_ENTRY_VALUE_U64, charge.spent_rho_dataset, charge.rho),
    FIELD_WHEN("spent-rho-population", GW_ENTRY_VALUE_U64, charge.spent_rho_population, charge.rho),
    FIELD_WHEN("spent-delta-dataset", GW_ENTRY_VALUE_U64, charge.spent_delta_dataset, charge.delta),
    FIELD_WHEN("spent-delta-population", GW_ENTRY_VALUE_U64, charge.spent_delta_population, charge.delta),
};
static const gw_entry_line release_lines[] = {
    FIELD("charge", GW_ENTRY_VALUE_U64, release.charge),
    FIELD("release", GW_ENTRY_VALUE_NAME, release.release),
    FIELD("answer", GW_ENTRY_VALUE_HASH, release.answer),
    FIELD("visible", GW_ENTRY_VALUE_TIME, release.visible),
};
static const gw_entry_line abandon_lines[] = {
    FIELD("charge", GW_ENTRY_VALUE_U64, abandon.charge),
    FIELD("why", GW_ENTRY_VALUE_NAME, abandon.why),
};
static const gw_entry_line refusals_lines[] = {
    FIELD("principal", GW_ENTRY_VALUE_ID, refusals.principal),
    FIELD("from", GW_ENTRY_VALUE_TIME, refusals.from),
    FIELD("to", GW_ENTRY_VALUE_TIME, refusals.to),
    FIELD("counts", GW_ENTRY_VALUE_COUNTS, refusals.counts),
};
static const gw_entry_line incident_lines[] = {
    FIELD("code", GW_ENTRY_VALUE_NAME, incident.code),
};
static const gw_entry_line embargo_lines[] = {
    FIELD("release", GW_ENTRY_VALUE_NAME, embargo.release),
    FIELD("until", GW_ENTRY_VALUE_TIME, embargo.until),
};
static const gw_entry_line withdraw_lines[] = {
    FIELD("release", GW_ENTRY_VALUE_NAME, withdraw.release),
};
static const gw_entry_line witnesses_lines[] = {
    FIELD("file", GW_ENTRY_VALUE_HASH, witnesses.file),
};
static const gw_entry_line keyrot_lines[] = {
    FIELD("old", GW_ENTRY_VALUE_LINE, keyrot.old_key),
    FIELD("new", GW_ENTRY_VALUE_LINE, keyrot.new_key),
};
static const gw_entry_line restore_lines[] = {
    FIELD("from", GW_ENTRY_VALUE_U64, restore.from),
    FIELD("lost", GW_ENTRY_VALUE_U64, restore.lost),
};
static const gw_entry_line clock_lines[] = {
    FIELD("sure", GW_ENTRY_VALUE_TIME, clock.sure),
};

#define KIND(name, lines, has_signers)                                                                                 \
    { name, sizeof(name) - 1, lines, sizeof(lines) / sizeof((lines)[0]), has_signers }
const gw_entry_grammar gw_entry_grammars[GW_ENTRY_KINDS] = {
    [GW_ENTRY_GENESIS] = KIND("genesis", genesis_lines, false),
    [GW_ENTRY_PRINCIPAL] = KIND("principal", principal_lines, true),
    [GW_ENTRY_KEY] = KIND("key", key_lines, true),
    [GW_ENTRY_POPULATION] = KIND("population", population_lines, true),
    [GW_ENTRY_POLICY] = KIND("policy", policy_lines, true),
    [GW_ENTRY_DATA] = KIND("data", data_lines, true),
    [GW_ENTRY_CHARGE] = KIND("charge", charge_lines, false),
    [GW_ENTRY_RELEASE] = KIND("release", release_lines, false),
    [GW_ENTRY_ABANDON] = KIND("abandon", abandon_lines, false),
    [GW_ENTRY_REFUSALS] = KIND("refusals", refusals_lines, false),
    [GW_ENTRY_INCIDENT] = KIND("incident", incident_lines, false),
    [GW_ENTRY_EMBARGO] = KIND("embargo", embargo_lines, true),
    [GW_ENTRY_WITHDRAW] = KIND("withdraw", withdraw_lines, true),
    [GW_ENTRY_WITNESSES] = KIND("witnesses", witnesses_lines, true),
    [GW_ENTRY_KEYROT] = KIND("keyrot", keyrot_lines, true),
    [GW_ENTRY_RESTORE] = KIND("restore", restore_lines, true),
    [GW_ENTRY_CLOCK] = KIND("clock", clock_lines, true),
};

bool gw_entry_line_stands(const gw_entry *entry, const gw_entry_line *line) {
    return !line->is_optional || *(const uint64_t *)(const void *)((const char *)entry + line->when) != 0;
}

static const char *const role_names[] = {"researcher", "owner", "auditor", "operator", "gateway"};
#define ROLE_COUNT (sizeof(role_names) / sizeof(role_names[0]))
_Static_assert(GW_ROLE_GATEWAY == 1 << (ROLE_COUNT - 1), "bit i of the roles is role_names[i]");

const char *gw_entry_kind_name(gw_entry_kind kind) {
    return (size_t)kind < GW_ENTRY_KINDS ? gw_entry_grammars[kind].name : "unknown";
}

bool gw_entry_has_signers(gw_entry_kind kind) {
    return (size_t)kind < GW_ENTRY_KINDS && gw_entry_grammars[kind].has_signers;
}

unsigned gw_roles_parse(const char *list) {
    unsigned roles = 0;
    for (;;) {
        size_t size = strcspn(list, ",");
        unsigned role = 0;
        for (unsigned i = 0; i < ROLE_COUNT; i++)
            if (strlen(role_names[i]) == size && memcmp(role_names[i], list, size) == 0)
                role = 1u << i;
        if (role == 0)
            return 0;
        roles |= role;
        if (list[size] == '\0')
            return roles;
        list += size + 1;
    }
}

void gw_roles_format(unsigned roles, char text[80]) {
    text[0] = '\0';
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        if ((roles & 1u << i) == 0)
            continue;
        if (text[0] != '\0')
            strcat(text, ",");
        strcat(text, role_names[i]); // all five and their commas are 42 bytes
    }
    if (text[0] == '\0')
        strcpy(text, "none");
}
