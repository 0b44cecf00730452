/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans from the command line: every key of a plan as an option of `tare run`.
 *
 * An axis entry is written as WHAT,key=value,...: the first word is the backend, task, scenario or
 * technique; keys that the entry knows are its own, all others become options. Given on the command
 * line, an axis replaces the plan's.
 */
#ifndef TARE_CMD_PLAN_ARGS_H
#define TARE_CMD_PLAN_ARGS_H

#include "cmd/cmd.h"
#include "core/plan.h"

struct tare_run_options {
    char *db;
    char *resume;
    bool dry_run;
    char *format;
    /* Keys of the plan; text as typed, NULL when not given. */
    char *name;
    char *seed;
    char *repeats;
    char *time_limit;
    char *memory_limit;
    char *metering;
    char *sustain;
    char *idle_time;
    char *cool_to_c;
    char *cool_limit;
    char *meter;
    char *network;
    char *cgroup;
    char *peak_flops;
    char *peak_bandwidth;
    char *baseline;
    char *noise;
    char *model;
    char *technique;
    char *task;
    char *scenario;
    char *include;
    char *exclude;
    char *set;
    char *energy_model;
    char *prices;
    char *carbon;
};

/* Also options of `tare derive`. */
#define TARE_HELP_ENERGY_MODEL "modelled energy beside the measured: auto, idle_w=W,max_w=W or a JSON file"
#define TARE_HELP_PRICES       "JSON file with prices, for what a run costs"
#define TARE_HELP_CARBON       "JSON file with carbon intensity, or auto for the world's average"

#define TARE_PLAN_ARG(member_, unit_, help_)                                                          \
    {                                                                                                 \
        .name = #member_, .type = TARE_OPT_STR, .offset = offsetof(struct tare_run_options, member_), \
        .unit = unit_, .help = help_                                                                  \
    }

#define TARE_PLAN_ARGS_OPTIONS                                                                           \
    TARE_PLAN_ARG(name, NULL, "name of the run"), TARE_PLAN_ARG(seed, NULL, "seed of items and order"),  \
        TARE_PLAN_ARG(repeats, NULL, "number of blocks; each runs every cell once"),                     \
        TARE_PLAN_ARG(time_limit, NULL, "longest life of one worker, such as 90s; 0: none"),             \
        TARE_PLAN_ARG(memory_limit, NULL, "address space of one worker, such as 4GiB; 0: no limit"),     \
        TARE_PLAN_ARG(metering, NULL, "all, or none: no meters at all"),                                 \
        TARE_PLAN_ARG(meter, TARE_OPT_REPEATABLE, "NAME or FILE.so[,off=true][,option=value...]"),       \
        TARE_PLAN_ARG(sustain, NULL, "ask the items again for this long, for energy, such as 10s"),      \
        TARE_PLAN_ARG(idle_time, NULL, "idle baseline before and behind every worker, such as 10s"),     \
        TARE_PLAN_ARG(cool_to_c, NULL, "before every worker cool down to this temperature"),             \
        TARE_PLAN_ARG(cool_limit, NULL, "longest wait for that, such as 300s"),                          \
        TARE_PLAN_ARG(network, NULL, "host, or own: a network namespace for every worker"),              \
        TARE_PLAN_ARG(cgroup, NULL, "folder of a cgroup that every worker enters first"),                \
        TARE_PLAN_ARG(peak_flops, NULL, "declared peak of the machine, FLOP/s"),                         \
        TARE_PLAN_ARG(peak_bandwidth, NULL, "declared peak bandwidth of its memory, B/s"),               \
        TARE_PLAN_ARG(baseline, NULL, "model that speed-ups refer to"),                                  \
        TARE_PLAN_ARG(noise, NULL, "what a disturbance does to a cell: flag or void"),                   \
        TARE_PLAN_ARG(model, TARE_OPT_REPEATABLE, "BACKEND[,path=FILE][,name=LABEL][,option=value...]"), \
        TARE_PLAN_ARG(technique, TARE_OPT_REPEATABLE, "TAG[,name=LABEL]"),                               \
        TARE_PLAN_ARG(task, TARE_OPT_REPEATABLE, "TASK[,name=LABEL][,option=value...]"),                 \
        TARE_PLAN_ARG(scenario, TARE_OPT_REPEATABLE, "single[,warmup=N][,window_tok=N]"),                \
        TARE_PLAN_ARG(include, TARE_OPT_REPEATABLE, "only cells like model=llama-*,task=text"),          \
        TARE_PLAN_ARG(exclude, TARE_OPT_REPEATABLE, "no cells like model=llama-*,task=text"),            \
        TARE_PLAN_ARG(set, TARE_OPT_REPEATABLE,                                                          \
                      "TASK.OPTION=VALUE, or MODEL: one option of the plan, such as text.path=FILE"),    \
        TARE_PLAN_ARG(energy_model, NULL, TARE_HELP_ENERGY_MODEL),                                       \
        TARE_PLAN_ARG(prices, NULL, TARE_HELP_PRICES), TARE_PLAN_ARG(carbon, NULL, TARE_HELP_CARBON)

/* The plan keys that were given, as a JSON object. */
TARE_MUST_CHECK int tare_plan_args_json(const struct tare_run_options *o, struct tare_json **out,
                                        struct tare_err *err);
/* Was any given that a stored plan cannot take? (A time limit it can.) */
bool tare_plan_args_given(const struct tare_run_options *o);
/* An object with the plan's key "meters" out of what --meter was given, empty for NULL. */
TARE_MUST_CHECK int tare_plan_args_meters(const char *values, struct tare_json **out, struct tare_err *err);
/* An array `key` (models, tasks, scenarios, meters; arms and metrics of a rule file) out of the lines of
 * `values`, as a member of `to`; NULL adds nothing. */
TARE_MUST_CHECK int tare_plan_args_list(const char *key, const char *values, struct tare_json *to,
                                        struct tare_err *err);
/* --dry-run: the cells, and what earlier runs in `db` say about their time. */
TARE_MUST_CHECK int tare_plan_show(const struct tare_plan *plan, const char *db, bool json,
                                   struct tare_err *err);

#endif
