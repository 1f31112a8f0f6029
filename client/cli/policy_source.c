// SPDX-License-Identifier: Apache-2.0
// CSV is read here, up to its first line's end and no byte further. Parquet is asked of godwit-engine, which looks at
// the file's schema only.
#include "client/cli/policy_source.h"
#include "client/cli/program.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER_BYTES_MAX 65536u

static gw_status header_wrong(gw_problem *ret_problem, const char *path, const char *why, const char *mend) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "source_header", "", why, mend);
    gw_problem_what(ret_problem, "The first line of %.200s does not name its columns.", path);
    return status;
}

// One field into `text`; returns where the next one starts, or NULL where quotes are broken.
static const char *field_take(const char *at, gw_buffer *text, bool *ret_is_last) {
    bool is_quoted = *at == '"';
    at += is_quoted;
    for (;; at++) {
        if (*at == '\0') {
            *ret_is_last = true;
            return is_quoted ? NULL : at;
        }
        if (is_quoted && *at == '"') {
            at++;
            if (*at == '"') {
                gw_buffer_append(text, at, 1);
                continue;
            }
            *ret_is_last = *at == '\0';
            return *at == ',' ? at + 1 : *at == '\0' ? at : NULL;
        }
        if (!is_quoted && *at == ',') {
            *ret_is_last = false;
            return at + 1;
        }
        gw_buffer_append(text, at, 1);
    }
}

size_t gw_csv_fields(const char *line, gw_arena *arena, const char **fields, size_t fields_max) {
    size_t count = 0;
    bool is_last = false;
    while (!is_last) {
        GW_CLEANUP(gw_buffer_done) gw_buffer text;
        gw_buffer_init(&text, HEADER_BYTES_MAX);
        line = field_take(line, &text, &is_last);
        if (line == NULL || count == fields_max || text.status != GW_OK)
            return SIZE_MAX;
        fields[count] = gw_arena_string(arena, gw_buffer_string(&text));
        if (fields[count++] == NULL)
            return SIZE_MAX;
    }
    return count;
}

// Without a buffer of ours between, so that no byte behind the line is read.
static gw_status line_read(const char *path, gw_buffer *line, gw_problem *ret_problem) {
    FILE *file = fopen(path, "re");
    gw_status status = GW_OK;
    if (file == NULL) {
        status = gw_problem_set(ret_problem, errno == ENOENT ? GW_NOT_FOUND : GW_IO,
                                errno == ENOENT ? "file_missing" : "file_unreadable", "", "",
                                "Check the path, and who may read it.");
        gw_problem_what(ret_problem, "%.200s cannot be read: %s.", path, strerror(errno));
        return status;
    }
    gw_ignore(setvbuf(file, NULL, _IONBF, 0)); // slower where it fails the other way, and the same
    for (int c; (c = getc(file)) != EOF && c != '\n' && line->status == GW_OK;) {
        char byte = (char)c;
        gw_buffer_append(line, &byte, 1);
    }
    bool is_broken = ferror(file) != 0;
    gw_ignore(fclose(file)); // it was only read
    if (is_broken || line->status != GW_OK)
        return header_wrong(ret_problem, path, "It is longer than 64 KiB, or cannot be read.",
                            "Is it a CSV or Parquet file?");
    return GW_OK;
}

static gw_status separators_check(const char *path, const char *line, size_t count, gw_problem *ret_problem) {
    const char *other = strchr(line, ';') != NULL ? "';'" : strchr(line, '\t') != NULL ? "tabs" : NULL;
    if (count > 1 || other == NULL)
        return GW_OK;
    gw_status status = header_wrong(ret_problem, path, "", "");
    gw_problem_why(ret_problem, "It has no comma but %s: columns are separated by commas, and decimals have a point.",
                   other);
    // Only a file without commas and quotes can be turned by tr; the sentence says so.
    gw_problem_mend(ret_problem, "tr '%s' ',' < %.100s > commas.csv   (where no value has a comma; else export again)",
                    other[0] == 't' ? "\\t" : ";", path);
    return status;
}

static gw_status names_check(const gw_source *source, gw_problem *ret_problem) {
    for (size_t i = 0; i < source->column_count; i++) {
        const char *name = source->columns[i].name;
        bool is_twice = false;
        for (size_t j = 0; j < i; j++)
            is_twice |= strcmp(source->columns[j].name, name) == 0;
        if (name[0] != '\0' && !is_twice)
            continue;
        gw_status status =
            header_wrong(ret_problem, source->path, "", "Give every column a name of its own in the first line.");
        gw_problem_why(ret_problem, "Column %zu %s%.100s.", i + 1, name[0] == '\0' ? "has no name" : "is another ",
                       name);
        return status;
    }
    return GW_OK;
}

// A number or a date is no name but somebody's value: a file without a header would put its first person into the
// draft, which others read. The refusal must not say the value either.
static gw_status values_refuse(const char *path, const char *const *fields, size_t count, gw_problem *ret_problem) {
    for (size_t i = 0; i < count; i++) {
        bool is_value =
            strpbrk(fields[i], "0123456789") != NULL && strspn(fields[i], "0123456789+-.,/: ") == strlen(fields[i]);
        if (!is_value)
            continue;
        gw_status status =
            header_wrong(ret_problem, path, "",
                         "Put a line with the columns' names first; a column whose name is a number needs a "
                         "letter in it.");
        gw_problem_why(ret_problem, "Field %zu is a number or a date: is the first line somebody's row?", i + 1);
        return status;
    }
    return GW_OK;
}

static gw_status csv_read(const char *path, gw_arena *arena, gw_source *source, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer line;
    const char *fields[GW_SOURCE_COLUMNS_MAX];
    gw_buffer_init(&line, HEADER_BYTES_MAX);
    gw_status status = line_read(path, &line, ret_problem);
    if (status != GW_OK)
        return status;
    char *text = gw_arena_string(arena, gw_buffer_string(&line));
    if (text == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory.", "", "");
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '\r')
        text[size - 1] = '\0';
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) // a byte order mark
        text += 3;
    if (text[0] == '\0')
        return header_wrong(ret_problem, path, "The first line is empty.", "Put the columns' names there.");
    size_t count = gw_csv_fields(text, arena, fields, GW_SOURCE_COLUMNS_MAX);
    if (count == SIZE_MAX)
        return header_wrong(ret_problem, path, "Quotes in it are not closed, or it has more than 256 fields.",
                            "Correct the first line.");
    gw_status values = values_refuse(path, fields, count, ret_problem);
    if (values != GW_OK)
        return values;
    for (size_t i = 0; i < count; i++)
        source->columns[i] = (gw_source_column){.name = fields[i]};
    source->column_count = count;
    return separators_check(path, text, count, ret_problem);
}

// ---- Parquet

static bool is_parquet(const char *path) {
    char magic[4] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    gw_ignore(setvbuf(file, NULL, _IONBF, 0)); // four bytes, not a block of values
    bool is_it = fread(magic, 1, 4, file) == 4 && memcmp(magic, "PAR1", 4) == 0;
    gw_ignore(fclose(file)); // it was only read
    return is_it;
}

static bool is_gzip(const char *path) {
    size_t size = strlen(path);
    return size > 3 && strcmp(path + size - 3, ".gz") == 0;
}

// "name<TAB>type" a line.
static gw_status engine_ask(const char *path, gw_buffer *out, gw_problem *ret_problem) {
    char *argv[] = {(char *)"godwit-engine", (char *)"columns", (char *)path, NULL}; // execvp changes none
    int ends[2];
    if (pipe(ends) != 0)
        return gw_problem_set(ret_problem, GW_IO, "internal", "No pipe could be made.", strerror(errno), "");
    pid_t child = gw_program_start("godwit-engine", argv, (gw_program_streams){.out = ends[1]});
    gw_ignore(close(ends[1])); // the child has its own
    char bytes[4096];
    for (ssize_t count; (count = read(ends[0], bytes, sizeof(bytes))) > 0;)
        gw_buffer_append(out, bytes, (size_t)count);
    gw_ignore(close(ends[0])); // read to its end
    int state = 0;
    bool has_ended = child > 0 && waitpid(child, &state, 0) == child;
    if (has_ended && gw_program_exit_code(state) == 0)
        return out->status;
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, "source_header", "", "",
                                      "Is it whole? Are the service's programs on this machine?");
    gw_problem_what(ret_problem, "The schema of %.200s cannot be read.", path);
    gw_problem_why(ret_problem, "%.500s", gw_buffer_string(out));
    return status;
}

static gw_source_type type_of(const char *word) {
    static const struct {
        const char *word;
        gw_source_type type;
    } types[] = {{"INT", GW_SOURCE_WHOLE},      {"BIGINT", GW_SOURCE_WHOLE},  {"TINYINT", GW_SOURCE_WHOLE},
                 {"SMALLINT", GW_SOURCE_WHOLE}, {"HUGEINT", GW_SOURCE_WHOLE}, {"U", GW_SOURCE_WHOLE},
                 {"DOUBLE", GW_SOURCE_NUMBER},  {"FLOAT", GW_SOURCE_NUMBER},  {"DECIMAL", GW_SOURCE_NUMBER},
                 {"DATE", GW_SOURCE_DATE},      {"TIMESTAMP", GW_SOURCE_DATE}};
    if (strcmp(word, "UUID") == 0)
        return GW_SOURCE_ANY;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strncmp(word, types[i].word, strlen(types[i].word)) == 0)
            return types[i].type;
    return GW_SOURCE_ANY;
}

static gw_status parquet_read(const char *path, gw_arena *arena, gw_source *source, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer out;
    gw_buffer_init(&out, 1u << 20);
    gw_status status = engine_ask(path, &out, ret_problem);
    if (status != GW_OK)
        return status;
    char *text = gw_arena_string(arena, gw_buffer_string(&out)), *rest = NULL;
    for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &rest);
         line != NULL && source->column_count < GW_SOURCE_COLUMNS_MAX; line = strtok_r(NULL, "\n", &rest)) {
        char *tab = strrchr(line, '\t');
        if (tab == NULL)
            continue;
        *tab = '\0';
        source->columns[source->column_count++] = (gw_source_column){.name = line, .type = type_of(tab + 1)};
    }
    if (source->column_count == 0)
        return header_wrong(ret_problem, path, "It names no column.", "Is it whole?");
    return GW_OK;
}

gw_status gw_source_read(const char *path, gw_arena *arena, gw_source *ret, gw_problem *ret_problem) {
    ret->path = path;
    ret->column_count = 0;
    if (is_gzip(path)) {
        gw_status status = gw_problem_set(ret_problem, GW_INVALID, "source_header", "A packed file is not looked into.",
                                          "Only its first line is needed here; godwit load takes the packed file.", "");
        gw_problem_mend(ret_problem, "gzip -dc %.100s | head -1 > columns.csv; godwit policy new columns.csv", path);
        return status;
    }
    gw_status status =
        is_parquet(path) ? parquet_read(path, arena, ret, ret_problem) : csv_read(path, arena, ret, ret_problem);
    return status == GW_OK ? names_check(ret, ret_problem) : status;
}
