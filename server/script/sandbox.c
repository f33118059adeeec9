/* SPDX-License-Identifier: MIT */
#include "script/sandbox.h"

#include "script/sentence.h"

#include <lauxlib.h>
#include <stdlib.h>

/*
 * How a call ends early (┄▸ means: at the next instruction of the script):
 *
 *   hook, allocator or charge sees it ─▸ end() ─▸ hook every instruction ┄▸ raise
 *                                                    ▲                       │
 *                                                    └┄┄ pcall caught it ◂┄┄┄┘
 *
 * A loop that swallows the error dies at its own next step, so the error leaves the
 * script whatever the script does; pl_sandbox_call() then tells what end() noted.
 */
enum ending { RUNNING, OUT_OF_TIME, OUT_OF_INSTRUCTIONS, OUT_OF_MEMORY, STARVED };

enum {
    TICK_INSTRUCTIONS = 100,
    CREDIT_BYTES = 1 << 20,      /* moved or allocated between two looks at the clock */
    BIG_BLOCK_BYTES = 64 * 1024, /* comparing two of them takes microseconds: tick more often */
    HUGE_BLOCK_BYTES = 1 << 20,  /* milliseconds: tick at each instruction */
    RESERVE_FRACTION = 16,
    BLOCK_FRACTION = 4,
};

struct pl_sandbox {
    lua_State *L;
    struct pl_script_limits limits;
    struct pl_clock clock;
    struct pl_loan loan;

    size_t used_bytes;
    size_t peak_bytes;
    bool pressed;        /* over the limit, living on the reserve: collect at the next instruction */
    bool refused;        /* the last request for more got NULL */
    bool capped;         /* some request of this call did */
    uint32_t big_blocks; /* alive: one instruction may work on that many bytes */
    uint32_t huge_blocks;
    bool worn;
    size_t own_bytes; /* held when all was loaded; 0: not yet */

    enum ending ending;
    bool running;
    uint32_t time_ms;
    uint64_t deadline_ns;
    uint64_t instructions_left;
    int64_t credit_bytes;
    int tick;
    char where[128]; /* the script's line at which it ended */
};

static void hook(lua_State *L, lua_Debug *ar);

static void set_tick(struct pl_sandbox *s, int instructions)
{
    if (s->tick == instructions)
        return;
    s->tick = instructions;
    lua_sethook(s->L, hook, LUA_MASKCOUNT, instructions);
}

static void end(struct pl_sandbox *s, enum ending ending)
{
    if (s->ending == RUNNING)
        s->ending = ending;
    if (ending == OUT_OF_MEMORY)
        s->worn = true;
    set_tick(s, 1);
}

static void look_at_clock(struct pl_sandbox *s)
{
    s->credit_bytes = CREDIT_BYTES;
    if (pl_clock_monotonic_ns(&s->clock) >= s->deadline_ns)
        end(s, OUT_OF_TIME);
}

static void spend(struct pl_sandbox *s, size_t bytes)
{
    if (!s->running)
        return;
    s->credit_bytes -= bytes > CREDIT_BYTES ? CREDIT_BYTES : (int64_t)bytes;
    if (s->credit_bytes <= 0)
        look_at_clock(s);
}

/* Asked for more than there is. Lua collects and asks once more; a second no is the end of the call. */
static void *refuse(struct pl_sandbox *s)
{
    if (s->running) {
        if (s->refused)
            end(s, OUT_OF_MEMORY);
        s->refused = s->capped = true;
        set_tick(s, 1);
        look_at_clock(s);
    }
    return NULL;
}

static int tick_for(const struct pl_sandbox *s)
{
    if (s->pressed || s->huge_blocks > 0)
        return 1;
    return s->big_blocks > 0 ? TICK_INSTRUCTIONS / 10 : TICK_INSTRUCTIONS;
}

static bool may_have(const struct pl_sandbox *s, size_t more, size_t block)
{
    size_t limit = s->limits.memory_bytes;

    return block <= pl_sandbox_block_max(s) && more <= limit + limit / RESERVE_FRACTION - s->used_bytes;
}

static void account(struct pl_sandbox *s, size_t old_size, size_t new_size)
{
    s->used_bytes += new_size;
    s->used_bytes -= old_size;
    s->big_blocks += (uint32_t)(new_size >= BIG_BLOCK_BYTES) - (uint32_t)(old_size >= BIG_BLOCK_BYTES);
    s->huge_blocks += (uint32_t)(new_size >= HUGE_BLOCK_BYTES) - (uint32_t)(old_size >= HUGE_BLOCK_BYTES);
    if (new_size <= old_size)
        return;
    s->refused = false;
    if (s->used_bytes > s->peak_bytes)
        s->peak_bytes = s->used_bytes;
    if (!s->running)
        return;
    if (s->used_bytes > s->limits.memory_bytes)
        s->pressed = true;
    if (tick_for(s) < s->tick)
        set_tick(s, tick_for(s));
    spend(s, new_size - old_size);
}

static void *allocate(void *ud, void *block, size_t old_size, size_t new_size)
{
    struct pl_sandbox *s = ud;
    void *moved;

    if (block == NULL)
        old_size = 0; /* Lua passes the kind of the object there */
    if (new_size == 0) {
        free(block);
        account(s, old_size, 0);
        return NULL;
    }
    if (new_size > old_size && !may_have(s, new_size - old_size, new_size))
        return refuse(s);
    moved = realloc(block, new_size);
    if (moved == NULL && new_size > old_size)
        return NULL;
    account(s, old_size, new_size);
    return moved != NULL ? moved : block; /* Lua counts on shrinking to succeed */
}

/* Between two instructions a collection is safe, which inside an allocation it is not quite. */
static void relieve(struct pl_sandbox *s)
{
    lua_gc(s->L, LUA_GCCOLLECT);
    s->pressed = false;
    if (s->used_bytes > s->limits.memory_bytes)
        end(s, OUT_OF_MEMORY);
}

static const char *ending_sentence(const struct pl_sandbox *s, char text[128])
{
    switch (s->ending) {
    case OUT_OF_TIME:
        snprintf(text, 128, "the function ran longer than %u ms", (unsigned)s->time_ms);
        break;
    case OUT_OF_INSTRUCTIONS:
        snprintf(text, 128, "the function ran more than %llu instructions",
                 (unsigned long long)s->limits.instructions);
        break;
    case STARVED:
        snprintf(text, 128, "%s", pl_error_sentence(PL_ENOMEM));
        break;
    default:
        snprintf(text, 128, "the function used more than %zu KiB of memory", s->limits.memory_bytes / 1024);
        break;
    }
    return text;
}

/* The innermost line of Lua: inside a hook or a C function that is not the first level. */
static void note_where(lua_State *L, struct pl_sandbox *s)
{
    lua_Debug ar;

    for (int level = 0; s->where[0] == '\0' && lua_getstack(L, level, &ar); level++)
        if (lua_getinfo(L, "Sl", &ar) != 0 && ar.currentline > 0)
            snprintf(s->where, sizeof s->where, "%s:%d: ", ar.short_src, ar.currentline);
}

static void raise(lua_State *L, struct pl_sandbox *s)
{
    char text[128];

    note_where(L, s);
    luaL_error(L, "%s%s", s->where, ending_sentence(s, text));
}

static void hook(lua_State *L, lua_Debug *ar)
{
    struct pl_sandbox *s = pl_sandbox_of(L);

    (void)ar;
    if (!s->running)
        return;
    if (s->ending == RUNNING) {
        if (s->pressed)
            relieve(s);
        if (s->instructions_left < (uint64_t)s->tick)
            end(s, OUT_OF_INSTRUCTIONS);
        else
            s->instructions_left -= (uint64_t)s->tick;
        look_at_clock(s);
    }
    if (s->ending == RUNNING) {
        set_tick(s, tick_for(s));
        return;
    }
    raise(L, s);
}

static void fill_defaults(struct pl_script_limits *limits)
{
    if (limits->time_ms == 0)
        limits->time_ms = 100;
    if (limits->load_time_ms == 0)
        limits->load_time_ms = 1000;
    if (limits->instructions == 0)
        limits->instructions = 1000000000;
    if (limits->memory_bytes == 0)
        limits->memory_bytes = (size_t)64 << 20;
}

int pl_sandbox_new(const struct pl_script_limits *limits, struct pl_clock clock, struct pl_sandbox **out)
{
    struct pl_sandbox *s = calloc(1, sizeof *s);

    if (s == NULL)
        return PL_ENOMEM;
    s->limits = *limits;
    fill_defaults(&s->limits);
    s->clock = clock;
    s->L = lua_newstate(allocate, s);
    if (s->L == NULL) {
        free(s);
        return PL_ENOMEM;
    }
    set_tick(s, TICK_INSTRUCTIONS);
    *out = s;
    return 0;
}

void pl_sandbox_free(struct pl_sandbox *s)
{
    if (s == NULL)
        return;
    lua_close(s->L);
    free(s);
}

/* What the error was, for a person; runs no code of the script's. */
static int fail(struct pl_sandbox *s, int status, struct pl_reason *why)
{
    lua_State *L = s->L;
    char text[128];

    if (s->ending == RUNNING && status == LUA_ERRMEM && s->capped)
        end(s, OUT_OF_MEMORY);
    if (s->ending == STARVED)
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    if (s->ending != RUNNING)
        return pl_reason_set(why, PL_ESCRIPT, "%s%s", s->where, ending_sentence(s, text));
    if (status == LUA_ERRMEM)
        return pl_reason_set(why, PL_ENOMEM, "%s", pl_error_sentence(PL_ENOMEM));
    if (lua_type(L, -1) == LUA_TSTRING)
        return pl_sentence_set(why, PL_ESCRIPT, pl_bytes(lua_tostring(L, -1), lua_rawlen(L, -1)));
    return pl_reason_set(why, PL_ESCRIPT, "the function raised an error that is a %s, not a string",
                         luaL_typename(L, -1));
}

static void begin(struct pl_sandbox *s, uint32_t time_ms)
{
    s->loan.call++;
    s->ending = RUNNING;
    s->where[0] = '\0';
    s->pressed = s->refused = s->capped = false;
    s->time_ms = time_ms;
    s->deadline_ns = pl_clock_monotonic_ns(&s->clock) + (uint64_t)time_ms * 1000000u;
    s->instructions_left = s->limits.instructions;
    s->credit_bytes = CREDIT_BYTES;
    s->running = true;
    set_tick(s, tick_for(s));
}

/*
 * What a call leaves behind for good takes room from all that follow. Half of what is
 * free for them is too much.
 */
static void notice_hoard(struct pl_sandbox *s)
{
    size_t most = s->own_bytes + (s->limits.memory_bytes - s->own_bytes) / 2;

    if (s->own_bytes == 0 || s->used_bytes <= most)
        return;
    lua_gc(s->L, LUA_GCCOLLECT);
    if (s->used_bytes > most)
        s->worn = true;
}

void pl_sandbox_loaded(struct pl_sandbox *s)
{
    lua_gc(s->L, LUA_GCCOLLECT);
    s->own_bytes = s->used_bytes;
}

int pl_sandbox_call(struct pl_sandbox *s, uint32_t time_ms, lua_CFunction body, void *arg,
                    struct pl_reason *why)
{
    lua_State *L = s->L;
    int status, rc = 0;

    PL_ASSERT(!s->running);
    begin(s, time_ms);
    lua_pushcfunction(L, body);
    lua_pushlightuserdata(L, arg);
    status = lua_pcall(L, 1, 0, 0);
    s->running = false;
    s->loan.call++;
    if (status != LUA_OK || s->ending != RUNNING)
        rc = fail(s, status, why);
    lua_settop(L, 0);
    notice_hoard(s);
    return rc;
}

struct pl_sandbox *pl_sandbox_of(lua_State *L)
{
    void *ud;

    return lua_getallocf(L, &ud) == allocate ? ud : NULL;
}

void pl_sandbox_charge(lua_State *L, size_t bytes)
{
    struct pl_sandbox *s = pl_sandbox_of(L);

    if (s == NULL)
        return;
    spend(s, bytes);
    pl_sandbox_check(L);
}

void pl_sandbox_starve(lua_State *L)
{
    struct pl_sandbox *s = pl_sandbox_of(L);

    if (s != NULL && s->running)
        end(s, s->capped ? OUT_OF_MEMORY : STARVED);
}

bool pl_sandbox_has_ended(lua_State *L)
{
    const struct pl_sandbox *s = pl_sandbox_of(L);

    return s != NULL && s->running && s->ending != RUNNING;
}

/* Memory is judged at the next instruction, where it can be collected; the rest at once. */
void pl_sandbox_check(lua_State *L)
{
    if (pl_sandbox_has_ended(L))
        raise(L, pl_sandbox_of(L));
}

lua_State *pl_sandbox_state(const struct pl_sandbox *s)
{
    return s->L;
}

const struct pl_clock *pl_sandbox_clock(const struct pl_sandbox *s)
{
    return &s->clock;
}

struct pl_loan *pl_sandbox_loan(struct pl_sandbox *s)
{
    return &s->loan;
}

const struct pl_script_limits *pl_sandbox_limits(const struct pl_sandbox *s)
{
    return &s->limits;
}

bool pl_sandbox_is_worn(const struct pl_sandbox *s)
{
    return s->worn;
}

size_t pl_sandbox_used_bytes(const struct pl_sandbox *s)
{
    return s->used_bytes;
}

size_t pl_sandbox_peak_bytes(const struct pl_sandbox *s)
{
    return s->peak_bytes;
}

size_t pl_sandbox_block_max(const struct pl_sandbox *s)
{
    return s->limits.memory_bytes / BLOCK_FRACTION;
}
