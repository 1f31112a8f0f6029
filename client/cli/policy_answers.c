// SPDX-License-Identifier: Apache-2.0
// Asking. At a terminal a wrong answer is asked again, with the reason; in a file it ends the command with its line.
#include "client/cli/policy_answers.h"
#include "service/base/check.h"
#include "service/base/cleanup.h"
#include "service/base/file.h"
#include "service/format/text.h"
#include <string.h>

#define FILE_BYTES_MAX 1048576u
#define LINE_BYTES_MAX 16384

// Without blanks at both ends.
static char *trim(char *text) {
    text += strspn(text, " \t\r");
    for (size_t size = strlen(text); size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL; size--)
        text[size - 1] = '\0';
    return text;
}

static gw_status line_wrong(gw_problem *ret_problem, const char *code, const char *file, size_t line, const char *why) {
    gw_status status = gw_problem_set(ret_problem, GW_INVALID, code, "The answers cannot be used as they are.", "",
                                      "A line is: key = value, as in: income.max = 200000");
    gw_problem_why(ret_problem, "%.200s, line %zu: %s", file, line, why);
    return status;
}

static gw_status line_take(gw_answers *answers, char *line, size_t number, gw_problem *ret_problem) {
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#')
        return GW_OK;
    char *equals = strstr(line, " = ");
    if (equals == NULL)
        equals = strchr(line, '=');
    if (equals == NULL)
        return line_wrong(ret_problem, "answer_line", answers->file, number, "There is no '='.");
    char *value = equals + (*equals == '=' ? 1 : 3);
    *equals = '\0';
    line = trim(line);
    for (size_t i = 0; i < answers->count; i++)
        if (strcmp(answers->answers[i].key, line) == 0)
            return line_wrong(ret_problem, "answer_twice", answers->file, number, "This key was answered above.");
    if (answers->count == GW_ANSWERS_MAX)
        return line_wrong(ret_problem, "answer_line", answers->file, number, "There are too many lines.");
    answers->answers[answers->count++] = (gw_given_answer){.key = line, .value = trim(value), .line = number};
    return GW_OK;
}

gw_status gw_answers_read(gw_answers *answers, const char *file, gw_problem *ret_problem) {
    GW_CLEANUP(gw_buffer_done) gw_buffer text;
    gw_buffer_init(&text, FILE_BYTES_MAX);
    answers->file = file;
    gw_status status = gw_file_read(file, &text, ret_problem);
    if (status != GW_OK)
        return status;
    char *rest = gw_arena_string(answers->arena, gw_buffer_string(&text));
    if (rest == NULL)
        return gw_problem_set(ret_problem, GW_NO_MEMORY, "no_memory", "There is not enough memory.", "", "");
    for (size_t number = 1; status == GW_OK && rest != NULL; number++) {
        char *line = strsep(&rest, "\n");
        status = line_take(answers, line, number, ret_problem);
    }
    return status;
}

static const char *from_file(gw_answers *answers, const gw_ask_for *ask, bool *ret_is_there) {
    char reason[GW_REASON_MAX] = "";
    *ret_is_there = false;
    for (size_t i = 0; i < answers->count; i++) {
        gw_given_answer *answer = &answers->answers[i];
        if (strcmp(answer->key, ask->key) != 0)
            continue;
        answer->is_used = *ret_is_there = true;
        if (answer->value[0] == '\0')
            return ask->is_safe ? ask->suggest : NULL;
        if (ask->check == NULL || ask->check(ask->state, answer->value, reason))
            return answer->value;
        if (answers->status == GW_OK) {
            answers->status = line_wrong(&answers->problem, "answer_bad", answers->file, answer->line, "");
            gw_problem_why(&answers->problem, "%.200s, line %zu: %s: %s", answers->file, answer->line, ask->key,
                           reason);
            gw_problem_mend(&answers->problem, "Correct the line, or take it out: then the draft says ASK there.");
        }
        return NULL;
    }
    return NULL;
}

// A long prompt has lines of its own; what is typed stands behind the last one.
static void prompt_say(gw_cli *cli, const gw_ask_for *ask) {
    gw_buffer line, lines;
    gw_buffer_init(&line, LINE_BYTES_MAX);
    gw_buffer_init(&lines, 2 * LINE_BYTES_MAX);
    size_t blanks = strspn(ask->prompt, " \n"), indent = strspn(ask->prompt + strspn(ask->prompt, "\n"), " ");
    gw_buffer_format(&line, "%s%s%s%s:", ask->prompt + blanks, ask->suggest == NULL ? "" : " [",
                     ask->suggest == NULL ? "" : ask->suggest, ask->suggest == NULL ? "" : "]");
    gw_buffer_append(&lines, ask->prompt, blanks);
    for (char *part = (char *)gw_buffer_string(&line), *next; part != NULL; part = next) { // its own bytes
        next = strchr(part, '\n');
        if (next != NULL)
            *next++ = '\0';
        gw_text_wrap(&lines, part + strspn(part, " "), cli->width, (unsigned)indent, (unsigned)indent);
        if (next != NULL)
            gw_buffer_format(&lines, "%*s", (int)indent, "");
    }
    const char *text = gw_buffer_string(&lines);
    gw_note(cli, "%.*s ", (int)strlen(text) - 1, text); // without its last line's end
    gw_buffer_done(&line);
    gw_buffer_done(&lines);
}

static const char *from_terminal(gw_answers *answers, const gw_ask_for *ask) {
    for (;;) {
        char line[LINE_BYTES_MAX], reason[GW_REASON_MAX] = "";
        prompt_say(answers->cli, ask);
        gw_ignore(fflush(answers->cli->err)); // the prompt must be seen; a failure changes nothing
        if (fgets(line, sizeof(line), answers->cli->in) == NULL) {
            answers->is_terminal = false; // end of input: what is not answered stays open
            gw_note(answers->cli, "\n");
            return ask->is_safe ? ask->suggest : NULL;
        }
        const char *value = trim(line);
        if (value[0] == '\0')
            return ask->suggest;
        if (ask->check == NULL || ask->check(ask->state, value, reason))
            return gw_arena_string(answers->arena, value);
        gw_note(answers->cli, "  %s\n", reason);
    }
}

const char *gw_answers_ask(gw_answers *answers, const gw_ask_for *ask) {
    bool is_there;
    const char *value = from_file(answers, ask, &is_there);
    if (is_there)
        return value;
    if (answers->is_terminal)
        return from_terminal(answers, ask);
    return ask->is_safe ? ask->suggest : NULL;
}

gw_status gw_answers_end(gw_answers *answers, gw_problem *ret_problem) {
    if (answers->status != GW_OK) {
        *ret_problem = answers->problem;
        return answers->status;
    }
    for (size_t i = 0; i < answers->count; i++)
        if (!answers->answers[i].is_used) {
            gw_status status = line_wrong(ret_problem, "answer_unknown", answers->file, answers->answers[i].line, "");
            gw_problem_why(ret_problem, "%.200s, line %zu: nothing is asked that is called \"%.100s\".", answers->file,
                           answers->answers[i].line, answers->answers[i].key);
            gw_problem_mend(ret_problem,
                            "Is the column's name spelt as in the file, and of the kind that was answered?");
            return status;
        }
    return GW_OK;
}
