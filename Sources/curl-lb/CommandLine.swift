// Where the command line and the environment of this process become settings, or its end.

import Control
import Foundation

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
            FileHandle.standardError.write(Data("curl-lb why: \(error)\n".utf8))
            exit(EXIT_FAILURE)
        }
    case .print(let text):
        FileHandle.standardOutput.write(Data(text.utf8))
        exit(EXIT_SUCCESS)
    case .fail(let lines):
        FileHandle.standardError.write(Data(lines.map { "\($0)\n" }.joined().utf8))
        exit(CommandOutcome.refusalExitCode)
    }
}
