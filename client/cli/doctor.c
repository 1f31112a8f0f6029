// SPDX-License-Identifier: Apache-2.0
// What is wrong here, and how to mend it: one line a check, from this machine outward to the service and back. Nothing
// is changed. With --dir the service itself is looked over, which godwitd does.
#include "client/cli/ask.h"
#include "client/cli/commands.h"
#include "client/cli/doc.h"
#include "client/cli/program.h"
#include "client/cli/settings.h"
#include "client/lib/seen.h"
#include "service/audit/note.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/clock.h"
#include "service/base/file.h"
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SKEW_SECONDS_WARN 30
#define SKEW_SECONDS_FAIL 300 // what a service accepts of a change's time
#define SEEN_BYTES_MAX 65536u
#define SEEN_SUFFIX ".seen"
#define CONFLICT_SUFFIX ".rolled_back"

GW_DEFINE_FREEP(gw_json, gw_json_free)
GW_DEFINE_FREEP(gw_secret_key, gw_secret_key_free)

typedef struct {
    const char *dir;
} doctor_options;
static const gw_option options_of_doctor[] = {
    {"dir", 0, GW_OPTION_TEXT, offsetof(doctor_options, dir), "DIR", "look over the service with this state folder"},
};

typedef struct {
    gw_cli *cli;
    gw_profile profile;
    bool has_profile;
    gw_session session;
    gw_json *ping;
    unsigned found, unknown; // FAIL lines; checks that could not be made
} doctor;

static void doctor_done(doctor *d) {
    gw_json_free(d->ping);
    gw_session_close(&d->session);
}

static void ok(doctor *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(doctor *d, const char *word, const char *mend, const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        return;
    size_t size = strlen(text);
    bool is_sentence = size > 0 && text[size - 1] == '.';
    gw_say_verdict(d->cli, word, "%s%s%s", text, mend[0] == '\0' ? "" : is_sentence ? " Mend: " : ". Mend: ", mend);
    free(text);
}
static void ok(doctor *d, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(d, "OK", "", format, arguments);
    va_end(arguments);
}
static void warn(doctor *d, const char *mend, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void warn(doctor *d, const char *mend, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(d, "WARN", mend, format, arguments);
    va_end(arguments);
}
static void bad(doctor *d, const char *mend, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void bad(doctor *d, const char *mend, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(d, "FAIL", mend, format, arguments);
    va_end(arguments);
    d->found++;
}
static void bad_problem(doctor *d, const char *what, const gw_problem *problem) {
    bool is_missing = problem->status == GW_UNAVAILABLE || strcmp(problem->code, "profile_missing") == 0;
    bad(d, problem->mend, "%s: %s %s", what, problem->what, problem->why);
    if (is_missing) { // what would be looked at is not there
        d->found--;
        d->unknown++;
    }
}

// ---- this machine

static void settings_check(doctor *d) {
    unsigned count = 0;
    bool is_good = true;
    for (size_t i = 0; i < GW_SETTINGS_FILES; i++) {
        const gw_settings_file *file = gw_settings_file_at(d->cli->settings, i);
        count += file->state == GW_SETTINGS_READ;
        is_good = is_good && file->state != GW_SETTINGS_WRONG;
        if (file->state == GW_SETTINGS_WRONG)
            bad_problem(d, "settings", &file->problem);
        if (file->state == GW_SETTINGS_FOREIGN)
            warn(d, "godwit config check", "settings: %s is somebody else's and is not read", file->path);
    }
    if (is_good && count == 0)
        ok(d, "settings: no file; defaults hold");
    else if (is_good)
        ok(d, "settings: %u %s read", count, count == 1 ? "file" : "files");
}

static void terminal_check(doctor *d) {
    const char *codes = nl_langinfo(CODESET);
    if (strcmp(codes, "UTF-8") == 0)
        ok(d, "terminal: UTF-8, %u columns", d->cli->width);
    else
        warn(d, "export LC_ALL=C.UTF-8", "terminal: the locale's letters are %s, names may show as \"?\"", codes);
}

static void share_check(doctor *d) {
    char path[4096];
    if (gw_program_share(NULL, path))
        ok(d, "code lists and indicators: %s", path);
    else if (getenv("GODWIT_SHARE") != NULL)
        bad(d, "export GODWIT_SHARE=…/policies", "code lists and indicators: $GODWIT_SHARE is no folder");
    else
        ok(d, "code lists and indicators: none here; only init, demo and policy check need them");
}

// ---- profile and key

// The reader of keys refuses one that others may open.
static bool key_check(doctor *d) {
    GW_CLEANUP(gw_secret_key_freep) gw_secret_key *key = NULL;
    gw_problem problem;
    char id[GW_KEY_ID_HEX];
    if (d->profile.principal[0] == '\0') {
        ok(d, "key: none, a visitor's profile; it may look, and ask for nothing");
        return true;
    }
    if (gw_profiles_key(&d->profile, &key, &problem) != GW_OK) {
        bad_problem(d, "key", &problem);
        return false;
    }
    gw_key_id(gw_key_public(key), id);
    ok(d, "key: %s, in %s; only you can read it", id, d->profile.key_path);
    return true;
}

static void profile_check(doctor *d) {
    gw_problem problem;
    gw_note_key log_key;
    if (gw_profiles_load(d->cli, &d->profile, &problem) != GW_OK) {
        bad_problem(d, "profile", &problem);
        return;
    }
    ok(d, "profile: %s", d->profile.path);
    d->has_profile = key_check(d);
    if (gw_note_key_parse(d->profile.log_key, &log_key, &problem) == GW_OK)
        return;
    bad_problem(d, "log key", &problem);
    d->has_profile = false;
}

// ---- the service

static bool service_reach(doctor *d) {
    gw_client_reply reply;
    gw_problem problem;
    d->session.profile = d->profile;
    gw_status status = gw_client_open(&d->profile, &d->session.client, &problem);
    if (status == GW_OK)
        status = gw_ask_document(d->cli, &d->session, gw_bytes_of("{\"v\":1,\"kind\":\"ping\"}"), &reply, &d->ping,
                                 &problem);
    if (status == GW_OK) {
        ok(d, "service: %s answers at %s, and its signature verifies", d->profile.origin, d->profile.url);
        return true;
    }
    if (problem.status == GW_UNAUTHENTICATED)
        bad(d, "the operator enters it: godwit principal add FILE.pub --roles researcher",
            "you: the service at %s does not accept this principal with this key", d->profile.url);
    else
        bad_problem(d, "service", &problem);
    return false;
}

static void clock_check(doctor *d) {
    gw_clock clock = gw_clock_system();
    long long skew = (long long)(clock.unix_seconds(clock.state) - gw_doc_integer(gw_json_root(d->ping), "time", 0));
    long long size = skew < 0 ? -skew : skew;
    const char *way = skew < 0 ? "behind" : "ahead of";
    if (size >= SKEW_SECONDS_FAIL)
        bad(d, "set this machine's clock, or tell the operator", "clock: %lld s %s the service's; changes are refused",
            size, way);
    else if (size >= SKEW_SECONDS_WARN)
        warn(d, "set this machine's clock", "clock: %lld s %s the service's", size, way);
    else
        ok(d, "clock: agrees with the service's");
}

static void version_check(doctor *d) {
    const char *theirs = gw_doc_text(gw_json_root(d->ping), "version", "?");
    if (strcmp(theirs, GW_VERSION) == 0)
        ok(d, "version: %s, as the service", theirs);
    else
        warn(d, "install the service's version where something is missing", "version: here %s, the service %s",
             GW_VERSION, theirs);
}

static void principal_check(doctor *d) {
    const gw_json_node *ping = gw_json_root(d->ping);
    const char *roles = gw_doc_text(ping, "roles", "");
    char mend[400];
    if (d->profile.principal[0] == '\0')
        return;
    gw_ignore(snprintf(mend, sizeof(mend), "the operator enters it: godwit principal add FILE.pub --roles researcher"));
    if (gw_doc_text(ping, "principal", NULL) == NULL)
        bad(d, mend, "you: the service does not know principal %.8s… with this key", d->profile.principal);
    else if (roles[0] == '\0' || strcmp(roles, "none") == 0)
        bad(d, "the operator grants one: godwit principal grant ID --roles researcher", "you: known, without any role");
    else
        ok(d, "you: known as %s", roles);
}

// ---- the log: is it the one that was there before?

static gw_status seen_open(const doctor *d, gw_checkpoint *ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer note;
    gw_note_key key;
    char path[4200];
    gw_buffer_init(&note, SEEN_BYTES_MAX);
    gw_ignore(snprintf(path, sizeof(path), "%s" SEEN_SUFFIX, d->profile.path)); // it fits
    gw_status status = gw_file_read(path, &note, ret_problem);
    if (status == GW_OK)
        status = gw_seen_key_of(&d->profile, gw_buffer_bytes(&note), &key, ret_problem);
    return status == GW_OK ? gw_checkpoint_open(gw_buffer_bytes(&note), &key, ret, ret_problem) : status;
}

static void log_check(doctor *d) {
    gw_checkpoint seen;
    gw_problem problem;
    char path[4200];
    gw_ignore(snprintf(path, sizeof(path), "%s" CONFLICT_SUFFIX, d->profile.path)); // it fits
    if (access(path, F_OK) == 0) {
        bad(d, "send it and the .seen file beside it to the auditor",
            "log: a checkpoint that goes back was kept in %s: the service's log was set back", path);
        return;
    }
    gw_status status = seen_open(d, &seen, &problem);
    if (status == GW_NOT_FOUND) {
        ok(d, "log: nothing seen of it yet; the first answer brings a checkpoint");
        return;
    }
    if (status != GW_OK) {
        bad_problem(d, "log", &problem);
        return;
    }
    if (d->ping == NULL) {
        ok(d, "log: %llu entries were signed when last seen", (unsigned long long)seen.size);
        return;
    }
    long long size = (long long)gw_doc_integer(gw_json_root(d->ping), "log_size", 0);
    if (size < (long long)seen.size)
        bad(d, "tell the auditor, and keep the .seen file beside the profile",
            "log: %llu entries were signed before, and the service now has %lld: it was set back",
            (unsigned long long)seen.size, size);
    else
        ok(d, "log: %lld entries, %lld more than when last seen; key as in the profile", size,
           size - (long long)seen.size);
}

// ---- all of it

static gw_exit_code service_look(gw_cli *cli, const char *dir) {
    char *argv[] = {(char *)"godwitd", (char *)"doctor", (char *)"--dir", (char *)dir, NULL}; // execvp changes none
    return gw_program_become(cli, "godwitd", argv);
}

static gw_exit_code run(gw_cli *cli, const void *state, const gw_words *words) {
    (void)words;
    const doctor_options *options = state;
    GW_CLEANUP(doctor_done) doctor d = {.cli = cli};
    if (options->dir != NULL)
        return service_look(cli, options->dir);
    settings_check(&d);
    terminal_check(&d);
    share_check(&d);
    profile_check(&d);
    if (d.has_profile && service_reach(&d)) {
        clock_check(&d);
        version_check(&d);
        principal_check(&d);
    }
    if (d.has_profile)
        log_check(&d);
    else
        gw_say_verdict(cli, "WARN", "service, clock, log: not checked, because there is no profile that can be used");
    return d.found > 0 ? GW_EXIT_FOUND : d.unknown > 0 ? GW_EXIT_CANNOT_CHECK : GW_EXIT_DONE;
}

const gw_command gw_command_doctor = {
    .name = "doctor",
    .group = "Start",
    .arguments = "[--dir DIR]",
    .summary = "look for what is wrong: settings, profile, key, service, clock, log; each with how to mend it",
    .examples = "godwit doctor\ngodwit doctor --as anna\ngodwit doctor --dir state   (of a service, on its machine)\n",
    GW_OPTIONS(options_of_doctor),
    .options_size = sizeof(doctor_options),
    .reads_settings = true,
    .run = run,
};
