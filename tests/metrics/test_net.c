/* SPDX-License-Identifier: Apache-2.0 */
/* Interface counters out of a fake /proc, and the sockets of this very process. */
#include "fake_files.h"
#include "sink.h"

#include <arpa/inet.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_net, tare_meter_tcp;

#define HEAD                                                                                             \
    "Inter-|   Receive                            |  Transmit\n"                                         \
    " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls " \
    "carrier "                                                                                           \
    "compressed\n"

static void test_interfaces(void **state)
{
    struct fake_files f;
    struct bench b;
    static struct sink s;
    (void)state;
    fake_files_open(&f);
    fake_files_put(&f, "net/dev",
                   HEAD "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n"
                        "  eth0: 5000 9 0 0 0 0 0 0 700 8 0 0 0 0 0 0\n"
                        "loop1:1 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0\n");
    bench_open(&b, &tare_meter_net, (const char *const[]){"proc", f.dir, NULL});
    assert_non_null(b.self);
    b.ops->begin(b.self);
    fake_files_put(&f, "net/dev",
                   HEAD "    lo: 350 1 0 0 0 0 0 0 350 1 0 0 0 0 0 0\n"
                        "  eth0: 18446744073709000000 9 0 0 0 0 0 0 1700 8 0 0 0 0 0 0\n"
                        "loop1:31 1 0 0 0 0 0 0 42 1 0 0 0 0 0 0\n");
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    assert_true(sink_get(&s, "net_lo_rx_bytes")->value == 250);
    assert_true(sink_get(&s, "net_lo_tx_bytes")->value == 250);
    assert_true(sink_get(&s, "net_tx_bytes")->value == 1040);
    assert_true(sink_get(&s, "net_rx_bytes")->value > 1.8e19);
    assert_string_equal(sink_get(&s, "net_rx_bytes")->scope, "node");
    assert_string_equal(sink_get(&s, "net_rx_bytes")->flags, "SHARED_INTERFACES");
    b.ops->begin(b.self);
    fake_files_put(&f, "net/dev", HEAD "    lo: 350 1 0 0 0 0 0 0 350 1 0 0 0 0 0 0\n");
    assert_int_equal(setenv("TARE_NETWORK", "own", 1), 0);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    assert_int_equal(unsetenv("TARE_NETWORK"), 0);
    assert_true(sink_get(&s, "net_rx_bytes")->absent);
    assert_true(sink_get(&s, "net_lo_rx_bytes")->value == 0);
    assert_string_equal(sink_get(&s, "net_lo_rx_bytes")->scope, "cell namespace");
    assert_string_equal(sink_get(&s, "net_lo_rx_bytes")->flags, "INTERFACES_CHANGED");
    bench_close(&b);
    bench_open(&b, &tare_meter_net, (const char *const[]){"proc", "/nowhere", NULL});
    assert_null(b.self);
    fake_files_close(&f);
}

/* Both ends of a connection over loopback. */
static void connect_pair(int pair[2])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof to;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&to, &n), 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(pair[0], (struct sockaddr *)&to, sizeof to), 0);
    pair[1] = accept(listener, NULL, NULL);
    assert_true(pair[1] >= 0);
    close(listener);
}

static void pass(int from, int to, size_t n)
{
    char text[1000];
    memset(text, 7, sizeof text);
    while (n > 0) {
        size_t part = n < sizeof text ? n : sizeof text;
        assert_int_equal(send(from, text, part, 0), part);
        assert_int_equal(recv(to, text, part, MSG_WAITALL), part);
        n -= part;
    }
}

static void read_end(struct bench *b, struct sink *s)
{
    sink_init(s);
    b->ops->end(b->self, &s->to);
}

static void test_sockets(void **state)
{
    struct bench b;
    static struct sink s;
    int old[2], new[2];
    (void)state;
    bench_open(&b, &tare_meter_tcp, NULL);
    assert_non_null(b.self);
    connect_pair(old);
    pass(old[0], old[1], 12345); /* before the phase */
    b.ops->begin(b.self);
    pass(old[0], old[1], 100000);
    pass(old[1], old[0], 17);
    connect_pair(new);
    int again = dup(new[0]); /* no socket of its own */
    pass(new[0], new[1], 1);
    read_end(&b, &s);
    double resent = sink_get(&s, "tcp_retrans_bytes")->value;
    assert_true(sink_get(&s, "tcp_sent_bytes")->value - resent == 100018);
    assert_true(sink_get(&s, "tcp_received_bytes")->value == 100018);
    double acked = sink_get(&s, "tcp_acked_bytes")->value;
    assert_true(acked >= 100000 && acked <= 100018 + 2);
    assert_true(sink_get(&s, "tcp_sockets")->value == 4);
    assert_null(strstr(sink_get(&s, "tcp_sent_bytes")->flags, "SOCKETS_CLOSED"));
    /* One that was there at the begin goes away. */
    close(again);
    b.ops->begin(b.self);
    close(new[0]);
    close(new[1]);
    read_end(&b, &s);
    assert_non_null(strstr(sink_get(&s, "tcp_sent_bytes")->flags, "SOCKETS_CLOSED"));
    assert_true(isnan(sink_get(&s, "tcp_sent_bytes")->u));
    /* One that comes and goes within the phase leaves only the opens that the namespace has counted. */
    b.ops->begin(b.self);
    connect_pair(new);
    pass(new[0], new[1], 5000);
    close(new[0]);
    close(new[1]);
    read_end(&b, &s);
    assert_string_equal(sink_get(&s, "tcp_sent_bytes")->flags, "SOCKETS_UNSEEN");
    /* The end of a stream counts 1. */
    b.ops->begin(b.self);
    pass(old[0], old[1], 10);
    assert_int_equal(shutdown(old[0], SHUT_WR), 0);
    char c;
    assert_int_equal(recv(old[1], &c, 1, 0), 0);
    read_end(&b, &s);
    assert_true(sink_get(&s, "tcp_received_bytes")->value == 11);
    close(old[0]);
    close(old[1]);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_interfaces), cmocka_unit_test(test_sockets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
