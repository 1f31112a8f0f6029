// SPDX-License-Identifier: Apache-2.0
// Three registers that differ in people alone.
#include "tests/attacks/registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[REGISTERS] = {"test.example/whole_", "test.example/minus1", "test.example/nobody"};

const char *register_name(register_kind kind) {
    return names[kind];
}

static void append_replaced(gw_buffer *out, const char *text, const char *from, const char *to) {
    for (const char *at; (at = strstr(text, from)) != NULL; text = at + strlen(from)) {
        gw_buffer_append(out, text, (size_t)(at - text));
        gw_buffer_text(out, to);
    }
    gw_buffer_text(out, text);
}

static void policy_activate(test_daemon *daemon, const char *dataset, const char *population, test_budget budget) {
    gw_buffer texts[5];
    for (size_t i = 0; i < 5; i++)
        gw_buffer_init(&texts[i], 65536);
    test_people_policy(1, budget, &texts[0]);
    append_replaced(&texts[1], gw_buffer_string(&texts[0]), TEST_DATASET, dataset);
    append_replaced(&texts[2], gw_buffer_string(&texts[1]), TEST_POPULATION, population);
    append_replaced(&texts[3], gw_buffer_string(&texts[2]), "\"mean\"", "\"mean\",\"sum\",\"net\"");
    append_replaced(&texts[4], gw_buffer_string(&texts[3]), "\"size_bucket\":1000}", "\"size_bucket\":500000}");
    test_daemon_policy(daemon, gw_buffer_string(&texts[4]));
    for (size_t i = 0; i < 5; i++)
        gw_buffer_done(&texts[i]);
}

void register_reload(test_daemon *daemon, const char *dataset, size_t persons) {
    char path[TEST_PATH_MAX + 32], program[TEST_PATH_MAX];
    snprintf(path, sizeof path, "%s/people.csv", daemon->folder);
    test_program("godwitd", program);
    if (!test_people_write(path, persons))
        abort();
    const char *const arguments[] = {program, "load", "--dir", daemon->folder, "--allow-empty", "--allow-shrink",
                                     dataset, path,   NULL};
    if (test_run(arguments, NULL) != 0) {
        fprintf(stderr, "registers: %s is not loaded\n", dataset);
        exit(EXIT_FAILURE);
    }
}

void register_add(test_daemon *daemon, const char *dataset, size_t persons, test_budget budget) {
    char population[256];
    snprintf(population, sizeof population, "%s.all", dataset);
    test_daemon_population(daemon, population, "100000");
    policy_activate(daemon, dataset, population, budget);
    register_reload(daemon, dataset, persons);
}

void registers_load(test_daemon *daemon, size_t persons, test_budget budget) {
    register_add(daemon, names[REGISTER_WHOLE], persons, budget);
    register_add(daemon, names[REGISTER_WITHOUT_ONE], persons - 1, budget);
    register_add(daemon, names[REGISTER_EMPTY], 0, budget);
}

void register_body(char text[1024], const char *kind, const char *dataset, const char *rest) {
    snprintf(text, 1024, "{\"v\":1,\"kind\":\"%s\",\"dataset\":\"%s\"%s%s}", kind, dataset, rest[0] ? "," : "", rest);
}
