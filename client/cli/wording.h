// SPDX-License-Identifier: Apache-2.0
// Figures and questions in words: amounts, times, and a question from the command line or from a reply.
// Thread safety: pure.   Depends on: wire/question.h, client/cli/options.h.
#pragma once
#include "client/cli/options.h"
#include "service/base/crypto.h"
#include "service/format/text.h"
#include "service/wire/question.h"

#define GW_AMOUNT_TEXT 32
// An amount for people: at least two places, so that amounts beside each other read alike ("2.00", "0.025").
void gw_amount_format(gw_epsilon amount, char text[GW_AMOUNT_TEXT]);
// The same from decimal text; other texts are copied.
void gw_amount_text(const char *decimal, char text[GW_AMOUNT_TEXT]);
// "3.0" -> "3", with thousands, as its reader writes numbers (NULL: 24,108.5): "7,989" is less than eight to some.
void gw_figure_text(const char *decimal, const gw_numbers *numbers, char text[GW_AMOUNT_TEXT]);
// A principal's id: whole for programs, for people its first eight digits and "…", which tell principals apart.
void gw_id_format(const char *id, bool is_short, char text[GW_ID_HEX]);
#define GW_TIME_TEXT 24
#define GW_DAY_TEXT 64
// "1 March 2027 (in 98 days)", seen from `now`; "-" for 0.
void gw_day_format(int64_t unix_seconds, int64_t now, char text[GW_DAY_TEXT]);
void gw_time_format(int64_t unix_seconds, char text[GW_TIME_TEXT]); // "2026-11-21 22:30" in UTC; "-" for 0

// What cost and query take.
typedef struct {
    const char *by, *tables, *up_to, *epsilon, *target_error, *group_size, *measure, *table, *per;
    const char *at, *method, *fraction, *bins, *delta, *gap;
    gw_words where, plus, minus;
    bool unweighted;
} gw_question_options;
#define GW_QUESTION_TEXT(type, field, name, value, help)                                                               \
    { name, 0, GW_OPTION_TEXT, offsetof(type, field), value, help }
#define GW_QUESTION_LIST(type, field, name, value, help)                                                               \
    { name, 0, GW_OPTION_LIST, offsetof(type, field), value, help }
#define GW_QUESTION_OPTIONS(type, f)                                                                                   \
    GW_QUESTION_TEXT(type, f.by, "by", "A,B", "break down by these concepts; \"none\": one figure"),                   \
        GW_QUESTION_TEXT(type, f.tables, "tables", "A,B/A/…",                                                          \
                         "several tables of a count at one price, between slashes; \"_T\": the total"),                \
        GW_QUESTION_TEXT(type, f.up_to, "up-to", "N",                                                                  \
                         "with --by: all tables of up to N of its concepts, and the total, at one price"),             \
        GW_QUESTION_LIST(type, f.where, "where", "C=V1,V2|C=LO..HI", "only these people or rows; may repeat"),         \
        GW_QUESTION_TEXT(                                                                                              \
            type, f.measure, "measure", "STAT[:OF]",                                                                   \
            "instead of an indicator: count, share, net; mean, sum, variance, sd, histogram, median, quantile, "       \
            "poverty, gini or s80s20 of a concept (mean:income); ratio:income/hours; series:month; keys:workplace"),   \
        GW_QUESTION_TEXT(type, f.table, "table", "T",                                                                  \
                         "the table a measure is of; default: the first that knows every concept named"),              \
        GW_QUESTION_TEXT(type, f.per, "per", "person|row",                                                             \
                         "count persons, or rows (default); means: of persons' totals, or of rows"),                   \
        GW_QUESTION_TEXT(type, f.gap, "gap", "C=A:B",                                                                  \
                         "how far group A of a concept is above group B: of a rate, a share or a mean"),               \
        GW_QUESTION_LIST(type, f.plus, "plus", "C=V", "net: rows that add one; may repeat"),                           \
        GW_QUESTION_LIST(type, f.minus, "minus", "C=V", "net: rows that take one away; may repeat"),                   \
        GW_QUESTION_TEXT(type, f.at, "at", "0.1,0.5", "quantile: its levels"),                                         \
        GW_QUESTION_TEXT(type, f.method, "method", "pick|tree",                                                        \
                         "quantile: choose one value, or read it off a tree with a range; default: pick for one"),     \
        GW_QUESTION_TEXT(type, f.fraction, "fraction", "F", "poverty: below this part of the median; default 0.6"),    \
        GW_QUESTION_TEXT(type, f.bins, "bins", "N",                                                                    \
                         "histogram, quantile, poverty, gini, s80s20: at most so many bins"),                          \
        {"unweighted",   0,                                                                                            \
         GW_OPTION_FLAG, offsetof(type, f.unweighted),                                                                 \
         NULL,           "where the table has weights, leave them out"},                                               \
        GW_QUESTION_TEXT(type, f.epsilon, "epsilon", "E", "the price to pay: less error for more"),                    \
        GW_QUESTION_TEXT(type, f.delta, "delta", "D", "keys: less than the policy's, such as 1e-10; fewer keys show"), \
        GW_QUESTION_TEXT(type, f.target_error, "target-error", "X",                                                    \
                         "the error to live with, 19 times in 20; the price follows from it"),                         \
        GW_QUESTION_TEXT(type, f.group_size, "group-size", "N",                                                        \
                         "people in a typical group, for the error of rates and means")

// The value of `option` as an amount; the refusal names both. Code: bad_epsilon.
GW_MUST_CHECK gw_status gw_amount_read(const char *option, const char *text, bool takes_zero, gw_epsilon *ret,
                                       gw_problem *ret_problem);
// words: DATASET [INDICATOR]. `dataset` is the full id. Texts live in the arena or in argv. Whatever the service would
// refuse for its form is refused here, in the words of the command line.
// Codes: words, bad_epsilon, bad_delta, bad_target_error, bad_filter, bad_by, bad_name, option_value, option_twice,
// too_many.
GW_MUST_CHECK gw_status gw_question_read(const gw_question_options *options, const gw_words *words, const char *dataset,
                                         gw_arena *arena, gw_question *ret, gw_problem *ret_problem);
bool gw_question_is_typed(const gw_question_options *options); // whether any of them was given
// "employment_rate by c_birth,sex where sex=F,M" from a canonical question object.
void gw_question_say(const gw_json_node *question, gw_buffer *text);
// A release id becomes a file name, so it may hold nothing else than ours do: letters, digits and '-'.
bool gw_release_is_plain(const char *release);
// Each of argv behind a space, quoted so that a shell reads it back; and the same behind "godwit <name>".
void gw_command_words(int argc, char *const *argv, gw_buffer *text);
void gw_command_line(const char *name, int argc, char *const *argv, gw_buffer *text);
