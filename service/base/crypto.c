// SPDX-License-Identifier: Apache-2.0
// The one file that includes libsodium and OpenSSL. OpenSSL hashes (its SHA-256 uses the processor's instructions),
// libsodium signs, holds secrets and encodes. A hash that fails would be a lie told to an auditor: it stops the
// process.
#include "service/base/crypto.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define KEY_FILE_SIZE (2u * GW_SEED_SIZE + 1u) // hex digits and a newline

_Static_assert(crypto_sign_SEEDBYTES == GW_SEED_SIZE, "a key file holds the seed of an Ed25519 key");
_Static_assert(crypto_sign_PUBLICKEYBYTES == GW_PUBLIC_KEY_SIZE, "Ed25519 public key");
_Static_assert(crypto_sign_BYTES == GW_SIGNATURE_SIZE, "Ed25519 signature");
_Static_assert(crypto_auth_hmacsha256_BYTES == GW_HASH_SIZE, "HMAC-SHA-256");
_Static_assert(crypto_shorthash_siphashx24_BYTES == GW_TAG_SIZE, "SipHash-2-4-128");
_Static_assert(crypto_stream_chacha20_KEYBYTES == GW_STREAM_KEY_SIZE, "ChaCha20 key");

struct gw_secret_key {
    uint8_t bytes[crypto_sign_SECRETKEYBYTES]; // seed, then public key
};

struct gw_sha256_stream {
    EVP_MD_CTX *context;
};

// Set once by gw_crypto_init, constant afterwards: fetching a digest takes a lock and a search, hashing should not.
static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static uint8_t tag_key[crypto_shorthash_siphashx24_KEYBYTES]; // of this process
static pthread_key_t context_key;                             // one EVP_MD_CTX per thread, freed when the thread ends

static void context_free(void *context) {
    EVP_MD_CTX_free(context);
}

static void crypto_init(void) {
    if (sodium_init() < 0 || pthread_key_create(&context_key, context_free) != 0)
        return;
    if (!gw_random_bytes(tag_key, sizeof(tag_key)))
        return;
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL); // lives as long as the process
}

gw_status gw_crypto_init(void) {
    pthread_once(&init_once, crypto_init);
    return sha256 != NULL ? GW_OK : GW_UNAVAILABLE;
}

// NULL where there is no memory for it.
static EVP_MD_CTX *thread_context(void) {
    GW_ASSERT(sha256 != NULL); // gw_crypto_init comes first
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (context != NULL)
        return context;
    context = EVP_MD_CTX_new();
    if (context != NULL && pthread_setspecific(context_key, context) == 0)
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

// Allocates, every time.
static bool hash_start(EVP_MD_CTX *context) {
    return context != NULL && EVP_DigestInit_ex2(context, sha256, NULL) == 1;
}

static void hash_add(EVP_MD_CTX *context, gw_bytes bytes) {
    int result = EVP_DigestUpdate(context, bytes.data, bytes.size);
    GW_ASSERT(result == 1);
}

static gw_hash hash_end(EVP_MD_CTX *context) {
    gw_hash hash;
    unsigned size = 0;
    int result = EVP_DigestFinal_ex(context, hash.bytes, &size);
    GW_ASSERT(result == 1);
    GW_ASSERT(size == GW_HASH_SIZE);
    return hash;
}

// Slower, on the stack: nothing that was decided may hang on memory for a hash.
static gw_hash hash_without_memory(gw_bytes first, gw_bytes second) {
    crypto_hash_sha256_state state;
    gw_hash hash;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, first.data, first.size);
    crypto_hash_sha256_update(&state, second.data, second.size);
    crypto_hash_sha256_final(&state, hash.bytes);
    sodium_memzero(&state, sizeof(state));
    return hash;
}

gw_hash gw_sha256(gw_bytes bytes) {
    return gw_sha256_two(bytes, (gw_bytes){.size = 0});
}

gw_hash gw_sha256_two(gw_bytes first, gw_bytes second) {
    EVP_MD_CTX *context = thread_context();
    if (!hash_start(context))
        return hash_without_memory(first, second);
    hash_add(context, first);
    hash_add(context, second);
    return hash_end(context);
}

gw_tag gw_tag_of(gw_bytes bytes) {
    GW_ASSERT(sha256 != NULL); // the key is drawn
    gw_tag tag;
    crypto_shorthash_siphashx24(tag.bytes, bytes.data, bytes.size, tag_key);
    return tag;
}

gw_hash gw_hmac_sha256(gw_bytes key, gw_bytes message) {
    crypto_auth_hmacsha256_state state;
    gw_hash hash;
    crypto_auth_hmacsha256_init(&state, key.data, key.size);
    crypto_auth_hmacsha256_update(&state, message.data, message.size);
    crypto_auth_hmacsha256_final(&state, hash.bytes);
    sodium_memzero(&state, sizeof(state));
    return hash;
}

gw_sha256_stream *gw_sha256_stream_new(void) {
    GW_ASSERT(sha256 != NULL);
    gw_sha256_stream *stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return NULL;
    stream->context = EVP_MD_CTX_new();
    if (hash_start(stream->context))
        return stream;
    gw_sha256_stream_free(stream);
    return NULL;
}

void gw_sha256_stream_add(gw_sha256_stream *stream, gw_bytes bytes) {
    hash_add(stream->context, bytes);
}

gw_hash gw_sha256_stream_end(gw_sha256_stream *stream) {
    gw_hash hash = hash_end(stream->context);
    bool is_started = hash_start(stream->context);
    GW_ASSERT(is_started); // its caller is between two files, and nothing is decided there
    return hash;
}

void gw_sha256_stream_free(gw_sha256_stream *stream) {
    if (stream == NULL)
        return;
    EVP_MD_CTX_free(stream->context);
    free(stream);
}

// Guarded, locked memory. libsodium ignores a lock that fails (a small RLIMIT_MEMLOCK); a key that may be swapped to
// disk is refused here instead.
static gw_status key_new(gw_secret_key **ret) {
    GW_ASSERT(sha256 != NULL);
    gw_secret_key *key = sodium_malloc(sizeof(*key));
    if (key == NULL)
        return GW_NO_MEMORY;
    if (sodium_mlock(key, sizeof(*key)) != 0) {
        sodium_free(key);
        return GW_UNAVAILABLE;
    }
    *ret = key;
    return GW_OK;
}

gw_status gw_key_generate(gw_secret_key **ret) {
    uint8_t seed[GW_SEED_SIZE];
    if (!gw_random_bytes(seed, sizeof(seed)))
        return GW_UNAVAILABLE;
    gw_status status = gw_key_from_seed(seed, ret);
    gw_wipe(seed, sizeof(seed));
    return status;
}

gw_status gw_key_from_seed(const uint8_t seed[GW_SEED_SIZE], gw_secret_key **ret) {
    gw_secret_key *key = NULL;
    gw_status status = key_new(&key);
    if (status != GW_OK)
        return status;
    uint8_t public_key[GW_PUBLIC_KEY_SIZE]; // also the second half of key->bytes
    crypto_sign_seed_keypair(public_key, key->bytes, seed);
    sodium_mprotect_readonly(key); // a stray write is caught; nothing depends on it
    *ret = key;
    return GW_OK;
}

gw_public_key gw_key_public(const gw_secret_key *key) {
    gw_public_key public_key;
    memcpy(public_key.bytes, key->bytes + GW_SEED_SIZE, GW_PUBLIC_KEY_SIZE);
    return public_key;
}

gw_signature gw_sign(const gw_secret_key *key, gw_bytes message) {
    gw_signature signature;
    crypto_sign_detached(signature.bytes, NULL, message.data, message.size, key->bytes);
    return signature;
}

bool gw_verify_signature(gw_public_key key, gw_bytes message, gw_signature signature) {
    return crypto_sign_verify_detached(signature.bytes, message.data, message.size, key.bytes) == 0;
}

bool gw_public_key_is_valid(gw_public_key key) {
    return crypto_core_ed25519_is_valid_point(key.bytes) == 1;
}

void gw_secret_key_free(gw_secret_key *key) {
    sodium_free(key); // makes it writable, wipes, unlocks; accepts NULL
}

static gw_status key_file_problem(gw_problem *problem, gw_status status, const char *code, const char *path,
                                  const char *why, const char *mend) {
    gw_ignore(gw_problem_set(problem, status, code, "", why, "")); // returns what it was given
    gw_problem_what(problem, "The key file cannot be used: %s", path);
    gw_problem_mend(problem, mend, path);
    return status;
}

static gw_status key_file_io_problem(gw_problem *problem, const char *path, int error) {
    char reason[128];
    return key_file_problem(problem, GW_IO, "key_file_io", path, strerror_r(error, reason, sizeof(reason)), "");
}

// Says why a key could not be held in memory.
static gw_status key_memory_problem(gw_problem *problem, gw_status status, const char *path) {
    if (status == GW_UNAVAILABLE)
        return key_file_problem(problem, status, "key_memory_unlocked", path,
                                "The system refuses to lock memory, so the key could reach a swap file.",
                                "Raise the limit of locked memory (ulimit -l, LimitMEMLOCK=) and start again.");
    return key_file_problem(problem, status, "key_memory", path, "There is no memory for the key.", "");
}

static bool key_file_fill(int descriptor, const gw_secret_key *key) {
    char text[KEY_FILE_SIZE + 1];
    gw_hex((gw_bytes){.data = key->bytes, .size = GW_SEED_SIZE}, text);
    text[KEY_FILE_SIZE - 1] = '\n';
    ssize_t count = write(descriptor, text, KEY_FILE_SIZE); // 65 bytes: a short write means a full disk
    gw_wipe(text, sizeof(text));
    return count == KEY_FILE_SIZE && fsync(descriptor) == 0;
}

gw_status gw_key_file_write(const char *path, const gw_secret_key *key, gw_problem *ret_problem) {
    GW_CLEANUP(gw_closep)
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (descriptor < 0 && errno == EEXIST)
        return key_file_problem(ret_problem, GW_CONFLICT, "key_file_exists", path,
                                "There is a file of that name and a key is never overwritten.",
                                "Choose another name, or move %s away.");
    if (descriptor < 0)
        return key_file_io_problem(ret_problem, path, errno);
    // A crash from here on leaves a short file, which reading refuses by its size.
    if (!key_file_fill(descriptor, key)) {
        int error = errno;
        unlink(path);
        return key_file_io_problem(ret_problem, path, error);
    }
    if (gw_file_sync_folder_of(path) != GW_OK)
        return key_file_io_problem(ret_problem, path, errno);
    return GW_OK;
}

static gw_status key_file_open(const char *path, int *ret_descriptor, gw_problem *ret_problem) {
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0) {
        *ret_descriptor = descriptor;
        return GW_OK;
    }
    if (errno == ENOENT)
        return key_file_problem(ret_problem, GW_NOT_FOUND, "key_file_missing", path, "There is no such file.", "");
    if (errno == ELOOP)
        return key_file_problem(ret_problem, GW_DENIED, "key_file_link", path,
                                "It is a symbolic link, and whoever may move a link may swap the key.",
                                "Name the file itself.");
    return key_file_io_problem(ret_problem, path, errno);
}

static gw_status key_file_check(int descriptor, const char *path, gw_problem *ret_problem) {
    struct stat facts;
    if (fstat(descriptor, &facts) != 0)
        return key_file_io_problem(ret_problem, path, errno);
    if (!S_ISREG(facts.st_mode) || facts.st_size != KEY_FILE_SIZE)
        return key_file_problem(ret_problem, GW_INVALID, "key_file_malformed", path,
                                "A key file is 64 hexadecimal digits and a newline.", "");
    if (facts.st_uid != geteuid())
        return key_file_problem(ret_problem, GW_DENIED, "key_file_owner", path, "It belongs to another user.",
                                "chown it to the user this program runs as: %s");
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return key_file_problem(ret_problem, GW_DENIED, "key_file_mode", path, "Others than its owner may open it.",
                                "chmod 0400 %s");
    return GW_OK;
}

gw_status gw_key_file_read(const char *path, gw_secret_key **ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_closep) int descriptor = -1;
    gw_status status = key_file_open(path, &descriptor, ret_problem);
    if (status == GW_OK)
        status = key_file_check(descriptor, path, ret_problem);
    if (status != GW_OK)
        return status;
    char text[KEY_FILE_SIZE];
    uint8_t seed[GW_SEED_SIZE];
    bool is_key = read(descriptor, text, sizeof(text)) == KEY_FILE_SIZE && text[KEY_FILE_SIZE - 1] == '\n' &&
                  gw_unhex(text, KEY_FILE_SIZE - 1, seed, sizeof(seed));
    status = is_key ? gw_key_from_seed(seed, ret) : GW_INVALID;
    gw_wipe(text, sizeof(text));
    gw_wipe(seed, sizeof(seed));
    if (!is_key)
        return key_file_problem(ret_problem, GW_INVALID, "key_file_malformed", path,
                                "A key file is 64 hexadecimal digits and a newline.", "");
    return status == GW_OK ? GW_OK : key_memory_problem(ret_problem, status, path);
}

void gw_key_id(gw_public_key key, char text[GW_KEY_ID_HEX]) {
    gw_hash hash = gw_sha256((gw_bytes){.data = key.bytes, .size = sizeof(key.bytes)});
    gw_hex((gw_bytes){.data = hash.bytes, .size = (GW_KEY_ID_HEX - 1) / 2}, text);
}

void gw_hex(gw_bytes bytes, char *text) {
    sodium_bin2hex(text, 2 * bytes.size + 1, bytes.data, bytes.size);
}

// Arithmetic without branches or tables: seeds pass here, and so does every digit of a log.
static uint8_t hex_value(char digit) {
    uint8_t number = (uint8_t)(digit - '0'), letter = (uint8_t)(digit - 'a');
    return (uint8_t)((number & (uint8_t) - (number < 10)) | ((letter + 10) & (uint8_t) - (letter < 6)));
}

static bool is_hex(const char *text, size_t size) {
    unsigned wrong = 0;
    for (size_t i = 0; i < size; i++)
        wrong |= ((uint8_t)(text[i] - '0') >= 10) & ((uint8_t)(text[i] - 'a') >= 6);
    return wrong == 0;
}

bool gw_unhex(const char *text, size_t text_size, uint8_t *bytes, size_t size) {
    if (size > SIZE_MAX / 2 || text_size != 2 * size || !is_hex(text, text_size))
        return false;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    return true;
}

#define BASE64_BLOCK 48u // a multiple of 3, so that blocks join without padding

void gw_base64_append(gw_buffer *buffer, gw_bytes bytes) {
    char text[sodium_base64_ENCODED_LEN(BASE64_BLOCK, sodium_base64_VARIANT_ORIGINAL)];
    for (size_t done = 0; done < bytes.size; done += BASE64_BLOCK) {
        size_t size = bytes.size - done < BASE64_BLOCK ? bytes.size - done : BASE64_BLOCK;
        sodium_bin2base64(text, sizeof(text), bytes.data + done, size, sodium_base64_VARIANT_ORIGINAL);
        gw_buffer_text(buffer, text);
    }
}

// libsodium reads some bytes above 0x7f as if they were digits.
static bool is_base64(const char *text, size_t size) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    for (size_t i = 0; i < size; i++)
        if (memchr(alphabet, text[i], sizeof(alphabet) - 1) == NULL)
            return false;
    return true;
}

bool gw_unbase64(const char *text, size_t text_size, uint8_t *bytes, size_t size_max, size_t *ret_size) {
    if (text_size % 4 != 0 || !is_base64(text, text_size) ||
        sodium_base642bin(bytes, size_max, text, text_size, NULL, ret_size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    return true;
}

bool gw_hash_equal(gw_hash a, gw_hash b) {
    return sodium_memcmp(a.bytes, b.bytes, GW_HASH_SIZE) == 0;
}

void gw_wipe(void *bytes, size_t size) {
    sodium_memzero(bytes, size);
}

void gw_chacha20_stream(const uint8_t key[GW_STREAM_KEY_SIZE], uint64_t nonce, void *bytes, size_t size) {
    uint8_t nonce_bytes[crypto_stream_chacha20_NONCEBYTES];
    _Static_assert(sizeof(nonce_bytes) == sizeof(nonce), "the original ChaCha20 has a 64-bit nonce");
    memcpy(nonce_bytes, &nonce, sizeof(nonce));
    crypto_stream_chacha20(bytes, size, nonce_bytes, key);
}

bool gw_random_bytes(void *bytes, size_t size) {
    uint8_t *rest = bytes;
    while (size != 0) {
        ssize_t count = getrandom(rest, size, 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        rest += count;
        size -= (size_t)count;
    }
    return true;
}

void gw_random_id(char text[GW_ID_HEX]) {
    uint8_t id[GW_ID_SIZE];
    bool is_drawn = gw_random_bytes(id, sizeof(id));
    GW_ASSERT(is_drawn);
    gw_hex((gw_bytes){.data = id, .size = sizeof(id)}, text);
}
