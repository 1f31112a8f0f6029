// SPDX-License-Identifier: Apache-2.0
// The private codec between the daemon and godwit-engine: frames over a socketpair, both ends of one build on one
// machine, so integers are in host order. One message is outstanding at a time. The reply to a statement has the same
// length whether it succeeded or not: its size follows from the declared cells, parts and key bytes alone. Thread
// safety: one user per descriptor.   Depends on: engine.h.
#pragma once
#include "service/base/buffer.h"
#include "service/engine/engine.h"

#define GW_ENGINE_CODEC_VERSION 3u
#define GW_ENGINE_DESCRIPTOR 3 // the engine's end, by agreement of spawn and main
#define GW_ENGINE_PATH_MAX 4096u
#define GW_ENGINE_SQL_MAX 262144u
#define GW_ENGINE_PARAMS_MAX 65536u
#define GW_FRAME_SIZE_MAX (32u << 20) // of everything but tables: plans with long code lists are the largest

typedef enum {
    GW_FRAME_HELLO = 1, // engine -> daemon, once, with the codec's version as its word
    GW_FRAME_MEASURE,   // statement
    GW_FRAME_TABLE,     // its reply; word is a gw_engine_word
    GW_FRAME_LOAD,      // plan of a load
    GW_FRAME_PROGRESS,  // fraction and phase
    GW_FRAME_REPORT,    // what a load found; word is a gw_engine_word
    GW_FRAME_KEYS,      // reply to a statement about unknown keys; word is a gw_engine_word
} gw_frame_kind;

// Why a statement or a load failed: fixed words, all that is ever told.
typedef enum {
    GW_WORD_OK = 0,
    GW_WORD_FRAME,    // the request was not understood
    GW_WORD_SNAPSHOT, // the file cannot be opened
    GW_WORD_PREPARE,  // the statement is refused before it runs
    GW_WORD_EXECUTE,
    GW_WORD_SHAPE, // columns, cell indexes or parameters other than declared
    GW_WORD_MEMORY,
    GW_WORD_SOURCE, // loads: the source file cannot be read
    GW_WORD_WRITE,  // loads: the snapshot cannot be written
} gw_engine_word;
const char *gw_engine_word_name(uint32_t word); // "ok", "snapshot", …; never NULL

typedef struct {
    uint32_t kind; // gw_frame_kind
    uint32_t word;
    uint64_t sequence; // of the request; a reply repeats it
    uint64_t size;     // of what follows
} gw_frame;

// Milliseconds of CLOCK_MONOTONIC; deadlines below are on it, negative = none.
int64_t gw_engine_now_ms(void);

// Writes a frame and its payload with one call where the socket takes it. GW_IO: the peer is gone. GW_RETRY: the
// deadline passed.
GW_MUST_CHECK gw_status gw_frame_send(int descriptor, const gw_frame *frame, const void *payload, int64_t deadline_ms);
// Reads a frame whose payload must be exactly `size` bytes into `payload`. GW_CORRUPT: another kind, size or sequence.
GW_MUST_CHECK gw_status gw_frame_receive_exact(int descriptor, const gw_frame *expected, void *payload,
                                               int64_t deadline_ms, gw_frame *ret_frame);
// Reads a frame of any kind and size up to GW_FRAME_SIZE_MAX into an empty buffer. GW_IO at the end of the stream.
GW_MUST_CHECK gw_status gw_frame_receive(int descriptor, gw_buffer *payload, int64_t deadline_ms, gw_frame *ret_frame);

// Fields of payloads: appended to a buffer, read back by a reader whose first failure sticks.
void gw_pack_u64(gw_buffer *buffer, uint64_t value);
void gw_pack_i64(gw_buffer *buffer, int64_t value);
void gw_pack_text(gw_buffer *buffer, const char *text); // NULL is kept apart from ""
typedef struct {
    gw_bytes rest;
    bool is_bad;
} gw_unpack;
uint64_t gw_unpack_u64(gw_unpack *unpack);
int64_t gw_unpack_i64(gw_unpack *unpack);
// A count of things of at least `size_min` bytes each that must still fit in the payload.
size_t gw_unpack_count(gw_unpack *unpack, size_t size_min);
const char *gw_unpack_text(gw_unpack *unpack);   // borrowed, NUL-terminated; NULL when NULL was packed or on failure
bool gw_unpack_is_done(const gw_unpack *unpack); // all read, nothing bad

// A statement without its deadline, which stays with the daemon.
void gw_statement_pack(const gw_engine_statement *statement, gw_buffer *buffer);
// Borrows texts from the payload; `params` has room for GW_ENGINE_PARAMS_MAX.
GW_MUST_CHECK gw_status gw_statement_unpack(gw_bytes payload, int64_t *params, gw_engine_statement *ret_statement);
