// What becomes of a command's arguments, whichever command it is.

import ArgumentParser

extension ParsableCommand {
    /// Decides by a command's options.
    ///
    /// A mistake, in the arguments or found by the decision, is told under the command's name; what the parser stops at and is no
    /// mistake is its help.
    static func decide(
        _ arguments: some Sequence<String>,
        by decision: (Self) throws(SettingsError) -> CommandOutcome
    ) -> CommandOutcome {
        let name = configuration.commandName ?? "curl-lb"
        let options: Self
        do { options = try parse(Array(arguments)) } catch {
            guard exitCode(for: error) != .success else { return .print(fullMessage(for: error) + "\n") }
            let message = message(for: error).split(separator: "\n").joined(separator: " ")
            return .fail(["\(name): \(escaped(message))"])
        }
        do throws(SettingsError) { return try decision(options) } catch {
            return .fail(error.problems.map { "\(name): \($0)" })
        }
    }
}
