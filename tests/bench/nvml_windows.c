/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NVML meter by itself, for windows that another program sets: it is opened, and reads lines. "begin"
 * opens a window, "end" closes it and prints each reading as one line of JSON and then an empty line; "attach
 * PID" says whose memory to look for; the end of the input ends it. Between lines the meter is sampled about
 * every 100 ms. Each answer is printed when the meter has been read, so that the other program may wait for
 * it. Builds alone with the meter, without the harness and what that needs. Not a test: scripts/gpu-check
 * drives it.
 */
#include <tare/meter.h>

#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern const struct tare_meter tare_meter_nvml;

static void print_text(const char *text)
{
    (void)putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            (void)putchar('\\');
        }
        (void)putchar(c < 0x20 ? ' ' : c);
    }
    (void)putchar('"');
}

static void print_number(const char *key, double value)
{
    if (isfinite(value)) {
        (void)printf(", \"%s\": %.17g", key, value);
    } else {
        (void)printf(", \"%s\": null", key);
    }
}

static void print_member(const char *key, const char *text)
{
    (void)printf(", \"%s\": ", key);
    print_text(text);
}

static void take(struct tare_readings *to, const struct tare_reading *r, const struct tare_doubt *doubt)
{
    (void)to;
    (void)printf("{\"name\": ");
    print_text(r->name);
    print_member("unit", r->unit);
    print_member("scope", r->scope);
    print_member("source", r->source);
    print_number("value", r->absent ? (double)NAN : r->value);
    print_number("u", doubt ? doubt->u : (double)NAN);
    print_number("gain", doubt ? doubt->gain : (double)NAN);
    print_member("flags", doubt ? doubt->flags : "");
    print_member("why", r->absent ? r->why : "");
    (void)printf("}\n");
}

static void add(struct tare_readings *to, const struct tare_reading *r)
{
    take(to, r, NULL);
}

static void obey(void *self, const char *line)
{
    struct tare_readings to = {add, take};
    if (strcmp(line, "begin\n") == 0) {
        tare_meter_nvml.begin(self);
        (void)printf("begun\n");
    } else if (strcmp(line, "end\n") == 0) {
        tare_meter_nvml.end(self, &to);
        (void)printf("\n");
    } else if (strncmp(line, "attach ", 7) == 0) {
        tare_meter_nvml.attach(self, strtoll(line + 7, NULL, 10));
        (void)printf("attached\n");
    } else {
        (void)printf("unknown\n");
    }
    (void)fflush(stdout);
}

/* Half to one and a half of 100 ms, as the harness does it. */
static int pause_ms(void)
{
    return 50 + (int)(random() % 101);
}

static void serve(void *self)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[128] = "";
    size_t n = 0;
    for (;;) {
        int r = poll(&in, 1, pause_ms());
        if (r == 0) {
            tare_meter_nvml.sample(self);
            continue;
        }
        if (r < 0 || n + 1 >= sizeof line || read(STDIN_FILENO, line + n, 1) != 1) {
            return;
        }
        n++;
        if (line[n - 1] == '\n') {
            line[n] = '\0';
            obey(self, line);
            n = 0;
        }
    }
}

/* Text as it is, times in nanoseconds: the types that this meter has. The harness's own parser knows more. */
static int set_option(void *self, const char *name, const char *value)
{
    for (const struct tare_opt *opt = tare_meter_nvml.options; opt->name; opt++) {
        void *at = (char *)self + opt->offset;
        if (strcmp(opt->name, name) == 0 && opt->type == TARE_OPT_STR) {
            memcpy(at, &value, sizeof value);
            return 0;
        }
        if (strcmp(opt->name, name) == 0 && opt->type == TARE_OPT_NS) {
            int64_t ns = strtoll(value, NULL, 10);
            memcpy(at, &ns, sizeof ns);
            return 0;
        }
    }
    return -1;
}

/* nvml_windows [OPTION VALUE]... */
int main(int argc, char **argv)
{
    struct tare_err err = {0, ""};
    void *self = calloc(1, tare_meter_nvml.priv_size);
    int r = self ? set_option(self, "watch", "500000000") : -1;
    for (int i = 1; r == 0 && i + 1 < argc; i += 2) {
        r = set_option(self, argv[i], argv[i + 1]);
    }
    bool is_open = r == 0 && tare_meter_nvml.open(self, &err) == 0;
    srandom((unsigned int)time(NULL));
    if (is_open) {
        (void)printf("open\n");
        (void)fflush(stdout);
        serve(self);
        tare_meter_nvml.close(self);
    } else {
        (void)fprintf(stderr, "nvml_windows: %s\n", r < 0 ? "no such option" : err.msg);
    }
    free(self);
    return is_open ? 0 : 1;
}
