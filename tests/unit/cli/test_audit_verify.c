// SPDX-License-Identifier: Apache-2.0
// The auditor's page: what it says of a log with everything in it, in words and as a document; a checkpoint that was
// kept, against logs that grew, were cut, were rewritten or were restored; witnesses; and what must never be mixed.
#include "client/cli/audit_facts.h"
#include "client/cli/audit_page.h"
#include "client/cli/audit_since.h"
#include "client/cli/log_conflict.h"
#include "service/audit/cosignature.h"
#include "service/base/file.h"
#include "service/format/text.h"
#include "service/wire/json.h"
#include "tests/unit/cli/audit_session.h"

static log_book book;
static char folder[200], kept[200], proof[200], trust[200], vkey[GW_VKEY_MAX];

static int setup(void **state) {
    if (unit_folder_new(state) != 0)
        return -1;
    log_book_init(&book);
    log_book_live(&book);
    log_book_vkey(&book, vkey);
    snprintf(folder, sizeof(folder), "%s/log", (const char *)*state);
    snprintf(kept, sizeof(kept), "%s/kept", (const char *)*state);
    snprintf(proof, sizeof(proof), "%s/proof", (const char *)*state);
    snprintf(trust, sizeof(trust), "%s/trust", (const char *)*state);
    log_book_publish(&book, book.count, folder);
    return 0;
}

static int teardown(void **state) {
    log_book_done(&book);
    return unit_folder_free(state);
}

static void text_write(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fclose(file);
}

static void note_write(const char *path, const log_book *of, size_t size) {
    gw_buffer note;
    gw_buffer_init(&note, 4096);
    log_book_note(of, size, &note);
    text_write(path, gw_buffer_string(&note));
    gw_buffer_done(&note);
}

#define VERIFY(...) RUN("audit", "verify", "--log", folder, "--log-key", vkey, __VA_ARGS__)
#define assert_verifies(code, text, ...)                                                                               \
    assert_says(code, text, "audit", "verify", "--log", folder, "--log-key", vkey, __VA_ARGS__)

static void the_page_says_who_did_what(void **state) {
    (void)state;
    static const char *const said[] = {
        "OK checked under the key stats.example/ledger1+5cca7dff",
        "OK    1 charge ended without an answer and stays spent",
        " dataset     stats.example/register               0.65  12.00        8",
        " principal   stats.example/register   33333333…   0.45   2.00        5",
        "stats.example/register version 2: total 10.00 -> 12.00",
        "signed by 11111111…, owner and 22222222…",
        "11111111000000000000000000000001  owner; signed 11 entries",
        "2 principals may ask questions.",
        "sign key 07000000… of 44444444… is revoked",
        "stats.example/register has data version 99999999…",
        "1 given up: deadline. What they cost stays spent.",
        "charge 25 of 0.25 on stats.example/register is open",
        "clock_jump (entry 29)",
        "44444444…  budget_principal: 3 times",
        "33333333…  budget_principal: 2 times",
        "The longest silence: 3 d 0 h",
        "nothing for 2 d 0 h, after entry 24",
        "Of 8 charges 1 came on a Saturday or Sunday, 0 between 22 and 6",
        "The log of stats.example/ledger1 is sound.",
        "No answer among its 30 entries left without a charge; no budget was passed.",
    };
    session s = VERIFY("-o", "table");
    assert_int_equal(s.code, 0);
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (!session_has(s.out, said[i]))
            print_message("not said: %s\n%s", said[i], s.out);
        assert_true(session_has(s.out, said[i]));
    }
    for (const char *line = s.out; *line != '\0'; line += strcspn(line, "\n") + 1)
        assert_true(gw_text_width(line, strcspn(line, "\n")) <= 80);
    session_done(&s);
}

static const gw_json_node *member(const gw_json_node *node, const char *name) {
    const gw_json_node *found = gw_json_member(node, name);
    if (found == NULL)
        print_message("no member %s\n", name);
    assert_non_null(found);
    return found;
}

static void the_document_has_all_of_the_page(void **state) {
    (void)state;
    gw_json *json = NULL;
    session s = VERIFY("-o", "json");
    assert_int_equal(s.code, 0);
    assert_int_equal(gw_json_parse(gw_bytes_of(s.out), GW_JSON_REPLY, &json, NULL), GW_OK);
    const gw_json_node *root = gw_json_root(json);
    assert_true(gw_json_bool(member(root, "is_sound")));
    assert_true(gw_json_bool(member(root, "key_is_trusted")));
    assert_int_equal(gw_json_count(member(root, "balances")), 5);
    const gw_json_node *balance = gw_json_first(member(root, "balances"));
    assert_string_equal(gw_json_string(member(balance, "budget")), "dataset");
    assert_string_equal(gw_json_string(member(balance, "spent")), "0.65");
    assert_string_equal(gw_json_string(member(balance, "total")), "12");
    assert_int_equal(gw_json_count(member(root, "principals")), 4);
    assert_int_equal(gw_json_count(member(root, "history")), 13);
    assert_int_equal(gw_json_count(member(root, "refusals")), 3);
    assert_int_equal(gw_json_count(member(root, "open")), 1);
    assert_int_equal(gw_json_integer(member(member(root, "time"), "charges_at_weekends")), 1);
    assert_int_equal(gw_json_count(member(member(root, "time"), "silences")), 2);
    assert_int_equal(gw_json_integer(member(member(root, "kinds"), "charge")), 8);
    gw_json_free(json);
    session_done(&s);
    assert_verifies(0, "dataset,stats.example/register,,0.65,12,8,", "-o", "csv");
}

// Kinds that say what happened to answers, keys and ledgers: the facts know them all.
static void entries_of_every_kind_are_told(void **state) {
    (void)state;
    gw_facts facts;
    gw_cli cli;
    char *out = NULL;
    size_t size = 0;
    gw_entry embargo = {.kind = GW_ENTRY_EMBARGO}, withdraw = {.kind = GW_ENTRY_WITHDRAW};
    gw_entry witnesses = {.kind = GW_ENTRY_WITNESSES}, keyrot = {.kind = GW_ENTRY_KEYROT};
    gw_entry restore = {.kind = GW_ENTRY_RESTORE};
    strcpy(embargo.embargo.release, "GW-2026-000001");
    embargo.embargo.until = BOOK_START + 86400;
    strcpy(withdraw.withdraw.release, "GW-2026-000002");
    log_book_vkey(&book, keyrot.keyrot.old_key);
    log_book_vkey(&book, keyrot.keyrot.new_key);
    restore.restore.from = 33;
    restore.restore.lost = 7;
    log_book_add(&book, log_book_signed(embargo, BOOK_OWNER, 0));
    log_book_add(&book, log_book_signed(withdraw, BOOK_OWNER, 0));
    log_book_add(&book, log_book_signed(witnesses, BOOK_OPERATOR, 0));
    log_book_add(&book, log_book_signed(keyrot, BOOK_OPERATOR, BOOK_OWNER));
    log_book_add(&book, log_book_signed(restore, BOOK_OPERATOR, BOOK_OWNER));
    gw_facts_init(&facts, UINT64_MAX);
    for (size_t i = 0; i < book.count; i++)
        gw_facts_add(&facts, &book.entries[i]);
    assert_true(facts.is_whole);
    gw_cli_init(&cli, NULL, 0);
    cli.out = open_memstream(&out, &size);
    cli.is_unicode = true;
    cli.width = 80;
    gw_audit_state *empty = gw_audit_state_new();
    gw_audit_page_say(&cli, empty, &facts);
    fclose(cli.out);
    assert_true(session_has(out, "GW-2026-000001 is kept back until 2026-09-22"));
    assert_true(session_has(out, "GW-2026-000002 is withdrawn"));
    assert_true(session_has(out, "witnesses by the quorum file 00000000…"));
    assert_true(session_has(out, "the log's key changes to stats.example/ledger1+5cca7dff"));
    assert_true(session_has(out, "Restored ledgers"));
    assert_true(session_has(out, "restored with 33 entries; 7 lost, counted as"));
    free(out);
    gw_audit_state_free(empty);
    gw_facts_done(&facts);
}

static void the_accounting_with_a_delta_is_told_in_all_its_measures(void **state) {
    (void)state;
    log_book_done(&book);
    log_book_init(&book);
    book.delta = 1000000000;            // 1e-9
    book.selection_delta = 10000000000; // 1e-8
    log_book_settle(&book);
    log_book_release(&book, log_book_charge(&book, BOOK_RESEARCHER, 100000), "GW-2026-000001");
    log_book_selection(&book, BOOK_RESEARCHER, 100000, 2500000000); // 2.5e-9
    log_book_publish(&book, book.count, folder);
    session s = VERIFY("-o", "table");
    assert_int_equal(s.code, 0);
    // Each costs 0.1 tanh(0.05) = 0.0049958: both, rounded up, 0.009992.
    assert_true(session_has(s.out, "dataset stats.example/register also counts rho: 0.009992 of the "));
    assert_true(session_has(s.out, "that 10.00 and a delta of 1e-9 allow"));
    assert_true(session_has(s.out,
                            "population stats.example/residents: questions that select unknown keys used a delta "
                            "of 2.5e-9 of 1e-8."));
    assert_true(session_has(s.out, "total 20.00, delta 1e-9, selection delta 1e-8"));
    session_done(&s);
    assert_verifies(0, "\"delta\":\"1e-9\",\"rho\":\"0.009992\"", "-o", "json");
    assert_verifies(0, "\"selection_delta\":\"2.5e-9\",\"selection_delta_total\":\"1e-8\"", "-o", "json");
}

static void long_lists_end_with_the_command_that_shows_the_rest(void **state) {
    (void)state;
    for (unsigned i = 3; i < 40; i++)
        log_book_policy(&book, i, (12 + i) * 1000000ull);
    log_book_publish(&book, book.count, folder);
    session s = VERIFY("-o", "table");
    assert_int_equal(s.code, 0);
    assert_true(session_has(s.out, "version 39: total 50.00 -> 51.00"));
    assert_null(strstr(s.out, "version 20:"));
    assert_true(session_has(s.out, "and 28 more, earlier: godwit audit log --kind population --kind policy"));
    session_done(&s);
}

// ---- a checkpoint that was kept

static void a_log_that_grew_is_shown_from_there_on(void **state) {
    (void)state;
    log_book_publish(&book, 24, folder);
    assert_verifies(0, "next time --since", "-o", "table", "--save", kept);
    assert_verifies(0, "the checkpoint you kept is of this very tree, 24 entries", "-o", "table", "--since", kept);
    log_book_publish(&book, book.count, folder);
    session s = VERIFY("-o", "table", "--since", kept);
    assert_int_equal(s.code, 0);
    assert_true(session_has(s.out, "24 entries, is the beginning of this log: 6 are new"));
    assert_true(session_has(s.out, "New since the checkpoint you kept 2 changes of keys, 1 policy, 1 charge, 1 hour "
                                   "with refusals, 1 incident."));
    assert_true(session_has(s.out, "stats.example/register: 0.25 spent in 1 charge"));
    session_done(&s);
    assert_verifies(0, "\"since\":{\"verdict\":\"grown\",\"size\":24}", "-o", "json", "--since", kept);
    assert_verifies(0, "\"new_charged\":\"0.25\"", "-o", "json", "--since", kept);
}

static void a_log_that_is_shorter_was_set_back(void **state) {
    (void)state;
    note_write(kept, &book, book.count);
    log_book_publish(&book, 24, folder);
    assert_verifies(GW_EXIT_TAMPERED, "FAIL  the log is shorter than it was", "-o", "table", "--since", kept, "--proof",
                    proof);
    assert_verifies(GW_EXIT_TAMPERED, "\"verdict\":\"shorter\"", "-o", "json", "--since", kept, "--proof", proof);
    assert_says(GW_EXIT_CANNOT_CHECK, "cannot decide", "audit", "compare", proof, "--log-key", vkey);
}

static void a_log_with_another_beginning_was_rewritten_and_the_proof_stands_alone(void **state) {
    (void)state;
    note_write(kept, &book, 24);
    book.entries[22].time--; // one second of one entry
    log_book_publish(&book, book.count, folder);
    assert_verifies(GW_EXIT_TAMPERED, "FAIL  the log was rewritten", "-o", "table", "--since", kept, "--proof", proof);
    assert_says(GW_EXIT_TAMPERED, "rolled back or rewritten", "audit", "compare", proof, "--log-key", vkey);
    log_book_publish(&book, 24, folder);
    assert_verifies(GW_EXIT_TAMPERED, "FAIL  the log was rewritten", "-o", "table", "--since", kept, "--proof", proof);
    assert_says(GW_EXIT_TAMPERED, "split view", "audit", "compare", proof, "--log-key", vkey);
    // What was kept is not replaced by what contradicts it.
    assert_verifies(GW_EXIT_TAMPERED, "rewritten", "-o", "table", "--since", kept, "--save", kept, "--proof", proof);
    assert_verifies(GW_EXIT_TAMPERED, "rewritten", "-o", "table", "--since", kept, "--proof", proof);
}

static void a_kept_checkpoint_of_another_hand_is_not_compared(void **state) {
    (void)state;
    log_book other;
    log_book_init(&other);
    other.seed = 0x77;
    log_book_settle(&other);
    note_write(kept, &other, other.count);
    session s = VERIFY("-o", "table", "--since", kept);
    assert_int_equal(s.code, GW_EXIT_CANNOT_CHECK);
    assert_true(session_has(s.out, "was not compared"));
    assert_false(session_has(s.out, "New since")); // a size that nobody signed says nothing
    session_done(&s);
    log_book_done(&other);
    text_write(kept, "no checkpoint\n");
    assert_verifies(GW_EXIT_CANNOT_CHECK, "since_unreadable", "-o", "table", "--since", kept);
    assert_verifies(GW_EXIT_CANNOT_CHECK, "file_missing", "-o", "table", "--since", "/nonexistent");
}

// The fold is not asked here: what a restore entry explains is judged from the entries alone.
static gw_since_verdict judged_with_restore(uint64_t lost) {
    gw_since since;
    gw_facts facts;
    gw_buffer note;
    log_book other;
    gw_entry restore = {.kind = GW_ENTRY_RESTORE};
    gw_note_key key = log_book_note_key(&book);
    log_book_init(&other);
    memcpy(other.entries, book.entries, 24 * sizeof(book.entries[0]));
    other.count = 24;
    other.time = book.time;
    restore.restore.from = 24;
    restore.restore.lost = lost;
    log_book_add(&other, log_book_signed(restore, BOOK_OPERATOR, BOOK_OWNER));
    gw_audit_verdict verdict = {.is_sound = true, .size = 25, .checkpoint = log_book_checkpoint(&other, 25)};
    gw_facts_init(&facts, UINT64_MAX);
    for (size_t i = 0; i < other.count; i++)
        gw_facts_add(&facts, &other.entries[i]);
    gw_buffer_init(&note, 4096);
    log_book_note(&other, 25, &note);
    log_book_publish(&other, 25, folder);
    gw_since_init(&since);
    assert_int_equal(gw_since_read(kept, &since, NULL), GW_OK);
    gw_since_judge(&since, folder, gw_buffer_bytes(&note), &key, &verdict, &facts, proof);
    assert_string_equal(since.proof_path, proof); // whatever is declared, both signatures are kept
    gw_since_verdict judged = since.verdict;
    assert_int_equal(gw_since_exit(&since), judged == GW_SINCE_RESTORED ? GW_EXIT_FOUND : GW_EXIT_TAMPERED);
    gw_since_done(&since);
    gw_facts_done(&facts);
    gw_buffer_done(&note);
    log_book_done(&other);
    return judged;
}

static void a_declared_restore_explains_no_more_than_it_declares(void **state) {
    (void)state;
    note_write(kept, &book, 30);
    assert_int_equal(judged_with_restore(6), GW_SINCE_RESTORED);
    assert_int_equal(judged_with_restore(5), GW_SINCE_SHORTER);
}

// The whole of it: the log that a restore left is sound, says what it counts as spent, and is no secret to who kept
// more.
static void a_restored_log_is_sound_and_says_what_is_gone(void **state) {
    (void)state;
    gw_entry restore = {.kind = GW_ENTRY_RESTORE}, embargo = {.kind = GW_ENTRY_EMBARGO};
    gw_entry withdraw = {.kind = GW_ENTRY_WITHDRAW};
    note_write(kept, &book, 30);
    book.count = 24; // six entries are gone, a charge of 0.25 among them
    restore.restore.from = 24;
    restore.restore.lost = 6;
    log_book_add(&book, log_book_signed(restore, BOOK_OPERATOR, BOOK_OWNER));
    strcpy(embargo.embargo.release, "GW-2026-000001");
    embargo.embargo.until = book.time + 86400;
    log_book_add(&book, log_book_signed(embargo, BOOK_OWNER, 0));
    strcpy(withdraw.withdraw.release, "GW-2026-000002");
    log_book_add(&book, log_book_signed(withdraw, BOOK_OWNER, 0));
    log_book_publish(&book, book.count, folder);
    session s = VERIFY("-o", "table", "--since", kept, "--proof", proof);
    assert_int_equal(s.code, GW_EXIT_FOUND);
    assert_true(session_has(s.out, "WARN the checkpoint you kept had 30 entries that are not this log's"));
    assert_true(session_has(s.out, "entry 24, signed by 22222222… and 11111111…, declares that the ledger was restored "
                                   "with 24 entries, that 6 were lost"));
    assert_true(session_has(s.out, "3.00 of what is spent was counted by a restore, for entries that are gone"));
    assert_true(session_has(s.out, "restored with 24 entries; 6 lost, counted as spent"));
    assert_true(session_has(s.out, "GW-2026-000001 is kept back until"));
    assert_true(session_has(s.out, "GW-2026-000002 is withdrawn"));
    assert_true(session_has(s.out, "But not everything is as it should be"));
    session_done(&s);
    assert_verifies(GW_EXIT_FOUND, "\"verdict\":\"restored\"", "-o", "json", "--since", kept, "--proof", proof);
    assert_verifies(0, "\"restored\":\"3\"", "-o", "json");
    assert_says(0, "shown to nobody from there on", "audit", "show", "GW-2026-000002", "--log", folder, "-o", "table");
    book.entries[24].restore.lost = 5; // one more was signed than is declared to be gone
    log_book_publish(&book, book.count, folder);
    assert_verifies(GW_EXIT_TAMPERED, "the log is shorter than it was", "-o", "table", "--since", kept, "--proof",
                    proof);
}

// ---- witnesses

static void witnessed(uint8_t seed, const char *name, gw_note_key *ret_key, gw_buffer *note, gw_bytes text) {
    uint8_t bytes[GW_SEED_SIZE];
    gw_secret_key *key = NULL;
    memset(bytes, seed, sizeof(bytes));
    assert_int_equal(gw_key_from_seed(bytes, &key), GW_OK);
    assert_int_equal(gw_note_key_make(name, 4, gw_key_public(key), ret_key), GW_OK);
    if (note != NULL)
        gw_cosignature_sign(name, key, text, BOOK_START, note);
    gw_secret_key_free(key);
}

static void trust_write(const char *quorum) {
    gw_note_key first, second;
    char first_key[GW_VKEY_MAX], second_key[GW_VKEY_MAX], text[2048];
    witnessed(1, "ministry.example/w", &first, NULL, (gw_bytes){0});
    witnessed(2, "audit.example/w", &second, NULL, (gw_bytes){0});
    gw_note_key_format(&first, first_key);
    gw_note_key_format(&second, second_key);
    snprintf(text, sizeof(text),
             "log %s\nwitness ministry %s\nwitness auditor %s\ngroup both %s ministry auditor\nquorum both\n", vkey,
             first_key, second_key, quorum);
    text_write(trust, text);
}

static void cosign(size_t size, const char *path, bool is_true) {
    gw_buffer note;
    gw_note_key key;
    gw_buffer_init(&note, 8192);
    log_book_note(&book, size, &note);
    const char *text = gw_buffer_string(&note);
    gw_bytes signed_text = {.data = note.data, .size = (size_t)(strstr(text, "\n\n") + 1 - text)};
    gw_bytes other_text = gw_bytes_of("stats.example/ledger1\n1\nAAAA\n");
    gw_buffer line;
    gw_buffer_init(&line, 4096);
    witnessed(1, "ministry.example/w", &key, &line, is_true ? signed_text : other_text);
    gw_buffer_append(&note, line.data, line.size);
    text_write(path, gw_buffer_string(&note));
    gw_buffer_done(&line);
    gw_buffer_done(&note);
}

static void a_policy_names_the_key_and_asks_for_witnesses(void **state) {
    (void)state;
    char checkpoint[256];
    snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", folder);
    trust_write("any");
    cosign(book.count, checkpoint, true);
    session s = RUN("audit", "verify", "--log", folder, "--policy", trust, "-o", "table");
    assert_int_equal(s.code, 0);
    assert_true(session_has(s.out, "its quorum is reached, 1 of 2 witnesses cosigned: ministry"));
    session_done(&s);
    assert_says(0, "\"is_quorate\":true", "audit", "verify", "--log", folder, "--policy", trust, "-o", "json");
    trust_write("all");
    assert_says(GW_EXIT_FOUND, "too few witnesses cosigned this checkpoint, 1 of 2", "audit", "verify", "--log", folder,
                "--policy", trust, "-o", "table");
    assert_says(GW_EXIT_FOUND, "\"is_quorate\":false", "audit", "verify", "--log", folder, "--policy", trust, "-o",
                "json");
    cosign(book.count, checkpoint, false); // a known witness's line that does not hold is no missing one
    assert_says(GW_EXIT_TAMPERED, "FAIL", "audit", "verify", "--log", folder, "--policy", trust, "-o", "table");
    text_write(trust, "log nonsense\n");
    assert_says(GW_EXIT_USAGE, "bad_tlog_policy", "audit", "verify", "--log", folder, "--policy", trust);
    assert_says(GW_EXIT_CANNOT_CHECK, "file_missing", "audit", "verify", "--log", folder, "--policy", "/nonexistent");
}

// The log names its witnesses itself: files by their hash, the one in force and those of before.
static gw_hash quorum_publish(const char *quorum) {
    char path[300], hash[GW_HASH_HEX];
    gw_buffer file;
    trust_write(quorum);
    gw_buffer_init(&file, 8192);
    assert_int_equal(gw_file_read(trust, &file, NULL), GW_OK);
    gw_hash of_file = gw_sha256(gw_buffer_bytes(&file));
    gw_hex((gw_bytes){.data = of_file.bytes, .size = GW_HASH_SIZE}, hash);
    snprintf(path, sizeof(path), "%s/witnesses", folder);
    assert_int_equal(gw_folder_make(path, 0755, NULL), GW_OK);
    snprintf(path, sizeof(path), "%s/witnesses/%s", folder, hash);
    text_write(path, gw_buffer_string(&file));
    gw_buffer_done(&file);
    return of_file;
}

static void checkpoints_are_judged_by_the_witnesses_of_their_time(void **state) {
    (void)state;
    gw_entry witnesses = {.kind = GW_ENTRY_WITNESSES};
    book.entries[0].genesis.witnesses = quorum_publish("any");
    cosign(book.count, kept, true);
    witnesses.witnesses.file = quorum_publish("all");
    log_book_add(&book, log_book_signed(witnesses, BOOK_OPERATOR, 0));
    log_book_publish(&book, book.count, folder);
    session s = VERIFY("-o", "table", "--since", kept);
    assert_int_equal(s.code, 0); // what a log asks of itself fails nothing
    assert_true(session_has(s.out, "the log's quorum file of the checkpoint you kept: its quorum is reached, 1 of 2"));
    assert_true(
        session_has(s.out, "NOTE the log's own quorum file: too few witnesses cosigned this checkpoint, 0 of 2"));
    session_done(&s);
    assert_verifies(0, "\"own_witnesses\":{", "-o", "json", "--since", kept);
    assert_verifies(0, "\"since_witnesses\":{", "-o", "json", "--since", kept);
    char path[300], hash[GW_HASH_HEX];
    gw_hex((gw_bytes){.data = witnesses.witnesses.file.bytes, .size = GW_HASH_SIZE}, hash);
    snprintf(path, sizeof(path), "%s/witnesses/%s", folder, hash);
    text_write(path, "quorum none\n"); // of another hash: it is not the file that the log names
    s = VERIFY("-o", "table");
    assert_false(session_has(s.out, "the log's own quorum file"));
    session_done(&s);
}

// ---- never mixed

// Every byte of the checkpoint, some of every other file: sound, tampered, or, where a size leads to files that are not
// there, cannot check. Never a crash, never a sign that a terminal acts on.
static void flipped_bytes_end_in_a_verdict(void **state) {
    (void)state;
    char names[3][64], path[500];
    snprintf(names[0], sizeof(names[0]), "checkpoint");
    snprintf(names[1], sizeof(names[1]), "tile/0/000.p/%zu", book.count);
    snprintf(names[2], sizeof(names[2]), "tile/entries/000.p/%zu", book.count);
    static const size_t steps[] = {7, 101, 211};
    for (size_t f = 0; f < 3; f++) {
        gw_buffer file;
        gw_buffer_init(&file, 1 << 20);
        snprintf(path, sizeof(path), "%s/%s", folder, names[f]);
        assert_int_equal(gw_file_read(path, &file, NULL), GW_OK);
        for (size_t at = 0; at < file.size; at += steps[f]) {
            file.data[at] ^= 0x15;
            FILE *out = fopen(path, "we");
            assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
            fclose(out);
            session s = VERIFY("-o", "table");
            bool is_size = f == 0 && s.code == GW_EXIT_CANNOT_CHECK;
            assert_true(s.code == GW_EXIT_TAMPERED || is_size);
            assert_true(session_is_plain(s.out));
            assert_true(session_is_plain(s.err));
            session_done(&s);
            file.data[at] ^= 0x15;
        }
        FILE *out = fopen(path, "we");
        assert_int_equal(fwrite(file.data, 1, file.size, out), file.size);
        fclose(out);
        gw_buffer_done(&file);
    }
    assert_verifies(0, "is sound", "-o", "table");
    for (size_t f = 0; f < 3; f++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[f]);
        assert_int_equal(unlink(path), 0);
        assert_verifies(GW_EXIT_CANNOT_CHECK, "file_missing", "-o", "table");
        log_book_publish(&book, book.count, folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_page_says_who_did_what, setup, teardown),
        cmocka_unit_test_setup_teardown(the_document_has_all_of_the_page, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_of_every_kind_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_accounting_with_a_delta_is_told_in_all_its_measures, setup, teardown),
        cmocka_unit_test_setup_teardown(long_lists_end_with_the_command_that_shows_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_grew_is_shown_from_there_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_is_shorter_was_set_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_with_another_beginning_was_rewritten_and_the_proof_stands_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_kept_checkpoint_of_another_hand_is_not_compared, setup, teardown),
        cmocka_unit_test_setup_teardown(a_declared_restore_explains_no_more_than_it_declares, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restored_log_is_sound_and_says_what_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_policy_names_the_key_and_asks_for_witnesses, setup, teardown),
        cmocka_unit_test_setup_teardown(checkpoints_are_judged_by_the_witnesses_of_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(flipped_bytes_end_in_a_verdict, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
