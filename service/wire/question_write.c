// SPDX-License-Identifier: Apache-2.0
// Questions written, for clients and for what is kept of them. What is written here is read back by question.c without
// a change.
#include "service/wire/question.h"
#include "service/base/check.h"

static void encode_names(gw_buffer *buffer, const char *name, const char *const *names, size_t count) {
    gw_json_write_name(buffer, name);
    gw_buffer_text(buffer, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            gw_buffer_text(buffer, ",");
        gw_json_write_string(buffer, names[i]);
    }
    gw_buffer_text(buffer, "]");
}

static void encode_filter(gw_buffer *buffer, const gw_filter *filter) {
    gw_buffer_text(buffer, "{");
    gw_json_write_member(buffer, "concept", filter->concept);
    const char *const bounds[] = {filter->low, filter->high};
    switch (filter->kind) {
    case GW_FILTER_IN:
        encode_names(buffer, "in", filter->codes, filter->code_count);
        break;
    case GW_FILTER_EQUALS:
        gw_json_write_member(buffer, "equals", filter->codes[0]);
        break;
    case GW_FILTER_BETWEEN:
        encode_names(buffer, "between", bounds, 2);
        break;
    }
    gw_buffer_text(buffer, "}");
}

void gw_filters_encode(gw_buffer *buffer, const char *name, const gw_filter *filters, size_t count) {
    gw_json_write_name(buffer, name);
    gw_buffer_text(buffer, "[");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_text(buffer, i == 0 ? "" : ",");
        encode_filter(buffer, &filters[i]);
    }
    gw_buffer_text(buffer, "]");
}

static void encode_what(const gw_question *question, gw_buffer *buffer) {
    if (question->indicator != NULL) {
        gw_json_write_member(buffer, "indicator", question->indicator);
        return;
    }
    gw_json_write_name(buffer, "measure");
    gw_buffer_text(buffer, "{");
    gw_json_write_member(buffer, "statistic", gw_statistic_name(question->statistic));
    if (question->of != NULL)
        gw_json_write_member(buffer, "of", question->of);
    if (question->over != NULL)
        gw_json_write_member(buffer, "over", question->over);
    if (question->level_count > 0)
        encode_names(buffer, "at", question->levels, question->level_count);
    if (question->bins != 0)
        gw_json_write_integer(buffer, "bins", question->bins);
    if (question->method != NULL)
        gw_json_write_member(buffer, "method", question->method);
    if (question->fraction != NULL)
        gw_json_write_member(buffer, "fraction", question->fraction);
    if (question->table != NULL)
        gw_json_write_member(buffer, "table", question->table);
    if (question->is_per_person)
        gw_json_write_member(buffer, "per", "person");
    if (question->statistic == GW_STATISTIC_NET) {
        gw_filters_encode(buffer, "plus", question->plus, question->plus_count);
        gw_filters_encode(buffer, "minus", question->minus, question->minus_count);
    }
    gw_buffer_text(buffer, "}");
}

static void encode_gap(const gw_question_gap *gap, gw_buffer *buffer) {
    gw_json_write_name(buffer, "gap");
    gw_buffer_text(buffer, "{");
    gw_json_write_member(buffer, "concept", gap->concept);
    gw_json_write_member(buffer, "group", gap->group);
    gw_json_write_member(buffer, "reference", gap->reference);
    gw_buffer_text(buffer, "}");
}

static void encode_tables(const gw_question *question, gw_buffer *buffer) {
    gw_json_write_name(buffer, "tables");
    gw_buffer_text(buffer, "[");
    for (size_t i = 0; i < question->table_count; i++) {
        gw_buffer_text(buffer, i == 0 ? "[" : ",[");
        for (size_t j = 0; j < question->tables[i].by_count; j++) {
            gw_buffer_text(buffer, j == 0 ? "" : ",");
            gw_json_write_string(buffer, question->tables[i].by[j]);
        }
        gw_buffer_text(buffer, "]");
    }
    gw_buffer_text(buffer, "]");
}

static void encode_query(const gw_question *question, gw_buffer *buffer) {
    encode_what(question, buffer);
    if (question->is_unweighted) {
        gw_json_write_name(buffer, "weighted");
        gw_buffer_text(buffer, "false");
    }
    if (question->where_count > 0)
        gw_filters_encode(buffer, "where", question->where, question->where_count);
    if (question->has_by)
        encode_names(buffer, "by", question->by, question->by_count);
    if (question->gap != NULL)
        encode_gap(question->gap, buffer);
    if (question->table_count > 0)
        encode_tables(question, buffer);
    if (question->has_epsilon)
        gw_json_write_epsilon(buffer, "epsilon", question->epsilon);
    if (question->has_delta) {
        char delta[GW_DELTA_TEXT];
        gw_delta_format(question->delta, delta);
        gw_json_write_member(buffer, "delta", delta);
    }
    if (question->target_error != NULL)
        gw_json_write_member(buffer, "target_error", question->target_error);
    if (question->group_size != 0)
        gw_json_write_integer(buffer, "group_size", (int64_t)question->group_size);
    if (question->has_max_cost)
        gw_json_write_epsilon(buffer, "max_cost", question->max_cost);
}

static void encode_basket(const gw_question *question, gw_buffer *buffer) {
    gw_json_write_name(buffer, "questions");
    gw_buffer_text(buffer, "[");
    for (size_t i = 0; i < question->basket_count; i++) {
        gw_buffer_text(buffer, i == 0 ? "{" : ",{");
        gw_json_write_member(buffer, "dataset", question->basket[i].dataset);
        encode_query(&question->basket[i], buffer);
        gw_buffer_text(buffer, "}");
    }
    gw_buffer_text(buffer, "]");
}

static bool has_query(const gw_question *question) {
    return (question->kind == GW_KIND_QUERY || question->kind == GW_KIND_COST || question->kind == GW_KIND_DUMMY) &&
           question->quote == NULL && question->basket == NULL;
}

void gw_question_encode(const gw_question *question, gw_buffer *buffer) {
    GW_ASSERT(question->kind != GW_KIND_ADMIN);
    gw_buffer_text(buffer, "{");
    gw_json_write_integer(buffer, "v", 1);
    gw_json_write_member(buffer, "kind", gw_question_kind_name(question->kind));
    if (question->dataset != NULL)
        gw_json_write_member(buffer, "dataset", question->dataset);
    if (has_query(question))
        encode_query(question, buffer);
    if (question->quote != NULL) {
        gw_json_write_member(buffer, "quote", question->quote);
        if (question->has_max_cost)
            gw_json_write_epsilon(buffer, "max_cost", question->max_cost);
    }
    if (question->basket != NULL)
        encode_basket(question, buffer);
    if (question->note != NULL)
        gw_json_write_member(buffer, "note", question->note);
    if (question->all) {
        gw_json_write_name(buffer, "all");
        gw_buffer_text(buffer, "true");
    }
    gw_buffer_text(buffer, "}");
}
