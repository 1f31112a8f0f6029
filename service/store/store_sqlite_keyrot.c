// SPDX-License-Identifier: Apache-2.0
// Keys of the log that take one another's place: the entry, and the checkpoint under both keys that is kept beside it.
#include "service/audit/note.h"
#include "service/store/store_sqlite.h"
#include <string.h>

// The key in force must be the one that is replaced, and its name stays.
static gw_status keyrot_check(gw_store *store, gw_store_op *op, bool *ret_is_refused) {
    gw_note_key in_force, old_key, new_key;
    char vkey[GW_VKEY_MAX];
    uint64_t seq;
    bool is_kept;
    *ret_is_refused = true;
    gw_status status = store_log_key(&store->connection, vkey, &seq, &is_kept);
    if (status == GW_OK)
        status = gw_note_key_parse(vkey, &in_force, NULL) == GW_OK ? GW_OK : GW_CORRUPT;
    if (status != GW_OK)
        return status;
    if (gw_note_key_parse(op->entry.keyrot.old_key, &old_key, NULL) != GW_OK ||
        strcmp(old_key.name, in_force.name) != 0 ||
        memcmp(old_key.key.bytes, in_force.key.bytes, sizeof(in_force.key.bytes)) != 0)
        return store_refuse(op, GW_INVALID, "wrong_log_key");
    if (gw_note_key_parse(op->entry.keyrot.new_key, &new_key, NULL) != GW_OK ||
        strcmp(new_key.name, in_force.name) != 0)
        return store_refuse(op, GW_INVALID, "bad_vkey");
    if (memcmp(new_key.key.bytes, in_force.key.bytes, sizeof(in_force.key.bytes)) == 0)
        return store_refuse(op, GW_CONFLICT, "same_log_key");
    *ret_is_refused = false;
    return GW_OK;
}

gw_status store_keyrot_append(gw_store *store, gw_store_op *op, int64_t time) {
    bool is_refused;
    gw_status status = keyrot_check(store, op, &is_refused);
    if (status != GW_OK || is_refused)
        return status;
    status = store_entry_prepare(store, &op->entry, time);
    if (status == GW_INVALID)
        return store_refuse(op, GW_INVALID, "bad_entry");
    if (status == GW_OK)
        status = store_entry_write(store, &op->entry);
    if (status != GW_OK)
        return status;
    op->seq = op->entry.seq;
    sqlite3_stmt *row = store_use(&store->connection, SQL_KEYROT_INSERT);
    store_bind_u64(row, 1, op->entry.seq);
    store_bind_text(row, 2, op->entry.keyrot.new_key);
    return store_run(row);
}

gw_status store_keyrot_keep(gw_store *store, gw_store_op *op) {
    if (op->charge_seq > INT64_MAX || op->answer.size == 0)
        return store_refuse(op, GW_INVALID, "bad_entry");
    sqlite3_stmt *row = store_use(&store->connection, SQL_KEYROT_KEEP);
    store_bind_u64(row, 1, op->charge_seq);
    store_bind_bytes(row, 2, op->answer);
    gw_status status = store_run(row);
    if (status == GW_OK && sqlite3_changes(store->connection.db) != 1)
        return store_refuse(op, GW_CONFLICT, "keyrot_kept");
    return status;
}
