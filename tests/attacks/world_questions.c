// SPDX-License-Identifier: Apache-2.0
// Questions of every statistic: forms that are tried until one has a plan. A statistic that the service learns to plan
// is drawn from then on by itself; where no form fits it, the caller fails.
#include "tests/attacks/world.h"

#include "tests/support/unit.h"

#define DRAWS_MAX 400u

typedef struct {
    const char *before, *after; // the statistic's name stands between
} form;

// Of whatever is counted: by the whole statistic, per row and per person, of values, and with what some of them need.
static const form forms[] = {
    {"\"measure\":{\"statistic\":\"", "\",\"table\":\"persons\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"table\":\"permits\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"table\":\"permits\",\"per\":\"person\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"fee\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"fee\",\"per\":\"person\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"hours\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\",\"bins\":16}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\",\"over\":\"hours\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"fee\",\"over\":\"month\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\",\"bins\":20,\"at\":[\"0.5\"]}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\",\"bins\":16,\"at\":[\"0.1\",\"0.5\",\"0.9\"]}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\",\"at\":[\"0.25\"],\"method\":\"tree\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"income\",\"at\":[\"0.9\"],\"method\":\"pick\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"time_period\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"time_period\",\"per\":\"person\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"of\":\"place\"}"},
    {"\"measure\":{\"statistic\":\"", "\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{"
                                      "\"concept\":\"activity\",\"in\":[\"UNE\",\"INAC\"]}]}"},
    {"\"measure\":{\"statistic\":\"", "\",\"plus\":[{\"concept\":\"activity\",\"in\":[\"EMP\"]}],\"minus\":[{"
                                      "\"concept\":\"month\",\"between\":[1,6]}]}"},
};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static const char *const rate_forms[] = {"\"indicator\":\"rate_of_rows\"", "\"indicator\":\"rate_of_persons\"",
                                         "\"indicator\":\"rate_of_first_rows\"", "\"indicator\":\"rate_of_people\""};

// A gap is of a rate, a share or a mean, between two groups.
static const char *const gap_of[] = {"\"indicator\":\"rate_of_rows\"",
                                     "\"indicator\":\"rate_of_people\"",
                                     "\"indicator\":\"rate_of_persons\"",
                                     "\"measure\":{\"statistic\":\"mean\",\"of\":\"fee\"}",
                                     "\"measure\":{\"statistic\":\"mean\",\"of\":\"income\"}",
                                     "\"measure\":{\"statistic\":\"share\",\"table\":\"permits\"}"};
static const char *const gaps[] = {"\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\"}",
                                   "\"gap\":{\"concept\":\"activity\",\"group\":\"EMP\",\"reference\":\"INAC\"}",
                                   "\"gap\":{\"concept\":\"month:half\",\"group\":\"H1\",\"reference\":\"H2\"}"};

static const char *const breakdowns[] = {
    "", "\"sex\"", "\"activity\"", "\"month:half\"", "\"sex\",\"activity\"", "\"activity\",\"month:half\""};

static const char *const filters[] = {"{\"concept\":\"sex\",\"in\":[\"F\"]}",
                                      "{\"concept\":\"month\",\"between\":[1,6]}",
                                      "{\"concept\":\"month\",\"between\":[12,12]}",
                                      "{\"concept\":\"month:half\",\"in\":[\"H1\",\"_U\"]}",
                                      "{\"concept\":\"activity\",\"in\":[\"EMP\",\"INAC\"]}",
                                      "{\"concept\":\"hours\",\"between\":[0,20]}"};

static const char *const epsilons[] = {"0.05", "0.1", "0.5", "1", "0.333333"};

static void filters_draw(world *w, char text[512]) {
    const char *one = filters[world_below(w, 6)], *other = filters[world_below(w, 6)];
    uint64_t count = world_below(w, 4);
    text[0] = '\0';
    if (count == 0)
        snprintf(text, 512, ",\"where\":[%s]", one);
    else if (count == 1)
        snprintf(text, 512, ",\"where\":[%s,%s]", one, other);
}

world_asked world_ask(world *w, const char *question) {
    gw_question decoded;
    snprintf(w->question, sizeof(w->question), "{\"v\":1,\"kind\":\"query\",\"dataset\":\"test.example/d\",%s}",
             question);
    gw_json_free(w->json);
    gw_arena_free(w->arena);
    w->json = NULL;
    w->arena = gw_arena_new(1u << 22);
    memset(&w->problem, 0, sizeof(w->problem));
    gw_status status = gw_json_parse(gw_bytes_of(w->question), GW_JSON_REQUEST, &w->json, &w->problem);
    if (status == GW_OK)
        status = gw_question_decode(w->json, w->arena, &decoded, &w->problem);
    if (status == GW_OK)
        status = gw_plan_build(&decoded, w->dataset.policy, w->catalogue, w->arena, &w->plan, &w->problem);
    if (status == GW_OK)
        return WORLD_PLANNED;
    return WORLD_REFUSED;
}

void world_must_plan(world *w, const char *question) {
    if (world_ask(w, question) != WORLD_PLANNED)
        fail_msg("%s: %s %s %s", question, w->problem.code, w->problem.what, w->problem.why);
}

static world_asked ask_with(world *w, const char *measure, const char *extra) {
    char text[1536], where[512];
    filters_draw(w, where);
    snprintf(text, sizeof(text), "%s%s%s%s%s,\"epsilon\":\"%s\"", measure, extra[0] == '\0' ? "" : ",", extra, where,
             world_below(w, 4) == 0 ? ",\"weighted\":false" : "", epsilons[world_below(w, 5)]);
    return world_ask(w, text);
}

static size_t form_count(gw_statistic statistic) {
    return statistic == GW_STATISTIC_RATE ? 4 : statistic == GW_STATISTIC_GAP ? 18 : FORM_COUNT;
}

static void form_at(gw_statistic statistic, size_t index, char text[512]) {
    if (statistic == GW_STATISTIC_RATE)
        snprintf(text, 512, "%s", rate_forms[index]);
    else if (statistic == GW_STATISTIC_GAP)
        snprintf(text, 512, "%s,%s", gap_of[index / 3], gaps[index % 3]);
    else
        snprintf(text, 512, "%s%s%s", forms[index].before, gw_statistic_name(statistic), forms[index].after);
}

bool world_question_at(world *w, gw_statistic statistic, size_t index, const char *epsilon, world_asked *ret) {
    char measure[512], text[1024];
    if (index >= 2 * form_count(statistic))
        return false;
    form_at(statistic, index / 2, measure);
    snprintf(text, sizeof(text), "%s,\"by\":[%s],\"epsilon\":\"%s\"", measure, index % 2 ? "\"sex\"" : "", epsilon);
    *ret = world_ask(w, text);
    if (*ret == WORLD_PLANNED && gw_plan_asked(&w->plan) != statistic)
        *ret = WORLD_REFUSED;
    return true;
}

world_asked world_question_draw(world *w, gw_statistic statistic) {
    char measure[512], by[128];
    for (size_t i = 0; i < DRAWS_MAX; i++) {
        form_at(statistic, world_below(w, form_count(statistic)), measure);
        snprintf(by, sizeof(by), "\"by\":[%s]", breakdowns[world_below(w, 6)]);
        world_asked asked = ask_with(w, measure, by);
        if (asked == WORLD_PLANNED && gw_plan_asked(&w->plan) == statistic)
            return WORLD_PLANNED;
    }
    return WORLD_REFUSED;
}

world_asked world_tables_draw(world *w) {
    static const char *const tables[] = {"\"tables\":[[\"sex\",\"activity\"],[\"sex\"]]",
                                         "\"tables\":[[\"activity\",\"month:half\"],[\"sex\",\"activity\"],[]]",
                                         "\"tables\":[[\"sex\"],[\"month:half\"]]"};
    for (size_t i = 0; i < DRAWS_MAX; i++) {
        world_asked asked =
            ask_with(w, "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\"}", tables[world_below(w, 3)]);
        if (asked == WORLD_PLANNED)
            return asked;
    }
    return WORLD_REFUSED;
}
