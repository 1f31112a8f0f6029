// SPDX-License-Identifier: Apache-2.0
// A log's side without a network: what is sent, what is believed, and who tells that this ledger was set back. Replies
// come from real witnesses in memory, or are scripted lies.
#include "service/witness/ask.h"
#include "service/witness/add_body.h"
#include "service/witness/witness.h"
#include "tests/unit/witness/small_log.h"

#define ORIGIN "log.example/one"
#define WITNESSES 3

static int64_t fake_seconds(void *state) {
    (void)state;
    return 1700000000;
}
static const gw_clock fake_clock = {.unix_seconds = fake_seconds};

// What the network does with the requests to one witness.
typedef struct {
    bool is_dead;
    unsigned status; // 0: the witness decides
    const char *type, *text;
} script;

typedef struct {
    gw_witness *witnesses[WITNESSES];
    script scripts[WITNESSES];
    unsigned requests[WITNESSES];
    uint64_t old_sizes[WITNESSES]; // as sent last
    char vkeys[WITNESSES][GW_VKEY_MAX];
    small_log log;
    gw_witnesses *asked;
    gw_buffer note;
} world;

static void serve_one(world *w, gw_http_exchange *exchange) {
    unsigned who = (unsigned)(exchange->url[strlen("http://127.0.0.1:470")] - '0');
    const script *play = &w->scripts[who];
    gw_add_body add;
    gw_witness_reply reply;
    w->requests[who]++;
    gw_buffer_done(&exchange->reply);
    exchange->status = 0;
    snprintf(exchange->failure, sizeof(exchange->failure), "nobody there");
    assert_true(gw_add_body_read(gw_buffer_bytes(&exchange->body), &add));
    w->old_sizes[who] = add.old_size;
    if (play->is_dead)
        return;
    if (play->status != 0) {
        exchange->status = play->status;
        snprintf(exchange->content_type, sizeof(exchange->content_type), "%s", play->type == NULL ? "" : play->type);
        gw_buffer_text(&exchange->reply, play->text == NULL ? "" : play->text);
        return;
    }
    gw_witness_add(w->witnesses[who], gw_buffer_bytes(&exchange->body), &reply);
    exchange->status = reply.status;
    snprintf(exchange->content_type, sizeof(exchange->content_type), "%s", reply.content_type);
    gw_buffer_append(&exchange->reply, reply.body.data, reply.body.size);
    gw_buffer_done(&reply.body);
}

static void fake_post(void *state, gw_http_exchange *exchanges, size_t count, unsigned timeout_ms,
                      gw_http_next (*done)(void *, gw_http_exchange *), void *done_state) {
    assert_int_equal(timeout_ms, 700);
    for (size_t i = 0; i < count; i++) {
        gw_http_next next;
        do {
            serve_one(state, &exchanges[i]);
            next = done(done_state, &exchanges[i]);
        } while (next == GW_HTTP_AGAIN);
    }
}

static gw_tlog_policy *policy_of(const world *w, const char *quorum) {
    gw_tlog_policy *policy = NULL;
    gw_problem problem = {0};
    char text[2048];
    snprintf(text, sizeof(text),
             "witness a %s http://127.0.0.1:4700\nwitness b %s http://127.0.0.1:4701/\nwitness c %s "
             "http://127.0.0.1:4702/\ngroup g %s a b c\nquorum g\n",
             w->vkeys[0], w->vkeys[1], w->vkeys[2], quorum);
    if (gw_tlog_policy_parse(gw_bytes_of(text), &policy, &problem) != GW_OK)
        fail_msg("%s", problem.why);
    return policy;
}

static void ask_anew(world *w, const char *quorum) {
    gw_witnesses_free(w->asked);
    assert_int_equal(
        gw_witnesses_new(policy_of(w, quorum), (gw_http){.state = w, .post = fake_post}, 700, &w->asked, NULL), GW_OK);
}

static void world_open(void **state, world *w, const char *quorum) {
    *w = (world){.log = small_log_new(ORIGIN, 0x51)};
    gw_buffer_init(&w->note, 65536);
    for (unsigned i = 0; i < WITNESSES; i++) {
        char folder[256], name[64];
        gw_note_key key;
        snprintf(folder, sizeof(folder), "%s/w%u", (const char *)*state, i);
        snprintf(name, sizeof(name), "w%u.example/witness", i);
        assert_int_equal(gw_witness_init(folder, name, NULL), GW_OK);
        assert_int_equal(gw_witness_open(folder, fake_clock, &w->witnesses[i], NULL), GW_OK);
        assert_int_equal(gw_witness_add_log(w->witnesses[i], w->log.vkey, NULL), GW_OK);
        gw_witness_key(w->witnesses[i], &key);
        gw_note_key_format(&key, w->vkeys[i]);
    }
    ask_anew(w, quorum);
}

static void world_close(world *w) {
    gw_witnesses_free(w->asked);
    for (unsigned i = 0; i < WITNESSES; i++)
        gw_witness_close(w->witnesses[i]);
    gw_secret_key_free(w->log.secret);
    gw_buffer_done(&w->note);
}

static gw_status cosign(world *w, uint64_t size, gw_problem *problem) {
    gw_checkpoint checkpoint = small_log_checkpoint(&w->log, size);
    gw_buffer_done(&w->note);
    small_log_sign(&w->log, size, &w->note);
    memset(w->requests, 0, sizeof(w->requests));
    return gw_witnesses_cosign(w->asked, &checkpoint, small_log_tree(&w->log), &w->note, problem);
}

static unsigned good_lines(const world *w) {
    gw_note_parts parts;
    unsigned count = 0;
    assert_int_equal(gw_note_split(gw_buffer_bytes(&w->note), &parts, NULL), GW_OK);
    for (size_t i = 0; i < WITNESSES; i++) {
        gw_cosignature found =
            gw_cosignature_find(&parts, &gw_tlog_policy_witness(gw_witnesses_policy(w->asked), i)->key, NULL);
        assert_int_not_equal(found, GW_COSIGNATURE_BAD);
        count += found == GW_COSIGNATURE_GOOD;
    }
    return count;
}

static const char *code_of(world *w, size_t index) {
    gw_witness_state state;
    gw_witnesses_state(w->asked, index, &state);
    return state.code;
}

static void all_witnesses_cosign_and_the_note_holds_under_the_policy(void **state) {
    world w;
    world_open(state, &w, "all");
    gw_problem problem = {0};
    gw_tlog_verdict verdict;
    assert_int_equal(cosign(&w, 5, &problem), GW_OK);
    assert_int_equal(good_lines(&w), 3);
    assert_int_equal(
        gw_tlog_policy_check(gw_witnesses_policy(w.asked), gw_buffer_bytes(&w.note), &w.log.key, &verdict, &problem),
        GW_OK);
    assert_string_equal(code_of(&w, 0), "ok");
    world_close(&w);
}

static void after_the_first_time_one_round_trip_suffices(void **state) {
    world w;
    world_open(state, &w, "all");
    assert_int_equal(cosign(&w, 5, NULL), GW_OK);
    assert_int_equal(w.requests[0], 2); // it said that it knows nothing, and got the proof from there
    assert_int_equal(cosign(&w, 9, NULL), GW_OK);
    assert_int_equal(w.requests[0], 1);
    assert_int_equal(w.old_sizes[0], 5);
    ask_anew(&w, "all"); // a restart: the same tree again
    assert_int_equal(cosign(&w, 9, NULL), GW_OK);
    assert_int_equal(w.requests[0], 1);
    ask_anew(&w, "all");
    assert_int_equal(cosign(&w, 20, NULL), GW_OK); // it knows 9
    assert_int_equal(w.requests[0], 2);
    assert_int_equal(w.old_sizes[0], 9);
    world_close(&w);
}

static void a_dead_witness_is_named_and_the_quorum_decides(void **state) {
    world w;
    world_open(state, &w, "2");
    gw_problem problem = {0};
    w.scripts[1].is_dead = true;
    assert_int_equal(cosign(&w, 5, &problem), GW_OK);
    assert_int_equal(good_lines(&w), 2);
    w.scripts[2].is_dead = true;
    assert_int_equal(cosign(&w, 7, &problem), GW_UNAVAILABLE);
    assert_string_equal(problem.code, "no_quorum");
    assert_non_null(strstr(problem.why, "b: unreachable, nobody there"));
    assert_non_null(strstr(problem.why, "c: unreachable"));
    assert_null(strstr(problem.why, "a: "));
    assert_int_equal(good_lines(&w), 1); // what was got stands in the note
    w.scripts[2].is_dead = false;
    // The same note again: who stands in it is not asked once more, and no line comes twice.
    gw_checkpoint checkpoint = small_log_checkpoint(&w.log, 7);
    memset(w.requests, 0, sizeof(w.requests));
    assert_int_equal(gw_witnesses_cosign(w.asked, &checkpoint, small_log_tree(&w.log), &w.note, &problem), GW_OK);
    assert_int_equal(w.requests[0], 0);
    assert_true(w.requests[2] > 0);
    assert_int_equal(good_lines(&w), 2);
    world_close(&w);
}

static void a_witness_that_saw_more_tells_that_we_were_set_back(void **state) {
    world w;
    world_open(state, &w, "any");
    gw_problem problem = {0};
    assert_int_equal(cosign(&w, 9, NULL), GW_OK);
    ask_anew(&w, "any");
    assert_int_equal(cosign(&w, 5, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    assert_non_null(strstr(problem.what, "holds 5 entries"));
    assert_non_null(strstr(problem.what, "a has seen 9"));
    assert_string_equal(code_of(&w, 0), "rolled_back");
    // One alone is enough, also where the quorum stands without it.
    w.scripts[0].is_dead = w.scripts[1].is_dead = true;
    ask_anew(&w, "any");
    assert_int_equal(cosign(&w, 5, &problem), GW_CORRUPT);
    assert_non_null(strstr(problem.what, "c has seen 9"));
    w.scripts[0].is_dead = false;
    assert_int_equal(gw_witness_reset(w.witnesses[0], ORIGIN, NULL), GW_OK);
    ask_anew(&w, "any");
    assert_int_equal(cosign(&w, 5, &problem), GW_CORRUPT);
    assert_int_equal(good_lines(&w), 1);
    world_close(&w);
}

static void a_witness_that_saw_another_tree_of_this_size_tells_it_too(void **state) {
    world w;
    world_open(state, &w, "any");
    gw_problem problem = {0};
    assert_int_equal(cosign(&w, 9, NULL), GW_OK);
    w.log.parts_at = 7; // restored to 7 entries, and written on
    ask_anew(&w, "any");
    assert_int_equal(cosign(&w, 9, &problem), GW_CORRUPT);
    assert_string_equal(problem.code, "rolled_back");
    ask_anew(&w, "any");
    assert_int_equal(cosign(&w, 12, &problem), GW_CORRUPT); // and past it
    assert_non_null(strstr(problem.what, "another log of 9"));
    world_close(&w);
}

static void nothing_that_a_witness_says_is_believed_unverified(void **state) {
    world w;
    world_open(state, &w, "all");
    gw_problem problem = {0};
    // The lines of another tree, of another witness, with time 0, none at all, and no lines.
    small_log other = small_log_new(ORIGIN, 0x51);
    gw_buffer body, note;
    gw_witness_reply reply;
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    gw_buffer_init(&note, 4096);
    small_log_sign(&other, 4, &note);
    gw_add_body_write(&(gw_add_body){.note = gw_buffer_bytes(&note)}, &body);
    gw_witness_add(w.witnesses[0], gw_buffer_bytes(&body), &reply);
    assert_int_equal(reply.status, 200);
    static const char *const texts[] = {"", "hello\n", "\xe2\x80\x94 w0.example/witness AAAAAAAAAAAA\n",
                                        "\xe2\x80\x94 w0.example/witness"};
    for (size_t i = 0; i <= sizeof(texts) / sizeof(texts[0]); i++) {
        w.scripts[0] = (script){.status = 200, .text = i == 0 ? gw_buffer_string(&reply.body) : texts[i - 1]};
        assert_int_equal(cosign(&w, 9, &problem), GW_UNAVAILABLE);
        assert_string_equal(code_of(&w, 0), "bad_answer");
        assert_int_equal(good_lines(&w), 2);
        gw_witness_state told;
        gw_witnesses_state(w.asked, 0, &told);
        assert_int_equal(told.size, 0); // nothing was learned from it
    }
    // A good signature over no time at all.
    char path[300];
    gw_secret_key *secret = NULL;
    gw_note_parts parts;
    snprintf(path, sizeof(path), "%s/w0/witness.key", (const char *)*state);
    assert_int_equal(gw_key_file_read(path, &secret, NULL), GW_OK);
    assert_int_equal(gw_note_split(gw_buffer_bytes(&w.note), &parts, NULL), GW_OK);
    gw_buffer_done(&reply.body);
    gw_cosignature_sign("w0.example/witness", secret, parts.text, 0, &reply.body);
    w.scripts[0] = (script){.status = 200, .text = gw_buffer_string(&reply.body)};
    assert_int_equal(cosign(&w, 9, &problem), GW_UNAVAILABLE);
    assert_string_equal(code_of(&w, 0), "bad_answer");
    gw_secret_key_free(secret);
    gw_buffer_done(&reply.body);
    gw_buffer_done(&body);
    gw_buffer_done(&note);
    gw_secret_key_free(other.secret);
    world_close(&w);
}

static void lines_of_keys_that_are_not_known_are_left_out(void **state) {
    world w;
    world_open(state, &w, "any");
    char text[2048];
    gw_buffer body, note;
    gw_witness_reply reply;
    gw_buffer_init(&body, GW_ADD_BODY_MAX);
    gw_buffer_init(&note, 4096);
    small_log_sign(&w.log, 4, &note);
    gw_add_body_write(&(gw_add_body){.note = gw_buffer_bytes(&note)}, &body);
    gw_witness_add(w.witnesses[0], gw_buffer_bytes(&body), &reply);
    snprintf(text, sizeof(text), "\xe2\x80\x94 stranger.example/w AAAAAAAAAAAA\n%s", gw_buffer_string(&reply.body));
    w.scripts[0] = (script){.status = 200, .text = text};
    w.scripts[1].is_dead = w.scripts[2].is_dead = true;
    assert_int_equal(cosign(&w, 4, NULL), GW_OK);
    assert_null(strstr(gw_buffer_string(&w.note), "stranger"));
    gw_buffer_done(&reply.body);
    gw_buffer_done(&body);
    gw_buffer_done(&note);
    world_close(&w);
}

static void refusals_have_names(void **state) {
    world w;
    world_open(state, &w, "all");
    static const struct {
        script play;
        const char *code;
    } cases[] = {
        {{.status = 404}, "unknown_log"},
        {{.status = 403}, "log_key"},
        {{.status = 400}, "refused"},
        {{.status = 429}, "busy"},
        {{.status = 302}, "bad_answer"},
        {{.status = 500}, "bad_answer"},
        {{.status = 409, .type = "text/plain", .text = "3\n"}, "bad_answer"},
        {{.status = 409, .type = "text/x.tlog.sizes", .text = "3\n"}, "bad_answer"},
        {{.status = 409, .type = "text/x.tlog.size", .text = "3"}, "bad_answer"},
        {{.status = 409, .type = "text/x.tlog.size", .text = "03\n"}, "bad_answer"},
        {{.status = 409, .type = "text/x.tlog.size", .text = "99999999999999999999\n"}, "bad_answer"},
        {{.status = 409, .type = "text/x.tlog.size", .text = "3\n"}, "busy"}, // it says so for ever: asked twice
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gw_problem problem = {0};
        w.scripts[0] = cases[i].play;
        assert_int_equal(cosign(&w, 5, &problem), GW_UNAVAILABLE);
        assert_string_equal(problem.code, "no_quorum");
        assert_string_equal(code_of(&w, 0), cases[i].code);
        assert_in_range(w.requests[0], 1, 2);
    }
    world_close(&w);
}

static void an_address_that_cannot_be_asked_is_refused_at_the_start(void **state) {
    world w;
    world_open(state, &w, "any");
    static const struct {
        const char *url;
        bool is_good;
    } cases[] = {
        {"http://127.0.0.1:4712", true},
        {"http://127.0.0.1:4712/deep/er/", true},
        {"http://[::1]:4712/", true},
        {"http://localhost/", true},
        {"https://witness.example/prefix", true},
        {"http://witness.example/", false},
        {"http://127.evil.example/", false},
        {"http://localhost.evil.example/", false},
        {"http://127.0.0.1@evil.example/", false},
        {"ftp://127.0.0.1/", false},
        {"file:///etc/passwd", false},
        {"https://", false},
        {"https://x/?a=b", false},
        {"https://witness.example@evil.example/", false},
        {"127.0.0.1:4712", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        gw_tlog_policy *policy = NULL;
        gw_witnesses *made = NULL;
        gw_problem problem = {0};
        snprintf(text, sizeof(text), "witness a %s %s\nquorum a\n", w.vkeys[0], cases[i].url);
        assert_int_equal(gw_tlog_policy_parse(gw_bytes_of(text), &policy, NULL), GW_OK);
        gw_status status = gw_witnesses_new(policy, (gw_http){.state = &w, .post = fake_post}, 700, &made, &problem);
        assert_int_equal(status, cases[i].is_good ? GW_OK : GW_INVALID);
        if (!cases[i].is_good)
            assert_string_equal(problem.code, "witness_url");
        gw_witnesses_free(made);
    }
    world_close(&w);
}

static void a_quorum_that_addresses_cannot_reach_is_refused(void **state) {
    world w;
    world_open(state, &w, "any");
    char text[1024];
    gw_tlog_policy *policy = NULL;
    gw_witnesses *made = NULL;
    gw_problem problem = {0};
    snprintf(text, sizeof(text), "witness a %s http://127.0.0.1:1\nwitness b %s\ngroup g all a b\nquorum g\n",
             w.vkeys[0], w.vkeys[1]);
    assert_int_equal(gw_tlog_policy_parse(gw_bytes_of(text), &policy, NULL), GW_OK);
    assert_int_equal(gw_witnesses_new(policy, (gw_http){.state = &w, .post = fake_post}, 700, &made, &problem),
                     GW_INVALID);
    assert_non_null(strstr(problem.why, "out of reach"));
    world_close(&w);
}

static void nobody_is_asked_where_the_quorum_is_none(void **state) {
    (void)state;
    gw_tlog_policy *policy = NULL;
    world w = {.log = small_log_new(ORIGIN, 0x51)};
    gw_buffer_init(&w.note, 4096);
    assert_int_equal(gw_tlog_policy_parse(gw_bytes_of("quorum none\n"), &policy, NULL), GW_OK);
    assert_int_equal(gw_witnesses_new(policy, (gw_http){.state = &w, .post = fake_post}, 700, &w.asked, NULL), GW_OK);
    assert_int_equal(cosign(&w, 5, NULL), GW_OK);
    gw_tree_witness tree = gw_witnesses_tree(w.asked, true);
    assert_true(tree.is_strict);
    assert_null(tree.close);
    world_close(&w);
}

int main(void) {
#define ONE(test) cmocka_unit_test_setup_teardown(test, unit_folder_new, unit_folder_free)
    const struct CMUnitTest tests[] = {
        ONE(all_witnesses_cosign_and_the_note_holds_under_the_policy),
        ONE(after_the_first_time_one_round_trip_suffices),
        ONE(a_dead_witness_is_named_and_the_quorum_decides),
        ONE(a_witness_that_saw_more_tells_that_we_were_set_back),
        ONE(a_witness_that_saw_another_tree_of_this_size_tells_it_too),
        ONE(nothing_that_a_witness_says_is_believed_unverified),
        ONE(lines_of_keys_that_are_not_known_are_left_out),
        ONE(refusals_have_names),
        ONE(an_address_that_cannot_be_asked_is_refused_at_the_start),
        ONE(a_quorum_that_addresses_cannot_reach_is_refused),
        ONE(nobody_is_asked_where_the_quorum_is_none),
    };
    return gw_crypto_init() == GW_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
