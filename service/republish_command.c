// SPDX-License-Identifier: Apache-2.0
// The public files are a view of the ledger: whoever lost them, or wants them elsewhere, gets the same bytes again.
#include "service/republish_command.h"

#include "service/audit/publish.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/service.h"
#include "service/store/durable.h"
#include "service/tell.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOTE_BYTES_MAX 65536
#define PATH_BYTES 4300

GW_DEFINE_FREEP(gw_store_reader, gw_store_reader_close)

const char gw_republish_help[] = "godwitd republish [--dir DIR] [--to FOLDER]\n"
                                 "  writes the published files anew from the ledger, byte for byte: checkpoint,\n"
                                 "  tiles and entries in log/, question texts in questions/\n\n"
                                 "  --dir DIR    state folder (default: here, or ./state)\n"
                                 "  --to FOLDER  write them there, beside a running daemon too (default: into the\n"
                                 "               state folder, while no daemon runs)\n"
                                 "  --help       this page\n";

// Signed by the log's key in force, as the ledger names it.
static gw_status note_read(const gw_config *config, const char *database, gw_buffer *note, gw_problem *problem) {
    GW_CLEANUP(gw_store_reader_freep) gw_store_reader *reader = NULL;
    char path[PATH_BYTES], vkey[GW_VKEY_MAX];
    uint64_t since;
    bool is_kept;
    gw_note_key key;
    gw_checkpoint checkpoint;
    snprintf(path, sizeof path, "%.4096s/log/checkpoint", config->folder);
    gw_status status = gw_file_read(path, note, problem);
    if (status == GW_OK)
        status = gw_store_reader_open(database, &reader, problem);
    if (status == GW_OK)
        status = gw_store_log_key(reader, vkey, &since, &is_kept);
    if (status == GW_OK)
        status = gw_note_key_parse(vkey, &key, problem);
    return status == GW_OK ? gw_checkpoint_open(gw_buffer_bytes(note), &key, &checkpoint, problem) : status;
}

// Opening the ledger signs its tree, and closing publishes it: for a checkpoint that is gone.
static gw_status checkpoint_make(const gw_config *config, gw_problem *problem) {
    gw_service *service = NULL;
    gw_service_options options = {.is_serving = false, .asks_no_witness = true};
    gw_status status = gw_service_open(config, &options, &service, problem);
    if (status == GW_OK)
        gw_service_close(service);
    return status;
}

static gw_status republish(const gw_config *config, const char *to, gw_problem *problem) {
    GW_CLEANUP(gw_closep) int lock = -1;
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    char database[PATH_BYTES], log[PATH_BYTES], questions[PATH_BYTES], path[PATH_BYTES];
    gw_buffer_init(&note, NOTE_BYTES_MAX);
    snprintf(database, sizeof database, "%.4096s/godwit.db", config->folder);
    snprintf(log, sizeof log, "%.4096s/log", to ? to : config->folder);
    snprintf(questions, sizeof questions, "%.4096s/questions", to ? to : config->folder);
    snprintf(path, sizeof path, "%.4096s/lock", config->folder);
    gw_status status = note_read(config, database, &note, problem);
    if (status == GW_NOT_FOUND) {
        status = checkpoint_make(config, problem);
        note.size = 0;
        if (status == GW_OK)
            status = note_read(config, database, &note, problem);
    }
    // Two publishers of one folder would undo each other's work.
    if (status == GW_OK && !to)
        status = gw_durable_lock(path, &lock, problem);
    return status == GW_OK ? gw_publish_anew(database, log, questions, gw_buffer_bytes(&note), problem) : status;
}

int gw_republish_command(int argc, char **argv) {
    static const struct option long_options[] = {
        {"dir", required_argument, NULL, 'd'}, {"to", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    const char *dir = gw_config_folder(), *to = NULL;
    gw_config config;
    gw_problem problem = {0};
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == '?')
            return GW_EXIT_USAGE;
        *(option == 'd' ? &dir : &to) = optarg;
    }
    gw_status status = gw_config_load(dir, &config, &problem);
    if (status == GW_OK)
        status = republish(&config, to, &problem);
    if (status != GW_OK)
        return gw_tell(status, &problem);
    printf("Written anew from the ledger: %s/log and %s/questions\n", to ? to : config.folder, to ? to : config.folder);
    return 0;
}
