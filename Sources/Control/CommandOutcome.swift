// What a command line and an environment ask the program to do, decided without doing it.

import ArgumentParser

/// What the program does after reading its command line and its environment.
public enum CommandOutcome: Sendable, Equatable {
    /// Serve with these settings.
    case run(Settings, Provenance)
    /// Ask a running balancer why a request goes where it goes, and write its answer.
    case why(WhyQuestion)
    /// Show a running balancer.
    case top(TopRequest)
    /// Write this text, which ends in a line break, to standard output and exit with 0.
    case print(String)
    /// Write these lines to standard error and exit with ``refusalExitCode``.
    case fail([String])

    /// The exit code of a refused command line or of refused settings.
    public static let refusalExitCode: Int32 = 2

    /// Decides what to do.
    ///
    /// `--help` wins over `--version`, which wins over the rest; neither looks at the settings. `--print-settings`
    /// checks them as `--check` does.
    ///
    /// - Parameters:
    ///   - arguments: The command line without the program's name.
    ///   - environment: The variables of the process.
    ///   - version: What `--version` prints; asked only then.
    public static func decide(
        arguments: [String],
        environment: [String: String],
        version: @autoclosure () -> VersionReport
    ) -> CommandOutcome {
        if arguments.first == WhyOptions.name { return WhyOptions.decide(arguments.dropFirst(), environment) }
        if arguments.first == ReloadOptions.name { return ReloadOptions.decide(arguments.dropFirst(), environment) }
        if arguments.first == TopOptions.name { return TopOptions.decide(arguments.dropFirst(), environment) }
        return CommandLineOptions.decide(arguments) { options throws(SettingsError) in
            if options.help { return .print(CommandLineOptions.helpText) }
            if options.version { return .print(version().text) }
            var (settings, provenance) = try Settings.load(environment: environment, arguments: options.backends)
            provenance.isTakeover = options.takeover
            if options.printSettings { return .print(SettingsDocument.effectiveValues(settings, provenance)) }
            if options.check { return .print("curl-lb: the settings are valid\n") }
            return .run(settings, provenance)
        }
    }
}

/// What `--version` prints: the program's version, then a line for each library.
public struct VersionReport: Sendable, Equatable {
    /// The program's own version.
    public static let programVersion = "0.1.0"

    /// Lines such as `libcurl 8.14.1`, `TLS: OpenSSL/3.0.17` and `protocols: http https`.
    public var libraries: [String]

    public init(libraries: [String] = []) {
        self.libraries = libraries
    }

    /// The report with a line break after each line.
    var text: String {
        (["curl-lb \(Self.programVersion)"] + libraries).map { "\($0)\n" }.joined()
    }
}
