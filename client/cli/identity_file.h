// SPDX-License-Identifier: Apache-2.0
// The public half of an identity, as a file to send to a service's operator:
// {"godwit_identity":1,"principal":"<32 hex>","key":"<64 hex>"}. Nothing in it is secret.
// Depends on: base, wire/json.h.
#pragma once
#include "service/base/crypto.h"
#include "service/wire/json.h"

typedef struct {
    char principal[GW_ID_HEX];
    char key[GW_HASH_HEX]; // hex of the public key
} gw_identity_file;
GW_MUST_CHECK gw_status gw_identity_file_read(const char *path, gw_identity_file *ret, gw_problem *ret_problem);
GW_MUST_CHECK gw_status gw_identity_file_write(const char *path, const gw_identity_file *identity,
                                               gw_problem *ret_problem);
