// SPDX-License-Identifier: Apache-2.0
// tlog-policy files, read strictly: a quorum that was misread would be a quorum that nobody decided. Names refer only
// backwards, so groups are judged in the order in which they stand and no circle is possible.
#include "service/audit/tlog_policy.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include <string.h>

#define GROUPS_MAX 32u
#define NAMES_MAX (GW_TLOG_POLICY_WITNESSES_MAX + GROUPS_MAX)
#define WORDS_MAX (NAMES_MAX + 3) // of one line: "group", its name, how many, its members
#define LINE_MAX 8192u
#define NAME_SIZE sizeof(((gw_trusted_witness *)0)->name)
#define NAMES_TEXT_MAX 400u

// A witness or a group: they share one set of names.
typedef struct {
    char name[NAME_SIZE];
    bool is_group, is_member; // of some group: each name counts in one place only
    size_t witness;
    size_t needed, count;
    size_t members[NAMES_MAX]; // earlier nodes
} node;

struct gw_tlog_policy {
    gw_trusted_log logs[GW_TLOG_POLICY_LOGS_MAX];
    gw_trusted_witness witnesses[GW_TLOG_POLICY_WITNESSES_MAX];
    node nodes[NAMES_MAX];
    size_t log_count, witness_count, group_count, node_count;
    bool has_quorum, is_quorum_none;
    size_t quorum;
    gw_hash hash;
};

typedef struct {
    gw_tlog_policy *policy;
    unsigned line;
    char text[LINE_MAX]; // cut into words by NULs
    char *words[WORDS_MAX];
    size_t count;
    gw_problem *problem;
} reader;

static const char *const keywords[] = {"log", "witness", "group", "quorum"};
static const char mend_shape[] =
    "log VKEY [URL]; witness NAME VKEY [URL]; group NAME K|all|any MEMBER...; quorum NAME|none";

// What a name is when told to somebody: bytes that are not ASCII may be no text at all.
static void name_show(char *text, size_t size, const char *name) {
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++)
        text[i] = (uint8_t)name[i] < 0x80 ? name[i] : '?';
    text[i] = '\0';
}

static gw_status bad_line(const reader *read, const char *why, const char *word, const char *mend) {
    char shown[64];
    name_show(shown, sizeof(shown), word);
    gw_status status = gw_problem_set(read->problem, GW_INVALID, "bad_tlog_policy",
                                      "The file of trusted logs and witnesses cannot be used.", "", mend);
    gw_problem_why(read->problem, word[0] == '\0' ? "Line %u: %s%s" : "Line %u: %s (\"%s\")", read->line, why, shown);
    return status;
}

static node *node_find(gw_tlog_policy *policy, const char *name) {
    for (size_t i = 0; i < policy->node_count; i++)
        if (strcmp(policy->nodes[i].name, name) == 0)
            return &policy->nodes[i];
    return NULL;
}

static gw_status node_add(reader *read, const char *name, node **ret) {
    gw_tlog_policy *policy = read->policy;
    if (strcmp(name, "none") == 0)
        return bad_line(read, "\"none\" has a meaning of its own and names nothing else.", "", "Choose another name.");
    if (strlen(name) >= NAME_SIZE)
        return bad_line(read, "this name is longer than 127 bytes.", name, "Shorten it.");
    if (node_find(policy, name) != NULL)
        return bad_line(read, "this name stands for something already.", name,
                        "Witnesses and groups share one set of names: choose another.");
    *ret = &policy->nodes[policy->node_count++];
    memcpy((*ret)->name, name, strlen(name) + 1);
    return GW_OK;
}

static gw_status url_copy(const reader *read, size_t at, char url[GW_TLOG_POLICY_URL_MAX]) {
    if (read->count <= at)
        return GW_OK;
    if (strlen(read->words[at]) >= GW_TLOG_POLICY_URL_MAX)
        return bad_line(read, "this address is too long.", "", "An address has at most 511 bytes.");
    memcpy(url, read->words[at], strlen(read->words[at]) + 1);
    return GW_OK;
}

static gw_status key_read(const reader *read, const char *vkey, uint8_t type, gw_note_key *ret) {
    gw_problem problem = {0};
    if (gw_note_key_parse_as(vkey, type, ret, &problem) != GW_OK) {
        // Base64 of the type byte 06 begins with B: such a key has 1,312 bytes and is longer than any of ours.
        bool is_long = strlen(vkey) >= GW_VKEY_MAX;
        return bad_line(read, is_long ? "the verifier key is not an Ed25519 key." : problem.why, "",
                        is_long ? "Only Ed25519 keys are known here: name the witness's key of type 04."
                                : problem.mend);
    }
    if (!gw_public_key_is_valid(ret->key))
        return bad_line(read, "the verifier key holds no valid Ed25519 point.", "",
                        "Ask its operator for the key again.");
    return GW_OK;
}

static gw_status count_check(const reader *read, size_t min, size_t max) {
    if (read->count >= min && read->count <= max)
        return GW_OK;
    return bad_line(read, "too few or too many words.", read->words[0], mend_shape);
}

static gw_status read_log(reader *read) {
    gw_tlog_policy *policy = read->policy;
    gw_status status = count_check(read, 2, 3);
    if (status != GW_OK)
        return status;
    if (policy->log_count == GW_TLOG_POLICY_LOGS_MAX)
        return bad_line(read, "more than 32 logs.", "", "Split the file.");
    gw_trusted_log *log = &policy->logs[policy->log_count];
    status = key_read(read, read->words[1], GW_NOTE_KEY_LOG, &log->key);
    for (size_t i = 0; status == GW_OK && i < policy->log_count; i++)
        if (memcmp(policy->logs[i].key.key.bytes, log->key.key.bytes, GW_PUBLIC_KEY_SIZE) == 0)
            status = bad_line(read, "this log's key stands in the file already.", "", "Take one of the lines out.");
    if (status == GW_OK)
        status = url_copy(read, 2, log->url);
    policy->log_count += status == GW_OK;
    return status;
}

static gw_status read_witness(reader *read) {
    gw_tlog_policy *policy = read->policy;
    gw_status status = count_check(read, 3, 4);
    if (status != GW_OK)
        return status;
    if (policy->witness_count == GW_TLOG_POLICY_WITNESSES_MAX)
        return bad_line(read, "more than 32 witnesses.", "", "Trust fewer of them.");
    gw_trusted_witness *witness = &policy->witnesses[policy->witness_count];
    status = key_read(read, read->words[2], GW_NOTE_KEY_COSIGNER, &witness->key);
    for (size_t i = 0; status == GW_OK && i < policy->witness_count; i++)
        if (memcmp(policy->witnesses[i].key.key.bytes, witness->key.key.bytes, GW_PUBLIC_KEY_SIZE) == 0)
            status = bad_line(read, "this witness's key stands in the file already: one witness would count twice.", "",
                              "Take one of the lines out.");
    if (status == GW_OK)
        status = url_copy(read, 3, witness->url);
    node *made = NULL;
    if (status == GW_OK)
        status = node_add(read, read->words[1], &made);
    if (status != GW_OK)
        return status;
    memcpy(witness->name, made->name, sizeof(witness->name));
    made->witness = policy->witness_count++;
    return GW_OK;
}

static gw_status needed_read(const reader *read, const char *word, size_t count, size_t *ret) {
    size_t needed = 0;
    if (strcmp(word, "all") == 0)
        needed = count;
    else if (strcmp(word, "any") == 0)
        needed = 1;
    else if (word[0] != '0' && strlen(word) <= 2)
        for (const char *digit = word; *digit != '\0'; digit++) {
            if (*digit < '0' || *digit > '9') {
                needed = 0;
                break;
            }
            needed = needed * 10 + (size_t)(*digit - '0');
        }
    if (needed < 1 || needed > count)
        return bad_line(read,
                        "how many of the members are needed is all, any, or a number from 1 to how many there are.",
                        word, mend_shape);
    *ret = needed;
    return GW_OK;
}

static gw_status read_members(reader *read, node *group) {
    for (size_t i = 3; i < read->count; i++) {
        node *member = node_find(read->policy, read->words[i]);
        if (member == NULL || member == group)
            return bad_line(read, "no line above defines this member.", read->words[i],
                            "Define witnesses and groups before the groups that hold them.");
        if (member->is_member)
            return bad_line(read, "this name is a member of a group already.", read->words[i],
                            "Each witness counts in one place only.");
        member->is_member = true;
        group->members[group->count++] = (size_t)(member - read->policy->nodes);
    }
    return GW_OK;
}

static gw_status read_group(reader *read) {
    gw_tlog_policy *policy = read->policy;
    gw_status status = count_check(read, 4, WORDS_MAX);
    if (status != GW_OK)
        return status;
    if (policy->group_count == GROUPS_MAX)
        return bad_line(read, "more than 32 groups.", "", "Use fewer groups.");
    size_t needed = 0;
    status = needed_read(read, read->words[2], read->count - 3, &needed);
    node *group = NULL;
    if (status == GW_OK)
        status = node_add(read, read->words[1], &group);
    if (status != GW_OK)
        return status;
    group->is_group = true;
    group->needed = needed;
    policy->group_count++;
    return read_members(read, group);
}

static gw_status read_quorum(reader *read) {
    gw_tlog_policy *policy = read->policy;
    gw_status status = count_check(read, 2, 2);
    if (status != GW_OK)
        return status;
    if (policy->has_quorum)
        return bad_line(read, "a second quorum line.", "", "Keep one.");
    const char *name = read->words[1];
    GW_ASSERT(name != NULL); // counted
    policy->has_quorum = true;
    policy->is_quorum_none = strcmp(name, "none") == 0;
    const node *found = node_find(policy, name);
    if (found == NULL && !policy->is_quorum_none)
        return bad_line(read, "no line above defines this name.", name,
                        "The quorum is a witness or a group defined above it, or none.");
    policy->quorum = found == NULL ? 0 : (size_t)(found - policy->nodes);
    return GW_OK;
}

static gw_status line_split(reader *read, gw_bytes line) {
    for (size_t i = 0; i < line.size; i++)
        if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            return bad_line(read, "a control character.", "",
                            "Lines end in a newline alone, words are parted by spaces and tabs.");
    if (line.size >= LINE_MAX)
        return bad_line(read, "the line is too long.", "", "A line has at most 8191 bytes.");
    memcpy(read->text, line.data, line.size);
    read->text[line.size] = '\0';
    read->count = 0;
    for (char *at = read->text + strspn(read->text, " \t"); *at != '\0' && (read->count > 0 || *at != '#');) {
        if (read->count == WORDS_MAX)
            return bad_line(read, "too many words.", read->words[0], mend_shape);
        read->words[read->count++] = at;
        at += strcspn(at, " \t");
        if (*at == '\0')
            break;
        *at++ = '\0';
        at += strspn(at, " \t");
    }
    return GW_OK;
}

static gw_status read_line(reader *read, gw_bytes line) {
    static gw_status (*const calls[])(reader *) = {read_log, read_witness, read_group, read_quorum};
    gw_status status = line_split(read, line);
    if (status != GW_OK || read->count == 0)
        return status;
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strcmp(read->words[0], keywords[i]) == 0)
            return calls[i](read);
    return bad_line(read, "it begins with none of log, witness, group, quorum.", read->words[0], mend_shape);
}

static gw_status policy_read(reader *read, gw_bytes rest) {
    while (rest.size > 0) {
        const uint8_t *newline = memchr(rest.data, '\n', rest.size);
        size_t size = newline == NULL ? rest.size : (size_t)(newline - rest.data);
        read->line++;
        gw_status status = read_line(read, (gw_bytes){.data = rest.data, .size = size});
        if (status != GW_OK)
            return status;
        size += newline != NULL;
        rest = (gw_bytes){.data = rest.data + size, .size = rest.size - size};
    }
    if (read->policy->has_quorum)
        return GW_OK;
    read->line++;
    return bad_line(read, "the file ends without a quorum line.", "",
                    "quorum NAME of a witness or group; quorum none where no witness is asked");
}

gw_status gw_tlog_policy_parse(gw_bytes text, gw_tlog_policy **ret, gw_problem *ret_problem) {
    if (text.size > GW_TLOG_POLICY_FILE_MAX)
        return gw_problem_set(ret_problem, GW_INVALID, "bad_tlog_policy",
                              "The file of trusted logs and witnesses cannot be used.", "It is larger than 64 KiB.",
                              "");
    gw_tlog_policy *policy = calloc(1, sizeof(*policy));
    reader *read = calloc(1, sizeof(*read));
    gw_status status = GW_NO_MEMORY;
    if (policy != NULL && read != NULL) {
        *read = (reader){.policy = policy, .problem = ret_problem};
        status = policy_read(read, text);
    } else {
        gw_problem_fill(ret_problem, status, "no_memory", "There is no memory.", "", "");
    }
    free(read);
    if (status != GW_OK) {
        free(policy);
        return status;
    }
    policy->hash = gw_sha256(text);
    *ret = policy;
    return GW_OK;
}

gw_status gw_tlog_policy_read(const char *path, gw_tlog_policy **ret, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, GW_TLOG_POLICY_FILE_MAX);
    gw_status status = gw_file_read(path, &text, ret_problem);
    return status == GW_OK ? gw_tlog_policy_parse(gw_buffer_bytes(&text), ret, ret_problem) : status;
}

void gw_tlog_policy_free(gw_tlog_policy *policy) {
    free(policy);
}

size_t gw_tlog_policy_log_count(const gw_tlog_policy *policy) {
    return policy->log_count;
}

const gw_trusted_log *gw_tlog_policy_log(const gw_tlog_policy *policy, size_t index) {
    GW_ASSERT(index < policy->log_count);
    return &policy->logs[index];
}

size_t gw_tlog_policy_witness_count(const gw_tlog_policy *policy) {
    return policy->witness_count;
}

const gw_trusted_witness *gw_tlog_policy_witness(const gw_tlog_policy *policy, size_t index) {
    GW_ASSERT(index < policy->witness_count);
    return &policy->witnesses[index];
}

gw_hash gw_tlog_policy_hash(const gw_tlog_policy *policy) {
    return policy->hash;
}

const char *gw_tlog_policy_quorum(const gw_tlog_policy *policy) {
    return policy->is_quorum_none ? "none" : policy->nodes[policy->quorum].name;
}

bool gw_tlog_policy_is_quorate(const gw_tlog_policy *policy, const bool has_witnessed[GW_TLOG_POLICY_WITNESSES_MAX]) {
    if (policy->is_quorum_none)
        return true;
    bool holds[NAMES_MAX];
    for (size_t i = 0; i < policy->node_count; i++) {
        const node *one = &policy->nodes[i];
        size_t count = 0;
        for (size_t k = 0; k < one->count; k++)
            count += holds[one->members[k]];
        holds[i] = one->is_group ? count >= one->needed : has_witnessed[one->witness];
    }
    return holds[policy->quorum];
}

// ---- a checkpoint held against a policy

static gw_status check_log(const gw_tlog_policy *policy, gw_bytes note, const gw_note_key *log_key,
                           gw_tlog_verdict *verdict, gw_problem *ret_problem) {
    verdict->log = SIZE_MAX;
    if (policy->log_count == 0 && log_key == NULL)
        return gw_problem_set(ret_problem, GW_INVALID, "no_log", "Nothing says which log is trusted.",
                              "The policy names no log, and no key was given.", "Add a line: log VKEY");
    if (policy->log_count == 0)
        return gw_checkpoint_open(note, log_key, &verdict->checkpoint, ret_problem);
    gw_status status = gw_checkpoint_peek(note, &verdict->checkpoint, ret_problem);
    gw_note_parts parts;
    if (status == GW_OK)
        status = gw_note_split(note, &parts, ret_problem);
    if (status != GW_OK)
        return status;
    // A log whose key was changed stands in the file twice; whichever of its keys signed must hold.
    bool is_known = false;
    for (size_t i = 0; i < policy->log_count; i++) {
        const gw_note_key *key = &policy->logs[i].key;
        if (strcmp(key->name, verdict->checkpoint.origin) != 0)
            continue;
        is_known = true;
        gw_note_signature line;
        gw_bytes rest = parts.signatures;
        bool has_line = false;
        while (!has_line && gw_note_next(&rest, &line) == GW_OK)
            has_line = gw_note_is_of(&line, key);
        if (!has_line)
            continue;
        status = gw_checkpoint_open(note, key, &verdict->checkpoint, ret_problem);
        if (status != GW_OK)
            return status;
        verdict->log = i;
    }
    if (verdict->log != SIZE_MAX)
        return GW_OK;
    return gw_problem_set(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.",
                          is_known ? "It carries no signature of a key that the policy names for its log."
                                   : "It is of a log that the policy does not name.",
                          "Compare the policy's log lines with the vkey that the log's operator publishes.");
}

static gw_status no_quorum(const gw_tlog_policy *policy, const gw_tlog_verdict *verdict, gw_problem *ret_problem) {
    char missing[NAMES_TEXT_MAX] = "";
    size_t size = 0;
    for (size_t i = 0; i < policy->witness_count && size + NAME_SIZE + 3 < sizeof(missing); i++) {
        if (verdict->witnesses[i] == GW_COSIGNATURE_GOOD)
            continue;
        if (size > 0) {
            memcpy(missing + size, ", ", 2);
            size += 2;
        }
        name_show(missing + size, NAME_SIZE, policy->witnesses[i].name);
        size += strlen(missing + size);
    }
    gw_status status =
        gw_problem_set(ret_problem, GW_UNAVAILABLE, "no_quorum", "Too few witnesses have cosigned this checkpoint.", "",
                       "Ask for a newer checkpoint, or look at the policy's quorum.");
    char quorum[64];
    name_show(quorum, sizeof(quorum), gw_tlog_policy_quorum(policy));
    gw_problem_why(ret_problem, "The quorum \"%s\" is not reached; no cosignature of: %s.", quorum, missing);
    return status;
}

gw_status gw_tlog_policy_check(const gw_tlog_policy *policy, gw_bytes note, const gw_note_key *log_key,
                               gw_tlog_verdict *ret_verdict, gw_problem *ret_problem) {
    gw_tlog_verdict verdict = {0};
    gw_note_parts parts;
    gw_status status = check_log(policy, note, log_key, &verdict, ret_problem);
    if (status == GW_OK)
        status = gw_note_split(note, &parts, ret_problem);
    if (status != GW_OK)
        return status;
    bool has_witnessed[GW_TLOG_POLICY_WITNESSES_MAX] = {false};
    for (size_t i = 0; i < policy->witness_count; i++) {
        verdict.witnesses[i] = gw_cosignature_find(&parts, &policy->witnesses[i].key, &verdict.times[i]);
        has_witnessed[i] = verdict.witnesses[i] == GW_COSIGNATURE_GOOD;
        if (verdict.witnesses[i] != GW_COSIGNATURE_BAD)
            continue;
        char name[NAME_SIZE];
        name_show(name, sizeof(name), policy->witnesses[i].name);
        gw_problem_fill(ret_problem, GW_CORRUPT, "bad_checkpoint", "The checkpoint does not hold.", "", "");
        gw_problem_why(ret_problem, "The cosignature of the witness \"%s\" does not fit its text.", name);
        return GW_CORRUPT;
    }
    verdict.is_quorate = gw_tlog_policy_is_quorate(policy, has_witnessed);
    *ret_verdict = verdict;
    return verdict.is_quorate ? GW_OK : no_quorum(policy, &verdict, ret_problem);
}
