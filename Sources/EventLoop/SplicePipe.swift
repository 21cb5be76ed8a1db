// Bytes on their way from one socket to another, which never enter the process.

internal import CLinux
internal import Glibc

/// A kernel pipe between two sockets: pages move through it without being copied (`splice`).
///
/// Worth its system calls for large bodies only. Loop thread only.
public final class SplicePipe {
    private let readEnd: CInt
    private let writeEnd: CInt
    private let allowance: SplicePipeAllowance
    /// Bytes in the pipe.
    public private(set) var count = 0

    /// Nil when there are pipes enough, or the process has no descriptors left.
    init?(_ allowance: SplicePipeAllowance) {
        guard allowance.take() else { return nil }
        var ends: (CInt, CInt) = (-1, -1)
        guard lb_splice_pipe(&ends.0, &ends.1) == 0 else {
            allowance.giveBack()
            return nil
        }
        (readEnd, writeEnd) = ends
        self.allowance = allowance
    }

    deinit {
        close(readEnd)
        close(writeEnd)
        allowance.giveBack()
    }

    /// Fills the empty pipe from a socket, with at most `limit` bytes.
    ///
    /// Fewer than wanted does not mean that the socket has no more: a pipe holds a number of pieces, whatever their size.
    public func fill(from descriptor: CInt, limit: Int) -> SocketResult {
        precondition(count == 0 && limit > 0, "an empty pipe is filled, with something")
        let result = move(from: descriptor, to: writeEnd, limit)
        if case .moved(let moved) = result { count = moved }
        return result
    }

    /// Empties the pipe into a socket, as far as that takes it now.
    ///
    /// A peer that has left raises SIGPIPE, which the program ignores.
    public func drain(to descriptor: CInt) -> SocketResult {
        precondition(count > 0, "there is something to drain")
        let result = move(from: readEnd, to: descriptor, count)
        if case .moved(let moved) = result { count -= moved }
        return result
    }

    private func move(from source: CInt, to destination: CInt, _ limit: Int) -> SocketResult {
        while true {
            let moved = lb_splice(source, destination, limit)
            if moved > 0 { return .moved(moved) }
            if moved == 0 { return .ended }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(errno) }
        }
    }
}

@available(*, unavailable)
extension SplicePipe: Sendable {}

/// A worker's stock of empty pipes.
public final class SplicePipePool {
    /// Pipes kept when nobody uses them, at two descriptors each.
    private static let maximumIdle = 16
    private var idle: [SplicePipe] = []
    private let allowance: SplicePipeAllowance

    /// - Parameter allowance: That of the process, but for tests.
    init(_ allowance: SplicePipeAllowance = .process) { self.allowance = allowance }

    /// An empty pipe; nil when there are no descriptors for another one.
    public func take() -> SplicePipe? { idle.popLast() ?? SplicePipe(allowance) }

    /// Gives a pipe back; one that still holds bytes is closed, and they are gone.
    public func give(_ pipe: SplicePipe) {
        if pipe.count == 0, idle.count < SplicePipePool.maximumIdle, !allowance.isScarce { idle.append(pipe) }
    }
}

@available(*, unavailable)
extension SplicePipePool: Sendable {}
