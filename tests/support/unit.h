// SPDX-License-Identifier: Apache-2.0
// cmocka with the headers it forgets to include, and a folder that is gone when the test is.
// Thread safety: one test at a time.   Depends on: cmocka.
#pragma once
// cmocka.h needs these four before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int unit_remove_one(const char *path, const struct stat *facts, int kind, struct FTW *place) {
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

// cmocka setup and teardown: *state is the path of a fresh folder.
static inline int unit_folder_new(void **state) {
    char *path = strdup("/tmp/godwit-test-XXXXXX");
    if (path == NULL || mkdtemp(path) == NULL) {
        free(path);
        return -1;
    }
    *state = path;
    return 0;
}
static inline int unit_folder_free(void **state) {
    nftw(*state, unit_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}
// folder/name in `path`.
static inline const char *unit_path(void **state, const char *name, char path[256]) {
    snprintf(path, 256, "%s/%s", (const char *)*state, name);
    return path;
}
