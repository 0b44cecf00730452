/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emissions.csv of CodeCarbon: a row a tracked run. Energies are in kWh, emissions in kg; much of what it
 * calls measured is from tables of TDP and of grids, which the file does not tell apart. It does not name a
 * model.
 */
#include "csv.h"
#include "values.h"

#include <math.h>
#include <string.h>

static const char tool[] = "CodeCarbon";
static const double joule_per_kwh = 3.6e6;

static const struct tare_interop_field fields[] = {
    {"duration", "measure_time", "s", "process", 1},
    {"energy_consumed", "energy", "J", "cpu+gpu+ram", 3.6e6},
    {"cpu_energy", "cpu_energy", "J", "cpu", 3.6e6},
    {"gpu_energy", "gpu_energy", "J", "gpu", 3.6e6},
    {"ram_energy", "ram_energy", "J", "ram", 3.6e6},
    {"cpu_power", "cpu_power", "W", "cpu", 1},
    {"gpu_power", "gpu_power", "W", "gpu", 1},
    {"ram_power", "ram_power", "W", "ram", 1},
    {"emissions", "carbon_operational", "gCO2e", "cpu+gpu+ram", 1e3},
    {"water_consumed", "water", "L", "cpu+gpu+ram", 1},
};

static int sniff(const char *head, size_t n, const char *name)
{
    (void)name;
    return tare_interop_has(head, n, ",emissions,") && tare_interop_has(head, n, ",energy_consumed,") &&
                   tare_interop_has(head, n, "project_name")
               ? 95
               : 0;
}

static int put_facts(const struct tare_interop_in *in, const struct tare_json *row, struct tare_err *err)
{
    static const char *const facts[][2] = {{"cpu_model", "cpu.model"},
                                           {"gpu_model", "gpu.model"},
                                           {"os", "os"},
                                           {"country_iso_code", "country"},
                                           {"tracking_mode", "codecarbon.tracking_mode"}};
    const char *version = tare_interop_text(row, "codecarbon_version");
    int r = in->sink->tool(in->sink->ctx, tool, *version ? version : NULL, err);
    for (size_t i = 0; r == 0 && i < sizeof facts / sizeof *facts; i++) {
        const char *value = tare_interop_text(row, facts[i][0]);
        r = *value ? in->sink->fact(in->sink->ctx, facts[i][1], value, err) : 0;
    }
    return r;
}

static int read_row(const struct tare_interop_in *in, const struct tare_json *row, struct tare_err *err)
{
    const char *project = tare_interop_text(row, "project_name"), *task = tare_interop_text(row, "task_name"),
               *run = tare_interop_text(row, "run_id");
    const struct tare_interop_cell cell = {.model = *project ? project : in->reader->name,
                                           .task = *task ? task : "tracked run",
                                           .scenario = *run ? run : "as reported"};
    if (!tare_json_get(row, "emissions") || !tare_json_get(row, "energy_consumed")) {
        return tare_interop_fault(in, err, "columns emissions and energy_consumed are needed");
    }
    int r = put_facts(in, row, err);
    r = r == 0 ? in->sink->cell(in->sink->ctx, &cell, err) : r;
    return r == 0 ? tare_interop_map(in, row, fields, sizeof fields / sizeof *fields, TARE_ABSENT, "", err)
                  : r;
}

static int read_file(const struct tare_interop_in *in, struct tare_err *err)
{
    return tare_csv_read(in, read_row, err);
}

static int give_back(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err)
{
    return tare_csv_give_back(stored, false, to, err);
}

static const struct tare_figure *find(const struct tare_interop_row *row, const char *name)
{
    for (size_t i = 0; i < row->n_figures; i++) {
        if (strcmp(row->figures[i].name, name) == 0 && !row->figures[i].absent) {
            return &row->figures[i];
        }
    }
    return NULL;
}

static void put_number(double value, FILE *to)
{
    if (isfinite(value)) {
        (void)fprintf(to, "%.17g", value);
    }
    (void)fputc(',', to);
}

/* A row a cell: the duration is the mean of its repeats, its energy the median. An energy of the whole wall
 * or of a package is not what CodeCarbon adds up, so it stands in energy_consumed alone. */
static void put_row(const struct tare_interop_run *run, const struct tare_interop_row *row, FILE *to)
{
    char project[480], os[160];
    struct tare_repeat_sums all = tare_interop_sums(row);
    const struct tare_figure *energy = find(row, "energy"), *carbon = find(row, "carbon_operational");
    (void)snprintf(project, sizeof project, "%.100s: %.100s, %.100s, %.100s", run->name, row->model,
                   row->technique, row->task);
    tare_csv_put(run->started_utc, false, to);
    (void)fputc(',', to);
    tare_csv_put(project, false, to);
    (void)fputc(',', to);
    put_number((double)all.window_ns * 1e-9 / (double)row->n_repeats, to);
    put_number(carbon ? carbon->value * 1e-3 : (double)NAN, to);
    put_number(energy ? energy->value / joule_per_kwh : (double)NAN, to);
    (void)snprintf(os, sizeof os, "Linux-%.140s", run->kernel ? run->kernel : "");
    tare_csv_put(run->kernel ? os : "", false, to);
    (void)fputc(',', to);
    tare_csv_put(run->cpu ? run->cpu : "", false, to);
    (void)fputc('\n', to);
}

static int write_run(const struct tare_interop_run *run, FILE *to, struct tare_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < run->n_rows; i++) {
        n += find(&run->rows[i], "energy") && run->rows[i].n_repeats > 0;
    }
    if (n == 0) {
        return tare_err_set(
            err, TARE_E_USAGE,
            "run %lld has no energy that was measured: CodeCarbon's form has nothing else to hold",
            (long long)run->id);
    }
    (void)fputs("timestamp,project_name,duration,emissions,energy_consumed,os,cpu_model\n", to);
    for (size_t i = 0; i < run->n_rows; i++) {
        if (find(&run->rows[i], "energy") && run->rows[i].n_repeats > 0) {
            put_row(run, &run->rows[i], to);
        }
    }
    return 0;
}

const struct tare_interop_format tare_interop_codecarbon = {
    .name = "codecarbon",
    .summary = "emissions.csv of CodeCarbon",
    .tool = tool,
    .sniff = sniff,
    .read = read_file,
    .give_back = give_back,
    .write = write_run,
};
