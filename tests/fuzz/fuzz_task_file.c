/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of task files: what it accepts has a name, columns for each metric, and opens or fails with a
 * reason. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tare/standard.h>
#include <unistd.h>

#define SOURCES "\"sources\": {\"test\": {\"file\": \"/dev/null\", \"format\": \"jsonl\"}}, "

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT(
        "{\"tare_task\": 1, \"name\": \"t\", \"output\": \"multiple_choice\", " SOURCES
        "\"context\": \"Q: {{q}}\\nA:\", \"choices\": [\"a\", \"b\"], \"target\": \"{{gold}}\", \"metrics\": "
        "[{\"metric\": \"acc\"}, {\"metric\": \"f1\", \"as\": \"x\"}]}"),
    FUZZ_TEXT(
        "{\"tare_task\": 1, \"name\": \"g\", \"version\": 3, \"output\": \"generate_until\", " SOURCES
        "\"context\": \"{{q}}\", \"target\": \"{{a}}\", \"until\": [\"\\n\"], \"max_output\": 9, "
        "\"filters\": "
        "[{\"name\": \"s\", \"chain\": [{\"function\": \"regex\", \"regex_pattern\": \"(a|b)+\"}]}], "
        "\"metrics\": "
        "[{\"metric\": \"exact_match\", \"ignore_case\": true, \"regexes_to_ignore\": [\"x\"]}, {\"metric\": "
        "\"bleu\"}]}"),
    FUZZ_TEXT("{\"tare_task\": 1, \"name\": \"r\", \"output\": \"loglikelihood_rolling\", \"hook\": "
              "\"wikitext\", " SOURCES
              "\"target\": \"{{page}}\", \"metrics\": [{\"metric\": \"word_perplexity\"}]}"),
};

static const char *const words[] = {"\"sources\":",
                                    "\"metrics\":",
                                    "{}",
                                    "[]",
                                    "null",
                                    "1",
                                    "-1",
                                    "1e99",
                                    "\"\"",
                                    "{{",
                                    "}}",
                                    "{% for x in y %}",
                                    "\"samples\":[{}],",
                                    "\"num_fewshot\":1,",
                                    "\"acc_norm\"",
                                    "\"mc2\"",
                                    "\"hook\":\"hellaswag\",",
                                    "\"fewshot\":\"first\",",
                                    "\"labels\":\"x\",",
                                    NULL};

static void open_and_close(const struct tare_task *task)
{
    struct tare_rng seed;
    struct tare_err err = {0};
    void *self = calloc(1, task->priv_size);
    tare_rng_init(&seed, 1);
    fuzz_check(self && tare_opts_init(task->options, self, &err) == 0, "options");
    if (task->open(self, "", &seed, &err) == 0) {
        fuzz_check(task->count(self) == 0, "items out of nothing");
        task->close(self);
    } else {
        fuzz_check(err.msg[0] != '\0', "a failure without a reason");
    }
    tare_opts_fini(task->options, self);
    free(self);
}

static int read_task(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    char path[64];
    const struct tare_task *task = NULL;
    (void)rng;
    int fd = memfd_create("task", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && write(fd, data, n) == (ssize_t)n, "a file of memory");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int r = tare_standard_load(path, &task, err);
    if (r == 0) {
        size_t n_columns = 0;
        while (task->columns[n_columns]) {
            n_columns++;
        }
        fuzz_check(task->name && task->metrics[0].name && n_columns <= TARE_MAX_COLUMNS,
                   "a task without a name or metric");
        for (const struct tare_metric *m = task->metrics; m->name; m++) {
            fuzz_check(m->column + m->n_columns <= n_columns, "a metric beyond the columns");
        }
        open_and_close(task);
        tare_standard_free(task);
    }
    (void)close(fd);
    return r;
}

int main(void)
{
    static const struct fuzz_target target = {.name = "task_file",
                                              .seeds = seeds,
                                              .n_seeds = sizeof seeds / sizeof *seeds,
                                              .words = words,
                                              .iterations = 20000,
                                              .read = read_task};
    return fuzz_main(&target);
}
