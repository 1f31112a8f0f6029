# SPDX-License-Identifier: Apache-2.0
# Proves that the checks can fail: a clean little tree passes, and each planted violation is named.
# One line per case, as the C tests print them.                      python3 tests/tidy/test_tidy.py
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = "// SPDX-License-Identifier: Apache-2.0\n// What this file is.\n"
# Written in parts, so that this file passes the checks it tests.
UNFINISHED = "TO" "DO"
HOST = "registry.npm" "js.org"
MACHINE = "/ro" "ot/.cache"

CLEAN = {
    "privacy/README.md": "# privacy\n\n- `cost` — prices\n- `linkage`\n",
    "privacy/linkage.h": HEAD + "#pragma once\n#ifdef __cplusplus\n#define GW_C_BEGIN extern \"C\" {\n#define GW_C_END }\n#else\n#define GW_C_BEGIN\n#define GW_C_END\n#endif\n",
    "privacy/cost.h": HEAD + '#pragma once\n#include "privacy/linkage.h"\n#include <stdint.h>\nGW_C_BEGIN\nuint64_t cost(void);\nGW_C_END\n',
    "privacy/cost.c": HEAD + '#include "privacy/cost.h"\n#include <math.h>\nvoid k(char *a) { strcpy(a, "none"); }\n',
    "service/base/README.md": "# base\n\n- `crypto` — hashes\n",
    "service/base/crypto.h": HEAD + '#pragma once\n#include "privacy/cost.h"\n',
    "service/base/crypto.c": HEAD + '#include "service/base/crypto.h"\n#include <sodium.h>\n// a double check\n',
    "service/wire/README.md": "# wire\n\n- `json.c` — scanner\n",
    "service/wire/json.h": HEAD + '#pragma once\n#include "service/base/crypto.h"\n',
    "service/audit/README.md": "# audit\n\n- `entry`, `publish`\n",
    "service/audit/entry.h": HEAD + '#pragma once\n#include "service/wire/json.h"\n',
    "service/audit/publish.h": HEAD + '#pragma once\n#include "service/audit/entry.h"\n',
    "service/store/README.md": "# store\n\n- `store`\n",
    "service/store/store.h": HEAD + '#pragma once\n#include "service/audit/entry.h"\n',
    "service/ledger/README.md": "# ledger\n\n- `ledger`\n",
    "service/ledger/ledger.h": HEAD + '#pragma once\n#include "service/store/store.h"\n#include "service/audit/entry.h"\n',
    "client/lib/README.md": "# lib\n\n- `client`, `transport_nng`\n",
    "client/lib/client.h": HEAD + '#pragma once\n#include "service/audit/entry.h"\n',
    "client/lib/client.c": HEAD + '#include "client/lib/client.h"\n',
    "client/lib/transport_nng.c": HEAD + '#include "client/lib/client.h"\n#include <nng/nng.h>\n',
    "tests/unit/test_cost.c": HEAD + '#include "service/ledger/ledger.h"\n#include <cmocka.h>\n',
}

# (claim, check, file, text added or whole text, words the finding must hold)
PLANTS = [
    ("privacy_may_not_include_base", "check_arrows", "privacy/cost.c", '#include "service/base/crypto.h"\n', "privacy may not include service/base"),
    ("privacy_may_not_look_at_the_clock", "check_arrows", "privacy/cost.c", "#include <time.h>\n", "privacy is pure"),
    ("privacy_may_not_read_files", "check_words", "privacy/cost.c", 'void *h(void) { return fopen("x", "r"); }\n', "privacy is pure"),
    ("base_may_not_include_wire", "check_arrows", "service/base/crypto.c", '#include "service/wire/json.h"\n', "service/base may not include service/wire"),
    ("ledger_may_not_include_its_sibling_audit", "check_arrows", "service/ledger/ledger.h", '#include "service/audit/publish.h"\n', "service/ledger may not include service/audit"),
    ("store_may_not_include_ledger", "check_arrows", "service/store/store.h", '#include "service/ledger/ledger.h"\n', "service/store may not include service/ledger"),
    ("shared_audit_may_not_include_the_rest_of_audit", "check_arrows", "service/audit/entry.h", '#include "service/audit/publish.h"\n', "may not include service/audit"),
    ("client_may_not_include_store", "check_arrows", "client/lib/client.c", '#include "service/store/store.h"\n', "client/lib may not include service/store"),
    ("nothing_includes_tests", "check_arrows", "service/store/store.h", '#include "tests/support/fake.h"\n', "nothing outside tests includes tests"),
    ("includes_go_from_the_root", "check_arrows", "service/store/store.h", '#include "../audit/entry.h"\n', "by path from the root"),
    ("an_include_without_a_room_is_refused", "check_arrows", "service/store/store.h", '#include "store.h"\n', "has no room"),
    ("an_include_that_is_not_there_is_named", "check_arrows", "service/store/store.h", '#include "service/audit/absent.h"\n', "there is no"),
    ("sqlite_has_one_place", "check_arrows", "service/ledger/ledger.h", "#include <sqlite3.h>\n", "its one place"),
    ("sodium_has_one_place", "check_arrows", "service/wire/json.h", "#include <sodium.h>\n", "its one place"),
    ("nng_has_one_file_in_the_client", "check_arrows", "client/lib/other_nng.c", HEAD + "#include <nng/nng.h>\n", "more than one file"),
    ("a_readme_names_every_file", "check_arrows", "service/store/durable.c", HEAD + '#include "service/store/store.h"\n', "does not name `durable`"),
    ("a_readme_names_no_absent_file", "check_arrows", "service/store/README.md", "- `ghost` — gone\n", "which is not there"),
    ("a_room_has_a_readme", "check_arrows", "service/auth/identity.h", HEAD + "#pragma once\n", "the room has none"),
    ("a_header_stands_alone", "check_headers", "privacy/cost.h", "GW_C_BEGIN\nsize_t more(void);\nGW_C_END\n", "does not stand alone in C17"),
    ("a_header_is_cpp_too", "check_headers", "privacy/cost.h", "GW_C_BEGIN\nint f(int class);\nGW_C_END\n", "does not stand alone in C++17"),
    ("a_headers_functions_keep_their_names", "check_headers", "privacy/bounds.h", HEAD + "#pragma once\n", "between GW_C_BEGIN and GW_C_END"),
    ("unfinished_work_is_named", "check_words", "privacy/cost.c", f"// {UNFINISHED}: later\n", "unfinished work"),
    ("registry_hosts_are_named", "check_words", "service/base/README.md", f"from {HOST}\n", "registry's host"),
    ("paths_of_a_machine_are_named", "check_words", "service/base/README.md", f"in {MACHINE}\n", "somebody's machine"),
    ("fractions_are_kept_out_of_the_ledger", "check_words", "service/ledger/ledger.h", "extern double spent;\n", "integers only"),
    ("fractions_are_kept_out_of_sampling", "check_words", "privacy/sampling/laplace.c", HEAD + "static float half;\n", "integers only"),
    ("libc_random_numbers_are_refused", "check_words", "privacy/cost.c", "int f(void) { return rand(); }\n", "never right here"),
    ("a_copy_without_a_bound_is_refused", "check_words", "privacy/cost.c", "void f(char *a, const char *b) { strcpy(a, b); }\n", "how much room"),
    ("plain_assert_is_refused", "check_words", "privacy/cost.c", "void g(int x) { assert(x); }\n", "vanishes in Release"),
    ("a_file_of_many_nouns_is_refused", "check_words", "privacy/cost.c", "// line\n" * 801, "split it"),
    ("the_licence_line_comes_first", "check_words", "privacy/bounds.h", "#pragma once\n", "licence line"),
    ("a_file_says_what_it_is", "check_words", "privacy/bounds.h", "// SPDX-License-Identifier: Apache-2.0\n#pragma once\n", "what this file is"),
]


def write(root, files):
    for path, words in files.items():
        place = os.path.join(root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as file:
            file.write(words)


def run(check, root):
    done = subprocess.run([sys.executable, os.path.join(HERE, check + ".py"), root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def case(claim, holds, detail):
    print(f"[ RUN      ] {claim}")
    print(f"[       OK ] {claim}" if holds else f"{detail}\n[  FAILED  ] {claim}")
    return holds


def main():
    results = []
    for check in ("check_arrows", "check_words", "check_headers"):
        with tempfile.TemporaryDirectory() as root:
            write(root, CLEAN)
            code, said = run(check, root)
            results.append(case(f"{check[6:]}_accepts_a_clean_tree", code == 0, said))
    for claim, check, path, added, expected in PLANTS:
        with tempfile.TemporaryDirectory() as root:
            write(root, {**CLEAN, path: CLEAN.get(path, "") + added})
            code, said = run(check, root)
            results.append(case(claim, code == 9 and expected in said, f"exit {code}, said:\n{said}"))
    sys.exit(0 if all(results) else 1)


main()
