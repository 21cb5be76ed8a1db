// The floor: relays bytes between each client and a backend of its own, parses nothing.
//
// usage: relay [--splice] PORT BACKEND_PORT…
//
// With --splice, bytes move through a pipe for each direction and never enter the process.
// What it costs is what the kernel charges any proxy that accepts, receives, sends and waits with epoll; what a proxy costs
// beyond that is its own. Each client connection has one backend connection, the backends taking turns; nothing is reused.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_SIZE = 64 << 10 };

// One of the two sockets of a pair.
struct side {
    struct pair *pair;
    struct side *other;
    int descriptor;
    bool may_read; // edge-triggered: set by an event, cleared by a short read
    char *rest;    // received for this side, and not taken by it yet
    size_t rest_length;
    int pipe[2]; // holds the rest when bytes are spliced
};

struct pair {
    struct side client, backend;
    bool is_closed;
    struct pair *next; // in the list of the closed
};

static int poller, listener;
static struct sockaddr_in *backends;
static int backend_count;
static struct pair *closed; // freed when the events at hand are done
static bool splices;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void close_pair(struct pair *pair) {
    if (pair->is_closed) return;
    pair->is_closed = true;
    close(pair->client.descriptor);
    close(pair->backend.descriptor);
    for (int end = 0; splices && end < 2; end++) {
        close(pair->client.pipe[end]);
        close(pair->backend.pipe[end]);
    }
    pair->next = closed;
    closed = pair;
}

static void free_closed(void) {
    while (closed) {
        struct pair *pair = closed;
        closed = pair->next;
        free(pair->client.rest);
        free(pair->backend.rest);
        free(pair);
    }
}

// Sends what is in the side's pipe as far as the side takes it; false when the pair is closed.
static bool empty_pipe(struct side *side) {
    while (side->rest_length > 0) {
        ssize_t sent = splice(side->pipe[0], NULL, side->descriptor, NULL, side->rest_length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (sent <= 0) {
            if (sent < 0 && errno == EAGAIN) return true;
            close_pair(side->pair);
            return false;
        }
        side->rest_length -= (size_t)sent;
    }
    return true;
}

// Does as `pump` does, through a pipe.
static void pump_spliced(struct side *from) {
    struct side *to = from->other;
    while (from->may_read && to->rest_length == 0) {
        ssize_t got =
            splice(from->descriptor, NULL, to->pipe[1], NULL, BUFFER_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            close_pair(from->pair);
            return;
        }
        // A short splice tells nothing: a pipe is full of pages, which need not be full of bytes.
        if (got < 0) from->may_read = false;
        if (got < 0) return;
        to->rest_length = (size_t)got;
        if (!empty_pipe(to)) return;
    }
}

// Moves what `from` has to the other side until there is no more, or the other side takes no more.
static void pump(struct side *from) {
    if (splices) {
        pump_spliced(from);
        return;
    }
    static char buffer[BUFFER_SIZE];
    struct side *to = from->other;
    while (from->may_read && to->rest_length == 0) {
        ssize_t got = recv(from->descriptor, buffer, sizeof buffer, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            close_pair(from->pair);
            return;
        }
        if (got < (ssize_t)sizeof buffer) from->may_read = false;
        if (got < 0) return;
        ssize_t sent = send(to->descriptor, buffer, (size_t)got, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            close_pair(from->pair);
            return;
        }
        if (sent < got) {
            size_t taken = sent > 0 ? (size_t)sent : 0;
            to->rest_length = (size_t)got - taken;
            to->rest = malloc(to->rest_length);
            memcpy(to->rest, buffer + taken, to->rest_length);
        }
    }
}

// Sends what this side has not taken yet, then goes on with what the other side has.
static void flush(struct side *side) {
    if (side->rest_length == 0) return;
    if (splices) {
        if (empty_pipe(side) && side->rest_length == 0) pump(side->other);
        return;
    }
    ssize_t sent = send(side->descriptor, side->rest, side->rest_length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) close_pair(side->pair);
        return;
    }
    side->rest_length -= (size_t)sent;
    if (side->rest_length > 0) {
        memmove(side->rest, side->rest + sent, side->rest_length);
        return;
    }
    free(side->rest);
    side->rest = NULL;
    pump(side->other);
}

static void watch(struct side *side) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = side};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, side->descriptor, &event) != 0) fail("epoll_ctl");
}

static void accept_all(void) {
    static unsigned turn;
    int client, on = 1;
    while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int backend = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (backend < 0) fail("socket");
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(backend, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct pair *pair = calloc(1, sizeof *pair);
        pair->client = (struct side){.pair = pair, .other = &pair->backend, .descriptor = client};
        pair->backend = (struct side){.pair = pair, .other = &pair->client, .descriptor = backend};
        if (splices && (pipe2(pair->client.pipe, O_NONBLOCK | O_CLOEXEC) || pipe2(pair->backend.pipe, O_NONBLOCK | O_CLOEXEC)))
            fail("pipe2");
        // A send before the connection is made says EAGAIN; the event that it is made flushes.
        struct sockaddr_in *address = &backends[turn++ % (unsigned)backend_count];
        if (connect(backend, (struct sockaddr *)address, sizeof *address) != 0 && errno != EINPROGRESS) fail("connect");
        watch(&pair->client);
        watch(&pair->backend);
    }
}

static struct sockaddr_in loopback(const char *port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

int main(int argc, char **argv) {
    splices = argc > 1 && strcmp(argv[1], "--splice") == 0;
    if (splices) argc--, argv++;
    if (argc < 3) {
        fprintf(stderr, "usage: relay [--splice] PORT BACKEND_PORT...\n");
        return 2;
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    backend_count = argc - 2;
    backends = calloc((size_t)backend_count, sizeof *backends);
    for (int i = 0; i < backend_count; i++) backends[i] = loopback(argv[i + 2]);

    struct sockaddr_in address = loopback(argv[1]);
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);

    static struct epoll_event events[512];
    for (;;) {
        int ready = epoll_wait(poller, events, 512, -1);
        for (int i = 0; i < ready; i++) {
            struct side *side = events[i].data.ptr;
            if (!side) {
                accept_all();
            } else {
                if (events[i].events & ~(uint32_t)EPOLLOUT) side->may_read = true;
                if (!side->pair->is_closed) flush(side);
                if (!side->pair->is_closed) pump(side);
            }
        }
        free_closed();
    }
}
