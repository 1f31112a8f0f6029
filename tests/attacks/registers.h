// SPDX-License-Identifier: Apache-2.0
// A real service with three registers that differ in people alone: the made-up people, the same without one person, and
// nobody. Their names are equally long and each has a population of its own, so that the same questions in the same
// order find each in the same state. Thread safety: one owner.   Depends on: tests/support/daemon.h.
#pragma once
#include "tests/support/daemon.h"

typedef enum { REGISTER_WHOLE, REGISTER_WITHOUT_ONE, REGISTER_EMPTY } register_kind;
#define REGISTERS 3u

const char *register_name(register_kind kind); // the dataset
// Population, policy and data of all three; the daemon runs.
void registers_load(test_daemon *daemon, size_t persons, test_budget budget);
// Another dataset with these people, of one more population.
void register_add(test_daemon *daemon, const char *dataset, size_t persons, test_budget budget);
// The next version of its data.
void register_reload(test_daemon *daemon, const char *dataset, size_t persons);
// {"v":1,"kind":KIND,"dataset":NAME,REST}
void register_body(char text[1024], const char *kind, const char *dataset, const char *rest);
