// SPDX-License-Identifier: Apache-2.0
// Attacks 15, 27 and 28: what happens between a question and its answer must not follow the data. Random registers,
// policies and questions of every statistic that the service plans go through the real load, plan, statement, engine,
// mechanism and encoder, with one person and without, under the same recorded randomness: same trace, inputs no
// further apart than declared, nothing read after the noise, documents equally long. The same judge is shown mistakes,
// each of which it must see. Argument: how many pairs of registers (for the long form).
#include "tests/attacks/replay.h"

#include "tests/support/unit.h"

#define PAIRS 12u
#define QUESTIONS_PER_STATISTIC 2u
#define PAIRS_PER_POLICY 3u
#define PLANT_PAIRS_MAX 60u
#define PLANT_QUESTIONS 12u

static size_t pairs_wanted = PAIRS;

typedef struct {
    world world;
    world_snapshot with, without;
    size_t pair;
} campaign;

static void pair_draw(campaign *c) {
    world *w = &c->world;
    if (c->pair++ % PAIRS_PER_POLICY == 0)
        world_policy_draw(w);
    world_persons_draw(w);
    c->with = world_load(w, WORLD_NOBODY);
    c->without = world_load(w, world_below(w, w->person_count));
}

static replay_verdict judged(campaign *c, const replay_plant *plant, uint64_t *ret_distance) {
    world *w = &c->world;
    replay_run runs[2];
    uint64_t seed = seeded_next(&w->random);
    replay_make(w, &c->with, seed, plant, &runs[0]);
    replay_make(w, &c->without, seed, plant, &runs[1]);
    replay_verdict verdict = replay_judge(&runs[0], &runs[1]);
    *ret_distance = replay_distance(&runs[0], &runs[1]);
    replay_done(&runs[0]);
    replay_done(&runs[1]);
    return verdict;
}

// ---- the campaign

typedef struct {
    size_t cases[GW_STATISTIC_COUNT_OF], mechanisms[GW_MECHANISM_SELECTION + 1], tables, tight, moved;
} tally;

static void case_check(campaign *c, tally *seen) {
    uint64_t distance = 0;
    replay_verdict verdict = judged(c, NULL, &distance);
    if (verdict != REPLAY_HOLDS)
        fail_msg("%s: distance %llu, declared %llu: %s", replay_verdict_name(verdict), (unsigned long long)distance,
                 (unsigned long long)c->world.plan.sensitivity, c->world.question);
    seen->mechanisms[c->world.plan.mechanism]++;
    seen->tight += distance == c->world.plan.sensitivity;
    seen->moved += distance > 0;
}

// A policy may leave a statistic without a question (a Gini coefficient of what can be below zero); not all of them
// may.
static void statistics_check(campaign *c, tally *seen) {
    world *w = &c->world;
    for (gw_statistic s = 0; s < GW_STATISTIC_COUNT_OF; s++) {
        for (size_t i = 0; i < QUESTIONS_PER_STATISTIC; i++) {
            world_asked asked = world_question_draw(w, s);
            if (asked != WORLD_PLANNED)
                break;
            case_check(c, seen);
            seen->cases[s]++;
        }
    }
    world_asked asked = world_tables_draw(w);
    assert_int_not_equal(asked, WORLD_REFUSED);
    if (asked == WORLD_PLANNED) {
        case_check(c, seen);
        seen->tables++;
    }
}

static void neighbours_leave_one_trace_and_differ_by_what_is_declared(void **state) {
    campaign c = {.pair = 0};
    tally seen = {0};
    size_t all = 0;
    (void)state;
    world_begin(&c.world, 28);
    for (size_t i = 0; i < pairs_wanted; i++) {
        pair_draw(&c);
        statistics_check(&c, &seen);
    }
    for (gw_statistic s = 0; s < GW_STATISTIC_COUNT_OF; s++) {
        all += seen.cases[s];
        print_message("%-15s %zu cases\n", gw_statistic_name(s), seen.cases[s]);
        if (seen.cases[s] == 0)
            fail_msg("no form of question fits \"%s\": add one to world_questions.c", gw_statistic_name(s));
    }
    for (size_t i = 0; i <= GW_MECHANISM_SELECTION; i++)
        print_message("%-15s %zu cases\n", gw_plan_mechanism_name((gw_plan_mechanism)i), seen.mechanisms[i]);
    print_message("several tables  %zu cases\n%zu of %zu moved, %zu by all that is declared\n", seen.tables, seen.moved,
                  all, seen.tight);
    // The judge is not quiet because nothing moves, or because everything declared is far too large.
    assert_true(seen.moved > all / 4);
    assert_true(seen.tight > all / 20);
    world_end(&c.world);
}

// ---- a group of four and a group of five

// The same bytes give two releases that differ by that person and by nothing else, at every draw: no threshold looks at
// a true count.
static void a_cell_of_four_behaves_like_a_cell_of_five(void **state) {
    campaign c = {.pair = 0};
    world *w = &c.world;
    (void)state;
    world_begin(w, 15);
    world_policy_draw(w);
    w->person_count = 5;
    for (size_t i = 0; i < w->person_count; i++)
        w->persons[i] = (world_person){.sex = "F", .income = "20", .hours = "5"};
    c.with = world_load(w, WORLD_NOBODY);
    c.without = world_load(w, 2);
    assert_int_equal(world_ask(w, "\"measure\":{\"statistic\":\"count\",\"table\":\"persons\"},\"by\":[\"sex\"],"
                                  "\"epsilon\":\"1\""),
                     WORLD_PLANNED);
    for (uint64_t seed = 0; seed < 100; seed++) {
        replay_run runs[2];
        replay_make(w, &c.with, seed, NULL, &runs[0]);
        replay_make(w, &c.without, seed, NULL, &runs[1]);
        gw_int128 moved = 0;
        for (size_t cell = 0; cell < runs[0].cells; cell++) {
            gw_int128 one = gw_released_value(runs[0].released, cell, 0) - gw_released_value(runs[1].released, cell, 0);
            assert_true(one == 0 || one == 1);
            moved += one;
        }
        assert_true(moved == 1);
        assert_int_equal(replay_judge(&runs[0], &runs[1]), REPLAY_HOLDS);
        replay_done(&runs[0]);
        replay_done(&runs[1]);
    }
    world_end(w);
}

// ---- plants

static void input_threshold(const gw_plan *plan, gw_exact_table *exact) {
    (void)plan;
    for (size_t i = 0; i < exact->cell_count * exact->part_count; i++)
        if (exact->values[i] < 5)
            exact->values[i] = 0;
}

static void input_share_of_total(const gw_plan *plan, gw_exact_table *exact) {
    gw_int128 total = 0;
    for (size_t i = 0; i < exact->cell_count * exact->part_count; i++)
        total += exact->values[i];
    for (size_t i = 0; i < exact->cell_count * exact->part_count && total > 0; i++)
        exact->values[i] = exact->values[i] * (gw_int128)plan->sensitivity * 100 / total;
}

static gw_noise noise_of_the_data(const gw_plan *plan, const gw_exact_table *exact) {
    gw_noise noise = {.epsilon = plan->epsilon, .sensitivity = plan->sensitivity};
    if (exact->values[0] % 2 != 0)
        noise.sensitivity++;
    return noise;
}

static void draw_once_more_where_there_is_somebody(const gw_exact_table *exact, gw_random_source source) {
    uint64_t word;
    for (gw_int128 i = 0; i < exact->values[0] && i < 4; i++)
        assert_int_equal(source.fill(source.state, &word, sizeof(word)), GW_OK);
}

static void after_looks_at_the_truth(const gw_exact_table *exact, gw_buffer *document) {
    // A flag by the true count, as a suppression after the noise would set it.
    if (exact->values[0] < 5 && document->size > 0)
        document->data[document->size - 1] = 'u';
}

static void after_tells_an_exact_total(const gw_exact_table *exact, gw_buffer *document) {
    gw_int128 total = 0;
    for (size_t i = 0; i < exact->cell_count * exact->part_count; i++)
        total += exact->values[i];
    gw_buffer_format(document, "%lld", (long long)total);
}

static char *replaced(const char *text, const char *from, const char *to) {
    gw_buffer out;
    gw_buffer_init(&out, 1u << 20);
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        gw_buffer_append(&out, text, (size_t)(at - text));
        gw_buffer_text(&out, to);
    }
    gw_buffer_text(&out, text);
    char *copy = strdup(gw_buffer_string(&out));
    gw_buffer_done(&out);
    return copy;
}

static char *statement_clamps_per_cell(const gw_plan *plan, const char *text) {
    (void)plan;
    return replaced(text, "PARTITION BY person ", "PARTITION BY person, cell ");
}

static void plan_keeps_one_more(gw_plan *plan, bool is_of_noise) {
    if (!is_of_noise)
        plan->bound.units++;
}

// As if a person were replaced and the number of people known: a sum then moves by the width of its range only.
static void plan_of_replacement(gw_plan *plan, bool is_of_noise) {
    if (!is_of_noise || plan->statistic != GW_STATISTIC_SUM || plan->bound.kind == GW_BOUND_CLAMP_TOTAL)
        return;
    uint64_t width = (uint64_t)(plan->of_line.factor * plan->of->steps);
    if (width < plan->unit_max)
        plan->sensitivity = plan->sensitivity / plan->unit_max * width;
}

// Half of the price for each of two parts is right; the whole noise at twice the price is not.
static void plan_at_twice_the_price(gw_plan *plan, bool is_of_noise) {
    if (is_of_noise)
        plan->epsilon.micro *= 2;
}

static void plan_forgets_weights(gw_plan *plan, bool is_of_noise) {
    if (is_of_noise && plan->weight)
        plan->sensitivity =
            plan->sensitivity / (uint64_t)(plan->weight_line.first + plan->weight_line.factor * plan->weight->steps);
}

static const replay_plant plants[] = {
    {.name = "a threshold on the true count", .input = input_threshold},
    {.name = "values scaled by the true total", .input = input_share_of_total},
    {.name = "a noise scale that depends on the data", .noise = noise_of_the_data},
    {.name = "draws whose number depends on the data", .draw = draw_once_more_where_there_is_somebody},
    {.name = "a flag by the true count after the noise", .after = after_looks_at_the_truth},
    {.name = "an exact total after the noise", .after = after_tells_an_exact_total},
    {.name = "a clamp per cell instead of per person", .statement = statement_clamps_per_cell},
    {.name = "one row more than declared", .plan = plan_keeps_one_more},
    {.name = "a sum's noise for people replaced", .plan = plan_of_replacement},
    {.name = "weights forgotten in the noise", .plan = plan_forgets_weights},
    {.name = "noise of twice the price", .plan = plan_at_twice_the_price},
};

static bool plant_shows(campaign *c, const replay_plant *plant, replay_verdict *ret_verdict) {
    for (size_t i = 0; i < PLANT_QUESTIONS; i++) {
        uint64_t distance;
        gw_statistic of_any = (gw_statistic)world_below(&c->world, GW_STATISTIC_NET + 1);
        gw_statistic s = plant->plan == plan_of_replacement ? GW_STATISTIC_SUM : of_any;
        assert_int_equal(world_question_draw(&c->world, s), WORLD_PLANNED);
        *ret_verdict = judged(c, plant, &distance);
        if (*ret_verdict != REPLAY_HOLDS)
            return true;
    }
    return false;
}

static void every_planted_mistake_is_seen(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
        campaign c = {.pair = 0};
        replay_verdict verdict = REPLAY_HOLDS;
        world_begin(&c.world, 7);
        do
            pair_draw(&c);
        while (!plant_shows(&c, &plants[i], &verdict) && c.pair < PLANT_PAIRS_MAX);
        print_message("planted, %s: %s, at pair %zu\n", plants[i].name, replay_verdict_name(verdict), c.pair);
        assert_int_not_equal(verdict, REPLAY_HOLDS);
        world_end(&c.world);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_leave_one_trace_and_differ_by_what_is_declared),
        cmocka_unit_test(a_cell_of_four_behaves_like_a_cell_of_five),
        cmocka_unit_test(every_planted_mistake_is_seen),
    };
    const char *sanitizer = getenv("GW_SANITIZER");
    if (sanitizer != NULL && strcmp(sanitizer, "none") != 0)
        pairs_wanted = PAIRS / 2; // each pair takes eight times as long
    if (argc > 1)
        pairs_wanted = strtoul(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
