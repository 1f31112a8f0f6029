// SPDX-License-Identifier: Apache-2.0
// Code lists from CSV (RFC 4180, UTF-8). Only the first two fields of a line are read: id and name.
#include "service/policy/load.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <stdio.h>
#include <string.h>

#define FILE_SIZE_MAX 262144u
#define FIELD_SIZE_MAX 4096u // descriptions run long; they are stepped over

typedef struct {
    const char *at;
    const char *end;
    size_t line;
    char *reason;
} csv;

static gw_status csv_fail(const csv *c, const char *why) {
    snprintf(c->reason, GW_CODELIST_REASON_MAX, "line %zu: %s", c->line, why);
    return GW_INVALID;
}

static bool csv_at_line_end(const csv *c) {
    return c->at == c->end || *c->at == '\n' || (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n');
}

// Reads one field; `field` gets at most FIELD_SIZE_MAX - 1 bytes.
static gw_status csv_field(csv *c, char field[FIELD_SIZE_MAX]) {
    size_t size = 0;
    bool is_quoted = c->at < c->end && *c->at == '"';
    c->at += is_quoted;
    for (;; c->at++) {
        if (c->at == c->end || *c->at == '\n') {
            if (is_quoted)
                return csv_fail(c, "a quoted field is not closed on its line.");
            break;
        }
        if (is_quoted && *c->at == '"') {
            c->at++;
            if (c->at == c->end || *c->at != '"')
                break;
        } else if (!is_quoted && (*c->at == ',' || csv_at_line_end(c))) {
            break;
        } else if (!is_quoted && *c->at == '"') {
            return csv_fail(c, "a quote stands inside an unquoted field.");
        }
        if ((unsigned char)*c->at < 0x20)
            return csv_fail(c, "there is a control character.");
        if (size + 1 == FIELD_SIZE_MAX)
            return csv_fail(c, "a field is too long.");
        field[size++] = *c->at;
    }
    field[size] = '\0';
    if (c->at < c->end && *c->at == ',')
        c->at++;
    else if (!csv_at_line_end(c))
        return csv_fail(c, "a comma is expected after a quoted field.");
    return GW_OK;
}

// Reads the first two fields of a line and steps over the rest.
static gw_status csv_line(csv *c, char id[FIELD_SIZE_MAX], char name[FIELD_SIZE_MAX]) {
    name[0] = '\0';
    gw_status status = csv_field(c, id);
    if (status == GW_OK && !csv_at_line_end(c))
        status = csv_field(c, name);
    char rest[FIELD_SIZE_MAX];
    while (status == GW_OK && !csv_at_line_end(c))
        status = csv_field(c, rest);
    if (status != GW_OK)
        return status;
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end)
        c->at++;
    return GW_OK;
}

static gw_status codelist_check(const csv *c, const gw_code *codes, size_t count, const char *id, const char *name) {
    if (count == GW_CODELIST_CODES_MAX)
        return csv_fail(c, "the list has more than 1024 codes.");
    if (!gw_name_is_valid(id) || strpbrk(id, "/:") != NULL)
        return csv_fail(c, "the id is not a code: use ASCII letters, digits and . _ -");
    if (strcmp(id, GW_CODE_UNKNOWN) == 0)
        return csv_fail(c, "_U may not be listed: it is added to columns whose missing is \"_U\".");
    if (strcmp(id, "_T") == 0)
        return csv_fail(c, "_T may not be listed: a total is not one of the parts.");
    if (name[0] == '\0')
        return csv_fail(c, "the name is empty.");
    for (size_t i = 0; i < count; i++)
        if (strcmp(codes[i].id, id) == 0)
            return csv_fail(c, "this id stands twice.");
    return GW_OK;
}

static gw_status codelist_parse(csv *c, gw_arena *arena, gw_codelist *ret) {
    char id[FIELD_SIZE_MAX], name[FIELD_SIZE_MAX];
    gw_status status = csv_line(c, id, name);
    if (status != GW_OK)
        return status;
    if (strcmp(id, "id") != 0 || strcmp(name, "name") != 0)
        return csv_fail(c, "the header must start with id,name.");
    // One more than the most: room for the "_U" that the loader may add.
    gw_code *codes = gw_arena_array(arena, GW_CODELIST_CODES_MAX + 1, sizeof(*codes));
    if (codes == NULL)
        return GW_LIMIT;
    size_t count = 0;
    for (c->line = 2; c->at < c->end; c->line++) {
        status = csv_line(c, id, name);
        if (status == GW_OK && id[0] == '\0' && name[0] == '\0')
            continue;
        if (status == GW_OK)
            status = codelist_check(c, codes, count, id, name);
        if (status != GW_OK)
            return status;
        codes[count] = (gw_code){.id = gw_arena_string(arena, id), .label = gw_arena_string(arena, name)};
        if (codes[count].id == NULL || codes[count].label == NULL)
            return GW_LIMIT;
        count++;
    }
    if (count == 0)
        return csv_fail(c, "the list has no codes.");
    ret->codes = codes;
    ret->code_count = count;
    return GW_OK;
}

gw_status gw_codelist_load(const char *folder, const char *id, gw_arena *arena, gw_codelist *ret,
                           char reason[GW_CODELIST_REASON_MAX]) {
    reason[0] = '\0';
    const char *path = gw_arena_format(arena, "%s/%s.csv", folder, id);
    const char *name = gw_arena_string(arena, id);
    if (path == NULL || name == NULL)
        return GW_LIMIT;
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, FILE_SIZE_MAX);
    gw_problem problem;
    gw_status status = gw_file_read(path, &text, &problem);
    if (status != GW_OK) {
        snprintf(reason, GW_CODELIST_REASON_MAX, "%s", problem.what);
        return status;
    }
    csv c = {.at = gw_buffer_string(&text), .line = 1, .reason = reason};
    c.end = c.at + text.size;
    if (!gw_utf8_is_valid(gw_buffer_bytes(&text)))
        return csv_fail(&c, "the file is not UTF-8.");
    gw_codelist list = {.id = name};
    status = codelist_parse(&c, arena, &list);
    if (status == GW_OK)
        *ret = list;
    return status;
}
