// SPDX-License-Identifier: Apache-2.0
// Random questions, well formed and mutilated, about a policy with everything in it: whatever is asked, a question is
// refused with a code and a way on, or it has a plan whose statement, size and canonical text can be made. The
// canonical text leads back to the same plan, and so does the question written by a client; a question that is spelt
// otherwise (defaults said, filters and their codes in another order, levels and fractions with more zeros) has the
// same name. Argument: how many cases (for the long form).
#include "privacy/sampling/thresholds.h"
#include "service/query/canonical_read.h"
#include "service/query/encode.h"
#include "service/query/plan_size.h"
#include "service/query/sql.h"
#include "tests/support/plan_case.h"
#include "tests/support/seeded_random.h"

#include <inttypes.h>

#define CASES 2000
#define TEXT_MAX 8192

static size_t case_count = CASES;

static const char policy_text[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/all\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
    "\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"birth\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\",\"missing\":\"_U\"},"
    "\"status\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\",\"bandings\":{\"work\":"
    "{"
    "\"Y0T14\":[0,14],\"Y15T24\":[15,24],\"Y25T64\":[25,64],\"YGE65\":[65,120]}}},"
    "\"debt\":{\"concept\":\"debt\",\"type\":\"integer\",\"min\":-100,\"max\":100,\"missing\":\"_U\"},"
    "\"firm\":{\"concept\":\"firm\",\"type\":\"text\",\"length_max\":64,\"keys_max\":5000,\"missing\":\"drop\"},"
    "\"hours\":{\"concept\":\"hours\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"99.5\",\"grid\":\"0.5\",\"missing\":"
    "\"drop\"},"
    "\"income\":{\"concept\":\"income\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"200000\","
    "\"grid\":\"1\",\"missing\":\"drop\"}}},"
    "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":5,\"rows_per_person_kept\":3,\"inherit\":[\"sex\",\"age\"],"
    "\"columns\":{"
    "\"granted\":{\"concept\":\"granted_on\",\"type\":\"date\",\"period\":\"month\",\"first\":\"2020-01\",\"last\":"
    "\"2023-12\",\"missing\":\"_U\"},"
    "\"reason\":{\"concept\":\"reason\",\"type\":\"code\",\"codelist\":\"CL_REASON\",\"missing\":\"_U\"},"
    "\"place\":{\"concept\":\"place\",\"type\":\"text\",\"length_max\":16,\"keys_max\":100,\"missing\":\"_U\"},"
    "\"fee\":{\"concept\":\"fee\",\"type\":\"decimal\",\"unit\":\"EUR\",\"min\":\"0\",\"max\":\"50\",\"grid\":\"0.5\","
    "\"missing\":\"drop\",\"person_total_max\":\"100\"},"
    "\"days\":{\"concept\":\"days\",\"type\":\"integer\",\"min\":0,\"max\":1000,\"missing\":\"drop\"},"
    "\"w\":{\"role\":\"weight\",\"type\":\"decimal\",\"min\":\"0\",\"max\":\"4\",\"grid\":\"0.5\"}}}},"
    "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},"
    "\"accounting\":{\"kind\":\"pure\",\"selection_delta\":\"1e-8\",\"question_delta\":\"1e-9\"},"
    "\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\",\"permits\"],\"statistics\":[\"count\"]}]}";

typedef struct {
    plan_case asked;
    seeded_random random;
    size_t planned[GW_STATISTIC_COUNT_OF], gaps, tables, refused;
} fixture;

static uint64_t below(fixture *f, uint64_t end) {
    return seeded_next(&f->random) % end;
}
static const char *one_of(fixture *f, const char *const *texts, size_t count) {
    return texts[below(f, count)];
}
#define ONE_OF(f, ...)                                                                                                 \
    one_of((f), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    plan_case_open(&f->asked, NULL, "");
    plan_case_policy(&f->asked, policy_text);
    f->random.state = 20260401;
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    plan_case_close(&f->asked);
    free(f);
    return 0;
}

// ---- questions, in two spellings

// What is asked, spelt plainly and otherwise: `other` says what is usual anyway, and says things in another order.
typedef struct {
    gw_buffer plain, other;
} spelling;

static void both(spelling *s, const char *text) {
    gw_buffer_text(&s->plain, text);
    gw_buffer_text(&s->other, text);
}

static void filter_draw(fixture *f, spelling *s) {
    switch (below(f, 6)) {
    case 0:
        gw_buffer_text(&s->plain, "{\"concept\":\"sex\",\"in\":[\"F\",\"M\"]}");
        gw_buffer_text(&s->other, "{\"in\":[\"M\",\"F\"],\"concept\":\"sex\"}");
        return;
    case 1: {
        uint64_t low = below(f, 60), high = low + below(f, 61);
        gw_buffer_format(&s->plain, "{\"concept\":\"age\",\"between\":[%d,%d]}", (int)low, (int)high);
        gw_buffer_format(&s->other, "{\"concept\":\"age\",\"between\":[\"%d.0\",\"%d\"]}", (int)low, (int)high);
        return;
    }
    case 2:
        both(s, "{\"concept\":\"age:work\",\"in\":[\"Y15T24\"]}");
        return;
    case 3:
        both(s, ONE_OF(f, "{\"concept\":\"sex\",\"equals\":\"F\"}", "{\"concept\":\"reason\",\"in\":[\"EMP\"]}",
                       "{\"concept\":\"activity\",\"in\":[\"EMP\"]}", "{\"concept\":\"firm\",\"equals\":\"A\"}"));
        return;
    case 4:
        gw_buffer_text(&s->plain, "{\"concept\":\"granted_on\",\"in\":[\"2021-06\",\"2022-06\"]}");
        gw_buffer_text(&s->other, "{\"concept\":\"granted_on\",\"in\":[\"2022-06\",\"2021-06\"]}");
        return;
    default:
        gw_buffer_text(&s->plain, "{\"concept\":\"income\",\"between\":[0,\"20000\"]}");
        gw_buffer_text(&s->other, "{\"concept\":\"income\",\"between\":[\"-5\",20000]}");
    }
}

static void where_draw(fixture *f, spelling *s) {
    spelling filters[3];
    size_t count = below(f, 4);
    for (size_t i = 0; i < count; i++) {
        gw_buffer_init(&filters[i].plain, TEXT_MAX);
        gw_buffer_init(&filters[i].other, TEXT_MAX);
        filter_draw(f, &filters[i]);
    }
    both(s, ",\"where\":[");
    for (size_t i = 0; i < count; i++) {
        both(s, i ? "," : "");
        gw_buffer_text(&s->plain, gw_buffer_string(&filters[i].plain));
        gw_buffer_text(&s->other, gw_buffer_string(&filters[count - 1 - i].other));
    }
    both(s, "]");
    for (size_t i = 0; i < count; i++) {
        gw_buffer_done(&filters[i].plain);
        gw_buffer_done(&filters[i].other);
    }
}

static void levels_draw(fixture *f, spelling *s) {
    size_t count = below(f, 4) == 0 ? 1 + below(f, 33) : 1 + below(f, 2);
    both(s, ",\"at\":[");
    uint64_t level = 0;
    for (size_t i = 0; i < count; i++) {
        level += 1 + below(f, 30);
        gw_buffer_format(&s->plain, "%s\"0.%03d\"", i ? "," : "", (int)level);
        gw_buffer_format(&s->other, "%s\"0.%03d0\"", i ? "," : "", (int)level);
    }
    both(s, "]");
    if (count == 1 && below(f, 2)) {
        gw_buffer_text(&s->other, ",\"method\":\"pick\""); // the usual one
    } else if (count > 1 && below(f, 2)) {
        gw_buffer_text(&s->other, ",\"method\":\"tree\"");
    } else if (below(f, 3) == 0) {
        both(s, ",\"method\":\"tree\"");
    }
}

static void measure_draw(fixture *f, spelling *s) {
    const char *statistic = ONE_OF(f, "count", "share", "mean", "sum", "net", "variance", "sd", "ratio", "histogram",
                                   "quantile", "poverty", "gini", "quintile_ratio", "series", "keys", "rate", "gap");
    const char *number = ONE_OF(f, "income", "income", "hours", "age", "debt", "fee", "days", "w", "age:work");
    both(s, ",\"measure\":{\"statistic\":\"");
    both(s, statistic);
    both(s, "\"");
    gw_statistic parsed;
    if (gw_statistic_parse(statistic, &parsed) == GW_OK && gw_statistic_has_of(parsed)) {
        if (parsed == GW_STATISTIC_KEYS)
            number = ONE_OF(f, "firm", "place", "sex");
        else if (parsed == GW_STATISTIC_SERIES)
            number = ONE_OF(f, "granted_on", "granted_on", "age");
        both(s, ",\"of\":\"");
        both(s, number);
        both(s, "\"");
    }
    if (parsed == GW_STATISTIC_RATIO) {
        both(s, ",\"over\":\"");
        both(s, ONE_OF(f, "hours", "age", "days", "fee"));
        both(s, "\"");
    }
    if (parsed == GW_STATISTIC_QUANTILE)
        levels_draw(f, s);
    if (below(f, 3) == 0 && parsed >= GW_STATISTIC_HISTOGRAM) {
        char bins[32];
        snprintf(bins, sizeof bins, ",\"bins\":%d", (int)(below(f, 3) ? 2 + below(f, 600) : below(f, 70000)));
        both(s, bins);
    }
    if (parsed == GW_STATISTIC_POVERTY && below(f, 2)) {
        if (below(f, 2))
            gw_buffer_text(&s->other, ",\"fraction\":\"0.60\"");
        else
            both(s, ",\"fraction\":\"0.55\"");
    }
    if (parsed == GW_STATISTIC_NET)
        both(s, ",\"plus\":[{\"concept\":\"reason\",\"in\":[\"EMP\"]}],\"minus\":[{\"concept\":\"reason\",\"in\":["
                "\"FAM\"]}]");
    if (below(f, 4) == 0)
        both(s, ONE_OF(f, ",\"table\":\"permits\"", ",\"table\":\"persons\""));
    if (below(f, 4) == 0)
        both(s, ",\"per\":\"person\"");
    else if (below(f, 2))
        gw_buffer_text(&s->other, ",\"per\":\"row\"");
    both(s, "}");
}

// Each table with its concepts, then in another order with theirs in another order.
static void tables_draw(fixture *f, spelling *s) {
    static const char *const tables[][2] = {
        {"[]", "[]"},
        {"[\"sex\"]", "[\"sex\"]"},
        {"[\"sex\",\"c_birth\"]", "[\"c_birth\",\"sex\"]"},
        {"[\"activity\",\"age:work\",\"sex\"]", "[\"age:work\",\"sex\",\"activity\"]"},
        {"[\"reason\"]", "[\"reason\"]"},
        {"[\"reason\",\"sex\"]", "[\"sex\",\"reason\"]"},
        {"[\"age:work\",\"c_birth\"]", "[\"c_birth\",\"age:work\"]"}};
    enum { TABLES = sizeof tables / sizeof tables[0] };
    uint64_t chosen = 1 + below(f, (1u << TABLES) - 1);
    const char *comma[] = {"", ""};
    both(s, ",\"tables\":[");
    for (size_t i = 0; i < TABLES; i++) {
        size_t back = TABLES - 1 - i;
        if (chosen >> i & 1) {
            gw_buffer_format(&s->plain, "%s%s", comma[0], tables[i][0]);
            comma[0] = ",";
        }
        if (chosen >> back & 1) {
            gw_buffer_format(&s->other, "%s%s", comma[1], tables[back][1]);
            comma[1] = ",";
        }
    }
    both(s, "]");
}

static void question_draw(fixture *f, spelling *s) {
    both(s, "{\"v\":1,\"kind\":\"query\",\"dataset\":\"test.example/people\"");
    if (below(f, 5) == 0) {
        both(s, ",\"indicator\":\"");
        both(s, gw_catalogue_at(f->asked.catalogue, below(f, gw_catalogue_count(f->asked.catalogue)))->id);
        both(s, "\"");
    } else {
        measure_draw(f, s);
    }
    if (below(f, 2))
        where_draw(f, s);
    else
        gw_buffer_text(&s->other, ",\"where\":[]");
    if (below(f, 6) == 0)
        tables_draw(f, s);
    else if (below(f, 3))
        both(s, ONE_OF(f, ",\"by\":[\"sex\"]", ",\"by\":[]", ",\"by\":[]", ",\"by\":[\"c_birth\",\"sex\"]",
                       ",\"by\":[\"age:work\"]", ",\"by\":[\"reason\"]", ",\"by\":[\"granted_on\",\"sex\"]",
                       ",\"by\":[\"activity\",\"age:work\",\"sex\",\"c_birth\"]"));
    if (below(f, 3) == 0)
        both(s, ",\"weighted\":false");
    else if (below(f, 2))
        gw_buffer_text(&s->other, ",\"weighted\":true");
    if (below(f, 4) == 0)
        both(s, ONE_OF(f, ",\"gap\":{\"concept\":\"c_birth\",\"group\":\"NAT\",\"reference\":\"EU\"}",
                       ",\"gap\":{\"concept\":\"sex\",\"group\":\"F\",\"reference\":\"M\"}",
                       ",\"gap\":{\"concept\":\"age:work\",\"group\":\"Y15T24\",\"reference\":\"Y25T64\"}"));
    if (below(f, 10) == 0)
        both(s, ONE_OF(f, ",\"delta\":\"1e-10\"", ",\"delta\":\"0.0000000001\"", ",\"delta\":\"1e-7\""));
    gw_buffer_text(&s->plain, ",\"epsilon\":\"0.1\"}");
    gw_buffer_text(&s->other, ",\"epsilon\":\"0.100\"}");
}

// ---- what is made of a question

typedef struct {
    gw_json *json;
    gw_arena *arena;
    gw_question question;
    gw_plan plan;
    gw_problem problem;
    gw_status status;
} made;

static void make(fixture *f, const char *text, made *ret) {
    *ret = (made){.arena = gw_arena_new(1u << 26)};
    ret->status = gw_json_parse(gw_bytes_of(text), GW_JSON_REQUEST, &ret->json, &ret->problem);
    if (ret->status == GW_OK)
        ret->status = gw_question_decode(ret->json, ret->arena, &ret->question, &ret->problem);
    if (ret->status == GW_OK && ret->question.kind != GW_KIND_QUERY)
        ret->status = GW_INVALID, ret->problem = (gw_problem){.code = "kind", .what = "-"};
    if (ret->status == GW_OK && (ret->question.quote || ret->question.basket))
        ret->status = GW_INVALID, ret->problem = (gw_problem){.code = "kind", .what = "-"};
    if (ret->status == GW_OK)
        ret->status =
            gw_plan_build(&ret->question, f->asked.policy, f->asked.catalogue, ret->arena, &ret->plan, &ret->problem);
    if (ret->status != GW_OK && (ret->problem.code[0] == '\0' || ret->problem.what[0] == '\0' ||
                                 ret->status == GW_INTERNAL || ret->status == GW_NO_MEMORY))
        fail_msg("refused without a word: %s", text);
}

static void unmake(made *m) {
    gw_json_free(m->json);
    gw_arena_free(m->arena);
}

static void canonical(const gw_plan *plan, gw_buffer *ret) {
    gw_buffer_init(ret, 1u << 22);
    gw_plan_canonical(plan, PLAN_CASE_DATA, ret);
    assert_int_equal(ret->status, GW_OK);
}

static void assert_leads_back(fixture *f, made *m, const gw_buffer *text) {
    gw_json *json = NULL;
    gw_question question;
    gw_plan again;
    gw_buffer second;
    if (gw_canonical_read(gw_buffer_bytes(text), m->arena, &json, &question, &m->problem) != GW_OK ||
        gw_plan_build(&question, f->asked.policy, f->asked.catalogue, m->arena, &again, &m->problem) != GW_OK)
        fail_msg("%s: %s %s", gw_buffer_string(text), m->problem.what, m->problem.why);
    canonical(&again, &second);
    assert_string_equal(gw_buffer_string(text), gw_buffer_string(&second));
    assert_int_equal(m->plan.sensitivity, again.sensitivity);
    assert_int_equal(m->plan.measured_cells, again.measured_cells);
    assert_int_equal(m->plan.cell_count, again.cell_count);
    assert_int_equal(m->plan.mechanism, again.mechanism);
    gw_json_free(json);
    gw_buffer_done(&second);
}

static void assert_same_when_written(fixture *f, const made *m, const gw_buffer *text) {
    gw_buffer body, second;
    gw_buffer_init(&body, 1u << 20);
    gw_question_encode(&m->question, &body);
    made again;
    make(f, gw_buffer_string(&body), &again);
    if (again.status != GW_OK)
        fail_msg("%s: %s %s", gw_buffer_string(&body), again.problem.what, again.problem.why);
    canonical(&again.plan, &second);
    assert_string_equal(gw_buffer_string(text), gw_buffer_string(&second));
    gw_buffer_done(&second);
    gw_buffer_done(&body);
    unmake(&again);
}

static void assert_sound(fixture *f, made *m, gw_buffer *text) {
    const gw_plan *plan = &m->plan;
    gw_sql sql;
    gw_buffer title;
    gw_problem problem;
    canonical(plan, text);
    assert_true(plan->cell_count > 0 && plan->measured_cells > 0 && plan->measured_cells <= GW_CELLS_MAX);
    assert_true(plan->sensitivity > 0 && plan->sensitivity <= GW_SENSITIVITY_MAX);
    assert_true(plan->measured_parts > 0 && plan->measured_parts <= GW_PARTS_MAX);
    if (gw_plan_check_size(plan, m->arena, &problem) == GW_OK) {
        assert_int_equal(gw_sql_build(plan, m->arena, &sql), GW_OK);
        gw_buffer_done(&sql.text);
    }
    gw_buffer_init(&title, 1u << 16);
    gw_plan_title(plan, &title);
    assert_true(title.size > 0);
    gw_buffer_done(&title);
    f->gaps += plan->gap.column != NULL;
    f->tables += plan->table_count > 1;
    f->planned[plan->statistic]++;
}

static void a_question_leads_to_one_plan_however_it_is_spelt(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < case_count; i++) {
        spelling s;
        made plain, other;
        gw_buffer_init(&s.plain, TEXT_MAX);
        gw_buffer_init(&s.other, TEXT_MAX);
        question_draw(f, &s);
        make(f, gw_buffer_string(&s.plain), &plain);
        make(f, gw_buffer_string(&s.other), &other);
        if (plain.status != other.status)
            fail_msg("%s (%s)\n%s (%s)", gw_buffer_string(&s.plain), plain.problem.code, gw_buffer_string(&s.other),
                     other.problem.code);
        if (plain.status == GW_OK) {
            gw_buffer text, second;
            assert_sound(f, &plain, &text);
            canonical(&other.plan, &second);
            assert_string_equal(gw_buffer_string(&text), gw_buffer_string(&second));
            gw_buffer_done(&second);
            assert_leads_back(f, &plain, &text);
            assert_same_when_written(f, &plain, &text);
            gw_buffer_done(&text);
        } else {
            f->refused++;
        }
        unmake(&plain);
        unmake(&other);
        gw_buffer_done(&s.plain);
        gw_buffer_done(&s.other);
    }
    for (size_t i = 0; i < GW_STATISTIC_COUNT_OF; i++) // every statistic was met
        assert_true(i == GW_STATISTIC_GAP ? f->gaps > 0 : f->planned[i] > 0);
    assert_true(f->tables > 0);
    assert_true(f->refused > case_count / 20 && f->refused < case_count);
}

// A byte changed, a piece doubled or cut out, or a piece of another question put in.
static void mutilate(fixture *f, char text[2 * TEXT_MAX], const char *other) {
    size_t size = strlen(text), at = below(f, size), count = 1 + below(f, 24);
    count = at + count > size ? size - at : count;
    size_t from = below(f, strlen(other)), piece = strlen(other) - from < count ? strlen(other) - from : count;
    switch (below(f, 4)) {
    case 0:
        text[at] = "\",:[]{}0123456789.-ex\\/u\x7f\xc3\x01"[below(f, 27)];
        return;
    case 1:
        memmove(text + at, text + at + count, size - at - count + 1);
        return;
    case 2:
        memmove(text + at + count, text + at, size - at + 1);
        return;
    default:
        memmove(text + at + piece, text + at, size - at + 1);
        memcpy(text + at, other + from, piece);
    }
}

static void mutilated_questions_are_refused_or_planned(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < case_count; i++) {
        spelling s;
        made m;
        char text[2 * TEXT_MAX];
        gw_buffer_init(&s.plain, TEXT_MAX);
        gw_buffer_init(&s.other, TEXT_MAX);
        question_draw(f, &s);
        snprintf(text, sizeof text, "%s", gw_buffer_string(&s.plain));
        for (size_t times = 1 + below(f, 3); times > 0 && text[0]; times--)
            mutilate(f, text, gw_buffer_string(&s.other));
        make(f, text, &m);
        if (m.status == GW_OK) {
            gw_buffer canonical_text;
            assert_sound(f, &m, &canonical_text);
            assert_leads_back(f, &m, &canonical_text);
            assert_same_when_written(f, &m, &canonical_text);
            gw_buffer_done(&canonical_text);
        }
        unmake(&m);
        gw_buffer_done(&s.plain);
        gw_buffer_done(&s.other);
    }
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_leads_to_one_plan_however_it_is_spelt),
        cmocka_unit_test(mutilated_questions_are_refused_or_planned),
    };
    if (count > 1)
        case_count = strtoull(arguments[1], NULL, 10);
    return cmocka_run_group_tests(tests, setup, teardown);
}
