// SPDX-License-Identifier: Apache-2.0
// The proof goes from the signer's newest tree to the committed one, read from the tables: both are committed, so the
// nodes are there.
#include "service/ledger/ledger_seal.h"

gw_status ledger_seal_mark(ledger_seals *seals, const ledger_tree *tree) {
    if (tree->size == seals->marked) // there already: only the signature, or the witnesses, are wanted again
        return GW_OK;
    gw_status status = gw_hwm_advance(seals->hwm, tree->size, tree->root, tree->time);
    if (status == GW_OK)
        seals->marked = tree->size;
    return status;
}

gw_status ledger_seal_sign(ledger_seals *seals, const ledger_tree *tree, gw_buffer *ret_note, gw_problem *ret_problem) {
    gw_checkpoint checkpoint = seals->newest; // its origin
    checkpoint.size = tree->size;
    checkpoint.root = tree->root;
    gw_merkle_proof proof = {.count = 0};
    gw_status status = gw_merkle_consistency(gw_store_tree(seals->reader), seals->newest.size, tree->size, &proof);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "store_corrupt", "The ledger's tree cannot be read.", "", "");
    ret_note->size = 0;
    ret_note->status = GW_OK;
    status = seals->signer.sign(seals->signer.state, &checkpoint, &proof, ret_note, ret_problem);
    if (status == GW_OK)
        seals->newest = checkpoint;
    return status;
}

gw_status ledger_seal_witness(ledger_seals *seals, gw_buffer *note, gw_problem *ret_problem) {
    if (seals->witness.state == NULL)
        return GW_OK;
    return seals->witness.cosign(seals->witness.state, &seals->newest, gw_store_tree(seals->reader), note, ret_problem);
}

void ledger_seals_close(ledger_seals *seals) {
    if (seals->signer.close != NULL)
        seals->signer.close(seals->signer.state);
    if (seals->witness.state != NULL && seals->witness.close != NULL)
        seals->witness.close(seals->witness.state);
    gw_store_reader_close(seals->reader);
    *seals = (ledger_seals){0};
}
