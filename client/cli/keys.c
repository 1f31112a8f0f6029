// SPDX-License-Identifier: Apache-2.0
// Keys: a secret file, the public file to send to the operator, and the profile that ties them to a service.
#include "client/cli/admin.h"
#include "client/cli/commands.h"
#include "client/cli/identity_file.h"
#include "client/cli/say_grid.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 256
#define BODY_MAX 4096u

GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)
GW_DEFINE_FREEP(gw_grid, gw_grid_free)

typedef struct {
    const char *out, *principal, *key, *from;
} keys_options;
static const gw_option options_of_new[] = {
    {"out", 0, GW_OPTION_TEXT, offsetof(keys_options, out), "DIR", "where the three files go (the profiles folder)"},
    {"principal", 0, GW_OPTION_TEXT, offsetof(keys_options, principal), "ID",
     "a further key of this principal, instead of a new one"},
};
static const gw_option options_of_add[] = {
    {"principal", 0, GW_OPTION_TEXT, offsetof(keys_options, principal), "ID", "whose key it is"},
    {"key", 0, GW_OPTION_TEXT, offsetof(keys_options, key), "HEX", "the public key, 64 hex digits"},
    {"from", 0, GW_OPTION_TEXT, offsetof(keys_options, from), "FILE.pub", "both, from the file that \"keys new\" made"},
};

typedef struct {
    char folder[GW_PATH_MAX], key[GW_PATH_MAX], public[GW_PATH_MAX], profile[GW_PATH_MAX];
} key_paths;

static bool path_join(char path[GW_PATH_MAX], const char *folder, const char *name, const char *suffix) {
    int used = snprintf(path, GW_PATH_MAX, "%s/%s%s", folder, name, suffix);
    return used > 0 && (unsigned)used < GW_PATH_MAX;
}

static gw_status paths_set(const gw_cli *cli, const char *out, const char *name, key_paths *ret,
                           gw_problem *ret_problem) {
    if (out == NULL)
        gw_profiles_folder(cli, ret->folder);
    else if ((unsigned)snprintf(ret->folder, GW_PATH_MAX, "%s", out) >= GW_PATH_MAX)
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of --out is too long.", "", "");
    if (!path_join(ret->key, ret->folder, name, ".key") || !path_join(ret->public, ret->folder, name, ".pub") ||
        !path_join(ret->profile, ret->folder, name, ".json"))
        return gw_problem_set(ret_problem, GW_INVALID, "option_value", "The path of the folder is too long.", "",
                              "--out DIR");
    if (access(ret->profile, F_OK) != 0 && access(ret->public, F_OK) != 0 && access(ret->key, F_OK) != 0)
        return gw_folder_make(ret->folder, 0700, ret_problem);
    gw_status status = gw_problem_set(ret_problem, GW_CONFLICT, "file_exists", "", "Keys are never written over.", "");
    gw_problem_what(ret_problem, "There is a key \"%s\" in %.200s already.", name, ret->folder);
    return status;
}

// The key last: a crash in between leaves public files without a secret, which the next attempt reports by name.
static gw_status files_write(const gw_cli *cli, const key_paths *paths, const char *name,
                             const gw_identity_file *identity, const gw_secret_key *key, bool *ret_has_profile,
                             gw_problem *ret_problem) {
    gw_profile profile;
    gw_problem none;
    gw_status status = gw_identity_file_write(paths->public, identity, ret_problem);
    if (status != GW_OK)
        return status;
    *ret_has_profile = gw_profiles_load(cli, &profile, &none) == GW_OK;
    if (!*ret_has_profile && (cli->globals.config != NULL || cli->globals.as != NULL)) {
        *ret_problem = none; // one was named, and it can't be read
        return none.status;
    }
    if (*ret_has_profile) {
        memcpy(profile.principal, identity->principal, sizeof(profile.principal));
        gw_ignore(snprintf(profile.key_path, sizeof(profile.key_path), "%s.key", name)); // names are short
        status = gw_profile_save(paths->profile, &profile, ret_problem);
    }
    return status == GW_OK ? gw_key_file_write(paths->key, key, ret_problem) : status;
}

static gw_exit_code new_say(gw_cli *cli, const key_paths *paths, const gw_identity_file *identity, gw_public_key key,
                            bool has_profile) {
    static const gw_grid_column columns[] = {
        {"principal", "", GW_ALIGN_LEFT, false}, {"key", "", GW_ALIGN_LEFT, false},
        {"key_id", "", GW_ALIGN_LEFT, false},    {"key_file", "", GW_ALIGN_LEFT, true},
        {"profile", "", GW_ALIGN_LEFT, true},    {"public_file", "", GW_ALIGN_LEFT, true}};
    char id[GW_KEY_ID_HEX];
    gw_key_id(key, id);
    if (cli->output != GW_OUTPUT_TABLE) {
        GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 6);
        GW_ASSERT(grid != NULL);
        gw_grid_add(grid, (const char *[]){identity->principal, identity->key, id, paths->key,
                                           has_profile ? paths->profile : NULL, paths->public});
        return gw_say_grid(cli, grid);
    }
    gw_say_field(cli, "Principal", "%s", identity->principal);
    gw_say_field(cli, "Key", "%s", identity->key);
    gw_say_field(cli, "Key id", "%s", id);
    gw_say_field(cli, "Secret", "%s  keep it, show it to nobody", paths->key);
    if (has_profile)
        gw_say_field(cli, "Profile", "%s", paths->profile);
    gw_say_field(cli, "Send", "%s  to the operator, who enters you with: godwit principal add", paths->public);
    if (!has_profile)
        gw_note(cli, "No profile was written: I know no service. Give one of its profiles with --config.\n");
    return GW_EXIT_DONE;
}

static gw_exit_code new_run(gw_cli *cli, const void *state, const gw_words *words) {
    const keys_options *options = state;
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    key_paths paths;
    gw_identity_file identity;
    gw_problem problem;
    uint8_t id[GW_ID_SIZE];
    bool has_profile = false;
    if (options->principal != NULL && !gw_unhex(options->principal, strlen(options->principal), id, sizeof(id)))
        return gw_usage(cli, "A principal is 32 hex digits in lower case.", "godwit keys ls");
    gw_status status = gw_profiles_check_name(words->items[0], &problem);
    if (status == GW_OK)
        status = paths_set(cli, options->out, words->items[0], &paths, &problem);
    if (status != GW_OK)
        return gw_fail(cli, &problem);
    status = gw_key_generate(&key);
    if (status != GW_OK) {
        gw_ignore(
            gw_problem_set(&problem, status, "random", "No key could be made.", "", "")); // returns what it is given
        return gw_fail(cli, &problem);
    }
    gw_public_key public = gw_key_public(key);
    gw_hex((gw_bytes){public.bytes, sizeof(public.bytes)}, identity.key);
    if (options->principal != NULL)
        memcpy(identity.principal, options->principal, sizeof(identity.principal));
    else
        gw_random_id(identity.principal);
    status = files_write(cli, &paths, words->items[0], &identity, key, &has_profile, &problem);
    return status == GW_OK ? new_say(cli, &paths, &identity, public, has_profile) : gw_fail(cli, &problem);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_profile_name(const struct dirent *entry) {
    size_t size = strlen(entry->d_name);
    return size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
}

static void profile_add(gw_grid *grid, const char *path) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    gw_profile profile;
    gw_problem problem;
    char id[GW_KEY_ID_HEX] = "-", name[128];
    if (gw_profile_load(path, &profile, &problem) != GW_OK)
        return; // another JSON file
    if (gw_profiles_key(&profile, &key, &problem) == GW_OK)
        gw_key_id(gw_key_public(key), id);
    gw_profiles_name(path, name);
    gw_grid_add(grid, (const char *[]){name, profile.principal, id, profile.origin});
}

static gw_exit_code ls_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    static const gw_grid_column columns[] = {{"name", "NAME", GW_ALIGN_LEFT, true},
                                             {"principal", "PRINCIPAL", GW_ALIGN_LEFT, false},
                                             {"key_id", "KEY ID", GW_ALIGN_LEFT, false},
                                             {"origin", "SERVICE", GW_ALIGN_LEFT, true}};
    GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 4);
    char folder[GW_PATH_MAX];
    struct dirent **entries = NULL;
    GW_ASSERT(grid != NULL);
    gw_profiles_folder(cli, folder);
    int count = scandir(folder, &entries, is_profile_name, by_name);
    for (int i = 0; i < count; i++) {
        char path[GW_PATH_MAX + 512];
        gw_ignore(snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name)); // folder and name have bounds
        if (i < FILES_MAX)
            profile_add(grid, path);
        free(entries[i]);
    }
    free(entries);
    if (gw_grid_rows(grid) == 0)
        gw_note(cli, "There is no profile in %s. godwit keys new NAME makes one.\n", folder);
    return gw_say_grid(cli, grid);
}

static gw_exit_code show_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    gw_profile profile;
    gw_problem problem;
    char hex[GW_HASH_HEX], id[GW_KEY_ID_HEX];
    if (words->count > 0)
        cli->globals.as = words->items[0];
    if (gw_profiles_load(cli, &profile, &problem) != GW_OK || gw_profiles_key(&profile, &key, &problem) != GW_OK)
        return gw_fail(cli, &problem);
    gw_public_key public = gw_key_public(key);
    gw_hex((gw_bytes){public.bytes, sizeof(public.bytes)}, hex);
    gw_key_id(public, id);
    if (cli->output != GW_OUTPUT_TABLE) {
        static const gw_grid_column columns[] = {{"principal", "", GW_ALIGN_LEFT, false},
                                                 {"key", "", GW_ALIGN_LEFT, false},
                                                 {"key_id", "", GW_ALIGN_LEFT, false}};
        GW_CLEANUP(gw_grid_freep) gw_grid *grid = gw_grid_new(columns, 3);
        GW_ASSERT(grid != NULL);
        gw_grid_add(grid, (const char *[]){profile.principal, hex, id});
        return gw_say_grid(cli, grid);
    }
    gw_say_field(cli, "Principal", "%s", profile.principal);
    gw_say_field(cli, "Key", "%s", hex);
    gw_say_field(cli, "Key id", "%s", id);
    gw_say_field(cli, "Profile", "%s", profile.path);
    gw_say_field(cli, "Service", "%s", profile.origin);
    return GW_EXIT_DONE;
}

// --from FILE.pub, or --principal and --key.
static gw_exit_code identity_read(gw_cli *cli, const keys_options *options, gw_identity_file *ret) {
    uint8_t bytes[GW_PUBLIC_KEY_SIZE];
    gw_problem problem;
    if (options->from != NULL)
        return gw_identity_file_read(options->from, ret, &problem) == GW_OK ? GW_EXIT_DONE : gw_fail(cli, &problem);
    if (options->principal == NULL || !gw_unhex(options->principal, strlen(options->principal), bytes, GW_ID_SIZE))
        return gw_usage(cli, "Whose key? A principal is 32 hex digits in lower case.",
                        "--principal ID --key HEX, or --from FILE.pub");
    if (options->key == NULL || !gw_unhex(options->key, strlen(options->key), bytes, GW_PUBLIC_KEY_SIZE))
        return gw_usage(cli, "Which key? A public key is 64 hex digits in lower case.",
                        "--principal ID --key HEX, or --from FILE.pub");
    memcpy(ret->principal, options->principal, sizeof(ret->principal));
    memcpy(ret->key, options->key, sizeof(ret->key));
    return GW_EXIT_DONE;
}

static gw_exit_code change_run(gw_cli *cli, const keys_options *options, bool is_add) {
    gw_identity_file identity;
    gw_buffer body;
    char what[256];
    gw_exit_code code = identity_read(cli, options, &identity);
    if (code != GW_EXIT_DONE)
        return code;
    gw_buffer_init(&body, BODY_MAX);
    gw_admin_begin(&body, is_add ? "key_add" : "key_revoke");
    gw_json_write_member(&body, "principal", identity.principal);
    gw_json_write_member(&body, "key", identity.key);
    if (is_add) {
        gw_json_write_integer(&body, "not_before", 0);
        gw_json_write_integer(&body, "not_after", 0);
    }
    gw_ignore(snprintf(what, sizeof(what), "key %.8s... of %s %s", identity.key, identity.principal,
                       is_add ? "counts now" : "counts no more")); // it fits
    return gw_admin_finish(cli, &body, what);
}

static gw_exit_code add_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)words;
    return change_run(cli, options, true);
}

static gw_exit_code revoke_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)words;
    return change_run(cli, options, false);
}

const gw_command gw_command_keys_new = {
    .name = "keys new",
    .group = "Identity",
    .arguments = "NAME [--out DIR]",
    .summary = "make a key, a profile, and the file to send to the operator",
    .examples = "godwit keys new anna --config service.json\n",
    GW_OPTIONS(options_of_new),
    .options_size = sizeof(keys_options),
    .words_min = 1,
    .words_max = 1,
    .run = new_run,
};
const gw_command gw_command_keys_ls = {
    .name = "keys ls",
    .group = "Identity",
    .arguments = "",
    .summary = "list the profiles of this folder and their keys",
    .examples = "godwit keys ls\n",
    .is_paged = true,
    .run = ls_run,
};
const gw_command gw_command_keys_show = {
    .name = "keys show",
    .group = "Identity",
    .arguments = "[NAME]",
    .summary = "show the public key of a profile",
    .examples = "godwit keys show anna\n",
    .words_max = 1,
    .run = show_run,
};
const gw_command gw_command_keys_add = {
    .name = "keys add",
    .group = "Identity",
    .arguments = "--principal ID --key HEX | --from FILE.pub",
    .summary = "enter a further key of a principal (operators)",
    .examples = "godwit keys add --from anna2.pub\n",
    GW_OPTIONS(options_of_add),
    .options_size = sizeof(keys_options),
    .run = add_run,
};
const gw_command gw_command_keys_revoke = {
    .name = "keys revoke",
    .group = "Identity",
    .arguments = "--principal ID --key HEX | --from FILE.pub",
    .summary = "make a key count no more, for good (operators)",
    .examples = "godwit keys revoke --from anna.pub\n",
    GW_OPTIONS(options_of_add),
    .options_size = sizeof(keys_options),
    .run = revoke_run,
};
