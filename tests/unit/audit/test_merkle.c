// SPDX-License-Identifier: Apache-2.0
// RFC 6962 trees: known hashes, and every root and proof up to 130 leaves against the definition worked out the long
// way.
#include "service/audit/merkle.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define LEAVES 131

typedef struct {
    gw_hash nodes[9][LEAVES]; // completed ones, as reported by the edge
    size_t counts[9];
    gw_hash leaves[LEAVES];
    gw_hash roots[LEAVES + 1]; // by the edge
} tree;

static gw_hash hash_of_hex(const char *hex) {
    gw_hash hash;
    assert_true(gw_unhex(hex, strlen(hex), hash.bytes, sizeof(hash.bytes)));
    return hash;
}

// MTH of RFC 6962, section 2.1, word for word.
static gw_hash definition(const gw_hash *leaves, uint64_t count) {
    if (count == 0)
        return gw_merkle_empty();
    if (count == 1)
        return leaves[0];
    uint64_t split = 1;
    while (split * 2 < count)
        split *= 2;
    return gw_merkle_node(definition(leaves, split), definition(leaves + split, count - split));
}

static void node_note(void *state, unsigned level, uint64_t index, gw_hash hash) {
    tree *tree_state = state;
    assert_int_equal(index, tree_state->counts[level]); // in order, each once
    tree_state->nodes[level][tree_state->counts[level]++] = hash;
}

static gw_status node_get(void *state, unsigned level, uint64_t index, gw_hash *ret) {
    const tree *tree_state = state;
    assert_true(index < tree_state->counts[level]); // only completed nodes are ever asked for
    *ret = tree_state->nodes[level][index];
    return GW_OK;
}

static tree grown;

static void known_hashes_hold(void **state) {
    (void)state;
    gw_hash hash = gw_merkle_empty();
    gw_hash expected = hash_of_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_memory_equal(&hash, &expected, sizeof(hash));
    char hex[GW_HASH_HEX];
    hash = gw_merkle_leaf(gw_bytes_of(""));
    gw_hex((gw_bytes){.data = hash.bytes, .size = 32}, hex);
    assert_memory_equal(hex, "6e340b9c", 8);
    assert_string_equal(hex + 60, "a01d");
    hash = gw_merkle_leaf(gw_bytes_of("L123456"));
    gw_hex((gw_bytes){.data = hash.bytes, .size = 32}, hex);
    assert_memory_equal(hex, "395aa064", 8);
    assert_string_equal(hex + 60, "4d56");
}

static void node_of_short_strings_is_the_known_one(void **state) {
    (void)state;
    // The published vector hashes 4-byte strings, not hashes: the same prefix, by hand.
    gw_hash hash = gw_sha256(gw_bytes_of("\x01N123N456"));
    char hex[GW_HASH_HEX];
    gw_hex((gw_bytes){.data = hash.bytes, .size = 32}, hex);
    assert_memory_equal(hex, "aa217fe8", 8);
    assert_string_equal(hex + 60, "6bbb");
    uint8_t bytes[65] = {1};
    memset(bytes + 1, 0xaa, 32);
    memset(bytes + 33, 0xbb, 32);
    gw_hash left, right, both = gw_sha256((gw_bytes){.data = bytes, .size = 65});
    memcpy(left.bytes, bytes + 1, 32);
    memcpy(right.bytes, bytes + 33, 32);
    hash = gw_merkle_node(left, right);
    assert_memory_equal(&hash, &both, sizeof(hash));
}

// The tree of eight leaves by which implementations of RFC 6962 are compared: its roots, paths and proofs.
static const char *const reference_leaves[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const reference_roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                              "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                              "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                              "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                              "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                              "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                              "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                              "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                              "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
#define H_01 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define H_0 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define H_1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define H_23 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define H_03 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define H_4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define H_45 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define H_67 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define H_47 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
static const struct {
    bool is_inclusion;
    uint64_t first, size; // the leaf, or the older size
    const char *hashes[4];
} reference_proofs[] = {
    {true, 0, 1, {NULL}},
    {true, 0, 8, {H_1, H_23, H_47}},
    {true, 5, 8, {H_4, H_67, H_03}},
    {true, 2, 3, {H_01}},
    {true, 1, 5, {H_0, H_23, H_4}},
    {false, 1, 1, {NULL}},
    {false, 1, 8, {H_1, H_23, H_47}},
    {false, 6, 8, {H_45, H_67, H_03}},
    {false, 2, 5, {H_23, H_4}},
};

static void the_reference_tree_has_its_roots_and_proofs(void **state) {
    (void)state;
    static tree reference;
    gw_merkle_edge edge = {0};
    gw_merkle_source source = {.node = node_get, .state = &reference};
    for (size_t i = 0; i <= 8; i++) {
        gw_hash expected = hash_of_hex(reference_roots[i]), root = gw_merkle_edge_root(&edge);
        assert_memory_equal(&root, &expected, sizeof(root));
        uint8_t leaf[16];
        if (i == 8)
            break;
        size_t size = strlen(reference_leaves[i]) / 2;
        assert_true(gw_unhex(reference_leaves[i], 2 * size, leaf, size));
        gw_merkle_edge_append(&edge, gw_merkle_leaf((gw_bytes){.data = leaf, .size = size}), node_note, &reference);
    }
    for (size_t i = 0; i < sizeof(reference_proofs) / sizeof(reference_proofs[0]); i++) {
        gw_merkle_proof proof;
        uint64_t first = reference_proofs[i].first, size = reference_proofs[i].size;
        assert_int_equal(reference_proofs[i].is_inclusion ? gw_merkle_inclusion(source, first, size, &proof)
                                                          : gw_merkle_consistency(source, first, size, &proof),
                         GW_OK);
        size_t count = 0;
        for (; reference_proofs[i].hashes[count] != NULL; count++) {
            gw_hash expected = hash_of_hex(reference_proofs[i].hashes[count]);
            assert_true(count < proof.count);
            assert_memory_equal(&proof.hashes[count], &expected, sizeof(expected));
        }
        assert_int_equal(proof.count, count);
    }
}

static void roots_are_those_of_the_definition(void **state) {
    (void)state;
    gw_merkle_source source = {.node = node_get, .state = &grown};
    for (uint64_t size = 0; size <= LEAVES; size++) {
        gw_hash expected = definition(grown.leaves, size), root;
        assert_int_equal(gw_merkle_root(source, size, &root), GW_OK);
        assert_memory_equal(&root, &expected, sizeof(root));
        assert_memory_equal(&grown.roots[size], &expected, sizeof(root));
    }
}

static void every_inclusion_proof_holds_and_only_there(void **state) {
    (void)state;
    gw_merkle_source source = {.node = node_get, .state = &grown};
    gw_merkle_proof proof;
    for (uint64_t size = 1; size <= LEAVES; size++)
        for (uint64_t index = 0; index < size; index++) {
            assert_int_equal(gw_merkle_inclusion(source, index, size, &proof), GW_OK);
            gw_hash root = grown.roots[size], leaf = grown.leaves[index];
            assert_true(gw_merkle_inclusion_holds(index, size, leaf, &proof, root));
            assert_false(gw_merkle_inclusion_holds(index, size, grown.leaves[(index + 1) % LEAVES], &proof, root));
            assert_false(gw_merkle_inclusion_holds(index, size, leaf, &proof, grown.roots[size - 1]));
            if (proof.count > 0) {
                gw_merkle_proof shorter = proof;
                shorter.count--;
                assert_false(gw_merkle_inclusion_holds(index, size, leaf, &shorter, root));
                proof.hashes[index % proof.count].bytes[5] ^= 1;
                assert_false(gw_merkle_inclusion_holds(index, size, leaf, &proof, root));
            }
        }
    assert_int_equal(gw_merkle_inclusion(source, 5, 5, &proof), GW_INVALID);
}

static void an_index_elsewhere_does_not_fit_the_proof(void **state) {
    (void)state;
    gw_merkle_source source = {.node = node_get, .state = &grown};
    gw_merkle_proof proof;
    assert_int_equal(gw_merkle_inclusion(source, 37, 100, &proof), GW_OK);
    for (uint64_t index = 0; index < 100; index++)
        assert_int_equal(gw_merkle_inclusion_holds(index, 100, grown.leaves[37], &proof, grown.roots[100]),
                         index == 37);
    assert_false(gw_merkle_inclusion_holds(100, 100, grown.leaves[37], &proof, grown.roots[100]));
}

static void every_consistency_proof_holds_and_only_there(void **state) {
    (void)state;
    gw_merkle_source source = {.node = node_get, .state = &grown};
    gw_merkle_proof proof;
    for (uint64_t size = 0; size <= LEAVES; size++)
        for (uint64_t old = 0; old <= size; old++) {
            assert_int_equal(gw_merkle_consistency(source, old, size, &proof), GW_OK);
            gw_hash old_root = grown.roots[old], root = grown.roots[size];
            assert_true(gw_merkle_consistency_holds(old, old_root, size, root, &proof));
            if (old > 0) // any tree grows from the empty one
                assert_false(
                    gw_merkle_consistency_holds(old, old_root, size, grown.roots[(size + 1) % LEAVES], &proof));
            assert_false(gw_merkle_consistency_holds(old, grown.roots[old == 0 ? 1 : old - 1], size, root, &proof));
            if (proof.count > 0) {
                proof.hashes[old % proof.count].bytes[9] ^= 0x80;
                assert_false(gw_merkle_consistency_holds(old, old_root, size, root, &proof));
                proof.count--;
                assert_false(gw_merkle_consistency_holds(old, old_root, size, root, &proof));
            }
        }
    assert_int_equal(gw_merkle_consistency(source, 6, 5, &proof), GW_INVALID);
}

static int setup(void **state) {
    (void)state;
    if (gw_crypto_init() != GW_OK)
        return -1;
    gw_merkle_edge edge = {0};
    grown.roots[0] = gw_merkle_edge_root(&edge);
    for (size_t i = 0; i < LEAVES; i++) {
        char text[32];
        snprintf(text, sizeof(text), "entry %zu", i);
        grown.leaves[i] = gw_merkle_leaf(gw_bytes_of(text));
        gw_merkle_edge_append(&edge, grown.leaves[i], node_note, &grown);
        grown.roots[i + 1] = gw_merkle_edge_root(&edge);
    }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes_hold),
        cmocka_unit_test(node_of_short_strings_is_the_known_one),
        cmocka_unit_test(the_reference_tree_has_its_roots_and_proofs),
        cmocka_unit_test(roots_are_those_of_the_definition),
        cmocka_unit_test(every_inclusion_proof_holds_and_only_there),
        cmocka_unit_test(an_index_elsewhere_does_not_fit_the_proof),
        cmocka_unit_test(every_consistency_proof_holds_and_only_there),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
