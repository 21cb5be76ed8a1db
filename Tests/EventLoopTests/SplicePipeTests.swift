// Pipes between sockets.

import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite("Splice pipe")
struct SplicePipeTests {
    @Test func `what is filled in is drained, and no more than asked for`() throws {
        let pipe = try #require(SplicePipePool().take())
        let (source, destination) = (try Ends.socketPair(), try Ends.socketPair())
        guard case .wouldBlock = pipe.fill(from: source.near, limit: 10) else {
            Issue.record("nothing is there yet")
            return
        }
        source.poke("hello world")
        guard case .moved(5) = pipe.fill(from: source.near, limit: 5) else {
            Issue.record("five bytes are there")
            return
        }
        #expect(pipe.count == 5)
        guard case .moved(5) = pipe.drain(to: destination.near) else {
            Issue.record("there is room for five bytes")
            return
        }
        #expect(pipe.count == 0)
        let buffer = Buffer(capacity: 64)
        guard case .moved(5) = Socket.receive(destination.far, into: buffer) else {
            Issue.record("five bytes have arrived")
            return
        }
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == "hello")
    }

    @Test func `the end and a failure are told`() throws {
        let pipe = try #require(SplicePipePool().take())
        let source = try Ends.socketPair()
        source.closeFar()
        guard case .ended = pipe.fill(from: source.near, limit: 10) else {
            Issue.record("the peer has ended its sending")
            return
        }
        guard case .failed(EBADF) = pipe.fill(from: -1, limit: 10) else {
            Issue.record("that is no descriptor")
            return
        }
    }

    @Test func `a pipe with bytes in it is not used again`() throws {
        let pool = SplicePipePool()
        let source = try Ends.socketPair()
        let pipe = try #require(pool.take())
        source.poke("secret")
        _ = pipe.fill(from: source.near, limit: 10)
        pool.give(pipe)
        let empty = try #require(pool.take())
        #expect(empty !== pipe)
        pool.give(empty)
        #expect(pool.take() === empty)
    }

    @Test func `no more pipes are open than are allowed, over all pools`() throws {
        let allowance = SplicePipeAllowance(4)
        let (one, two) = (SplicePipePool(allowance), SplicePipePool(allowance))
        var pipes = try (0..<4).map { try #require(($0 < 2 ? one : two).take()) }
        #expect(one.take() == nil && two.take() == nil)
        // A pipe that is at rest in one pool would be nobody else's: where they are scarce it is closed.
        one.give(pipes.removeFirst())
        pipes.append(try #require(two.take()))
        #expect(two.take() == nil)
        pipes.removeLast(2)
        let kept = try #require(one.take())
        pipes.removeLast()
        one.give(kept)
        #expect(one.take() === kept)
        pipes = []
    }
}
