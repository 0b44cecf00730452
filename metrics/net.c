/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes over the network interfaces of this process's network namespace, loopback apart.
 *
 * In the machine's namespace they are those of everybody. In one of the cell's own (plan key network =
 * own) they are the worker's alone, and the scope says so. Headers are counted once a packet as the
 * kernel handles it, which may be 64 KiB large, not once a frame on the wire; acknowledgements are counted
 * too. On loopback every byte is both sent and received.
 */
#include <tare/meter.h>

#include "sysfile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct counters {
    double rx, tx, lo_rx, lo_tx;
    uint64_t names; /* hash of the interfaces' names */
    bool ok, whole;
};

struct net {
    char *proc;
    struct counters begin;
    char text[65536]; /* some 500 interfaces */
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct net, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, proc), .def = "/proc/self", .help = "folder of the process in /proc"},
    TARE_OPT_END};

/* "  eth0: rx_bytes and seven more, tx_bytes and seven more" */
static void take_line(struct counters *c, const char *line)
{
    double rx = 0, tx = 0;
    const char *colon = strchr(line, ':');
    if (!colon || sscanf(colon + 1, "%lf %*u %*u %*u %*u %*u %*u %*u %lf", &rx, &tx) != 2) {
        return; /* a heading */
    }
    line += strspn(line, " ");
    for (const char *at = line; at <= colon; at++) { /* FNV-1a */
        c->names = (c->names ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    bool lo = colon - line == 2 && strncmp(line, "lo", 2) == 0;
    *(lo ? &c->lo_rx : &c->rx) += rx;
    *(lo ? &c->lo_tx : &c->tx) += tx;
}

static struct counters read_all(struct net *n)
{
    struct counters c = {0};
    char path[512];
    (void)snprintf(path, sizeof path, "%.480s/net/dev", n->proc ? n->proc : "/proc/self");
    c.ok = tare_sysfile_whole(path, n->text, sizeof n->text, &c.whole) == 0 && n->text[0];
    char *rest = n->text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        take_line(&c, line);
    }
    return c;
}

static int net_open(void *self, struct tare_err *err)
{
    struct net *n = self;
    memset(n->text, 1, sizeof n->text); /* touched now, not while it is read */
    n->begin = read_all(n);
    return n->begin.ok ? 0
                       : tare_err_set(err, TARE_E_ENVIRONMENT, "%.200s/net/dev cannot be read: %s",
                                      n->proc ? n->proc : "/proc/self", strerror(errno));
}

static void net_begin(void *self)
{
    struct net *n = self;
    n->begin = read_all(n);
}

/* A namespace of the cell's own is told by who made it: the worker, before anything else. */
static bool is_own(void)
{
    const char *network = getenv("TARE_NETWORK");
    return network && strcmp(network, "own") == 0;
}

static void add(struct tare_readings *to, const char *name, double value, const char *why, const char *flags)
{
    bool own = is_own();
    struct tare_reading reading = {.name = name,
                                   .unit = "B",
                                   .scope = own ? "cell namespace" : "node",
                                   .source = "/proc/self/net/dev",
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL || value < 0,
                                   .value = value,
                                   .why = why ? why : "an interface went away or its counter was reset"};
    struct tare_doubt doubt = {*flags ? (double)NAN : 0, 0, flags};
    to->add_doubted(to, &reading, &doubt);
}

static void net_end(void *self, struct tare_readings *to)
{
    struct net *n = self;
    struct counters a = n->begin, b = read_all(n);
    const char *why = !a.ok || !b.ok         ? "/proc/self/net/dev could not be read"
                      : !a.whole || !b.whole ? "there are more interfaces than the meter has room for"
                                             : NULL;
    bool changed = a.names != b.names;
    const char *flags = is_own()  ? (changed ? "INTERFACES_CHANGED" : "")
                        : changed ? "SHARED_INTERFACES,INTERFACES_CHANGED"
                                  : "SHARED_INTERFACES";
    add(to, "net_rx_bytes", b.rx - a.rx, why, flags);
    add(to, "net_tx_bytes", b.tx - a.tx, why, flags);
    add(to, "net_lo_rx_bytes", b.lo_rx - a.lo_rx, why, flags);
    add(to, "net_lo_tx_bytes", b.lo_tx - a.lo_tx, why, flags);
}

const struct tare_meter tare_meter_net = {.header = TARE_METER_HEADER,
                                          .name = "net",
                                          .summary = "bytes over the interfaces of the network namespace",
                                          .priv_size = sizeof(struct net),
                                          .open = net_open,
                                          .begin = net_begin,
                                          .end = net_end,
                                          .options = options};
