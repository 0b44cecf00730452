/* SPDX-License-Identifier: Apache-2.0 */
/* tare: finds the command and gets out of its way. */
#include "cmd/cmd.h"
#include "config.h"

#include "base/log.h"
#include "base/nearest.h"

#include <string.h>

static int print(void (*make)(struct tare_buf *))
{
    struct tare_err err = {0};
    struct tare_buf text;
    tare_buf_init(&text, 1 << 20);
    make(&text);
    int r = tare_print_text(&text, &err);
    tare_buf_fini(&text);
    if (r < 0) {
        tare_log(TARE_LOG_ERROR, NULL, "%s", err.msg);
        return tare_exit_of(r);
    }
    return TARE_EXIT_OK;
}

static void make_version(struct tare_buf *to)
{
    tare_buf_add_str(to, "tare " TARE_VERSION "\n");
}

static int unknown(const char *name)
{
    struct tare_nearest nearest = {.word = name};
    for (size_t i = 0; tare_commands[i]; i++) {
        if (!tare_commands[i]->hidden) {
            tare_nearest_offer(&nearest, tare_commands[i]->name);
        }
    }
    const char *best = tare_nearest_best(&nearest);
    tare_log(TARE_LOG_ERROR, NULL, "unknown command \"%.60s\"%s%s%s; 'tare --help' lists them", name,
             best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
    return TARE_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "--help";
    if (strcmp(verb, "--version") == 0) {
        return print(make_version);
    }
    if (strcmp(verb, "--manual") == 0) {
        return print(tare_help_manual);
    }
    if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0) {
        const struct tare_command *about = argc > 2 ? tare_command_find(argv[2]) : NULL;
        char *help[] = {(char[]){"--help"}};
        return about ? tare_command_main(about, 1, help) : print(tare_help_all);
    }
    const struct tare_command *command = tare_command_find(verb);
    return command ? tare_command_main(command, argc - 2, argv + 2) : unknown(verb);
}
