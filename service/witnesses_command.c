// SPDX-License-Identifier: Apache-2.0
// The file is published first, then named by a log entry, then by config.json. A crash in between leaves a daemon that
// refuses to start and says which file the log has in force; the same command again finishes it.
#include "service/witnesses_command.h"

#include "service/arguments.h"
#include "service/base/cleanup.h"
#include "service/local.h"
#include "service/store/store.h"
#include "service/tell.h"
#include "service/vouch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

const char gw_witnesses_help[] = "godwitd witnesses [--dir DIR] [FILE]\n"
                                 "  with FILE (C2SP tlog-policy: lines witness, group, quorum) these witnesses are\n"
                                 "  asked to cosign the log from the next start on; a copy lies published in\n"
                                 "  log/witnesses/, and the change is in the log. \"quorum none\" asks nobody.\n"
                                 "  Without FILE: which file is in force.\n\n"
                                 "  --dir DIR  state folder (default: here, or ./state)\n"
                                 "  --help     this page\n";

gw_status gw_witnesses_path(const char *given, char ret_path[4096], gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_hash file;
    char absolute[PATH_MAX];
    gw_buffer_init(&text, GW_TLOG_POLICY_FILE_MAX);
    gw_status status = gw_vouching_read(given, &text, &file, ret_problem);
    if (status != GW_OK)
        return status;
    if (!realpath(given, absolute) || strlen(absolute) >= 4096)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_path", "The file's path is too long.", "", "");
    snprintf(ret_path, 4096, "%.4095s", absolute);
    return GW_OK;
}

static gw_status in_force(const gw_config *config, gw_hash *ret, gw_problem *problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[4200];
    snprintf(path, sizeof path, "%s/godwit.db", config->folder);
    gw_status status = gw_store_reader_open(path, &reader, problem);
    if (status == GW_OK && gw_store_witnesses(reader, ret) != GW_OK)
        status = gw_problem_set(problem, GW_CORRUPT, "store_corrupt", "The ledger cannot be read.", "", "");
    return status;
}

static int show(const gw_config *config, gw_problem *problem) {
    gw_hash file;
    char hex[GW_HASH_HEX];
    gw_status status = in_force(config, &file, problem);
    if (status != GW_OK)
        return gw_tell(status, problem);
    if (gw_hash_equal(file, gw_sha256((gw_bytes){NULL, 0}))) {
        printf("No witnesses: the log names none.\n");
        return 0;
    }
    gw_hex((gw_bytes){file.bytes, GW_HASH_SIZE}, hex);
    printf("in force    %s\n            published under this name in log/witnesses/\nconfigured  %s\n", hex,
           config->witnesses);
    printf("strict      %s\n",
           config->witness_strict != 0 ? "yes: no answer leaves without their quorum" : "no: asked beside the answers");
    return 0;
}

static gw_status entry_append(const gw_config *config, gw_hash file, gw_problem *problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer body;
    GW_CLEANUP(gw_buffer_done) gw_buffer document;
    char hex[GW_HASH_HEX];
    gw_hash now;
    gw_status status = in_force(config, &now, problem);
    if (status != GW_OK || gw_hash_equal(now, file))
        return status; // only config.json is behind
    gw_hex((gw_bytes){file.bytes, GW_HASH_SIZE}, hex);
    gw_buffer_init(&body, 4096);
    gw_buffer_init(&document, 65536);
    gw_buffer_text(&body, "{\"v\":1");
    gw_json_write_member(&body, "kind", "admin");
    gw_json_write_member(&body, "action", "witnesses_set");
    gw_json_write_member(&body, "file", hex);
    gw_buffer_text(&body, "}");
    return gw_local_change(config, gw_buffer_bytes(&body), &document, problem);
}

int gw_witnesses_command(int argc, char **argv) {
    gw_arguments a;
    if (!gw_arguments_read(argc, argv, &a) || a.word_count > 1)
        return gw_usage("witnesses takes one file, or none.", "godwitd witnesses --dir state witnesses.policy");
    gw_config config;
    gw_problem problem = {0};
    gw_status status = gw_config_load(a.dir, &config, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    if (a.word_count == 0)
        return show(&config, &problem);
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_hash file;
    char path[4096];
    gw_buffer_init(&text, GW_TLOG_POLICY_FILE_MAX);
    status = gw_witnesses_path(a.words[0], path, &problem);
    if (status == GW_OK)
        status = gw_vouching_read(path, &text, &file, &problem);
    if (status == GW_OK)
        status = gw_vouching_publish(&config, gw_buffer_bytes(&text), &problem);
    if (status == GW_OK)
        status = entry_append(&config, file, &problem);
    if (status == GW_OK) {
        memcpy(config.witnesses, path, sizeof config.witnesses);
        status = gw_config_save(&config, &problem);
    }
    if (status != GW_OK)
        return gw_tell(status, &problem);
    printf("%s is in force.\n  next  start the service again: it asks these witnesses from then on\n", path);
    return 0;
}
