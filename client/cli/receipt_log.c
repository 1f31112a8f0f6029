// SPDX-License-Identifier: Apache-2.0
// One verification of the folder, with the root of the receipt's tree; the asker's keys are met on the way.
#include "client/cli/receipt_log.h"
#include "client/cli/audit_say.h"
#include "client/cli/progress.h"
#include "client/cli/wording.h"
#include "service/base/check.h"
#include "service/wire/message.h"
#include <string.h>

typedef unsigned long long wide; // for printf

typedef struct {
    const gw_request_message *message; // NULL: none was given
    const gw_entry *charge, *release;
    bool has_key, is_revoked, is_signed; // a key of the asker's with this id, as it was when the charge was made
    uint64_t key_entry, withdrawn;
    int64_t embargo;
} log_look;

static bool is_valid_at(const gw_entry *key, int64_t time) {
    return time >= key->key.not_before && (key->key.not_after == 0 || time <= key->key.not_after);
}

static void key_look(log_look *look, const gw_entry *entry) {
    gw_public_key key;
    char id[GW_KEY_ID_HEX];
    if (look->message == NULL || strcmp(entry->key.principal, look->message->principal) != 0 ||
        strcmp(entry->key.key_kind, "sign") != 0 ||
        !gw_unhex(entry->key.key, strlen(entry->key.key), key.bytes, GW_PUBLIC_KEY_SIZE))
        return;
    gw_key_id(key, id);
    if (strcmp(id, look->message->key) != 0)
        return;
    if (strcmp(entry->key.action, "revoke") == 0) {
        look->is_revoked = true;
        return;
    }
    look->has_key = true;
    look->key_entry = entry->seq;
    look->is_signed = is_valid_at(entry, look->message->time) &&
                      gw_verify_signature(key, look->message->signed_bytes, look->message->signature);
}

static void entry_look(void *state, const gw_entry *entry) {
    log_look *look = state;
    if (entry->kind == GW_ENTRY_KEY && entry->seq < look->charge->seq)
        key_look(look, entry);
    else if (entry->kind == GW_ENTRY_WITHDRAW && strcmp(entry->withdraw.release, look->release->release.release) == 0)
        look->withdrawn = entry->seq;
    else if (entry->kind == GW_ENTRY_EMBARGO && strcmp(entry->embargo.release, look->release->release.release) == 0)
        look->embargo = entry->embargo.until;
}

static gw_exit_code signature_say(gw_cli *cli, const log_look *look) {
    if (look->message == NULL)
        return GW_EXIT_DONE;
    if (strcmp(look->message->principal, look->charge->charge.principal) != 0) {
        gw_say_verdict(cli, "FAIL", "the request is of another principal than the charge");
        return GW_EXIT_TAMPERED;
    }
    if (look->message->auth != GW_AUTH_SIGNATURE) {
        gw_say_verdict(cli, "NOTE", "the request carries no signature: it came with a token, which is never published");
        return GW_EXIT_DONE;
    }
    if (look->is_signed && !look->is_revoked) {
        gw_say_verdict(cli, "OK", "the request is signed by its asker, under the key of entry %llu",
                       (wide)look->key_entry);
        return GW_EXIT_DONE;
    }
    gw_say_verdict(cli, "FAIL", "the request's signature does not hold: %s",
                   !look->has_key     ? "the log has no such key of its asker before the charge"
                   : look->is_revoked ? "its key had been revoked"
                                      : "its key signed other bytes, or was not valid then");
    gw_say(cli, "      code bad_signature\n");
    return GW_EXIT_TAMPERED;
}

static void since_say(gw_cli *cli, const log_look *look) {
    char until[GW_TIME_TEXT];
    gw_time_format(look->embargo, until);
    if (look->embargo != 0)
        gw_say_verdict(cli, "NOTE", "the release is kept back from others until %s", until);
    if (look->withdrawn != GW_NO_SEQ)
        gw_say_verdict(cli, "NOTE", "the release was withdrawn by entry %llu", (wide)look->withdrawn);
}

// Sound, and the receipt's tree is its beginning.
static gw_exit_code folder_check(gw_cli *cli, const char *folder, const gw_note_key *key,
                                 const gw_checkpoint *checkpoint, log_look *look) {
    gw_audit_root root = {.size = checkpoint->size};
    gw_audit_verdict verdict;
    gw_progress *progress = gw_progress_begin(cli, "checking the log");
    gw_audit_options options = {.log_key = key,
                                .roots = &root,
                                .root_count = 1,
                                .progress = gw_progress_step,
                                .progress_state = progress,
                                .each = entry_look,
                                .each_state = look};
    gw_status status = gw_audit_verify(folder, &options, NULL, &verdict);
    gw_progress_end(progress);
    if (status != GW_OK)
        return gw_audit_fail(cli, &verdict.problem);
    if (!verdict.is_sound) {
        gw_say_verdict(cli, "FAIL", "the log in %s is not sound: %s %s (godwit audit verify --log %s)", folder,
                       verdict.problem.what, verdict.problem.why, folder);
        return GW_EXIT_TAMPERED;
    }
    if (!root.is_known) {
        gw_say_verdict(cli, "WARN", "the log in %s has %llu entries, the receipt's %llu: a newer copy is needed",
                       folder, (wide)verdict.size, (wide)checkpoint->size);
        return GW_EXIT_CANNOT_CHECK;
    }
    if (!gw_hash_equal(root.root, checkpoint->root)) {
        gw_say_verdict(cli, "FAIL", "the receipt is of another history than the log in %s (godwit audit compare)",
                       folder);
        return GW_EXIT_TAMPERED;
    }
    gw_say_verdict(cli, "OK", "the log in %s is sound, and begins with the receipt's tree", folder);
    return GW_EXIT_DONE;
}

gw_exit_code gw_receipt_log_say(gw_cli *cli, const char *folder, const gw_note_key *key, gw_bytes note,
                                gw_bytes request, const gw_entry *charge, const gw_entry *release) {
    gw_checkpoint checkpoint;
    gw_problem problem;
    gw_request_message message;
    log_look look = {.charge = charge, .release = release, .withdrawn = GW_NO_SEQ};
    gw_status status = gw_checkpoint_peek(note, &checkpoint, &problem); // it was opened before
    if (status == GW_OK && request.size > 0)
        status = gw_request_message_decode(request, &message, &problem); // and so was this
    if (status != GW_OK)
        return gw_audit_fail(cli, &problem);
    look.message = request.size > 0 ? &message : NULL;
    gw_exit_code code = folder_check(cli, folder, key, &checkpoint, &look);
    if (code != GW_EXIT_DONE)
        return code;
    since_say(cli, &look);
    return signature_say(cli, &look);
}
