// SPDX-License-Identifier: Apache-2.0
// Comma-separated text as RFC 4180 has it, plain or gzipped: fields are quoted by ", which doubles inside; lines end in
// LF or CRLF; nothing is guessed, trimmed or typed. The first row is the header, and comes like any other. Thread
// safety: one user.   Depends on: rows.h, zlib (only csv.c includes it).
#pragma once
#include "service/engine/rows.h"

typedef struct gw_csv gw_csv;
GW_MUST_CHECK gw_status gw_csv_open(const char *path, gw_csv **ret); // GW_IO, GW_NO_MEMORY
void gw_csv_close(gw_csv *csv);                                      // wipes; accepts NULL
gw_rows_outcome gw_csv_next(gw_csv *csv, gw_row *ret_row);
bool gw_csv_is_utf16(const gw_csv *csv);   // by its first bytes, before any row was read
double gw_csv_fraction(const gw_csv *csv); // of the file read so far, 0 .. 1
