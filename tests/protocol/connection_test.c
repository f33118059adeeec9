/* SPDX-License-Identifier: MIT */
#include "front/connection.h"
#include "front/listener.h"
#include "standin.h"

#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Bytes in, bytes out: a loop thread over a stand-in for the node. A client is one
 * end of a socket pair, or of a real connection where the door itself is looked at.
 */
struct stage {
    struct standin standin;
    struct pl_loop *loop;
};

enum { LINE_BYTES_MAX = 4096, IN_FLIGHT_MAX = 8, UNSENT_BYTES_MAX = 1 << 20 };

static void stage_open(struct stage *stage, uint64_t stall_timeout_ms, uint64_t idle_timeout_ms)
{
    struct pl_loop_options options = {
        .line_bytes_max = LINE_BYTES_MAX,
        .unsent_bytes_max = UNSENT_BYTES_MAX,
        .in_flight_max = IN_FLIGHT_MAX,
        .stall_timeout_ms = stall_timeout_ms,
        .idle_timeout_ms = idle_timeout_ms,
        .drain_timeout_ms = 5000,
    };

    standin_init(&stage->standin);
    options.engine = standin_engine(&stage->standin);
    CHECK(pl_loop_start(&options, &stage->loop) == 0);
}

/* pl_loop_join() asserts that no handle is open. */
static void stage_close(struct stage *stage)
{
    pl_loop_stop(stage->loop);
    pl_loop_join(stage->loop);
    CHECK(atomic_load(&stage->standin.attached) == 0 && atomic_load(&stage->standin.pending) == 0);
    CHECK(atomic_load(&stage->standin.tails) == 0);
    standin_deinit(&stage->standin);
}

static int stage_client(struct stage *stage)
{
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(pl_loop_adopt(stage->loop, &pl_connection_kind, ends[1]) == 0);
    return ends[0];
}

static void say(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

        CHECK(sent > 0);
        text += sent;
        len -= (size_t)sent;
    }
}

/* Waits for exactly these bytes. */
static void hear(int fd, const char *expected)
{
    size_t len = strlen(expected), got = 0;
    char *text = calloc(1, len + 1);

    CHECK(text != NULL);
    while (got < len) {
        ssize_t more = recv(fd, text + got, len - got, 0);

        if (more <= 0 || memcmp(text, expected, got + (size_t)more) != 0)
            fprintf(stderr, "heard: %s\n", text);
        CHECK(more > 0);
        got += (size_t)more;
        CHECK(memcmp(text, expected, got) == 0);
    }
    free(text);
}

static void hear_end(int fd)
{
    char byte;

    CHECK(recv(fd, &byte, 1, 0) == 0);
    close(fd);
}

static void requests_are_answered_in_their_order(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "PUT T {\"id\":1,\"v\":\"a\"}\nPUT T {\"id\":2}\nPUT Wrong {\"id\":3}\nGET T {\"id\":1}\r\n\n  "
            "\nPING\n"
            "GET T {\"id\":9}\nRELOAD\nCOUNT T\nSTATS\n");
    hear(fd, "OK\nOK\nERR ValidationException a wrong table\nOK {\"id\":1,\"v\":\"a\"}\nOK\nOK\nOK\n"
             "END {\"count\":2,\"scanned\":2}\nOK {\"writes\":0}\n");
    close(fd);
    stage_close(&stage);
}

static void a_read_waits_for_the_writes_before_it_and_a_tag_does_not(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    say(fd, "PUT T {\"id\":1}\n#a GET T {\"id\":1}\n#b PING\nPUT Wrong {\"id\":1}\n#c PUT T {\"id\":2}\nGET "
            "T {\"id\":1}\n");
    hear(fd, "#b OK\n#a OK\n"); /* GETs are done at the end of the turn */
    standin_release(&stage.standin);
    hear(fd, "OK\nERR ValidationException a wrong table\n#c OK\nOK {\"id\":1}\n");
    close(fd);
    stage_close(&stage);
}

/* GETs travel together, then writes do; none of it may show. */
static void a_pipeline_behaves_as_if_each_request_waited_for_the_one_before(void)
{
    struct pl_buf said = { 0 }, heard = { 0 };
    uint32_t values[4] = { 0 };
    struct stage stage;
    uint64_t seed = 7;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    for (uint32_t i = 1; i <= 600; i++) {
        uint32_t id = (uint32_t)(test_random(&seed) % 4), what = (uint32_t)(test_random(&seed) % 8);

        if (what == 0) {
            pl_buf_append_format(&said, "PING\n");
            pl_buf_append_format(&heard, "OK\n");
        } else if (what < 3) {
            pl_buf_append_format(&said, "PUT T {\"id\":%u,\"v\":%u}\n", id, i);
            pl_buf_append_format(&heard, "OK\n");
            values[id] = i;
        } else {
            pl_buf_append_format(&said, "GET %s {\"id\":%u}\n", what == 3 ? "Wrong" : "T", id);
            if (what == 3)
                pl_buf_append_format(&heard, "ERR ValidationException a wrong table\n");
            else if (values[id] == 0)
                pl_buf_append_format(&heard, "OK\n");
            else
                pl_buf_append_format(&heard, "OK {\"id\":%u,\"v\":%u}\n", id, values[id]);
        }
    }
    pl_buf_append_byte(&said, 0);
    pl_buf_append_byte(&heard, 0);
    say(fd, said.data);
    hear(fd, heard.data);
    pl_buf_deinit(&said);
    pl_buf_deinit(&heard);
    close(fd);
    stage_close(&stage);
}

static void a_wrong_request_costs_nothing_else(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "NONSENSE\nPUT T {\"id\":\n#7 GET T\nAUTH a b\nPING \xff\nPING\n");
    hear(fd, "ERR UnknownOperationException there is no verb 'NONSENSE': HELP lists them all\n"
             "ERR SerializationException PUT, in the item: expected a value at byte 12, found the end\n"
             "#7 ERR SerializationException GET expected the key as a JSON object {..}, found the end of the "
             "line. ");
    hear(fd, "The grammar is: GET table {key} [SELECT path, ...] [CONSISTENT] [NAMES {..}] [CAPACITY "
             "TOTAL|INDEXES]\n"
             "ERR ValidationException this server has no users: every connection may do everything, and AUTH "
             "is not "
             "needed\nERR SerializationException the line is not well-formed UTF-8\nOK\n");
    close(fd);
    stage_close(&stage);
}

static void a_line_that_is_too_long_is_refused_once_and_skipped(void)
{
    static const char refusal[] =
        "ERR SerializationException a request has at most 4096 bytes: this one was longer, "
        "and was not looked at\n";
    struct stage stage;
    char piece[1001];
    int fd;

    memset(piece, 'x', 1000);
    piece[1000] = '\0';
    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "#9 PUT ");
    for (int i = 0; i < 100; i++)
        say(fd, piece);
    hear(fd, "#9 ");
    hear(fd, refusal);
    say(fd, piece);
    say(fd, "\nPING\n");
    hear(fd, "OK\n");
    close(fd);
    stage_close(&stage);
}

static void half_a_line_at_the_end_is_not_carried_out(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "PUT T {\"id\":1}\nPUT T {\"id\":2}");
    shutdown(fd, SHUT_WR);
    hear(fd, "OK\n");
    hear_end(fd);
    fd = stage_client(&stage);
    say(fd, "COUNT T\n");
    hear(fd, "END {\"count\":1,\"scanned\":1}\n");
    close(fd);
    stage_close(&stage);
}

static void a_client_that_has_said_all_still_gets_every_reply(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    for (int i = 0; i < 500; i++)
        say(fd, i % 2 == 0 ? "PUT T {\"id\":1}\n" : "GET T {\"id\":1}\n");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 500; i++)
        hear(fd, i % 2 == 0 ? "OK\n" : "OK {\"id\":1}\n");
    hear_end(fd);
    stage_close(&stage);
}

static void quit_answers_and_closes_and_hears_no_more(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "PUT T {\"id\":1}\nQUIT\nPING\n");
    hear(fd, "OK\nOK\n");
    hear_end(fd);
    stage_close(&stage);
}

static void however_bytes_are_cut_the_replies_are_the_same(void)
{
    static const char request[] = "PUT T {\"id\":5,\"v\":\"\xc3\xa4\"}\r\n#t GET T {\"id\":5}\n\nPING\nFOO\n";
    static const char reply[] = "OK {\"id\":5,\"v\":\"\xc3\xa4\"}\n";
    uint64_t seed = test_seed();
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "PUT T {\"id\":5,\"v\":\"\xc3\xa4\"}\n");
    hear(fd, "OK\n");
    for (int round = 0; round < 200; round++) {
        char all[8192] = "", piece[64];
        size_t len, at = 0;

        for (int i = 0; i < 20; i++)
            strcat(all, request);
        len = strlen(all);
        while (at < len) {
            size_t cut = 1 + test_random(&seed) % 60;

            cut = cut < len - at ? cut : len - at;
            memcpy(piece, all + at, cut);
            piece[cut] = '\0';
            say(fd, piece);
            at += cut;
        }
        /* The tagged GET may overtake the PUT before it, so count instead of comparing. */
        for (int i = 0, oks = 0, tagged = 0; i < 80; i++) {
            char line[128];
            size_t got = 0;

            do {
                CHECK(recv(fd, &line[got], 1, 0) == 1);
            } while (line[got++] != '\n');
            line[got] = '\0';
            tagged += strncmp(line, "#t OK ", 6) == 0 && strcmp(line + 3, reply) == 0;
            oks += strcmp(line, "OK\n") == 0;
            CHECK_MSG(i < 79 || (oks == 40 && tagged == 20), "seed %llu", (unsigned long long)seed);
        }
    }
    close(fd);
    stage_close(&stage);
}

static void a_count_follows_the_pages_to_their_end(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "COUNT Pages\nPING\nSCAN Pages COUNT\n");
    hear(fd, "END {\"count\":7,\"scanned\":14}\nOK\nEND {\"count\":1,\"scanned\":2,\"next\":{\"page\":1}}\n");
    /* One that had to wait for a write begins in another place of the turn. */
    say(fd, "PUT T {\"id\":1}\nCOUNT Pages\nPUT T {\"id\":1}\nCOUNT Pages\n");
    hear(fd, "OK\nEND {\"count\":7,\"scanned\":14}\nOK\nEND {\"count\":7,\"scanned\":14}\n");
    say(fd, "COUNT Pages\n");
    close(fd); /* while it counts */
    stage_close(&stage);
}

static void no_more_requests_are_in_flight_than_allowed(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    for (int i = 0; i < 100; i++)
        say(fd, "PUT T {\"id\":1}\n#x PUT T {\"id\":2}\n");
    while (atomic_load(&stage.standin.pending) < IN_FLIGHT_MAX)
        sched_yield();
    standin_release(&stage.standin);
    for (int i = 0, tagged = 0; i < 200; i++) {
        char c[8];

        CHECK(recv(fd, c, 3, MSG_WAITALL) == 3);
        if (c[0] == '#') {
            CHECK(recv(fd, c, 3, MSG_WAITALL) == 3);
            tagged++;
        }
        CHECK(i < 199 || tagged == 100);
    }
    CHECK(atomic_load(&stage.standin.pending_max) == IN_FLIGHT_MAX);
    close(fd);
    stage_close(&stage);
}

enum { BIG_REQUESTS = 60, SOCKET_PAGES_MAX = 8 };

static void who_does_not_read_is_not_served_further(void)
{
    size_t total = 0, page = STANDIN_BIG_ROWS * (sizeof "ROW {\"text\":\"\"}\n" - 1 + 1000);
    struct stage stage;
    char bytes[65536];
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    for (int i = 0; i < BIG_REQUESTS; i++)
        say(fd, "SCAN Big\n");
    shutdown(fd, SHUT_WR);
    for (;;) {
        ssize_t len = recv(fd, bytes, sizeof bytes, 0);

        CHECK(len >= 0);
        if (len == 0)
            break;
        total += (size_t)len;
        CHECK(atomic_load(&stage.standin.scans) <= total / page + SOCKET_PAGES_MAX);
    }
    CHECK(atomic_load(&stage.standin.scans) == BIG_REQUESTS && total > BIG_REQUESTS * page);
    close(fd);
    stage_close(&stage);
}

static void who_never_reads_is_cut(void)
{
    struct stage stage;
    struct pollfd poll_fd = { .events = POLLRDHUP };

    stage_open(&stage, 300, 0);
    poll_fd.fd = stage_client(&stage);
    for (int i = 0; i < BIG_REQUESTS; i++)
        say(poll_fd.fd, "SCAN Big\n");
    CHECK(poll(&poll_fd, 1, 20000) == 1);
    CHECK(atomic_load(&stage.standin.scans) < BIG_REQUESTS);
    close(poll_fd.fd);
    poll_fd.fd = stage_client(&stage);
    say(poll_fd.fd, "PUT T {\"id\"");
    hear_end(poll_fd.fd); /* half a request, for ever */
    stage_close(&stage);
}

static void who_is_silent_too_long_is_closed(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 300);
    fd = stage_client(&stage);
    say(fd, "PING\n");
    hear(fd, "OK\n");
    hear_end(fd);
    stage_close(&stage);
}

static void a_tail_tells_what_comes_and_where_it_stands(void)
{
    struct stage stage;
    int fd, other;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    other = stage_client(&stage);
    say(fd, "TAIL T\n");
    hear(fd, "ROW {\"position\":\"0\"}\n");
    standin_stream(&stage.standin, 2);
    hear(fd, "ROW {\"n\":1}\nROW {\"n\":2}\nROW {\"position\":\"2\"}\n");
    say(other, "PING\n#x TAIL T FROM oldest\n");
    hear(other, "OK\n#x ROW {\"n\":1}\n#x ROW {\"n\":2}\n#x ROW {\"position\":\"2\"}\n");
    standin_stream(&stage.standin, 13);
    hear(fd, "ROW {\"n\":3}\nROW {\"n\":4}\nROW {\"n\":5}\nROW {\"n\":6}\nROW {\"n\":7}\nROW {\"n\":8}\n"
             "ROW {\"n\":9}\nROW {\"n\":10}\nROW {\"n\":11}\nROW {\"n\":12}\nROW {\"position\":\"12\"}\n"
             "ROW {\"n\":13}\nROW {\"position\":\"13\"}\n");
    close(other);
    say(fd, "\nTAIL T FROM 11\n");
    hear(fd, "END {\"count\":13,\"position\":\"13\"}\n"
             "ROW {\"n\":12}\nROW {\"n\":13}\nROW {\"position\":\"13\"}\n");
    close(fd);
    stage_close(&stage);
}

static void the_next_line_ends_a_tail_and_runs(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "TAIL T\n");
    hear(fd, "ROW {\"position\":\"0\"}\n");
    say(fd, "#a GET T {\"id\":1}\nTAIL Wrong\nTAIL T LATEST\nPING\n#b TAIL T\n");
    hear(fd, "END {\"count\":0,\"position\":\"0\"}\nERR ValidationException a wrong table\n"
             "ERR SerializationException TAIL expected FROM or the end of the line, found 'LATEST'. The "
             "grammar is: "
             "TAIL table [FROM oldest|latest|position]\nOK\n#b ROW {\"position\":\"0\"}\n#a OK\n");
    say(fd, "PI"); /* not a line yet */
    standin_stream(&stage.standin, 1);
    hear(fd, "#b ROW {\"n\":1}\n#b ROW {\"position\":\"1\"}\n");
    say(fd, "NG\nTAIL T\nTAIL T\nQUIT\n");
    hear(fd, "#b END {\"count\":1,\"position\":\"1\"}\nOK\nEND {\"count\":0,\"position\":\"1\"}\n"
             "END {\"count\":0,\"position\":\"1\"}\nOK\n");
    hear_end(fd);
    stage_close(&stage);
}

static void a_tail_ends_with_its_stream(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "TAIL T\n");
    hear(fd, "ROW {\"position\":\"0\"}\n");
    atomic_store(&stage.standin.stream_ended, true);
    standin_stream(&stage.standin, 1);
    hear(fd, "ROW {\"n\":1}\nEND {\"count\":1,\"ended\":true,\"position\":\"1\"}\n");
    atomic_store(&stage.standin.stream_ended, false);
    say(fd, "TAIL T\n");
    hear(fd, "ROW {\"position\":\"1\"}\n");
    atomic_store(&stage.standin.stream_trimmed, true);
    standin_stream(&stage.standin, 2);
    hear(fd, "ERR TrimmedDataAccessException records that were not told yet are kept no longer: start from "
             "oldest\n");
    say(fd, "PING\n");
    hear(fd, "OK\n");
    close(fd);
    stage_close(&stage);
}

static void who_says_no_more_is_told_all_up_to_now(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    say(fd, "PING\n");
    hear(fd, "OK\n"); /* the loop is there */
    standin_stream(&stage.standin, 2);
    say(fd, "TAIL T FROM oldest\n");
    shutdown(fd, SHUT_WR);
    hear(fd, "ROW {\"n\":1}\nROW {\"n\":2}\nROW {\"position\":\"2\"}\n"
             "END {\"count\":2,\"position\":\"2\"}\n");
    hear_end(fd);
    fd = stage_client(&stage);
    say(fd, "TAIL T\n");
    hear(fd, "ROW {\"position\":\"2\"}\n");
    pl_loop_stop(stage.loop); /* and a server that stops says so */
    hear(fd, "END {\"count\":0,\"position\":\"2\"}\n");
    hear_end(fd);
    pl_loop_join(stage.loop);
    CHECK(atomic_load(&stage.standin.tails) == 0);
    standin_deinit(&stage.standin);
}

/* Others are served meanwhile, and a line ends it however much is unsent. */
static void a_tail_that_is_not_read_waits(void)
{
    enum { RECORDS = 20000, KEPT_MAX = (UNSENT_BYTES_MAX + (4 << 20)) / 1000 };
    struct stage stage;
    size_t total = 0;
    char bytes[65536];
    int fd, other;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    other = stage_client(&stage);
    say(fd, "TAIL Big FROM oldest\n");
    hear(fd, "ROW {\"position\":\"0\"}\n");
    standin_stream(&stage.standin, RECORDS);
    for (int i = 0; i < 200; i++) {
        say(other, "PING\n");
        hear(other, "OK\n");
    }
    CHECK(atomic_load(&stage.standin.records_read) < KEPT_MAX);
    while (total < 10 << 20) {
        ssize_t len = recv(fd, bytes, sizeof bytes, 0);

        CHECK(len > 0);
        total += (size_t)len;
        CHECK(atomic_load(&stage.standin.records_read) < total / 1000 + KEPT_MAX);
    }
    say(fd, "QUIT\n");
    while (recv(fd, bytes, sizeof bytes, 0) > 0)
        total++;
    CHECK(atomic_load(&stage.standin.records_read) < RECORDS);
    close(fd);
    close(other);
    stage_close(&stage);
}

/* Each reads a little a turn; with a kilobyte a row a turn is over before all had theirs. */
static void every_tail_has_its_turn(void)
{
    enum { TAILS = 40, RECORDS = 500 };
    char wanted[40];
    int fds[TAILS];
    struct stage stage;

    stage_open(&stage, 0, 0);
    for (int i = 0; i < TAILS; i++) {
        fds[i] = stage_client(&stage);
        say(fds[i], "TAIL Big FROM oldest\n");
        hear(fds[i], "ROW {\"position\":\"0\"}\n");
    }
    standin_stream(&stage.standin, RECORDS);
    snprintf(wanted, sizeof wanted, "{\"position\":\"%d\"}\n", RECORDS);
    for (int i = 0; i < TAILS; i++) {
        char bytes[8192], end[64] = "";

        while (strstr(end, wanted) == NULL) {
            ssize_t len = recv(fds[i], bytes, sizeof bytes, 0);
            size_t kept = len < 40 ? strlen(end) : 0, take = len < 40 ? (size_t)len : 40;

            CHECK(len > 0);
            kept = kept > 20 ? 20 : kept;
            memmove(end, end + strlen(end) - kept, kept);
            memcpy(end + kept, bytes + len - take, take);
            end[kept + take] = '\0';
        }
        close(fds[i]);
    }
    CHECK(atomic_load(&stage.standin.records_read) == TAILS * RECORDS);
    stage_close(&stage);
}

static void a_client_may_go_while_it_tails(void)
{
    struct stage stage;
    int fd;

    stage_open(&stage, 0, 0);
    for (int i = 0; i < 50; i++) {
        fd = stage_client(&stage);
        say(fd, "TAIL Big FROM oldest\n");
        hear(fd, "ROW {\"");
        if (i % 2 == 0)
            standin_stream(&stage.standin, (uint32_t)(i + 1) * 100);
        close(fd);
    }
    while (atomic_load(&stage.standin.tails) > 0)
        sched_yield();
    stage_close(&stage);
}

static void a_stopping_loop_answers_what_was_asked(void)
{
    struct stage stage;
    int fd, late[2];

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    say(fd, "PUT T {\"id\":1}\n#p PING\n");
    hear(fd, "#p OK\n");
    pl_loop_stop(stage.loop);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, late) == 0);
    CHECK(pl_loop_adopt(stage.loop, &pl_connection_kind, late[1]) == PL_ECLOSED);
    close(late[0]);
    close(late[1]);
    standin_release(&stage.standin);
    hear(fd, "OK\n");
    hear_end(fd);
    pl_loop_join(stage.loop);
    standin_deinit(&stage.standin);
}

static void a_client_may_go_while_its_writes_travel(void)
{
    struct stage stage;
    int fd, other;

    stage_open(&stage, 0, 0);
    fd = stage_client(&stage);
    atomic_store(&stage.standin.hold, true);
    say(fd, "PUT T {\"id\":1}\n#x PUT T {\"id\":2}\n#p PING\nRELOAD\n");
    hear(fd, "#p OK\n");
    close(fd);
    other = stage_client(&stage);
    say(other, "PING\n");
    hear(other, "OK\n");
    standin_release(&stage.standin);
    say(other, "PUT T {\"id\":3}\nCOUNT T\n");
    hear(other, "OK\nEND {\"count\":3,\"scanned\":3}\n");
    close(other);
    stage_close(&stage);
}

/* --- the door --- */

struct door {
    struct stage stage;
    uv_loop_t uv;
    struct pl_listener listener;
};

static void door_open(struct door *door, uint32_t connections_max)
{
    struct pl_listener_options options = {
        .uv = &door->uv,
        .address = { .host = "127.0.0.1" },
        .kind = &pl_connection_kind,
        .loops = &door->stage.loop,
        .loop_count = 1,
        .connections_max = connections_max,
    };

    stage_open(&door->stage, 0, 0);
    CHECK(uv_loop_init(&door->uv) == 0);
    CHECK(pl_listener_open(&door->listener, &options, NULL) == 0);
    CHECK(door->listener.address.port != 0);
}

static void door_close(struct door *door)
{
    pl_listener_close(&door->listener, NULL);
    uv_run(&door->uv, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&door->uv) == 0);
    stage_close(&door->stage);
}

static int knock(struct door *door)
{
    int fd;

    CHECK(pl_address_connect(&door->listener.address, &fd, NULL) == 0);
    return fd;
}

static int descriptor_count(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static void a_thousand_connections_leave_nothing_behind(void)
{
    int before = descriptor_count();
    struct door door;

    door_open(&door, 1000);
    for (int i = 0; i < 1000; i++) {
        int fd = knock(&door);

        uv_run(&door.uv, UV_RUN_ONCE);
        if (i % 3 == 0) {
            say(fd, "PUT T {\"id\":1}\nGET T {\"id\":1}\n");
            hear(fd, "OK\nOK {\"id\":1}\n");
        } else if (i % 3 == 1) {
            say(fd, "PUT T {\"id\":1}\nGET T {\"id\"");
        }
        close(fd);
    }
    door_close(&door);
    CHECK(descriptor_count() == before);
}

static void one_connection_too_many_is_told_so(void)
{
    struct door door;
    int a, b, c;

    door_open(&door, 2);
    a = knock(&door);
    b = knock(&door);
    c = knock(&door);
    uv_run(&door.uv, UV_RUN_ONCE);
    hear(
        c,
        "ERR LimitExceededException the server has reached its limit of 2 connections (--max-connections)\n");
    hear_end(c);
    say(a, "PING\n");
    hear(a, "OK\n");
    close(a);
    while (pl_loop_connection_count(door.stage.loop) == 2)
        sched_yield();
    c = knock(&door);
    uv_run(&door.uv, UV_RUN_ONCE);
    say(c, "PING\n");
    hear(c, "OK\n");
    close(b);
    close(c);
    door_close(&door);
}

static void without_descriptors_a_client_is_told_so_and_later_ones_are_served(void)
{
    struct rlimit old, low;
    struct door door;
    int taken[64], count = 0, first, second;

    door_open(&door, 100);
    first = knock(&door);
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    low = old;
    low.rlim_cur = 48;
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    while (count < 64 && (taken[count] = dup(0)) >= 0)
        count++;
    CHECK(errno == EMFILE);
    uv_run(&door.uv, UV_RUN_ONCE);
    hear(first, "ERR LimitExceededException the server has no file descriptor left for another connection\n");
    while (count > 0)
        close(taken[--count]);
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
    hear_end(first);
    second = knock(&door);
    uv_run(&door.uv, UV_RUN_ONCE);
    say(second, "PING\n");
    hear(second, "OK\n");
    close(second);
    door_close(&door);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(requests_are_answered_in_their_order);
    RUN(a_pipeline_behaves_as_if_each_request_waited_for_the_one_before);
    RUN(a_read_waits_for_the_writes_before_it_and_a_tag_does_not);
    RUN(a_wrong_request_costs_nothing_else);
    RUN(a_line_that_is_too_long_is_refused_once_and_skipped);
    RUN(half_a_line_at_the_end_is_not_carried_out);
    RUN(a_client_that_has_said_all_still_gets_every_reply);
    RUN(quit_answers_and_closes_and_hears_no_more);
    RUN(however_bytes_are_cut_the_replies_are_the_same);
    RUN(a_count_follows_the_pages_to_their_end);
    RUN(no_more_requests_are_in_flight_than_allowed);
    RUN(who_does_not_read_is_not_served_further);
    RUN(who_never_reads_is_cut);
    RUN(who_is_silent_too_long_is_closed);
    RUN(a_tail_tells_what_comes_and_where_it_stands);
    RUN(the_next_line_ends_a_tail_and_runs);
    RUN(a_tail_ends_with_its_stream);
    RUN(who_says_no_more_is_told_all_up_to_now);
    RUN(a_tail_that_is_not_read_waits);
    RUN(every_tail_has_its_turn);
    RUN(a_client_may_go_while_it_tails);
    RUN(a_stopping_loop_answers_what_was_asked);
    RUN(a_client_may_go_while_its_writes_travel);
    RUN(a_thousand_connections_leave_nothing_behind);
    RUN(one_connection_too_many_is_told_so);
    RUN(without_descriptors_a_client_is_told_so_and_later_ones_are_served);
    return test_summary();
}
