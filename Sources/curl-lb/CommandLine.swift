// Where the command line and the environment of this process become settings, or its end.

import Control
import Foundation
import Upstream

/// Reads the settings of this process.
///
/// Ends the process when there is nothing to run: with 0 after printing what was asked for, with 2 after one line on
/// standard error for each mistake.
///
/// - Parameter version: What `--version` prints; asked only then.
func settingsOrExit(version: @autoclosure () -> VersionReport) -> (settings: Settings, provenance: Provenance) {
    let outcome = CommandOutcome.decide(
        arguments: Array(CommandLine.arguments.dropFirst()),
        environment: ProcessInfo.processInfo.environment,
        version: version()
    )
    switch outcome {
    case .run(let settings, let provenance):
        return (settings, provenance)
    case .why(let question):
        do throws(WhyFailure) {
            FileHandle.standardOutput.write(Data(try question.ask().utf8))
            exit(EXIT_SUCCESS)
        } catch {
            fail("curl-lb why: \(error)")
        }
    case .top(let request):
        if let problem = CurlLibrary.prepare() { fail("curl-lb top: \(problem)") }
        do throws(TopFailure) {
            try TopSession(request).run()
            exit(EXIT_SUCCESS)
        } catch {
            fail("curl-lb top: \(error)")
        }
    case .print(let text):
        FileHandle.standardOutput.write(Data(text.utf8))
        exit(EXIT_SUCCESS)
    case .fail(let lines):
        FileHandle.standardError.write(Data(lines.map { "\($0)\n" }.joined().utf8))
        exit(CommandOutcome.refusalExitCode)
    }
}

/// Ends the process with a line on standard error.
private func fail(_ line: String) -> Never {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
    exit(EXIT_FAILURE)
}
