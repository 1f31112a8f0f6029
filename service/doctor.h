// SPDX-License-Identifier: Apache-2.0
// `godwitd doctor`: looks a state folder over, with or without a daemon on it, and changes nothing. One line for each
// check: OK, WARN or FAIL, what was found, and how to mend it. It shows no value from data.
// Thread safety: one thread.   Depends on: every room of the service, read-only.
#pragma once

int gw_doctor_command(int argc, char **argv); // 0: no FAIL; 9: some; 10: it cannot look
extern const char gw_doctor_help[];
