// SPDX-License-Identifier: Apache-2.0
// The proof goes from the signer's newest tree to the committed one, read from the tables: both are committed, so the
// nodes are there.
#include "service/ledger/ledger_seal.h"

gw_status ledger_seal_mark(ledger_sealer *sealer, const ledger_tree *tree) {
    return gw_hwm_advance(sealer->hwm, tree->size, tree->root, tree->time);
}

gw_status ledger_seal_sign(ledger_sealer *sealer, const ledger_tree *tree, gw_buffer *ret_note,
                           gw_problem *ret_problem) {
    gw_checkpoint checkpoint = sealer->newest; // its origin
    checkpoint.size = tree->size;
    checkpoint.root = tree->root;
    gw_merkle_proof proof = {.count = 0};
    gw_status status = gw_merkle_consistency(gw_store_tree(sealer->reader), sealer->newest.size, tree->size, &proof);
    if (status != GW_OK)
        return gw_problem_set(ret_problem, status, "store_corrupt", "The ledger's tree cannot be read.", "", "");
    ret_note->size = 0;
    ret_note->status = GW_OK;
    status = sealer->signer.sign(sealer->signer.state, &checkpoint, &proof, ret_note, ret_problem);
    if (status == GW_OK)
        sealer->newest = checkpoint;
    return status;
}

gw_status ledger_seal_witness(ledger_sealer *sealer, gw_buffer *note, gw_problem *ret_problem) {
    if (sealer->witness.state == NULL)
        return GW_OK;
    return sealer->witness.cosign(sealer->witness.state, &sealer->newest, gw_store_tree(sealer->reader), note,
                                  ret_problem);
}

void ledger_sealer_close(ledger_sealer *sealer) {
    if (sealer->signer.close != NULL)
        sealer->signer.close(sealer->signer.state);
    if (sealer->witness.state != NULL && sealer->witness.close != NULL)
        sealer->witness.close(sealer->witness.state);
    gw_store_reader_close(sealer->reader);
    *sealer = (ledger_sealer){0};
}
