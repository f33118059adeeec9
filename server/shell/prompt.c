/* SPDX-License-Identifier: MIT */
#include "shell/prompt.h"

#include "codec/verbs.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

enum { HISTORY_LINES = 1000 };

struct pl_prompt {
    EditLine *edit;
    History *history;
    char *history_path; /* NULL: no home */
    void (*tables)(void *state, struct pl_buf *names);
    void *state;
};

/* --- completion --- */

/* The words that begin with what was typed: their common beginning, and all of them in a line. */
struct candidates {
    struct pl_bytes typed;
    struct pl_buf common, list;
    size_t count;
};

static void offer(struct candidates *c, struct pl_bytes word)
{
    size_t same = 0;

    if (word.len < c->typed.len || strncasecmp(word.data, c->typed.data, c->typed.len) != 0)
        return;
    if (c->count++ == 0)
        pl_buf_append_bytes(&c->common, word);
    while (same < c->common.len && same < word.len && c->common.data[same] == word.data[same])
        same++;
    c->common.len = same;
    pl_buf_append_byte(&c->list, ' ');
    pl_buf_append_bytes(&c->list, word);
}

static void offer_verbs(struct candidates *c)
{
    for (int i = 0; i < PL_VERB_TOTAL; i++)
        offer(c, pl_str(pl_verbs[i].word));
}

static void offer_clauses(struct candidates *c, const struct pl_verb *verb)
{
    for (int i = 0; i < PL_CLAUSE_TOTAL; i++)
        if (verb != NULL && (verb->clauses >> i & 1) != 0)
            offer(c, pl_str(pl_clauses[i].word));
}

static void offer_tables(struct candidates *c, struct pl_prompt *prompt)
{
    struct pl_buf names = { 0 };

    prompt->tables(prompt->state, &names);
    for (size_t at = 0; at < names.len;) {
        const char *newline = memchr(names.data + at, '\n', names.len - at);
        size_t len = newline == NULL ? names.len - at : (size_t)(newline - names.data) - at;

        offer(c, pl_bytes(names.data + at, len));
        at += len + 1;
    }
    pl_buf_deinit(&names);
}

static bool takes_table(const struct pl_verb *verb)
{
    return verb != NULL && (verb->arguments[0] == PL_ARGUMENT_TABLE ||
                            verb->arguments[0] == PL_ARGUMENT_SOURCE || verb == &pl_verbs[PL_VERB_STATS]);
}

static unsigned char insert(EditLine *edit, struct candidates *c)
{
    size_t typed = c->typed.len;

    pl_buf_append_bytes(&c->common, pl_str(c->count == 1 ? " " : ""));
    pl_buf_append_byte(&c->common, '\0');
    pl_buf_append_byte(&c->list, '\0');
    if (c->count == 0 || pl_buf_status(&c->common) != 0 || pl_buf_status(&c->list) != 0)
        return CC_REFRESH_BEEP;
    if (c->count > 1 && c->common.len - 1 <= typed) {
        printf("\n%s\n", c->list.data);
        return CC_REDISPLAY;
    }
    el_deletestr(edit, (int)typed);
    return el_insertstr(edit, c->common.data) != 0 ? CC_REFRESH_BEEP : CC_REFRESH;
}

static unsigned char complete(EditLine *edit, int key)
{
    const LineInfo *info = el_line(edit);
    const char *start = info->cursor, *space = info->buffer;
    struct candidates c = { 0 };
    const struct pl_verb *verb;
    struct pl_prompt *prompt;
    unsigned char action;
    bool second;

    (void)key;
    el_get(edit, EL_CLIENTDATA, &prompt);
    while (start > info->buffer && start[-1] != ' ')
        start--;
    while (space < start && *space != ' ')
        space++;
    c.typed = pl_bytes(start, (size_t)(info->cursor - start));
    verb = pl_verb_find(pl_bytes(info->buffer, (size_t)(space - info->buffer)));
    second = start > info->buffer && memchr(info->buffer, ' ', (size_t)(start - info->buffer)) == start - 1;
    if (start == info->buffer || (second && verb == &pl_verbs[PL_VERB_HELP]))
        offer_verbs(&c);
    else if (second && takes_table(verb))
        offer_tables(&c, prompt);
    else
        offer_clauses(&c, verb);
    action = insert(edit, &c);
    pl_buf_deinit(&c.common);
    pl_buf_deinit(&c.list);
    return action;
}

/* --- history --- */

static char *path_of_history(void)
{
    const char *home = getenv("HOME");
    char *path = NULL;

    if (home == NULL || *home == '\0' || asprintf(&path, "%s/.perilune_history", home) < 0)
        return NULL;
    return path;
}

static void open_history(struct pl_prompt *prompt)
{
    HistEvent event;

    history(prompt->history, &event, H_SETSIZE, HISTORY_LINES);
    history(prompt->history, &event, H_SETUNIQUE, 1);
    prompt->history_path = path_of_history();
    if (prompt->history_path != NULL)
        history(prompt->history, &event, H_LOAD, prompt->history_path); /* the first time there is none */
}

/* Commands may hold data: nobody else reads them. */
static void save_history(struct pl_prompt *prompt)
{
    HistEvent event;
    mode_t mask;

    if (prompt->history_path == NULL)
        return;
    mask = umask(S_IRWXG | S_IRWXO);
    history(prompt->history, &event, H_SAVE, prompt->history_path);
    umask(mask);
}

/* --- the prompt --- */

static char *prompt_text(EditLine *edit)
{
    static char text[] = "> ";

    (void)edit;
    return text;
}

struct pl_prompt *pl_prompt_open(void (*tables)(void *state, struct pl_buf *names), void *state)
{
    struct pl_prompt *prompt = calloc(1, sizeof *prompt);

    if (prompt == NULL)
        return NULL;
    prompt->tables = tables;
    prompt->state = state;
    prompt->edit = el_init("perilune", stdin, stdout, stderr);
    prompt->history = history_init();
    if (prompt->edit == NULL || prompt->history == NULL) {
        pl_prompt_close(prompt);
        return NULL;
    }
    open_history(prompt);
    el_set(prompt->edit, EL_CLIENTDATA, prompt);
    el_set(prompt->edit, EL_PROMPT, prompt_text);
    el_set(prompt->edit, EL_SIGNAL, 1);
    el_set(prompt->edit, EL_EDITOR, "emacs");
    el_set(prompt->edit, EL_HIST, history, prompt->history);
    el_set(prompt->edit, EL_ADDFN, "complete", "complete a word", complete);
    el_set(prompt->edit, EL_BIND, "^I", "complete", NULL);
    el_source(prompt->edit, NULL);
    return prompt;
}

bool pl_prompt_read(struct pl_prompt *prompt, struct pl_bytes *out)
{
    HistEvent event;
    const char *line;
    int len;

    line = el_gets(prompt->edit, &len);
    if (line == NULL || len <= 0)
        return false;
    if (line[len - 1] == '\n')
        len--;
    if (len > 0)
        history(prompt->history, &event, H_ENTER, line);
    *out = pl_bytes(line, (size_t)len);
    return true;
}

void pl_prompt_close(struct pl_prompt *prompt)
{
    if (prompt->history != NULL) {
        save_history(prompt);
        history_end(prompt->history);
    }
    if (prompt->edit != NULL)
        el_end(prompt->edit);
    free(prompt->history_path);
    free(prompt);
}
