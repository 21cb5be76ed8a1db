// What Glibc's Swift module leaves out: epoll, eventfd, accept4, and a few calls with typed arguments.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Readiness bits, the same values as EPOLL* (checked in clinux.c).
enum {
    LB_POLL_IN = 0x001,
    LB_POLL_OUT = 0x004,
    LB_POLL_ERR = 0x008,
    LB_POLL_HUP = 0x010,
    LB_POLL_RDHUP = 0x2000,
    LB_POLL_EXCLUSIVE = 0x10000000,
};

/// One event: epoll's packed `struct epoll_event` unpacked.
typedef struct {
    uint64_t tag;
    uint32_t readiness;
} lb_event;

/// Has the processor fetch what is at an address, which need not be valid, while it goes on.
static inline void lb_prefetch(const void *address) { __builtin_prefetch(address); }
/// epoll_create1(2) with close-on-exec.
int lb_epoll_create(void);
/// epoll_ctl(2) EPOLL_CTL_ADD; returns 0, or -1 with errno set.
int lb_epoll_add(int poller, int descriptor, uint32_t interest, int edge_triggered, uint64_t tag);
/// epoll_ctl(2) EPOLL_CTL_MOD.
int lb_epoll_modify(int poller, int descriptor, uint32_t interest, int edge_triggered, uint64_t tag);
/// epoll_ctl(2) EPOLL_CTL_DEL.
int lb_epoll_remove(int poller, int descriptor);
/// epoll_wait(2): fills at most `capacity` (at most 1024) events; milliseconds -1 waits for ever.
int lb_epoll_wait(int poller, lb_event *events, int capacity, int milliseconds);
/// eventfd(2), non-blocking, close-on-exec.
int lb_eventfd(void);
/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC; `address` is a struct sockaddr_storage, or both are NULL.
int lb_accept(int listener, void *address, uint32_t *length);
/// pipe2(2) with close-on-exec.
int lb_pipe(int ends[2]);
/// open(2) of /dev/null, close-on-exec: a descriptor to hold back.
int lb_null_device(void);
/// socket(2) for streams with SOCK_NONBLOCK and SOCK_CLOEXEC.
int lb_stream_socket(int family);
/// setsockopt(2) with an int value.
int lb_set_option(int descriptor, int level, int option, int value);
/// getsockopt(2) of an int value; -1 when it cannot be had.
int lb_get_option(int descriptor, int level, int option);
/// socket(2) for packets between processes of one machine, blocking, close-on-exec.
int lb_packet_socket(void);
/// socket(2) for datagrams between processes of one machine, blocking, close-on-exec.
int lb_datagram_socket(void);
/// The user of the process at the other end of a Unix-domain socket (SO_PEERCRED); UINT32_MAX when that cannot be told.
uint32_t lb_peer_user(int descriptor);
/// accept4(2), blocking, close-on-exec.
int lb_accept_waiting(int listener);
/// How many descriptors go in one message.
enum { LB_MAX_PASSED = 250 };
/// sendmsg(2) of a text and descriptors (SCM_RIGHTS).
ptrdiff_t lb_send_descriptors(int socket, const void *text, size_t length, const int *descriptors, int count);
/// recvmsg(2) of a text and at most LB_MAX_PASSED descriptors, which are close-on-exec.
ptrdiff_t lb_receive_descriptors(int socket, void *text, size_t capacity, int *descriptors, int *count);
/// posix_spawn_file_actions_addclosefrom_np(3), of posix_spawn_file_actions_t: the descriptors from that one on are closed.
int lb_close_from(void *actions, int first);
/// Starts a program as a child of this process's parent (clone(2) with CLONE_PARENT), whose service manager then waits for it.
///
/// It has no blocked signals and no handlers; of the descriptors it has 0 to 2, and one more under another number.
/// Returns its number and a descriptor of it (pidfd_open(2)), close-on-exec; -1 with errno where that is not possible, as in process 1.
int lb_spawn_sibling(const char *path, char *const arguments[], char *const environment[], int descriptor, int number, int *process);
/// pidfd_send_signal(2).
int lb_signal_process(int process, int signal);
/// Sets IPV6_V6ONLY.
int lb_set_ipv6_only(int descriptor);
/// Sets TCP_NODELAY; sockets accepted from a listener inherit it.
int lb_set_no_delay(int descriptor);
/// Bytes given to a socket that its peer has not acknowledged (SIOCOUTQ); 0 when that cannot be told.
int lb_unacknowledged(int descriptor);
/// mallopt(3) M_MMAP_THRESHOLD: allocations of that size and more are mapped, and unmapped when freed.
void lb_fix_mmap_threshold(int bytes);
/// malloc_trim(3) of all arenas.
void lb_trim_heap(void);
/// Sets TCP_NOTSENT_LOWAT: bytes that may wait in the kernel before they are sent; accepted sockets inherit it.
int lb_set_unsent_limit(int descriptor, int bytes);
/// pipe2(2), non-blocking, close-on-exec.
int lb_splice_pipe(int *read_end, int *write_end);
/// splice(2) that moves pages and never waits, one end a pipe.
ptrdiff_t lb_splice(int from, int to, size_t count);
/// CLOCK_MONOTONIC in nanoseconds.
uint64_t lb_monotonic_nanoseconds(void);
/// CLOCK_REALTIME in nanoseconds.
uint64_t lb_realtime_nanoseconds(void);
/// RLIMIT_NOFILE's hard limit.
uint64_t lb_descriptor_limit(void);
/// Raises RLIMIT_NOFILE's soft limit to its hard limit; returns the limit now in force.
uint64_t lb_raise_descriptor_limit(void);
