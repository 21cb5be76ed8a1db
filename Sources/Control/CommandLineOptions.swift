// The flags and arguments of the command line, declared for swift-argument-parser.

import ArgumentParser

/// What may stand on the command line of `curl-lb`.
struct CommandLineOptions: ParsableCommand {
    // Help and version are flags of our own: the help goes on after the parser's part, and the version comes from libcurl.
    static let configuration = CommandConfiguration(
        commandName: "curl-lb",
        abstract: "An HTTP reverse proxy and load balancer.",
        usage: """
            curl-lb [--takeover] [<backend> ...]
            curl-lb [--check | --print-settings | --version | --help] [<backend> ...]
            curl-lb reload --check <file> [<backend> ...]
            curl-lb why [--at <host:port>] [-H <name: value>] [<url>]
            curl-lb top [--admin <address>] [--interval <duration>] [--once]
            """,
        helpNames: []
    )

    @Flag(help: "Check the settings and exit: 0 when they are valid, 2 when not.")
    var check = false

    @Flag(help: "Take the listening sockets over from the process that runs; it finishes what it has and ends.")
    var takeover = false

    @Flag(help: "Print the effective settings and where each came from, and exit.")
    var printSettings = false

    @Flag(help: "Print the version and what libcurl brings, and exit.")
    var version = false

    @Flag(name: [.short, .long], help: "Print this help and exit.")
    var help = false

    @Argument(
        help: ArgumentHelp(
            "Backends in the syntax of LB_BACKENDS; when there are any, they replace those of LB_BACKENDS.",
            valueName: "backend"
        )
    )
    var backends: [String] = []

    /// The text of `--help`.
    static var helpText: String {
        """
        \(helpMessage(columns: 96))
        \(SettingsDocument.helpSection)
        EXAMPLES:
          curl-lb http://127.0.0.1:3000 http://127.0.0.1:3001
          LB_LISTEN=*:8080 LB_BACKENDS=http://10.0.0.1,http://10.0.0.2 curl-lb
          curl-lb 'https://api.internal;name=api;cacert=/etc/ssl/internal.pem'
          curl-lb --check && curl-lb --print-settings
          LB_ENV_FILE=/etc/curl-lb.env curl-lb, then: curl-lb reload --check /etc/curl-lb.env
          curl-lb top --admin http://127.0.0.1:9900
          curl-lb why -H 'Cookie: lb_backend=…' /basket

        """
    }
}
