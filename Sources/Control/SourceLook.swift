// Looking at a source of discovery once: a name, a file, a program.

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
    let options: BackendOptions
    private var file: WatchedFile

    init(path: String, options: BackendOptions) {
        file = WatchedFile(path)
        self.options = options
    }

    mutating func look() -> SourceAnswer {
        switch file.look() {
        case .problem(let text): .problem(text)
        case .unchanged: .unchanged
        case .changed(let bytes): .parsing(String(decoding: bytes, as: UTF8.self), options: options)
        }
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
