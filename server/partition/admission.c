/* SPDX-License-Identifier: MIT */
#include "partition/admission.h"

static int throttled_by_table(struct pl_reason *why)
{
    return pl_reason_set(why, PL_ETHROUGHPUT, "%s", pl_error_sentence(PL_ETHROUGHPUT));
}

static int throttled_by_index(struct pl_reason *why)
{
    return pl_reason_set(why, PL_ETHROUGHPUT,
                         "The level of configured provisioned throughput for one or more global secondary "
                         "indexes of the table "
                         "was exceeded. Consider increasing your provisioning level for the "
                         "under-provisioned global secondary "
                         "indexes with the UpdateTable API.");
}

int pl_admission_read(const struct pl_table *table, const struct pl_index *index,
                      const struct pl_clock *clock, struct pl_reason *why)
{
    bool global = index != NULL && index->global;
    struct pl_allowances *allowances = global ? index->allowances : table->allowances;

    if (allowances == NULL || pl_allowance_admits(&allowances->read, pl_clock_monotonic_ns(clock)))
        return 0;
    return global ? throttled_by_index(why) : throttled_by_table(why);
}

int pl_admission_write(const struct pl_table *table, const struct pl_clock *clock, struct pl_reason *why)
{
    if (table->allowances == NULL ||
        pl_allowance_admits(&table->allowances->write, pl_clock_monotonic_ns(clock)))
        return 0;
    return throttled_by_table(why);
}

int pl_admission_indexes(const struct pl_table *table, const struct pl_capacity *touched,
                         const struct pl_clock *clock, struct pl_reason *why)
{
    uint64_t now_ns;

    if (table->allowances == NULL || touched->index_count == 0)
        return 0;
    now_ns = pl_clock_monotonic_ns(clock);
    for (uint32_t i = 0; i < touched->index_count; i++) {
        const struct pl_index *index = pl_table_index(table, touched->indexes[i].name);

#ifdef PL_MUTANT_INDEX_IGNORED
        break;
#endif
        if (index != NULL && index->allowances != NULL &&
            !pl_allowance_admits(&index->allowances->write, now_ns))
            return throttled_by_index(why);
    }
    return 0;
}

bool pl_admission_fills(const struct pl_index *index, const struct pl_clock *clock)
{
    return index->allowances == NULL ||
           pl_allowance_left(&index->allowances->write, pl_clock_monotonic_ns(clock)) > 0;
}

static void take(struct pl_allowances *allowances, bool writes, uint64_t halves, uint64_t now_ns)
{
    if (allowances != NULL && halves > 0)
        pl_allowance_take(writes ? &allowances->write : &allowances->read, halves, now_ns);
}

void pl_admission_charge(const struct pl_table *table, const struct pl_capacity *used,
                         const struct pl_clock *clock)
{
    uint64_t of_table = used->table_halves, now_ns;

    if (table->allowances == NULL)
        return;
    now_ns = pl_clock_monotonic_ns(clock);
    for (uint32_t i = 0; i < used->index_count; i++) {
        const struct pl_index *index = pl_table_index(table, used->indexes[i].name);

        if (!used->indexes[i].global)
            of_table += used->indexes[i].halves;
        else if (index != NULL)
            take(index->allowances, used->writes, used->indexes[i].halves, now_ns);
    }
    take(table->allowances, used->writes, of_table, now_ns);
}
