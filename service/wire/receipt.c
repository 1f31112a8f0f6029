// SPDX-License-Identifier: Apache-2.0
// A receipt as c2sp.org/tlog-proof@v1 text, with our evidence in its `extra` line.
#include "service/wire/receipt.h"
#include "service/base/check.h"
#include "service/wire/lines.h"
#include <inttypes.h>
#include <string.h>

#define PROOF_MAX (sizeof(((gw_receipt *)0)->release_proof) / sizeof(gw_hash))
#define WHAT "The receipt cannot be read."

// ---- writing

static void append_proof(gw_buffer *buffer, const gw_hash *hashes, size_t count) {
    GW_ASSERT(count <= PROOF_MAX);
    for (size_t i = 0; i < count; i++) {
        gw_base64_append(buffer, (gw_bytes){.data = hashes[i].bytes, .size = sizeof(hashes[i].bytes)});
        gw_buffer_text(buffer, "\n");
    }
}

static void append_evidence(gw_buffer *buffer, const gw_receipt *receipt) {
    char salt[GW_HASH_HEX];
    gw_hex((gw_bytes){.data = receipt->salt.bytes, .size = sizeof(receipt->salt.bytes)}, salt);
    gw_buffer_format(buffer, "godwit/1 evidence\nsalt %s\nrelease %zu\ncharge %" PRIu64 " %zu\nproof %zu\n", salt,
                     receipt->release_entry.size, receipt->charge_index, receipt->charge_entry.size,
                     receipt->charge_proof_count);
    append_proof(buffer, receipt->charge_proof, receipt->charge_proof_count);
    gw_buffer_text(buffer, "\n");
    gw_buffer_append(buffer, receipt->release_entry.data, receipt->release_entry.size);
    gw_buffer_append(buffer, receipt->charge_entry.data, receipt->charge_entry.size);
}

void gw_receipt_encode(const gw_receipt *receipt, gw_buffer *buffer) {
    gw_buffer evidence;
    gw_buffer_init(&evidence, GW_RECEIPT_MAX);
    append_evidence(&evidence, receipt);
    if (evidence.status != GW_OK && buffer->status == GW_OK)
        buffer->status = evidence.status; // as if it had not fitted here
    gw_buffer_text(buffer, "c2sp.org/tlog-proof@v1\nextra ");
    gw_base64_append(buffer, gw_buffer_bytes(&evidence));
    gw_buffer_format(buffer, "\nindex %" PRIu64 "\n", receipt->release_index);
    append_proof(buffer, receipt->release_proof, receipt->release_proof_count);
    gw_buffer_text(buffer, "\n");
    gw_buffer_append(buffer, receipt->checkpoint.data, receipt->checkpoint.size);
    gw_buffer_done(&evidence);
}

// ---- reading

// Hash lines up to the empty line, which is read too.
static size_t read_proof(gw_lines *lines, gw_hash *hashes) {
    size_t count = 0;
    gw_bytes line;
    while ((line = gw_lines_next(lines, "hash")).size != 0) {
        if (count == PROOF_MAX) {
            gw_lines_fail(lines, "hash", "a proof has at most 64 hashes");
            return 0;
        }
        hashes[count++] = gw_lines_base64_hash(lines, "hash", line);
    }
    return count;
}

static void read_evidence(gw_lines *lines, gw_receipt *receipt) {
    gw_bytes index, size;
    gw_lines_expect(lines, "godwit/1 evidence");
    gw_lines_hex(lines, "salt", gw_lines_value(lines, "salt"), receipt->salt.bytes, sizeof(receipt->salt.bytes));
    uint64_t release_size = gw_lines_number(lines, "release", gw_lines_value(lines, "release"), GW_RECEIPT_MAX);
    gw_lines_split(lines, "charge", gw_lines_value(lines, "charge"), &index, &size);
    receipt->charge_index = gw_lines_number(lines, "charge", index, UINT64_MAX);
    uint64_t charge_size = gw_lines_number(lines, "charge", size, GW_RECEIPT_MAX);
    uint64_t count = gw_lines_number(lines, "proof", gw_lines_value(lines, "proof"), PROOF_MAX);
    receipt->charge_proof_count = read_proof(lines, receipt->charge_proof);
    if (receipt->charge_proof_count != count)
        gw_lines_fail(lines, "proof", "another number of hashes follows than is announced");
    receipt->release_entry = gw_lines_bytes(lines, "release", release_size);
    receipt->charge_entry = gw_lines_bytes(lines, "charge", charge_size);
    gw_lines_end(lines);
}

// The `extra` line is longer than other lines are allowed to be, so it is cut off by hand.
static gw_bytes cut_extra(gw_lines *lines) {
    static const char name[] = "extra ";
    const size_t name_size = sizeof(name) - 1;
    if (lines->why != NULL)
        return (gw_bytes){0};
    lines->line++;
    const uint8_t *end = lines->rest.size == 0 ? NULL : memchr(lines->rest.data, '\n', lines->rest.size);
    size_t size = end == NULL ? 0 : (size_t)(end - lines->rest.data);
    if (size <= name_size || memcmp(lines->rest.data, name, name_size) != 0) {
        gw_lines_fail(lines, "extra", "this line with a value is expected here");
        return (gw_bytes){0};
    }
    gw_bytes value = {.data = lines->rest.data + name_size, .size = size - name_size};
    lines->rest.data += size + 1;
    lines->rest.size -= size + 1;
    return value;
}

static gw_status decode_extra(gw_bytes text, gw_buffer *scratch, gw_receipt *receipt, gw_problem *ret_problem) {
    uint8_t bytes[GW_RECEIPT_MAX];
    size_t size = 0;
    if (!gw_unbase64((const char *)text.data, text.size, bytes, sizeof(bytes), &size))
        return gw_problem_set(ret_problem, GW_INVALID, "bad_receipt", WHAT, "Its extra line is not base64.", "");
    size_t start = scratch->size;
    gw_buffer_append(scratch, bytes, size);
    if (scratch->status != GW_OK)
        return gw_problem_set(ret_problem, scratch->status, "bad_receipt", WHAT, "There is no room for it.", "");
    gw_lines lines;
    gw_lines_init(&lines, (gw_bytes){.data = scratch->data + start, .size = size});
    read_evidence(&lines, receipt);
    return gw_lines_check(&lines, "bad_receipt", "The evidence in the receipt cannot be read.", ret_problem);
}

gw_status gw_receipt_decode(gw_bytes bytes, gw_buffer *scratch, gw_receipt *ret, gw_problem *ret_problem) {
    if (bytes.size > GW_RECEIPT_MAX)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_receipt", WHAT, "It is longer than 16384 bytes.", "");
    gw_receipt receipt = {0};
    gw_lines lines;
    gw_lines_init(&lines, bytes);
    gw_lines_expect(&lines, "c2sp.org/tlog-proof@v1");
    gw_bytes extra = cut_extra(&lines);
    receipt.release_index = gw_lines_number(&lines, "index", gw_lines_value(&lines, "index"), UINT64_MAX);
    receipt.release_proof_count = read_proof(&lines, receipt.release_proof);
    receipt.checkpoint = lines.rest;
    if (receipt.checkpoint.size == 0)
        gw_lines_fail(&lines, "checkpoint", "the signed checkpoint is missing");
    gw_status status = gw_lines_check(&lines, "bad_receipt", WHAT, ret_problem);
    if (status == GW_OK)
        status = decode_extra(extra, scratch, &receipt, ret_problem);
    if (status == GW_OK)
        *ret = receipt;
    return status;
}
