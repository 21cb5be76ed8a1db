// epoll, with tags that tell a descriptor's lives apart.

internal import CLinux
internal import Glibc

/// epoll's 64-bit tag: which descriptor, and which life of it.
///
/// The kernel hands a closed descriptor's number out again; an event for a former life carries a former generation and is
/// counted, never delivered.
struct PollTag: Equatable {
    let descriptor: CInt
    let generation: UInt32

    init(descriptor: CInt, generation: UInt32) {
        self.descriptor = descriptor
        self.generation = generation
    }

    init(rawValue: UInt64) {
        descriptor = CInt(truncatingIfNeeded: rawValue & 0xFFFF_FFFF)
        generation = UInt32(truncatingIfNeeded: rawValue >> 32)
    }

    var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
}

/// The owner of an epoll descriptor and of the buffer that its events are read into.
struct Poller: ~Copyable {
    /// Events taken per wait.
    static let capacity = 1024

    private let poller: CInt
    private let events: UnsafeMutablePointer<lb_event>

    init() {
        poller = lb_epoll_create()
        precondition(poller >= 0, "epoll_create1: \(String(cString: strerror(errno)))")
        events = .allocate(capacity: Poller.capacity)
    }

    deinit {
        close(poller)
        events.deallocate()
    }

    /// Watches a descriptor; false with errno set when the kernel refuses (EPERM, ENOMEM, ENOSPC).
    func add(_ tag: PollTag, _ interest: Readiness, edgeTriggered: Bool) -> Bool {
        lb_epoll_add(poller, tag.descriptor, interest.rawValue, edgeTriggered ? 1 : 0, tag.rawValue) == 0
    }

    /// Changes what a watched descriptor is watched for.
    func modify(_ tag: PollTag, _ interest: Readiness, edgeTriggered: Bool) -> Bool {
        lb_epoll_modify(poller, tag.descriptor, interest.rawValue, edgeTriggered ? 1 : 0, tag.rawValue) == 0
    }

    /// Stops watching; a descriptor that is closed already is no error (libcurl may close first).
    func remove(_ descriptor: CInt) {
        _ = lb_epoll_remove(poller, descriptor)
    }

    /// Waits at most that many milliseconds (-1: without limit); returns how many events stand ready to be read.
    ///
    /// The name is one to look for in a profile: time in here is idle time.
    @inline(never)
    func blockUntilReady(milliseconds: CInt) -> Int {
        let count = lb_epoll_wait(poller, events, CInt(Poller.capacity), milliseconds)
        if count >= 0 { return Int(count) }
        precondition(errno == EINTR, "epoll_wait: \(String(cString: strerror(errno)))")
        return 0
    }

    /// The event at a position below the last wait's count.
    func event(at index: Int) -> (tag: PollTag, readiness: Readiness) {
        let event = events[index]
        return (PollTag(rawValue: event.tag), Readiness(rawValue: event.readiness))
    }
}
