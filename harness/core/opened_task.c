/* SPDX-License-Identifier: Apache-2.0 */
#include "core/opened_task.h"

#include "base/opt.h"
#include "core/builtin.h"

#include <stdlib.h>
#include <string.h>

static int open_self(const struct tare_task_wanted *wanted, struct tare_opened_task *o, struct tare_err *err)
{
    char what[96];
    struct tare_rng root;
    (void)snprintf(what, sizeof what, "task %.60s", o->task->name);
    o->self = calloc(1, o->task->priv_size ? o->task->priv_size : 1);
    if (!o->self) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    tare_rng_init(&root, (uint64_t)wanted->seed);
    const struct tare_rng seed = tare_rng_split(&root, o->task->name, 0);
    int r = tare_opts_init(o->task->options, o->self, err);
    r = r < 0 ? r : tare_opts_from_json(o->task->options, o->self, wanted->options, NULL, what, err);
    r = r < 0 ? r : o->task->open(o->self, wanted->data_dir, &seed, err);
    o->opened = r == 0;
    return r;
}

int tare_opened_task_open(const struct tare_task_wanted *wanted, struct tare_opened_task *out,
                          struct tare_err *err)
{
    int r = tare_find_task(wanted->name, &out->task, err);
    if (r < 0) {
        return r;
    }
    if (wanted->version && wanted->version != (int64_t)out->task->version) {
        return tare_err_set(err, TARE_E_USAGE,
                            "task %s: the stored run is of its version %lld, this tare has %u",
                            out->task->name, (long long)wanted->version, out->task->version);
    }
    return open_self(wanted, out, err);
}

void tare_opened_task_close(struct tare_opened_task *task)
{
    if (task->opened && task->task->close) {
        task->task->close(task->self);
    }
    if (task->self) {
        tare_opts_fini(task->task->options, task->self);
        free(task->self);
    }
    memset(task, 0, sizeof *task);
}
