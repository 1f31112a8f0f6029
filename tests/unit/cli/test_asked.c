// SPDX-License-Identifier: Apache-2.0
// The asked question said again: canonical filters, the title of its answer, the options of a recommended command.
#include "client/cli/asked.h"
#include "client/cli/doc.h"
#include "tests/support/unit.h"

static const char catalogue[] =
    "{\"v\":1,\"datasets\":[{\"dataset\":\"demo.example/register\",\"concepts\":["
    "{\"concept\":\"c_birth\",\"label\":\"Country of birth\",\"codes\":[]},"
    "{\"concept\":\"income\",\"label\":\"Yearly income\"},{\"concept\":\"sex\",\"label\":\"Sex\",\"codes\":[]}],"
    "\"tables\":[{\"table\":\"persons\",\"rows_per_person_max\":1,\"concepts\":[\"c_birth\",\"income\",\"sex\"]},"
    "{\"table\":\"permits\",\"rows_per_person_max\":4,\"concepts\":[\"reason\",\"fee\",\"c_birth\",\"sex\"]}]}],"
    "\"indicators\":[{\"indicator\":\"employment_rate\",\"label\":\"Employment rate\"}]}";

typedef struct {
    gw_arena *arena;
    gw_question question;
} line;

static line line_of(const gw_question_options *options, const char *indicator) {
    line l = {.arena = gw_arena_new(1 << 20)};
    gw_words words = {.items = {"register", indicator}, .count = indicator == NULL ? 1 : 2};
    gw_problem problem;
    assert_int_equal(gw_question_read(options, &words, "demo.example/register", l.arena, &l.question, &problem), GW_OK);
    return l;
}

static void assert_where(const gw_question_options *options, const char *expected) {
    gw_buffer text;
    line l = line_of(options, "employment_rate");
    gw_buffer_init(&text, 65536);
    gw_asked_where(&l.question, &text);
    assert_string_equal(gw_buffer_string(&text), expected);
    gw_buffer_done(&text);
    gw_arena_free(l.arena);
}

static void equal_filters_are_equal_texts(void **state) {
    (void)state;
    assert_where(&(gw_question_options){.where = {.items = {"sex=M,F", "age=20.0..64"}, .count = 2}},
                 "age=20..64 and sex=F,M");
    assert_where(&(gw_question_options){.where = {.items = {"age=20..64.00", "sex=F,M"}, .count = 2}},
                 "age=20..64 and sex=F,M");
    assert_where(&(gw_question_options){0}, "");
}

static void a_nets_filters_say_what_adds_and_what_takes_away(void **state) {
    (void)state;
    gw_buffer text;
    gw_buffer_init(&text, 65536);
    line l = line_of(&(gw_question_options){.measure = "net",
                                            .where = {.items = {"sex=F"}, .count = 1},
                                            .plus = {.items = {"way=IN", "age=20..64"}, .count = 2},
                                            .minus = {.items = {"way=OUT"}, .count = 1}},
                     NULL);
    gw_asked_where(&l.question, &text);
    assert_string_equal(gw_buffer_string(&text), "sex=F plus age=20..64 and way=IN minus way=OUT");
    gw_buffer_done(&text);
    gw_arena_free(l.arena);
}

static void assert_title(const gw_question_options *options, const char *indicator, gw_answer answer,
                         const char *expected) {
    gw_names *names = NULL;
    gw_names_labels state;
    const gw_json_node *dataset;
    gw_problem problem;
    gw_buffer text;
    line l = line_of(options, indicator);
    answer.dataset = "demo.example/register";
    answer.noise.epsilon.micro = 50000;
    assert_int_equal(gw_names_read(gw_bytes_of(catalogue), &names, &problem), GW_OK);
    assert_int_equal(gw_names_dataset(names, "register", &dataset, &problem), GW_OK);
    gw_labels labels = gw_names_labels_of(&state, dataset);
    gw_buffer_init(&text, 65536);
    gw_asked_title(&l.question, &answer, names, &labels, &text);
    assert_string_equal(gw_buffer_string(&text), expected);
    gw_buffer_done(&text);
    gw_names_free(names);
    gw_arena_free(l.arena);
}

static void a_title_says_figure_breakdown_filters_and_price(void **state) {
    (void)state;
    // The breakdown is that of the answer, also where the line left it to the indicator.
    const char *const by[] = {"c_birth", "sex"};
    assert_title(&(gw_question_options){.where = {.items = {"age=20..64", "sex=F"}, .count = 2}}, "employment_rate",
                 (gw_answer){.by = by, .by_count = 2},
                 "Employment rate, by Country of birth x Sex · only age=20..64 and sex=F · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "mean:income"}, NULL, (gw_answer){0},
                 "Mean of Yearly income · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "count"}, NULL, (gw_answer){0},
                 "Number of persons · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "sum:income", .unweighted = true}, NULL, (gw_answer){0},
                 "Sum of Yearly income · unweighted · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "net",
                                        .plus = {.items = {"way=IN"}, .count = 1},
                                        .minus = {.items = {"way=OUT"}, .count = 1}},
                 NULL, (gw_answer){0}, "Net: way=IN less way=OUT · register · epsilon 0.05");
}

static void a_title_says_whether_rows_or_persons_are_counted(void **state) {
    (void)state;
    const gw_words of_reason = {.items = {"reason=FAM"}, .count = 1};
    assert_title(&(gw_question_options){.measure = "count", .where = of_reason}, NULL, (gw_answer){0},
                 "Number of permits · only reason=FAM · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "count", .where = of_reason, .per = "person"}, NULL, (gw_answer){0},
                 "Number of persons · only reason=FAM · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "count", .table = "permits"}, NULL, (gw_answer){0},
                 "Number of permits · register · epsilon 0.05");
    assert_title(&(gw_question_options){.measure = "mean:fee", .per = "person"}, NULL, (gw_answer){0},
                 "Mean of fee per person · register · epsilon 0.05");
}

static void assert_mend(const gw_question_options *options, const char *mend, const char *expected) {
    gw_cli cli = {.globals = {.as = "researcher"}};
    gw_problem problem;
    assert_int_equal(gw_problem_set(&problem, GW_BUDGET, "budget_principal", "", "", mend), GW_BUDGET);
    gw_asked_mend(&cli, options, &problem);
    assert_string_equal(problem.mend, expected);
}

static void a_recommended_cost_is_of_the_question_that_was_asked(void **state) {
    (void)state;
    const gw_question_options options = {.by = "c_birth,sex", .where = {.items = {"sex=F,M", "town=A B"}, .count = 2}};
    assert_mend(
        &options, "godwit cost x/r rate --epsilon 0.02",
        "godwit cost x/r rate --epsilon 0.02 --by c_birth,sex --where sex=F,M --where 'town=A B' --as researcher");
    assert_mend(&options, "godwit budget x/r shows what is left", "godwit budget x/r shows what is left");
    assert_mend(&options, "godwit cost … first, then --epsilon 0.05", "godwit cost … first, then --epsilon 0.05");
    const gw_question_options net = {.measure = "net",
                                     .table = "crossings",
                                     .plus = {.items = {"way=IN"}, .count = 1},
                                     .minus = {.items = {"way=OUT"}, .count = 1},
                                     .unweighted = true};
    assert_mend(&net, "godwit cost x/r --epsilon 0.02",
                "godwit cost x/r --epsilon 0.02 --measure net --table crossings --plus way=IN --minus way=OUT "
                "--unweighted --as researcher");
    assert_mend(&(gw_question_options){.measure = "count", .per = "person"}, "godwit cost x/r --epsilon 0.02",
                "godwit cost x/r --epsilon 0.02 --measure count --per person --as researcher");
}

static void a_command_that_does_not_fit_is_not_recommended_by_halves(void **state) {
    (void)state;
    char long_filter[400];
    memset(long_filter, 'a', sizeof(long_filter) - 1);
    long_filter[sizeof(long_filter) - 1] = '\0';
    assert_mend(&(gw_question_options){.where = {.items = {long_filter}, .count = 1}},
                "godwit cost x/r rate --epsilon 0.02", "The same question with --epsilon 0.02");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_filters_are_equal_texts),
        cmocka_unit_test(a_nets_filters_say_what_adds_and_what_takes_away),
        cmocka_unit_test(a_title_says_whether_rows_or_persons_are_counted),
        cmocka_unit_test(a_command_that_does_not_fit_is_not_recommended_by_halves),
        cmocka_unit_test(a_title_says_figure_breakdown_filters_and_price),
        cmocka_unit_test(a_recommended_cost_is_of_the_question_that_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
