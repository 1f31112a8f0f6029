// SPDX-License-Identifier: Apache-2.0
// One observation per line. OBS_VALUE is the unbiased figure byte for byte, as in every other format.
#include "service/format/sdmx_csv.h"
#include "service/base/check.h"
#include "service/format/csv.h"
#include "service/format/figures.h"
#include "service/format/particulars.h"
#include "service/wire/decimal.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DIMENSIONS_MAX (GW_BY_MAX + GW_WHERE_MAX + 1u) // and a gap's groups
#define COLUMNS_MAX (DIMENSIONS_MAX + 24u + GW_PARTICULARS_MAX)
#define ID_BYTES_MAX 8192u
#define TEXT_BYTES_MAX 65536u

typedef struct {
    char name[GW_NAME_MAX + 1];    // "C_BIRTH"
    char concept[GW_NAME_MAX + 1]; // "c_birth", without a banding
    size_t by;                     // index in the answer's breakdown, or SIZE_MAX
    char code[GW_SDMX_CODE_MAX];   // of a filter, or of the groups of a gap
} dimension;

typedef struct {
    const gw_answer *answer;
    const gw_asked *asked;
    dimension dimensions[DIMENSIONS_MAX];
    size_t dimension_count;
    size_t time_by; // the breakdown that is TIME_PERIOD, or SIZE_MAX
    char time[GW_SDMX_CODE_MAX];
    char indicator[GW_NAME_MAX * 3 + 8];
    gw_particulars particulars;
    char attributes[GW_PARTICULARS_MAX][GW_NAME_MAX]; // their names: "DP_RANK_ERROR"
    gw_buffer structure, notice;
    char epsilon[GW_EPSILON_TEXT], bounds[GW_BOUNDS_TEXT], decimals[24], unit[GW_SDMX_CODE_MAX];
} sheet;

// ---- spellings

typedef struct {
    const char *concept; // NULL: every concept
    const char *code, *eurostat;
} spelling;
// Regulation (EC) 862/2007 tables and the LFS: citizenship and birth by group, ISO codes but for Greece and the UK.
static const spelling spellings[] = {{"sex", "_T", "T"},
                                     {NULL, "_T", "TOTAL"},
                                     {NULL, "_U", "UNK"},
                                     {"citizen", "EU_FOR", "EU27_2020_FOR"},
                                     {"citizen", "NEU_FOR", "NEU27_2020_FOR"},
                                     {"c_birth", "EU_FOR", "EU27_2020_FOR"},
                                     {"c_birth", "NEU_FOR", "NEU27_2020_FOR"},
                                     {"citizen", "GR", "EL"},
                                     {"citizen", "GB", "UK"},
                                     {"c_birth", "GR", "EL"},
                                     {"c_birth", "GB", "UK"},
                                     {"ref_area", "GR", "EL"},
                                     {"ref_area", "GB", "UK"}};

// "Y20T64": a letter, digits, T, digits.
static bool is_band(const char *code, size_t *ret_t) {
    size_t first = strspn(code + 1, "0123456789");
    if ((code[0] != 'Y' && code[0] != 'M') || first == 0 || code[1 + first] != 'T')
        return false;
    size_t second = strspn(code + first + 2, "0123456789");
    *ret_t = 1 + first;
    return second > 0 && code[first + 2 + second] == '\0';
}

// Bins and levels are made of numbers, and an id holds neither points nor a sign: "-5..-0.5" becomes "BM5-M0_5".
static void number_append(const char *number, size_t size, char *text) {
    size_t used = strlen(text);
    for (size_t i = 0; i < size && used + 1 < GW_SDMX_CODE_MAX; i++)
        text[used++] = number[i] == '-' ? 'M' : number[i] == '.' ? '_' : number[i];
    text[used] = '\0';
}

static bool is_number(const char *text, size_t size) {
    size_t sign = size > 0 && text[0] == '-';
    return size > sign && strspn(text + sign, "0123456789.") >= size - sign;
}

// "0..24999" -> "B0-24999".
static bool bin_write(const char *code, char text[GW_SDMX_CODE_MAX]) {
    const char *dots = strstr(code, "..");
    if (dots == NULL || !is_number(code, (size_t)(dots - code)) || !is_number(dots + 2, strlen(dots + 2)))
        return false;
    gw_ignore(snprintf(text, GW_SDMX_CODE_MAX, "B")); // it fits
    number_append(code, (size_t)(dots - code), text);
    size_t used = strlen(text);
    if (used + 1 >= GW_SDMX_CODE_MAX)
        return false;
    gw_ignore(snprintf(text + used, GW_SDMX_CODE_MAX - used, "-"));
    number_append(dots + 2, strlen(dots + 2), text);
    return true;
}

// Eurostat's percentiles: "0.5" -> "P50", "0.025" -> "P2_5".
static bool level_write(const char *code, char text[GW_SDMX_CODE_MAX]) {
    gw_decimal level;
    char percent[GW_DECIMAL_TEXT];
    if (!gw_decimal_parse(code, &level) || level.trillionths < 0 || level.trillionths > GW_DECIMAL_ONE)
        return false;
    level.trillionths *= 100;
    gw_decimal_format(level, percent);
    gw_ignore(snprintf(text, GW_SDMX_CODE_MAX, "P")); // it fits
    number_append(percent, strlen(percent), text);
    return true;
}

void gw_sdmx_code(const char *concept, const char *code, char text[GW_SDMX_CODE_MAX]) {
    size_t t;
    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        const spelling *s = &spellings[i];
        if (strcmp(s->code, code) == 0 && (s->concept == NULL || strcmp(s->concept, concept) == 0)) {
            gw_ignore(snprintf(text, GW_SDMX_CODE_MAX, "%s", s->eurostat)); // it fits
            return;
        }
    }
    if ((strcmp(concept, GW_BY_QUANTILE) == 0 && level_write(code, text)) || bin_write(code, text))
        return;
    gw_ignore(snprintf(text, GW_SDMX_CODE_MAX, "%s", code)); // a name fits
    if (strcmp(concept, GW_BY_SPAN) == 0)
        for (char *c = text; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
    bool is_of_time = strcmp(concept, "age") == 0 || strcmp(concept, "duration") == 0;
    if (code[0] != '\0' && is_of_time && is_band(code, &t))
        text[t] = '-';
}

// ---- names

// An SDMX id: letters, digits, '_', in capitals.
static void id_append(gw_buffer *buffer, const char *name) {
    for (const char *c = name; *c != '\0'; c++) {
        char letter = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
        gw_buffer_append(buffer, &letter, 1);
    }
}

static void id_write(const char *name, char *text, size_t size) {
    gw_buffer id;
    gw_buffer_init(&id, ID_BYTES_MAX);
    id_append(&id, name);
    gw_ignore(snprintf(text, size, "%s", gw_buffer_string(&id))); // names are bounded by GW_NAME_MAX
    gw_buffer_done(&id);
}

// An agency's id is what stands before the dataset's '/': parts between dots that begin with a letter.
static void agency_append(gw_buffer *buffer, const char *dataset) {
    const char *slash = strchr(dataset, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - dataset);
    if (size == 0 || !isalpha((unsigned char)dataset[0])) {
        gw_buffer_text(buffer, "GODWIT");
        return;
    }
    for (size_t i = 0; i < size; i++) {
        bool starts_part = dataset[i] == '.' && i + 1 < size && isalpha((unsigned char)dataset[i + 1]);
        bool is_plain = isalnum((unsigned char)dataset[i]) || dataset[i] == '-' || dataset[i] == '_';
        gw_buffer_append(buffer, is_plain || starts_part ? dataset + i : "_", 1);
    }
}

// A gap is another figure than what it is a gap of, and a ratio is of two concepts.
static void indicator_write(sheet *s) {
    const gw_answer *answer = s->answer;
    char made[sizeof(s->indicator)];
    const char *name = s->asked->sdmx != NULL ? s->asked->sdmx : answer->indicator;
    bool is_measure = name == NULL, is_gap = answer->gap_of != NULL;
    if (is_measure)
        name = is_gap ? answer->gap_of : answer->statistic;
    const char *const parts[] = {is_measure ? answer->of : NULL, is_measure ? answer->over : NULL,
                                 is_gap ? "gap" : NULL};
    gw_ignore(snprintf(made, sizeof(made), "%s", name)); // names are bounded
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (parts[i] != NULL) {
            size_t used = strlen(made);
            gw_ignore(snprintf(made + used, sizeof(made) - used, "_%s", parts[i]));
        }
    id_write(made, s->indicator, sizeof(s->indicator));
}

// A unit's id: "EUR/H" -> "EUR_PER_H", "EUR^2" -> "EUR2".
static void unit_write(sheet *s) {
    size_t used = 0;
    for (const char *c = s->answer->unit; *c != '\0' && used + sizeof("_PER_") < sizeof(s->unit); c++) {
        bool is_plain = isalnum((unsigned char)*c) || *c == '-' || *c == '_';
        const char *piece = *c == '/' ? "_PER_" : *c == '^' ? "" : is_plain ? NULL : "_";
        used += (size_t)snprintf(s->unit + used, sizeof(s->unit) - used, "%.*s", piece == NULL ? 1 : (int)strlen(piece),
                                 piece == NULL ? c : piece);
    }
}

static void structure_write(sheet *s) {
    const char *dataset = s->answer->dataset, *slash = strchr(dataset, '/');
    agency_append(&s->structure, dataset);
    gw_buffer_text(&s->structure, ":DF_");
    id_append(&s->structure, slash == NULL ? dataset : slash + 1);
    gw_buffer_format(&s->structure, "_%s", s->indicator);
    for (size_t i = 0; i < s->dimension_count; i++)
        gw_buffer_format(&s->structure, "_%s", s->dimensions[i].name);
    gw_buffer_format(&s->structure, "(%lld.0)",
                     (long long)(s->answer->indicator_version > 0 ? s->answer->indicator_version : 1));
}

// ---- dimensions

static bool has_dimension(const sheet *s, const char *concept) {
    for (size_t i = 0; i < s->dimension_count; i++)
        if (strcmp(s->dimensions[i].concept, concept) == 0)
            return true;
    return false;
}

static dimension *dimension_add(sheet *s, const char *concept, size_t by) {
    GW_ASSERT(s->dimension_count < DIMENSIONS_MAX);
    dimension *d = &s->dimensions[s->dimension_count++];
    gw_ignore(snprintf(d->concept, sizeof(d->concept), "%.*s", (int)strcspn(concept, ":"), concept)); // it fits
    // Two bandings of one concept can't be one column: the second keeps its whole name.
    id_write(concept, d->name, sizeof(d->name));
    bool is_alone = true;
    for (size_t i = 0; i + 1 < s->dimension_count; i++)
        is_alone = is_alone && strcmp(s->dimensions[i].concept, d->concept) != 0;
    if (is_alone)
        id_write(d->concept, d->name, sizeof(d->name));
    d->by = by;
    return d;
}

// The one code a filter leaves, as the code lists have it; false where it leaves more.
static bool filter_code(const gw_filter *filter, char code[GW_SDMX_CODE_MAX]) {
    gw_decimal low, high;
    char low_text[GW_DECIMAL_TEXT], high_text[GW_DECIMAL_TEXT];
    if (filter->kind != GW_FILTER_BETWEEN) {
        if (filter->code_count == 1)
            gw_ignore(snprintf(code, GW_SDMX_CODE_MAX, "%s", filter->codes[0])); // a name fits
        return filter->code_count == 1;
    }
    bool is_years = strcmp(filter->concept, "age") == 0 && gw_decimal_parse(filter->low, &low) &&
                    gw_decimal_parse(filter->high, &high) && low.trillionths >= 0 &&
                    low.trillionths % GW_DECIMAL_ONE == 0 && high.trillionths % GW_DECIMAL_ONE == 0;
    if (!is_years)
        return false;
    gw_decimal_format(low, low_text);
    gw_decimal_format(high, high_text);
    gw_ignore(snprintf(code, GW_SDMX_CODE_MAX, strcmp(low_text, high_text) == 0 ? "Y%s" : "Y%sT%s", low_text,
                       high_text)); // it fits
    return true;
}

static bool is_in_breakdown(const gw_answer *answer, const char *concept) {
    size_t size = strcspn(concept, ":");
    for (size_t k = 0; k < answer->by_count; k++)
        if (strcspn(answer->by[k], ":") == size && memcmp(answer->by[k], concept, size) == 0)
            return true;
    return false;
}

static void filters_add(sheet *s) {
    char code[GW_SDMX_CODE_MAX], concept[GW_NAME_MAX + 1];
    for (size_t i = 0; i < s->asked->filter_count && i < GW_WHERE_MAX; i++) {
        const gw_filter *filter = &s->asked->filters[i];
        if (is_in_breakdown(s->answer, filter->concept) || !filter_code(filter, code))
            continue;
        gw_ignore(
            snprintf(concept, sizeof(concept), "%.*s", (int)strcspn(filter->concept, ":"), filter->concept)); // fits
        if (strcmp(concept, "time_period") == 0)
            gw_ignore(snprintf(s->time, sizeof(s->time), "%s", code)); // a name fits
        else if (!has_dimension(s, concept))
            gw_sdmx_code(concept, code, dimension_add(s, concept, SIZE_MAX)->code);
    }
}

// What is said of time: asked for, known to the caller, or the year in the release's id.
static void time_write(sheet *s) {
    const char *dash = strchr(s->answer->release, '-');
    if (s->time[0] == '\0' && s->asked->time != NULL)
        gw_ignore(snprintf(s->time, sizeof(s->time), "%s", s->asked->time)); // cut where it is no period
    if (s->time[0] == '\0' && dash != NULL && !s->answer->is_dummy && strspn(dash + 1, "0123456789") == 4)
        gw_ignore(snprintf(s->time, sizeof(s->time), "%.4s", dash + 1)); // it fits
}

// Two gaps of one indicator are two series: which groups, the dimension GAP tells: "C_BIRTH_NEU27_2020_FOR-NAT".
static void gap_add(sheet *s) {
    const gw_answer *answer = s->answer;
    char concept[GW_NAME_MAX + 1], group[GW_SDMX_CODE_MAX], reference[GW_SDMX_CODE_MAX];
    if (answer->gap_of == NULL)
        return;
    dimension *d = dimension_add(s, "gap", SIZE_MAX);
    id_write(answer->gap_concept, concept, sizeof(concept));
    gw_sdmx_code(answer->gap_concept, answer->gap_group, group);
    gw_sdmx_code(answer->gap_concept, answer->gap_reference, reference);
    gw_ignore(
        snprintf(d->code, sizeof(d->code), "%.40s_%.50s-%.50s", concept, group, reference)); // longer names are cut
}

static void particulars_write(sheet *s) {
    gw_particulars_of(s->answer, &s->particulars);
    for (size_t i = 0; i < s->particulars.count; i++) {
        gw_ignore(snprintf(s->attributes[i], GW_NAME_MAX, "DP_")); // it fits
        id_write(s->particulars.items[i].name, s->attributes[i] + 3, GW_NAME_MAX - 3);
    }
}

static void dimensions_write(sheet *s) {
    s->time_by = SIZE_MAX;
    filters_add(s);
    gap_add(s);
    for (size_t k = 0; k < s->answer->by_count; k++)
        if (strcmp(s->answer->by[k], "time_period") == 0)
            s->time_by = k;
        else
            gw_ignore(dimension_add(s, s->answer->by[k], k)); // it is in the sheet
    time_write(s);
}

// ---- rows

// CL_OBS_STATUS: normal, low reliability, suppressed, cannot exist, not collected, break, provisional.
static const char *obs_status(const char *flag) {
    static const char *const statuses[][2] = {{"u", "U"}, {"c", "Q"}, {"z", "M"}, {"x", "L"}, {"b", "B"}, {"p", "P"}};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (strcmp(flag, statuses[i][0]) == 0)
            return statuses[i][1];
    return "A";
}

static const char *const first_columns[] = {"STRUCTURE", "STRUCTURE_ID", "ACTION", "INDICATOR"};
static const char *const last_columns[] = {"TIME_PERIOD",   "OBS_VALUE",    "OBS_STATUS", "CONF_STATUS", "UNIT_MEASURE",
                                           "DECIMALS",      "STD_ERR",      "CI_LOWER",   "CI_UPPER",    "CONF_LEVEL",
                                           "DP_RELEASE_ID", "DP_MECHANISM", "DP_EPSILON", "DP_UNIT",     "DP_BOUNDS",
                                           "DP_WEIGHTED",   "DP_WHERE",     "DP_NOTICE",  "DP_ADJUSTED"};
#define FIRST_COUNT (sizeof(first_columns) / sizeof(first_columns[0]))
#define LAST_COUNT (sizeof(last_columns) / sizeof(last_columns[0])) // the last only of several tables
_Static_assert(FIRST_COUNT + DIMENSIONS_MAX + LAST_COUNT + GW_PARTICULARS_MAX <= COLUMNS_MAX,
               "a row has room for every column");

static size_t last_count(const sheet *s) {
    return s->answer->block_count > 0 ? LAST_COUNT : LAST_COUNT - 1;
}

static void header_row(const sheet *s, gw_buffer *buffer) {
    const char *row[COLUMNS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < FIRST_COUNT; i++)
        row[count++] = first_columns[i];
    for (size_t i = 0; i < s->dimension_count; i++)
        row[count++] = s->dimensions[i].name;
    for (size_t i = 0; i < last_count(s); i++)
        row[count++] = last_columns[i];
    for (size_t i = 0; i < s->particulars.count; i++)
        row[count++] = s->attributes[i];
    gw_csv_row_crlf(buffer, row, count);
}

// Withheld or impossible cells have no value; one that is too uncertain has one, with low reliability.
static void cell_row(const sheet *s, const gw_answer_cell *cell, gw_buffer *buffer) {
    const gw_answer *answer = s->answer;
    const char *row[COLUMNS_MAX], *status = obs_status(cell->flag);
    char codes[GW_BY_MAX][GW_SDMX_CODE_MAX];
    bool is_text = strcmp(answer->statistic, "keys") == 0; // no list has them
    size_t count = 0;
    row[count++] = "dataflow";
    row[count++] = gw_buffer_string(&s->structure);
    row[count++] = "I";
    row[count++] = s->indicator;
    for (size_t i = 0; i < s->dimension_count; i++) {
        const dimension *d = &s->dimensions[i];
        if (d->by != SIZE_MAX && !is_text)
            gw_sdmx_code(d->concept, cell->key[d->by], codes[d->by]);
        row[count++] = d->by == SIZE_MAX ? d->code : is_text ? cell->key[d->by] : codes[d->by];
    }
    bool has_value = strchr("QML", status[0]) == NULL;
    const char *const last[LAST_COUNT] = {
        s->time_by == SIZE_MAX ? s->time : cell->key[s->time_by],
        has_value ? cell->estimate : NULL,
        status,
        answer->is_dummy ? "N" : "F", // dummies are not for publication
        s->unit,
        s->decimals,
        has_value ? cell->se : NULL,
        has_value ? cell->lower : NULL,
        has_value ? cell->upper : NULL,
        answer->level,
        answer->release,
        answer->law == NULL ? "discrete-laplace" : answer->law,
        s->epsilon,
        "person",
        s->bounds,
        answer->is_weighted ? "true" : "false",
        s->asked->where,
        gw_buffer_string(&s->notice),
        has_value ? cell->adjusted : NULL,
    };
    for (size_t i = 0; i < last_count(s); i++)
        row[count++] = last[i];
    for (size_t i = 0; i < s->particulars.count; i++)
        row[count++] = s->particulars.items[i].value;
    gw_csv_row_crlf(buffer, row, count);
}

void gw_format_sdmx_csv(const gw_answer *answer, const gw_asked *asked, gw_buffer *buffer) {
    sheet s = {.answer = answer, .asked = asked};
    GW_ASSERT(answer->by_count <= GW_BY_MAX);
    gw_buffer_init(&s.structure, ID_BYTES_MAX);
    gw_buffer_init(&s.notice, TEXT_BYTES_MAX);
    gw_notice_append(answer, &s.notice);
    gw_epsilon_format(answer->noise.epsilon, s.epsilon);
    gw_bounds_format(answer, s.bounds);
    gw_ignore(snprintf(s.decimals, sizeof(s.decimals), "%lld", (long long)answer->decimals)); // it fits
    indicator_write(&s);
    unit_write(&s);
    particulars_write(&s);
    dimensions_write(&s);
    structure_write(&s);
    header_row(&s, buffer);
    for (size_t i = 0; i < answer->cell_count; i++)
        cell_row(&s, &answer->cells[i], buffer);
    gw_buffer_done(&s.structure);
    gw_buffer_done(&s.notice);
}
