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
    /// Whether what the next look finds is taken as it stands.
    private var isHasty: Bool

    /// - Parameter isHasty: Whether the first look takes the file as it stands: somebody waits, and whoever has written it has most
    ///   likely done so long before. No later look does, whatever the one before has found.
    init(_ path: String, isHasty: Bool = true) {
        self.path = path
        self.isHasty = isHasty
    }

    /// Blocks for a moment when the file has changed.
    mutating func look() -> Look {
        defer { isHasty = false }
        // Before the file is read: what is written meanwhile has another one.
        let stamp = currentStamp
        if let stamp, stamp == self.stamp { return .unchanged }
        self.stamp = settledStamp(stamp)
        switch ListFile.read(path) {
        case .failure(let failure): return problem(failure)
        case .success(let bytes) where bytes == seen: return .unchanged
        case .success(let bytes):
            if isHasty {
                seen = bytes
                return .changed(bytes)
            }
            switch settled(bytes) {
            case .failure(let failure): return problem(failure)
            // It was in between two states, and is what it was.
            case .success(let bytes) where bytes == seen: return .unchanged
            case .success(let bytes):
                seen = bytes
                return .changed(bytes)
            }
        }
    }

    /// What a file holds as soon as its writer seems to be done, whatever was seen of it before.
    ///
    /// Blocks for a moment when it was written lately, and for ``settling`` times ``patience`` at most.
    static func settled(_ path: String) -> EnvironmentFileContents {
        var file = WatchedFile(path)
        let stamp = file.settledStamp(file.currentStamp)
        let contents = ListFile.read(path)
        guard stamp == nil, case .success(let bytes) = contents else { return contents }
        return file.settled(bytes)
    }

    private mutating func problem(_ failure: ListFailure) -> Look {
        seen = nil
        stamp = nil
        return .problem(failure.text)
    }

    /// What the file holds when it has stopped changing; one that is not there for a moment is being replaced.
    private mutating func settled(_ bytes: [UInt8]) -> EnvironmentFileContents {
        var last = EnvironmentFileContents.success(bytes)
        for _ in 0..<Self.patience {
            Thread.sleep(forTimeInterval: Self.settling)
            stamp = settledStamp(currentStamp)
            let now = ListFile.read(path)
            if case .success = now, now == last { return now }
            last = now
        }
        guard case .success = last else { return last }
        return .failure(ListFailure(text: "the file is changed again and again"))
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
