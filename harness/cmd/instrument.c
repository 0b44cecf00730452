/* SPDX-License-Identifier: Apache-2.0 */
/* Out of the certificate that a run cites, its plan, and its list of meters. */
#include "cmd/instrument.h"

#include "selftest/selftest.h"
#include "store/certificate.h"
#include "store/query.h"

#include <math.h>
#include <string.h>
#include <tare/kind.h>

/* The meters of energy, those first that most machines could have. */
static const char *const energy_meters[] = {"powercap", "perf_power", "nvml",    "rocm",
                                            "hwmon",    "battery",    "external"};

enum { n_energy_meters = sizeof energy_meters / sizeof *energy_meters };

struct reasons {
    char said[n_energy_meters][160];
};

static int take_meter(void *ctx, const char *name, const char *absent, struct tare_err *err)
{
    struct reasons *r = ctx;
    (void)err;
    static const char nobody[] = "no external meter is named";
    for (size_t i = 0; i < n_energy_meters && absent; i++) {
        if (strcmp(name, energy_meters[i]) == 0 && strncmp(absent, nobody, sizeof nobody - 1) != 0) {
            /* Up to the first bracket or colon behind the fault: what to do about it is the doctor's to say.
             */
            (void)snprintf(r->said[i], sizeof r->said[i], "%.*s", (int)strcspn(absent, "(;"), absent);
        }
    }
    return 0;
}

/* The first two: a reader wants to know that there is no meter and where to look, not all of them again. */
static void join(const struct reasons *r, char *to, size_t n)
{
    size_t used = 0, told = 0;
    to[0] = '\0';
    for (size_t i = 0; i < n_energy_meters && told < 2; i++) {
        size_t length = strlen(r->said[i]);
        while (length > 0 && r->said[i][length - 1] == ' ') {
            length--;
        }
        if (length > 0 && used + length + 20 < n) {
            used += (size_t)snprintf(to + used, n - used, "%s%s: %.*s", used ? "; " : "", energy_meters[i],
                                     (int)length, r->said[i]);
            told++;
        }
    }
}

/* The declared value, else the certificate's. */
static double choose(double declared, double certified, int *kind)
{
    bool by_user = declared > 0;
    if (!by_user && !(certified > 0)) {
        return 0;
    }
    int one = by_user ? TARE_KIND_DECLARED : TARE_KIND_MEASURED;
    *kind = one > *kind ? one : *kind;
    return by_user ? declared : certified;
}

int tare_instrument_load(struct tare_store *store, int64_t run_id, double declared_flops,
                         double declared_bytes_per_s, struct tare_instrument *out, struct tare_err *err)
{
    struct tare_instrument i = {0};
    struct tare_cited cited;
    struct reasons reasons;
    double flops = (double)NAN, bytes = (double)NAN;
    memset(&reasons, 0, sizeof reasons);
    int r = tare_query_cited(store, run_id, &cited, err);
    r = r == 0 ? tare_query_cited_reading(store, run_id, TARE_QUANTITY_PEAK_FLOPS, &flops, err) : r;
    r = r == 0 ? tare_query_cited_reading(store, run_id, TARE_QUANTITY_PEAK_BYTES, &bytes, err) : r;
    r = r == 0 ? tare_query_meters(store, run_id, take_meter, &reasons, err) : r;
    if (r < 0) {
        return r;
    }
    i.peak_flops = choose(declared_flops, flops, &i.peak_kind);
    i.peak_bytes_per_s = choose(declared_bytes_per_s, bytes, &i.peak_kind);
    if (i.peak_kind == TARE_KIND_DECLARED) {
        (void)snprintf(i.peak_source, sizeof i.peak_source, "declared in the plan%s",
                       cited.id != TARE_ABSENT ? ", the rest of the certificate" : "");
    } else if (i.peak_kind) {
        (void)snprintf(i.peak_source, sizeof i.peak_source,
                       "certificate %lld of this machine, all threads: float32 out of registers, streams",
                       (long long)cited.id);
    }
    join(&reasons, i.no_meter, sizeof i.no_meter);
    *out = i;
    return 0;
}
