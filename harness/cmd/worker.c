/* SPDX-License-Identifier: Apache-2.0 */
/* `tare worker`: the process in which a cell runs. Started by `tare run`, not by people. */
#include "cmd/cmd.h"

#include "core/worker.h"
#include "fidelity/serve.h"
#include "verify/serve.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct worker_options {
    char *probe;
    char *probe_meter;
    bool outside;
    bool verify;
    bool lockstep;
};

static const struct tare_opt options[] = {{.name = "probe",
                                           .type = TARE_OPT_STR,
                                           .offset = offsetof(struct worker_options, probe),
                                           .help = "only load this shared object and describe it as JSON"},
                                          {.name = "probe_meter",
                                           .type = TARE_OPT_STR,
                                           .offset = offsetof(struct worker_options, probe_meter),
                                           .help = "the same for a meter"},
                                          {.name = "outside",
                                           .type = TARE_OPT_BOOL,
                                           .offset = offsetof(struct worker_options, outside),
                                           .help = "descriptor 4 leads to the meters outside"},
                                          {.name = "verify",
                                           .type = TARE_OPT_BOOL,
                                           .offset = offsetof(struct worker_options, verify),
                                           .help = "answer what the referee asks on descriptor 4"},
                                          {.name = "lockstep",
                                           .type = TARE_OPT_BOOL,
                                           .offset = offsetof(struct worker_options, lockstep),
                                           .help = "answer what tare fidelity asks on descriptor 4"},
                                          TARE_OPT_END};

/* The error goes to standard output here: it is all that the parent reads. */
static int probe(const char *path, int (*describe)(const char *, struct tare_json *, struct tare_err *),
                 struct tare_err *err)
{
    /* What the object prints while it is loaded must not stand in our answer, and may be endless. */
    int answer = dup(STDOUT_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(nowhere, STDOUT_FILENO);
    struct tare_json *json = tare_json_new_object();
    int r = describe(path, json, err);
    (void)fflush(stdout);
    if (answer >= 0) {
        (void)dup2(answer, STDOUT_FILENO);
        close(answer);
        close(nowhere);
    }
    if (r < 0) {
        tare_json_destroy(json);
        (void)puts(err->msg);
        return TARE_EXIT_CELL;
    }
    return tare_print_json(json, err);
}

static int worker(const void *opts, const struct tare_command_args *args, struct tare_err *err)
{
    const struct worker_options *o = opts;
    (void)args;
    if (o->probe) {
        return probe(o->probe, tare_worker_probe, err);
    }
    if (o->probe_meter) {
        return probe(o->probe_meter, tare_worker_probe_meter, err);
    }
    if (o->verify) {
        return tare_verify_serve(STDIN_FILENO, 4, 3, err) < 0 ? TARE_EXIT_CELL : TARE_EXIT_OK;
    }
    if (o->lockstep) {
        return tare_lockstep_serve(STDIN_FILENO, 4, 3, err) < 0 ? TARE_EXIT_CELL : TARE_EXIT_OK;
    }
    /* The error is in the end frame already: the supervisor tells it. */
    return tare_worker_run(STDIN_FILENO, 3, o->outside ? 4 : -1, err) < 0 ? TARE_EXIT_CELL : TARE_EXIT_OK;
}

const struct tare_command tare_command_worker = {.name = "worker",
                                                 .summary = "run one cell (internal)",
                                                 .arguments = "",
                                                 .text =
                                                     "Reads a cell on standard input and writes the results "
                                                     "stream to descriptor 3.",
                                                 .hidden = true,
                                                 .options_size = sizeof(struct worker_options),
                                                 .options = options,
                                                 .run = worker};
