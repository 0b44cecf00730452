/* SPDX-License-Identifier: Apache-2.0 */
/* A task with its options, open: for a worker, and for whoever looks at what is asked without one. */
#ifndef TARE_CORE_OPENED_TASK_H
#define TARE_CORE_OPENED_TASK_H

#include <tare/json.h>
#include <tare/task.h>

/* Zero-initialise. */
struct tare_opened_task {
    const struct tare_task *task;
    void *self;
    bool opened;
};

/* What a plan says of a task. */
struct tare_task_wanted {
    const char *name;
    const struct tare_json *options; /* object, or NULL */
    const char *data_dir;            /* of the shipped data */
    int64_t seed;                    /* of the plan; the task's own is split from it */
    int64_t version;                 /* that a stored run is of; 0: any */
};

/* tare_opened_task_close(out), also after a failure. */
TARE_MUST_CHECK int tare_opened_task_open(const struct tare_task_wanted *wanted, struct tare_opened_task *out,
                                          struct tare_err *err);
/* One that was never opened is fine. */
void tare_opened_task_close(struct tare_opened_task *task);

#endif
