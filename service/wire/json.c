// SPDX-License-Identifier: Apache-2.0
// Documents and their reader. json_scan.c has walked every byte before cJSON sees the text; what cJSON made of it is
// then held against the scan node by node, so that a difference between the two can only refuse, never change a
// meaning.
#include "service/wire/json_scan.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRWISE_MAX 16u // up to here comparing every two names is quicker than sorting them
#define WORDS_MAX 64u    // allowed members of one object

struct gw_json {
    char *name; // how the text is called
    char *text; // comments blanked; kept for positions
    size_t size;
    cJSON *tree;
    gw_json_node *nodes; // document order; nodes[0] is the root
    size_t node_count;
};

GW_DEFINE_FREEP(gw_json, gw_json_free)

void gw_json_free(gw_json *json) {
    if (json == NULL)
        return;
    cJSON_Delete(json->tree);
    free(json->nodes);
    free(json->text);
    free(json->name);
    free(json);
}

// ------------------------------------------------------------------------------------------------ parsing

static gw_status parse_problem(const gw_json *json, gw_json_fault fault, gw_problem *ret_problem) {
    size_t line, column;
    gw_json_position(json->text, fault.offset, &line, &column);
    gw_ignore(gw_problem_set(ret_problem, GW_INVALID, fault.code, "", "", fault.mend)); // returns what it was given
    gw_problem_what(ret_problem, "The %s cannot be read.", json->name);
    gw_problem_why(ret_problem, "%s, line %zu, column %zu: %s", json->name, line, column, fault.why);
    return GW_INVALID;
}

static gw_status parse_no_memory(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory for this.", "", "");
}

static gw_json_type type_of_item(const cJSON *item) {
    return cJSON_IsObject(item)   ? GW_JSON_OBJECT
           : cJSON_IsArray(item)  ? GW_JSON_ARRAY
           : cJSON_IsString(item) ? GW_JSON_STRING
           : cJSON_IsNumber(item) ? GW_JSON_INTEGER
           : cJSON_IsBool(item)   ? GW_JSON_BOOL
                                  : GW_JSON_NULL;
}

// Binds the subtree at `node` to `item`; false where the two disagree. Recursion is bounded by the scan's depth.
static bool bind(gw_json_node *node, const cJSON *item) {
    if (type_of_item(item) != (gw_json_type)node->type || (node->is_member && item->string == NULL))
        return false;
    node->name = item->string;
    if (node->type == GW_JSON_STRING)
        node->value.string = item->valuestring;
    if (node->type == GW_JSON_INTEGER && item->valuedouble != (double)node->value.integer) // exact below 2^53
        return false;
    if (node->type == GW_JSON_BOOL && cJSON_IsTrue(item) != node->value.boolean)
        return false;
    if (node->type != GW_JSON_ARRAY && node->type != GW_JSON_OBJECT)
        return true;
    const cJSON *child_item = item->child;
    gw_json_node *child = node + 1;
    for (uint32_t i = 0; i < node->count; i++) {
        if (child_item == NULL || !bind(child, child_item))
            return false;
        child += child->span;
        child_item = child_item->next;
    }
    return child_item == NULL;
}

static int compare_members(const void *a, const void *b) {
    const gw_json_node *left = *(const gw_json_node *const *)a;
    const gw_json_node *right = *(const gw_json_node *const *)b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left > right) - (left < right);
}

// The first member whose name stood before in the same object, or NULL. `members` is room for its count.
static const gw_json_node *find_duplicate(const gw_json_node *object, const gw_json_node **members) {
    const gw_json_node *member = gw_json_first(object);
    for (size_t i = 0; i < object->count; i++, member = gw_json_next(member)) {
        members[i] = member;
        for (size_t j = 0; object->count <= PAIRWISE_MAX && j < i; j++)
            if (strcmp(members[j]->name, member->name) == 0)
                return member;
    }
    if (object->count <= PAIRWISE_MAX)
        return NULL;
    qsort(members, object->count, sizeof(*members), compare_members);
    const gw_json_node *first = NULL;
    for (size_t i = 1; i < object->count; i++)
        if (strcmp(members[i - 1]->name, members[i]->name) == 0 && (first == NULL || members[i] < first))
            first = members[i];
    return first;
}

static gw_status parse_check_duplicates(const gw_json *json, gw_problem *ret_problem) {
    size_t count_max = 0;
    for (size_t i = 0; i < json->node_count; i++)
        if (json->nodes[i].type == GW_JSON_OBJECT && json->nodes[i].count > count_max)
            count_max = json->nodes[i].count;
    GW_CLEANUP(gw_freep) const gw_json_node **members = calloc(count_max + 1, sizeof(*members));
    if (members == NULL)
        return parse_no_memory(ret_problem);
    for (size_t i = 0; i < json->node_count; i++) {
        if (json->nodes[i].type != GW_JSON_OBJECT)
            continue;
        const gw_json_node *duplicate = find_duplicate(&json->nodes[i], members);
        if (duplicate != NULL)
            return parse_problem(json,
                                 (gw_json_fault){.code = "json_duplicate",
                                                 .why = "This member stands twice in one object.",
                                                 .mend = "Keep one of the two.",
                                                 .offset = duplicate->name_offset},
                                 ret_problem);
    }
    return GW_OK;
}

static gw_status parse_tree(gw_json *json, gw_problem *ret_problem) {
    const char *end = NULL;
    json->tree = cJSON_ParseWithLengthOpts(json->text, json->size, &end, 0);
    gw_json_fault differs = {
        .code = "json_syntax", .why = "This text has no single meaning.", .mend = "Write it plainly."};
    if (json->tree == NULL) // the scan found nothing wrong, so the parser ran out of memory
        return parse_no_memory(ret_problem);
    if (end == NULL || strspn(end, " \t\r\n") != (size_t)(json->text + json->size - end))
        return parse_problem(json, differs, ret_problem);
    if (!bind(json->nodes, json->tree))
        return parse_problem(json, differs, ret_problem);
    return parse_check_duplicates(json, ret_problem);
}

gw_status gw_json_parse(gw_bytes text, gw_json_limits limits, gw_json **ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_json_freep) gw_json *json = calloc(1, sizeof(*json));
    if (text.size > limits.size_max) {
        gw_ignore(gw_problem_set(ret_problem, GW_LIMIT, "json_too_big", "", "", "Send less.")); // fills only
        gw_problem_what(ret_problem, "The %s is too big.", limits.name);
        gw_problem_why(ret_problem, "%s has %zu bytes; at most %zu are read.", limits.name, text.size, limits.size_max);
        return GW_LIMIT;
    }
    if (json == NULL || (json->name = strdup(limits.name)) == NULL || (json->text = malloc(text.size + 1)) == NULL)
        return parse_no_memory(ret_problem);
    if (text.size != 0)
        memcpy(json->text, text.data, text.size);
    json->text[text.size] = '\0';
    json->size = text.size;
    gw_json_fault fault = {0};
    gw_status status = gw_json_scan(json->text, json->size, &limits, &json->nodes, &json->node_count, &fault);
    if (status == GW_INVALID)
        return parse_problem(json, fault, ret_problem);
    if (status != GW_OK)
        return parse_no_memory(ret_problem);
    status = parse_tree(json, ret_problem);
    if (status != GW_OK)
        return status;
    *ret = gw_take(&json);
    return GW_OK;
}

// ------------------------------------------------------------------------------------------------ nodes

const gw_json_node *gw_json_root(const gw_json *json) {
    return json->nodes;
}

gw_json_type gw_json_type_of(const gw_json_node *node) {
    return (gw_json_type)node->type;
}

size_t gw_json_count(const gw_json_node *node) {
    return node->count;
}

const gw_json_node *gw_json_first(const gw_json_node *node) {
    return node->count == 0 ? NULL : node + 1;
}

const gw_json_node *gw_json_next(const gw_json_node *node) {
    return node->is_last ? NULL : node + node->span;
}

const char *gw_json_name(const gw_json_node *node) {
    GW_ASSERT(node->name != NULL);
    return node->name;
}

const gw_json_node *gw_json_member(const gw_json_node *object, const char *name) {
    if (object->type != GW_JSON_OBJECT)
        return NULL;
    for (const gw_json_node *member = gw_json_first(object); member != NULL; member = gw_json_next(member))
        if (strcmp(member->name, name) == 0)
            return member;
    return NULL;
}

const char *gw_json_string(const gw_json_node *node) {
    GW_ASSERT(node->type == GW_JSON_STRING);
    return node->value.string;
}

int64_t gw_json_integer(const gw_json_node *node) {
    GW_ASSERT(node->type == GW_JSON_INTEGER);
    return node->value.integer;
}

bool gw_json_bool(const gw_json_node *node) {
    GW_ASSERT(node->type == GW_JSON_BOOL);
    return node->value.boolean;
}

void gw_json_where(const gw_json *json, const gw_json_node *node, size_t *ret_line, size_t *ret_column) {
    gw_json_position(json->text, node->offset, ret_line, ret_column);
}

// ------------------------------------------------------------------------------------------------ reader

static const char *type_name(gw_json_type type) {
    switch (type) {
    case GW_JSON_NULL:
        return "null";
    case GW_JSON_BOOL:
        return "true or false";
    case GW_JSON_INTEGER:
        return "a number";
    case GW_JSON_STRING:
        return "a string";
    case GW_JSON_ARRAY:
        return "an array";
    case GW_JSON_OBJECT:
        return "an object";
    }
    return "something else";
}

const char *gw_json_shown(const char *text, char shown[GW_SHOWN_MAX]) {
    size_t i = 0;
    for (; text[i] != '\0' && i < GW_SHOWN_MAX - 3; i++)
        shown[i] = text[i] >= 0x20 && text[i] < 0x7F && text[i] != '"' ? text[i] : '?';
    strcpy(shown + i, text[i] == '\0' ? "" : "..");
    return shown;
}

void gw_json_reader_init(gw_json_reader *reader, const gw_json *json) {
    *reader = (gw_json_reader){.json = json, .status = GW_OK};
}

static void reader_fail_at(gw_json_reader *reader, size_t offset, const char *code, const char *what, const char *mend,
                           const char *why) {
    size_t line, column;
    gw_json_position(reader->json->text, offset, &line, &column);
    reader->status = gw_problem_set(&reader->problem, GW_INVALID, code, what, "", mend);
    gw_problem_why(&reader->problem, "%s, line %zu, column %zu: %s", reader->json->name, line, column, why);
}

void gw_json_fail(gw_json_reader *reader, const gw_json_node *node, const char *code, const char *what,
                  const char *mend, const char *why_format, ...) {
    if (reader->status != GW_OK)
        return;
    char why[sizeof(reader->problem.why)];
    va_list arguments;
    va_start(arguments, why_format);
    vsnprintf(why, sizeof(why), why_format, arguments);
    va_end(arguments);
    reader_fail_at(reader, node == NULL ? reader->json->nodes->offset : node->offset, code, what, mend, why);
}

static void fail_type(gw_json_reader *reader, const gw_json_node *node, const char *wanted) {
    char shown[GW_SHOWN_MAX];
    if (node->name != NULL)
        gw_json_fail(reader, node, "wrong_type", "A value has the wrong type.", "", "\"%s\" must be %s, not %s.",
                     gw_json_shown(node->name, shown), wanted, type_name((gw_json_type)node->type));
    else
        gw_json_fail(reader, node, "wrong_type", "A value has the wrong type.", "", "This must be %s, not %s.", wanted,
                     type_name((gw_json_type)node->type));
}

static void fail_unknown(gw_json_reader *reader, const gw_json_node *member, const char *const allowed[],
                         size_t count) {
    char shown[GW_SHOWN_MAX];
    char why[sizeof(reader->problem.why)];
    snprintf(why, sizeof(why), "\"%s\" is not a field here.", gw_json_shown(member->name, shown));
    reader_fail_at(reader, member->name_offset, "unknown_field", "There is an unknown field.", "", why);
    const char *nearest = gw_nearest(member->name, allowed, count);
    if (nearest != NULL) {
        gw_problem_mend(&reader->problem, "Did you mean \"%s\"?", nearest);
        return;
    }
    char list[sizeof(reader->problem.mend)] = "";
    size_t size = 0;
    for (size_t i = 0; i < count && size < sizeof(list); i++)
        size += (size_t)snprintf(list + size, sizeof(list) - size, "%s%s", i == 0 ? "" : ", ", allowed[i]);
    gw_problem_mend(&reader->problem, "Fields here are: %s.", list);
}

bool gw_json_expect_object(gw_json_reader *reader, const gw_json_node *node, const char *const allowed[]) {
    if (reader->status != GW_OK || node == NULL)
        return false;
    if (node->type != GW_JSON_OBJECT) {
        fail_type(reader, node, "an object");
        return false;
    }
    size_t count = 0;
    while (allowed[count] != NULL)
        count++;
    GW_ASSERT(count <= WORDS_MAX);
    for (const gw_json_node *member = gw_json_first(node); member != NULL; member = gw_json_next(member)) {
        bool is_known = false;
        for (size_t i = 0; i < count && !is_known; i++)
            is_known = strcmp(allowed[i], member->name) == 0;
        if (!is_known) {
            fail_unknown(reader, member, allowed, count);
            return false;
        }
    }
    return true;
}

bool gw_json_require(gw_json_reader *reader, const gw_json_node *object, const char *const required[]) {
    if (reader->status != GW_OK || object == NULL)
        return false;
    char list[256] = "";
    size_t size = 0;
    size_t missing_count = 0;
    for (size_t i = 0; required[i] != NULL; i++) {
        if (gw_json_member(object, required[i]) != NULL)
            continue;
        if (size < sizeof(list))
            size += (size_t)snprintf(list + size, sizeof(list) - size, "%s%s", size == 0 ? "" : ", ", required[i]);
        missing_count++;
    }
    if (missing_count == 0)
        return true;
    gw_json_fail(reader, object, "missing_field", missing_count == 1 ? "A field is missing." : "Fields are missing.",
                 "", "This object needs also: %s.", list);
    gw_problem_mend(&reader->problem, "Add %s.", list);
    return false;
}

// The member, if the reader is well, the member is there and has the type.
static const gw_json_node *read_member(gw_json_reader *reader, const gw_json_node *object, const char *name,
                                       gw_json_type type) {
    if (reader->status != GW_OK || object == NULL)
        return NULL;
    if (object->type != GW_JSON_OBJECT) {
        fail_type(reader, object, "an object");
        return NULL;
    }
    const char *const required[] = {name, NULL};
    if (!gw_json_require(reader, object, required))
        return NULL;
    const gw_json_node *node = gw_json_member(object, name);
    if (node->type != type) {
        fail_type(reader, node, type_name(type));
        return NULL;
    }
    return node;
}

const char *gw_json_read_string(gw_json_reader *reader, const gw_json_node *object, const char *name) {
    const gw_json_node *node = read_member(reader, object, name, GW_JSON_STRING);
    return node == NULL ? NULL : node->value.string;
}

int64_t gw_json_read_integer(gw_json_reader *reader, const gw_json_node *object, const char *name, int64_t min,
                             int64_t max) {
    const gw_json_node *node = read_member(reader, object, name, GW_JSON_INTEGER);
    if (node == NULL)
        return 0;
    if (node->value.integer < min || node->value.integer > max) {
        gw_json_fail(reader, node, "out_of_range", "A number is out of range.", "",
                     "\"%s\" must be from %" PRId64 " to %" PRId64 ".", name, min, max);
        return 0;
    }
    return node->value.integer;
}

bool gw_json_read_bool(gw_json_reader *reader, const gw_json_node *object, const char *name) {
    const gw_json_node *node = read_member(reader, object, name, GW_JSON_BOOL);
    return node != NULL && node->value.boolean;
}

const gw_json_node *gw_json_read_array(gw_json_reader *reader, const gw_json_node *object, const char *name) {
    return read_member(reader, object, name, GW_JSON_ARRAY);
}

const gw_json_node *gw_json_read_object(gw_json_reader *reader, const gw_json_node *object, const char *name) {
    return read_member(reader, object, name, GW_JSON_OBJECT);
}

gw_epsilon gw_json_read_epsilon(gw_json_reader *reader, const gw_json_node *object, const char *name) {
    gw_epsilon epsilon = {0};
    if (reader->status != GW_OK || object == NULL)
        return epsilon;
    const gw_json_node *node = gw_json_member(object, name);
    if (node != NULL && node->type != GW_JSON_STRING) {
        gw_json_fail(reader, node, "bad_epsilon", "This is not an amount of epsilon.",
                     "Write a decimal string, like \"0.05\".", "\"%s\" must be a decimal in quotes, not %s.", name,
                     type_name((gw_json_type)node->type));
        return epsilon;
    }
    const char *text = gw_json_read_string(reader, object, name);
    char shown[GW_SHOWN_MAX];
    if (text != NULL && gw_epsilon_parse(text, &epsilon) != GW_OK)
        gw_json_fail(reader, node, "bad_epsilon", "This is not an amount of epsilon.",
                     "Write a plain decimal with at most 6 places, like \"0.05\".",
                     "\"%s\" in \"%s\" has a sign, an exponent, more than 6 places, or is no number.",
                     gw_json_shown(text, shown), name);
    return epsilon;
}

bool gw_json_has(const gw_json_node *object, const char *name) {
    return gw_json_member(object, name) != NULL;
}
