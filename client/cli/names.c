// SPDX-License-Identifier: Apache-2.0
// Names and labels from the catalogue reply.
#include "client/cli/names.h"
#include "client/cli/doc.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <stdlib.h>
#include <string.h>

#define DATASETS_MAX 512u // more are not searched for a nearest name

struct gw_names {
    gw_json *document;
    gw_buffer text;
};
GW_DEFINE_FREEP(gw_names, gw_names_free)

gw_status gw_names_read(gw_bytes catalogue, gw_names **ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_names_freep) gw_names *names = calloc(1, sizeof(*names));
    if (names == NULL)
        return GW_NO_MEMORY;
    gw_buffer_init(&names->text, GW_REPLY_BYTES_MAX);
    gw_buffer_append(&names->text, catalogue.data, catalogue.size);
    gw_status status = names->text.status;
    if (status == GW_OK)
        status = gw_json_parse(catalogue, GW_JSON_REPLY, &names->document, ret_problem);
    if (status != GW_OK)
        return status;
    *ret = gw_take(&names);
    return GW_OK;
}

gw_status gw_names_load(gw_cli *cli, gw_session *session, gw_names **ret, gw_problem *ret_problem) {
    gw_client_reply reply;
    gw_status status = gw_ask(cli, session, gw_bytes_of("{\"v\":1,\"kind\":\"catalogue\"}"), NULL, &reply, ret_problem);
    return status == GW_OK ? gw_names_read(reply.answer, ret, ret_problem) : status;
}

void gw_names_free(gw_names *names) {
    if (names == NULL)
        return;
    gw_json_free(names->document);
    gw_buffer_done(&names->text);
    free(names);
}

const gw_json_node *gw_names_root(const gw_names *names) {
    return gw_json_root(names->document);
}

gw_bytes gw_names_text(const gw_names *names) {
    return gw_buffer_bytes(&names->text);
}

const char *gw_dataset_short(const char *dataset) {
    const char *slash = strrchr(dataset, '/');
    return slash == NULL ? dataset : slash + 1;
}

const char *gw_dataset_title(const gw_json_node *dataset) {
    const char *title = gw_doc_text(dataset, "title", "");
    return strcmp(title, gw_doc_text(dataset, "dataset", "")) == 0 ? "" : title;
}

static gw_status dataset_unknown(const gw_names *names, const char *word, gw_problem *ret_problem) {
    const char *words[2 * DATASETS_MAX];
    size_t count = 0;
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets");
         node != NULL && count + 2 <= 2 * DATASETS_MAX; node = gw_json_next(node)) {
        words[count++] = gw_doc_text(node, "dataset", "");
        words[count] = gw_dataset_short(words[count - 1]);
        count++;
    }
    gw_status status =
        gw_problem_set(ret_problem, GW_NOT_FOUND, "unknown_dataset", "",
                       "It is not in this service's catalogue, or not one that you may see.", "godwit catalogue");
    gw_problem_what(ret_problem, "There is no dataset \"%.128s\".", word);
    const char *nearest = gw_nearest(word, words, count);
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean %s?", nearest);
    return status;
}

gw_status gw_names_dataset(const gw_names *names, const char *word, const gw_json_node **ret, gw_problem *ret_problem) {
    const gw_json_node *found = NULL;
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node)) {
        const char *id = gw_doc_text(node, "dataset", "");
        if (strcmp(id, word) == 0) {
            *ret = node;
            return GW_OK;
        }
        if (strcmp(gw_dataset_short(id), word) != 0)
            continue;
        if (found != NULL) {
            gw_status status = gw_problem_set(ret_problem, GW_INVALID, "ambiguous_dataset", "", "", "");
            gw_problem_what(ret_problem, "More than one dataset is called \"%.128s\".", word);
            gw_problem_mend(ret_problem, "%s, or %s", gw_doc_text(found, "dataset", ""), id);
            return status;
        }
        found = node;
    }
    if (found == NULL)
        return dataset_unknown(names, word, ret_problem);
    *ret = found;
    return GW_OK;
}

const gw_json_node *gw_names_indicator(const gw_names *names, const char *id) {
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "indicators"); node != NULL;
         node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "indicator", ""), id) == 0)
            return node;
    return NULL;
}

static bool has_text(const gw_json_node *object, const char *name, const char *word) {
    size_t size = strcspn(word, ":"); // of "age:work" the concept
    for (const gw_json_node *node = gw_doc_first(object, name); node != NULL; node = gw_json_next(node))
        if (gw_json_type_of(node) == GW_JSON_STRING && strlen(gw_json_string(node)) == size &&
            memcmp(gw_json_string(node), word, size) == 0)
            return true;
    return false;
}

static bool has_filters(const gw_json_node *table, const gw_filter *filters, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!has_text(table, "concepts", filters[i].concept))
            return false;
    return true;
}

static bool table_fits(const gw_json_node *table, const gw_question *question) {
    if (question->table != NULL)
        return strcmp(gw_doc_text(table, "table", ""), question->table) == 0;
    for (size_t i = 0; i < question->by_count; i++)
        if (!has_text(table, "concepts", question->by[i]))
            return false;
    for (size_t t = 0; t < question->table_count; t++)
        for (size_t i = 0; i < question->tables[t].by_count; i++)
            if (!has_text(table, "concepts", question->tables[t].by[i]))
                return false;
    return (question->of == NULL || has_text(table, "concepts", question->of)) &&
           has_filters(table, question->where, question->where_count) &&
           has_filters(table, question->plus, question->plus_count) &&
           has_filters(table, question->minus, question->minus_count);
}

const gw_json_node *gw_names_table(const gw_names *names, const char *dataset, const gw_question *question) {
    for (const gw_json_node *node = gw_doc_first(gw_names_root(names), "datasets"); node != NULL;
         node = gw_json_next(node)) {
        if (strcmp(gw_doc_text(node, "dataset", ""), dataset) != 0)
            continue;
        for (const gw_json_node *table = gw_doc_first(node, "tables"); table != NULL; table = gw_json_next(table))
            if (table_fits(table, question))
                return table;
    }
    return NULL;
}

// The concept object; of "age:work" that of "age".
static const gw_json_node *concept_find(const gw_json_node *dataset, const char *concept) {
    size_t size = strcspn(concept, ":");
    for (const gw_json_node *node = gw_doc_first(dataset, "concepts"); node != NULL; node = gw_json_next(node)) {
        const char *id = gw_doc_text(node, "concept", "");
        if (strlen(id) == size && memcmp(id, concept, size) == 0)
            return node;
    }
    return NULL;
}

static const char *concept_label(void *state, const char *concept) {
    gw_names_labels *labels = state;
    return gw_doc_text(concept_find(labels->dataset, concept), "label", NULL);
}

// Bands of numbers are named as Eurostat names ages: Y20T64, Y_LT20, Y_GE65; drafts name those of other numbers with a
// B. Others keep their code.
static const char *band_label(gw_names_labels *labels, const char *code) {
    int low, high, end = 0;
    size_t size = strlen(code);
    if (code[0] != 'Y' && code[0] != 'B')
        return NULL;
    if (sscanf(code + 1, "%dT%d%n", &low, &high, &end) == 2 && (size_t)end + 1 == size)
        gw_ignore(snprintf(labels->band, sizeof(labels->band), "%d to %d", low, high)); // it fits
    else if (sscanf(code + 1, "_LT%d%n", &low, &end) == 1 && (size_t)end + 1 == size)
        gw_ignore(snprintf(labels->band, sizeof(labels->band), "under %d", low)); // it fits
    else if (sscanf(code + 1, "_GE%d%n", &low, &end) == 1 && (size_t)end + 1 == size)
        gw_ignore(snprintf(labels->band, sizeof(labels->band), "%d and over", low)); // it fits
    else
        return NULL;
    return labels->band;
}

static const char *code_label(void *state, const char *concept, const char *code) {
    gw_names_labels *labels = state;
    const gw_json_node *found = concept_find(labels->dataset, concept);
    for (const gw_json_node *node = gw_doc_first(found, "codes"); node != NULL; node = gw_json_next(node))
        if (strcmp(gw_doc_text(node, "code", ""), code) == 0)
            return gw_doc_text(node, "label", NULL);
    if (strcmp(code, "_U") == 0)
        return "Unknown";
    if (strcmp(code, "_T") == 0)
        return "Total";
    return strchr(concept, ':') != NULL ? band_label(labels, code) : NULL;
}

gw_labels gw_names_labels_of(gw_names_labels *labels, const gw_json_node *dataset) {
    labels->dataset = dataset;
    return (gw_labels){.concept = concept_label, .code = code_label, .state = labels};
}
