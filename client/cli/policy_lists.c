// SPDX-License-Identifier: Apache-2.0
// Lists are found by their file names, so a list that is added is offered without a change here.
#include "client/cli/policy_lists.h"
#include "client/cli/program.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <ctype.h>
#include <dirent.h>
#include <string.h>

#define LIST_BYTES_MAX 262144u

static bool folder_find(char path[4096]) {
    char share[4096];
    return gw_program_share(NULL, share) && snprintf(path, 4096, "%.4000s/codelists", share) < 4096;
}

bool gw_list_read(const char *id, gw_arena *arena, gw_list *ret) {
    char folder[4096], path[4300];
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_problem ignored;
    gw_buffer_init(&text, LIST_BYTES_MAX);
    *ret = (gw_list){.id = id};
    if (strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != strlen(id) ||
        !folder_find(folder))
        return false;
    gw_ignore(snprintf(path, sizeof(path), "%s/%.128s.csv", folder, id)); // it fits
    if (gw_file_read(path, &text, &ignored) != GW_OK)
        return false;
    char *rest = gw_arena_string(arena, gw_buffer_string(&text));
    if (rest != NULL)
        gw_ignore(strsep(&rest, "\n")); // the header
    while (rest != NULL && ret->code_count < GW_LIST_CODES_MAX) {
        const char *fields[16];
        char *line = strsep(&rest, "\n");
        line[strcspn(line, "\r")] = '\0';
        if (line[0] != '\0' && gw_csv_fields(line, arena, fields, 16) != SIZE_MAX)
            ret->codes[ret->code_count++] = fields[0];
    }
    return ret->code_count > 0;
}

// What the list of a concept is called behind "CL_".
static void stem_of(const char *concept, char stem[64]) {
    static const char *const others[][2] = {{"c_birth", "BIRTH"}, {"ref_area", "AREA"}};
    gw_ignore(snprintf(stem, 64, "%s", concept)); // cut, and then no list fits
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(concept, others[i][0]) == 0)
            gw_ignore(snprintf(stem, 64, "%s", others[i][1])); // it fits
    for (char *c = stem; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

const char *gw_list_of_concept(const char *concept, gw_arena *arena) {
    char folder[4096], stem[64], best[300] = "";
    stem_of(concept, stem);
    DIR *listing = folder_find(folder) ? opendir(folder) : NULL;
    if (listing == NULL)
        return NULL;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        size_t size = strlen(entry->d_name), stem_size = strlen(stem);
        if (size < 7 + stem_size || strncmp(entry->d_name, "CL_", 3) != 0 ||
            strncmp(entry->d_name + 3, stem, stem_size) != 0 || strcmp(entry->d_name + size - 4, ".csv") != 0)
            continue;
        char behind = entry->d_name[3 + stem_size];
        // The shortest name wins, so that CL_DURATION goes before CL_DURATION_STAY.
        if ((behind == '.' || behind == '_') && (best[0] == '\0' || size - 4 < strlen(best)))
            gw_ignore(snprintf(best, sizeof(best), "%.*s", (int)(size - 4), entry->d_name)); // it fits
    }
    gw_ignore(closedir(listing)); // it was only read
    return best[0] == '\0' ? NULL : gw_arena_string(arena, best);
}
