// The bodies of clinux.h: thin calls, no logic.
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(LB_POLL_IN == EPOLLIN && LB_POLL_OUT == EPOLLOUT && LB_POLL_ERR == EPOLLERR && LB_POLL_HUP == EPOLLHUP
                   && LB_POLL_RDHUP == EPOLLRDHUP && LB_POLL_EXCLUSIVE == EPOLLEXCLUSIVE,
               "readiness bits are epoll's");

enum { LB_MAX_EVENTS = 1024 };

static int control(int poller, int operation, int descriptor, uint32_t interest, int edge_triggered, uint64_t tag) {
    struct epoll_event event = {.events = interest | (edge_triggered ? EPOLLET : 0), .data.u64 = tag};
    return epoll_ctl(poller, operation, descriptor, &event);
}

int lb_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int lb_epoll_add(int poller, int descriptor, uint32_t interest, int edge_triggered, uint64_t tag) {
    return control(poller, EPOLL_CTL_ADD, descriptor, interest, edge_triggered, tag);
}

int lb_epoll_modify(int poller, int descriptor, uint32_t interest, int edge_triggered, uint64_t tag) {
    return control(poller, EPOLL_CTL_MOD, descriptor, interest, edge_triggered, tag);
}

int lb_epoll_remove(int poller, int descriptor) { return epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL); }

int lb_epoll_wait(int poller, lb_event *events, int capacity, int milliseconds) {
    struct epoll_event raw[LB_MAX_EVENTS];
    int count = epoll_wait(poller, raw, capacity < LB_MAX_EVENTS ? capacity : LB_MAX_EVENTS, milliseconds);
    for (int index = 0; index < count; index++) {
        events[index].tag = raw[index].data.u64;
        events[index].readiness = raw[index].events;
    }
    return count;
}

int lb_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int lb_accept(int listener, void *address, uint32_t *length) {
    return accept4(listener, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int lb_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int lb_null_device(void) {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int lb_stream_socket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

int lb_set_option(int descriptor, int level, int option, int value) {
    return setsockopt(descriptor, level, option, &value, sizeof value);
}

int lb_get_option(int descriptor, int level, int option) {
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(descriptor, level, option, &value, &length) == 0 ? value : -1;
}

int lb_packet_socket(void) { return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0); }

int lb_datagram_socket(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); }

uint32_t lb_peer_user(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? (uint32_t)peer.uid : UINT32_MAX;
}

int lb_accept_waiting(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

ptrdiff_t lb_send_descriptors(int socket, const void *text, size_t length, const int *descriptors, int count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(LB_MAX_PASSED * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = (void *)text, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > LB_MAX_PASSED) {
        errno = E2BIG;
        return -1;
    }
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, (size_t)count * sizeof(int));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ptrdiff_t lb_receive_descriptors(int socket, void *text, size_t capacity, int *descriptors, int *count) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(LB_MAX_PASSED * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *count = 0;
    ptrdiff_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (length < 0) return length;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int passed = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int index = 0; index < passed && *count < LB_MAX_PASSED; index++, (*count)++) {
            memcpy(&descriptors[*count], CMSG_DATA(header) + (size_t)index * sizeof(int), sizeof(int));
        }
    }
    // A part of the descriptors, or of the text, is none.
    if (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) {
        for (int index = 0; index < *count; index++) close(descriptors[index]);
        *count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return length;
}

int lb_close_from(void *actions, int first) { return posix_spawn_file_actions_addclosefrom_np(actions, first); }

// In the copy of a process with threads: nothing that takes a lock.
static _Noreturn void become(const char *path, char *const arguments[], char *const environment[], int descriptor, int number) {
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction action = {.sa_handler = SIG_DFL};
        sigaction(signal, &action, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if ((descriptor == number || dup2(descriptor, number) == number) && fcntl(number, F_SETFD, 0) == 0
        && syscall(SYS_close_range, number + 1, ~0U, 0) == 0)
        execve(path, arguments, environment);
    _exit(127);
}

int lb_spawn_sibling(const char *path, char *const arguments[], char *const environment[], int descriptor, int number, int *process) {
    // What cannot be started is told here, where somebody hears it.
    if (access(path, X_OK) != 0) return -1;
    sigset_t all, former;
    sigfillset(&all);
    // No handler runs in the copy.
    pthread_sigmask(SIG_SETMASK, &all, &former);
    long pid = syscall(SYS_clone, CLONE_PARENT | CLONE_PIDFD | SIGCHLD, NULL, process, NULL, 0);
    if (pid == 0) become(path, arguments, environment, descriptor, number);
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    errno = failure;
    return (int)pid;
}

int lb_signal_process(int process, int signal) { return (int)syscall(SYS_pidfd_send_signal, process, signal, NULL, 0); }

int lb_set_ipv6_only(int descriptor) { return lb_set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1); }

int lb_set_no_delay(int descriptor) { return lb_set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1); }

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int lb_unacknowledged(int descriptor) {
    int count = 0;
    return ioctl(descriptor, SIOCOUTQ, &count) == 0 ? count : 0;
}

void lb_fix_mmap_threshold(int bytes) {
    mallopt(M_MMAP_THRESHOLD, bytes);
}

void lb_trim_heap(void) {
    malloc_trim(0);
}

int lb_set_unsent_limit(int descriptor, int bytes) {
    return setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

int lb_splice_pipe(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return -1;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

ptrdiff_t lb_splice(int from, int to, size_t count) {
    return splice(from, NULL, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

uint64_t lb_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }

uint64_t lb_realtime_nanoseconds(void) { return nanoseconds(CLOCK_REALTIME); }

uint64_t lb_descriptor_limit(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 1024;
}

uint64_t lb_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}
