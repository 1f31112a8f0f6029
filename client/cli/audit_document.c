// SPDX-License-Identifier: Apache-2.0
// A member for each part of the page, in its order.
#include "client/cli/audit_document.h"
#include "client/cli/entry_rows.h"
#include "client/cli/entry_words.h"
#include "service/wire/json.h"
#include <stdio.h>

static void bool_write(gw_buffer *json, const char *name, bool value) {
    gw_json_write_name(json, name);
    gw_buffer_text(json, value ? "true" : "false");
}

static void count_write(gw_buffer *json, const char *name, uint64_t value) {
    gw_json_write_integer(json, name, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void amount_write(gw_buffer *json, const char *name, uint64_t micro) {
    char text[GW_EPSILON_TEXT];
    gw_micro_format(micro, text);
    gw_json_write_member(json, name, text);
}

static void time_write(gw_buffer *json, const char *name, int64_t time) {
    char text[GW_STAMP_TEXT];
    gw_stamp_format(time, text);
    gw_json_write_member(json, name, text);
}

static void roles_write(gw_buffer *json, const char *name, unsigned roles) {
    char text[80];
    gw_roles_format(roles, text);
    gw_json_write_member(json, name, text);
}

static void list_open(gw_buffer *json, const char *name) {
    gw_json_write_name(json, name);
    gw_buffer_text(json, "[");
}

static void item_open(gw_buffer *json, size_t index) {
    gw_buffer_text(json, index == 0 ? "{" : ",{");
}

void gw_audit_verdict_json(const gw_audit_verdict *verdict, gw_buffer *json) {
    char root[GW_HASH_HEX];
    gw_hex((gw_bytes){verdict->checkpoint.root.bytes, GW_HASH_SIZE}, root);
    bool_write(json, "is_sound", verdict->is_sound);
    gw_json_write_member(json, "origin", verdict->checkpoint.origin);
    count_write(json, "size", verdict->size);
    gw_json_write_member(json, "root", root);
    count_write(json, "entries", verdict->entries);
    count_write(json, "charges", verdict->charges);
    count_write(json, "releases", verdict->releases);
    count_write(json, "abandons", verdict->abandons);
    count_write(json, "open_charges", verdict->open_charges);
    count_write(json, "questions", verdict->questions);
    count_write(json, "questions_missing", verdict->questions_missing);
    if (verdict->first_bad != UINT64_MAX)
        count_write(json, "first_bad", verdict->first_bad);
    if (verdict->is_sound)
        return;
    gw_json_write_member(json, "code", verdict->problem.code);
    gw_json_write_member(json, "what", verdict->problem.what);
    gw_json_write_member(json, "why", verdict->problem.why);
}

static void kinds_write(gw_buffer *json, const char *name, const uint64_t counts[GW_FACT_KINDS]) {
    gw_json_write_name(json, name);
    gw_buffer_text(json, "{");
    for (size_t i = 0; i < GW_FACT_KINDS; i++)
        if (counts[i] > 0)
            count_write(json, gw_entry_kind_name((gw_entry_kind)i), counts[i]);
    gw_buffer_text(json, "}");
}

static void datasets_write(const gw_facts *facts, gw_buffer *json) {
    list_open(json, "datasets");
    for (size_t i = 0; i < facts->datasets.count; i++) {
        const gw_fact_dataset *dataset = &facts->datasets.items[i];
        item_open(json, i);
        gw_json_write_member(json, "dataset", dataset->dataset);
        amount_write(json, "charged", dataset->charged);
        count_write(json, "charges", dataset->charges);
        count_write(json, "abandoned", dataset->abandoned);
        count_write(json, "open", dataset->open);
        if (facts->since != UINT64_MAX) {
            amount_write(json, "new_charged", dataset->new_charged);
            count_write(json, "new_charges", dataset->new_charges);
        }
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
}

static void people_write(const gw_facts *facts, gw_buffer *json) {
    list_open(json, "principals");
    for (size_t i = 0; i < facts->people.count; i++) {
        const gw_fact_person *person = facts->people.items[i];
        item_open(json, i);
        gw_json_write_member(json, "principal", person->id);
        roles_write(json, "roles", person->roles);
        count_write(json, "since", person->since);
        count_write(json, "keys", person->keys);
        count_write(json, "signed", person->signed_entries);
        count_write(json, "charges", person->charges);
        amount_write(json, "charged", person->charged);
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
}

// The entry as a row has it; who signed with their roles then; of a changed limit the entry that held before.
static void history_write(const gw_facts *facts, gw_buffer *json) {
    list_open(json, "history");
    for (size_t i = 0; i < facts->facts.count; i++) {
        const gw_fact *fact = &facts->facts.items[i];
        item_open(json, i);
        gw_json_write_name(json, "entry");
        gw_entry_object(&fact->entry, json);
        list_open(json, "signers");
        for (size_t k = 0; k < fact->entry.by.count; k++) {
            item_open(json, k);
            gw_json_write_member(json, "principal", fact->entry.by.ids[k]);
            roles_write(json, "roles", fact->roles[k]);
            gw_buffer_text(json, "}");
        }
        gw_buffer_text(json, "]");
        if (fact->before != GW_FACT_NONE)
            count_write(json, "before", facts->facts.items[fact->before].entry.seq);
        if (facts->since != UINT64_MAX)
            bool_write(json, "is_new", fact->entry.seq >= facts->since);
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
    count_write(json, "history_left_out", facts->facts_left_out);
}

static void endings_write(const gw_facts *facts, gw_buffer *json) {
    size_t open = 0;
    list_open(json, "abandoned");
    for (size_t i = 0; i < facts->causes.count; i++) {
        item_open(json, i);
        gw_json_write_member(json, "why", facts->causes.items[i].why);
        count_write(json, "count", facts->causes.items[i].count);
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
    list_open(json, "open");
    for (size_t i = 0; i < facts->charges.count && facts->open_charges > 0; i++) {
        const gw_fact_charge *charge = &facts->charges.items[i];
        if (charge->has_outcome)
            continue;
        item_open(json, open++);
        count_write(json, "charge", charge->seq);
        gw_json_write_member(json, "dataset", facts->datasets.items[charge->dataset].dataset);
        amount_write(json, "cost", charge->cost);
        time_write(json, "time", charge->time);
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
    list_open(json, "refusals");
    for (size_t i = 0; i < facts->refusals.count; i++) {
        item_open(json, i);
        gw_json_write_member(json, "principal", facts->refusals.items[i]->id);
        gw_json_write_member(json, "code", facts->refusals.items[i]->code);
        count_write(json, "count", facts->refusals.items[i]->count);
        gw_buffer_text(json, "}");
    }
    gw_buffer_text(json, "]");
}

static void silence_write(gw_buffer *json, const gw_fact_silence *silence) {
    count_write(json, "after", silence->after);
    time_write(json, "from", silence->from);
    time_write(json, "to", silence->to);
    gw_json_write_integer(json, "seconds", silence->to - silence->from);
    gw_buffer_text(json, "}");
}

static void times_write(const gw_facts *facts, gw_buffer *json) {
    gw_json_write_name(json, "time");
    gw_buffer_text(json, "{");
    time_write(json, "first", facts->first_time);
    time_write(json, "last", facts->last_time);
    count_write(json, "charges_at_weekends", facts->charges_at_weekends);
    count_write(json, "charges_at_night", facts->charges_at_night);
    gw_json_write_name(json, "longest_silence");
    gw_buffer_text(json, "{");
    silence_write(json, &facts->longest);
    list_open(json, "silences");
    for (size_t i = 0; i < facts->silences.count; i++) {
        item_open(json, i);
        silence_write(json, &facts->silences.items[i]);
    }
    gw_buffer_text(json, "]");
    count_write(json, "silences_left_out", facts->silences_left_out);
    gw_buffer_text(json, "}");
}

void gw_audit_facts_json(const gw_facts *facts, gw_buffer *json) {
    kinds_write(json, "kinds", facts->by_kind);
    if (facts->since != UINT64_MAX)
        kinds_write(json, "new_kinds", facts->new_by_kind);
    datasets_write(facts, json);
    people_write(facts, json);
    history_write(facts, json);
    endings_write(facts, json);
    times_write(facts, json);
}
