// Socket calls and their outcomes.

import Glibc
import TestSupport
import Testing

@testable import EventLoop

extension SocketResult {
    /// The result as a word, for comparing.
    fileprivate var word: String {
        switch self {
        case .moved(let count): "moved \(count)"
        case .wouldBlock: "would block"
        case .ended: "ended"
        case .failed(let number): "failed \(number)"
        }
    }
}

@Suite("Socket")
struct SocketTests {
    private let buffer = Buffer(capacity: 4096)

    @Test func `receiving moves bytes behind the region, then would block, then ends`() throws {
        let ends = try Ends.socketPair()
        buffer.append("> ")
        #expect(Socket.receive(ends.near, into: buffer).word == "would block")
        ends.poke("hello")
        #expect(Socket.receive(ends.near, into: buffer, limit: 2).word == "moved 2")
        #expect(Socket.receive(ends.near, into: buffer).word == "moved 3")
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == "> hello")
        #expect(Socket.receive(ends.near, into: buffer).word == "would block")
        ends.closeFar()
        #expect(Socket.receive(ends.near, into: buffer).word == "ended")
        #expect(buffer.count == 7)
    }

    @Test func `receiving takes no more than there is room for`() throws {
        let ends = try Ends.socketPair()
        ends.poke("hello")
        buffer.reset(headroom: 4094)
        #expect(Socket.receive(ends.near, into: buffer).word == "moved 2")
        #expect(buffer.room == 0)
    }

    @Test func `the end of the peer's sending is an end, and we can still send`() throws {
        let ends = try Ends.socketPair()
        Socket.shutDownWriting(ends.far)
        #expect(Socket.receive(ends.near, into: buffer).word == "ended")
        buffer.append("answer")
        #expect(Socket.send(ends.near, from: buffer).word == "moved 6")
    }

    @Test func `a connection that was reset fails with its errno`() throws {
        let ends = try Ends.socketPair()
        buffer.append("never read")
        #expect(Socket.send(ends.near, from: buffer).word == "moved 10")
        ends.closeFar()
        #expect(Socket.receive(ends.near, into: buffer).word == "failed \(ECONNRESET)")
    }

    @Test func `sending to nobody fails without a signal`() throws {
        let ends = try Ends.socketPair()
        ends.closeFar()
        buffer.append("to nobody")
        #expect(Socket.send(ends.near, from: buffer).word == "failed \(EPIPE)")
        #expect(buffer.count == 9, "what was not sent is still there")
    }

    @Test func `sending drops what was sent from the region, and all arrives in order`() throws {
        let ends = try Ends.socketPair()
        var generator = SeededGenerator(seed: 1)
        let message = generator.bytes(1 << 20)
        let output = Buffer(capacity: 1 << 20)
        output.append(message)
        var received: [UInt8] = []
        var blocked = 0
        while received.count < message.count {
            if !output.isEmpty {
                let before = output.count
                switch Socket.send(ends.near, from: output) {
                case .moved(let count): #expect(output.count == before - count)
                case .wouldBlock:
                    blocked += 1
                    #expect(output.count == before)
                case .ended, .failed: Issue.record("the peer is there")
                }
            }
            buffer.reset()
            if case .moved = Socket.receive(ends.far, into: buffer) { received += Array(buffer.bytes) }
        }
        #expect(received == message)
        #expect(blocked > 0, "the socket was full at times")
    }

    @Test func `pending input is seen and not taken`() throws {
        let ends = try Ends.socketPair()
        #expect(!Socket.hasPendingInput(ends.near))
        ends.poke("x")
        #expect(Socket.hasPendingInput(ends.near))
        #expect(Socket.receive(ends.near, into: buffer).word == "moved 1")
        #expect(!Socket.hasPendingInput(ends.near))
        ends.closeFar()
        #expect(Socket.hasPendingInput(ends.near), "an end is something to read")
    }

    @Test func `a close after resetOnClose is an error for the peer, not an end`() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(listener >= 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(client >= 0)
        defer { close(client) }
        let isConnected = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0 && connect(client, address, length) == 0
            }
        }
        try #require(isConnected)
        let server = accept(listener, nil, nil)
        try #require(server >= 0)
        Socket.resetOnClose(server)
        Socket.closeDescriptor(server)
        // The socket blocks: the reset is waited for, not timed.
        #expect(Socket.receive(client, into: buffer).word == "failed \(ECONNRESET)")
    }
}
