// SPDX-License-Identifier: Apache-2.0
// Writing the draft. Its comments are what a colleague reads who reviews it, so they say what figures mean, in tables
// and people instead of epsilon.
#include "client/cli/policy_draft.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/wire/decimal.h"
#include "service/wire/json.h"
#include "service/wire/question.h"
#include <ctype.h>
#include <string.h>

#define PAIRS_MAX 1024u
#define USUAL_PRICE 50000u // micro-epsilon of a usual table

typedef struct {
    gw_arena *arena;
    gw_buffer *out;
    size_t open_count;
} writer;

size_t gw_pairs_split(const char *text, gw_arena *arena, gw_pair *pairs, size_t pairs_max) {
    char *rest = gw_arena_string(arena, text);
    size_t count = 0;
    while (rest != NULL) {
        char *part = strsep(&rest, ",");
        part += strspn(part, " ");
        for (size_t size = strlen(part); size > 0 && part[size - 1] == ' '; size--)
            part[size - 1] = '\0';
        char *equals = strchr(part, '=');
        const char *to = part;
        if (equals != NULL) {
            *equals = '\0';
            to = equals + 1 + strspn(equals + 1, " ");
            for (char *end = equals; end > part && end[-1] == ' '; end--)
                end[-1] = '\0';
        }
        if (part[0] == '\0' || to[0] == '\0' || count == pairs_max)
            return SIZE_MAX;
        pairs[count++] = (gw_pair){part, to};
    }
    return count;
}

static void member(writer *w, const char *name) {
    gw_buffer_text(w->out, w->out->size > 0 && w->out->data[w->out->size - 1] == '{' ? "" : ", ");
    gw_json_write_string(w->out, name);
    gw_buffer_text(w->out, ": ");
}

// The answer in quotes, or the question.
static void text_or_ask(writer *w, const char *answer, const char *question) {
    gw_buffer text;
    gw_buffer_init(&text, 4096);
    if (answer == NULL) {
        gw_buffer_format(&text, "ASK: %s", question);
        w->open_count++;
    }
    gw_json_write_string(w->out, answer == NULL ? gw_buffer_string(&text) : answer);
    gw_buffer_done(&text);
}

static void number_or_ask(writer *w, const char *answer, bool is_whole, const char *question) {
    if (answer != NULL && is_whole)
        gw_buffer_text(w->out, answer);
    else
        text_or_ask(w, answer, question);
}

static void asked_number(writer *w, const gw_draft_column *column, const char *name, const char *answer,
                         const char *what) {
    char question[320];
    gw_ignore(snprintf(question, sizeof(question),
                       "the %s possible %.128s%s (public knowledge, not what the data shows)", what, column->name,
                       column->is_whole ? ", without quotes" : "")); // cut, it is only shown
    member(w, name);
    number_or_ask(w, answer, column->is_whole, question);
}

// ---- columns

static bool is_code(const char *text) {
    return gw_name_is_valid(text) && strpbrk(text, "/:") == NULL && strcmp(text, "_U") != 0 && strcmp(text, "_T") != 0;
}

// "Full time" -> "FULL_TIME": codes are plain words, and the file's own spelling becomes a recode.
static const char *code_of(writer *w, const char *text, size_t number) {
    char *code = gw_arena_string(w->arena, text);
    if (code == NULL || is_code(text))
        return text;
    bool is_plain = true;
    for (char *c = code; *c != '\0'; c++) {
        is_plain = is_plain && (unsigned char)*c < 0x80;
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    }
    return is_plain && is_code(code) ? code : gw_arena_format(w->arena, "C%zu", number + 1);
}

static void recode_write(writer *w, const gw_pair *pairs, size_t count, bool is_first_pair_only) {
    bool has_any = false;
    for (size_t i = 0; i < count; i++) {
        if (is_first_pair_only && strcmp(pairs[i].from, pairs[i].to) == 0)
            continue;
        if (!has_any) {
            member(w, "recode");
            gw_buffer_text(w->out, "{");
        }
        member(w, pairs[i].from);
        gw_json_write_string(w->out, pairs[i].to);
        has_any = true;
    }
    gw_buffer_text(w->out, has_any ? "}" : "");
}

static void list_write(writer *w, const gw_draft_column *column) {
    gw_pair *pairs = gw_arena_array(w->arena, PAIRS_MAX, sizeof(*pairs));
    member(w, "codelist");
    text_or_ask(w, column->list, "which code list? They are the files of share/codelists, as CL_SEX");
    member(w, "missing");
    gw_json_write_string(w->out, "_U");
    size_t count =
        column->recode == NULL || pairs == NULL ? 0 : gw_pairs_split(column->recode, w->arena, pairs, PAIRS_MAX);
    if (count != SIZE_MAX)
        recode_write(w, pairs, count, true);
}

static void codes_write(writer *w, const gw_draft_column *column) {
    gw_pair *pairs = gw_arena_array(w->arena, PAIRS_MAX, sizeof(*pairs));
    size_t count =
        column->codes == NULL || pairs == NULL ? 0 : gw_pairs_split(column->codes, w->arena, pairs, PAIRS_MAX);
    member(w, "codes");
    gw_buffer_text(w->out, "{");
    if (count == 0 || count == SIZE_MAX) {
        member(w, "ASK");
        gw_json_write_string(w->out,
                             "each value that can stand in the file, with its name, as in \"A\": \"Name of A\"");
        w->open_count++;
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        const char *code = code_of(w, pairs[i].from, i);
        member(w, code);
        gw_json_write_string(w->out, pairs[i].to);
        pairs[i].to = code;
    }
    gw_buffer_text(w->out, "}");
    member(w, "missing");
    gw_json_write_string(w->out, "_U");
    recode_write(w, pairs, count, true);
}

static void band_write(writer *w, const gw_draft_column *column, const char *id, gw_decimal low, gw_decimal high) {
    char texts[2][GW_DECIMAL_TEXT];
    gw_decimal_format(low, texts[0]);
    gw_decimal_format(high, texts[1]);
    member(w, id);
    const char *quote = column->is_whole ? "" : "\"";
    gw_buffer_format(w->out, "[%s%s%s, %s%s%s]", quote, texts[0], quote, quote, texts[1], quote);
}

// Bands from where they begin: each ends one grid step before the next.
static bool bands_write(writer *w, const gw_draft_column *column) {
    gw_pair pairs[64];
    gw_decimal low, max, grid, start;
    size_t count =
        column->bands == NULL ? 0 : gw_pairs_split(column->bands, w->arena, pairs, sizeof(pairs) / sizeof(pairs[0]));
    if (count == 0 || count == SIZE_MAX || column->min == NULL || column->max == NULL ||
        !gw_decimal_parse(column->min, &low) || !gw_decimal_parse(column->max, &max) ||
        !gw_decimal_parse(column->grid == NULL ? "1" : column->grid, &grid))
        return false;
    bool is_age = column->concept != NULL && strcmp(column->concept, "age") == 0;
    const char *prefix = is_age ? "Y" : "B";
    member(w, "bandings");
    gw_buffer_text(w->out, "{");
    member(w, is_age && count == 2 && strcmp(pairs[0].from, "20") == 0 && strcmp(pairs[1].from, "65") == 0 ? "work"
                                                                                                           : "bands");
    gw_buffer_text(w->out, "{");
    for (size_t i = 0; i <= count; i++) {
        char id[160], text[2][GW_DECIMAL_TEXT];
        bool has_next = i < count && gw_decimal_parse(pairs[i].from, &start);
        gw_decimal high = has_next ? (gw_decimal){start.trillionths - grid.trillionths} : max;
        gw_decimal_format(low, text[0]);
        gw_decimal_format(high, text[1]);
        if (i == 0)
            gw_ignore(snprintf(id, sizeof(id), "%s_LT%s", prefix, pairs[0].from)); // checked when it was answered
        else if (i == count)
            gw_ignore(snprintf(id, sizeof(id), "%s_GE%s", prefix, text[0])); // it fits
        else
            gw_ignore(snprintf(id, sizeof(id), "%s%sT%s", prefix, text[0], text[1])); // it fits
        band_write(w, column, id, low, high);
        low = start;
    }
    gw_buffer_text(w->out, "}}");
    return true;
}

static void bounds_write(writer *w, const gw_draft_column *column) {
    asked_number(w, column, "min", column->min, "smallest");
    asked_number(w, column, "max", column->max, "largest");
    if (!column->is_whole) {
        member(w, "grid");
        text_or_ask(w, column->grid, "to what are values rounded? \"1\", or \"0.01\"");
    }
}

static void number_write(writer *w, const gw_draft_column *column) {
    if (column->unit != NULL) {
        member(w, "unit");
        gw_json_write_string(w->out, column->unit);
    }
    bounds_write(w, column);
    if (column->total != NULL) {
        member(w, "person_total_max");
        number_or_ask(w, column->total, column->is_whole, "");
    }
    bool has_bands = bands_write(w, column);
    member(w, "missing");
    gw_json_write_string(w->out, has_bands ? "_U" : "drop");
}

static void date_write(writer *w, const gw_draft_column *column) {
    member(w, "period");
    text_or_ask(w, column->period, "year, quarter or month: the finest that may be asked for");
    member(w, "first");
    text_or_ask(w, column->first, "the first period that dates can lie in (public knowledge), as in 2021-01");
    member(w, "last");
    text_or_ask(w, column->last, "the last one, as in 2024-12");
    member(w, "missing");
    gw_json_write_string(w->out, "_U");
}

static void column_write(writer *w, const gw_draft_column *column) {
    static const char *const types[] = {[GW_DRAFT_LIST] = "code",
                                        [GW_DRAFT_CODES] = "code",
                                        [GW_DRAFT_NUMBER] = "decimal",
                                        [GW_DRAFT_DATE] = "date",
                                        [GW_DRAFT_WEIGHT] = "decimal"};
    gw_json_write_string(w->out, column->name);
    gw_buffer_text(w->out, ": ");
    if (column->kind == GW_DRAFT_OPEN) {
        text_or_ask(w, NULL, "take this line out, or put one of the forms above in place of this text");
        return;
    }
    gw_buffer_text(w->out, "{");
    member(w, column->kind == GW_DRAFT_WEIGHT ? "role" : "concept");
    gw_json_write_string(w->out, column->kind == GW_DRAFT_WEIGHT ? "weight" : column->concept);
    member(w, "type");
    gw_json_write_string(w->out, column->kind == GW_DRAFT_NUMBER && column->is_whole ? "integer" : types[column->kind]);
    if (column->kind == GW_DRAFT_LIST)
        list_write(w, column);
    else if (column->kind == GW_DRAFT_CODES)
        codes_write(w, column);
    else if (column->kind == GW_DRAFT_NUMBER)
        number_write(w, column);
    else if (column->kind == GW_DRAFT_DATE)
        date_write(w, column);
    else
        bounds_write(w, column);
    if (column->kind == GW_DRAFT_WEIGHT && column->mean != NULL) {
        member(w, "mean");
        gw_json_write_string(w->out, column->mean);
    }
    gw_buffer_text(w->out, "}");
}

// ---- tables

static bool is_kept(const gw_draft_column *column) {
    return column->kind != GW_DRAFT_OUT;
}

static bool has_concept(const gw_draft_table *table, const char *concept) {
    for (size_t i = 0; i < table->column_count; i++)
        if (is_kept(&table->columns[i]) && table->columns[i].concept != NULL &&
            strcmp(table->columns[i].concept, concept) == 0)
            return true;
    return false;
}

// Facts of the person, from the table with one row for each.
static void inherit_write(writer *w, const gw_draft *draft, const gw_draft_table *table) {
    const char *comma = "";
    for (size_t t = 0; t < draft->table_count; t++) {
        const gw_draft_table *other = &draft->tables[t];
        if (other == table || other->rows_max == NULL || strcmp(other->rows_max, "1") != 0)
            continue;
        for (size_t i = 0; i < other->column_count; i++) {
            const gw_draft_column *column = &other->columns[i];
            if (!is_kept(column) || column->concept == NULL || column->kind == GW_DRAFT_OPEN ||
                column->kind == GW_DRAFT_WEIGHT || has_concept(table, column->concept))
                continue;
            gw_buffer_text(w->out, comma[0] == '\0' ? "\n   \"inherit\": [" : ", ");
            gw_json_write_string(w->out, column->concept);
            comma = ", ";
        }
        break; // one table says what a person is
    }
    gw_buffer_text(w->out, comma[0] == '\0' ? "" : "],");
}

static void table_write(writer *w, const gw_draft *draft, const gw_draft_table *table) {
    gw_buffer_text(w->out, "  ");
    gw_json_write_string(w->out, table->name);
    gw_buffer_text(w->out, ": {\"unit\": ");
    text_or_ask(w, table->id, "which column says who a row belongs to?");
    gw_buffer_text(w->out, ", \"rows_per_person_max\": ");
    number_or_ask(w, table->rows_max, true, "how many rows can one person have here at most? A whole number");
    if (table->rows_kept != NULL)
        gw_buffer_format(w->out, ", \"rows_per_person_kept\": %s", table->rows_kept);
    gw_buffer_text(w->out, ",");
    if (table->rows_max == NULL || strcmp(table->rows_max, "1") != 0)
        inherit_write(w, draft, table);
    gw_buffer_text(w->out, " \"columns\": {\n");
    size_t kept_count = 0, written = 0;
    for (size_t i = 0; i < table->column_count; i++)
        kept_count += is_kept(&table->columns[i]);
    for (size_t i = 0; i < table->column_count; i++) {
        if (!is_kept(&table->columns[i])) {
            continue;
        }
        gw_buffer_text(w->out, "   ");
        column_write(w, &table->columns[i]);
        gw_buffer_text(w->out, ++written == kept_count ? "\n" : ",\n");
    }
    gw_buffer_text(w->out, "  }}");
}

// ---- the rest

static unsigned long long tables_of(const char *amount) {
    gw_epsilon epsilon = {0};
    if (amount == NULL || gw_epsilon_parse(amount, &epsilon) != GW_OK)
        return 0;
    return (unsigned long long)(epsilon.micro / USUAL_PRICE);
}

static void budget_write(writer *w, const gw_draft *draft) {
    gw_buffer_format(
        w->out,
        " // Budgets, in epsilon. A usual table costs 0.05. So lifetime is about %llu tables in all, for ever; one\n"
        " // asker may have about %llu, and everybody together about %llu in the days of the window. More budget\n"
        " // means more can be learned about each person: godwit policy simulate says how much.\n",
        tables_of(draft->lifetime), tables_of(draft->per_principal), tables_of(draft->window));
    gw_buffer_text(w->out, " \"budget\": {");
    member(w, "lifetime");
    text_or_ask(w, draft->lifetime, "the dataset's budget for ever, as in \"10\"");
    member(w, "per_principal");
    text_or_ask(w, draft->per_principal, "the budget of each asker, as in \"2\"");
    if (draft->window != NULL && draft->window_days != NULL) {
        member(w, "window");
        gw_buffer_format(w->out, "{\"days\": %s, \"epsilon\": ", draft->window_days);
        gw_json_write_string(w->out, draft->window);
        gw_buffer_text(w->out, "}");
    }
    member(w, "question_min");
    text_or_ask(w, draft->question_min, "the least that one question costs, as in \"0.01\"");
    member(w, "question_max");
    text_or_ask(w, draft->question_max, "the most that one question may cost, as in \"0.5\"");
    gw_buffer_text(w->out, "},\n");
}

static void words_write(writer *w, const char *text) {
    gw_pair pairs[16];
    size_t count = gw_pairs_split(text, w->arena, pairs, sizeof(pairs) / sizeof(pairs[0]));
    gw_buffer_text(w->out, "[");
    for (size_t i = 0; i < count && count != SIZE_MAX; i++) {
        gw_buffer_text(w->out, i == 0 ? "" : ", ");
        gw_json_write_string(w->out, pairs[i].from);
    }
    gw_buffer_text(w->out, "]");
}

static void grants_write(writer *w, const gw_draft *draft) {
    gw_pair roles[8];
    size_t count = gw_pairs_split(draft->roles, w->arena, roles, sizeof(roles) / sizeof(roles[0]));
    gw_buffer_text(
        w->out, " // Who may ask for what. Whoever has the role, and a key that the operator entered.\n \"grants\": [");
    for (size_t i = 0; i < count && count != SIZE_MAX; i++) {
        gw_buffer_text(w->out, i == 0 ? "" : ",\n            ");
        gw_buffer_text(w->out, "{");
        member(w, "role");
        gw_json_write_string(w->out, roles[i].from);
        member(w, "tables");
        gw_buffer_text(w->out, "[");
        for (size_t t = 0; t < draft->table_count; t++) {
            gw_buffer_text(w->out, t == 0 ? "" : ", ");
            gw_json_write_string(w->out, draft->tables[t].name);
        }
        gw_buffer_text(w->out, "]");
        member(w, "statistics");
        words_write(w, draft->statistics);
        gw_buffer_text(w->out, "}");
    }
    gw_buffer_text(w->out, "]}\n");
}

static const char head[] =
    "// A draft made from the names of columns alone; no value was read. What is not known yet says ASK: such a file "
    "cannot\n"
    "// come into force. Bounds and codes are promises that anybody may read, so write what is publicly known (nobody "
    "is\n"
    "// older than 120), never what this data shows. A column that no question needs is best taken out.\n";

static const char forms[] =
    " // A column has one of these forms (concept: what it is about, in small letters):\n"
    " //   {\"concept\": \"sex\", \"type\": \"code\", \"codelist\": \"CL_SEX\", \"missing\": \"_U\", \"recode\": "
    "{\"1\": \"M\", \"2\": \"F\"}}\n"
    " //   {\"concept\": \"kind\", \"type\": \"code\", \"codes\": {\"A\": \"Name of A\", \"B\": \"Name of B\"}, "
    "\"missing\": \"_U\"}\n"
    " //   {\"concept\": \"income\", \"type\": \"decimal\", \"unit\": \"EUR\", \"min\": \"0\", \"max\": \"200000\", "
    "\"grid\": \"1\", \"missing\": \"drop\"}\n"
    " //   {\"concept\": \"entered\", \"type\": \"date\", \"period\": \"month\", \"first\": \"2021-01\", \"last\": "
    "\"2024-12\", \"missing\": \"_U\"}\n"
    " //   {\"role\": \"weight\", \"type\": \"decimal\", \"min\": \"0\", \"max\": \"2000\", \"grid\": \"0.01\"}\n"
    " // Missing values become a cell of their own (_U), or leave the questions on this column (drop).\n";

size_t gw_draft_write(const gw_draft *draft, gw_arena *arena, gw_buffer *ret_text) {
    writer w = {.arena = arena, .out = ret_text};
    gw_buffer_text(ret_text, head);
    gw_buffer_text(ret_text, "{\"godwit_policy\": 1, \"dataset\": ");
    text_or_ask(&w, draft->dataset, "its name, your office's first, as in nso.example/register");
    gw_buffer_text(ret_text, ",\n // Whose data it is. Datasets about the same people must name the same population: "
                             "they share its budget.\n"
                             " \"population\": ");
    text_or_ask(&w, draft->population, "the people behind it, as in nso.example/residents");
    gw_buffer_text(ret_text, ",\n \"version\": 1,");
    if (draft->title != NULL) {
        gw_buffer_text(ret_text, " \"title\": {\"en\": ");
        gw_json_write_string(ret_text, draft->title);
        gw_buffer_text(ret_text, "},");
    }
    gw_buffer_text(ret_text, "\n // Protected is one person, with all their rows.\n"
                             " \"neighbours\": \"add-remove-person\", \"engine\": {\"kind\": \"duckdb\"}, "
                             "\"accounting\": {\"kind\": \"pure\"},\n");
    gw_buffer_text(ret_text, forms);
    gw_buffer_text(ret_text, " \"tables\": {\n");
    for (size_t t = 0; t < draft->table_count; t++) {
        table_write(&w, draft, &draft->tables[t]);
        gw_buffer_text(ret_text, t + 1 == draft->table_count ? "\n },\n" : ",\n");
    }
    budget_write(&w, draft);
    gw_buffer_text(
        ret_text,
        " // How many people a usual group has, as far as that is public: prices and errors are foretold for it.\n"
        " \"planning\": {\"cell_persons\": ");
    number_or_ask(&w, draft->cell_persons, true, "a whole number, as in 1000");
    gw_buffer_text(ret_text, "},\n");
    grants_write(&w, draft);
    return w.open_count;
}
