// The command line of `curl-lb reload`: a look at a file of settings before a running balancer reads it.

import ArgumentParser

/// What may stand behind `curl-lb reload`.
struct ReloadOptions: ParsableCommand {
    static let name = "reload"
    static let configuration = CommandConfiguration(
        commandName: "curl-lb \(name)",
        abstract: "Check a file of settings before a running balancer reads it.",
        discussion: """
            Nothing is sent to the balancer. It reads the file that its LB_ENV_FILE names by itself within about a second after a
            change, and at once on SIGHUP (kill -HUP).
            """
    )

    @Option(
        help: ArgumentHelp("Check this file as LB_ENV_FILE: 0 when it would be taken, 2 when not.", valueName: "file")
    )
    var check: String?

    @Argument(help: ArgumentHelp("The backends of the balancer's command line, if it has any.", valueName: "backend"))
    var backends: [String] = []

    /// Decides what the arguments behind `reload` ask for.
    static func decide(_ arguments: ArraySlice<String>, _ environment: [String: String]) -> CommandOutcome {
        decide(arguments) { options throws(SettingsError) in try options.outcome(environment) }
    }

    private func outcome(_ environment: [String: String]) throws(SettingsError) -> CommandOutcome {
        guard let path = check else {
            throw SettingsError(problems: [
                "expected --check and a file; a running balancer reads its LB_ENV_FILE on SIGHUP (kill -HUP)"
            ])
        }
        var environment = environment
        environment[SettingsTable.environmentFile.name] = path
        do throws(SettingsError) {
            let (_, provenance) = try Settings.load(environment: environment, arguments: backends)
            let waiting = SettingsTable.fixed.filter { provenance.lines[$0.name] != nil }.map {
                "\(provenance.place(of: $0.name))another value of \($0.name) needs a restart or --takeover\n"
            }
            return .print("curl-lb: the settings are valid\n" + waiting.joined())
        } catch {
            // They are what the balancer itself would say.
            return .fail(error.problems.map { "curl-lb: \($0)" })
        }
    }
}
