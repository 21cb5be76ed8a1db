// The backends of the benchmark: one process, one thread, many ports, fixed answers, and a count of what each port got.
//
// usage: origin FIRST_PORT COUNT DELAY_MS
//
// Listens on 127.0.0.1, on COUNT ports from FIRST_PORT on. GET answers by path: /64k and /1m with that many bytes,
// /chunked with 16 chunks of 4 KiB, each sent by itself, everything else with 100 bytes. A request body is read whole before
// its answer. With DELAY_MS above 0, the last port answers that much later. The port after the last answers
// "PORT CONNECTIONS REQUESTS" for each, and is not counted. It speaks as much HTTP/1.1 as proxies do to backends:
// Content-Length, keep-alive, close; anything else is answered with 501, so that a run with it fails.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 1 << 17, READ_SIZE = 64 << 10, HEAD_SIZE = 8 << 10, CHUNKS = 16, CHUNK_SIZE = 4096 };

struct port {
    unsigned long connections, requests;
};

struct answer {
    char *bytes;
    size_t length, step; // step: how much is given to one send
};

struct connection {
    bool is_listener, closes, waits; // waits: its answer is due later
    int port;                        // its place in `ports`; `count` is the counts' own
    char *head;                      // a head that has not come whole
    size_t head_length, body_left;
    struct answer answer;
    size_t sent;
    uint32_t generation; // tells a connection from an earlier one with the same descriptor
};

struct due {
    int descriptor;
    uint32_t generation;
    int64_t at;
};

static struct connection *connections;
static struct port *ports;
static struct answer small, large, huge, chunked, refusal;
static int count, first_port, poller;
static int64_t delay;
static struct due *late; // a ring, in order of time: the delay is the same for all
static unsigned late_first, late_end;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Answers.

static const char *const fields =
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: origin\r\nContent-Type: text/plain\r\n";

static struct answer with_length(const char *status, size_t length) {
    struct answer answer = {malloc(length + 512), 0, SIZE_MAX};
    int head = sprintf(answer.bytes, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, fields, length);
    memset(answer.bytes + head, 'x', length);
    answer.length = (size_t)head + length;
    return answer;
}

static struct answer in_chunks(void) {
    struct answer answer = {malloc(CHUNKS * (CHUNK_SIZE + 16) + 512), 0, CHUNK_SIZE + 8};
    char *end = answer.bytes;
    end += sprintf(end, "HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n", fields);
    for (int i = 0; i < CHUNKS; i++) {
        end += sprintf(end, "%x\r\n", CHUNK_SIZE);
        memset(end, 'x', CHUNK_SIZE);
        end += CHUNK_SIZE;
        end += sprintf(end, "\r\n");
    }
    end += sprintf(end, "0\r\n\r\n");
    answer.length = (size_t)(end - answer.bytes);
    return answer;
}

static struct answer counts(void) {
    struct answer answer = {malloc((size_t)count * 64 + 512), 0, SIZE_MAX};
    char *lines = malloc((size_t)count * 64 + 1), *end = lines;
    for (int i = 0; i < count; i++) {
        end += sprintf(end, "%d %lu %lu\n", first_port + i, ports[i].connections, ports[i].requests);
    }
    answer.length = (size_t)sprintf(
        answer.bytes, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%.*s", (size_t)(end - lines),
        (int)(end - lines), lines);
    free(lines);
    return answer;
}

// Connections.

static void close_connection(int descriptor) {
    struct connection *connection = &connections[descriptor];
    if (connection->port == count && connection->answer.bytes != refusal.bytes) free(connection->answer.bytes);
    free(connection->head);
    uint32_t generation = connection->generation + 1;
    memset(connection, 0, sizeof *connection);
    connection->generation = generation;
    close(descriptor);
}

static void watch(int descriptor, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(poller, operation, descriptor, &event) != 0) fail("epoll_ctl");
}

static void accept_all(int listener) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (descriptor >= MAX_DESCRIPTORS) {
            close(descriptor);
            continue;
        }
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[descriptor].port = connections[listener].port;
        if (connections[listener].port < count) ports[connections[listener].port].connections++;
        watch(descriptor, EPOLLIN, EPOLL_CTL_ADD);
    }
}

// Sends what is left of the answer; false if the connection is gone or waits until it can be written.
static bool send_answer(int descriptor) {
    struct connection *connection = &connections[descriptor];
    while (connection->sent < connection->answer.length) {
        size_t left = connection->answer.length - connection->sent;
        if (left > connection->answer.step) left = connection->answer.step;
        ssize_t written = send(descriptor, connection->answer.bytes + connection->sent, left, MSG_NOSIGNAL);
        if (written > 0) {
            connection->sent += (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            watch(descriptor, EPOLLOUT, EPOLL_CTL_MOD);
            return false;
        } else {
            close_connection(descriptor);
            return false;
        }
    }
    if (connection->closes) {
        close_connection(descriptor);
        return false;
    }
    connection->answer.length = connection->sent = 0;
    return true;
}

static bool begin_answer(int descriptor) {
    struct connection *connection = &connections[descriptor];
    if (connection->port < count) ports[connection->port].requests++;
    if (delay > 0 && connection->port == count - 1) {
        late[late_end++ % MAX_DESCRIPTORS] = (struct due){descriptor, connection->generation, now() + delay};
        connection->waits = true;
        return false;
    }
    return send_answer(descriptor);
}

static bool starts(const char *head, const char *with) { return strncmp(head, with, strlen(with)) == 0; }

// Reads one head, ended with a null byte in place of its last line feed, and chooses the answer.
static void choose(struct connection *connection, const char *head) {
    const char *path = strchr(head, ' ');
    const char *length = strcasestr(head, "\r\ncontent-length:");
    connection->closes = strcasestr(head, "\r\nconnection: close") != NULL;
    connection->body_left = length ? strtoul(length + 17, NULL, 10) : 0;
    if (connection->port == count) {
        connection->answer = counts();
        connection->closes = true;
    } else if (!path || strcasestr(head, "\r\ntransfer-encoding:") || !strstr(head, " HTTP/1.1\r\n")) {
        connection->answer = refusal;
        connection->closes = true;
    } else if (starts(path, " /64k ")) {
        connection->answer = large;
    } else if (starts(path, " /1m ")) {
        connection->answer = huge;
    } else if (starts(path, " /chunked ")) {
        connection->answer = chunked;
    } else {
        connection->answer = small;
    }
}

// Takes what was read: heads, and bodies, which are thrown away.
static void take(int descriptor, char *bytes, size_t length) {
    struct connection *connection = &connections[descriptor];
    while (length > 0) {
        if (connection->answer.length == 0) {
            char *end = memmem(bytes, length, "\r\n\r\n", 4);
            if (!end) {
                if (length >= HEAD_SIZE) {
                    close_connection(descriptor);
                    return;
                }
                connection->head = malloc(HEAD_SIZE);
                memcpy(connection->head, bytes, length);
                connection->head_length = length;
                return;
            }
            end[3] = 0;
            choose(connection, bytes);
            length -= (size_t)(end + 4 - bytes);
            bytes = end + 4;
        }
        size_t body = length < connection->body_left ? length : connection->body_left;
        connection->body_left -= body;
        bytes += body;
        length -= body;
        if (connection->body_left > 0) return;
        // A proxy sends the next request after the answer; one that comes sooner is not for this origin.
        if (length > 0) {
            close_connection(descriptor);
            return;
        }
        begin_answer(descriptor);
        return;
    }
}

static void receive(int descriptor) {
    static char buffer[READ_SIZE + HEAD_SIZE];
    struct connection *connection = &connections[descriptor];
    size_t kept = connection->head_length;
    if (kept > 0) {
        memcpy(buffer, connection->head, kept);
        free(connection->head);
        connection->head = NULL;
        connection->head_length = 0;
    }
    ssize_t got = recv(descriptor, buffer + kept, READ_SIZE, 0);
    if (got > 0) {
        take(descriptor, buffer, kept + (size_t)got);
    } else if (got == 0 || errno != EAGAIN) {
        close_connection(descriptor);
    }
}

// Answers what is due, and says how many milliseconds remain until the next is.
static int answer_late(void) {
    while (late_first != late_end) {
        struct due next = late[late_first % MAX_DESCRIPTORS];
        int64_t left = next.at - now();
        if (left > 0) return (int)(left / 1000000) + 1;
        late_first++;
        struct connection *connection = &connections[next.descriptor];
        if (connection->generation != next.generation || !connection->waits) continue;
        connection->waits = false;
        send_answer(next.descriptor);
    }
    return -1;
}

static void listen_on(int place) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)(first_port + place)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    connections[listener].is_listener = true;
    connections[listener].port = place;
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: origin FIRST_PORT COUNT DELAY_MS\n");
        return 2;
    }
    first_port = atoi(argv[1]);
    count = atoi(argv[2]);
    delay = atoi(argv[3]) * 1000000LL;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    connections = calloc(MAX_DESCRIPTORS, sizeof *connections);
    ports = calloc((size_t)count, sizeof *ports);
    late = calloc(MAX_DESCRIPTORS, sizeof *late);
    small = with_length("200 OK", 100);
    large = with_length("200 OK", 64 << 10);
    huge = with_length("200 OK", 1 << 20);
    refusal = with_length("501 Not Implemented", 0);
    chunked = in_chunks();
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (int place = 0; place <= count; place++) listen_on(place);

    static struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(poller, events, 512, answer_late());
        for (int i = 0; i < ready; i++) {
            int descriptor = events[i].data.fd;
            struct connection *connection = &connections[descriptor];
            if (connection->is_listener) {
                accept_all(descriptor);
            } else if (events[i].events & EPOLLOUT) {
                watch(descriptor, EPOLLIN, EPOLL_CTL_MOD);
                send_answer(descriptor);
            } else {
                receive(descriptor);
            }
        }
    }
}
