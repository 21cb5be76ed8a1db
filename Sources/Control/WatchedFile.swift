// A file that is looked at again and again: what stands in it, when that has changed and its writer seems to be done.

internal import Foundation
internal import Glibc

/// Looks at a file by its name, so that another one that is renamed into its place is seen, too.
struct WatchedFile: Sendable {
    /// What a look gave.
    enum Look: Equatable {
        case unchanged
        case changed([UInt8])
        /// Why it cannot be read.
        case problem(String)
    }

    /// What tells two files, or two states of one, apart without reading them.
    private struct Stamp: Equatable {
        var device: dev_t
        var number: ino_t
        var size: off_t
        var modified: [Int]
    }

    /// How long a file that has changed must stay as it is before it is taken: its writer may not be done.
    private static let settling = 0.1
    /// How often that is awaited.
    private static let patience = 20
    /// A file that was written so recently, in seconds, is read whatever its stamp says: clocks of files have a tick, and two changes
    /// within one look alike.
    private static let tick = 2

    let path: String
    /// What stood in it when it was looked at last; nil when it could not be read.
    private var seen: [UInt8]?
    private var stamp: Stamp?

    init(_ path: String) { self.path = path }

    /// Blocks for a moment when the file has changed.
    mutating func look() -> Look {
        // Before the file is read: what is written meanwhile has another one.
        let stamp = currentStamp
        if let stamp, stamp == self.stamp { return .unchanged }
        self.stamp = settledStamp(stamp)
        switch ListFile.read(path) {
        case .failure(let failure):
            forget()
            return .problem(failure.text)
        case .success(let bytes) where bytes == seen:
            return .unchanged
        case .success(let bytes):
            guard let settled = seen == nil ? bytes : settled(bytes) else {
                forget()
                return .problem("the file is changed again and again")
            }
            seen = settled
            return .changed(settled)
        }
    }

    private mutating func forget() {
        seen = nil
        stamp = nil
    }

    /// What the file holds when it has stopped changing; nil when it does not.
    private mutating func settled(_ bytes: [UInt8]) -> [UInt8]? {
        var last = bytes
        for _ in 0..<Self.patience {
            Thread.sleep(forTimeInterval: Self.settling)
            stamp = settledStamp(currentStamp)
            guard case .success(let now) = ListFile.read(path) else { return nil }
            if now == last { return now }
            last = now
        }
        return nil
    }

    /// The stamp, if another change of the file would have another one.
    private func settledStamp(_ stamp: Stamp?) -> Stamp? {
        guard let stamp, let latest = [stamp.modified[0], stamp.modified[2]].max() else { return nil }
        return time(nil) - latest > Self.tick ? stamp : nil
    }

    private var currentStamp: Stamp? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let times = [status.st_mtim, status.st_ctim].flatMap { [Int($0.tv_sec), Int($0.tv_nsec)] }
        return Stamp(device: status.st_dev, number: status.st_ino, size: status.st_size, modified: times)
    }
}
