// SPDX-License-Identifier: Apache-2.0
// A small made-up population that tests know exactly: the same persons every time, a policy for them, and plain
// counting to compare answers with. Thread safety: pure but for writing the file.   Depends on: base.
#pragma once
#include "service/base/buffer.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEST_DATASET "test.example/people"
#define TEST_POPULATION "test.example/residents"

typedef enum { TEST_EMPLOYED, TEST_UNEMPLOYED, TEST_INACTIVE } test_activity;
typedef struct {
    bool is_female;
    unsigned age; // 0 .. 99
    test_activity activity;
    unsigned hours; // 0 .. 80
} test_person;

// The person with this number, always the same.
test_person test_person_at(size_t index);
// person_id,sex,age,status,hours with a header line. False when the file can't be written.
bool test_people_write(const char *path, size_t count);

// Decimal texts; per_principal may be NULL.
typedef struct {
    const char *lifetime, *per_principal, *question_min, *question_max;
} test_budget;
// One number per policy version: a later one replaces an earlier one.
void test_people_policy(unsigned version, test_budget budget, gw_buffer *ret_text);
