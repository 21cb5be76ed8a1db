// A load at a constant rate: requests fall due at fixed times, whether or not earlier ones have been answered.
//
// usage: rate PORT CONNECTIONS REQUESTS_PER_SECOND SECONDS
//
// The latency of a request counts from when it was due, not from when a connection was free to send it: a proxy that stands
// still for 100 ms is charged for every request that would have come in that time ("coordinated omission" is what a
// closed loop does instead). Prints the same line as the closed loop: see load.py.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, BUFFER_SIZE = 4096 };

struct connection {
    int descriptor;
    int64_t due; // of the request that is out
    size_t received;
    char buffer[BUFFER_SIZE];
};

static struct connection connections[MAX_CONNECTIONS];
static struct connection *idle[MAX_CONNECTIONS]; // a stack
static int idle_count;
static uint32_t *latencies; // in microseconds
static size_t done, failed_reads, failed_statuses;

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void connect_to(struct connection *connection, uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int on = 1;
    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
}

// Whether a whole response is there: a head, and as many bytes as its Content-Length says.
static bool is_whole(struct connection *connection) {
    connection->buffer[connection->received] = 0;
    char *end = strstr(connection->buffer, "\r\n\r\n");
    if (!end) return false;
    char *length = strcasestr(connection->buffer, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return connection->received >= (size_t)(end + 4 - connection->buffer) + body;
}

// Receives; a response that has come whole is counted and its connection is free again.
static void receive(struct connection *connection) {
    ssize_t got = recv(
        connection->descriptor, connection->buffer + connection->received, BUFFER_SIZE - 1 - connection->received, 0);
    if (got <= 0) {
        failed_reads++;
        close(connection->descriptor);
        return;
    }
    connection->received += (size_t)got;
    if (!is_whole(connection)) return;
    if (strncmp(connection->buffer, "HTTP/1.1 200 ", 13) != 0) failed_statuses++;
    latencies[done++] = (uint32_t)((now() - connection->due) / 1000);
    connection->received = 0;
    idle[idle_count++] = connection;
}

static int by_size(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static unsigned percentile(double percent) {
    if (done == 0) return 0;
    size_t place = (size_t)(percent / 100 * (double)done);
    return latencies[place < done ? place : done - 1];
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: rate PORT CONNECTIONS REQUESTS_PER_SECOND SECONDS\n");
        return 2;
    }
    int count = atoi(argv[2]);
    double rate = atof(argv[3]), seconds = atof(argv[4]);
    if (count < 1 || count > MAX_CONNECTIONS || rate <= 0 || seconds <= 0) return 2;
    size_t total = (size_t)(rate * seconds), sent = 0;
    latencies = calloc(total + 1, sizeof *latencies);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        connect_to(&connections[i], (uint16_t)atoi(argv[1]));
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, connections[i].descriptor, &event) != 0) fail("epoll_ctl");
        idle[idle_count++] = &connections[i];
    }

    static struct epoll_event events[512];
    int64_t start = now(), give_up = start + (int64_t)((seconds + 5) * 1e9);
    while (done + failed_reads < total && failed_reads < (size_t)count) {
        int64_t time = now(), due = start + (int64_t)((double)sent / rate * 1e9);
        if (time > give_up) break;
        while (sent < total && due <= time && idle_count > 0) {
            struct connection *connection = idle[--idle_count];
            connection->due = due;
            if (send(connection->descriptor, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1) fail("send");
            sent++;
            due = start + (int64_t)((double)sent / rate * 1e9);
        }
        int64_t wait = 100000000;
        if (sent < total && idle_count > 0) wait = due > time ? due - time : 0;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        int ready = epoll_pwait2(poller, events, 512, &timeout, NULL);
        for (int i = 0; i < ready; i++) receive(events[i].data.ptr);
    }

    int64_t took = now() - start;
    size_t unanswered = total - done - failed_reads;
    qsort(latencies, done, sizeof *latencies, by_size);
    printf(
        "load: requests %zu microseconds %lld bytes 0 connect 0 read %zu write 0 status %zu timeout %zu "
        "p50 %u p99 %u p999 %u max %u\n",
        done, (long long)(took / 1000), failed_reads, failed_statuses, unanswered, percentile(50), percentile(99),
        percentile(99.9), percentile(100));
}
