/* SPDX-License-Identifier: Apache-2.0 */
/* The table. Limits are those of docs/validity.md, which has a row for each code. */
#include "core/noise.h"

#include <string.h>

const char *const tare_noise_policies[] = {"flag", "void", NULL};

#define READING(code_, basis_, name_, limit_, voids_, text_)                                             \
    {                                                                                                    \
        .code = code_, .basis = TARE_NOISE_##basis_, .reading = name_, .limit = limit_, .voids = voids_, \
        .flags_times = true, .text = text_                                                               \
    }
/* The figure of the reading itself is absent with this reason; others are not doubtful for it. */
#define GONE(code_, text_)                                                                                   \
    {                                                                                                        \
        .code = code_, .basis = TARE_NOISE_ABSENT_PREFIX, .reading = code_ ":", .voids = true, .text = text_ \
    }
#define FACT(code_, fact_, flags_, always_, text_)                                                 \
    {                                                                                              \
        .code = code_, .basis = TARE_NOISE_FACT, .fact = TARE_FACT_##fact_, .flags_times = flags_, \
        .voids = true, .always = always_, .text = text_                                            \
    }

static const char hot[] = "a processor, a GPU or the board slowed down for heat or for its power supply";
static const char foreign[] = "other processes used over 2 % of the machine's CPU time in a repeat";
static const char steal[] = "the hypervisor took over 1 % of the machine's CPU time in a repeat";
static const char paging[] = "pages came from a disk while measuring: times and memory are not comparable";
static const char settings[] = "a setting of the machine changed in the course of the run";

const struct tare_noise_rule tare_noise_rules[] = {
    READING("FOREIGN_CPU", ABOVE, "foreign_cpu", 2, true, foreign),
    READING("FOREIGN_CPU", ABOVE, "node_foreign_cpu", 2, true, foreign),
    READING("STEAL", ABOVE, "steal", 1, true, steal),
    READING("STEAL", ABOVE, "node_steal", 1, true, steal),
    READING("CPU_WAIT", SHARE, "run_queue_wait", 0.05, false,
            "the process waited for a CPU for over 5 % of a repeat"),
    READING("PAGING", ABOVE, "major_faults", 0, true, paging),
    READING("PAGING", ABOVE, "swap_in_pages", 0, true, paging),
    READING("STREAM_STALL", SHARE, "stream_stall_time", 0.01, false,
            "over 1 % of a repeat went into waiting for our own database; rates are too low"),
    READING("THROTTLED", ABOVE, "throttle_core", 0, true, hot),
    READING("THROTTLED", ABOVE, "throttle_package", 0, true, hot),
    READING("THROTTLED", ABOVE, "throttle_events", 0, true, hot),
    READING("POWER_CAP", ABOVE, "power_cap_events", 0, true, "a power cap held a device back"),
    READING("PSI_MEMORY", ABOVE, "psi_memory_full", 0, true,
            "all processes of the machine waited for memory at once"),
    READING("CLOCK_STEP", AWAY, "clock_step", 0, true,
            "the wall clock was set in a repeat: what is aligned by it is wrong"),
    READING("CLOCKSOURCE", BELOW, "clocksource_ok", 1, true,
            "the kernel does not keep time by the processor's own counter: stamps are slow and coarse"),
    READING("BATTERY", ABOVE, "on_battery", 0, true,
            "the machine ran on its battery, where it is slower and saves power"),
    READING("SETTINGS_CHANGED", ABOVE, "settings_changed", 0, true, settings),
    READING("METER_LATE", ABOVE, "outside_lost", 0, true,
            "the meters outside gave no answer in time: what they would have seen is missing from then on"),
    GONE("SENSOR_GAP", "a sensor was not read for so long that what it says of a repeat is withheld"),
    GONE("WRAP_LOST", "a counter may have gone round unseen; what it says of a repeat is withheld"),
    FACT("SLOW_BUILD", SLOW_BUILD, true, false,
         "tare was built for debugging or with sanitizers; its times say nothing about the model"),
    FACT("SETTINGS_CHANGED", SETTINGS_CHANGED, true, false, settings),
    FACT("TOO_FEW_SAMPLES", TOO_FEW_REQUESTS, false, false,
         "too few values in a repeat for a 95 % interval of this percentile"),
    FACT("DATA_MISMATCH", DATA_MISMATCH, false, true,
         "the same item was not the same in every repeat: its size differs"),
};

enum { n_rules = sizeof tare_noise_rules / sizeof *tare_noise_rules };
_Static_assert(n_rules <= 64, "a set of rules is 64 bits");
const size_t tare_noise_n_rules = n_rules;

/* Every rule is asked about every reading, for every figure: mostly the first byte tells names apart. */
bool tare_noise_names(const struct tare_noise_rule *rule, const char *reading)
{
    return rule->reading && rule->reading[0] == reading[0] && strcmp(rule->reading, reading) == 0;
}

bool tare_noise_raised(const struct tare_noise_rule *rule, const struct tare_reading_record *reading,
                       double wall_s)
{
    if (rule->basis == TARE_NOISE_FACT) {
        return false;
    }
    if (rule->basis == TARE_NOISE_ABSENT_PREFIX) {
        return reading->absent && strncmp(reading->absent, rule->reading, strlen(rule->reading)) == 0;
    }
    if (reading->absent || !tare_noise_names(rule, reading->name)) {
        return false;
    }
    double v = reading->value;
    return rule->basis == TARE_NOISE_ABOVE   ? v > rule->limit
           : rule->basis == TARE_NOISE_AWAY  ? fabs(v) > rule->limit
           : rule->basis == TARE_NOISE_BELOW ? v < rule->limit
                                             : v > rule->limit * wall_s;
}

tare_noise_set tare_noise_of_fact(enum tare_noise_fact fact)
{
    tare_noise_set set = 0;
    for (size_t i = 0; i < n_rules; i++) {
        if (tare_noise_rules[i].basis == TARE_NOISE_FACT && tare_noise_rules[i].fact == fact) {
            set |= (tare_noise_set)1 << i;
        }
    }
    return set;
}

const char *tare_noise_text(const char *code)
{
    for (size_t i = 0; i < n_rules; i++) {
        if (strcmp(tare_noise_rules[i].code, code) == 0) {
            return tare_noise_rules[i].text;
        }
    }
    return NULL;
}
