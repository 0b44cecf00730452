/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_powercap.h"
#include "now.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_powercap;

static struct fake *current;

static void show(const struct fake *f, const struct fake_zone *z)
{
    char text[32];
    double modulus = z->range_uj > 0 ? z->range_uj + 1 : 1e15;
    (void)snprintf(text, sizeof text, "%.0f\n", floor(fmod(z->shown_uj + z->offset_uj, modulus)));
    fake_put(f, z->id, "energy_uj", text);
}

static void drive(struct fake *f, struct fake_zone *z, int64_t dt_ns)
{
    z->drawn_uj += z->watts * (double)dt_ns / 1e3;
    int64_t step_ns = (int64_t)(z->step_s * 1e9);
    if (f->now_ns - z->stepped_ns < step_ns) {
        return;
    }
    int64_t late_ns = (f->now_ns - z->stepped_ns) % step_ns;
    z->stepped_ns = f->now_ns - late_ns;
    z->shown_uj = z->drawn_uj - z->watts * (double)late_ns / 1e3;
    if (z->fault == FAKE_NONE) {
        show(f, z);
    }
}

static void pass_ns(struct fake *f, int64_t dt_ns)
{
    f->now_ns += dt_ns;
    for (size_t i = 0; i < f->n; i++) {
        struct fake_zone *z = &f->zones[i];
        drive(f, z, dt_ns);
        if (z->blink_ns > 0 && f->now_ns >= z->blink_ns) {
            bool fails = z->fault == FAKE_NONE;
            fake_break(f, z, fails ? FAKE_EIO : FAKE_NONE);
            z->blink_ns = fails ? z->blink_ns : 0;
        }
    }
}

static int64_t fake_now_ns(void)
{
    pass_ns(current, current->tick_ns);
    return current->now_ns;
}

void fake_begin(struct fake *f)
{
    memset(f, 0, sizeof *f);
    (void)snprintf(f->root, sizeof f->root, "/tmp/tare-powercap-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    assert_int_equal(chmod(f->root, 0755), 0);
    f->now_ns = 1000000000000;
    f->tick_ns = 50000;
    current = f;
    tare_now_replace(fake_now_ns, NULL);
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void fake_end(struct fake *f)
{
    tare_now_replace(NULL, NULL);
    assert_int_equal(nftw(f->root, delete_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void fake_folder(const struct fake *f, const char *path)
{
    char whole[256];
    int n = snprintf(whole, sizeof whole, "%s/%s", f->root, path);
    for (int i = (int)strlen(f->root) + 1; i <= n; i++) {
        if (whole[i] == '/' || i == n) {
            whole[i] = '\0';
            (void)mkdir(whole, 0755);
            whole[i] = i == n ? '\0' : '/';
        }
    }
}

void fake_put(const struct fake *f, const char *id, const char *file, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s/%s", f->root, id, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

struct fake_zone *fake_add(struct fake *f, const char *id, const char *name, double watts, double start_uj,
                           double range_uj)
{
    assert_true(f->n < fake_zones_max);
    struct fake_zone *z = &f->zones[f->n++];
    char path[256], text[32];
    (void)snprintf(z->id, sizeof z->id, "%s", id);
    (void)snprintf(path, sizeof path, "%s/%s", f->root, id);
    assert_int_equal(mkdir(path, 0755), 0);
    z->watts = watts;
    z->range_uj = range_uj;
    z->step_s = 0.001;
    z->offset_uj = start_uj;
    z->stepped_ns = f->now_ns;
    fake_put(f, id, "name", name);
    if (range_uj > 0) {
        (void)snprintf(text, sizeof text, "%.0f\n", range_uj);
        fake_put(f, id, "max_energy_range_uj", text);
    }
    show(f, z);
    return z;
}

void fake_pass(struct fake *f, double seconds)
{
    pass_ns(f, (int64_t)llround(seconds * 1e9));
}

void fake_break(struct fake *f, struct fake_zone *z, enum fake_fault fault)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s/energy_uj", f->root, z->id);
    z->fault = fault;
    if (fault == FAKE_STUCK) {
        return;
    }
    (void)unlink(path); /* may be gone already */
    if (fault == FAKE_EIO) {
        assert_int_equal(symlink("/proc/self/mem", path), 0);
    } else if (fault == FAKE_TEXT) {
        fake_put(f, z->id, "energy_uj", "<unknown>\n");
    } else if (fault == FAKE_NONE) {
        show(f, z);
    }
}

void fake_reset(struct fake *f, struct fake_zone *z)
{
    z->offset_uj = -z->shown_uj;
    show(f, z);
}

void fake_open(struct fake *f, struct bench *b, const char *max_watts)
{
    static struct tare_meter ops; /* without its probe, which looks at this machine */
    char cpuinfo[128];
    (void)snprintf(cpuinfo, sizeof cpuinfo, "%s/cpuinfo", f->root);
    const char *const options[] = {"root", f->root, "cpuinfo", cpuinfo, "max_watts", max_watts, NULL};
    ops = tare_meter_powercap;
    ops.probe = NULL;
    bench_open(b, &ops, options);
}

void fake_phase(struct fake *f, struct bench *b, struct sink *s, int polls, double poll_s)
{
    sink_init(s);
    b->ops->begin(b->self);
    for (int i = 0; i < polls; i++) {
        fake_pass(f, poll_s);
        b->ops->sample(b->self);
    }
    b->ops->end(b->self, &s->to);
}

void fake_expect(const struct sink *s, const char *name, double joules, double relative)
{
    const struct sink_reading *r = sink_get(s, name);
    if (r->absent || fabs(r->value - joules) > relative * fabs(joules)) {
        fail_msg("%s: %g (%s), not %g J", name, r->value, r->why, joules);
    }
    assert_true(r->u >= 0 && isfinite(r->u));
}

void fake_expect_absent(const struct sink *s, const char *name, const char *word)
{
    const struct sink_reading *r = sink_get(s, name);
    if (!r->absent || !strstr(r->why, word)) {
        fail_msg("%s: %g J (%s), not absent for %s", name, r->value, r->why, word);
    }
}

bool fake_has_flag(const struct sink_reading *r, const char *flag)
{
    size_t n = strlen(flag);
    for (const char *at = r->flags; (at = strstr(at, flag)) != NULL; at += n) {
        if ((at == r->flags || at[-1] == ',') && (at[n] == '\0' || at[n] == ',')) {
            return true;
        }
    }
    return false;
}
