// SPDX-License-Identifier: Apache-2.0
// A definition is what moves figures: statistic, concept, filters, whose rows count. Labels, units' names and default
// breakdowns are not.
#include "service/definitions.h"

#include "service/base/cleanup.h"
#include "service/base/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX (4u << 20)
#define DEFINITION_BYTES_MAX (1u << 20)
#define LINE_MAX_BYTES (GW_NAME_MAX + 32 + GW_HASH_HEX)

static void definition_of(const gw_indicator *indicator, gw_buffer *out) {
    gw_buffer_text(out, "{");
    gw_json_write_member(out, "statistic", gw_statistic_name(indicator->statistic));
    gw_json_write_member(out, "of", indicator->of);
    gw_json_write_member(out, "per", indicator->is_per_person ? "person" : "row");
    gw_json_write_integer(out, "rows_per_person", (int64_t)indicator->rows_per_person);
    gw_filters_encode(out, "population", indicator->population, indicator->population_count);
    gw_filters_encode(out, "numerator", indicator->numerator, indicator->numerator_count);
    gw_filters_encode(out, "plus", indicator->plus, indicator->plus_count);
    gw_filters_encode(out, "minus", indicator->minus, indicator->minus_count);
    for (size_t i = 0; i < indicator->requires_count; i++)
        gw_json_write_member(out, "requires", indicator->requires[i]);
    gw_buffer_text(out, "}");
}

// "<id> <version> " and, behind it, the hash.
static gw_status line_of(const gw_indicator *indicator, char line[LINE_MAX_BYTES], size_t *ret_key_size) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    char hex[GW_HASH_HEX];
    gw_buffer_init(&text, DEFINITION_BYTES_MAX);
    definition_of(indicator, &text);
    if (text.status != GW_OK)
        return text.status;
    gw_hash hash = gw_sha256(gw_buffer_bytes(&text));
    gw_hex((gw_bytes){hash.bytes, GW_HASH_SIZE}, hex);
    int size = snprintf(line, LINE_MAX_BYTES, "%.*s %" PRIu64 " ", GW_NAME_MAX, indicator->id, indicator->version);
    *ret_key_size = (size_t)size;
    snprintf(line + size, LINE_MAX_BYTES - (size_t)size, "%s\n", hex);
    return GW_OK;
}

// The line of `text` that starts with the key, or NULL.
static const char *line_find(const char *text, const char *key, size_t key_size) {
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, key_size) == 0)
            return line;
    return NULL;
}

static gw_status changed(const gw_indicator *indicator, gw_problem *ret_problem) {
    gw_problem_set(ret_problem, GW_CONFLICT, "indicator_version", "An indicator was changed under its old version.", "",
                   "");
    gw_problem_why(ret_problem,
                   "%s measures something else than before and still calls itself version %" PRIu64
                   ": answers of both would go by one name.",
                   indicator->id, indicator->version);
    gw_problem_mend(ret_problem, "Write \"version\":%" PRIu64 " into its file, or put the older file back.",
                    indicator->version + 1);
    return GW_CONFLICT;
}

static gw_status known_read(const char *path, gw_buffer *ret_text, gw_problem *ret_problem) {
    if (access(path, F_OK) != 0)
        return GW_OK; // the first start
    return gw_file_read(path, ret_text, ret_problem);
}

gw_status gw_definitions_check(const char *state_folder, const gw_catalogue *catalogue, bool is_keeping,
                               gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    char path[4200];
    bool is_new = false;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    snprintf(path, sizeof path, "%.4096s/indicators", state_folder);
    gw_status status = known_read(path, &text, ret_problem);
    for (size_t i = 0; status == GW_OK && i < gw_catalogue_count(catalogue); i++) {
        const gw_indicator *indicator = gw_catalogue_at(catalogue, i);
        char line[LINE_MAX_BYTES];
        size_t key_size;
        if (line_of(indicator, line, &key_size) != GW_OK)
            return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
        const char *known = line_find(gw_buffer_string(&text), line, key_size);
        if (known && strncmp(known, line, strlen(line)) != 0)
            return changed(indicator, ret_problem);
        if (!known) {
            gw_buffer_text(&text, line);
            is_new = true;
        }
    }
    if (status == GW_OK && text.status != GW_OK)
        return gw_problem_set(ret_problem, text.status, "too_many", "There are too many versions of indicators.", "",
                              "");
    return status == GW_OK && is_new && is_keeping ? gw_file_replace(path, gw_buffer_bytes(&text), 0600, ret_problem)
                                                   : status;
}
