// SPDX-License-Identifier: Apache-2.0
// JSON written, and the refusal document. What is written here is read back by json.c without a change.
#include "service/wire/json_scan.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_BYTES_MAX 8192u // several times the longest problem with every character escaped twice

GW_DEFINE_FREEP(gw_json, gw_json_free)

static void write_special(gw_buffer *buffer, uint8_t byte) {
    switch (byte) {
    case '"':
        gw_buffer_text(buffer, "\\\"");
        return;
    case '\\':
        gw_buffer_text(buffer, "\\\\");
        return;
    case '\n':
        gw_buffer_text(buffer, "\\n");
        return;
    default:
        gw_buffer_format(buffer, "\\u%04x", byte);
    }
}

void gw_json_write_string(gw_buffer *buffer, const char *text) {
    const uint8_t *bytes = (const uint8_t *)text;
    size_t size = strlen(text);
    size_t start = 0; // of what is not written yet
    gw_buffer_text(buffer, "\"");
    for (size_t i = 0, count; i < size; i += count) {
        count = gw_utf8_size(bytes + i, size - i);
        bool is_special = count == 1 && (bytes[i] < 0x20 || bytes[i] == 0x7F || bytes[i] == '"' || bytes[i] == '\\');
        if (count != 0 && !is_special)
            continue;
        gw_buffer_append(buffer, text + start, i - start);
        if (is_special)
            write_special(buffer, bytes[i]);
        else
            gw_buffer_text(buffer, "\xEF\xBF\xBD");
        count = 1;
        start = i + 1;
    }
    gw_buffer_append(buffer, text + start, size - start);
    gw_buffer_text(buffer, "\"");
}

void gw_json_write_name(gw_buffer *buffer, const char *name) {
    uint8_t last = buffer->size == 0 ? '{' : buffer->data[buffer->size - 1];
    if (last != '{' && last != '[')
        gw_buffer_text(buffer, ",");
    gw_json_write_string(buffer, name);
    gw_buffer_text(buffer, ":");
}

void gw_json_write_member(gw_buffer *buffer, const char *name, const char *text) {
    gw_json_write_name(buffer, name);
    if (text == NULL)
        gw_buffer_text(buffer, "null");
    else
        gw_json_write_string(buffer, text);
}

void gw_json_write_integer(gw_buffer *buffer, const char *name, int64_t value) {
    gw_json_write_name(buffer, name);
    gw_buffer_format(buffer, "%" PRId64, value);
}

void gw_json_write_epsilon(gw_buffer *buffer, const char *name, gw_epsilon epsilon) {
    char text[GW_EPSILON_TEXT];
    gw_epsilon_format(epsilon, text);
    gw_json_write_member(buffer, name, text);
}

void gw_problem_encode(const gw_problem *problem, gw_buffer *buffer) {
    gw_buffer_text(buffer, "{");
    gw_json_write_integer(buffer, "v", 1);
    gw_json_write_member(buffer, "code", problem->code);
    gw_json_write_member(buffer, "what", problem->what);
    gw_json_write_member(buffer, "why", problem->why);
    gw_json_write_member(buffer, "mend", problem->mend);
    if (problem->budget[0] != '\0') {
        gw_json_write_member(buffer, "budget", problem->budget);
        gw_json_write_epsilon(buffer, "needed", problem->needed);
        gw_json_write_epsilon(buffer, "remaining", problem->remaining);
        if (problem->renews != 0)
            gw_json_write_integer(buffer, "renews", problem->renews);
        else
            gw_json_write_member(buffer, "renews", NULL);
    } else if (problem->renews != 0) {
        gw_json_write_integer(buffer, "renews", problem->renews); // no budget, and yet it is over then
    }
    gw_json_write_epsilon(buffer, "charged", problem->charged);
    gw_buffer_text(buffer, "}");
}

// The document carries no status, because its code says more; this is the way back, for exit codes.
static gw_status status_of(const char *code, bool has_budget) {
    static const struct {
        const char *prefix;
        gw_status status;
    } prefixes[] = {{"denied", GW_DENIED},
                    {"unauthenticated", GW_UNAUTHENTICATED},
                    {"unknown_", GW_NOT_FOUND},
                    {"not_found", GW_NOT_FOUND},
                    {"busy", GW_BUSY},
                    {"retry", GW_RETRY},
                    {"unavailable", GW_UNAVAILABLE},
                    {"idem_", GW_CONFLICT},
                    {"conflict", GW_CONFLICT},
                    {"too_", GW_LIMIT},
                    {"rate_limited", GW_LIMIT},
                    {"json_too_big", GW_LIMIT},
                    {"internal", GW_INTERNAL}};
    if (has_budget)
        return GW_BUDGET;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(code, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
            return prefixes[i].status;
    return GW_INVALID;
}

static bool has_value(const gw_json_node *object, const char *name) {
    const gw_json_node *node = gw_json_member(object, name);
    return node != NULL && gw_json_type_of(node) != GW_JSON_NULL;
}

static void decode_budget(gw_json_reader *reader, const gw_json_node *root, gw_problem *problem) {
    const char *budget = gw_json_read_string(reader, root, "budget");
    snprintf(problem->budget, sizeof(problem->budget), "%s", budget == NULL ? "" : budget);
    problem->needed = gw_json_read_epsilon(reader, root, "needed");
    problem->remaining = gw_json_read_epsilon(reader, root, "remaining");
}

gw_status gw_problem_decode(gw_bytes text, gw_problem *ret_problem) {
    static const char *const allowed[] = {"v",      "code",      "what",   "why",     "mend", "budget",
                                          "needed", "remaining", "renews", "charged", NULL};
    gw_json_limits limits = GW_JSON_REPLY;
    limits.size_max = PROBLEM_BYTES_MAX;
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    gw_status status = gw_json_parse(text, limits, &json, NULL);
    if (status != GW_OK)
        return status;
    const gw_json_node *root = gw_json_root(json);
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    gw_json_expect_object(&reader, root, allowed);
    gw_ignore(gw_json_read_integer(&reader, root, "v", 1, 1)); // the check is the point
    const char *code = gw_json_read_string(&reader, root, "code");
    const char *what = gw_json_read_string(&reader, root, "what");
    const char *why = gw_json_read_string(&reader, root, "why");
    const char *mend = gw_json_read_string(&reader, root, "mend");
    gw_problem problem = {0};
    gw_epsilon charged = gw_json_read_epsilon(&reader, root, "charged");
    bool has_budget = reader.status == GW_OK && has_value(root, "budget");
    if (reader.status == GW_OK)
        gw_ignore(gw_problem_set(&problem, status_of(code, has_budget), code, what, why, mend)); // fills only
    problem.charged = charged;
    if (has_budget)
        decode_budget(&reader, root, &problem);
    if (reader.status == GW_OK && has_value(root, "renews"))
        problem.renews = gw_json_read_integer(&reader, root, "renews", 0, INT64_MAX);
    if (reader.status != GW_OK)
        return reader.status;
    *ret_problem = problem;
    return GW_OK;
}
