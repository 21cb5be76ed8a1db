// The worker's multi handle: libcurl's event engine on our loop.

internal import CCurl
public import EventLoop

/// What a handle in a multi belongs to, and who is told when libcurl is done with it.
///
/// Loop thread only.
public class CurlUser: EventHandler {
    /// libcurl has connected, or made the transfer, or failed at it.
    func curlFinished(_ code: CURLcode) {}
}

/// Drives the handles of one worker through `curl_multi_socket_action`.
///
/// libcurl tells which sockets it waits for and when it wants to be called; both become handlers of the loop. No function of
/// a multi may be called from inside a libcurl callback, and none is: finished handles are collected first and reported after.
public final class CurlMulti {
    private let loop: EventLoop
    private let handle: OpaquePointer
    private let timer: Timer
    private var finished: [(user: CurlUser, code: CURLcode)] = []

    public init(loop: EventLoop) {
        guard let handle = curl_multi_init() else { preconditionFailure("libcurl: out of memory") }
        self.loop = loop
        self.handle = handle
        timer = Timer(loop: loop)
        timer.multi = self
        let context = Unmanaged.passUnretained(self).toOpaque()
        var code = lb_multi_set_socket_callback(handle, onSocketInterest, context)
        precondition(code == CURLM_OK, "libcurl takes a socket callback")
        code = lb_multi_set_timer_callback(handle, onTimerChange, context)
        precondition(code == CURLM_OK, "libcurl takes a timer callback")
    }

    deinit {
        // Nobody is called back from here on.
        _ = lb_multi_set_socket_callback(handle, nil, nil)
        _ = lb_multi_set_timer_callback(handle, nil, nil)
        curl_multi_cleanup(handle)
        loop.unregister(timer)
    }

    /// Starts connecting, or a transfer; its user hears of the end through `curlFinished`.
    func add(_ connection: borrowing CurlConnection) {
        let code = curl_multi_add_handle(handle, connection.handle)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(String(cString: curl_multi_strerror(code)))")
    }

    /// Closes the handle's connection and forgets the handle.
    func remove(_ connection: borrowing CurlConnection) {
        let code = curl_multi_remove_handle(handle, connection.handle)
        precondition(code == CURLM_OK, "curl_multi_remove_handle: \(String(cString: curl_multi_strerror(code)))")
    }

    // MARK: Driving

    fileprivate func drive(_ descriptor: curl_socket_t, _ events: CInt) {
        var running: CInt = 0
        let code = curl_multi_socket_action(handle, descriptor, events, &running)
        precondition(code == CURLM_OK, "curl_multi_socket_action: \(String(cString: curl_multi_strerror(code)))")
        reportFinished()
    }

    fileprivate func driveTimers() { drive(CURL_SOCKET_TIMEOUT, 0) }

    private func reportFinished() {
        var remaining: CInt = 0
        while let message = curl_multi_info_read(handle, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE,
                let owner = lb_easy_get_private(message.pointee.easy_handle)
            else { continue }
            // The user is alive: it stays in its owner's hands until it has removed its handle from here.
            let user = Unmanaged<CurlUser>.fromOpaque(owner).takeUnretainedValue()
            finished.append((user, lb_message_result(message)))
        }
        guard !finished.isEmpty else { return }
        var batch: [(user: CurlUser, code: CURLcode)] = []
        swap(&batch, &finished)
        for (user, code) in batch { user.curlFinished(code) }
    }

    // MARK: What libcurl wants

    fileprivate func setTimer(milliseconds: Int) {
        switch milliseconds {
        case ..<0: timer.setDeadline(.never)
        case 0: loop.schedule(timer)
        default: timer.setDeadline(loop.now + UInt64(milliseconds) * 1_000_000)
        }
    }

    fileprivate func setInterest(_ descriptor: curl_socket_t, _ what: CInt, _ known: WatchedSocket?) {
        var interest: Readiness = []
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { interest.insert(.readable) }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { interest.insert(.writable) }
        switch (known, what) {
        case (let socket?, CURL_POLL_REMOVE):
            // At once, and tolerant: libcurl before 8.2 may have closed a socket that never connected.
            loop.unregister(socket)
            curl_multi_assign(handle, descriptor, nil)
        case (let socket?, _):
            loop.modify(socket, interest: interest, edgeTriggered: false)
        case (nil, CURL_POLL_REMOVE):
            break
        case (nil, _):
            let socket = WatchedSocket(loop: loop, multi: self)
            // Level-triggered: libcurl does not read until there is nothing left.
            guard loop.register(socket, descriptor: descriptor, interest: interest, edgeTriggered: false) else {
                // The kernel has no room for another watch: the attempt ends by its connect timeout.
                return
            }
            // Unretained: the loop holds the socket while it is registered, which is as long as libcurl knows it.
            curl_multi_assign(handle, descriptor, Unmanaged.passUnretained(socket).toOpaque())
        }
    }

    /// A socket that libcurl waits for: one that is connecting, or that its resolver wakes it up by.
    fileprivate final class WatchedSocket: EventHandler {
        private unowned let multi: CurlMulti

        init(loop: EventLoop, multi: CurlMulti) {
            self.multi = multi
            super.init(loop: loop)
        }

        override func ready(_ readiness: Readiness) {
            var events: CInt = 0
            if readiness.contains(.readable) { events |= CURL_CSELECT_IN }
            if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
            // With IN beside ERR libcurl asks the socket for the error itself.
            if !readiness.isDisjoint(with: [.failed, .hungUp]) { events |= CURL_CSELECT_IN | CURL_CSELECT_ERR }
            multi.drive(descriptor, events)
        }
    }

    /// When libcurl wants to be called without an event.
    fileprivate final class Timer: EventHandler {
        unowned(unsafe) var multi: CurlMulti?

        override func deadlineReached() { multi?.driveTimers() }

        override func resume() { multi?.driveTimers() }
    }
}

@available(*, unavailable)
extension CurlMulti: Sendable {}

/// Tells the multi which socket libcurl waits for. CURLMOPT_SOCKETFUNCTION(3)
private func onSocketInterest(
    easy: OpaquePointer?,
    descriptor: curl_socket_t,
    what: CInt,
    context: UnsafeMutableRawPointer?,
    socket: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return 0 }
    // Unretained: the multi owns the handle that makes this call, and so outlives it.
    let multi = Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
    let known = socket.map { Unmanaged<CurlMulti.WatchedSocket>.fromOpaque($0).takeUnretainedValue() }
    multi.setInterest(descriptor, what, known)
    return 0
}

/// Tells the multi when libcurl wants to be called. CURLMOPT_TIMERFUNCTION(3)
private func onTimerChange(multi: OpaquePointer?, milliseconds: Int, context: UnsafeMutableRawPointer?) -> CInt {
    guard let context else { return 0 }
    // Unretained, as above.
    Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}
