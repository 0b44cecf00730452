/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subcommands. One file each, named after the verb, which defines `const struct tare_command
 * tare_command_<verb>` and stands in this folder's meson.build. The table below is the one source of
 * parsing, --help and the manual page. Commands print results on standard output and nothing else
 * there; their errors are printed once, by main.
 */
#ifndef TARE_CMD_H
#define TARE_CMD_H

#include "base/opt.h"
#include "core/paths.h"

#include <stdbool.h>

/* Exit statuses, as in the manual. */
enum tare_exit {
    TARE_EXIT_OK = 0,
    TARE_EXIT_GATE = 1,        /* a gate failed */
    TARE_EXIT_USAGE = 2,       /* the command line, plan or option is wrong */
    TARE_EXIT_CELL = 3,        /* a cell failed, or a backend or model could not be used */
    TARE_EXIT_INVALID = 4,     /* a measurement is invalid */
    TARE_EXIT_ENVIRONMENT = 5, /* this machine, a file or the database does not allow it */
};

struct tare_command_args {
    int n_words; /* positional arguments */
    char **words;
    bool json;
    const struct tare_paths *paths;
};

struct tare_command {
    const char *name;
    const char *summary;   /* one line */
    const char *arguments; /* "[PLAN]"; "" for none */
    const char *text;      /* paragraphs of the manual, separated by empty lines */
    bool hidden;
    int max_words;
    size_t options_size;
    const struct tare_opt *options; /* NULL if none; offsets into `options` of run */
    /* Returns an exit status; a negative value is an error in *err. */
    int (*run)(const void *options, const struct tare_command_args *args, struct tare_err *err);
};

/* NULL-terminated, as in meson.build. */
extern const struct tare_command *const tare_commands[];

const struct tare_command *tare_command_find(const char *name);
/* Parses argv behind the verb and runs it; prints its error. Returns the exit status. */
int tare_command_main(const struct tare_command *command, int argc, char **argv);
/* Exit status of an error code. */
int tare_exit_of(int code);
/* Help of one command, or of all. */
void tare_help_command(const struct tare_command *command, struct tare_buf *to);
void tare_help_all(struct tare_buf *to);
/* The manual page, in roff. */
void tare_help_manual(struct tare_buf *to);
/* Prints a JSON tree and a newline to standard output, and destroys it. */
TARE_MUST_CHECK int tare_print_json(struct tare_json *json, struct tare_err *err);
TARE_MUST_CHECK int tare_print_text(const struct tare_buf *buf, struct tare_err *err);

/* An option that may be given several times: its values are joined by newlines. */
#define TARE_OPT_REPEATABLE "repeatable"

#endif
