// SPDX-License-Identifier: Apache-2.0
// Keys of the log in the fold: the first entry names one, and each keyrot says which key is replaced by which. A chain
// without a gap, so that whoever trusts one of its keys can follow to the newest.
#include "service/audit/fold_inner.h"
#include "service/base/check.h"
#include <string.h>

static bool is_same(const gw_note_key *a, const gw_note_key *b) {
    return strcmp(a->name, b->name) == 0 && memcmp(a->key.bytes, b->key.bytes, sizeof(a->key.bytes)) == 0;
}

static gw_status key_add(gw_audit_state *state, const gw_entry *entry, const gw_note_key *key,
                         gw_problem *ret_problem) {
    if (!GW_FOLD_ROOM(state->log_keys))
        return gw_fold_no_memory(ret_problem);
    state->log_keys.items[state->log_keys.count++] = (gw_fold_log_key_row){.seq = entry->seq, .key = *key};
    return GW_OK;
}

gw_status gw_fold_genesis(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    gw_note_key key;
    if (gw_note_key_parse(entry->genesis.log_key, &key, NULL) != GW_OK || strcmp(key.name, entry->genesis.origin) != 0)
        return gw_fold_wrong(ret_problem, "bad_genesis",
                             "The first entry's log key cannot be read or bears another name.");
    return key_add(state, entry, &key, ret_problem);
}

gw_status gw_fold_keyrot(gw_audit_state *state, const gw_entry *entry, gw_problem *ret_problem) {
    GW_ASSERT(state->log_keys.count > 0); // genesis is the first entry
    const gw_note_key *in_force = &state->log_keys.items[state->log_keys.count - 1].key;
    gw_note_key old_key, new_key;
    if (gw_note_key_parse(entry->keyrot.old_key, &old_key, NULL) != GW_OK || !is_same(&old_key, in_force))
        return gw_fold_wrong(ret_problem, "wrong_log_key", "The log key that is replaced is not the one in force.");
    if (gw_note_key_parse(entry->keyrot.new_key, &new_key, NULL) != GW_OK || strcmp(new_key.name, in_force->name) != 0)
        return gw_fold_wrong(ret_problem, "bad_vkey", "The new log key cannot be read or bears another name.");
    for (size_t i = 0; i < state->log_keys.count; i++)
        if (is_same(&new_key, &state->log_keys.items[i].key))
            return gw_fold_wrong(ret_problem, "same_log_key", "The new log key was the log's before.");
    return key_add(state, entry, &new_key, ret_problem);
}

size_t gw_audit_log_keys(const gw_audit_state *state) {
    return state->log_keys.count;
}

uint64_t gw_audit_log_key(const gw_audit_state *state, size_t index, gw_note_key *ret_key) {
    GW_ASSERT(index < state->log_keys.count);
    *ret_key = state->log_keys.items[index].key;
    return state->log_keys.items[index].seq;
}
