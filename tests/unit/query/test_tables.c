// SPDX-License-Identifier: Apache-2.0
// Several tables at one price: the plan in canonical order and within its limits, the answer from exact counts to what
// a client decodes and every format shows, and the canonical text back into the question.
#include "service/base/check.h"
#include "service/format/format.h"
#include "service/format/level.h"
#include "service/query/canonical_read.h"
#include "service/query/encode.h"
#include "service/query/plan_size.h"
#include "service/query/plan_tables.h"
#include "service/query/protect.h"
#include "service/wire/answer.h"
#include "tests/support/plan_case.h"
#include "tests/support/seeded_random.h"
#include <math.h>

static const char policy_text[] =
    "{\"godwit_policy\":1,\"dataset\":\"test.example/people\",\"population\":\"test.example/all\",\"version\":1,"
    "\"neighbours\":\"add-remove-person\",\"engine\":{\"kind\":\"duckdb\"},\"tables\":{\"persons\":{\"unit\":\"id\","
    "\"rows_per_person_max\":1,\"columns\":{"
    "\"sex\":{\"concept\":\"sex\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"},"
    "\"cob\":{\"concept\":\"c_birth\",\"type\":\"code\",\"codelist\":\"CL_BIRTH\",\"missing\":\"_U\"},"
    "\"status\":{\"concept\":\"activity\",\"type\":\"code\",\"codelist\":\"CL_ACTIVITY\",\"missing\":\"drop\"},"
    "\"age\":{\"concept\":\"age\",\"type\":\"integer\",\"min\":0,\"max\":120,\"missing\":\"_U\",\"bandings\":{\"work\":"
    "{\"Y_LT20\":[0,19],\"Y20T64\":[20,64],\"Y_GE65\":[65,120]}}}}},"
    "\"permits\":{\"unit\":\"id\",\"rows_per_person_max\":4,\"columns\":{"
    "\"why\":{\"concept\":\"reason\",\"type\":\"code\",\"codelist\":\"CL_REASON\",\"missing\":\"_U\"},"
    "\"kind\":{\"concept\":\"kind\",\"type\":\"code\",\"codelist\":\"CL_SEX\",\"missing\":\"_U\"}}}},"
    "\"budget\":{\"lifetime\":\"10\",\"question_min\":\"0.01\",\"question_max\":\"0.5\"},\"accounting\":{\"kind\":"
    "\"pure\"},\"planning\":{\"cell_persons\":1500,\"size_bucket\":1000000},"
    "\"grants\":[{\"role\":\"researcher\",\"tables\":[\"persons\",\"permits\"],\"statistics\":[\"count\",\"share\"]}]}";

static int setup(void **state) {
    *state = plan_case_new(policy_text, "\"measure\":{\"statistic\":\"count\"}");
    return 0;
}

static void canonical_of(const gw_plan *plan, gw_buffer *text) {
    gw_buffer_init(text, 8192);
    gw_plan_canonical(plan, PLAN_CASE_DATA, text);
}

#define THREE "\"tables\":[[\"sex\",\"c_birth\"],[\"sex\"],[]],\"epsilon\":\"0.1\""

static void tables_have_one_canonical_order(void **state) {
    static const char *const same[] = {
        THREE, "\"tables\":[[],[\"sex\"],[\"c_birth\",\"sex\"]],\"epsilon\":\"0.10\"",
        "\"tables\":[[\"sex\"],[\"c_birth\",\"sex\"],[],[\"sex\",\"c_birth\"]],\"epsilon\":\"0.1\""};
    plan_case *f = *state;
    gw_buffer first, second;
    plan_case_must(f, same[0]);
    canonical_of(&f->plan, &first);
    assert_non_null(strstr(gw_buffer_string(&first), "\"tables\":[[],[\"sex\"],[\"c_birth\",\"sex\"]]"));
    assert_non_null(strstr(gw_buffer_string(&first), "\"mechanism\":\"marginals/1\""));
    for (size_t i = 1; i < sizeof same / sizeof same[0]; i++) {
        plan_case_must(f, same[i]);
        canonical_of(&f->plan, &second);
        assert_string_equal(gw_buffer_string(&first), gw_buffer_string(&second));
        gw_buffer_done(&second);
    }
    plan_case_must(f, "\"tables\":[[\"sex\",\"c_birth\"],[\"sex\"]],\"epsilon\":\"0.1\"");
    canonical_of(&f->plan, &second);
    assert_string_not_equal(gw_buffer_string(&first), gw_buffer_string(&second));
    gw_buffer_done(&first);
    gw_buffer_done(&second);
}

static void a_canonical_text_is_read_back(void **state) {
    plan_case *f = *state;
    gw_buffer first, second;
    plan_case_must(f, THREE);
    canonical_of(&f->plan, &first);
    gw_json *json = NULL;
    gw_question question;
    gw_plan plan;
    assert_int_equal(gw_canonical_read(gw_buffer_bytes(&first), f->arena, &json, &question, &f->problem), GW_OK);
    assert_int_equal(question.table_count, 3);
    assert_int_equal(gw_plan_build(&question, f->policy, f->catalogue, f->arena, &plan, &f->problem), GW_OK);
    canonical_of(&plan, &second);
    assert_string_equal(gw_buffer_string(&first), gw_buffer_string(&second));
    gw_buffer_done(&first);
    gw_buffer_done(&second);
    gw_json_free(json);
}

static void cells_are_of_the_tables_and_the_statement_of_their_base(void **state) {
    plan_case *f = *state;
    plan_case_must(f, "\"tables\":[[\"sex\",\"c_birth\"],[\"activity\"],[]],\"epsilon\":\"0.1\"");
    const size_t birth = 4, sex = 3, activity = 3;
    assert_int_equal(f->plan.axis_count, 3);
    size_t asked = 0;
    for (size_t i = 0; i < f->plan.table_count; i++)
        asked += f->plan.tables[i].is_asked ? f->plan.tables[i].cell_count : 0;
    assert_int_equal(asked, birth * sex + activity + 1);
    assert_int_equal(f->plan.measured_cells, birth * sex * activity);
    assert_int_equal(f->plan.measured_parts, 1);
    assert_int_equal(f->plan.mechanism, GW_MECHANISM_MARGINALS);
    assert_int_equal(gw_plan_check_size(&f->plan, f->arena, &f->problem), GW_OK);
}

static void shares_never_pass_the_price(void **state) {
    plan_case *f = *state;
    const uint64_t prices[] = {10000, 99999, 100001, 500000};
    plan_case_must(f,
                   "\"tables\":[[\"sex\",\"c_birth\"],[\"activity\"],[\"age:work\",\"sex\"],[]],\"epsilon\":\"0.1\"");
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        gw_marginals_law law;
        uint64_t sum = 0;
        assert_int_equal(gw_plan_tables_law(&f->plan, (gw_epsilon){prices[i]}, &law), GW_OK);
        for (size_t k = 0; k < law.count; k++)
            sum += law.noises[k].epsilon.micro;
        assert_true(sum <= prices[i] && sum + law.count >= prices[i]);
    }
}

// A person with many rows is in as many cells: the noise of every table is as wide as for one table of their counts.
static void rows_of_a_person_widen_every_table(void **state) {
    plan_case *f = *state;
    gw_marginals_law law;
    plan_case_must(f, "\"tables\":[[\"reason\",\"kind\"],[\"reason\"]],\"epsilon\":\"0.1\"");
    assert_int_equal(f->plan.sensitivity, 4);
    assert_int_equal(gw_plan_tables_law(&f->plan, f->plan.epsilon, &law), GW_OK);
    for (size_t i = 0; i < law.count; i++)
        assert_int_equal(law.noises[i].sensitivity, 4);
}

// A person with two reasons is one person and two cells: cells that add up are of rows.
static void persons_are_not_added_up_over_facts_of_rows(void **state) {
    plan_case *f = *state;
    const char *also = f->also;
    f->also = "\"measure\":{\"statistic\":\"count\",\"table\":\"permits\",\"per\":\"person\"}";
    plan_case_refused(f, "\"tables\":[[\"reason\",\"kind\"],[\"reason\"],[]],\"epsilon\":\"0.1\"", "bad_tables");
    f->also = also;
}

// Shares of micro-epsilon, or a noise too wide for a share: found out while it is free.
static void a_price_too_small_to_share_is_refused_before_it_is_charged(void **state) {
    plan_case *f = *state;
    const gw_laws *laws = NULL;
    gw_laws_cache *cache = gw_laws_cache_new();
    plan_case_must(f, "\"tables\":[[\"sex\",\"c_birth\"],[\"activity\"],[\"age:work\"],[]],\"epsilon\":\"0.1\"");
    assert_int_equal(gw_query_laws_of(&f->plan, cache, &laws), GW_OK);
    gw_laws_drop(cache, laws);
    f->plan.epsilon.micro = 1; // of four tables
    assert_int_equal(gw_query_laws_of(&f->plan, cache, &laws), GW_INVALID);
    // A noise that is drawn for the price and not for a third of it.
    for (uint64_t micro = 1; micro < 100000; micro *= 2) {
        gw_exact_table *exact = NULL;
        gw_released_table *released = NULL;
        seeded_random random = {.state = micro};
        f->plan.epsilon.micro = micro;
        f->plan.sensitivity = UINT64_C(1) << 40;
        if (gw_query_laws_of(&f->plan, cache, &laws) != GW_OK)
            continue;
        assert_int_equal(gw_exact_table_new(f->plan.measured_cells, 1, &exact), GW_OK);
        assert_int_equal(gw_query_protect(&f->plan, laws, exact, seeded_source(&random), &released), GW_OK);
        gw_exact_table_free(exact);
        gw_released_free(released);
        gw_laws_drop(cache, laws);
    }
    gw_laws_cache_free(cache);
}

static void a_target_error_is_met_by_every_table(void **state) {
    plan_case *f = *state;
    plan_case_must(f, "\"tables\":[[\"sex\",\"c_birth\"],[\"activity\"],[]],\"target_error\":\"40\"");
    const double error = gw_plan_tables_error(&f->plan, f->plan.epsilon, GW_LEVEL_95);
    assert_true(error <= 40 && error > 36);
    double errors[GW_TABLES_MAX];
    gw_plan_tables_errors(&f->plan, f->plan.epsilon, GW_LEVEL_95, errors);
    for (size_t i = 0; i < f->plan.table_count; i++)
        assert_true(!f->plan.tables[i].is_asked || errors[i] <= 40);
    // The least that may be paid already does better.
    plan_case_must(f, "\"tables\":[[\"sex\",\"c_birth\"],[\"activity\"],[]],\"target_error\":\"100000\"");
    assert_int_equal(f->plan.epsilon.micro, 10000);
}

static void tables_that_cannot_be_planned_are_refused(void **state) {
    static const char *const bad[][2] = {
        {"\"tables\":[[\"sexx\"]],\"epsilon\":\"0.1\"", "unknown_concept"},
        {"\"tables\":[[]],\"epsilon\":\"0.1\"", "bad_tables"},
        {"\"tables\":[],\"epsilon\":\"0.1\"", "bad_tables"},
        {"\"tables\":[\"sex\"],\"epsilon\":\"0.1\"", "bad_tables"},
        {"\"tables\":[[\"sex\"]],\"by\":[\"sex\"],\"epsilon\":\"0.1\"", "bad_tables"},
        {"\"tables\":[[\"sex\"],[\"reason\"]],\"epsilon\":\"0.1\"", "unknown_concept"},
        {"\"tables\":[[\"sex\"]],\"target_error\":\"0.00000001\"", "target_error"},
    };
    plan_case *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(plan_case_build(f, bad[i][0]), GW_OK);
        assert_string_equal(f->problem.code, bad[i][1]);
    }
}

// ---- the answer

static void answer_of(plan_case *f, uint64_t seed, gw_buffer *document) {
    gw_laws_cache *cache = gw_laws_cache_new();
    const gw_laws *laws = NULL;
    gw_exact_table *exact = NULL;
    gw_released_table *released = NULL;
    seeded_random random = {.state = seed};
    assert_int_equal(gw_query_laws_of(&f->plan, cache, &laws), GW_OK);
    assert_int_equal(gw_exact_table_new(f->plan.measured_cells, 1, &exact), GW_OK);
    for (size_t i = 0; i < exact->cell_count; i++)
        exact->values[i] = (gw_int128)100 * (gw_int128)i;
    assert_int_equal(gw_query_protect(&f->plan, laws, exact, seeded_source(&random), &released), GW_OK);
    const gw_plan_answer answer = {
        .plan = &f->plan, .laws = laws, .data_version = PLAN_CASE_DATA, .release = "GW-2026-000001"};
    gw_buffer_init(document, 1u << 22);
    assert_int_equal(gw_plan_encode(&answer, released, (gw_hash){{1}}, document), GW_OK);
    gw_exact_table_free(exact);
    gw_released_free(released);
    gw_laws_drop(cache, laws);
    gw_laws_cache_free(cache);
}

static void an_answer_is_decoded_with_its_tables(void **state) {
    plan_case *f = *state;
    gw_buffer document, other;
    gw_answer answer;
    plan_case_must(f, THREE);
    answer_of(f, 5, &document);
    answer_of(f, 6, &other);
    assert_int_equal(document.size, other.size); // its length tells nothing
    if (gw_answer_decode(gw_buffer_bytes(&document), f->arena, &answer, &f->problem) != GW_OK)
        fail_msg("%s", f->problem.why);
    assert_int_equal(answer.block_count, 3);
    assert_int_equal(answer.blocks[0].by_count, 0);
    assert_string_equal(answer.blocks[1].by[0], "sex");
    assert_int_equal(answer.blocks[2].cell_count, 12);
    assert_int_equal(answer.cell_count, 1 + 3 + 12);
    assert_int_equal(answer.decimals, 1);
    uint64_t shares = 0;
    size_t first = 0;
    for (size_t b = 0; b < 3; b++) {
        shares += answer.blocks[b].epsilon.micro;
        for (size_t i = first; i < first + answer.blocks[b].cell_count; i++) {
            const gw_answer_cell *cell = &answer.cells[i];
            assert_true((cell->parts != NULL) == (answer.blocks[b].epsilon.micro > 0));
            assert_non_null(cell->adjusted);
            assert_true(strtod(cell->lower, NULL) < strtod(cell->estimate, NULL));
            assert_true(strtod(cell->upper, NULL) > strtod(cell->estimate, NULL));
            assert_true((strcmp(cell->key[1], "_T") == 0) == (b == 0));
            assert_true((strcmp(cell->key[0], "_T") == 0) == (b < 2));
        }
        first += answer.blocks[b].cell_count;
    }
    assert_true(shares <= 100000);
    gw_buffer_done(&document);
    gw_buffer_done(&other);
}

static void cells_are_same(const gw_answer *a, const gw_answer *b) {
    assert_int_equal(a->cell_count, b->cell_count);
    for (size_t i = 0; i < a->cell_count; i++) {
        assert_string_equal(a->cells[i].lower, b->cells[i].lower);
        assert_string_equal(a->cells[i].upper, b->cells[i].upper);
    }
}

// Everything was measured at one price, so a reader needs all of it, and has it.
static void a_reader_works_out_every_level(void **state) {
    static const char *const asked[] = {
        THREE, "\"tables\":[[\"sex\",\"c_birth\"],[\"activity\"],[]],\"epsilon\":\"0.1\"",
        "\"tables\":[[\"sex\",\"activity\"],[\"c_birth\",\"activity\"],[\"age:work\"]],\"epsilon\":\"0.37\""};
    plan_case *f = *state;
    for (size_t q = 0; q < sizeof asked / sizeof asked[0]; q++) {
        gw_buffer document;
        gw_answer answer, at, wide;
        plan_case_must(f, asked[q]);
        answer_of(f, 5 + q, &document);
        assert_int_equal(gw_answer_decode(gw_buffer_bytes(&document), f->arena, &answer, &f->problem), GW_OK);
        assert_true(gw_answer_has_levels(&answer));
        assert_int_equal(gw_answer_at_level(&answer, GW_LEVEL_95, f->arena, &at, NULL), GW_OK);
        cells_are_same(&at, &answer);
        assert_int_equal(gw_answer_at_level(&answer, 990000, f->arena, &wide, NULL), GW_OK);
        for (size_t i = 0; i < at.cell_count; i++) {
            assert_true(strtod(wide.cells[i].lower, NULL) < strtod(at.cells[i].lower, NULL));
            assert_true(strtod(wide.cells[i].upper, NULL) > strtod(at.cells[i].upper, NULL));
        }
        gw_buffer_done(&document);
    }
}

// A file may claim anything.
static void tables_that_do_not_fit_together_have_no_levels(void **state) {
    plan_case *f = *state;
    gw_buffer document;
    gw_answer answer, changed, at;
    gw_answer_block blocks[3];
    static const char *const unknown[] = {"height"}, *const twice[] = {"c_birth", "sex", "sex"};
    static const char *const huge[] = {"100000000000000000000000000000000000000"};
    plan_case_must(f, THREE);
    answer_of(f, 5, &document);
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&document), f->arena, &answer, &f->problem), GW_OK);
    gw_answer_cell *cells = gw_arena_array(f->arena, answer.cell_count, sizeof *cells);
    for (int wrong = 0; wrong < 8; wrong++) {
        changed = answer;
        memcpy(blocks, answer.blocks, sizeof blocks);
        memcpy(cells, answer.cells, answer.cell_count * sizeof *cells);
        changed.blocks = blocks;
        changed.cells = cells;
        if (wrong == 0)
            blocks[1].by = unknown;
        if (wrong == 1)
            blocks[2].by = twice, blocks[2].by_count = 3;
        if (wrong == 2)
            blocks[1].by = answer.by; // as the third, with three cells
        if (wrong == 3)
            cells[2].key = cells[1].key; // two codes where there are three
        if (wrong == 4)
            changed.noise.sensitivity = UINT64_MAX;
        if (wrong == 5)
            blocks[1] = blocks[0];
        if (wrong == 7) { // a total of four cells
            blocks[0].cell_count += blocks[1].cell_count;
            blocks[1] = blocks[2];
            changed.block_count = 2;
        }
        for (size_t i = 0; wrong == 6 && i < answer.cell_count; i++)
            if (cells[i].parts)
                cells[i].parts = huge;
        if (gw_answer_at_level(&changed, 900000, f->arena, &at, NULL) != GW_INVALID)
            fail_msg("case %d", wrong);
    }
    gw_buffer_done(&document);
}

// One member of a good answer changed at a time.
static void answers_whose_tables_do_not_fit_are_refused(void **state) {
    static const char *const changes[][2] = {{"{\"by\":[],\"cells\":1", "{\"by\":[],\"cells\":2"},
                                             {"{\"by\":[],\"cells\":1", "{\"by\":[],\"cells\":0"},
                                             {"\"parts\":[]", "\"parts\":[\"7\"]"},
                                             {"\"blocks\":[", "\"blocks\":[7,"},
                                             {"\"adjusted\":\"", "\"adjusted\":\"x"}};
    plan_case *f = *state;
    gw_buffer document;
    plan_case_must(f, THREE);
    answer_of(f, 5, &document);
    const char *good = gw_buffer_string(&document);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const char *at = strstr(good, changes[i][0]);
        gw_buffer bad;
        gw_answer answer;
        assert_non_null(at);
        gw_buffer_init(&bad, 1u << 22);
        gw_buffer_append(&bad, good, (size_t)(at - good));
        gw_buffer_text(&bad, changes[i][1]);
        gw_buffer_text(&bad, at + strlen(changes[i][0]));
        assert_int_not_equal(gw_answer_decode(gw_buffer_bytes(&bad), f->arena, &answer, &f->problem), GW_OK);
        gw_buffer_done(&bad);
    }
    gw_buffer_done(&document);
}

static void every_format_has_the_whole_numbers_and_only_what_was_asked(void **state) {
    plan_case *f = *state;
    gw_buffer document;
    gw_answer answer;
    plan_case_must(f, THREE);
    answer_of(f, 5, &document);
    assert_int_equal(gw_answer_decode(gw_buffer_bytes(&document), f->arena, &answer, &f->problem), GW_OK);
    gw_answer_block blocks[3] = {answer.blocks[0], answer.blocks[1], answer.blocks[2]};
    blocks[2].is_asked = false; // as if the largest had only been measured
    answer.blocks = blocks;
    static const char *const names[][2] = {{"csv", ",adjusted,"},         {"ndjson", "\"adjusted\":\""},
                                           {"json-stat", "\"adjusted\""}, {"sdmx-csv", ",DP_ADJUSTED"},
                                           {"md", "| ADJUSTED |"},        {"table", "ADJUSTED"}};
    const gw_asked asked = {.title = "Number of persons", .where = ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        gw_buffer text;
        gw_buffer_init(&text, 1u << 22);
        const gw_shown shown = {
            .answer = &answer, .asked = &asked, .bytes = gw_buffer_bytes(&document), .labels = NULL, .width = 100};
        gw_format_find(names[i][0])->answer(&shown, &text);
        assert_int_equal(text.status, GW_OK);
        assert_non_null(strstr(gw_buffer_string(&text), names[i][1]));
        assert_null(strstr(gw_buffer_string(&text), "NEU_FOR")); // a code of the table nobody asked for
        gw_buffer_done(&text);
    }
    gw_buffer_done(&document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables_have_one_canonical_order, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(a_canonical_text_is_read_back, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(cells_are_of_the_tables_and_the_statement_of_their_base, setup,
                                        plan_case_teardown),
        cmocka_unit_test_setup_teardown(shares_never_pass_the_price, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(rows_of_a_person_widen_every_table, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(persons_are_not_added_up_over_facts_of_rows, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(a_price_too_small_to_share_is_refused_before_it_is_charged, setup,
                                        plan_case_teardown),
        cmocka_unit_test_setup_teardown(a_target_error_is_met_by_every_table, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(tables_that_cannot_be_planned_are_refused, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(an_answer_is_decoded_with_its_tables, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(a_reader_works_out_every_level, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(tables_that_do_not_fit_together_have_no_levels, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(answers_whose_tables_do_not_fit_are_refused, setup, plan_case_teardown),
        cmocka_unit_test_setup_teardown(every_format_has_the_whole_numbers_and_only_what_was_asked, setup,
                                        plan_case_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
