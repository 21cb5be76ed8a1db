// One end of a connection in a test: exact bytes out, exact bytes in, and no wait without a limit.

import CLinux
import Glibc
import Synchronization

/// How the other end left.
enum Ending: Sendable, Equatable {
    case closed
    case reset
}

/// A connected socket, on the client's side or the backend's.
///
/// Confined to the thread that made it.
final class Connection {
    private let descriptor: CInt
    private let ended: (CInt) -> Void
    private var inbound: [UInt8] = []
    private var consumed = 0
    /// Whether the descriptor is still ours.
    ///
    /// A test may close a connection that its script still uses: without looking, that script would write to whatever connection has
    /// the number by then.
    private let isOpen = Mutex(true)
    /// How many bytes were sent.
    private(set) var sentCount = 0
    /// How the other end left, once that is known.
    private(set) var ending: Ending?
    /// How long anything is waited for.
    var patience = IntegrationTests.patience
    /// Told of each head that is received, and then of the whole request.
    var heard: (_ message: Message, _ isWhole: Bool) -> Void = { _, _ in }

    /// Takes over a non-blocking socket; `ended` closes it.
    init(descriptor: CInt, ended: @escaping (CInt) -> Void = { Glibc.close($0) }) {
        self.descriptor = descriptor
        self.ended = ended
    }

    deinit { close() }

    /// Calls with the descriptor; nil when it is closed.
    private func whileOpen<Value>(_ body: (CInt) -> Value) -> Value? { isOpen.withLock { $0 ? body(descriptor) : nil } }

    /// Connects to a port of this machine.
    ///
    /// - Parameter receiveBuffer: the size of the kernel's receive buffer, where a slow reader is to be felt early.
    static func to(port: UInt16, receiveBuffer: CInt? = nil) throws -> Connection {
        try to(SocketAddress.loopback(port: port), receiveBuffer: receiveBuffer)
    }

    static func to(_ address: SocketAddress, receiveBuffer: CInt? = nil) throws -> Connection {
        let descriptor = lb_stream_socket(address.family)
        guard descriptor >= 0 else { throw Disappointment("no socket: errno \(errno)") }
        if let receiveBuffer { _ = lb_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
        let connection = Connection(descriptor: descriptor)
        if address.connect(descriptor) != 0 {
            guard errno == EINPROGRESS, try connection.wait(for: POLLOUT) else {
                throw Disappointment("cannot connect: errno \(errno)")
            }
            var code: CInt = 0
            var length = socklen_t(MemoryLayout<CInt>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
            guard code == 0 else { throw Disappointment("cannot connect: errno \(code)") }
        }
        if address.family == AF_INET { _ = lb_set_no_delay(descriptor) }
        return connection
    }

    /// The port on this side.
    var port: UInt16 { SocketAddress.port(of: descriptor) }

    /// The port on the other side.
    var peerPort: UInt16 { SocketAddress.port(of: descriptor) { getpeername($0, $1, $2) } }

    // MARK: Sending

    /// Sends all bytes.
    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = sendSome(bytes[sent...])
            if count > 0 {
                sent += count
            } else if count == 0 {
                guard try wait(for: POLLOUT) else {
                    throw Disappointment("the other end took only \(sent) of \(bytes.count) bytes")
                }
            } else {
                throw Disappointment("the other end is gone after \(sent) of \(bytes.count) bytes: errno \(errno)")
            }
        }
    }

    func send(_ text: String) throws { try send(text.bytes) }

    /// Sends what the kernel takes at once: 0 when it is full, -1 when the other end is gone.
    func sendSome(_ bytes: some Collection<UInt8>) -> Int {
        let flags = CInt(MSG_NOSIGNAL)
        let sent = bytes.withContiguousStorageIfAvailable { bytes in
            whileOpen { Glibc.send($0, bytes.baseAddress, bytes.count, flags) } ?? -1
        }
        guard let sent else { preconditionFailure("bytes stand in one piece") }
        if sent < 0, errno == EAGAIN { return 0 }
        sentCount += max(0, sent)
        return sent
    }

    // MARK: Receiving

    /// Reads more; false when the other end has left.
    private func fill() throws -> Bool {
        guard ending == nil else { return false }
        guard try wait(for: POLLIN) else { throw Disappointment("nothing came; so far: \(preview)") }
        return fillNow() ?? true
    }

    /// Reads what is there; nil when there is nothing, false when the other end has left.
    private func fillNow() -> Bool? {
        guard ending == nil else { return false }
        if consumed > 0, consumed == inbound.count {
            inbound.removeAll(keepingCapacity: true)
            consumed = 0
        }
        let size = 1 << 16
        var count = 0
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { buffer in
            count = whileOpen { recv($0, buffer.baseAddress, size, 0) } ?? 0
            if count > 0 { inbound.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        }
        if count > 0 { return true }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        ending = count == 0 ? .closed : .reset
        return false
    }

    private func wait(for events: CInt) throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            var waiting = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            if poll(&waiting, 1, 100) > 0 { return true }
            guard isOpen.withLock({ $0 }) else { throw Disappointment("the connection was closed on this side") }
        }
        return false
    }

    private var available: ArraySlice<UInt8> { inbound[consumed...] }

    private var preview: String { available.prefix(200).text.debugDescription }

    private func take(_ count: Int) -> [UInt8] {
        defer { consumed += count }
        return Array(inbound[consumed..<(consumed + count)])
    }

    /// Exactly that many bytes.
    func receive(_ count: Int) throws -> [UInt8] {
        while available.count < count {
            guard try fill() else {
                throw Disappointment("ended (\(ending, default: "-")) after \(available.count) of \(count) bytes")
            }
        }
        return take(count)
    }

    /// Everything up to and with a mark.
    func receive(through mark: String) throws -> [UInt8] {
        let mark = mark.bytes
        var searched = consumed
        while true {
            while searched + mark.count <= inbound.count {
                if inbound[searched..<(searched + mark.count)].elementsEqual(mark) {
                    return take(searched + mark.count - consumed)
                }
                searched += 1
            }
            let offset = searched - consumed
            guard try fill() else {
                throw Disappointment("ended (\(ending, default: "-")) before \(mark.text.debugDescription): \(preview)")
            }
            searched = consumed + offset
        }
    }

    /// A head with its empty line.
    func receiveHead() throws -> Message {
        let message = try Message(head: receive(through: "\r\n\r\n"))
        heard(message, false)
        return message
    }

    /// A whole request.
    func receiveRequest() throws -> Message {
        var message = try receiveHead()
        try receiveFramedBody(of: &message)
        heard(message, true)
        return message
    }

    /// A whole final response to a request of that method.
    func receiveResponse(to method: String = "GET") throws -> Message {
        var message = try receiveHead()
        if method == "HEAD" || message.status == 204 || message.status == 304 || message.status < 200 { return message }
        if !message.isChunked, message["Content-Length"] == nil {
            message.body = try receiveToEnd()
        } else {
            try receiveFramedBody(of: &message)
        }
        return message
    }

    /// Reads the body that the head announces.
    func receiveFramedBody(of message: inout Message) throws {
        if message.isChunked {
            while true {
                let line = try receive(through: "\r\n").dropLast(2).text
                guard let size = Int(line, radix: 16) else { throw Disappointment("no chunk size: \(line)") }
                guard size > 0 else { break }
                message.chunkSizes.append(size)
                message.body += try receive(size)
                guard try receive(2).text == "\r\n" else { throw Disappointment("no end of a chunk") }
            }
            while true {
                let line = try receive(through: "\r\n").text
                if line == "\r\n" { break }
                message.trailers += line
            }
        } else if let length = message["Content-Length"] {
            guard let length = Int(length) else { throw Disappointment("no length: \(length)") }
            message.body = try receive(length)
        }
    }

    /// All bytes until the other end leaves; ``ending`` says how it did.
    func receiveToEnd() throws -> [UInt8] {
        while try fill() {}
        return take(available.count)
    }

    /// Drops all bytes until the other end leaves.
    @discardableResult
    func drainToEnd() throws -> Ending {
        repeat { consumed = inbound.count } while try fill()
        return ending ?? .closed
    }

    /// Bytes received and not taken yet, without waiting.
    func receivedSoFar() -> [UInt8] {
        while fillNow() == true {}
        return Array(available)
    }

    /// Whether the other end has left and nothing is left of what it sent.
    ///
    /// Waits until one or the other is certain.
    func isAtEnd() throws -> Bool { try available.isEmpty && !fill() }

    /// Whether the other end has left, without waiting.
    var isLeft: Bool {
        while fillNow() == true {}
        return ending != nil
    }

    /// Takes at most that many bytes that have come, without waiting; how many there were.
    func discard(_ count: Int) -> Int {
        if available.isEmpty { _ = fillNow() }
        let count = min(count, available.count)
        consumed += count
        return count
    }

    // MARK: Ending

    /// Ends sending; receiving goes on.
    func finishSending() { _ = whileOpen { shutdown($0, CInt(SHUT_WR)) } }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { ended(descriptor) }
            isOpen = false
        }
    }

    /// Closes so that the other end sees a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = whileOpen { setsockopt($0, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size)) }
        close()
    }
}
