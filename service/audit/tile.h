// SPDX-License-Identifier: Apache-2.0
// The layout of a published log (C2SP tlog-tiles): names of tiles and entry bundles, and what is in them.
// Thread safety: pure.   Depends on: base/crypto.h.
#pragma once
#include "service/base/buffer.h"
#include "service/base/crypto.h"

// Beside the tiles: for each keyrot entry, under its number, a checkpoint that covers it, signed by both keys.
#define GW_KEYROT_FOLDER "keyrot"

#define GW_TILE_WIDTH 256u
#define GW_TILE_LEVELS 8u // of 8 tree levels each
#define GW_TILE_PATH_MAX 96
#define GW_BUNDLE_BYTES_MAX (GW_TILE_WIDTH * (2u + 65535u))

// "tile/<level>/<number>[.p/<width>]", "tile/entries/…"; width 256 is a full one.
void gw_tile_path(unsigned level, uint64_t number, unsigned width, char ret[GW_TILE_PATH_MAX]);
void gw_bundle_path(uint64_t number, unsigned width, char ret[GW_TILE_PATH_MAX]);
// How many hashes tile `number` of `level` holds in a tree of `size`: 0 to 256.
unsigned gw_tile_width(uint64_t size, unsigned level, uint64_t number);
void gw_bundle_append(gw_buffer *bundle, gw_bytes entry); // u16 length and the entry
// Takes the first entry off `rest`; false where it is cut short.
bool gw_bundle_next(gw_bytes *rest, gw_bytes *ret_entry);
