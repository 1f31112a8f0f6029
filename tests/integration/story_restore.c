// SPDX-License-Identifier: Apache-2.0
// Story: a backup is taken beside a running service, more is asked, and then the ledger is gone. An old copy in its
// place is refused however it is put there; the way back is a restore, signed by two, that counts what is missing as
// spent. An answer that only the log remembers is lost, and never drawn again.
#include "tests/support/daemon.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
// cmocka wants the four above first.
#include <cmocka.h>

#define QUESTION(epsilon)                                                                                              \
    "{\"v\":1,\"kind\":\"query\",\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"count\"},"              \
    "\"by\":[\"sex\"],\"epsilon\":\"" epsilon "\"}"
#define IDEM_FIRST "00112233445566778899aabbccddeeff"
#define IDEM_LATER "ffeeddccbbaa99887766554433221100"
#define MICRO 1000000u
#define COST_FIRST (MICRO / 10)
#define COST_LATER (MICRO / 5)
#define QUESTION_MAX MICRO
#define EXIT_REFUSED 3
#define EXIT_PARTIAL 8
#define EXIT_TAMPERED 6
#define EXIT_CANNOT_CHECK 10
#define EXIT_OPERATOR 78

typedef struct {
    test_daemon daemon;
    gw_profile owner, researcher;
    gw_buffer first, later; // answers
    gw_buffer first_request, later_request;
    char godwitd[TEST_PATH_MAX], godwit[TEST_PATH_MAX], beside[TEST_PATH_MAX];
} story;

// ---- a shell, with $S the state folder, $B what lies beside it, $D godwitd, $G godwit

static int sh(const story *it, const char *script) {
    gw_buffer output;
    gw_buffer_init(&output, 1 << 20);
    setenv("S", it->daemon.folder, 1);
    setenv("B", it->beside, 1);
    setenv("D", it->godwitd, 1);
    setenv("G", it->godwit, 1);
    setenv("OWNER", it->owner.path, 1);
    setenv("RESEARCHER", it->researcher.path, 1);
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const int code = test_run(argv, &output);
    if (getenv("GW_VERBOSE") != NULL)
        print_message("$ %s\n%s(%d)\n", script, gw_buffer_string(&output), code);
    gw_buffer_done(&output);
    return code;
}

// What a start says of the state: it must not get as far as serving.
#define REFUSED_TO_SERVE(it) assert_int_equal(sh(it, "timeout 20 $D serve --dir $S 2>> $B/serve.log"), EXIT_OPERATOR)

// ---- the story's beginning: one answer, a backup, another answer, and the newest state kept aside

static void keep(gw_buffer *buffer, gw_bytes bytes) {
    gw_buffer_init(buffer, 1 << 20);
    gw_buffer_append(buffer, bytes.data, bytes.size);
    assert_int_equal(buffer->status, GW_OK);
}

static int begin(void **state) {
    story *it = calloc(1, sizeof *it);
    assert_non_null(it);
    *state = it;
    test_program("godwitd", it->godwitd);
    test_program("godwit", it->godwit);
    test_daemon_with_people(&it->daemon, 500, (test_budget){"100", NULL, "0.01", "1"});
    snprintf(it->beside, sizeof it->beside, "%.500s.beside", it->daemon.folder);
    assert_int_equal(sh(it, "rm -rf $B && mkdir $B"), 0);
    test_daemon_principal(&it->daemon, "owner", &it->owner);
    test_daemon_principal(&it->daemon, "researcher", &it->researcher);
    test_asker asker;
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask_query(&asker, QUESTION("0.1"), IDEM_FIRST));
    keep(&it->first, asker.reply.answer);
    keep(&it->first_request, gw_buffer_bytes(&asker.message));
    // Beside the running service.
    assert_int_equal(sh(it, "$D backup --dir $S --to $B/backup > $B/said 2>&1"), 0);
    assert_true(test_ask_query(&asker, QUESTION("0.2"), IDEM_LATER));
    keep(&it->later, asker.reply.answer);
    keep(&it->later_request, gw_buffer_bytes(&asker.message));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_stop(&it->daemon, SIGTERM), 0);
    assert_int_equal(sh(it, "cp -a $S $B/newest && cp -a $S/log $B/mirror && cp $S/log/checkpoint $B/saved"), 0);
    return 0;
}

static int end(void **state) {
    story *it = *state;
    if (getenv("GW_KEEP") == NULL)
        sh(it, "rm -rf $B");
    test_daemon_done(&it->daemon);
    gw_buffer_done(&it->first);
    gw_buffer_done(&it->later);
    gw_buffer_done(&it->first_request);
    gw_buffer_done(&it->later_request);
    free(it);
    return 0;
}

static int newest_again(void **state) {
    story *it = *state;
    if (it->daemon.pid != 0)
        test_daemon_stop(&it->daemon, SIGTERM);
    return sh(it, "rm -rf $S && cp -a $B/newest $S");
}

static void both_sign(const story *it) {
    assert_int_equal(sh(it, "$G sign $S/restore.json --config $OWNER > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "$G sign $S/restore.json --config $S/profiles/admin.json > $B/said 2>&1"), 0);
}

// ---- copies

static void a_backup_holds_what_is_public_and_no_secret(void **state) {
    story *it = *state;
    assert_int_equal(sh(it, "$D backup --check $B/backup > $B/said"), 0);
    assert_int_equal(
        sh(it, "cd $B/backup && test -f godwit.db -a -f log/checkpoint -a -f config.json -a -f questions/000.jsonl "
               "&& ls policies/*.json profiles/admin.json > /dev/null"),
        0);
    assert_int_equal(sh(it, "test -z \"$(find $B/backup -name '*.key' -o -name '*.duckdb' -o -name 'hwm' -o -name "
                            "'log.newest')\""),
                     0);
    assert_int_equal(sh(it, "$D backup --dir $S --to $B/backup > $B/said 2>&1"), EXIT_REFUSED); // never over another
    assert_int_equal(sh(it, "mkdir $B/full.new && touch $B/full.new/theirs"), 0);
    assert_int_equal(
        sh(it, "$D backup --dir $S --to $B/full --with-keys --with-data > $B/said && test -f $B/full/keys/log.key "
               "&& ls $B/full/data/*/*/*.duckdb > /dev/null && grep -q WARN $B/said && test -f $B/full.new/theirs"),
        0);
}

static void a_changed_backup_is_found(void **state) {
    story *it = *state;
    assert_int_equal(
        sh(it, "cp -a $B/backup $B/changed && printf x | dd of=$B/changed/godwit.db bs=1 seek=5000 conv=notrunc "
               "2> /dev/null"),
        0);
    assert_int_equal(sh(it, "$D backup --check $B/changed 2> $B/said"), EXIT_TAMPERED);
    // A file that nothing else looks into.
    assert_int_equal(sh(it, "rm -r $B/changed && cp -a $B/backup $B/changed && printf x | dd of=$B/changed/config.json "
                            "bs=1 seek=20 conv=notrunc 2> /dev/null"),
                     0);
    assert_int_equal(sh(it, "$D backup --check $B/changed 2> $B/said"), EXIT_TAMPERED);
    assert_int_equal(sh(it, "rm -r $B/changed && cp -a $B/backup $B/changed && rm $B/changed/questions/000.jsonl"), 0);
    assert_int_equal(sh(it, "$D backup --check $B/changed 2> $B/said"), EXIT_TAMPERED);
    assert_int_equal(sh(it, "cp $B/backup/questions/000.jsonl $B/changed/questions/ && touch $B/changed/more"), 0);
    assert_int_equal(sh(it, "$D backup --check $B/changed 2> $B/said"), EXIT_TAMPERED);
    assert_int_equal(sh(it, "$D backup --check $B/nothing 2> $B/said"), EXIT_CANNOT_CHECK);
}

static void the_public_files_come_out_of_the_ledger_byte_for_byte(void **state) {
    story *it = *state;
    assert_int_equal(sh(it, "$D republish --dir $S --to $B/again > $B/said && diff -r $S/log $B/again/log && "
                            "diff -r $S/questions $B/again/questions"),
                     0);
    // In their place, and from nothing.
    assert_int_equal(sh(it, "find $S/log -type f ! -name checkpoint -delete && rm -r $S/questions && "
                            "$D republish --dir $S > $B/said && diff -r $B/again/log $S/log && "
                            "diff -r $B/again/questions $S/questions"),
                     0);
    assert_int_equal(sh(it, "rm -r $S/log && $D republish --dir $S > $B/said && diff -r $B/again/log $S/log"), 0);
}

static void a_database_comes_out_of_the_public_files(void **state) {
    story *it = *state;
    assert_int_equal(
        sh(it, "$G audit rebuild --log $S/log --out $B/a.db > $B/said && grep -q 'OK.*same tree again' $B/said"), 0);
    assert_int_equal(sh(it, "$G audit rebuild --log $S/log --out $B/a.db 2> $B/said"),
                     EXIT_REFUSED); // never over another
    assert_int_equal(sh(it, "cp -a $S/log $B/tampered && f=$(find $B/tampered/tile/entries -type f) && "
                            "sed -i 's/cost 100000/cost 100001/' $f && "
                            "$D rebuild --log $B/tampered --out $B/b.db 2> $B/said"),
                     EXIT_TAMPERED);
    assert_int_equal(sh(it, "test ! -e $B/b.db && $D rebuild --log $B/nothing --out $B/b.db 2> $B/said"),
                     EXIT_CANNOT_CHECK);
}

// ---- an old ledger

// The old database in the place of the new one, with and without everything that remembers.
static void an_old_copy_is_refused_however_it_is_put_there(void **state) {
    story *it = *state;
    static const char *const removed[] = {"true",
                                          "rm $S/hwm",
                                          "rm $S/keys/log.newest",
                                          "rm $S/hwm $S/keys/log.newest",
                                          "rm -r $S/log",
                                          "rm $S/hwm && rm -r $S/log",
                                          "rm $S/keys/log.newest && rm -r $S/log",
                                          "rm $S/hwm $S/keys/log.newest && rm -r $S/log",
                                          "rm -r $S/log && cp -a $B/backup/log $S/log"};
    char script[1024];
    for (size_t i = 0; i < sizeof removed / sizeof removed[0]; i++) {
        assert_int_equal(newest_again(state), 0);
        snprintf(script, sizeof script, "rm -f $S/godwit.db* && cp $B/backup/godwit.db $S/ && %s", removed[i]);
        assert_int_equal(sh(it, script), 0);
        REFUSED_TO_SERVE(it);
    }
}

static void send_again(test_asker *asker, const gw_buffer *request) {
    asker->message.size = 0;
    gw_buffer_append(&asker->message, request->data, request->size);
    assert_true(test_asker_send(asker, 60000));
}

static void the_log_gives_everything_back_but_answers(void **state) {
    story *it = *state;
    test_asker asker;
    assert_int_equal(sh(it, "rm $S/godwit.db* && $D restore --dir $S --backup $B/backup --log $B/mirror > $B/said"),
                     EXIT_PARTIAL);
    assert_int_equal(sh(it, "grep -q 'nothing that is known of' $B/said"), 0);
    // One signature is not enough, nor the same one twice, nor a researcher's.
    assert_int_equal(sh(it, "$G sign $S/restore.json --config $OWNER > $B/said 2>&1"), 0);
    assert_int_equal(sh(it,
                        "cp $S/restore.json.*.sig $S/restore.json.again.sig && $D restore --dir $S --backup $B/backup "
                        "--log $B/mirror > $B/said; code=$?; rm $S/restore.json.again.sig; exit $code"),
                     EXIT_PARTIAL);
    assert_int_equal(sh(it, "$G sign $S/restore.json --config $RESEARCHER > $B/said 2>&1"), 0);
    assert_int_not_equal(sh(it, "$D restore --dir $S --backup $B/backup --log $B/mirror > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "grep -q 'code  bad_signature' $B/said && rm $S/restore.json.*.sig"), 0);
    assert_int_not_equal(sh(it, "timeout 20 $D serve --dir $S 2>> $B/serve.log"), 0); // there is no ledger yet
    both_sign(it);
    assert_int_equal(sh(it, "rm -r $S/questions && $D restore --dir $S --backup $B/backup --log $B/mirror > $B/said"),
                     0);
    test_daemon_start(&it->daemon);
    // What was asked after the backup has its hash in the log, and its text nowhere: that is said, and hides nothing
    // else.
    assert_int_equal(sh(it, "$G history --config $RESEARCHER -o table > $B/said && grep -q 'text is lost' $B/said && "
                            "grep -q 'GW-.*count' $B/said"),
                     0);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + COST_LATER);
    test_asker_open(&asker, &it->researcher);
    // What the backup had is given again; what only its hash is left of is not, and costs nothing more.
    send_again(&asker, &it->first_request);
    assert_int_equal(asker.reply.status, GW_REPLY_OK);
    assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&it->first)));
    send_again(&asker, &it->later_request);
    assert_int_equal(asker.reply.status, GW_REPLY_REFUSED);
    gw_problem problem;
    assert_int_equal(gw_problem_decode(asker.reply.answer, &problem), GW_OK);
    assert_string_equal(problem.code, "answer_lost");
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + COST_LATER);
    // The same question under a new id is a new draw, and a new charge.
    assert_true(test_ask_query(&asker, QUESTION("0.2"), NULL));
    assert_false(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&it->later)));
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + 2 * COST_LATER);
    test_asker_close(&asker);
}

static void what_cannot_be_recovered_counts_as_spent(void **state) {
    story *it = *state;
    test_asker asker;
    assert_int_equal(sh(it, "rm $S/godwit.db* && $D restore --dir $S --backup $B/backup > $B/said"), EXIT_PARTIAL);
    both_sign(it);
    assert_int_equal(sh(it, "mkdir $B/signed && cp $S/restore.json* $B/signed/"), 0);
    assert_int_equal(
        sh(it, "$D restore --dir $S --backup $B/backup > $B/said && grep -q 'godwit-witness reset' $B/said"), 0);
    assert_int_equal(sh(it, "ls $S/godwit.db.before-* > /dev/null 2>&1"), 2); // there was none to keep
    assert_int_equal(sh(it, "cp $S/godwit.db $B/after.db && test ! -s $S/godwit.db-wal"), 0);
    test_daemon_start(&it->daemon);
    // A charge and a release were lost.
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + 2 * QUESTION_MAX);
    test_asker_open(&asker, &it->researcher);
    assert_true(test_ask_query(&asker, QUESTION("0.1"), NULL));
    assert_true(gw_bytes_equal(asker.reply.answer, gw_buffer_bytes(&it->first)));
    assert_true(test_ask_query(&asker, QUESTION("0.3"), NULL));
    test_asker_close(&asker);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + 2 * QUESTION_MAX + 3 * MICRO / 10);
    // Who saw more is told which entry explains it, and stops nobody.
    gw_buffer note, body;
    gw_buffer_init(&body, 65536);
    gw_buffer_init(&note, 65536);
    char path[TEST_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/saved", it->beside);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int byte; (byte = fgetc(file)) != EOF;)
        gw_buffer_text(&note, byte == '\n' ? "\\n" : (char[]){(char)byte, '\0'});
    fclose(file);
    gw_buffer_format(&body, "{\"v\":1,\"kind\":\"checkpoint\",\"note\":\"%s\"}", gw_buffer_string(&note));
    test_asker_open(&asker, &it->researcher);
    assert_false(test_ask(&asker, gw_buffer_string(&body), NULL));
    assert_string_equal(asker.problem.code, "log_restored");
    assert_true(test_ask_query(&asker, QUESTION("0.3"), NULL));
    test_asker_close(&asker);
    gw_buffer_done(&note);
    gw_buffer_done(&body);
    // The signed statement is used up: with it, and the ledger as the restore left it, nothing is forgotten once more.
    assert_int_equal(test_daemon_stop(&it->daemon, SIGTERM), 0);
    assert_int_equal(sh(it, "rm $S/godwit.db* && cp $B/after.db $S/godwit.db && cp $B/signed/* $S/"), 0);
    REFUSED_TO_SERVE(it);
    // Broken off before the machine was told: without the signatures it stays refused, with them the start finishes it.
    assert_int_equal(newest_again(state), 0);
    assert_int_equal(sh(it, "rm $S/godwit.db* && cp $B/after.db $S/godwit.db && cp $B/signed/restore.json $S/"), 0);
    REFUSED_TO_SERVE(it);
    assert_int_equal(sh(it, "cp $B/signed/* $S/"), 0);
    test_daemon_start(&it->daemon);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + 2 * QUESTION_MAX);
    assert_int_equal(sh(it, "test ! -e $S/restore.json -a -f $S/restored/*.json"), 0);
}

static void a_checkpoint_that_somebody_saved_tells_of_more(void **state) {
    story *it = *state;
    // Nothing on this machine remembers: then somebody must, or the signers answer for a number.
    assert_int_equal(sh(it, "rm $S/godwit.db* $S/hwm $S/keys/log.newest"), 0);
    assert_int_not_equal(sh(it, "$D restore --dir $S --backup $B/backup > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "grep -q 'code  lost_unknown' $B/said"), 0);
    assert_int_equal(sh(it, "$D restore --dir $S --backup $B/backup --seen $B/saved > $B/said"), EXIT_PARTIAL);
    assert_int_equal(sh(it, "grep -q '\"lost\":2,' $S/restore.json"), 0);
    assert_int_equal(sh(it, "$D restore --dir $S --backup $B/backup --seen $B/saved --lost 5 > $B/said"), EXIT_PARTIAL);
    assert_int_equal(sh(it, "grep -q '\"lost\":5,' $S/restore.json"), 0);
    // Another loss is another statement: what was signed before is void.
    both_sign(it);
    assert_int_equal(sh(it, "$D restore --dir $S --backup $B/backup --seen $B/saved --lost 6 > $B/said"), EXIT_PARTIAL);
    both_sign(it);
    assert_int_equal(sh(it, "$D restore --dir $S --backup $B/backup --seen $B/saved --lost 6 > $B/said"), 0);
    test_daemon_start(&it->daemon);
    assert_int_equal(test_daemon_spent(&it->daemon, TEST_DATASET), COST_FIRST + 6 * QUESTION_MAX);
}

// The key of the log was changed since: what it signed before is still its word.
static void a_checkpoint_of_an_older_key_tells_of_more_too(void **state) {
    story *it = *state;
    assert_int_equal(sh(it, "$D keyrot --dir $S > $B/said 2>&1 && $D keyrot --dir $S --finish >> $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "cp $B/saved $S/rolled_back.note && $D restore --dir $S --seen $B/saved > $B/said"),
                     EXIT_PARTIAL);
    assert_int_equal(sh(it, "grep -q '\"lost\":0,' $S/restore.json && printf x >> $S/rolled_back.note"), 0);
    assert_int_not_equal(sh(it, "$D restore --dir $S > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "grep -q 'code  bad_checkpoint' $B/said"), 0);
}

static void a_log_of_another_history_is_refused(void **state) {
    story *it = *state;
    // The old ledger goes on elsewhere, as nothing remembers it there: a second history under one key.
    assert_int_equal(sh(it, "cp -a $S $B/fork && rm $B/fork/godwit.db* $B/fork/hwm $B/fork/keys/log.newest && "
                            "$D restore --dir $B/fork --backup $B/backup --lost 0 > $B/said"),
                     EXIT_PARTIAL);
    assert_int_equal(sh(it, "$G sign $B/fork/restore.json --config $OWNER > /dev/null && "
                            "$G sign $B/fork/restore.json --config $S/profiles/admin.json > /dev/null && "
                            "$D restore --dir $B/fork --backup $B/backup --lost 0 > $B/said"),
                     0);
    assert_int_not_equal(sh(it, "$D restore --dir $S --log $B/fork/log > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "grep -q 'code  split_view' $B/said"), 0);
    assert_int_not_equal(sh(it, "$D restore --dir $S --log $B/mirror --log $B/fork/log > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "grep -q 'code  split_view' $B/said"), 0);
    // Grown as long as the acknowledged one it fits a backup, and not what this machine remembers.
    assert_int_equal(sh(it, "$D restore --dir $B/fork > $B/said"), EXIT_PARTIAL);
    assert_int_equal(sh(it, "$G sign $B/fork/restore.json --config $OWNER > /dev/null && "
                            "$G sign $B/fork/restore.json --config $S/profiles/admin.json > /dev/null && "
                            "$D restore --dir $B/fork > $B/said"),
                     0);
    assert_int_not_equal(sh(it, "$D restore --dir $S --backup $B/backup --log $B/fork/log > $B/said 2>&1"), 0);
    assert_int_equal(sh(it, "grep -q 'code  split_view' $B/said && rm -r $B/fork"), 0);
}

#define STORY(name) cmocka_unit_test_setup(name, newest_again)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORY(a_backup_holds_what_is_public_and_no_secret),
        STORY(a_changed_backup_is_found),
        STORY(the_public_files_come_out_of_the_ledger_byte_for_byte),
        STORY(a_database_comes_out_of_the_public_files),
        STORY(an_old_copy_is_refused_however_it_is_put_there),
        STORY(the_log_gives_everything_back_but_answers),
        STORY(what_cannot_be_recovered_counts_as_spent),
        STORY(a_checkpoint_that_somebody_saved_tells_of_more),
        STORY(a_checkpoint_of_an_older_key_tells_of_more_too),
        STORY(a_log_of_another_history_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
