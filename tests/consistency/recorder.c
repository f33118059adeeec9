/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include "test.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLS_MAX = HISTORY_CALLS_MAX / HISTORY_CLIENTS_MAX,
    LOOK_ONE_IN = 12, /* requests: all items at once */
    TOKEN_ONE_IN = 2, /* transactions that write */
    FALSE_START_ONE_IN = 4,
    FALSE_START_US = 30000,
};

struct recorder_client {
    struct recorder *recorder;
    pthread_t thread;
    uint8_t number;
    uint64_t random;
    unsigned life; /* of the server that the link goes to */
    struct link link;
    unsigned wanted;
    size_t count;
    struct call calls[CALLS_MAX];
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- a client --------------------------------------------------------------------------------------- */

/* Wait until there is a server that is not the one we lost. False: there will be none. */
static bool await_life(struct recorder_client *client, uint64_t *gone_ns)
{
    struct recorder *recorder = client->recorder;
    bool broken;

    link_close(&client->link);
    pthread_mutex_lock(&recorder->lock);
    while (recorder->life == client->life && !recorder->broken)
        pthread_cond_wait(&recorder->changed, &recorder->lock);
    client->life = recorder->life;
    *gone_ns = recorder->gone_ns;
    broken = recorder->broken;
    pthread_mutex_unlock(&recorder->lock);
    return !broken;
}

static bool connect_client(struct recorder_client *client)
{
    struct recorder *recorder = client->recorder;
    uint16_t port;

    pthread_mutex_lock(&recorder->lock);
    port = recorder->port;
    pthread_mutex_unlock(&recorder->lock);
    return port != 0 && link_open(&client->link, port);
}

/* A server that is killed before it takes us is one that we lost. */
static bool stay_connected(struct recorder_client *client)
{
    uint64_t gone_ns;

    while (client->link.fd < 0 && !connect_client(client))
        if (!await_life(client, &gone_ns))
            return false;
    return true;
}

static void call_it_broken(struct recorder *recorder, const char *line)
{
    pthread_mutex_lock(&recorder->lock);
    if (!recorder->broken)
        snprintf(recorder->strange, sizeof recorder->strange, "%s", line);
    recorder->broken = true;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
}

static bool changes(const struct call *call)
{
    for (uint8_t i = 0; i < call->action_count; i++)
        if (action_changes(&call->actions[i]))
            return true;
    return false;
}

static void plan_next(struct recorder_client *client, struct call *call)
{
    struct recorder *recorder = client->recorder;

    *call = (struct call){ .client = client->number };
    pthread_mutex_lock(&recorder->lock);
    plan_call(&recorder->plan, &recorder->seen, &recorder->put, &client->random, call);
    if (call->action_count > 1 && changes(call) && test_random(&client->random) % TOKEN_ONE_IN == 0)
        call->token = ++recorder->token;
    recorder->asked++;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
}

/* The clients tell each other, so that conditions are often of what is there. */
static void share(struct recorder_client *client, const struct call *call)
{
    struct recorder *recorder = client->recorder;

    pthread_mutex_lock(&recorder->lock);
    for (uint8_t i = 0; i < call->action_count; i++) {
        const struct action *action = &call->actions[i];
        int32_t *seen = &recorder->seen.values[action->key];

        if (call->outcome == CALL_DONE && action->kind == ACTION_PUT)
            *seen = action->value;
        else if (call->outcome == CALL_DONE && action->made_known)
            *seen = action->made;
        else if (call->outcome == CALL_DONE && action->kind == ACTION_DELETE)
            *seen = 0;
        else if (action->saw_known)
            *seen = action->saw;
    }
    pthread_mutex_unlock(&recorder->lock);
}

static bool cut_off(struct recorder_client *client, struct call *call)
{
    if (!await_life(client, &call->ended))
        return false;
    call->outcome = CALL_UNKNOWN;
    for (uint8_t i = 0; i < call->action_count; i++)
        call->actions[i].saw_known = call->actions[i].made_known = false;
    if (changes(call))
        client->calls[client->count++] = *call;
    return true;
}

/* `line` has the call; a strange reply takes its place. */
static enum wire_told ask_once(struct recorder_client *client, struct call *call, char *line)
{
    enum wire_told told =
        link_send(&client->link, line) ? wire_read(&client->link, call, line) : WIRE_CUT_OFF;

    call->ended = now_ns();
    return told;
}

/* Under a token until there is an answer, from whichever life of the server: it is one call for all that. */
static enum wire_told ask_until_told(struct recorder_client *client, struct call *call, char *line)
{
    struct call asked = *call;
    enum wire_told told = ask_once(client, &asked, line);
    uint64_t gone_ns;

    while (told == WIRE_CUT_OFF && call->token != 0 && await_life(client, &gone_ns) &&
           stay_connected(client)) {
        asked = *call;
        told = ask_once(client, &asked, line);
    }
    *call = asked;
    return told;
}

static bool make_call(struct recorder_client *client)
{
    char line[WIRE_LINE_BYTES];
    enum wire_told told;
    struct call call;

    plan_next(client, &call);
    wire_write(&client->recorder->place, &call, line);
    call.begun = now_ns();
    told = ask_until_told(client, &call, line);
    if (told == WIRE_CUT_OFF)
        return cut_off(client, &call);
    if (told == WIRE_STRANGE) {
        call_it_broken(client->recorder, line);
        return false;
    }
    share(client, &call);
    client->calls[client->count++] = call;
    return true;
}

/* All items in one request: as many reads, each for itself, within the same time. */
static bool look_around(struct recorder_client *client)
{
    struct call call = { .client = client->number, .action_count = 1 };
    uint8_t key_count = client->recorder->plan.key_count;
    char line[WIRE_LINE_BYTES];
    enum wire_told told;
    struct items items;
    uint64_t gone_ns;

    wire_write_look(&client->recorder->place, key_count, line);
    call.begun = now_ns();
    told = link_send(&client->link, line) ? wire_read_look(&client->link, &items, line) : WIRE_CUT_OFF;
    call.ended = now_ns();
    if (told == WIRE_CUT_OFF)
        return await_life(client, &gone_ns);
    if (told == WIRE_STRANGE) {
        call_it_broken(client->recorder, line);
        return false;
    }
    for (uint8_t key = 0; key < key_count; key++) {
        call.actions[0] =
            (struct action){ .kind = ACTION_GET, .key = key, .saw_known = true, .saw = items.values[key] };
        client->calls[client->count++] = call;
    }
    return true;
}

static void *act(void *arg)
{
    struct recorder_client *client = arg;
    bool goes_on = true;

    while (goes_on && client->count < client->wanted) {
        goes_on = stay_connected(client);
        if (goes_on && test_random(&client->random) % LOOK_ONE_IN == 0)
            goes_on = look_around(client);
        else if (goes_on)
            goes_on = make_call(client);
    }
    return NULL;
}

/* ---- the server's lives ----------------------------------------------------------------------------- */

/* Now and then it is killed while it recovers, too. */
static bool live_again(struct recorder *recorder)
{
    bool ready;

    while (recorder->life > 0 && test_random(&recorder->random) % FALSE_START_ONE_IN == 0) {
        if (!served_start(&recorder->served))
            return false;
        usleep((useconds_t)(test_random(&recorder->random) % FALSE_START_US));
        served_kill(&recorder->served);
    }
    ready = served_start(&recorder->served) && served_await(&recorder->served);
    pthread_mutex_lock(&recorder->lock);
    recorder->life++;
    recorder->port = recorder->served.port;
    pthread_cond_broadcast(&recorder->changed);
    pthread_mutex_unlock(&recorder->lock);
    return ready;
}

/* Until so many requests were made in this history. */
static bool await_requests(struct recorder *recorder, size_t count)
{
    bool broken;

    pthread_mutex_lock(&recorder->lock);
    while (recorder->asked < count && !recorder->broken)
        pthread_cond_wait(&recorder->changed, &recorder->lock);
    broken = recorder->broken;
    pthread_mutex_unlock(&recorder->lock);
    return !broken;
}

static bool kill_and_start(struct recorder *recorder)
{
    served_kill(&recorder->served);
    pthread_mutex_lock(&recorder->lock);
    recorder->port = 0;
    recorder->gone_ns = now_ns();
    pthread_mutex_unlock(&recorder->lock);
    if (live_again(recorder))
        return true;
    call_it_broken(recorder, "the server does not start again");
    return false;
}

/* ---- a history -------------------------------------------------------------------------------------- */

static void prepare(struct recorder *recorder, const struct plan *plan, unsigned calls)
{
    recorder->plan = *plan;
    recorder->place.history++;
    recorder->place.together = recorder->place.history % 2 == 0;
    recorder->put = 0;
    recorder->seen = (struct items){ 0 };
    recorder->asked = 0;
    for (uint8_t i = 0; i < HISTORY_CLIENTS_MAX; i++) {
        struct recorder_client *client = &recorder->clients[i];

        client->count = 0;
        client->wanted = calls;
        client->random = test_random(&recorder->random);
    }
}

/* Kills are spread over the time in which the clients are surely still at it. */
static void kill_now_and_then(struct recorder *recorder, unsigned calls, unsigned kills)
{
    size_t least = (size_t)calls * HISTORY_CLIENTS_MAX / (HISTORY_KEYS_MAX + 1);

    for (unsigned i = 0; i < kills; i++) {
        size_t at = least * i / kills + test_random(&recorder->random) % (least / kills);

        if (!await_requests(recorder, at) || !kill_and_start(recorder))
            return;
    }
}

static void gather(struct recorder *recorder, struct history *out)
{
    out->count = 0;
    out->key_count = recorder->plan.key_count;
    for (uint8_t i = 0; i < HISTORY_CLIENTS_MAX; i++) {
        struct recorder_client *client = &recorder->clients[i];

        memcpy(&out->calls[out->count], client->calls, client->count * sizeof client->calls[0]);
        out->count += client->count;
    }
    history_sort(out);
}

bool recorder_record(struct recorder *recorder, const struct plan *plan, unsigned calls, unsigned kills,
                     struct history *out)
{
    uint8_t started = 0;

    prepare(recorder, plan, calls);
    for (; started < HISTORY_CLIENTS_MAX; started++)
        if (pthread_create(&recorder->clients[started].thread, NULL, act, &recorder->clients[started]) != 0)
            break;
    if (started < HISTORY_CLIENTS_MAX)
        call_it_broken(recorder, "not enough threads");
    kill_now_and_then(recorder, calls, kills);
    for (uint8_t i = 0; i < started; i++)
        pthread_join(recorder->clients[i].thread, NULL);
    gather(recorder, out);
    return !recorder->broken;
}

/* ---- beginning and end ------------------------------------------------------------------------------ */

static bool ask_for(struct recorder *recorder, const char *line, const char *answer)
{
    struct link *link = &recorder->clients[0].link;
    const char *reply;

    if (link->fd < 0 && !link_open(link, recorder->port))
        return false;
    reply = link_ask(link, line);
    if (reply != NULL && strstr(reply, answer) != NULL)
        return true;
    call_it_broken(recorder, reply != NULL ? reply : "the server is gone");
    return false;
}

bool recorder_open(struct recorder *recorder, const char *program, uint64_t random)
{
    *recorder = (struct recorder){ .random = random };
    if (!served_init(&recorder->served, program))
        return false;
    pthread_mutex_init(&recorder->lock, NULL);
    pthread_cond_init(&recorder->changed, NULL);
    recorder->clients = calloc(HISTORY_CLIENTS_MAX, sizeof *recorder->clients);
    for (uint8_t i = 0; i < HISTORY_CLIENTS_MAX && recorder->clients != NULL; i++) {
        recorder->clients[i].recorder = recorder;
        recorder->clients[i].number = i;
        recorder->clients[i].life = 1;
        recorder->clients[i].link.fd = -1;
    }
    if (recorder->clients != NULL && live_again(recorder) && ask_for(recorder, wire_create, "OK"))
        return true;
    recorder_abandon(recorder);
    return false;
}

static void let_go(struct recorder *recorder, bool keep)
{
    for (uint8_t i = 0; i < HISTORY_CLIENTS_MAX && recorder->clients != NULL; i++)
        link_close(&recorder->clients[i].link);
    free(recorder->clients);
    served_deinit(&recorder->served, keep);
    pthread_mutex_destroy(&recorder->lock);
    pthread_cond_destroy(&recorder->changed);
}

bool recorder_close(struct recorder *recorder)
{
    bool sound = ask_for(recorder, "CHECK\n", "\"ok\":true");
    int status = served_stop(&recorder->served);

    sound = sound && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    let_go(recorder, !sound && getenv("PL_KEEP") != NULL);
    return sound;
}

void recorder_abandon(struct recorder *recorder)
{
    served_kill(&recorder->served);
    let_go(recorder, getenv("PL_KEEP") != NULL);
}
