// SPDX-License-Identifier: Apache-2.0
// Memory of exact aggregates: bounded when made, wiped when freed.
#include "privacy/exact_table.h"
#include <stdlib.h>
#include <string.h>

gw_status gw_exact_table_new(size_t cell_count, size_t part_count, gw_exact_table **ret_table) {
    if (cell_count == 0 || part_count == 0 || cell_count > GW_CELLS_MAX || part_count > GW_PARTS_MAX)
        return GW_LIMIT;
    gw_exact_table *table = malloc(sizeof(*table));
    if (table == NULL)
        return GW_NO_MEMORY;
    // The maxima keep the product far below SIZE_MAX, and calloc checks it anyway.
    *table = (gw_exact_table){.cell_count = cell_count,
                              .part_count = part_count,
                              .values = calloc(cell_count * part_count, sizeof(gw_int128))};
    if (table->values == NULL) {
        free(table);
        return GW_NO_MEMORY;
    }
    *ret_table = table;
    return GW_OK;
}

void gw_exact_table_free(gw_exact_table *table) {
    if (table == NULL)
        return;
    explicit_bzero(table->values, table->cell_count * table->part_count * sizeof(*table->values));
    free(table->values);
    free(table);
}
