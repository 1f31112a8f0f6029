// SPDX-License-Identifier: Apache-2.0
// Walks a policy's JSON and finds what its draft left open.
#include "service/policy/policy_open.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/text.h"
#include <string.h>

GW_DEFINE_FREEP(gw_json, gw_json_free)

typedef struct {
    const gw_json *json;
    const gw_json_node *first;
    size_t count;
    gw_buffer *lines; // NULL: they are only counted
} open_walk;

// "ASK" alone, "ASK: …" or "ASK …"; not "ASKED".
static const char *question_of(const char *text) {
    size_t size = sizeof(GW_POLICY_ASK) - 1;
    if (strncmp(text, GW_POLICY_ASK, size) != 0 || (text[size] != '\0' && text[size] != ':' && text[size] != ' '))
        return NULL;
    text += size;
    return text + strspn(text, ": ");
}

static void found(open_walk *walk, const gw_json_node *node, const char *name, const char *of, const char *question) {
    char shown_of[GW_SHOWN_MAX];
    size_t line, column;
    if (walk->count++ == 0)
        walk->first = node;
    if (walk->lines == NULL)
        return;
    gw_json_where(walk->json, node, &line, &column);
    gw_buffer_format(walk->lines, "  line %zu  ", line);
    if (of != NULL)
        gw_buffer_format(walk->lines, "%s: ", gw_json_shown(of, shown_of));
    bool is_named = name != NULL && question_of(name) == NULL;
    char shown_name[GW_SHOWN_MAX];
    gw_buffer_format(walk->lines, "%s%s", is_named ? gw_json_shown(name, shown_name) : "",
                     is_named && question[0] != '\0' ? " = " : "");
    gw_text_clean(walk->lines, question, true);
    gw_buffer_text(walk->lines, "\n");
}

// The file's depth is bounded by its parser. `name` is the node's own, NULL in arrays; `of` that of what holds it.
static void walk_node(open_walk *walk, const gw_json_node *node, const char *name, const char *of) {
    const char *question = name == NULL ? NULL : question_of(name);
    if (question != NULL && gw_json_type_of(node) == GW_JSON_STRING)
        question = gw_json_string(node);
    if (question != NULL)
        found(walk, node, name, of, question);
    switch (gw_json_type_of(node)) {
    case GW_JSON_STRING:
        if (question == NULL && (question = question_of(gw_json_string(node))) != NULL)
            found(walk, node, name, of, question);
        return;
    case GW_JSON_ARRAY:
        for (const gw_json_node *inner = gw_json_first(node); inner != NULL; inner = gw_json_next(inner))
            walk_node(walk, inner, NULL, name != NULL ? name : of);
        return;
    case GW_JSON_OBJECT:
        for (const gw_json_node *inner = gw_json_first(node); inner != NULL; inner = gw_json_next(inner))
            walk_node(walk, inner, gw_json_name(inner), name != NULL ? name : of);
        return;
    case GW_JSON_NULL:
    case GW_JSON_BOOL:
    case GW_JSON_INTEGER:
        return;
    }
}

void gw_policy_open_refuse(gw_json_reader *reader, const gw_json *json) {
    open_walk walk = {.json = json};
    walk_node(&walk, gw_json_root(json), NULL, NULL);
    if (walk.count > 0)
        gw_json_fail(reader, walk.first, "policy_open", "This policy is a draft: it still asks you something.",
                     "godwit policy check FILE lists what is open; write the answers into the file.",
                     "%zu value%s begin%s with " GW_POLICY_ASK ".", walk.count, walk.count == 1 ? "" : "s",
                     walk.count == 1 ? "s" : "");
}

size_t gw_policy_open_list(gw_bytes text, gw_buffer *ret_lines) {
    GW_CLEANUP(gw_json_freep) gw_json *json = NULL;
    if (gw_json_parse(text, GW_JSON_FILE("policy"), &json, NULL) != GW_OK)
        return 0;
    open_walk walk = {.json = json, .lines = ret_lines};
    walk_node(&walk, gw_json_root(json), NULL, NULL);
    return walk.count;
}
