// SPDX-License-Identifier: Apache-2.0
// The service's catalogue as the command needs it: short names of datasets, and labels for tables.
// Thread safety: immutable after load.   Depends on: client/cli/ask.h, format/table.h.
#pragma once
#include "client/cli/ask.h"
#include "service/format/table.h"
#include "service/wire/question.h"

typedef struct gw_names gw_names;
GW_MUST_CHECK gw_status gw_names_load(gw_cli *cli, gw_session *session, gw_names **ret, gw_problem *ret_problem);
// From a catalogue document's text, for tests and for one that is at hand.
GW_MUST_CHECK gw_status gw_names_read(gw_bytes catalogue, gw_names **ret, gw_problem *ret_problem);
void gw_names_free(gw_names *names); // accepts NULL

const gw_json_node *gw_names_root(const gw_names *names);
gw_bytes gw_names_text(const gw_names *names); // the document as it came
// The dataset object that `word` names: the full id, or its last part where that is unique. Codes: unknown_dataset
// (with "Did you mean"), ambiguous_dataset.
GW_MUST_CHECK gw_status gw_names_dataset(const gw_names *names, const char *word, const gw_json_node **ret,
                                         gw_problem *ret_problem);
// The indicator object, or NULL.
const gw_json_node *gw_names_indicator(const gw_names *names, const char *id);
// The table a measure of this question is of: the one it names, or the first that knows every concept it names. NULL
// where there is none, or the service tells no tables.
const gw_json_node *gw_names_table(const gw_names *names, const char *dataset, const gw_question *question);
// Labels of one dataset's concepts and codes; bands of ages and the like are put into words ("Y20T64": "20 to 64").
// Borrows `names` and `dataset`; the texts of bands live in `ret_labels`.
typedef struct {
    const gw_json_node *dataset;
    char band[64]; // the latest band in words
} gw_names_labels;
gw_labels gw_names_labels_of(gw_names_labels *labels, const gw_json_node *dataset);
// What the owner calls it, "" where that is its id again.
const char *gw_dataset_title(const gw_json_node *dataset);
// The id without what stands before its last '/'.
const char *gw_dataset_short(const char *dataset);
