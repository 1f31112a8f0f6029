// SPDX-License-Identifier: Apache-2.0
// From a file to parts with their noise. Which cells a figure is made of is kept, so that no released integer is used
// twice in one comparison.
#include "client/cli/saved.h"
#include "client/cli/log_key.h"
#include "service/audit/verify.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/format/cell_figures.h"
#include "service/wire/receipt.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX 268435456u
#define SUFFIX ".answer.json"
#define CODES_SHOWN 16u // in a refusal

// ---- reading

static const char *file_of(const char *name, gw_arena *arena) {
    if (access(name, F_OK) == 0)
        return gw_arena_string(arena, name);
    const char *path = gw_arena_format(arena, "%s" SUFFIX, name);
    return path != NULL && access(path, F_OK) == 0 ? path : gw_arena_string(arena, name);
}

// "X.answer.json" -> "X.tlog-proof", which may not be there.
static const char *receipt_of(const char *path, gw_arena *arena) {
    size_t size = strlen(path), suffix_size = sizeof(SUFFIX) - 1;
    if (size <= suffix_size || strcmp(path + size - suffix_size, SUFFIX) != 0)
        return NULL;
    const char *receipt = gw_arena_format(arena, "%.*s.tlog-proof", (int)(size - suffix_size), path);
    return receipt != NULL && access(receipt, F_OK) == 0 ? receipt : NULL;
}

static gw_status receipt_check(const gw_cli *cli, const char *path, gw_bytes answer, gw_saved_proof *ret,
                               gw_problem *ret_problem) {
    gw_note_key key;
    gw_entry charge, release;
    gw_problem unread;
    bool has_key = false;
    *ret = GW_SAVED_NO_KEY;
    GW_CLEANUP(gw_buffer_done) gw_buffer receipt;
    GW_CLEANUP(gw_buffer_done) gw_buffer scratch;
    gw_receipt parts = {.checkpoint = {0}};
    gw_buffer_init(&receipt, 65536);
    gw_buffer_init(&scratch, GW_RECEIPT_MAX);
    gw_status status = gw_file_read(path, &receipt, ret_problem);
    gw_bytes bytes = gw_buffer_bytes(&receipt);
    bool is_read = status == GW_OK && gw_receipt_decode(bytes, &scratch, &parts, &unread) == GW_OK;
    gw_bytes note = is_read ? parts.checkpoint : (gw_bytes){0}; // what cannot be read is found again below
    if (gw_log_key_find(cli, NULL, note, &key, &has_key, &unread) != GW_OK || !has_key)
        return GW_OK;
    if (status == GW_OK)
        status = gw_audit_receipt(bytes, answer, (gw_bytes){0}, &key, &charge, &release, ret_problem);
    if (status == GW_OK)
        *ret = GW_SAVED_PROVEN;
    return status;
}

static gw_status not_an_answer(const char *path, const gw_problem *cause, gw_problem *ret_problem) {
    gw_problem problem;
    gw_status status = gw_problem_set(&problem, GW_INVALID, "not_an_answer", "", "",
                                      "Name the RELEASE.answer.json that godwit query saved.");
    gw_problem_what(&problem, "%.200s is not a saved answer.", path);
    gw_problem_why(&problem, "%.200s %.300s", cause->what, cause->why);
    *ret_problem = problem;
    return status;
}

static void figures_init(gw_saved *saved) {
    const gw_answer *answer = &saved->answer;
    double grid = strtod(answer->grid, NULL);
    saved->step = grid;
    saved->range = 100;
    if (saved->statistic == GW_STATISTIC_MEAN)
        saved->minimum = strtod(answer->offset, NULL);
    if (answer->width > 0)
        saved->range = grid * (double)answer->width;
    if (saved->statistic == GW_STATISTIC_RATIO && answer->over_grid != NULL)
        saved->range = grid / strtod(answer->over_grid, NULL);
}

// The statistics this command knows, with as many parts as they have, and cells.
static bool answer_is_known(gw_saved *saved) {
    const gw_answer *answer = &saved->answer;
    if (gw_statistic_parse(answer->statistic, &saved->statistic) != GW_OK || answer->cell_count == 0)
        return false;
    size_t parts = gw_figures_part_count(saved->statistic, false);
    bool is_tree = answer->measured.kind != NULL && answer->part_count == 0;
    return (is_tree || answer->part_count == (parts > 0 ? parts : 1)) && strtod(answer->grid, NULL) > 0;
}

// Each figure is made from the noise of several tables: no sum or difference of two has a range of their own integers.
static gw_status several_tables(const char *path, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "several_tables", "",
                                      "Its tables were worked out together, so their figures share noise: a range for "
                                      "a sum or a difference of them would be wrong.",
                                      "Totals are in the answer itself (_T). To compare groups, ask for the one table: "
                                      "godwit query … --by");
    gw_problem_what(ret_problem, "%.200s holds several tables at one price.", path);
    return status;
}

gw_status gw_saved_read(const gw_cli *cli, const char *name, gw_arena *arena, gw_saved *ret, gw_saved_proof *ret_proof,
                        gw_problem *ret_problem) {
    gw_problem cause = {0};
    gw_buffer bytes;
    gw_saved saved = {.path = file_of(name, arena)};
    gw_buffer_init(&bytes, ANSWER_BYTES_MAX);
    gw_status status = saved.path == NULL
                           ? gw_problem_set(ret_problem, GW_LIMIT, "too_many", "Too much at once.", "", "")
                           : gw_file_read(saved.path, &bytes, ret_problem);
    if (status == GW_OK && gw_answer_decode(gw_buffer_bytes(&bytes), arena, &saved.answer, &cause) != GW_OK)
        status = not_an_answer(saved.path, &cause, ret_problem);
    if (status == GW_OK && saved.answer.gap_of != NULL)
        status = gw_problem_set(ret_problem, GW_INVALID, "not_comparable", "A gap is a comparison already.",
                                "Its sign and its range say which group is higher, and whether that is sure.",
                                "To compare otherwise, ask for the figures of both groups: --by instead of --gap.");
    if (status == GW_OK && saved.answer.block_count > 0)
        status = several_tables(saved.path, ret_problem);
    if (status == GW_OK && !answer_is_known(&saved))
        status = not_an_answer(saved.path, &(gw_problem){.what = "It holds a statistic I don't know."}, ret_problem);
    const char *receipt = status == GW_OK ? receipt_of(saved.path, arena) : NULL;
    *ret_proof = GW_SAVED_NO_RECEIPT;
    if (status == GW_OK && saved.answer.is_dummy)
        *ret_proof = GW_SAVED_DUMMY;
    else if (receipt != NULL)
        status = receipt_check(cli, receipt, gw_buffer_bytes(&bytes), ret_proof, ret_problem);
    gw_buffer_done(&bytes);
    if (status != GW_OK)
        return status;
    figures_init(&saved);
    *ret = saved;
    return GW_OK;
}

// ---- picking

static gw_status no_memory(gw_problem *ret_problem) {
    return gw_problem_set(ret_problem, GW_LIMIT, "too_many", "This is too much to compare at once.", "", "");
}

static gw_status bad_key(const gw_saved *saved, const char *key, gw_problem *ret_problem) {
    gw_status status =
        gw_problem_set(ret_problem, GW_INVALID, "bad_key", "", "A key says CONCEPT=CODE, with commas.", "");
    gw_problem_what(ret_problem, "\"%.100s\" does not name cells.", key);
    if (saved->answer.by_count > 0)
        gw_problem_mend(ret_problem, "%.100s=%.100s, or all", saved->answer.by[0], saved->answer.cells[0].key[0]);
    else
        gw_problem_mend(ret_problem, "This answer has one figure: all");
    return status;
}

// "age" finds "age:work" too.
static bool concept_is(const char *by, const char *name, size_t size) {
    return strncmp(by, name, size) == 0 && (by[size] == '\0' || (by[size] == ':' && memchr(name, ':', size) == NULL));
}

static gw_status concept_find(const gw_saved *saved, const char *name, size_t size, size_t *ret,
                              gw_problem *ret_problem) {
    const gw_answer *answer = &saved->answer;
    for (size_t i = 0; i < answer->by_count; i++)
        if (concept_is(answer->by[i], name, size)) {
            *ret = i;
            return GW_OK;
        }
    char word[128];
    gw_ignore(snprintf(word, sizeof(word), "%.*s", (int)size, name)); // a longer word has no near one
    const char *nearest = gw_nearest(word, answer->by, answer->by_count);
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "unknown_concept", "", "", "");
    gw_problem_what(ret_problem, "\"%.100s\" is no breakdown of %.150s.", word, answer->release);
    gw_buffer all;
    gw_buffer_init(&all, 400);
    for (size_t i = 0; i < answer->by_count; i++)
        gw_buffer_format(&all, "%s%s", i == 0 ? "" : ", ", answer->by[i]);
    gw_problem_why(ret_problem, "It is broken down by %s.", all.size == 0 ? "nothing" : gw_buffer_string(&all));
    gw_buffer_done(&all);
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean \"%s\"?", nearest);
    return status;
}

// The different codes of one axis, in the order of the cells. Returns how many there are.
static size_t codes_of(const gw_answer *answer, size_t axis, const char **codes) {
    size_t count = 0;
    for (size_t i = 0; i < answer->cell_count; i++) {
        const char *code = answer->cells[i].key[axis];
        size_t at = 0;
        while (at < count && strcmp(codes[at], code) != 0)
            at++;
        if (at == count)
            codes[count++] = code;
    }
    return count;
}

static gw_status unknown_code(const gw_saved *saved, size_t axis, const char *code, gw_arena *arena,
                              gw_problem *ret_problem) {
    const gw_answer *answer = &saved->answer;
    const char **codes = gw_arena_array(arena, answer->cell_count, sizeof(*codes));
    size_t count = codes == NULL ? 0 : codes_of(answer, axis, codes);
    const char *nearest = gw_nearest(code, codes, count);
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "unknown_code", "", "", "");
    gw_problem_what(ret_problem, "No cell of %.150s has %.100s=%.100s.", answer->release, answer->by[axis], code);
    gw_buffer all;
    gw_buffer_init(&all, 480);
    for (size_t i = 0; i < count && i < CODES_SHOWN; i++)
        gw_buffer_format(&all, "%s%.24s", i == 0 ? "" : ", ", codes[i]);
    gw_buffer_text(&all, count > CODES_SHOWN ? ", …" : "");
    gw_problem_why(ret_problem, "Its codes are %s.", gw_buffer_string(&all));
    gw_buffer_done(&all);
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean \"%s=%s\"?", answer->by[axis], nearest);
    return status;
}

// Keeps the cells with this code.
static gw_status pick_one(gw_saved_group *group, const char *term, bool *is_named, gw_arena *arena,
                          gw_problem *ret_problem) {
    const gw_answer *answer = &group->saved->answer;
    const char *equals = strchr(term, '=');
    size_t axis, left = 0;
    if (equals == NULL || equals == term || equals[1] == '\0')
        return bad_key(group->saved, term, ret_problem);
    gw_status status = concept_find(group->saved, term, (size_t)(equals - term), &axis, ret_problem);
    if (status != GW_OK)
        return status;
    if (is_named[axis])
        return bad_key(group->saved, group->key, ret_problem);
    is_named[axis] = true;
    bool is_known = false;
    for (size_t i = 0; i < answer->cell_count; i++) {
        bool has_code = strcmp(answer->cells[i].key[axis], equals + 1) == 0;
        is_known |= has_code;
        group->is_in[i] &= has_code;
        left += group->is_in[i];
    }
    group->cell_count = left;
    return is_known ? GW_OK : unknown_code(group->saved, axis, equals + 1, arena, ret_problem);
}

gw_status gw_saved_pick(const gw_saved *saved, const char *key, gw_arena *arena, gw_saved_group *ret,
                        gw_problem *ret_problem) {
    size_t cell_count = saved->answer.cell_count;
    gw_saved_group group = {.saved = saved, .key = key, .cell_count = cell_count};
    group.is_in = gw_arena_array(arena, cell_count, sizeof(*group.is_in));
    bool *is_named = gw_arena_array(arena, saved->answer.by_count + 1, sizeof(*is_named));
    char *terms = gw_arena_string(arena, key);
    if (group.is_in == NULL || is_named == NULL || terms == NULL)
        return no_memory(ret_problem);
    memset(group.is_in, 1, cell_count * sizeof(*group.is_in));
    for (char *rest = terms, *term; strcmp(key, "all") != 0 && rest != NULL;) {
        term = strsep(&rest, ",");
        gw_status status = pick_one(&group, term, is_named, arena, ret_problem);
        if (status != GW_OK)
            return status;
    }
    *ret = group;
    return GW_OK;
}

gw_status gw_saved_axis(const gw_saved *saved, const char *concept, size_t *ret, gw_problem *ret_problem) {
    return concept_find(saved, concept, strlen(concept), ret, ret_problem);
}

bool gw_saved_is_same(const gw_saved *a, const gw_saved *b) {
    return strcmp(a->answer.release, b->answer.release) == 0 && strcmp(a->answer.question, b->answer.question) == 0;
}

bool gw_saved_overlap(const gw_saved_group *a, const gw_saved_group *b) {
    if (!gw_saved_is_same(a->saved, b->saved) || a->saved->answer.cell_count != b->saved->answer.cell_count)
        return false;
    for (size_t i = 0; i < a->saved->answer.cell_count; i++)
        if (a->is_in[i] && b->is_in[i])
            return true;
    return false;
}

// ---- adding up

static void part_add(gw_combine_part *part, const gw_answer_cell *cell, size_t which) {
    gw_int128 value = 0;
    GW_ASSERT(gw_int128_parse(cell->parts[which], &value)); // the decoder saw to it
    if (__builtin_add_overflow(part->value, value, &part->value))
        part->step = 0; // no such figure was ever measured; combine.h refuses it
    part->count++;
}

static gw_combine_part part_new(const gw_saved *saved) {
    bool is_laplace = strcmp(saved->answer.law, "discrete-laplace") == 0; // what combine.h reckons with
    bool is_divided = gw_saved_is_ratio(saved) || gw_saved_is_spread(saved) || saved->statistic == GW_STATISTIC_RATIO;
    return (gw_combine_part){.noise = saved->answer.noise, .step = !is_laplace ? 0 : is_divided ? 1.0 : saved->step};
}

gw_combine_part gw_saved_sum(const gw_saved_group *group, size_t part) {
    gw_combine_part sum = part_new(group->saved);
    for (size_t i = 0; i < group->saved->answer.cell_count; i++)
        if (group->is_in[i])
            part_add(&sum, &group->saved->answer.cells[i], part);
    return sum;
}

gw_combine_part gw_saved_rest(const gw_saved_group *a, const gw_saved_group *b) {
    gw_combine_part sum = part_new(a->saved);
    for (size_t i = 0; i < a->saved->answer.cell_count; i++)
        if (!a->is_in[i] && (b == NULL || !b->is_in[i]))
            part_add(&sum, &a->saved->answer.cells[i], 0);
    return sum;
}

gw_combine_ratio gw_saved_ratio(const gw_saved_group *group) {
    bool is_share = group->saved->statistic == GW_STATISTIC_SHARE;
    return (gw_combine_ratio){.with = gw_saved_sum(group, 0),
                              .without = is_share ? gw_saved_rest(group, NULL) : gw_saved_sum(group, 1),
                              .minimum = group->saved->minimum,
                              .range = group->saved->range};
}

gw_moments gw_saved_moments(const gw_saved_group *group) {
    gw_moments moments = {.range = group->saved->range, .width = group->saved->answer.width};
    for (size_t part = 0; part < 3; part++)
        moments.parts[part] = gw_saved_sum(group, part);
    return moments;
}

bool gw_saved_is_spread(const gw_saved *saved) {
    return saved->statistic == GW_STATISTIC_VARIANCE || saved->statistic == GW_STATISTIC_SD;
}

bool gw_saved_is_ratio(const gw_saved *saved) {
    return saved->statistic == GW_STATISTIC_SHARE || saved->statistic == GW_STATISTIC_RATE ||
           saved->statistic == GW_STATISTIC_MEAN;
}
