// SPDX-License-Identifier: Apache-2.0
// Answers that somebody tampered with before a client reads them: numbers and texts of answers of every statistic put
// at their ends, doubled, cut out or exchanged, and bytes turned over. Each is refused with a code, or every format
// writes it and its ranges at other levels are worked out or refused: nobody crashes and nobody waits. Argument: how
// many of each statistic (for the long form).
#include "tests/attacks/replay.h"

#include "service/format/format.h"
#include "service/format/level.h"
#include "service/query/encode.h"
#include "service/query/protect.h"
#include "service/wire/answer.h"
#include "tests/support/unit.h"

#include <time.h>

#define CASES 150
#define DOCUMENT_MAX 65536u
#define SECONDS_MAX 2.0 // of one answer in all formats and at all levels

static size_t case_count = CASES;

static int setup(void **state) {
    *state = world_new(1);
    world_policy_plain(*state);
    return 0;
}

// ---- answers of every statistic

static void keys_make(world *w, gw_buffer *document) {
    const gw_laws *laws = NULL;
    gw_exact_keys *keys = NULL;
    gw_released_keys *released = NULL;
    gw_plan_answer answer = {
        .plan = &w->plan, .data_version = "00000000000000000000000000000000", .release = "R-2026-000001"};
    assert_int_equal(gw_exact_keys_new(w->plan.measured_cells, w->plan.of->text_bytes_max, &keys), GW_OK);
    snprintf(gw_exact_keys_text(keys, 0), keys->text_size, "St. P\303\266lten");
    keys->counts[0] = 5000;
    assert_int_equal(gw_query_laws_of(&w->plan, w->laws, &laws), GW_OK);
    assert_int_equal(gw_query_protect_keys(&w->plan, laws, keys, seeded_source(&w->random), &released), GW_OK);
    answer.laws = laws;
    gw_buffer_init(document, DOCUMENT_MAX);
    assert_int_equal(gw_plan_encode_keys(&answer, released, (gw_hash){{7}}, document), GW_OK);
    gw_released_keys_free(released);
    gw_exact_keys_free(keys);
    gw_laws_drop(w->laws, laws);
}

// Small ones; a draw tries many questions and may still find none with a plan.
static bool small_question_draw(world *w, gw_statistic statistic) {
    for (size_t i = 0; i < 20; i++)
        if (world_question_draw(w, statistic) == WORLD_PLANNED && w->plan.measured_cells <= 2000)
            return true;
    return false;
}

// Past the statistics: several tables at one price.
static bool answer_make(world *w, gw_statistic statistic, gw_buffer *document) {
    bool is_planned =
        statistic == GW_STATISTIC_COUNT_OF ? world_tables_draw(w) == WORLD_PLANNED : small_question_draw(w, statistic);
    if (!is_planned)
        return false;
    if (w->plan.mechanism == GW_MECHANISM_SELECTION) {
        keys_make(w, document);
        return true;
    }
    gw_exact_table *exact = NULL;
    assert_int_equal(gw_exact_table_new(w->plan.measured_cells, w->plan.measured_parts, &exact), GW_OK);
    for (size_t i = 0; i < exact->cell_count * exact->part_count; i++)
        exact->values[i] = (gw_int128)world_below(w, 1000);
    gw_released_table *released = replay_protect(w, exact, NULL, seeded_source(&w->random));
    replay_encode(w, released, document);
    gw_released_free(released);
    gw_exact_table_free(exact);
    return true;
}

// ---- tampering

typedef struct {
    size_t at, size;
} piece;

// A text in quotes (with them) or a bare number, the `turn`th of the document; counts those before the end where there
// are fewer. Byte by byte: sanitizers measure the whole text whenever a function of <string.h> looks into it.
static piece token_at(const char *text, size_t turn, size_t *ret_count) {
    size_t seen = 0;
    for (size_t i = 0; text[i] != '\0';) {
        size_t end = i + 1;
        bool is_quoted = text[i] == '"', is_number = text[i] == '-' || (text[i] >= '0' && text[i] <= '9');
        while (is_quoted && text[end] != '\0' && text[end] != '"')
            end++;
        end += is_quoted && text[end] == '"';
        while (is_number && (text[end] == '-' || (text[end] >= '0' && text[end] <= '9')))
            end++;
        if ((is_quoted || is_number) && seen++ == turn)
            return (piece){i, end - i};
        i = end;
    }
    *ret_count = seen;
    return (piece){0, 0};
}

static size_t token_count(const char *text) {
    size_t count = 0;
    token_at(text, SIZE_MAX, &count);
    return count;
}

static void put(char text[DOCUMENT_MAX], piece at, const char *with) {
    size_t size = strlen(text), length = strlen(with);
    if (size + length >= DOCUMENT_MAX)
        return;
    memmove(text + at.at + length, text + at.at + at.size, size - at.at - at.size + 1);
    memcpy(text + at.at, with, length);
}

#define PUT_ONE_OF(values) put(text, at, (values)[world_below(w, sizeof(values) / sizeof((values)[0]))])

static void tamper(world *w, char text[DOCUMENT_MAX], size_t tokens) {
    static const char *const quoted[] = {"\"170141183460469231731687303715884105727\"",
                                         "\"-170141183460469231731687303715884105728\"",
                                         "\"85070591730234615865843651857942052864\"",
                                         "\"-85070591730234615865843651857942052864\"",
                                         "\"9223372036854775807\"",
                                         "\"1000000000\"",
                                         "\"-1\"",
                                         "\"0\"",
                                         "\"1\"",
                                         "\"0.000001\"",
                                         "\"0.000000000001\"",
                                         "\"999999999999.999999999999\""};
    static const char *const bare[] = {"0", "1", "2", "3", "12", "-1", "65536", "1000000", "9223372036854775807"};
    static const char *const others[] = {"null",
                                         "\"\"",
                                         "\"share\"",
                                         "\"rate\"",
                                         "\"mean\"",
                                         "\"sd\"",
                                         "\"ratio\"",
                                         "\"poverty\"",
                                         "\"keys\"",
                                         "\"histogram\"",
                                         "\"count\"",
                                         "\"sum\"",
                                         "\"quantile\"",
                                         "\"blocks\"",
                                         "\"discrete-laplace\"",
                                         "\"PC\"",
                                         "\"gini\"",
                                         "\"variance\"",
                                         "\"\\u001b[2J%s%n\"",
                                         "\"permute-and-flip\"",
                                         "[]",
                                         "{}",
                                         "\"adjusted\"",
                                         "\"_T\"",
                                         "\"random-threshold\""};
    size_t count = 0;
    piece at = token_at(text, world_below(w, tokens), &count);
    if (at.size == 0)
        return;
    bool is_quoted = text[at.at] == '"', is_number = strchr("-0123456789.", text[at.at + is_quoted]) != NULL;
    if (world_below(w, 8) == 0) {
        size_t byte = at.at + world_below(w, at.size);
        text[byte] = (char)(text[byte] ^ (1 << world_below(w, 7)));
    } else if (is_quoted && is_number) {
        PUT_ONE_OF(quoted);
    } else if (!is_quoted) {
        PUT_ONE_OF(bare);
    } else if (world_below(w, 4) == 0) { // nearly always refused
        PUT_ONE_OF(others);
    }
}

// The head holds most of what figures follow from.
static void tamper_some(world *w, char text[DOCUMENT_MAX], size_t tokens) {
    size_t head = tokens < 60 ? tokens : 60;
    for (size_t times = 1 + world_below(w, 3); times > 0; times--)
        tamper(w, text, world_below(w, 2) ? head : tokens);
}

// ---- reading

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void write_all(const gw_answer *answer, gw_bytes bytes) {
    const gw_asked asked = {.title = "Tampered", .where = ""};
    const gw_shown shown = {.answer = answer, .bytes = bytes, .asked = &asked, .width = 80};
    for (size_t i = 0; i < gw_format_count(); i++) {
        gw_buffer text;
        gw_buffer_init(&text, 256u << 20);
        gw_format_at(i)->answer(&shown, &text);
        assert_true(text.status == GW_OK || text.status == GW_LIMIT);
        gw_buffer_done(&text);
    }
}

static bool read_all(const char *text, const char **ret_code) {
    static gw_problem problem;
    gw_arena *arena = gw_arena_new(256u << 20);
    gw_answer answer, other;
    gw_status status = gw_answer_decode(gw_bytes_of(text), arena, &answer, &problem);
    *ret_code = problem.code;
    if (status == GW_OK) {
        static const uint32_t levels[] = {500000, 900000, 999999};
        write_all(&answer, gw_bytes_of(text));
        for (size_t i = 0; i < 3; i++)
            if (gw_answer_at_level(&answer, levels[i], arena, &other, NULL) == GW_OK)
                write_all(&other, gw_bytes_of(text));
    }
    gw_arena_free(arena);
    return status == GW_OK;
}

static void tampered_answers_are_refused_or_shown(void **state) {
    world *w = *state;
    char *text = malloc(DOCUMENT_MAX);
    size_t shown = 0, refused = 0;
    assert_non_null(text);
    for (gw_statistic s = 0; s <= GW_STATISTIC_COUNT_OF; s++) {
        gw_buffer document;
        for (size_t i = 0; i < case_count; i++) {
            if (i % 50 == 0) {
                if (i > 0)
                    gw_buffer_done(&document);
                if (!answer_make(w, s, &document))
                    fail_msg("no answer of statistic %d", (int)s);
            }
            assert_true(document.size < DOCUMENT_MAX);
            memcpy(text, document.data, document.size);
            text[document.size] = '\0';
            tamper_some(w, text, token_count(text));
            const char *code = "";
            double before = seconds();
            if (read_all(text, &code))
                shown++;
            else
                refused++;
            if (seconds() - before > SECONDS_MAX)
                fail_msg("%.1f s: %.3000s", seconds() - before, text);
            if (code[0] == '\0' && refused > 0 && shown == 0)
                fail_msg("refused without a code: %s", text);
        }
        gw_buffer_done(&document);
    }
    free(text);
    assert_true(shown > case_count && refused > case_count); // the tampering is neither too coarse nor too fine
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tampered_answers_are_refused_or_shown),
    };
    if (count > 1)
        case_count = strtoull(arguments[1], NULL, 10);
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
