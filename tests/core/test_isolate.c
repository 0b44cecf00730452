/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker puts between itself and the machine, each time in a child process. */
#include "core/isolate.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a child found. */
enum { FINE = 0, NO_LOOPBACK = 10, OTHER_INTERFACES, OTHER_USER, NO_WORD, REFUSED = 20 };

static bool loopback_works(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof to;
    int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);
    return bind(a, (struct sockaddr *)&to, sizeof to) == 0 && listen(a, 1) == 0 &&
           getsockname(a, (struct sockaddr *)&to, &n) == 0 &&
           connect(b, (struct sockaddr *)&to, sizeof to) == 0;
}

/* Interfaces in /proc/self/net/dev that are not loopback and have counted anything. */
static bool has_others(void)
{
    char line[512];
    bool found = false;
    FILE *from = fopen("/proc/self/net/dev", "re");
    while (from && fgets(line, sizeof line, from)) {
        const char *colon = strchr(line, ':');
        double bytes = 0;
        found =
            found || (colon && !strstr(line, "lo:") && sscanf(colon + 1, "%lf", &bytes) == 1 && bytes > 0);
    }
    return !from || found;
}

static int in_own_network(void)
{
    const struct tare_spec spec = {.network = TARE_NETWORK_OWN};
    struct tare_err err = {0};
    uid_t user = geteuid();
    int r = tare_isolate(&spec, &err);
    if (r < 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
        return r == TARE_E_UNSUPPORTED && err.msg[0] ? REFUSED : NO_WORD;
    }
    const char *word = getenv("TARE_NETWORK");
    return !loopback_works()                   ? NO_LOOPBACK
           : has_others()                      ? OTHER_INTERFACES
           : geteuid() != user                 ? OTHER_USER
           : !word || strcmp(word, "own") != 0 ? NO_WORD
                                               : FINE;
}

static int in_host_network(void)
{
    const struct tare_spec spec = {.network = TARE_NETWORK_HOST};
    struct tare_err err = {0};
    (void)setenv("TARE_NETWORK", "own", 1); /* what somebody else has said does not count */
    int r = tare_isolate(&spec, &err);
    return r == 0 && strcmp(getenv("TARE_NETWORK"), "host") == 0 ? FINE : NO_WORD;
}

static int in_no_cgroup(void)
{
    char folder[] = "/nowhere/at/all";
    const struct tare_spec spec = {.cgroup = folder};
    struct tare_err err = {0};
    return tare_isolate(&spec, &err) == TARE_E_UNSUPPORTED && strstr(err.msg, folder) ? FINE : NO_WORD;
}

static int run(int (*what)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(what());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_own_network(void **state)
{
    (void)state;
    int found = run(in_own_network);
    if (found == REFUSED) {
        skip(); /* with the reason, as it should be */
    }
    assert_int_equal(found, FINE);
}

static void test_host_network(void **state)
{
    (void)state;
    assert_int_equal(run(in_host_network), FINE);
}

static void test_cgroup(void **state)
{
    (void)state;
    assert_int_equal(run(in_no_cgroup), FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_own_network),
                                       cmocka_unit_test(test_host_network), cmocka_unit_test(test_cgroup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
