// The command `origin`: reads its arguments and runs one demo and test origin.

import ArgumentParser
import Foundation

@main
struct Origin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A small HTTP origin for demos and tests.",
        discussion: """
            Prints one line when it listens and exits cleanly on SIGINT and SIGTERM. \
            backends/README.md lists its routes.
            """
    )

    @Option(help: "Port to listen on; 0 takes a free one and the first line of output says which.")
    var port: UInt16

    @Option(help: "Who it says it is: letters, digits, '.', '_' and '-'.")
    var name: String

    @Option(help: "Numeric IPv4 or IPv6 address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Seconds to receive a request's body and to answer; afterwards the answer is a 500.")
    var timeout = 30

    func validate() throws {
        let allowed = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        guard !name.isEmpty, allowed else {
            throw ValidationError("--name may hold letters, digits, '.', '_' and '-' only")
        }
        guard (1...86_400).contains(timeout) else {
            throw ValidationError("--timeout must be 1 to 86400 seconds")
        }
    }

    func run() async throws {
        do {
            try await serve(name: name, host: host, port: port, timeout: .seconds(timeout))
        } catch let failure as ListenFailure {
            FileHandle.standardError.write(Data("origin \(name): \(failure)\n".utf8))
            throw ExitCode(1)
        }
    }
}
