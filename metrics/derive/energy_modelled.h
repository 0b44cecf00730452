/* SPDX-License-Identifier: Apache-2.0 */
/* The declared model of power, for what is derived from it: modelled energy and its carbon. */
#ifndef TARE_METRICS_DERIVE_ENERGY_MODELLED_H
#define TARE_METRICS_DERIVE_ENERGY_MODELLED_H

#include "energy.h"

/* W at a utilisation of all CPUs of 0 .. 1. */
double tare_energy_model_power(const struct tare_energy_model *model, double utilisation, int64_t cpus);
/* J of the measure phase, or NaN with the reason in *why (NULL otherwise). */
double tare_energy_model_joules(const struct tare_evidence *e, int64_t repeat_id, const char **why);
/* Median, and an interval of the model's factor each way around all repeats; flag NEVER_RANKED. */
TARE_MUST_CHECK int tare_energy_model_put(struct tare_figure *f, const struct tare_evidence *e,
                                          struct tare_series *s, const char *none, struct tare_figures *to,
                                          struct tare_err *err);
void tare_energy_model_describe(const struct tare_energy_model *model, char *to, size_t n);

#endif
