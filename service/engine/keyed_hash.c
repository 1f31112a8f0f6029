// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4-128, following the paper's notation (v0 … v3).
#include "service/engine/keyed_hash.h"
#include <string.h>

typedef struct {
    uint64_t v0, v1, v2, v3;
} sip_state;

static inline uint64_t rotate(uint64_t value, unsigned bits) {
    return value << bits | value >> (64 - bits);
}

static inline void sip_round(sip_state *s) {
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(sip_state *s, uint64_t word) {
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

static uint64_t sip_finish(sip_state *s) {
    for (int i = 0; i < 4; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

gw_keyed_hash gw_keyed_hash_of(const uint64_t key[2], gw_bytes bytes) {
    sip_state s = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du ^ 0xee, key[0] ^ 0x6c7967656e657261u,
                   key[1] ^ 0x7465646279746573u};
    size_t at = 0;
    for (; at + 8 <= bytes.size; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + at, 8);
        sip_word(&s, word);
    }
    uint64_t last = (uint64_t)bytes.size << 56;
    for (size_t i = at; i < bytes.size; i++)
        last |= (uint64_t)bytes.data[i] << (8 * (i - at));
    sip_word(&s, last);
    gw_keyed_hash hash;
    s.v2 ^= 0xee;
    hash.low = sip_finish(&s);
    s.v1 ^= 0xdd;
    hash.high = sip_finish(&s);
    return hash;
}
