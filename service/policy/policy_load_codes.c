// SPDX-License-Identifier: Apache-2.0
// The codes of a column. Lists of the installation are named, so that a policy does not repeat them; what no list has
// stands in the policy itself, and so under its owner's signature.
#include "service/policy/policy_load.h"
#include <stdio.h>
#include <string.h>

static void read_list(gw_policy_loader *l, const gw_json_node *node, gw_codelist *ret) {
    const char *id = gw_load_name(&l->load, node, "codelist", "/:.");
    if (id == NULL)
        return;
    char reason[GW_CODELIST_REASON_MAX];
    gw_status status = gw_codelist_load(l->codelist_folder, id, l->load.arena, ret, reason);
    if (status != GW_OK)
        GW_POLICY_FAIL(l, gw_json_member(node, "codelist"), "policy_codelist",
                       "Correct the list, name another one, or write \"codes\":{\"A\":\"Name of A\"} instead. "
                       "GODWIT_SHARE names the folder that has codelists/.",
                       "The code list %s cannot be used: %s", id,
                       status == GW_LIMIT && reason[0] == '\0' ? "it is too big." : reason);
}

static void read_own_code(gw_policy_loader *l, const gw_json_node *node, gw_code *code) {
    code->id = gw_load_name_at(&l->load, node, gw_json_name(node), "/:");
    if (code->id == NULL)
        return;
    if (strcmp(code->id, GW_CODE_UNKNOWN) == 0 || strcmp(code->id, "_T") == 0)
        GW_POLICY_FAIL(l, node, "policy_codelist", "Leave it out; \"missing\":\"_U\" adds _U.",
                       "%s has a meaning of its own: _U is unknown, _T is the total.", code->id);
    else if (gw_json_type_of(node) != GW_JSON_STRING || !gw_load_is_text(gw_json_string(node)))
        GW_POLICY_FAIL(l, node, "wrong_type", "Write \"A\":\"Name of A\".",
                       "The name of the code %s must be one short line of text.", code->id);
    else
        code->label = gw_load_copy(&l->load, gw_json_string(node));
}

static void read_own(gw_policy_loader *l, const gw_json_node *node, gw_codelist *ret) {
    const gw_json_node *object = gw_json_read_object(&l->load.reader, node, "codes");
    if (object == NULL)
        return;
    size_t count = gw_json_count(object);
    if (count == 0 || count > GW_CODELIST_CODES_MAX) {
        GW_POLICY_FAIL(l, object, "policy_codelist", "Write \"codes\":{\"A\":\"Name of A\",\"B\":\"Name of B\"}.",
                       "A column has 1 to %u codes.", GW_CODELIST_CODES_MAX);
        return;
    }
    gw_code *codes = gw_load_array(&l->load, count, sizeof(*codes));
    if (codes == NULL)
        return;
    size_t i = 0;
    for (const gw_json_node *code = gw_json_first(object); code != NULL && gw_policy_is_well(l);
         code = gw_json_next(code))
        read_own_code(l, code, &codes[i++]);
    *ret = (gw_codelist){.id = "its \"codes\"", .codes = codes, .code_count = count};
}

void gw_policy_read_codes(gw_policy_loader *l, const gw_json_node *node, gw_column *column) {
    bool has_list = gw_json_has(node, "codelist"), has_own = gw_json_has(node, "codes");
    if (has_list == has_own) {
        GW_POLICY_FAIL(l, node, "policy_codelist",
                       "Write \"codelist\":\"CL_SEX\", or your own: \"codes\":{\"A\":\"Name of A\"}.",
                       "A code column has either \"codelist\" or \"codes\"%s.", has_own ? ", not both" : "");
        return;
    }
    if (has_list)
        read_list(l, node, &column->codelist);
    else
        read_own(l, node, &column->codelist);
    if (gw_policy_is_well(l))
        gw_policy_add_unknown(l, column);
}
