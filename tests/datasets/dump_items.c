/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the items of a task for check_generators.py, which shares nothing with the generators.
 *
 * dump_items TASK SEED [NAME=VALUE ...]: one line an item, tabs between: kind, level, gold, spans as
 * begin:end with commas between, then in hexadecimal the text, the reference, and the choices with commas
 * between. Exit status 2 and a line on stderr if the task refuses.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tare/task.h>

#define X(name) extern const struct tare_task tare_task_##name;
#include "tare_tasks.inc"
#undef X

#define X(name) &tare_task_##name,
static const struct tare_task *const tasks[] = {
#include "tare_tasks.inc"
};
#undef X

static const struct tare_task *find_task(const char *name)
{
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (strcmp(tasks[i]->name, name) == 0) {
            return tasks[i];
        }
    }
    return NULL;
}

static void print_hex(struct tare_bytes bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        (void)printf("%02x", (unsigned)(unsigned char)bytes.data[i]);
    }
}

static void print_item(const struct tare_item *item)
{
    (void)printf("%d\t%d\t%zu\t", (int)item->kind, (int)item->level, item->gold);
    for (size_t i = 0; i < item->n_spans; i++) {
        (void)printf("%s%u:%u", i ? "," : "", (unsigned)item->spans[i].begin, (unsigned)item->spans[i].end);
    }
    (void)putchar('\t');
    print_hex(item->text);
    (void)putchar('\t');
    print_hex(item->reference);
    (void)putchar('\t');
    for (size_t i = 0; i < item->n_choices; i++) {
        (void)printf("%s", i ? "," : "");
        print_hex(item->choices[i]);
    }
    (void)putchar('\n');
}

/* Words NAME=VALUE; they are cut at the sign. */
static int set_options(const struct tare_task *task, void *self, char **words, struct tare_err *err)
{
    int rc = tare_opts_init(task->options, self, err);
    for (; rc == 0 && *words; words++) {
        char *value = strchr(*words, '=');
        if (!value) {
            return tare_err_set(err, TARE_E_USAGE, "%s is not NAME=VALUE", *words);
        }
        *value++ = '\0';
        rc = tare_opts_set(task->options, self, *words, value, task->name, err);
    }
    return rc;
}

static int dump(const struct tare_task *task, void *self, uint64_t seed, struct tare_err *err)
{
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    int rc = task->open(self, getenv("TARE_DATA"), &rng, err);
    if (rc) {
        return rc;
    }
    for (size_t i = 0; rc == 0 && i < task->count(self); i++) {
        struct tare_item item = {0};
        rc = task->item(self, i, &item, err);
        if (rc == 0) {
            print_item(&item);
        }
    }
    task->close(self);
    return rc;
}

int main(int argc, char **argv)
{
    struct tare_err err = {0};
    const struct tare_task *task = argc > 2 ? find_task(argv[1]) : NULL;
    void *self = task ? calloc(1, task->priv_size) : NULL;
    if (!self) {
        (void)fprintf(stderr, "dump_items TASK SEED [NAME=VALUE ...]\n");
        return 2;
    }
    int rc = set_options(task, self, argv + 3, &err);
    rc = rc ? rc : dump(task, self, strtoull(argv[2], NULL, 10), &err);
    if (rc) {
        (void)fprintf(stderr, "%s\n", err.msg);
    }
    tare_opts_fini(task->options, self);
    free(self);
    return rc ? 2 : 0;
}
