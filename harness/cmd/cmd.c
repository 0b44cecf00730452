/* SPDX-License-Identifier: Apache-2.0 */
/* From argv to a command's options, and from its error to an exit status. */
#include "cmd/cmd.h"

#include "base/log.h"
#include "base/nearest.h"

#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct tare_command tare_command_##name;
#include "tare_commands.inc"
#undef X

#define X(name) &tare_command_##name,
const struct tare_command *const tare_commands[] = {
#include "tare_commands.inc"
    NULL};
#undef X

const struct tare_command *tare_command_find(const char *name)
{
    for (size_t i = 0; tare_commands[i]; i++) {
        if (strcmp(tare_commands[i]->name, name) == 0) {
            return tare_commands[i];
        }
    }
    return NULL;
}

int tare_exit_of(int code)
{
    switch (code) {
    case TARE_E_USAGE:
        return TARE_EXIT_USAGE;
    case TARE_E_DATABASE:
    case TARE_E_ENVIRONMENT:
    case TARE_E_IO:
    case TARE_E_NOMEM:
        return TARE_EXIT_ENVIRONMENT;
    default:
        return TARE_EXIT_CELL;
    }
}

struct parse {
    const struct tare_command *command;
    void *options;
    struct tare_command_args *args;
    bool help;
    struct tare_paths paths;
    struct tare_err *err;
};

/* Sets an option; a repeatable one is appended to what it had. */
static int set_option(struct parse *p, const struct tare_opt *opt, const char *value)
{
    char *const *before =
        opt->type == TARE_OPT_STR ? (char **)(void *)((char *)p->options + opt->offset) : NULL;
    struct tare_buf joined;
    tare_buf_init(&joined, 1 << 20);
    if (before && *before && opt->unit && strcmp(opt->unit, TARE_OPT_REPEATABLE) == 0) {
        tare_buf_printf(&joined, "%s\n", *before);
    }
    tare_buf_add_str(&joined, value);
    int r = tare_buf_check(&joined, opt->name, p->err);
    r = r == 0 ? tare_opts_set(p->command->options, p->options, opt->name, tare_buf_str(&joined),
                               p->command->name, p->err)
               : r;
    tare_buf_fini(&joined);
    return r;
}

static int unknown_option(struct parse *p, const char *name)
{
    static const char *const common[] = {"json", "help", "quiet", "verbose", NULL};
    char what[64];
    (void)snprintf(what, sizeof what, "tare %s", p->command->name);
    return tare_opts_unknown(p->command->options, common, name, what, p->err);
}

/* Options that every command has. True if `name` was one. */
static bool take_common(struct parse *p, const char *name)
{
    if (strcmp(name, "json") == 0) {
        p->args->json = true;
    } else if (strcmp(name, "help") == 0) {
        p->help = true;
    } else if (strcmp(name, "quiet") == 0) {
        tare_log_set_level(TARE_LOG_WARN);
    } else if (strcmp(name, "verbose") == 0) {
        tare_log_set_level(TARE_LOG_DEBUG);
    } else {
        return false;
    }
    return true;
}

/* One word that begins with "--"; *at is moved past a separate value. */
static int take_option(struct parse *p, int argc, char **argv, int *at)
{
    char name[64];
    const char *word = argv[*at] + 2, *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    (void)snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), word);
    if (!equals && take_common(p, name)) {
        return 0;
    }
    const struct tare_opt *opt = tare_opts_find(p->command->options, name);
    if (!opt) {
        return unknown_option(p, name);
    }
    if (opt->type == TARE_OPT_BOOL && !equals) {
        return set_option(p, opt, "true");
    }
    if (!equals && *at + 1 >= argc) {
        return tare_err_set(p->err, TARE_E_USAGE, "tare %s: --%s needs a value", p->command->name, name);
    }
    return set_option(p, opt, equals ? equals + 1 : argv[++*at]);
}

/* "-o FILE" and "-f FORMAT" are the only short forms besides -h. */
static int take_short(struct parse *p, int argc, char **argv, int *at)
{
    static const char *const names[][2] = {{"-f", "format"}, {"-o", "output"}, {"-d", "db"}};
    if (strcmp(argv[*at], "-h") == 0) {
        p->help = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct tare_opt *opt = tare_opts_find(p->command->options, names[i][1]);
        if (strcmp(argv[*at], names[i][0]) == 0 && opt) {
            return *at + 1 < argc ? set_option(p, opt, argv[++*at])
                                  : tare_err_set(p->err, TARE_E_USAGE, "tare %s: %s needs a value",
                                                 p->command->name, names[i][0]);
        }
    }
    return tare_err_set(p->err, TARE_E_USAGE, "tare %s: unknown option %.40s; 'tare %s --help' shows all",
                        p->command->name, argv[*at], p->command->name);
}

static int take_word(struct parse *p, char *word)
{
    if (p->args->n_words == p->command->max_words) {
        return tare_err_set(p->err, TARE_E_USAGE, "tare %s: unexpected argument \"%.80s\"", p->command->name,
                            word);
    }
    p->args->words[p->args->n_words++] = word;
    return 0;
}

static int parse(struct parse *p, int argc, char **argv)
{
    int r = tare_opts_init(p->command->options, p->options, p->err);
    bool only_words = false;
    for (int i = 0; r == 0 && i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            r = take_option(p, argc, argv, &i);
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            r = take_short(p, argc, argv, &i);
        } else {
            r = take_word(p, argv[i]);
        }
    }
    return r;
}

static int run(struct parse *p, int argc, char **argv)
{
    int r = parse(p, argc, argv);
    if (r == 0 && p->help) {
        struct tare_buf help;
        tare_buf_init(&help, 1 << 20);
        tare_help_command(p->command, &help);
        r = tare_print_text(&help, p->err);
        tare_buf_fini(&help);
        return r;
    }
    r = r == 0 ? tare_paths_find(&p->paths, p->err) : r;
    return r == 0 ? p->command->run(p->options, p->args, p->err) : r;
}

int tare_command_main(const struct tare_command *command, int argc, char **argv)
{
    struct tare_err err = {0};
    struct tare_command_args args = {0};
    static struct parse p; /* large, and there is one command a process */
    p = (struct parse){.command = command, .args = &args, .err = &err};
    args.paths = &p.paths;
    p.options = calloc(1, command->options_size + 1);
    args.words = calloc((size_t)command->max_words + 1, sizeof *args.words);
    int r = p.options && args.words ? run(&p, argc, argv)
                                    : tare_err_set(&err, TARE_E_NOMEM, "tare: out of memory");
    if (r < 0) {
        tare_log(TARE_LOG_ERROR, NULL, "%s", err.msg[0] ? err.msg : "failed without a reason");
        r = tare_exit_of(r);
    }
    if (p.options) {
        tare_opts_fini(command->options, p.options);
    }
    free(p.options);
    free(args.words);
    return r;
}

int tare_print_text(const struct tare_buf *buf, struct tare_err *err)
{
    int r = tare_buf_check(buf, "output", err);
    if (r == 0 && (fwrite(tare_buf_str(buf), 1, buf->used, stdout) != buf->used || fflush(stdout) != 0)) {
        r = tare_err_set(err, TARE_E_IO, "standard output could not be written");
    }
    return r;
}

int tare_print_json(struct tare_json *json, struct tare_err *err)
{
    char *text = NULL;
    int r = tare_json_print(json, true, &text, err);
    if (r == 0 && (puts(text) < 0 || fflush(stdout) != 0)) {
        r = tare_err_set(err, TARE_E_IO, "standard output could not be written");
    }
    free(text);
    tare_json_destroy(json);
    return r;
}
