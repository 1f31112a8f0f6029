// SPDX-License-Identifier: Apache-2.0
// Tables and statements. Invariants stand in the tables themselves: STRICT types, CHECKs, and triggers that refuse to
// change what is append-only. No CHECK ties `spent` to a total, because a total may be lowered below what is spent:
// that freezes the budget.
#include "service/store/store_sqlite.h"

#define APPEND_ONLY(table)                                                                                             \
    "CREATE TRIGGER " table "_no_update BEFORE UPDATE ON " table " BEGIN SELECT RAISE(ABORT, '" table                  \
    " is append-only'); END;"                                                                                          \
    "CREATE TRIGGER " table "_no_delete BEFORE DELETE ON " table " BEGIN SELECT RAISE(ABORT, '" table                  \
    " is append-only'); END;"

// Version 2: which program brought the database to which version, at how many entries; and one's own charges newest
// first without a sort.
#define VERSION_2                                                                                                      \
    "CREATE TABLE schema_change(version INTEGER PRIMARY KEY CHECK(version >= 1), entries INTEGER NOT NULL"             \
    " CHECK(entries >= 0), program TEXT NOT NULL) STRICT;",                                                            \
        "CREATE INDEX charge_principal ON charge(principal, seq);", APPEND_ONLY("schema_change")

// Version 3: accounting with a delta. Deltas are units of 10^-18, rho units of 2^-40.
#define DELTA_COLUMNS(table)                                                                                           \
    "ALTER TABLE " table " ADD COLUMN delta INTEGER NOT NULL DEFAULT 0 CHECK(delta >= 0)",                             \
        "ALTER TABLE " table " ADD COLUMN rho_total INTEGER NOT NULL DEFAULT 0 CHECK(rho_total >= 0)",                 \
        "ALTER TABLE " table " ADD COLUMN selection_total INTEGER NOT NULL DEFAULT 0 CHECK(selection_total >= 0)"
#define VERSION_3                                                                                                      \
    DELTA_COLUMNS("population"), DELTA_COLUMNS("policy"),                                                              \
        "ALTER TABLE budget ADD COLUMN rho INTEGER NOT NULL DEFAULT 0 CHECK(rho >= 0)",                                \
        "ALTER TABLE budget ADD COLUMN selection INTEGER NOT NULL DEFAULT 0 CHECK(selection >= 0)",                    \
        "DROP TRIGGER budget_grows",                                                                                   \
        "CREATE TRIGGER budget_grows BEFORE UPDATE ON budget WHEN NEW.spent < OLD.spent OR NEW.kind <> OLD.kind OR"    \
        " NEW.owner <> OLD.owner OR NEW.rho < OLD.rho OR NEW.selection < OLD.selection"                                \
        " BEGIN SELECT RAISE(ABORT, 'spent never shrinks'); END;"

// Version 4: restores, and what each counted as spent of a dataset or a population (kinds of `budget`); which file of
// trusted witnesses is in force; what owners said of releases since: an embargo (0: none) and a withdrawal, which
// is final; and keys of the log that were replaced, with a checkpoint signed by both.
#define VERSION_4                                                                                                      \
    "CREATE TABLE restore(seq INTEGER PRIMARY KEY REFERENCES entry(seq), lost INTEGER NOT NULL CHECK(lost >= 0))"      \
    " STRICT;",                                                                                                        \
        "CREATE TABLE restore_growth(restore INTEGER NOT NULL REFERENCES restore(seq), kind INTEGER NOT NULL"          \
        " CHECK(kind IN (1, 2)), owner INTEGER NOT NULL, micro INTEGER NOT NULL CHECK(micro >= 0),"                    \
        " PRIMARY KEY(restore, kind, owner)) STRICT, WITHOUT ROWID;",                                                  \
        APPEND_ONLY("restore"), APPEND_ONLY("restore_growth"),                                                         \
        "CREATE TABLE witnesses(seq INTEGER PRIMARY KEY REFERENCES entry(seq), file BLOB NOT NULL CHECK(length(file)"  \
        " = 32)) STRICT;",                                                                                             \
        APPEND_ONLY("witnesses"),                                                                                      \
        "CREATE TABLE release_state(charge INTEGER PRIMARY KEY REFERENCES charge(seq), embargo INTEGER NOT NULL"       \
        " CHECK(embargo >= 0), withdrawn INTEGER NOT NULL CHECK(withdrawn IN (0, 1))) STRICT;",                        \
        "CREATE TRIGGER release_state_final BEFORE UPDATE ON release_state WHEN OLD.withdrawn = 1 OR"                  \
        " NEW.charge <> OLD.charge BEGIN SELECT RAISE(ABORT, 'a withdrawal is final'); END;",                          \
        "CREATE TRIGGER release_state_no_delete BEFORE DELETE ON release_state"                                        \
        " BEGIN SELECT RAISE(ABORT, 'release_state is kept'); END;",                                                   \
        "CREATE TABLE keyrot(seq INTEGER PRIMARY KEY REFERENCES entry(seq), new_key TEXT NOT NULL, note BLOB) "        \
        "STRICT;",                                                                                                     \
        "CREATE TRIGGER keyrot_note BEFORE UPDATE ON keyrot WHEN OLD.note IS NOT NULL OR NEW.note IS NULL OR"          \
        " NEW.seq <> OLD.seq OR NEW.new_key <> OLD.new_key BEGIN SELECT RAISE(ABORT, 'keyrot is append-only'); END;",  \
        "CREATE TRIGGER keyrot_no_delete BEFORE DELETE ON keyrot BEGIN SELECT RAISE(ABORT, 'keyrot is append-only');"  \
        " END;"

const char *const store_schema[] = {
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL CHECK(time >= 0),"
    " bytes BLOB NOT NULL CHECK(length(bytes) BETWEEN 1 AND 65535), leaf BLOB NOT NULL CHECK(length(leaf) = 32)) "
    "STRICT;",
    "CREATE TABLE node(level INTEGER NOT NULL CHECK(level BETWEEN 1 AND 63), number INTEGER NOT NULL CHECK(number >= "
    "0),"
    " hash BLOB NOT NULL CHECK(length(hash) = 32), PRIMARY KEY(level, number)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE principal(id BLOB PRIMARY KEY CHECK(length(id) = 16), roles INTEGER NOT NULL"
    " CHECK(roles BETWEEN 0 AND 31)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE key(key TEXT PRIMARY KEY CHECK(length(key) = 64), principal BLOB NOT NULL REFERENCES principal(id),"
    " kind TEXT NOT NULL CHECK(kind IN ('sign', 'token', 'tls')), id TEXT NOT NULL,"
    " not_before INTEGER NOT NULL CHECK(not_before >= 0), not_after INTEGER NOT NULL CHECK(not_after >= 0),"
    " revoked INTEGER NOT NULL CHECK(revoked IN (0, 1))) STRICT;",
    "CREATE INDEX key_principal ON key(principal, id);",
    "CREATE TABLE population(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, total INTEGER NOT NULL CHECK(total >= "
    "0),"
    " window_days INTEGER NOT NULL CHECK(window_days BETWEEN 0 AND 36500),"
    " window_total INTEGER NOT NULL CHECK(window_total >= 0)) STRICT;",
    "CREATE TABLE policy(seq INTEGER PRIMARY KEY REFERENCES entry(seq), dataset TEXT NOT NULL,"
    " version INTEGER NOT NULL CHECK(version >= 0), file BLOB NOT NULL CHECK(length(file) = 32), text BLOB NOT NULL,"
    " total INTEGER NOT NULL CHECK(total >= 0), principal_total INTEGER NOT NULL CHECK(principal_total >= 0),"
    " window_days INTEGER NOT NULL CHECK(window_days BETWEEN 0 AND 36500),"
    " window_total INTEGER NOT NULL CHECK(window_total >= 0), question_min INTEGER NOT NULL CHECK(question_min >= 0),"
    " question_max INTEGER NOT NULL CHECK(question_max >= 0), UNIQUE(dataset, version)) STRICT;",
    "CREATE TABLE data(seq INTEGER PRIMARY KEY REFERENCES entry(seq), version BLOB NOT NULL UNIQUE"
    " CHECK(length(version) = 16), time INTEGER NOT NULL) STRICT;",
    "CREATE TABLE dataset(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " population INTEGER NOT NULL REFERENCES population(id), policy INTEGER NOT NULL REFERENCES policy(seq),"
    " data INTEGER REFERENCES data(seq)) STRICT;",
    "CREATE TABLE budget(kind INTEGER NOT NULL CHECK(kind BETWEEN 1 AND 5), owner INTEGER NOT NULL,"
    " principal BLOB NOT NULL CHECK(length(principal) = 16), days INTEGER NOT NULL, window INTEGER NOT NULL,"
    " spent INTEGER NOT NULL CHECK(spent >= 0), PRIMARY KEY(kind, owner, principal, days, window)) STRICT, WITHOUT "
    "ROWID;",
    "CREATE TABLE charge(seq INTEGER PRIMARY KEY REFERENCES entry(seq), time INTEGER NOT NULL,"
    " principal BLOB NOT NULL CHECK(length(principal) = 16), idem BLOB NOT NULL CHECK(length(idem) = 16),"
    " dataset INTEGER NOT NULL REFERENCES dataset(id), question BLOB NOT NULL CHECK(length(question) = 32),"
    " salt BLOB NOT NULL CHECK(length(salt) = 32), cost INTEGER NOT NULL CHECK(cost > 0),"
    " state INTEGER NOT NULL CHECK(state IN (0, 1, 2)), attempts INTEGER NOT NULL CHECK(attempts BETWEEN 1 AND 3),"
    " release TEXT NOT NULL, UNIQUE(principal, idem)) STRICT;",
    "CREATE TABLE release(charge INTEGER PRIMARY KEY REFERENCES charge(seq), seq INTEGER NOT NULL REFERENCES "
    "entry(seq),"
    " question BLOB NOT NULL CHECK(length(question) = 32), visible INTEGER NOT NULL CHECK(visible >= 0),"
    " answer BLOB NOT NULL) STRICT;",
    "CREATE INDEX release_question ON release(question, seq);",
    "CREATE TABLE question(charge INTEGER PRIMARY KEY REFERENCES charge(seq), hash BLOB NOT NULL UNIQUE"
    " CHECK(length(hash) = 32), text BLOB NOT NULL) STRICT;",
    APPEND_ONLY("entry"),
    APPEND_ONLY("node"),
    APPEND_ONLY("policy"),
    APPEND_ONLY("data"),
    APPEND_ONLY("release"),
    APPEND_ONLY("question"),
    // A charge's facts never change, its end is final, its attempts only grow; what is spent never shrinks.
    "CREATE TRIGGER charge_final BEFORE UPDATE ON charge WHEN OLD.state <> 0 OR NEW.seq <> OLD.seq OR"
    " NEW.cost <> OLD.cost OR NEW.principal <> OLD.principal OR NEW.idem <> OLD.idem OR NEW.dataset <> OLD.dataset OR"
    " NEW.time <> OLD.time OR NEW.question <> OLD.question OR NEW.salt <> OLD.salt OR NEW.release <> OLD.release OR"
    " NEW.attempts < OLD.attempts BEGIN SELECT RAISE(ABORT, 'charge is final'); END;",
    "CREATE TRIGGER charge_no_delete BEFORE DELETE ON charge BEGIN SELECT RAISE(ABORT, 'charge is append-only'); END;",
    "CREATE TRIGGER budget_grows BEFORE UPDATE ON budget WHEN NEW.spent < OLD.spent OR NEW.kind <> OLD.kind OR"
    " NEW.owner <> OLD.owner BEGIN SELECT RAISE(ABORT, 'spent never shrinks'); END;",
    "CREATE TRIGGER budget_no_delete BEFORE DELETE ON budget BEGIN SELECT RAISE(ABORT, 'budget is kept'); END;",
    VERSION_2,
    VERSION_3,
    VERSION_4,
    NULL,
};

// What a new ledger is made with is what the versions before come to, word for word: a test compares the two.
static const char *const to_version_2[] = {VERSION_2, NULL};
static const char *const to_version_3[] = {VERSION_3, NULL};
static const char *const to_version_4[] = {VERSION_4, NULL};
const store_migration store_migrations[] = {
    {.from = 1, .to = 2, .sql = to_version_2},
    {.from = 2, .to = 3, .sql = to_version_3, .fill = store_rho_fill},
    {.from = 3, .to = 4, .sql = to_version_4},
    {0},
};

#define CHARGE_COLUMNS                                                                                                 \
    "SELECT c.state, c.attempts, c.salt, c.release, r.seq, e.bytes, s.embargo, s.withdrawn FROM charge c"              \
    " JOIN entry e ON e.seq = c.seq LEFT JOIN release r ON r.charge = c.seq"                                           \
    " LEFT JOIN release_state s ON s.charge = c.seq "
#define HISTORY_COLUMNS                                                                                                \
    "SELECT c.seq, r.seq, c.time, c.cost, c.state, c.release, d.name, c.principal, q.text, s.embargo, s.withdrawn"     \
    " FROM charge c JOIN dataset d ON d.id = c.dataset LEFT JOIN release r ON r.charge = c.seq"                        \
    " LEFT JOIN question q ON q.hash = c.question LEFT JOIN release_state s ON s.charge = c.seq "

const char *const store_statements[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_READ_BEGIN] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_ENTRY_INSERT] = "INSERT INTO entry(seq, time, bytes, leaf) VALUES(?1, ?2, ?3, ?4)",
    [SQL_ENTRY_SELECT] = "SELECT bytes FROM entry WHERE seq = ?1",
    [SQL_ENTRY_LEAF] = "SELECT leaf FROM entry WHERE seq = ?1",
    [SQL_ENTRY_LAST] = "SELECT seq, time, bytes, leaf FROM entry ORDER BY seq DESC LIMIT 1",
    [SQL_ENTRY_SCAN] = "SELECT seq, bytes FROM entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq",
    [SQL_NODE_INSERT] = "INSERT INTO node(level, number, hash) VALUES(?1, ?2, ?3)",
    [SQL_NODE_SELECT] = "SELECT hash FROM node WHERE level = ?1 AND number = ?2",
    [SQL_NODE_LAST] = "SELECT number FROM node WHERE level = ?1 ORDER BY number DESC LIMIT 1",
    [SQL_PRINCIPAL_SELECT] = "SELECT roles FROM principal WHERE id = ?1",
    [SQL_PRINCIPAL_INSERT] = "INSERT INTO principal(id, roles) VALUES(?1, ?2)",
    [SQL_PRINCIPAL_UPDATE] = "UPDATE principal SET roles = ?2 WHERE id = ?1",
    [SQL_PRINCIPAL_LIST] =
        "SELECT p.id, p.roles, (SELECT count(*) FROM key k WHERE k.principal = p.id AND k.revoked = 0)"
        " FROM principal p ORDER BY p.id",
    [SQL_KEY_SELECT] = "SELECT principal, revoked FROM key WHERE key = ?1",
    [SQL_KEY_INSERT] = "INSERT INTO key(key, principal, kind, id, not_before, not_after, revoked)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0)",
    [SQL_KEY_REVOKE] = "UPDATE key SET revoked = 1 WHERE key = ?1",
    [SQL_KEY_FIND] = "SELECT key, not_before, not_after, revoked FROM key WHERE principal = ?1 AND id = ?2 AND"
                     " kind = 'sign' ORDER BY key",
    [SQL_POPULATION_SELECT] = "SELECT id, delta, selection_total FROM population WHERE name = ?1",
    [SQL_POPULATION_UPSERT] = "INSERT INTO population(name, total, window_days, window_total, delta, rho_total,"
                              " selection_total) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                              " ON CONFLICT(name) DO UPDATE SET total = excluded.total,"
                              " window_days = excluded.window_days, window_total = excluded.window_total,"
                              " delta = excluded.delta, rho_total = excluded.rho_total,"
                              " selection_total = excluded.selection_total",
    [SQL_POLICY_INSERT] = "INSERT INTO policy(seq, dataset, version, file, text, total, principal_total, window_days,"
                          " window_total, question_min, question_max, delta, rho_total, selection_total)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [SQL_POLICY_CURRENT] = "SELECT l.seq, l.version, l.file, d.name, p.name, l.text FROM dataset d"
                           " JOIN policy l ON l.seq = d.policy JOIN population p ON p.id = d.population"
                           " WHERE d.name = ?1",
    [SQL_DATASET_INSERT] = "INSERT INTO dataset(name, population, policy) VALUES(?1, ?2, ?3)",
    [SQL_DATASET_POLICY] = "UPDATE dataset SET policy = ?2 WHERE name = ?1",
    [SQL_DATASET_DATA] = "UPDATE dataset SET data = ?2 WHERE name = ?1",
    [SQL_DATASET_LIST] = "SELECT l.seq, l.version, l.file, d.name, p.name FROM dataset d"
                         " JOIN policy l ON l.seq = d.policy JOIN population p ON p.id = d.population ORDER BY d.name",
    [SQL_DATA_INSERT] = "INSERT INTO data(seq, version, time) VALUES(?1, ?2, ?3)",
    [SQL_DATA_SELECT] = "SELECT seq FROM data WHERE version = ?1",
    [SQL_DATA_CURRENT] = "SELECT a.seq, a.version, a.time FROM dataset d JOIN data a ON a.seq = d.data"
                         " WHERE d.name = ?1",
    [SQL_TERMS] = "SELECT d.id, d.population, d.policy, p.name, l.total, l.principal_total, l.window_days,"
                  " l.window_total, l.question_min, l.question_max, p.total, p.window_days, p.window_total, a.version,"
                  " l.version, l.delta, l.rho_total, l.selection_total, p.delta, p.rho_total, p.selection_total"
                  " FROM dataset d JOIN policy l ON l.seq = d.policy JOIN population p ON p.id = d.population"
                  " LEFT JOIN data a ON a.seq = d.data WHERE d.name = ?1",
    [SQL_BUDGET_SELECT] =
        "SELECT spent, rho, selection FROM budget WHERE kind = ?1 AND owner = ?2 AND principal = ?3 AND days = ?4 AND"
        " window = ?5",
    [SQL_BUDGET_UPSERT] = "INSERT INTO budget(kind, owner, principal, days, window, spent, rho, selection)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
                          " ON CONFLICT(kind, owner, principal, days, window) DO UPDATE SET spent = excluded.spent,"
                          " rho = excluded.rho, selection = excluded.selection",
    [SQL_WINDOW_END] = "SELECT min((window + 1) * days) FROM budget WHERE kind IN (?2, ?3) AND spent > 0 AND"
                       " (window + 1) * days > ?1",
    [SQL_CHARGE_IDEM] = "SELECT seq FROM charge WHERE principal = ?1 AND idem = ?2",
    [SQL_CHARGE_INSERT] =
        "INSERT INTO charge(seq, time, principal, idem, dataset, question, salt, cost, state, attempts,"
        " release) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 1, ?9)",
    [SQL_CHARGE_STATE] = "SELECT state, attempts, question, release FROM charge WHERE seq = ?1",
    [SQL_CHARGE_FINISH] = "UPDATE charge SET state = ?2 WHERE seq = ?1",
    [SQL_CHARGE_ATTEMPT] = "UPDATE charge SET attempts = attempts + 1 WHERE seq = ?1",
    [SQL_CHARGE_LAST] = "SELECT release FROM charge ORDER BY seq DESC LIMIT 1",
    [SQL_CHARGE_RECENT] =
        "SELECT c.time, c.cost, c.dataset, d.population FROM charge c JOIN dataset d ON d.id = c.dataset"
        " ORDER BY c.seq DESC",
    [SQL_CHARGE_COSTS] = "SELECT CASE ?1 WHEN 1 THEN d.id ELSE d.population END AS owner, c.cost FROM charge c"
                         " JOIN dataset d ON d.id = c.dataset ORDER BY owner",
    [SQL_BUDGET_RHO] = "UPDATE budget SET rho = ?3 WHERE kind = ?1 AND owner = ?2",
    [SQL_CHARGE_BY_SEQ] = CHARGE_COLUMNS "WHERE c.seq = ?1",
    [SQL_CHARGE_BY_IDEM] = CHARGE_COLUMNS "WHERE c.principal = ?1 AND c.idem = ?2",
    [SQL_CHARGE_BY_QUESTION] =
        CHARGE_COLUMNS "WHERE r.question = ?1 AND r.visible <= ?2 AND length(r.answer) > 0 AND"
                       " coalesce(s.withdrawn, 0) = 0 AND (coalesce(s.embargo, 0) <= ?2 OR c.principal IS ?3)"
                       " ORDER BY r.seq LIMIT 1",
    [SQL_CHARGE_HISTORY] = HISTORY_COLUMNS "WHERE (?2 IS NULL OR d.name = ?2) ORDER BY c.seq DESC LIMIT ?3",
    [SQL_CHARGE_HISTORY_OF] =
        HISTORY_COLUMNS "WHERE c.principal = ?1 AND (?2 IS NULL OR d.name = ?2) ORDER BY c.seq DESC LIMIT ?3",
    [SQL_RELEASE_INSERT] = "INSERT INTO release(charge, seq, question, visible, answer) VALUES(?1, ?2, ?3, ?4, ?5)"
                           " ON CONFLICT(charge) DO NOTHING",
    [SQL_RELEASE_ANSWER] = "SELECT r.answer, e.bytes FROM release r JOIN entry e ON e.seq = r.seq WHERE r.charge = ?1",
    [SQL_RESTORE_LOST] = "SELECT 1 FROM restore WHERE seq < ?1 AND ?1 - seq <= lost LIMIT 1",
    [SQL_RELEASE_STATE] = "SELECT c.seq, s.embargo, s.withdrawn FROM charge c LEFT JOIN release_state s"
                          " ON s.charge = c.seq WHERE c.release = ?1 AND c.state = 1",
    [SQL_RELEASE_STATE_UPSERT] = "INSERT INTO release_state(charge, embargo, withdrawn) VALUES(?1, ?2, ?3)"
                                 " ON CONFLICT(charge) DO UPDATE SET embargo = excluded.embargo,"
                                 " withdrawn = excluded.withdrawn",
    [SQL_QUESTION_INSERT] = "INSERT INTO question(charge, hash, text) VALUES(?1, ?2, ?3) ON CONFLICT(hash) DO NOTHING",
    [SQL_SCHEMA_CHANGE] = "INSERT INTO schema_change(version, entries, program)"
                          " VALUES(?1, (SELECT count(*) FROM entry), ?2)",
    [SQL_RESTORE_INSERT] = "INSERT INTO restore(seq, lost) VALUES(?1, ?2)",
    [SQL_KEYROT_INSERT] = "INSERT INTO keyrot(seq, new_key) VALUES(?1, ?2)",
    [SQL_KEYROT_LAST] = "SELECT seq, new_key, note IS NULL FROM keyrot ORDER BY seq DESC LIMIT 1",
    [SQL_KEYROT_KEEP] = "UPDATE keyrot SET note = ?2 WHERE seq = ?1 AND note IS NULL",
    [SQL_KEYROT_NOTES] = "SELECT seq, note FROM keyrot WHERE note IS NOT NULL ORDER BY seq",
    [SQL_KEYROT_KEYS] = "SELECT new_key FROM keyrot ORDER BY seq",
    [SQL_WITNESSES_INSERT] = "INSERT INTO witnesses(seq, file) VALUES(?1, ?2)",
    [SQL_WITNESSES_LAST] = "SELECT file FROM witnesses ORDER BY seq DESC LIMIT 1",
    [SQL_RESTORE_LOST_SINCE] = "SELECT coalesce(sum(lost), 0) FROM restore"
                               " WHERE seq > coalesce((SELECT max(seq) FROM charge), -1)",
    [SQL_RESTORE_LAST] = "SELECT seq FROM restore ORDER BY seq DESC LIMIT 1",
    [SQL_GROWTH_INSERT] = "INSERT INTO restore_growth(restore, kind, owner, micro) VALUES(?1, ?2, ?3, ?4)",
    [SQL_GROWTH_RECENT] = "SELECT e.time, g.micro FROM restore_growth g JOIN entry e ON e.seq = g.restore"
                          " WHERE g.kind = ?1 AND g.owner = ?2 ORDER BY g.restore DESC",
    [SQL_POPULATION_ASKED] = "SELECT p.id, p.total, p.delta, p.rho_total, p.selection_total, p.window_days,"
                             " p.window_total, max(l.question_max), min(l.question_max)"
                             " FROM population p JOIN dataset d ON d.population = p.id"
                             " JOIN policy l ON l.seq = d.policy GROUP BY p.id",
    [SQL_CHARGE_CLOSE] = "UPDATE charge SET attempts = 3 WHERE state = 0 AND seq >= ?1",
    [SQL_POLICY_TEXTS] = "SELECT l.file, l.text, EXISTS(SELECT 1 FROM dataset d WHERE d.policy = l.seq) FROM policy l"
                         " ORDER BY l.seq",
    // Rows as they stand, whatever they refer to.
    [SQL_ROWS_CHARGE] = "SELECT c.seq, c.time, c.principal, c.idem, d.name, c.question, c.cost, c.state, c.attempts,"
                        " c.release, r.seq, r.question, r.visible FROM charge c LEFT JOIN dataset d ON d.id = c.dataset"
                        " LEFT JOIN release r ON r.charge = c.seq ORDER BY c.seq",
    [SQL_ROWS_RELEASE_STATE] = "SELECT c.release, s.embargo, s.withdrawn FROM release_state s"
                               " LEFT JOIN charge c ON c.seq = s.charge AND c.state = 1",
    [SQL_ROWS_PRINCIPAL] = "SELECT id, roles FROM principal",
    [SQL_ROWS_KEY] = "SELECT key, principal, kind, id, not_before, not_after, revoked FROM key",
    [SQL_ROWS_POPULATION] = "SELECT name, total, window_days, window_total, delta, rho_total, selection_total"
                            " FROM population",
    [SQL_ROWS_POLICY] = "SELECT seq, dataset, version, file, text, total, principal_total, window_days, window_total,"
                        " question_min, question_max, delta, rho_total, selection_total FROM policy",
    [SQL_ROWS_DATA] = "SELECT seq, version, time FROM data",
    [SQL_ROWS_DATASET] = "SELECT d.name, p.name, d.policy, a.version, a.seq, d.data FROM dataset d"
                         " LEFT JOIN population p ON p.id = d.population LEFT JOIN data a ON a.seq = d.data",
    [SQL_ROWS_WITNESSES] = "SELECT seq, file FROM witnesses",
    [SQL_ROWS_KEYROT] = "SELECT seq, new_key FROM keyrot",
    [SQL_ROWS_RESTORE] = "SELECT seq, lost FROM restore",
    [SQL_ROWS_GROWTH] = "SELECT g.restore, g.kind, CASE g.kind WHEN 1 THEN d.name ELSE p.name END, g.micro"
                        " FROM restore_growth g LEFT JOIN dataset d ON d.id = g.owner"
                        " LEFT JOIN population p ON p.id = g.owner ORDER BY g.restore, g.kind, g.owner",
    [SQL_ROWS_BUDGET] = "SELECT b.kind, CASE WHEN b.kind IN (2, 5) THEN p.name ELSE d.name END, b.principal, b.days,"
                        " b.window, b.spent, b.rho, b.selection FROM budget b LEFT JOIN dataset d ON d.id = b.owner"
                        " LEFT JOIN population p ON p.id = b.owner",
    [SQL_QUESTION_SCAN] = "SELECT charge, hash, text FROM question WHERE charge >= ?1 ORDER BY charge",
};
