// SPDX-License-Identifier: Apache-2.0
// One file is open at a time. Comparing and appending are two states of the same stream: at the first line that
// differs, or at the end, the rest is cut off and lines are appended.
#include "service/audit/question_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4200

struct gw_question_files {
    char folder[4096];
    FILE *file;
    uint64_t number; // of the open file
    bool is_comparing;
    uint64_t next;
    uint64_t compared_up_to; // files before this number were compared in this life
    char *line;
    size_t line_size;
};

gw_question_files *gw_question_files_new(const char *folder) {
    gw_question_files *files = calloc(1, sizeof *files);
    if (files)
        snprintf(files->folder, sizeof files->folder, "%s", folder);
    return files;
}

static bool file_close(gw_question_files *files) {
    bool is_written = !files->file || fclose(files->file) == 0;
    files->file = NULL;
    return is_written;
}

void gw_question_files_free(gw_question_files *files) {
    if (!files)
        return;
    (void)file_close(files); // what was not handed over is written at the next start
    free(files->line);
    free(files);
}

uint64_t gw_question_files_next(const gw_question_files *files) {
    return files->next;
}

// A file not yet seen in this life is compared from its first line; others are appended to.
static bool file_open(gw_question_files *files, uint64_t number) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%03llu.jsonl", files->folder, (unsigned long long)number);
    files->is_comparing = number >= files->compared_up_to;
    files->number = number;
    files->file = fopen(path, files->is_comparing ? "r+e" : "ae");
    if (!files->file && files->is_comparing)
        files->file = fopen(path, "w+e");
    if (files->file)
        (void)fchmod(fileno(files->file), 0644); // public; where it cannot be changed the owner's choice stands
    return files->file != NULL;
}

// True when the next line of the file is `text`; otherwise the file ends before it from now on.
static bool line_is_there(gw_question_files *files, gw_bytes text, bool *ret_is_cut) {
    long at = ftell(files->file);
    ssize_t size = getline(&files->line, &files->line_size, files->file);
    if (size == (ssize_t)text.size + 1 && memcmp(files->line, text.data, text.size) == 0 &&
        files->line[text.size] == '\n')
        return true;
    clearerr(files->file);
    *ret_is_cut = at >= 0 && fseek(files->file, at, SEEK_SET) == 0 && ftruncate(fileno(files->file), at) == 0;
    files->is_comparing = false;
    return false;
}

static gw_status cannot_write(gw_problem *problem) {
    return gw_problem_set(problem, GW_IO, "publish_write", "A question's text cannot be written.",
                          "The disk is full, or the folder cannot be written to.", "Make room; it is tried again.");
}

// A file whose every wanted line was there ends after the last of them: what follows belongs to no charge.
static bool rest_cut(gw_question_files *files) {
    long at = files->file && files->is_comparing ? ftell(files->file) : -2;
    return at == -2 || (at >= 0 && ftruncate(fileno(files->file), at) == 0);
}

gw_status gw_question_files_add(gw_question_files *files, uint64_t charge_seq, gw_bytes text, gw_problem *ret_problem) {
    uint64_t number = charge_seq / GW_QUESTION_FILE_ENTRIES;
    bool is_past = files->file && files->number != number;
    if (is_past && !(rest_cut(files) && file_close(files)))
        return cannot_write(ret_problem);
    if (!files->file && !file_open(files, number))
        return cannot_write(ret_problem);
    bool is_cut = true;
    if (files->is_comparing && line_is_there(files, text, &is_cut))
        return GW_OK;
    if (!is_cut || fwrite(text.data, 1, text.size, files->file) != text.size || fputc('\n', files->file) == EOF)
        return cannot_write(ret_problem);
    return GW_OK;
}

gw_status gw_question_files_end(gw_question_files *files, uint64_t size, gw_status status, gw_problem *ret_problem) {
    bool is_open = files->file != NULL;
    if (status == GW_OK && !rest_cut(files))
        status = GW_IO;
    if (!file_close(files) || status == GW_IO)
        status = cannot_write(ret_problem);
    if (status == GW_OK) {
        files->next = size;
        if (is_open)
            files->compared_up_to = files->number + 1;
        return GW_OK;
    }
    files->compared_up_to = files->next / GW_QUESTION_FILE_ENTRIES;
    files->next = files->compared_up_to * GW_QUESTION_FILE_ENTRIES;
    return status;
}
