// SPDX-License-Identifier: Apache-2.0
// The search for a profile. A named one that is missing is an error; of the default places the first that exists is
// taken.
#include "client/cli/profiles.h"
#include "service/base/check.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 64u
#define NAME_SIZE 128u

static bool path_set(char path[GW_PATH_MAX], const char *folder, const char *name, const char *suffix) {
    int used = snprintf(path, GW_PATH_MAX, "%s/%s%s", folder, name, suffix);
    return used > 0 && (unsigned)used < GW_PATH_MAX;
}

static bool user_folder(char path[GW_PATH_MAX]) {
    const char *config = getenv("XDG_CONFIG_HOME");
    if (config != NULL && config[0] == '/')
        return path_set(path, config, "godwit", "");
    const char *home = getenv("HOME");
    return home != NULL && home[0] != '\0' && path_set(path, home, ".config/godwit", "");
}

static bool is_there(const char *path) {
    return access(path, F_OK) == 0;
}

static bool find_default(char path[GW_PATH_MAX]) {
    const char *named = getenv("GODWIT_PROFILE");
    char folder[GW_PATH_MAX];
    if (named != NULL && named[0] != '\0')
        return snprintf(path, GW_PATH_MAX, "%s", named) < (int)GW_PATH_MAX;
    if (path_set(path, ".", "godwit", ".json") && is_there(path))
        return true;
    if (user_folder(folder) && path_set(path, folder, "profile", ".json") && is_there(path))
        return true;
    return path_set(path, "/etc/godwit", "profile", ".json") && is_there(path);
}

static void folder_of(char path[GW_PATH_MAX]) {
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        memcpy(path, ".", 2);
    else
        *slash = '\0';
}

void gw_profiles_folder(const gw_cli *cli, char path[GW_PATH_MAX]) {
    const char *named = getenv("GODWIT_PROFILES");
    struct stat info;
    if (named != NULL && named[0] != '\0' && strlen(named) < GW_PATH_MAX) {
        gw_ignore(snprintf(path, GW_PATH_MAX, "%s", named)); // its length was checked
        return;
    }
    memcpy(path, "./profiles", sizeof("./profiles"));
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return;
    if (cli->globals.config != NULL && strlen(cli->globals.config) < GW_PATH_MAX) {
        gw_ignore(snprintf(path, GW_PATH_MAX, "%s", cli->globals.config)); // its length was checked
        folder_of(path);
        return;
    }
    if (find_default(path)) {
        folder_of(path);
        return;
    }
    if (!user_folder(path))
        memcpy(path, ".", 2);
}

static gw_status profile_missing(const char *folder, const char *name, gw_problem *ret_problem) {
    gw_status status = gw_problem_set(ret_problem, GW_NOT_FOUND, "profile_missing", "", "", "godwit keys ls");
    gw_problem_what(ret_problem, "There is no profile called \"%.64s\".", name);
    gw_problem_why(ret_problem, "It would be %s/%s.json.", folder, name);
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return status;
    char names[NAMES_MAX][NAME_SIZE];
    const char *words[NAMES_MAX];
    size_t count = 0;
    for (struct dirent *entry; count < NAMES_MAX && (entry = readdir(listing)) != NULL;) {
        size_t size = strlen(entry->d_name);
        if (size < 6 || size >= NAME_SIZE || strcmp(entry->d_name + size - 5, ".json") != 0)
            continue;
        memcpy(names[count], entry->d_name, size - 5);
        names[count][size - 5] = '\0';
        words[count] = names[count];
        count++;
    }
    closedir(listing);
    const char *nearest = gw_nearest(name, words, count);
    if (nearest != NULL)
        gw_problem_mend(ret_problem, "Did you mean --as %s?", nearest);
    return status;
}

// A path says more than a name.
static const char *as_of_environment(void) {
    const char *profile = getenv("GODWIT_PROFILE"), *as = getenv("GODWIT_AS");
    bool is_hidden = profile != NULL && profile[0] != '\0';
    return is_hidden || as == NULL || as[0] == '\0' ? NULL : as;
}

gw_status gw_profiles_find(const gw_cli *cli, char path[GW_PATH_MAX], gw_problem *ret_problem) {
    if (cli->globals.config != NULL && cli->globals.as != NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "option_twice", "Both --config and --as are given.",
                              "Each of them names the profile.", "Leave one of them out.");
    if (cli->globals.config != NULL) {
        if (strlen(cli->globals.config) >= GW_PATH_MAX)
            return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of --config is too long.", "", "");
        gw_ignore(snprintf(path, GW_PATH_MAX, "%s", cli->globals.config)); // its length was checked
        return GW_OK;
    }
    const char *as = cli->globals.as != NULL ? cli->globals.as : as_of_environment();
    if (as != NULL) {
        char folder[GW_PATH_MAX];
        gw_status status = gw_profiles_check_name(as, ret_problem);
        if (status != GW_OK)
            return status;
        gw_profiles_folder(cli, folder);
        if (!path_set(path, folder, as, ".json") || !is_there(path))
            return profile_missing(folder, as, ret_problem);
        return GW_OK;
    }
    if (find_default(path))
        return GW_OK;
    return gw_problem_set(ret_problem, GW_NOT_FOUND, "profile_missing", "I don't know which service to ask.",
                          "A profile says who you are and whom you ask. None is at --config, --as, $GODWIT_PROFILE, "
                          "./godwit.json, ~/.config/godwit/profile.json or /etc/godwit/profile.json.",
                          "add --config STATE/profiles/admin.json   (to look around: godwit demo)");
}

gw_status gw_profiles_load(const gw_cli *cli, gw_profile *ret, gw_problem *ret_problem) {
    char path[GW_PATH_MAX];
    gw_status status = gw_profiles_find(cli, path, ret_problem);
    return status == GW_OK ? gw_profile_load(path, ret, ret_problem) : status;
}

gw_status gw_profiles_key(const gw_profile *profile, gw_secret_key **ret, gw_problem *ret_problem) {
    if (profile->key_path[0] == '\0' || profile->principal[0] == '\0')
        return gw_problem_set(ret_problem, GW_UNAUTHENTICATED, "profile_visitor", "This profile has no key.",
                              "It is a visitor's: it can read public facts, and sign nothing.", "godwit keys new NAME");
    char path[GW_PATH_MAX];
    if (!gw_profile_key_file(profile, path))
        return gw_problem_set(ret_problem, GW_INVALID, "profile_key", "The path of the profile's key file is too long.",
                              "", "");
    return gw_key_file_read(path, ret, ret_problem);
}

void gw_profiles_name(const char *path, char name[128]) {
    const char *slash = strrchr(path, '/');
    const char *start = slash == NULL ? path : slash + 1;
    size_t size = strlen(start);
    if (size > 5 && strcmp(start + size - 5, ".json") == 0)
        size -= 5;
    gw_ignore(snprintf(name, 128, "%.*s", (int)(size > 127 ? 127 : size), start)); // cut, it is only shown
}

gw_status gw_profiles_check_name(const char *name, gw_problem *ret_problem) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t size = strlen(name);
    if (size > 0 && size <= 64 && strspn(name, allowed) == size && name[0] != '-')
        return GW_OK;
    return gw_problem_set(ret_problem, GW_INVALID, "option_value", "That name cannot be a profile's.",
                          "It becomes a file name: up to 64 letters, digits, '-' and '_'.", "");
}
