/* SPDX-License-Identifier: MIT */
#include "model/item.h"

static const struct {
    const char *name, *long_name;
} types[] = {
    [PL_TYPE_S] = { "S", "STRING" },       [PL_TYPE_N] = { "N", "NUMBER" },
    [PL_TYPE_B] = { "B", "BINARY" },       [PL_TYPE_BOOL] = { "BOOL", "BOOLEAN" },
    [PL_TYPE_NULL] = { "NULL", "NULL" },   [PL_TYPE_L] = { "L", "LIST" },
    [PL_TYPE_M] = { "M", "MAP" },          [PL_TYPE_SS] = { "SS", "STRING_SET" },
    [PL_TYPE_NS] = { "NS", "NUMBER_SET" }, [PL_TYPE_BS] = { "BS", "BINARY_SET" },
};

const char *pl_type_name(enum pl_type type)
{
    return types[type].name;
}

const char *pl_type_long_name(enum pl_type type)
{
    return types[type].long_name;
}

enum pl_type pl_type_from_name(struct pl_bytes name)
{
    for (enum pl_type type = PL_TYPE_S; type <= PL_TYPE_BS; type++)
        if (pl_bytes_equal(name, pl_str(types[type].name)))
            return type;
    return 0;
}
