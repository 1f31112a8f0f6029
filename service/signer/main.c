// SPDX-License-Identifier: Apache-2.0
// godwit-signer: holds the log's key, so that the program that holds the register's answers cannot read it. Started by
// godwitd on a socketpair (serve), or by the supervisor under a user of its own (listen). It opens its folder and its
// socket and nothing else, and leaves no core file.
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/crypto.h"
#include "service/base/file.h"
#include "service/base/process.h"
#include "service/signer/serve.h"
#include "service/signer/signer.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EXIT_USAGE 2

static const char help[] = "godwit-signer: signs the trees of a Godwit log, and never goes back\n\n"
                           "  godwit-signer listen --dir DIR --socket PATH [--user NAME]\n"
                           "  godwit-signer serve DIR      as godwitd starts it, on a socket it hands over\n"
                           "  godwit-signer reset --dir DIR --origin NAME --over SIZE:ROOT --back SIZE:ROOT\n"
                           "                 after a restore that two signed: forget the tree --over for\n"
                           "                 --back. godwitd restore prints the line; compare it with\n"
                           "                 restore.json\n\n"
                           "  --dir DIR      where log.key and the newest tree are; a folder with neither\n"
                           "                 gets a key\n"
                           "  --socket PATH  where godwitd asks: its setting \"signer\"\n"
                           "  --user NAME    who may ask (default: the user this program runs as)\n"
                           "  --help         this page\n";

// No memory image of ours reaches a disk or a debugger, and nothing that this process starts gets more than it has.
static bool harden(void) {
    struct rlimit no_core = {0, 0};
    umask(077);
    return setrlimit(RLIMIT_CORE, &no_core) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool is_started_by_parent(void) {
    struct stat facts;
    return fstat(GW_PROCESS_DESCRIPTOR, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

// ---- a service of its own

// The key of a log that is to be: only where nothing was ever signed here.
static gw_status key_make(const char *folder, gw_problem *problem) {
    char path[4200];
    struct stat facts;
    snprintf(path, sizeof(path), "%.4000s/" GW_SIGNER_KEY, folder);
    if (lstat(path, &facts) == 0)
        return GW_OK;
    snprintf(path, sizeof(path), "%.4000s/" GW_SIGNER_NEWEST, folder);
    if (lstat(path, &facts) == 0)
        return gw_problem_set(problem, GW_NOT_FOUND, "key_file_missing", "The log's key is missing.",
                              "Trees were signed with it, and another one cannot go on.",
                              "Put " GW_SIGNER_KEY " back.");
    gw_secret_key *key = NULL;
    gw_status status = gw_key_generate(&key);
    snprintf(path, sizeof(path), "%.4000s/" GW_SIGNER_KEY, folder);
    if (status == GW_OK)
        status = gw_key_file_write(path, key, problem);
    gw_secret_key_free(key);
    return status;
}

static int socket_bind(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path); // of a signer that is gone; a second one on the same folder would hold no other tree
    // Whoever may reach the folder may knock; who is let in is decided by who they are.
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0666) != 0 || listen(listener, 4) != 0) {
        if (listener >= 0)
            close(listener);
        return -1;
    }
    return listener;
}

static bool is_let_in(int descriptor, uid_t user) {
    struct ucred peer;
    socklen_t size = sizeof(peer);
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == user;
}

static int listen_for_ever(const char *folder, const char *path, uid_t user) {
    int listener = socket_bind(path);
    if (listener < 0) {
        fprintf(stderr, "godwit-signer: cannot listen on %s: %s\n", path, strerror(errno));
        return 1;
    }
    for (;;) {
        GW_CLEANUP(gw_closep) int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (descriptor < 0 && errno != EINTR && errno != ECONNABORTED)
            return 1;
        if (descriptor >= 0 && is_let_in(descriptor, user))
            gw_ignore(gw_signer_serve(descriptor, folder)); // whoever spoke out of turn was hung up on
    }
}

static bool user_find(const char *name, uid_t *ret_user) {
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL) {
        fprintf(stderr, "godwit-signer: there is no such user: %s\n", name);
        return false;
    }
    *ret_user = entry->pw_uid;
    return true;
}

static int command_listen(int argc, char **argv) {
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"socket", required_argument, NULL, 's'},
                                            {"user", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    const char *folder = NULL, *path = NULL;
    uid_t user = geteuid();
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return EXIT_USAGE;
        if (option == 'd')
            folder = optarg;
        else if (option == 's')
            path = optarg;
        else if (!user_find(optarg, &user))
            return EXIT_USAGE;
    }
    if (folder == NULL || path == NULL || optind != argc) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    gw_problem problem = {0};
    if (key_make(folder, &problem) != GW_OK) {
        fprintf(stderr, "godwit-signer: %s %s %s\n", problem.what, problem.why, problem.mend);
        return 1;
    }
    return listen_for_ever(folder, path, user);
}

// ---- back, after a restore

static bool tree_read(const char *text, const char *origin, gw_checkpoint *ret) {
    char *colon;
    unsigned long long size = strtoull(text, &colon, 10);
    if (text[0] < '0' || text[0] > '9' || *colon != ':' ||
        !gw_unhex(colon + 1, strlen(colon + 1), ret->root.bytes, GW_HASH_SIZE))
        return false;
    ret->size = size;
    snprintf(ret->origin, sizeof(ret->origin), "%s", origin);
    return true;
}

static int command_reset(int argc, char **argv) {
    static const struct option options[] = {{"dir", required_argument, NULL, 'd'},
                                            {"origin", required_argument, NULL, 'n'},
                                            {"over", required_argument, NULL, 'o'},
                                            {"back", required_argument, NULL, 'b'},
                                            {NULL, 0, NULL, 0}};
    const char *dir = NULL, *origin = NULL, *over_text = "", *back_text = "";
    gw_checkpoint over = {.size = 0}, back = {.size = 0};
    gw_signer *signer = NULL;
    gw_problem problem = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == '?')
            return EXIT_USAGE;
        *(option == 'd' ? &dir : option == 'n' ? &origin : option == 'o' ? &over_text : &back_text) = optarg;
    }
    if (dir == NULL || origin == NULL || !tree_read(over_text, origin, &over) || !tree_read(back_text, origin, &back)) {
        fputs(help, stderr);
        return EXIT_USAGE;
    }
    gw_status status = gw_signer_open(dir, origin, &signer, &problem);
    if (status == GW_OK)
        status = gw_signer_reset(signer, &over, &back, &problem);
    gw_signer_close(signer);
    if (status == GW_OK) {
        printf("The newest tree is %llu entries again.\n", (unsigned long long)back.size);
        return 0;
    }
    fprintf(stderr, "godwit-signer: %s %s\n  code  %s\n", problem.what, problem.why, problem.code);
    return 1;
}

int main(int argc, char **argv) {
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (strcmp(word, "--version") == 0) {
        printf("godwit-signer %s\n", GW_VERSION);
        return 0;
    }
    if (!harden() || gw_crypto_init() != GW_OK)
        return 1;
    if (strcmp(word, "serve") == 0 && argc == 3 && is_started_by_parent()) {
        if (close_range(GW_PROCESS_DESCRIPTOR + 1, ~0U, 0) != 0)
            return 1;
        gw_status status = gw_signer_serve(GW_PROCESS_DESCRIPTOR, argv[2]);
        _exit(status == GW_OK ? 0 : 1); // the daemon may be waiting for us to end
    }
    if (strcmp(word, "listen") == 0)
        return command_listen(argc - 1, argv + 1);
    if (strcmp(word, "reset") == 0)
        return command_reset(argc - 1, argv + 1);
    fputs(help, stderr);
    return EXIT_USAGE;
}
