// SPDX-License-Identifier: Apache-2.0
// Questions that cost, and what is left afterwards.
#include "tests/support/spending.h"
#include "tests/support/unit.h"

void spending_done(spending *it) {
    gw_json_free(it->document);
}

gw_problem spending_ask(spending *it, const gw_profile *who, const char *dataset, const char *epsilon) {
    char body[512];
    test_asker asker;
    snprintf(body, sizeof body,
             "{\"v\":1,\"kind\":\"query\",\"dataset\":\"%s\",\"measure\":{\"statistic\":\"count\"},\"by\":[],\"where\":"
             "[{\"concept\":\"age\",\"between\":[%u,%u]}],\"epsilon\":\"%s\"}",
             dataset, it->asked % 100, 100 + it->asked / 100, epsilon);
    it->asked++;
    test_asker_open(&asker, who);
    gw_problem problem = {0};
    if (!test_ask(&asker, body, NULL))
        problem = asker.problem;
    test_asker_close(&asker);
    return problem;
}

const gw_json_node *spending_balance(spending *it, const gw_profile *who, const char *dataset, const char *kind) {
    char body[256];
    test_asker asker;
    snprintf(body, sizeof body, "{\"v\":1,\"kind\":\"budget\",\"dataset\":\"%s\"}", dataset);
    test_asker_open(&asker, who);
    assert_true(test_ask(&asker, body, NULL));
    gw_json_free(it->document);
    assert_int_equal(gw_json_parse(asker.reply.answer, GW_JSON_REPLY, &it->document, NULL), GW_OK);
    test_asker_close(&asker);
    const gw_json_node *list = gw_json_member(gw_json_root(it->document), "balances");
    for (const gw_json_node *node = gw_json_first(list); node != NULL; node = gw_json_next(node))
        if (strcmp(gw_json_string(gw_json_member(node, "budget")), kind) == 0)
            return node;
    fail_msg("no %s budget", kind);
    return NULL;
}
