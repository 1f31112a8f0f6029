// SPDX-License-Identifier: Apache-2.0
// Hashes (OpenSSL), signatures and secret memory (libsodium), hex and base64: the only file that includes either
// library. Thread safety: all calls are safe after gw_crypto_init.   Depends on: buffer.h, problem.h.
#pragma once
#include "service/base/buffer.h"
#include "service/base/problem.h"

#define GW_HASH_SIZE 32
#define GW_HASH_HEX 65 // with NUL
#define GW_ID_SIZE 16
#define GW_ID_HEX 33 // with NUL
#define GW_PUBLIC_KEY_SIZE 32
#define GW_SIGNATURE_SIZE 64
#define GW_SEED_SIZE 32

typedef struct {
    uint8_t bytes[GW_HASH_SIZE];
} gw_hash;
typedef struct {
    uint8_t bytes[GW_PUBLIC_KEY_SIZE];
} gw_public_key;
typedef struct {
    uint8_t bytes[GW_SIGNATURE_SIZE];
} gw_signature;
typedef struct gw_secret_key gw_secret_key; // in locked memory, wiped on free

GW_MUST_CHECK gw_status gw_crypto_init(void); // once per process, before anything else here

gw_hash gw_sha256(gw_bytes bytes);
gw_hash gw_sha256_two(gw_bytes first, gw_bytes second); // SHA-256(first || second)
gw_hash gw_hmac_sha256(gw_bytes key, gw_bytes message);
// A name for bytes inside this process: SipHash-2-4 of 128 bits under a key drawn at its start. Whoever chose the bytes
// can neither make two of them meet nor crowd a table. Never stored, never sent: the next process has another key.
#define GW_TAG_SIZE 16
typedef struct {
    uint8_t bytes[GW_TAG_SIZE];
} gw_tag;
gw_tag gw_tag_of(gw_bytes bytes);
// Streaming, for files and trees.
typedef struct gw_sha256_stream gw_sha256_stream;
gw_sha256_stream *gw_sha256_stream_new(void);
void gw_sha256_stream_add(gw_sha256_stream *stream, gw_bytes bytes);
gw_hash gw_sha256_stream_end(gw_sha256_stream *stream); // and starts anew
void gw_sha256_stream_free(gw_sha256_stream *stream);

GW_MUST_CHECK gw_status gw_key_generate(gw_secret_key **ret);
GW_MUST_CHECK gw_status gw_key_from_seed(const uint8_t seed[GW_SEED_SIZE], gw_secret_key **ret);
gw_public_key gw_key_public(const gw_secret_key *key);
gw_signature gw_sign(const gw_secret_key *key, gw_bytes message);
bool gw_verify_signature(gw_public_key key, gw_bytes message, gw_signature signature);
bool gw_public_key_is_valid(gw_public_key key); // a point of the right order: 00…00 and its like verify too much
void gw_secret_key_free(gw_secret_key *key);    // wipes; accepts NULL
// A key file holds the seed as 64 hex digits and a newline. Written 0400, never over an existing file; read with
// O_NOFOLLOW, refused unless owned by the caller's uid with no group or world bits.
GW_MUST_CHECK gw_status gw_key_file_write(const char *path, const gw_secret_key *key, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_key_file_read(const char *path, gw_secret_key **ret, gw_problem *ret_problem);
// First 8 hex digits of SHA-256(public key): the `key` line of a request.
#define GW_KEY_ID_HEX 9
void gw_key_id(gw_public_key key, char text[GW_KEY_ID_HEX]);

void gw_hex(gw_bytes bytes, char *text); // lower case; text has 2 * size + 1 bytes
// Exactly `size` bytes from exactly 2 * size lower-case hex digits; false otherwise.
bool gw_unhex(const char *text, size_t text_size, uint8_t *bytes, size_t size);
void gw_base64_append(gw_buffer *buffer, gw_bytes bytes); // standard alphabet, padded
// Strict standard base64; returns false unless all of text decodes into at most size_max bytes.
bool gw_unbase64(const char *text, size_t text_size, uint8_t *bytes, size_t size_max, size_t *ret_size);

bool gw_hash_equal(gw_hash a, gw_hash b); // constant time
void gw_wipe(void *bytes, size_t size);
// The ChaCha20 keystream of (key, nonce) from its start: the generator below random.h. Never twice with the same pair.
#define GW_STREAM_KEY_SIZE 32
void gw_chacha20_stream(const uint8_t key[GW_STREAM_KEY_SIZE], uint64_t nonce, void *bytes, size_t size);
// Kernel randomness; false only when the kernel refuses, and then the caller must refuse too.
bool gw_random_bytes(void *bytes, size_t size);
void gw_random_id(char text[GW_ID_HEX]); // 32 hex digits; stops the process when the kernel refuses
