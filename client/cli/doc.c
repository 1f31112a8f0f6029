// SPDX-License-Identifier: Apache-2.0
// Forgiving readers over a strict parse.
#include "client/cli/doc.h"

const gw_json_node *gw_doc_at(const gw_json_node *object, const char *name) {
    if (object == NULL || gw_json_type_of(object) != GW_JSON_OBJECT)
        return NULL;
    const gw_json_node *node = gw_json_member(object, name);
    return node == NULL || gw_json_type_of(node) == GW_JSON_NULL ? NULL : node;
}

const char *gw_doc_text(const gw_json_node *object, const char *name, const char *otherwise) {
    const gw_json_node *node = gw_doc_at(object, name);
    return node != NULL && gw_json_type_of(node) == GW_JSON_STRING ? gw_json_string(node) : otherwise;
}

int64_t gw_doc_integer(const gw_json_node *object, const char *name, int64_t otherwise) {
    const gw_json_node *node = gw_doc_at(object, name);
    return node != NULL && gw_json_type_of(node) == GW_JSON_INTEGER ? gw_json_integer(node) : otherwise;
}

bool gw_doc_bool(const gw_json_node *object, const char *name) {
    const gw_json_node *node = gw_doc_at(object, name);
    return node != NULL && gw_json_type_of(node) == GW_JSON_BOOL && gw_json_bool(node);
}

const gw_json_node *gw_doc_first(const gw_json_node *object, const char *name) {
    const gw_json_node *node = gw_doc_at(object, name);
    return node != NULL && gw_json_type_of(node) == GW_JSON_ARRAY ? gw_json_first(node) : NULL;
}

gw_epsilon gw_doc_epsilon(const gw_json_node *object, const char *name) {
    gw_epsilon epsilon = {0};
    const char *text = gw_doc_text(object, name, "0");
    return gw_epsilon_parse(text, &epsilon) == GW_OK ? epsilon : (gw_epsilon){0};
}
