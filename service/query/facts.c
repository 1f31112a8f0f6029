// SPDX-License-Identifier: Apache-2.0
// Documents of public facts: catalogue, one dataset, and what was asked.
#include "service/query/facts.h"

#include "service/query/describe.h"

#include <stdio.h>
#include <string.h>

static void write_amount_or_null(gw_buffer *out, const char *name, gw_epsilon amount) {
    if (amount.micro > 0)
        gw_json_write_epsilon(out, name, amount);
    else
        gw_json_write_member(out, name, NULL);
}

static void write_strings(gw_buffer *out, const char *name, const char *const *texts, size_t count) {
    gw_json_write_name(out, name);
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(out, i ? "," : "");
        gw_json_write_string(out, texts[i]);
    }
    gw_buffer_text(out, "]");
}

// ---- catalogue and describe

static void write_band_codes(gw_buffer *out, const gw_column *column, const gw_banding *banding) {
    gw_json_write_name(out, "codes");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < banding->band_count; i++) {
        gw_buffer_text(out, i ? "," : "");
        gw_json_write_string(out, banding->bands[i].id);
    }
    if (column->missing == GW_MISSING_UNKNOWN)
        gw_buffer_text(out, ",\"" GW_CODE_UNKNOWN "\"");
    gw_buffer_text(out, "]");
}

static void write_numeric(gw_buffer *out, const gw_column *column) {
    char text[32];
    gw_json_write_member(out, "unit", column->unit);
    gw_column_step_format(column, 0, text);
    gw_json_write_member(out, "min", text);
    gw_column_step_format(column, column->steps, text);
    gw_json_write_member(out, "max", text);
    gw_json_write_name(out, "bandings");
    gw_buffer_text(out, "[");
    for (size_t i = 0; i < column->banding_count; i++) {
        gw_buffer_text(out, i ? ",{" : "{");
        char name[2 * GW_NAME_MAX + 2];
        snprintf(name, sizeof name, "%s:%s", column->concept, column->bandings[i].name);
        gw_json_write_member(out, "banding", name);
        write_band_codes(out, column, &column->bandings[i]);
        gw_buffer_text(out, "}");
    }
    gw_buffer_text(out, "]");
}

static void write_concept(gw_buffer *out, const gw_column *column) {
    static const char *const types[] = {[GW_COLUMN_CODE] = "code",
                                        [GW_COLUMN_INTEGER] = "integer",
                                        [GW_COLUMN_DECIMAL] = "decimal",
                                        [GW_COLUMN_TEXT] = "text"};
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "concept", column->concept);
    gw_json_write_member(out, "label", column->label ? column->label : column->concept);
    gw_json_write_member(out, "type", types[column->type]);
    gw_json_write_member(out, "missing", column->missing == GW_MISSING_UNKNOWN ? GW_CODE_UNKNOWN : "drop");
    if (column->type == GW_COLUMN_TEXT) {
        gw_json_write_integer(out, "length_max", column->text_bytes_max);
        gw_json_write_integer(out, "keys_max", column->keys_max);
    } else if (column->type != GW_COLUMN_CODE) {
        write_numeric(out, column);
    } else {
        if (column->period != GW_PERIOD_NONE)
            gw_json_write_member(out, "period", gw_period_name(column->period));
        gw_json_write_name(out, "codes");
        gw_buffer_text(out, "[");
        for (size_t i = 0; i < column->codelist.code_count; i++) {
            gw_buffer_text(out, i ? ",{" : "{");
            gw_json_write_member(out, "code", column->codelist.codes[i].id);
            gw_json_write_member(out, "label", column->codelist.codes[i].label);
            gw_buffer_text(out, "}");
        }
        gw_buffer_text(out, "]");
    }
    gw_buffer_text(out, "}");
}

static void write_budget_terms(gw_buffer *out, const gw_policy *policy) {
    gw_json_write_name(out, "budget");
    gw_buffer_text(out, "{");
    gw_json_write_epsilon(out, "lifetime", policy->lifetime);
    write_amount_or_null(out, "per_principal", policy->per_principal);
    gw_json_write_integer(out, "window_days", policy->window_days);
    write_amount_or_null(out, "window", policy->window_total);
    gw_json_write_epsilon(out, "question_min", policy->question_min);
    gw_json_write_epsilon(out, "question_max", policy->question_max);
    gw_buffer_text(out, "}");
}

static void write_delta_or_null(gw_buffer *out, const char *name, gw_delta delta) {
    char text[GW_DELTA_TEXT];
    gw_delta_format(delta, text);
    gw_json_write_member(out, name, delta.atto > 0 ? text : NULL);
}

// What the totals promise: epsilon alone, or epsilon but for a chance of delta.
static void write_accounting(gw_buffer *out, const gw_policy *policy) {
    gw_json_write_name(out, "accounting");
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "kind", policy->delta.atto > 0 ? "zcdp" : "pure");
    write_delta_or_null(out, "delta", policy->delta);
    write_delta_or_null(out, "selection_delta", policy->selection_delta);
    write_delta_or_null(out, "question_delta", policy->question_delta);
    gw_buffer_text(out, "}");
}

static void write_usable_indicators(gw_buffer *out, const gw_catalogue *catalogue, const gw_policy *policy) {
    gw_json_write_name(out, "indicators");
    gw_buffer_text(out, "[");
    const char *comma = "";
    for (size_t i = 0; i < gw_catalogue_count(catalogue); i++) {
        const gw_indicator *indicator = gw_catalogue_at(catalogue, i);
        if (!gw_indicator_table(indicator, policy, NULL))
            continue;
        gw_buffer_text(out, comma);
        gw_json_write_string(out, indicator->id);
        comma = ",";
    }
    gw_buffer_text(out, "]");
}

static void write_grants(gw_buffer *out, const gw_policy *policy) {
    bool is_granted[GW_STATISTIC_COUNT_OF] = {false};
    for (size_t g = 0; g < policy->grant_count; g++)
        for (size_t s = 0; s < policy->grants[g].statistic_count; s++)
            is_granted[policy->grants[g].statistics[s]] = true;
    const char *names[GW_STATISTIC_COUNT_OF];
    size_t count = 0;
    for (int s = 0; s < GW_STATISTIC_COUNT_OF; s++)
        if (is_granted[s])
            names[count++] = gw_statistic_name((gw_statistic)s);
    write_strings(out, "statistics", names, count);
}

// Since when, by whom and where in the log the policy is in force: what the public log says of it.
static void write_signed(const gw_facts *facts, const gw_policy *policy, gw_buffer *out) {
    gw_store_policy row;
    gw_entry entry;
    gw_buffer bytes;
    gw_buffer_init(&bytes, 65536);
    if (gw_store_policy_current(facts->reader, policy->dataset, &row, NULL) == GW_OK &&
        gw_store_entry(facts->reader, row.seq, &bytes) == GW_OK &&
        gw_entry_decode(gw_buffer_bytes(&bytes), &entry, NULL) == GW_OK && entry.kind == GW_ENTRY_POLICY) {
        char hex[GW_HASH_HEX];
        const char *by[sizeof entry.by.ids / sizeof entry.by.ids[0]] = {NULL};
        for (size_t i = 0; i < entry.by.count; i++)
            by[i] = entry.by.ids[i];
        gw_hex((gw_bytes){entry.policy.file.bytes, sizeof entry.policy.file.bytes}, hex);
        gw_json_write_integer(out, "policy_entry", (int64_t)row.seq);
        gw_json_write_integer(out, "policy_time", entry.time);
        gw_json_write_member(out, "policy_file", hex);
        write_strings(out, "policy_by", by, entry.by.count);
    }
    gw_buffer_done(&bytes);
}

static void write_dataset(const gw_facts *facts, const gw_policy *policy, gw_buffer *out) {
    gw_store_data data;
    bool has_data = gw_store_data_current(facts->reader, policy->dataset, &data) == GW_OK;
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "dataset", policy->dataset);
    gw_json_write_member(out, "title", policy->title ? policy->title : policy->dataset);
    gw_json_write_member(out, "notice", policy->notice);
    gw_json_write_member(out, "population", policy->population);
    gw_json_write_integer(out, "policy", (int64_t)policy->version);
    write_signed(facts, policy, out);
    gw_json_write_member(out, "data_version", has_data ? data.version : NULL);
    gw_json_write_integer(out, "data_time", has_data ? data.time : 0);
    gw_json_write_member(out, "neighbours", "add-remove-person");
    write_budget_terms(out, policy);
    write_accounting(out, policy);
    write_grants(out, policy);
    write_usable_indicators(out, facts->catalogue, policy);
    gw_json_write_name(out, "concepts");
    gw_buffer_text(out, "[");
    const char *comma = "";
    for (size_t t = 0; t < policy->table_count; t++)
        for (size_t c = 0; c < policy->tables[t].column_count; c++)
            if (policy->tables[t].columns[c].concept) {
                gw_buffer_text(out, comma);
                write_concept(out, &policy->tables[t].columns[c]);
                comma = ",";
            }
    gw_buffer_text(out, "]");
    gw_describe_tables(policy, out);
    gw_describe_grants(policy, out);
    gw_buffer_text(out, "}");
}

static void write_indicator(gw_buffer *out, const gw_indicator *indicator) {
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "indicator", indicator->id);
    gw_json_write_integer(out, "version", (int64_t)indicator->version);
    gw_json_write_member(out, "label", indicator->label);
    gw_json_write_member(out, "definition", indicator->definition);
    gw_json_write_member(out, "statistic", gw_statistic_name(indicator->statistic));
    gw_json_write_member(out, "unit", indicator->unit);
    gw_json_write_member(out, "sdmx", indicator->sdmx);
    write_strings(out, "by_default", indicator->by_default, indicator->by_default_count);
    gw_describe_indicator(indicator, out);
    gw_buffer_text(out, "}");
}

static void write_indicators(const gw_facts *facts, const gw_policy *policy, gw_buffer *out) {
    gw_json_write_name(out, "indicators");
    gw_buffer_text(out, "[");
    const char *comma = "";
    for (size_t i = 0; i < gw_catalogue_count(facts->catalogue); i++) {
        const gw_indicator *indicator = gw_catalogue_at(facts->catalogue, i);
        if (policy && !gw_indicator_table(indicator, policy, NULL))
            continue;
        gw_buffer_text(out, comma);
        write_indicator(out, indicator);
        comma = ",";
    }
    gw_buffer_text(out, "]");
}

typedef struct {
    const gw_facts *facts;
    gw_buffer *out;
    const char *comma;
} each_dataset;

static void each_dataset_write(void *state, const gw_store_policy *row) {
    each_dataset *each = state;
    gw_policy_in_force in_force;
    gw_problem ignored;
    if (gw_query_policy(each->facts->worker, row->dataset, &in_force, &ignored) != GW_OK)
        return; // a policy that no longer parses is the operator's matter; it is logged where it is loaded
    gw_buffer_text(each->out, each->comma);
    write_dataset(each->facts, in_force.policy, each->out);
    each->comma = ",";
}

gw_status gw_facts_catalogue(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_member(out, "origin", facts->origin);
    gw_json_write_name(out, "datasets");
    gw_buffer_text(out, "[");
    each_dataset each = {facts, out, ""};
    if (gw_store_datasets(facts->reader, each_dataset_write, &each) != GW_OK)
        return gw_problem_set(ret_problem, GW_IO, "internal", "The catalogue could not be read.", "",
                              "Ask the operator.");
    gw_buffer_text(out, "]");
    write_indicators(facts, NULL, out);
    gw_buffer_text(out, "}");
    return GW_OK;
}

gw_status gw_facts_describe(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    gw_policy_in_force in_force;
    gw_status status = gw_query_policy(facts->worker, facts->question->dataset, &in_force, ret_problem);
    if (status != GW_OK)
        return status;
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_name(out, "dataset_info");
    write_dataset(facts, in_force.policy, out);
    write_indicators(facts, in_force.policy, out);
    gw_buffer_text(out, "}");
    return GW_OK;
}

// ---- history

typedef struct {
    gw_buffer *out;
    const char *comma;
} each_release;

static void each_release_write(void *state, const gw_store_history_row *row) {
    static const char *const states[] = {
        [GW_CHARGE_RESERVED] = "reserved", [GW_CHARGE_SEALED] = "sealed", [GW_CHARGE_ABANDONED] = "abandoned"};
    each_release *each = state;
    gw_buffer_text(each->out, each->comma);
    gw_buffer_text(each->out, "{");
    gw_json_write_member(each->out, "release", row->state == GW_CHARGE_SEALED ? row->release : NULL);
    gw_json_write_member(each->out, "dataset", row->dataset);
    gw_json_write_integer(each->out, "time", row->time);
    gw_json_write_epsilon(each->out, "cost", (gw_epsilon){row->cost});
    gw_json_write_member(each->out, "state", row->is_withdrawn ? "withdrawn" : states[row->state]);
    if (row->embargo != 0)
        gw_json_write_integer(each->out, "embargo", row->embargo);
    gw_json_write_member(each->out, "principal", row->principal);
    gw_json_write_name(each->out, "question");
    // A ledger that was made again from its log has no text where none was published.
    gw_buffer_text(each->out, row->question_text[0] != '\0' ? row->question_text : "null");
    gw_buffer_text(each->out, "}");
    each->comma = ",";
}

#define HISTORY_ROWS_MAX 1000u

gw_status gw_facts_history(const gw_facts *facts, gw_buffer *out, gw_problem *ret_problem) {
    bool may_see_all = facts->who->roles & (GW_ROLE_OWNER | GW_ROLE_AUDITOR | GW_ROLE_OPERATOR);
    if (!facts->who->is_known)
        return gw_problem_set(ret_problem, GW_UNAUTHENTICATED, "unauthenticated",
                              "History is shown to those it belongs to.",
                              "This request was not signed by a known principal.", "godwit whoami");
    if (facts->question->all && !may_see_all)
        return gw_problem_set(ret_problem, GW_DENIED, "denied_role", "Everybody's history is for owners and auditors.",
                              "Your roles do not include owner, auditor or operator.", "godwit history");
    gw_buffer_text(out, "{\"v\":1");
    gw_json_write_name(out, "releases");
    gw_buffer_text(out, "[");
    each_release each = {out, ""};
    gw_status status = gw_store_history(facts->reader, facts->question->all ? NULL : facts->who->principal,
                                        facts->question->dataset, HISTORY_ROWS_MAX, each_release_write, &each);
    gw_buffer_text(out, "]}");
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "internal", "The history could not be read.", "",
                              "Ask the operator.");
    return GW_OK;
}
