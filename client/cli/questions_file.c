// SPDX-License-Identifier: Apache-2.0
// Reads a file of questions with the reader of requests, so that what passes here passes there.
#include "client/cli/questions_file.h"
#include "client/cli/doc.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"

#define FILE_BYTES_MAX 1048576u

static gw_status questions_decode(const gw_json *json, gw_arena *arena, gw_question *ret_basket,
                                  gw_problem *ret_problem) {
    static const char *const allowed[] = {"godwit_questions", "questions", NULL};
    const gw_json_node *root = gw_json_root(json);
    gw_json_reader reader;
    gw_json_reader_init(&reader, json);
    gw_question basket = {.kind = GW_KIND_COST};
    if (gw_json_expect_object(&reader, root, allowed) && gw_json_require(&reader, root, allowed)) {
        if (gw_json_read_integer(&reader, root, "godwit_questions", 0, INT64_MAX) != 1)
            gw_json_fail(&reader, gw_json_member(root, "godwit_questions"), "bad_version",
                         "The file's format is not known here.", "Write \"godwit_questions\":1.",
                         "Only version 1 is understood.");
        basket.basket =
            gw_questions_read(&reader, gw_json_read_array(&reader, root, "questions"), arena, &basket.basket_count);
    }
    if (reader.status != GW_OK) {
        *ret_problem = reader.problem;
        return reader.status;
    }
    *ret_basket = basket;
    return GW_OK;
}

gw_status gw_questions_file_read(const char *path, gw_arena *arena, gw_json **ret_json, gw_question *ret_basket,
                                 gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(path), ret_json, ret_problem);
    return status == GW_OK ? questions_decode(*ret_json, arena, ret_basket, ret_problem) : status;
}

gw_status gw_questions_file_resolve(const gw_names *names, gw_arena *arena, gw_question *basket,
                                    gw_problem *ret_problem) {
    gw_question *questions = gw_arena_array(arena, basket->basket_count, sizeof(*questions));
    if (questions == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "Out of memory.", "", "");
    for (size_t i = 0; i < basket->basket_count; i++) {
        const gw_json_node *dataset;
        questions[i] = basket->basket[i];
        gw_status status = gw_names_dataset(names, questions[i].dataset, &dataset, ret_problem);
        if (status != GW_OK)
            return status;
        questions[i].dataset = gw_doc_text(dataset, "dataset", questions[i].dataset);
    }
    basket->basket = questions;
    return GW_OK;
}
