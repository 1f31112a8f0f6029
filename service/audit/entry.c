// SPDX-License-Identifier: Apache-2.0
// The grammar of the log as a table: one row per line of each kind, read by the encoder and by the decoder, so that the
// two cannot drift apart. The decoder takes exactly what the encoder writes, without encoding again: the order of lines
// is fixed, each value's text is the only one of that value, and a line that may be missing is there just when the
// values say so. Tests hold both directions against each other on mutated entries.
#include "service/audit/entry.h"
#include "service/base/check.h"
#include <stddef.h>
#include <string.h>

#define HEAD "godwit/v1 "
#define U64_TEXT 21 // digits of 2^64 - 1, and NUL

typedef enum {
    VALUE_NAME,       // char[]: ASCII letters, digits and . _ - / :
    VALUE_LINE,       // char[]: printable ASCII, words parted by one space
    VALUE_WORD,       // char[]: one of `choices`
    VALUE_ID,         // char[33]: 32 hex
    VALUE_HEX,        // char[65]: 64 hex
    VALUE_HASH,       // gw_hash
    VALUE_U64,        // uint64_t
    VALUE_SEQ,        // uint64_t, GW_NO_SEQ as "none"
    VALUE_TIME,       // int64_t, not negative
    VALUE_ROLES,      // unsigned
    VALUE_COUNTS,     // char[]: "code=n …", codes rising, no n of 0
    VALUE_ACCOUNTING, // uint64_t delta: "pure" where it is 0, else "zcdp"
} value_type;

typedef struct {
    const char *name;
    size_t name_size;
    value_type type;
    size_t offset;
    size_t size; // of the field: bounds texts
    const char *choices;
    bool is_optional; // stands only where the uint64_t at `when` is not 0
    size_t when;
} line_rule;

#define LINE(name, type, member)                                                                                       \
    name, sizeof(name) - 1, type, offsetof(gw_entry, member), sizeof(((gw_entry *)0)->member)
#define FIELD(name, type, member)                                                                                      \
    { LINE(name, type, member), NULL, false, 0 }
#define FIELD_WHEN(name, type, member, other)                                                                          \
    { LINE(name, type, member), NULL, true, offsetof(gw_entry, other) }
#define CHOICE(name, member, choices)                                                                                  \
    { LINE(name, VALUE_WORD, member), choices, false, 0 }

static const line_rule genesis_lines[] = {
    FIELD("origin", VALUE_NAME, genesis.origin),
    FIELD("log-key", VALUE_LINE, genesis.log_key),
    FIELD("witnesses", VALUE_HASH, genesis.witnesses),
};
static const line_rule principal_lines[] = {
    FIELD("principal", VALUE_ID, principal.principal),
    CHOICE("action", principal.action, "add grant revoke"),
    FIELD("roles", VALUE_ROLES, principal.roles),
};
static const line_rule key_lines[] = {
    FIELD("principal", VALUE_ID, key.principal),     CHOICE("action", key.action, "add revoke"),
    CHOICE("kind", key.key_kind, "sign token tls"),  FIELD("key", VALUE_HEX, key.key),
    FIELD("not-before", VALUE_TIME, key.not_before), FIELD("not-after", VALUE_TIME, key.not_after),
};
static const line_rule population_lines[] = {
    FIELD("population", VALUE_NAME, population.population),
    FIELD("total", VALUE_U64, population.total),
    FIELD("window-days", VALUE_U64, population.window_days),
    FIELD("window-total", VALUE_U64, population.window_total),
    FIELD_WHEN("accounting", VALUE_ACCOUNTING, population.delta, population.delta),
    FIELD_WHEN("delta", VALUE_U64, population.delta, population.delta),
    FIELD_WHEN("selection-delta", VALUE_U64, population.selection_delta, population.selection_delta),
};
static const line_rule policy_lines[] = {
    FIELD("dataset", VALUE_NAME, policy.dataset),
    FIELD("population", VALUE_NAME, policy.population),
    FIELD("version", VALUE_U64, policy.version),
    FIELD("file", VALUE_HASH, policy.file),
    FIELD("accounting", VALUE_ACCOUNTING, policy.delta),
    FIELD("total", VALUE_U64, policy.total),
    FIELD("principal-total", VALUE_U64, policy.principal_total),
    FIELD("window-days", VALUE_U64, policy.window_days),
    FIELD("window-total", VALUE_U64, policy.window_total),
    FIELD("question-min", VALUE_U64, policy.question_min),
    FIELD("question-max", VALUE_U64, policy.question_max),
    FIELD("delta", VALUE_U64, policy.delta),
    FIELD_WHEN("selection-delta", VALUE_U64, policy.selection_delta, policy.selection_delta),
    FIELD("supersedes", VALUE_SEQ, policy.supersedes),
};
static const line_rule data_lines[] = {
    FIELD("dataset", VALUE_NAME, data.dataset),
    FIELD("version", VALUE_ID, data.version),
    FIELD("seal", VALUE_HASH, data.seal),
};
static const line_rule charge_lines[] = {
    FIELD("dataset", VALUE_NAME, charge.dataset),
    FIELD("population", VALUE_NAME, charge.population),
    FIELD("policy", VALUE_U64, charge.policy),
    FIELD("data", VALUE_ID, charge.data),
    FIELD("principal", VALUE_ID, charge.principal),
    FIELD("idem", VALUE_ID, charge.idem),
    FIELD("request", VALUE_HASH, charge.request),
    FIELD("question", VALUE_HASH, charge.question),
    FIELD("window", VALUE_U64, charge.window),
    FIELD("cost", VALUE_U64, charge.cost),
    FIELD("delta", VALUE_U64, charge.delta),
    FIELD("spent-dataset", VALUE_U64, charge.spent_dataset),
    FIELD("spent-population", VALUE_U64, charge.spent_population),
    FIELD("spent-principal", VALUE_U64, charge.spent_principal),
    FIELD("spent-window", VALUE_U64, charge.spent_window),
    FIELD_WHEN("rho", VALUE_U64, charge.rho, charge.rho),
    FIELD_WHEN("spent-rho-dataset", VALUE_U64, charge.spent_rho_dataset, charge.rho),
    FIELD_WHEN("spent-rho-population", VALUE_U64, charge.spent_rho_population, charge.rho),
    FIELD_WHEN("spent-delta-dataset", VALUE_U64, charge.spent_delta_dataset, charge.delta),
    FIELD_WHEN("spent-delta-population", VALUE_U64, charge.spent_delta_population, charge.delta),
};
static const line_rule release_lines[] = {
    FIELD("charge", VALUE_U64, release.charge),
    FIELD("release", VALUE_NAME, release.release),
    FIELD("answer", VALUE_HASH, release.answer),
    FIELD("visible", VALUE_TIME, release.visible),
};
static const line_rule abandon_lines[] = {
    FIELD("charge", VALUE_U64, abandon.charge),
    FIELD("why", VALUE_NAME, abandon.why),
};
static const line_rule refusals_lines[] = {
    FIELD("principal", VALUE_ID, refusals.principal),
    FIELD("from", VALUE_TIME, refusals.from),
    FIELD("to", VALUE_TIME, refusals.to),
    FIELD("counts", VALUE_COUNTS, refusals.counts),
};
static const line_rule incident_lines[] = {
    FIELD("code", VALUE_NAME, incident.code),
};
static const line_rule embargo_lines[] = {
    FIELD("release", VALUE_NAME, embargo.release),
    FIELD("until", VALUE_TIME, embargo.until),
};
static const line_rule withdraw_lines[] = {
    FIELD("release", VALUE_NAME, withdraw.release),
};
static const line_rule witnesses_lines[] = {
    FIELD("file", VALUE_HASH, witnesses.file),
};
static const line_rule keyrot_lines[] = {
    FIELD("old", VALUE_LINE, keyrot.old_key),
    FIELD("new", VALUE_LINE, keyrot.new_key),
};
static const line_rule restore_lines[] = {
    FIELD("from", VALUE_U64, restore.from),
    FIELD("lost", VALUE_U64, restore.lost),
};
static const line_rule clock_lines[] = {
    FIELD("sure", VALUE_TIME, clock.sure),
};

typedef struct {
    const char *name;
    size_t name_size;
    const line_rule *lines;
    size_t line_count;
    bool has_signers; // `by` lines at the end, one or more
} kind_rule;

#define KIND(name, lines, has_signers)                                                                                 \
    { name, sizeof(name) - 1, lines, sizeof(lines) / sizeof((lines)[0]), has_signers }
static const kind_rule kinds[] = {
    [GW_ENTRY_GENESIS] = KIND("genesis", genesis_lines, false),
    [GW_ENTRY_PRINCIPAL] = KIND("principal", principal_lines, true),
    [GW_ENTRY_KEY] = KIND("key", key_lines, true),
    [GW_ENTRY_POPULATION] = KIND("population", population_lines, true),
    [GW_ENTRY_POLICY] = KIND("policy", policy_lines, true),
    [GW_ENTRY_DATA] = KIND("data", data_lines, true),
    [GW_ENTRY_CHARGE] = KIND("charge", charge_lines, false),
    [GW_ENTRY_RELEASE] = KIND("release", release_lines, false),
    [GW_ENTRY_ABANDON] = KIND("abandon", abandon_lines, false),
    [GW_ENTRY_REFUSALS] = KIND("refusals", refusals_lines, false),
    [GW_ENTRY_INCIDENT] = KIND("incident", incident_lines, false),
    [GW_ENTRY_EMBARGO] = KIND("embargo", embargo_lines, true),
    [GW_ENTRY_WITHDRAW] = KIND("withdraw", withdraw_lines, true),
    [GW_ENTRY_WITNESSES] = KIND("witnesses", witnesses_lines, true),
    [GW_ENTRY_KEYROT] = KIND("keyrot", keyrot_lines, true),
    [GW_ENTRY_RESTORE] = KIND("restore", restore_lines, true),
    [GW_ENTRY_CLOCK] = KIND("clock", clock_lines, true),
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const char *const role_names[] = {"researcher", "owner", "auditor", "operator", "gateway"};
#define ROLE_COUNT (sizeof(role_names) / sizeof(role_names[0]))
_Static_assert(GW_ROLE_GATEWAY == 1 << (ROLE_COUNT - 1), "bit i of the roles is role_names[i]");

const char *gw_entry_kind_name(gw_entry_kind kind) {
    return (size_t)kind < KIND_COUNT ? kinds[kind].name : "unknown";
}

bool gw_entry_has_signers(gw_entry_kind kind) {
    return (size_t)kind < KIND_COUNT && kinds[kind].has_signers;
}

unsigned gw_roles_parse(const char *list) {
    unsigned roles = 0;
    for (;;) {
        size_t size = strcspn(list, ",");
        unsigned role = 0;
        for (unsigned i = 0; i < ROLE_COUNT; i++)
            if (strlen(role_names[i]) == size && memcmp(role_names[i], list, size) == 0)
                role = 1u << i;
        if (role == 0)
            return 0;
        roles |= role;
        if (list[size] == '\0')
            return roles;
        list += size + 1;
    }
}

void gw_roles_format(unsigned roles, char text[80]) {
    text[0] = '\0';
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        if ((roles & 1u << i) == 0)
            continue;
        if (text[0] != '\0')
            strcat(text, ",");
        strcat(text, role_names[i]); // all five and their commas are 42 bytes
    }
    if (text[0] == '\0')
        strcpy(text, "none");
}

// ---- encode

static void append_u64(gw_buffer *buffer, uint64_t value) {
    char text[U64_TEXT];
    size_t start = sizeof(text);
    do {
        text[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    gw_buffer_append(buffer, text + start, sizeof(text) - start);
}

static void append_hash(gw_buffer *buffer, const gw_hash *hash) {
    char text[GW_HASH_HEX];
    gw_hex((gw_bytes){.data = hash->bytes, .size = sizeof(hash->bytes)}, text);
    gw_buffer_append(buffer, text, sizeof(text) - 1);
}

static void append_value(gw_buffer *buffer, const gw_entry *entry, const line_rule *line) {
    const void *field = (const char *)entry + line->offset;
    char roles[80];
    switch (line->type) {
    case VALUE_NAME:
    case VALUE_LINE:
    case VALUE_COUNTS:
    case VALUE_WORD:
    case VALUE_ID:
    case VALUE_HEX:
        gw_buffer_append(buffer, field, strnlen(field, line->size));
        return;
    case VALUE_HASH:
        append_hash(buffer, field);
        return;
    case VALUE_SEQ:
        if (*(const uint64_t *)field == GW_NO_SEQ) {
            gw_buffer_text(buffer, "none");
            return;
        }
        append_u64(buffer, *(const uint64_t *)field);
        return;
    case VALUE_U64:
        append_u64(buffer, *(const uint64_t *)field);
        return;
    case VALUE_TIME:
        append_u64(buffer, (uint64_t) * (const int64_t *)field); // a negative time fails to decode
        return;
    case VALUE_ROLES:
        gw_roles_format(*(const unsigned *)field, roles);
        gw_buffer_text(buffer, roles);
        return;
    case VALUE_ACCOUNTING:
        gw_buffer_text(buffer, *(const uint64_t *)field == 0 ? "pure" : "zcdp");
        return;
    }
}

static bool line_stands(const gw_entry *entry, const line_rule *line) {
    return !line->is_optional || *(const uint64_t *)(const void *)((const char *)entry + line->when) != 0;
}

void gw_entry_encode(const gw_entry *entry, gw_buffer *buffer) {
    GW_ASSERT((size_t)entry->kind < KIND_COUNT);
    const kind_rule *kind = &kinds[entry->kind];
    gw_buffer_text(buffer, HEAD);
    gw_buffer_text(buffer, kind->name);
    gw_buffer_text(buffer, "\nseq ");
    append_u64(buffer, entry->seq);
    gw_buffer_text(buffer, "\ntime ");
    append_u64(buffer, (uint64_t)entry->time);
    gw_buffer_text(buffer, "\n");
    for (size_t i = 0; i < kind->line_count; i++) {
        if (!line_stands(entry, &kind->lines[i]))
            continue;
        gw_buffer_text(buffer, kind->lines[i].name);
        gw_buffer_text(buffer, " ");
        append_value(buffer, entry, &kind->lines[i]);
        gw_buffer_text(buffer, "\n");
    }
    for (size_t i = 0; kind->has_signers && i < entry->by.count && i < GW_SIGNERS_MAX; i++) {
        gw_buffer_text(buffer, "by ");
        gw_buffer_append(buffer, entry->by.ids[i], strnlen(entry->by.ids[i], GW_ID_HEX));
        gw_buffer_text(buffer, "\n");
    }
}

// ---- decode

typedef struct {
    const char *at; // next line
    const char *end;
    size_t line; // from 1
} entry_cursor;

typedef struct {
    const char *data;
    size_t size;
} span;

// The value of the next line when it starts with `name` and a space.
static bool cursor_value(entry_cursor *cursor, const char *name, size_t name_size, span *ret) {
    size_t left = (size_t)(cursor->end - cursor->at);
    cursor->line++;
    const char *newline = memchr(cursor->at, '\n', left);
    if (newline == NULL || (size_t)(newline - cursor->at) < name_size + 1)
        return false;
    if (memcmp(cursor->at, name, name_size) != 0 || cursor->at[name_size] != ' ')
        return false;
    ret->data = cursor->at + name_size + 1;
    ret->size = (size_t)(newline - ret->data);
    cursor->at = newline + 1;
    return true;
}

// Does the next line start with this name? A line that may be missing is skipped; one that then stands or is missing
// wrongly is found when all values are known.
static bool cursor_has(const entry_cursor *cursor, const line_rule *line) {
    return (size_t)(cursor->end - cursor->at) > line->name_size &&
           memcmp(cursor->at, line->name, line->name_size) == 0 && cursor->at[line->name_size] == ' ';
}

static bool parse_u64(span text, uint64_t *ret) {
    if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    }
    *ret = value;
    return true;
}

static bool parse_time(span text, int64_t *ret) {
    uint64_t value;
    if (!parse_u64(text, &value) || value > INT64_MAX)
        return false;
    *ret = (int64_t)value;
    return true;
}

// The run from '-' to ':' is "-./0123456789:".
static bool is_name_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '-' && byte <= ':') || byte == '_';
}

static bool parse_name(span text, char *ret, size_t size) {
    if (text.size == 0 || text.size >= size)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_name_byte(text.data[i]))
            return false;
    memcpy(ret, text.data, text.size);
    return true;
}

static bool parse_line(span text, char *ret, size_t size) {
    if (text.size == 0 || text.size >= size || text.data[0] == ' ' || text.data[text.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e || (text.data[i] == ' ' && text.data[i - 1] == ' '))
            return false;
    memcpy(ret, text.data, text.size);
    return true;
}

static bool is_code(span text) {
    for (size_t i = 0; i < text.size; i++)
        if (!((text.data[i] >= 'a' && text.data[i] <= 'z') || (text.data[i] >= '0' && text.data[i] <= '9') ||
              text.data[i] == '_'))
            return false;
    return text.size > 0;
}

// "code=n code=n": one way to write the same counts.
static bool parse_counts(span text, char *ret, size_t size) {
    span before = {0}, rest = text;
    while (rest.size > 0) {
        const char *space = memchr(rest.data, ' ', rest.size), *equals = memchr(rest.data, '=', rest.size);
        size_t item = space == NULL ? rest.size : (size_t)(space - rest.data);
        uint64_t count;
        if (equals == NULL || (size_t)(equals - rest.data) >= item)
            return false;
        span code = {.data = rest.data, .size = (size_t)(equals - rest.data)};
        span number = {.data = equals + 1, .size = item - code.size - 1};
        size_t shorter = before.size < code.size ? before.size : code.size;
        int order = before.data == NULL ? -1 : memcmp(before.data, code.data, shorter);
        bool is_rising = order < 0 || (order == 0 && before.size < code.size);
        if (!is_code(code) || !is_rising || !parse_u64(number, &count) || count == 0)
            return false;
        before = code;
        rest = (span){.data = rest.data + item, .size = rest.size - item};
        if (space == NULL)
            break;
        rest = (span){.data = rest.data + 1, .size = rest.size - 1};
        if (rest.size == 0)
            return false; // a space at the end
    }
    return parse_line(text, ret, size);
}

static bool parse_word(span text, const char *choices, char *ret, size_t size) {
    for (const char *choice = choices; *choice != '\0';) {
        size_t choice_size = strcspn(choice, " ");
        if (choice_size == text.size && memcmp(choice, text.data, text.size) == 0 && text.size < size) {
            memcpy(ret, text.data, text.size);
            return true;
        }
        choice += choice_size;
        choice += strspn(choice, " ");
    }
    return false;
}

static bool parse_hex(span text, char *ret, size_t size) {
    uint8_t bytes[GW_HASH_SIZE];
    if (!gw_unhex(text.data, text.size, bytes, (size - 1) / 2))
        return false;
    memcpy(ret, text.data, text.size);
    return true;
}

static bool parse_roles(span text, unsigned *ret) {
    char list[80] = {0};
    if (text.size == 0 || text.size >= sizeof(list) || memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(list, text.data, text.size);
    *ret = gw_roles_parse(list);
    char again[80];
    gw_roles_format(*ret, again); // "none" for none; each role once, in their order
    return strcmp(list, again) == 0;
}

static bool parse_value(span text, const line_rule *line, gw_entry *entry) {
    void *field = (char *)entry + line->offset;
    switch (line->type) {
    case VALUE_NAME:
        return parse_name(text, field, line->size);
    case VALUE_LINE:
        return parse_line(text, field, line->size);
    case VALUE_COUNTS:
        return parse_counts(text, field, line->size);
    case VALUE_WORD:
        return parse_word(text, line->choices, field, line->size);
    case VALUE_ID:
    case VALUE_HEX:
        return parse_hex(text, field, line->size);
    case VALUE_HASH:
        return gw_unhex(text.data, text.size, ((gw_hash *)field)->bytes, GW_HASH_SIZE);
    case VALUE_U64:
        return parse_u64(text, field);
    case VALUE_SEQ:
        if (text.size == 4 && memcmp(text.data, "none", 4) == 0) {
            *(uint64_t *)field = GW_NO_SEQ;
            return true;
        }
        return parse_u64(text, field) && *(uint64_t *)field != GW_NO_SEQ;
    case VALUE_TIME:
        return parse_time(text, field);
    case VALUE_ROLES:
        return parse_roles(text, field);
    case VALUE_ACCOUNTING: // held against the delta when that is known
        return text.size == 4 && (memcmp(text.data, "pure", 4) == 0 || memcmp(text.data, "zcdp", 4) == 0);
    }
    return false;
}

static bool decode_head(entry_cursor *cursor, gw_entry *entry) {
    span value;
    if (!cursor_value(cursor, HEAD, sizeof(HEAD) - 2, &value)) // without its space
        return false;
    size_t kind = 0;
    while (kind < KIND_COUNT &&
           (kinds[kind].name_size != value.size || memcmp(kinds[kind].name, value.data, value.size) != 0))
        kind++;
    if (kind == KIND_COUNT)
        return false;
    entry->kind = (gw_entry_kind)kind;
    return cursor_value(cursor, "seq", 3, &value) && parse_u64(value, &entry->seq) &&
           cursor_value(cursor, "time", 4, &value) && parse_time(value, &entry->time);
}

static bool decode_signers(entry_cursor *cursor, gw_signers *by) {
    do {
        span value;
        if (by->count == GW_SIGNERS_MAX || !cursor_value(cursor, "by", 2, &value) ||
            !parse_hex(value, by->ids[by->count], GW_ID_HEX))
            return false;
        by->count++;
    } while (cursor->at < cursor->end);
    return true;
}

#define LINES_MAX 32

// What stands on a line, if it stands.
typedef struct {
    span values[LINES_MAX]; // data NULL: the line is missing
} line_values;

// Lines that depend on other values, now that these are known: there just when they should be, and saying the same.
static bool lines_agree(const kind_rule *kind, const line_values *found, const gw_entry *entry) {
    for (size_t i = 0; i < kind->line_count; i++) {
        const line_rule *line = &kind->lines[i];
        bool is_there = found->values[i].data != NULL;
        if (line->is_optional && is_there != line_stands(entry, line))
            return false;
        bool is_zcdp = is_there && found->values[i].size > 0 && found->values[i].data[0] == 'z';
        const void *field = (const char *)entry + line->offset;
        if (is_there && line->type == VALUE_ACCOUNTING && is_zcdp != (*(const uint64_t *)field != 0))
            return false;
    }
    return true;
}

static bool decode_lines(entry_cursor *cursor, gw_entry *entry) {
    if (!decode_head(cursor, entry))
        return false;
    const kind_rule *kind = &kinds[entry->kind];
    line_values found = {0};
    GW_ASSERT(kind->line_count <= LINES_MAX);
    for (size_t i = 0; i < kind->line_count; i++) {
        const line_rule *line = &kind->lines[i];
        if (line->is_optional && !cursor_has(cursor, line))
            continue;
        if (!cursor_value(cursor, line->name, line->name_size, &found.values[i]) ||
            !parse_value(found.values[i], line, entry))
            return false;
    }
    if (kind->has_signers) {
        if (!decode_signers(cursor, &entry->by))
            return false;
    } else {
        cursor->line++;
        if (cursor->at != cursor->end)
            return false;
    }
    return lines_agree(kind, &found, entry);
}

static gw_status decode_problem(gw_problem *ret_problem, size_t line) {
    gw_status status = gw_problem_set(ret_problem, GW_CORRUPT, "bad_entry", "A log entry cannot be read.", "", "");
    gw_problem_why(ret_problem, "Line %zu is not what the grammar of its kind says.", line);
    return status;
}

gw_status gw_entry_decode(gw_bytes bytes, gw_entry *ret, gw_problem *ret_problem) {
    if (bytes.size == 0 || bytes.size > GW_ENTRY_BYTES_MAX)
        return decode_problem(ret_problem, 1);
    gw_entry entry;
    memset(&entry, 0, sizeof(entry)); // all of the union: texts end where their zeros begin
    entry_cursor cursor = {.at = (const char *)bytes.data, .end = (const char *)bytes.data + bytes.size};
    if (!decode_lines(&cursor, &entry))
        return decode_problem(ret_problem, cursor.line);
    *ret = entry;
    return GW_OK;
}
