// SPDX-License-Identifier: Apache-2.0
// Names, texts and memory for the loaders.
#include "service/policy/load.h"

#include "service/wire/question.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/format/text.h"
#include <string.h>

#define TEXT_SIZE_MAX 2000u // bytes of a label, a definition, a notice

static const char what_name[] = "A name has characters that names cannot have.";
static const char mend_name[] =
    "Use at most 128 ASCII letters, digits and . _ - / : and no part that starts with a dot.";

static void fail_no_memory(gw_load *load) {
    gw_json_fail(&load->reader, NULL, "too_many", "The file is too big.", "Split it.",
                 "It does not fit the memory set aside for one file.");
}

void *gw_load_array(gw_load *load, size_t count, size_t size) {
    if (load->reader.status != GW_OK)
        return NULL;
    void *array = gw_arena_array(load->arena, count, size);
    if (array == NULL)
        fail_no_memory(load);
    return array;
}

const char *gw_load_copy(gw_load *load, const char *text) {
    if (text == NULL)
        return NULL;
    const char *copy = gw_arena_string(load->arena, text);
    if (copy == NULL)
        fail_no_memory(load);
    return copy;
}

const char *gw_load_name_at(gw_load *load, const gw_json_node *node, const char *name, const char *extra) {
    if (load->reader.status != GW_OK || name == NULL)
        return NULL;
    char shown[GW_SHOWN_MAX];
    if (!gw_name_is_valid(name)) {
        gw_json_fail(&load->reader, node, "bad_name", what_name, mend_name, "\"%s\" is not a name.",
                     gw_json_shown(name, shown));
        return NULL;
    }
    if (strpbrk(name, extra) != NULL) {
        gw_json_fail(&load->reader, node, "bad_name", what_name, "Leave those characters out.",
                     "\"%s\" may not hold any of %s here.", gw_json_shown(name, shown), extra);
        return NULL;
    }
    return gw_load_copy(load, name);
}

// A name that stands in somebody else's file is taken as it is: what a terminal can show cannot mislead its reader.
const char *gw_load_header_at(gw_load *load, const gw_json_node *node, const char *name) {
    if (load->reader.status != GW_OK || name == NULL)
        return NULL;
    char shown[GW_SHOWN_MAX];
    GW_CLEANUP(gw_buffer_done) gw_buffer clean;
    gw_buffer_init(&clean, TEXT_SIZE_MAX);
    bool is_fitting = name[0] != '\0' && strlen(name) <= GW_NAME_MAX && strchr(name, '\n') == NULL &&
                      gw_utf8_is_valid(gw_bytes_of(name));
    if (is_fitting)
        gw_text_clean(&clean, name, true);
    if (is_fitting && strcmp(gw_buffer_string(&clean), name) == 0)
        return gw_load_copy(load, name);
    gw_json_fail(&load->reader, node, "bad_name", "A column of the source cannot be called this.",
                 "Use 1 to 128 bytes of printable text, and rename the column in the source.",
                 "\"%s\" is empty, too long, or holds control characters.", gw_json_shown(name, shown));
    return NULL;
}

const char *gw_load_name(gw_load *load, const gw_json_node *object, const char *field, const char *extra) {
    const char *name = gw_json_read_string(&load->reader, object, field);
    return name == NULL ? NULL : gw_load_name_at(load, gw_json_member(object, field), name, extra);
}

const char *const *gw_load_names(gw_load *load, const gw_json_node *object, const char *field, size_t count_max,
                                 const char *code, size_t *ret_count) {
    const gw_json_node *array = gw_json_read_array(&load->reader, object, field);
    if (array == NULL)
        return NULL;
    size_t count = gw_json_count(array);
    if (count > count_max)
        gw_json_fail(&load->reader, array, "too_many", "A list is too long.", "Shorten it.",
                     "\"%s\" may hold at most %zu names, not %zu.", field, count_max, count);
    const char **names = gw_load_array(load, count + 1, sizeof(*names));
    size_t i = 0;
    for (const gw_json_node *node = gw_json_first(array); node != NULL && names != NULL;
         node = gw_json_next(node), i++) {
        if (gw_json_type_of(node) != GW_JSON_STRING)
            gw_json_fail(&load->reader, node, "wrong_type", "A value has the wrong type.", "Write names in quotes.",
                         "\"%s\" must be a list of names.", field);
        else
            names[i] = gw_load_name_at(load, node, gw_json_string(node), "");
        if (load->reader.status != GW_OK)
            return NULL;
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[j], names[i]) == 0)
                gw_json_fail(&load->reader, node, code, "A name stands twice in a list.", "Keep one of the two.",
                             "\"%s\" stands twice in \"%s\".", names[i], field);
    }
    *ret_count = count;
    return load->reader.status == GW_OK ? names : NULL;
}

// Two lower-case letters (ISO 639-1), the only names a text in languages may have.
static bool is_language(const char *name) {
    return strlen(name) == 2 && name[0] >= 'a' && name[0] <= 'z' && name[1] >= 'a' && name[1] <= 'z';
}

bool gw_load_is_text(const char *text) {
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return false;
    return size > 0 && size <= TEXT_SIZE_MAX;
}

const char *gw_load_text(gw_load *load, const gw_json_node *object, const char *field, bool is_required) {
    if (load->reader.status != GW_OK || object == NULL || (!is_required && !gw_json_has(object, field)))
        return NULL;
    const gw_json_node *texts = gw_json_read_object(&load->reader, object, field);
    if (texts == NULL)
        return NULL;
    for (const gw_json_node *text = gw_json_first(texts); text != NULL; text = gw_json_next(text)) {
        if (!is_language(gw_json_name(text)))
            gw_json_fail(&load->reader, text, "unknown_field", "There is an unknown field.",
                         "Name languages with two letters: {\"en\":\"…\"}.", "\"%s\" holds texts by language.", field);
        else if (gw_json_type_of(text) != GW_JSON_STRING || !gw_load_is_text(gw_json_string(text)))
            gw_json_fail(&load->reader, text, "wrong_type", "A value has the wrong type.",
                         "Write a short line of text.",
                         "A text in \"%s\" must be a string of 1 to %u bytes on one line.", field, TEXT_SIZE_MAX);
    }
    return gw_load_copy(load, gw_json_read_string(&load->reader, texts, "en"));
}

bool gw_concept_is_valid(const char *concept) {
    if (concept[0] < 'a' || concept[0] > 'z')
        return false;
    size_t size = strspn(concept, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return concept[size] == '\0' && size <= GW_NAME_MAX;
}

const char *gw_load_concept(gw_load *load, const gw_json_node *object) {
    const char *concept = gw_json_read_string(&load->reader, object, "concept");
    if (concept == NULL)
        return NULL;
    char shown[GW_SHOWN_MAX];
    if (!gw_concept_is_valid(concept)) {
        gw_json_fail(&load->reader, gw_json_member(object, "concept"), "policy_concept", "This is not a concept.",
                     "Use lower-case letters, digits and _, a letter first: \"c_birth\".",
                     "\"%s\" is not a concept id.", gw_json_shown(concept, shown));
        return NULL;
    }
    if (strcmp(concept, GW_BY_QUANTILE) == 0 || strcmp(concept, GW_BY_SPAN) == 0) {
        gw_json_fail(&load->reader, gw_json_member(object, "concept"), "policy_concept", "This name is taken.",
                     "Give the concept another name; the column keeps its own.",
                     "\"%s\" is a breakdown that statistics have of their own: an answer would have it twice.",
                     concept);
        return NULL;
    }
    return gw_load_copy(load, concept);
}
