// SPDX-License-Identifier: Apache-2.0
// completion: a script for the shell, which asks `godwit complete` at each tab. The script knows no command, so it
// never falls behind the program.
#include "client/cli/commands.h"
#include "client/cli/complete.h"
#include "service/base/check.h"
#include <string.h>
#include <unistd.h>

#define LINES_BYTES_MAX 1048576u
#define SECONDS_MAX 2u // a service that does not answer must not hold a shell

static const char bash_script[] =
    "# godwit completion bash: put it where bash-completion looks, or say: eval \"$(godwit completion bash)\"\n"
    "_godwit() {\n"
    "    local line=\"${COMP_LINE:0:COMP_POINT}\" head typed candidate\n"
    "    local -a words\n"
    "    COMPREPLY=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=(\"\")\n"
    "    typed=\"${words[${#words[@]} - 1]}\"\n"
    "    head=\"${typed%\"${typed##*[=:]}\"}\" # bash has cut the word there\n"
    "    while IFS= read -r candidate; do\n"
    "        candidate=\"${candidate%%$'\\t'*}\"\n"
    "        if [[ $candidate == :files ]]; then\n"
    "            compopt -o default 2>/dev/null\n"
    "            return\n"
    "        fi\n"
    "        [[ $candidate == *[=:,] ]] && compopt -o nospace 2>/dev/null\n"
    "        COMPREPLY+=(\"${candidate#\"$head\"}\")\n"
    "    done < <(\"${words[0]}\" complete \"${words[@]:1}\" 2>/dev/null </dev/null)\n"
    "}\n"
    "complete -F _godwit godwit\n";

static const char zsh_script[] =
    "#compdef godwit\n"
    "# godwit completion zsh: put it as _godwit into a folder of $fpath, or say: eval \"$(godwit completion zsh)\"\n"
    "_godwit() {\n"
    "    local -a lines candidates told\n"
    "    local line\n"
    "    lines=(${(f)\"$(\"$words[1]\" complete \"${(@)words[2,CURRENT]}\" 2>/dev/null </dev/null)\"})\n"
    "    for line in $lines; do\n"
    "        if [[ $line == :files ]]; then\n"
    "            _files\n"
    "            return\n"
    "        fi\n"
    "        candidates+=(\"${line%%$'\\t'*}\")\n"
    "        told+=(\"${line/$'\\t'/  -- }\")\n"
    "    done\n"
    "    if [[ $#candidates -gt 0 && $candidates[1] == *[=:,] ]]; then\n"
    "        compadd -S '' -l -d told -a candidates\n"
    "    elif [[ $#candidates -gt 0 ]]; then\n"
    "        compadd -l -d told -a candidates\n"
    "    fi\n"
    "}\n"
    "(( $+functions[compdef] )) && compdef _godwit godwit\n"
    "[[ $zsh_eval_context[-1] == loadautofunc ]] && _godwit \"$@\"\n"
    "true\n";

static const char fish_script[] = "# godwit completion fish: put it into ~/.config/fish/completions/godwit.fish\n"
                                  "function __godwit_complete\n"
                                  "    set -l words (commandline -opc) (commandline -ct)\n"
                                  "    for candidate in ($words[1] complete $words[2..-1] 2>/dev/null </dev/null)\n"
                                  "        if test \"$candidate\" = ':files'\n"
                                  "            __fish_complete_path (commandline -ct)\n"
                                  "            return\n"
                                  "        end\n"
                                  "        echo $candidate\n"
                                  "    end\n"
                                  "end\n"
                                  "complete -c godwit -f -a '(__godwit_complete)'\n";

static const struct {
    const char *shell, *script;
} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};
#define SCRIPT_COUNT (sizeof(scripts) / sizeof(scripts[0]))

static gw_exit_code completion_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options;
    const char *names[SCRIPT_COUNT];
    gw_problem problem;
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        names[i] = scripts[i].shell;
        if (strcmp(words->items[0], scripts[i].shell) != 0)
            continue;
        gw_say_bytes(cli, gw_bytes_of(scripts[i].script));
        return GW_EXIT_DONE;
    }
    gw_ignore(gw_problem_set(&problem, GW_INVALID, "words", "", "There are bash, zsh and fish.", // returns it
                             "godwit completion bash"));
    gw_problem_what(&problem, "There is no completion for \"%.64s\".", words->items[0]);
    const char *nearest = gw_nearest(words->items[0], names, SCRIPT_COUNT);
    if (nearest != NULL)
        gw_problem_mend(&problem, "Did you mean \"godwit completion %s\"?", nearest);
    return gw_fail(cli, &problem);
}

static gw_exit_code complete_run(gw_cli *cli, const void *options, const gw_words *words) {
    (void)options, (void)words;
    gw_buffer lines;
    alarm(SECONDS_MAX); // its default action ends the program, and nothing was offered
    gw_buffer_init(&lines, LINES_BYTES_MAX);
    gw_complete(cli, cli->argc, cli->argv, &lines);
    gw_say_bytes(cli, gw_buffer_bytes(&lines));
    gw_buffer_done(&lines);
    return GW_EXIT_DONE;
}

const gw_command gw_command_completion = {
    .name = "completion",
    .group = "Operator",
    .arguments = "bash|zsh|fish",
    .summary = "a script that completes commands, options and names in your shell",
    .examples = "eval \"$(godwit completion bash)\"\n"
                "godwit completion zsh > ~/.zfunc/_godwit\n"
                "godwit completion fish > ~/.config/fish/completions/godwit.fish\n",
    .words_min = 1,
    .words_max = 1,
    .run = completion_run,
};
// What the scripts call: not for people, so no group shows it.
const gw_command gw_command_complete = {
    .name = "complete",
    .arguments = "WORD...",
    .summary = "what may stand next on this command line (for the scripts of godwit completion)",
    .examples = "godwit complete query register --by ''\n",
    .hands_on = true,
    .run = complete_run,
};
