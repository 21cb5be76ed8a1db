// Looking at a source of discovery once: a name, a file, a program.

internal import Foundation
internal import Upstream

/// What looking at a source gave.
enum SourceAnswer: Sendable, Equatable {
    case backends([BackendSetting])
    /// What it gave the last time.
    case unchanged
    /// Why nothing is known; it continues "cannot be used: ".
    case problem(String)
}

/// One way to look at a source; blocks for as long as it takes.
protocol SourceLook: Sendable {
    mutating func look() -> SourceAnswer
}

/// Looks a name up.
struct NameLook: SourceLook {
    let scheme: Origin.Scheme
    let host: String
    let port: UInt16
    let options: BackendOptions
    let resolve: NameLookup.Resolve

    mutating func look() -> SourceAnswer {
        switch resolve(host) {
        case .failure(let failure): .problem("\(host) is not resolved: \(escaped(failure.text))")
        case .success(let addresses):
            .backends(
                DiscoverySource.backends(at: addresses, scheme: scheme, host: host, port: port, options: options)
            )
        }
    }
}

/// Reads a file.
struct FileLook: SourceLook {
    /// How long a file that has changed must stay as it is before it is taken: its writer may not be done.
    private static let settling = 0.1
    /// How often that is awaited.
    private static let patience = 20

    let path: String
    let options: BackendOptions
    /// What stood in it when it was looked at last; nil when it could not be read.
    private var seen: [UInt8]?

    init(path: String, options: BackendOptions) {
        self.path = path
        self.options = options
    }

    mutating func look() -> SourceAnswer {
        switch ListFile.read(path) {
        case .failure(let failure):
            seen = nil
            return .problem(failure.text)
        case .success(let bytes) where bytes == seen:
            return .unchanged
        case .success(let bytes):
            guard let settled = seen == nil ? bytes : settled(bytes) else {
                return .problem("the file is changed again and again")
            }
            seen = settled
            return .parsing(String(decoding: settled, as: UTF8.self), options: options)
        }
    }

    /// What the file holds when it has stopped changing; nil when it does not.
    private func settled(_ bytes: [UInt8]) -> [UInt8]? {
        var last = bytes
        for _ in 0..<Self.patience {
            Thread.sleep(forTimeInterval: Self.settling)
            guard case .success(let now) = ListFile.read(path) else { return nil }
            if now == last { return now }
            last = now
        }
        return nil
    }
}

/// Runs a program.
struct ProgramLook: SourceLook {
    let path: String
    let options: BackendOptions
    let timeout: Duration

    mutating func look() -> SourceAnswer {
        switch ListProgram.run(path, timeout: timeout) {
        case .failure(let failure): .problem(failure.text)
        case .success(let output): .parsing(output, options: options)
        }
    }
}

extension SourceAnswer {
    /// The backends that a list names, or what is wrong with it.
    fileprivate static func parsing(_ text: String, options: BackendOptions) -> SourceAnswer {
        do {
            return .backends(try DiscoverySource.backends(in: text, options: options))
        } catch {
            return .problem(error.mistakes.joined(separator: "; "))
        }
    }
}

/// Why a list could not be had.
struct ListFailure: Error, Equatable {
    let text: String
}
