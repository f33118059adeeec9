/* SPDX-License-Identifier: MIT */
#include "stream/schedule.h"

#include <stdlib.h>

enum { RELOAD_PAUSE_MS = 200 };

/* A lane and what its last step said. */
struct slot {
    struct pl_trigger_lane lane;
    enum pl_lane_step last;
    bool busy;
    /* As of then, for reports: a lane that somebody has is not to be looked into. */
    uint64_t position;
    bool paused;
};

/* A partition, as one trigger sees it. */
struct place {
    struct slot *slots;            /* `parallel` of them; NULL until something was applied there */
    struct pl_trigger_lane *fresh; /* being loaded */
    uint64_t due_ns;               /* of loading */
};

struct pl_schedule_entry {
    struct pl_schedule_entry *next;
    struct pl_trigger_source source;
    struct pl_trigger_figures figures;
    uint32_t held;  /* tasks and others who have it */
    bool retired;   /* the table's definition has another one, or none */
    bool was_named; /* by the tables being learned */
    struct place places[];
};

struct pl_schedule {
    uint32_t partition_count;
    const struct pl_sequences *sequences;
    struct pl_schedule_entry *entries;
    struct pl_schedule_entry *turn_entry; /* where the next search begins */
    uint32_t turn_partition;
    struct pl_trigger_budget budget;
};

int pl_schedule_new(uint32_t partition_count, const struct pl_sequences *sequences, struct pl_schedule **out)
{
    struct pl_schedule *schedule = calloc(1, sizeof *schedule);

    if (schedule == NULL)
        return PL_ENOMEM;
    schedule->partition_count = partition_count;
    schedule->sequences = sequences;
    schedule->budget.max_bytes = PL_TRIGGER_HELD_BYTES_MAX;
    *out = schedule;
    return 0;
}

/* ---- entries ---------------------------------------------------------------------------------------- */

static void free_place(struct pl_schedule *schedule, struct place *place, uint32_t parallel)
{
    for (uint32_t i = 0; place->slots != NULL && i < parallel; i++) {
        atomic_fetch_sub(&schedule->budget.held_bytes, place->slots[i].lane.charged_bytes);
        pl_lane_deinit(&place->slots[i].lane.lane);
    }
    free(place->slots);
    free(place->fresh);
}

static void free_entry(struct pl_schedule *schedule, struct pl_schedule_entry *entry)
{
    struct pl_schedule_entry **at = &schedule->entries;

    PL_ASSERT(entry->held == 0);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    schedule->turn_entry = NULL;
    for (uint32_t p = 0; p < schedule->partition_count; p++)
        free_place(schedule, &entry->places[p], entry->source.trigger.parallel);
    pl_table_unref(entry->source.table);
    free(entry);
}

void pl_schedule_free(struct pl_schedule *schedule)
{
    if (schedule == NULL)
        return;
    while (schedule->entries != NULL)
        free_entry(schedule, schedule->entries);
    free(schedule);
}

static void release(struct pl_schedule *schedule, struct pl_schedule_entry *entry)
{
    if (--entry->held == 0 && entry->retired)
        free_entry(schedule, entry);
}

static struct pl_schedule_entry *find(struct pl_schedule *schedule, uint32_t trigger_id)
{
    struct pl_schedule_entry *entry = schedule->entries;

    while (entry != NULL && (entry->retired || entry->source.trigger.id != trigger_id))
        entry = entry->next;
    return entry;
}

static bool is_same(const struct pl_trigger_source *source, const struct pl_table *table,
                    const struct pl_trigger *b)
{
    const struct pl_trigger *a = &source->trigger;

    return source->table->id == table->id && source->table->stream_id == table->stream_id &&
           a->created_ms == b->created_ms && a->on_insert == b->on_insert && a->on_modify == b->on_modify &&
           a->on_remove == b->on_remove && a->batch == b->batch && a->batch_window_ms == b->batch_window_ms &&
           a->retries == b->retries && a->max_age_s == b->max_age_s && a->parallel == b->parallel;
}

static void copy_figures(struct pl_trigger_figures *to, struct pl_trigger_figures *from)
{
    atomic_store(&to->runs, atomic_load(&from->runs));
    atomic_store(&to->records, atomic_load(&from->records));
    atomic_store(&to->failures, atomic_load(&from->failures));
    atomic_store(&to->letters, atomic_load(&from->letters));
    atomic_store(&to->trimmed, atomic_load(&from->trimmed));
}

static int add_entry(struct pl_schedule *schedule, struct pl_table *table, const struct pl_trigger *trigger,
                     struct pl_schedule_entry *before)
{
    struct pl_schedule_entry *entry =
        calloc(1, sizeof *entry + schedule->partition_count * sizeof entry->places[0]);

    if (entry == NULL)
        return PL_ENOMEM;
    entry->source.table = pl_table_ref(table);
    entry->source.trigger = *trigger;
    entry->source.figures = &entry->figures;
    entry->source.budget = &schedule->budget;
    entry->was_named = true;
    if (before != NULL)
        copy_figures(&entry->figures, &before->figures);
    entry->next = schedule->entries;
    schedule->entries = entry;
    return 0;
}

static int learn_trigger(struct pl_schedule *schedule, struct pl_table *table,
                         const struct pl_trigger *trigger)
{
    struct pl_schedule_entry *entry = find(schedule, trigger->id);

    if (entry != NULL && is_same(&entry->source, table, trigger)) {
        entry->was_named = true;
        return 0;
    }
    return add_entry(schedule, table, trigger, entry);
}

static void retire_others(struct pl_schedule *schedule)
{
    struct pl_schedule_entry *entry, *next;

    for (entry = schedule->entries; entry != NULL; entry = next) {
        next = entry->next;
        entry->retired = entry->retired || !entry->was_named;
        if (entry->retired && entry->held == 0)
            free_entry(schedule, entry);
    }
}

int pl_schedule_learn(struct pl_schedule *schedule, const struct pl_tables *tables)
{
    int rc = 0;

    for (struct pl_schedule_entry *entry = schedule->entries; entry != NULL; entry = entry->next)
        entry->was_named = false;
    for (uint32_t t = 0; t < tables->count && rc == 0; t++) {
        struct pl_table *table = tables->tables[t];

        for (uint32_t i = 0; i < table->trigger_count && table->stream_id != 0 && rc == 0; i++)
            rc = learn_trigger(schedule, table, &table->triggers[i]);
    }
    if (rc == 0)
        retire_others(schedule);
    return rc;
}

/* ---- whose turn it is ------------------------------------------------------------------------------- */

static void note_due(uint64_t *due_ns, uint64_t when_ns)
{
    if (when_ns < *due_ns)
        *due_ns = when_ns;
}

static bool is_ready(const struct slot *slot, uint64_t applied, uint64_t now_ns, uint64_t *due_ns)
{
    const struct pl_lane *lane = &slot->lane.lane;

    if (slot->busy)
        return false;
    if (slot->last == PL_LANE_REST)
        return applied > lane->looked;
    if (slot->last != PL_LANE_WAIT)
        return true;
    if (now_ns >= lane->due_ns || (lane->pauses == 0 && applied > lane->looked))
        return true;
    note_due(due_ns, lane->due_ns);
    return false;
}

/* Room for what will be known is made here, so that giving it back cannot fail. */
static bool take_loading(struct pl_schedule_entry *entry, uint32_t partition, uint64_t applied,
                         uint64_t now_ns, struct pl_schedule_task *out, uint64_t *due_ns)
{
    struct place *place = &entry->places[partition];

    if (applied == 0 || place->fresh != NULL)
        return false;
    if (now_ns < place->due_ns) {
        note_due(due_ns, place->due_ns);
        return false;
    }
    place->fresh = calloc(entry->source.trigger.parallel, sizeof *place->fresh);
    if (place->fresh == NULL) {
        place->due_ns = now_ns + RELOAD_PAUSE_MS * UINT64_C(1000000);
        note_due(due_ns, place->due_ns);
        return false;
    }
    out->lanes = place->fresh;
    return true;
}

static bool take_lane(struct pl_schedule_entry *entry, struct place *place, uint64_t applied, uint64_t now_ns,
                      struct pl_schedule_task *out, uint64_t *due_ns)
{
    for (uint32_t i = 0; i < entry->source.trigger.parallel; i++)
        if (is_ready(&place->slots[i], applied, now_ns, due_ns)) {
            place->slots[i].busy = true;
            out->lane = &place->slots[i].lane;
            return true;
        }
    return false;
}

static bool take_at(struct pl_schedule *schedule, struct pl_schedule_entry *entry, uint32_t partition,
                    uint64_t now_ns, struct pl_schedule_task *out, uint64_t *due_ns)
{
    struct place *place = &entry->places[partition];
    bool taken;

    *out = (struct pl_schedule_task){ .entry = entry,
                                      .source = &entry->source,
                                      .partition = (uint16_t)partition };
    out->applied = pl_sequences_applied(schedule->sequences, (uint16_t)partition);
    taken = place->slots == NULL ? take_loading(entry, partition, out->applied, now_ns, out, due_ns)
                                 : take_lane(entry, place, out->applied, now_ns, out, due_ns);
    if (taken)
        entry->held++;
    return taken;
}

/* The place after the one that was given out last. */
static void next_turn(struct pl_schedule *schedule)
{
    if (++schedule->turn_partition < schedule->partition_count)
        return;
    schedule->turn_partition = 0;
    schedule->turn_entry = schedule->turn_entry->next;
}

bool pl_schedule_take(struct pl_schedule *schedule, uint64_t now_ns, struct pl_schedule_task *out,
                      uint64_t *due_ns)
{
    uint64_t places = 0;

    *due_ns = UINT64_MAX;
    for (struct pl_schedule_entry *entry = schedule->entries; entry != NULL; entry = entry->next)
        places += schedule->partition_count;
    for (uint64_t i = 0; i < places; i++) {
        if (schedule->turn_entry == NULL) {
            schedule->turn_entry = schedule->entries;
            schedule->turn_partition = 0;
        }
        if (!schedule->turn_entry->retired &&
            take_at(schedule, schedule->turn_entry, schedule->turn_partition, now_ns, out, due_ns)) {
            next_turn(schedule);
            return true;
        }
        next_turn(schedule);
    }
    return false;
}

static void note_state(struct slot *slot)
{
    const struct pl_lane *lane = &slot->lane.lane;

    slot->position = lane->position;
    slot->paused = lane->pauses > 0;
}

static struct slot *slots_of(const struct pl_schedule_entry *entry)
{
    return calloc(entry->source.trigger.parallel, sizeof(struct slot));
}

static void end_loading(struct pl_schedule_entry *entry, struct place *place, int rc, uint64_t now_ns)
{
    struct slot *slots = rc == 0 ? slots_of(entry) : NULL;

    for (uint32_t i = 0; slots != NULL && i < entry->source.trigger.parallel; i++) {
        slots[i].lane = place->fresh[i];
        slots[i].last = PL_LANE_READ;
        note_state(&slots[i]);
    }
    if (slots == NULL)
        place->due_ns = now_ns + RELOAD_PAUSE_MS * UINT64_C(1000000);
    place->slots = slots;
    free(place->fresh);
    place->fresh = NULL;
}

void pl_schedule_give_back(struct pl_schedule *schedule, const struct pl_schedule_task *task, int rc,
                           enum pl_lane_step step, uint64_t now_ns)
{
    if (task->lanes != NULL) {
        end_loading(task->entry, &task->entry->places[task->partition], rc, now_ns);
    } else {
        struct slot *slot = pl_container_of(task->lane, struct slot, lane);

        slot->last = step;
        slot->busy = false;
        note_state(slot);
    }
    release(schedule, task->entry);
}

/* ---- looking ---------------------------------------------------------------------------------------- */

struct pl_schedule_entry *pl_schedule_hold(struct pl_schedule *schedule, uint32_t trigger_id,
                                           const struct pl_trigger_source **source)
{
    struct pl_schedule_entry *entry = find(schedule, trigger_id);

    if (entry != NULL) {
        entry->held++;
        *source = &entry->source;
    }
    return entry;
}

void pl_schedule_release(struct pl_schedule *schedule, struct pl_schedule_entry *entry)
{
    release(schedule, entry);
}

static uint64_t count_paused(const struct place *place, uint32_t parallel)
{
    uint64_t paused = 0;

    for (uint32_t i = 0; place->slots != NULL && i < parallel; i++)
        paused += place->slots[i].paused;
    return paused;
}

bool pl_schedule_positions(struct pl_schedule *schedule, uint32_t trigger_id, uint16_t partition,
                           uint64_t positions[PL_PROGRESS_SLOTS_MAX])
{
    struct pl_schedule_entry *entry = find(schedule, trigger_id);
    const struct place *place = entry == NULL ? NULL : &entry->places[partition];

    if (place == NULL || place->slots == NULL)
        return false;
    for (uint32_t i = 0; i < entry->source.trigger.parallel; i++)
        positions[i] = place->slots[i].position;
    return true;
}

bool pl_schedule_report(struct pl_schedule *schedule, uint32_t trigger_id, struct pl_schedule_report *out)
{
    struct pl_schedule_entry *entry = find(schedule, trigger_id);

    if (entry == NULL)
        return false;
    *out = (struct pl_schedule_report){ .runs = atomic_load(&entry->figures.runs),
                                        .records = atomic_load(&entry->figures.records),
                                        .failures = atomic_load(&entry->figures.failures),
                                        .letters = atomic_load(&entry->figures.letters),
                                        .trimmed = atomic_load(&entry->figures.trimmed) };
    for (uint32_t p = 0; p < schedule->partition_count; p++)
        out->waiting += count_paused(&entry->places[p], entry->source.trigger.parallel);
    return true;
}
