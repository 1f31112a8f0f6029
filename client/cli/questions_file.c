// SPDX-License-Identifier: Apache-2.0
// Reads a file of questions with the reader of requests, so that what passes here passes there.
#include "client/cli/questions_file.h"
#include "client/cli/doc.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"

#define FILE_BYTES_MAX 1048576u

gw_status gw_questions_file_read(const char *path, gw_arena *arena, gw_json **ret_json, gw_question *ret_basket,
                                 gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    if (status == GW_OK)
        status = gw_json_parse(gw_buffer_bytes(&text), GW_JSON_FILE(path), ret_json, ret_problem);
    return status == GW_OK ? gw_questions_file_decode(*ret_json, arena, ret_basket, ret_problem) : status;
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
