// The command line of `curl-lb top`, and what it asks for.

import ArgumentParser
import Front

/// A running balancer to be looked at, and how.
public struct TopRequest: Sendable, Equatable {
    /// Where its state is.
    public var url: String
    /// The socket to connect to in place of the URL's host.
    public var socketPath: String?
    /// What the balancer wants to be shown.
    public var token: String?
    /// From one look to the next.
    public var interval: Duration
    /// Whether two looks, printed as text, are all.
    public var isOnce: Bool
    /// Whether a terminal may be written to in colour.
    public var isColourful: Bool

    /// The address as the user knows it, for messages.
    var place: String { socketPath.map { "unix:\($0)" } ?? String(url.dropLast(Self.path.count)) }

    static let path = "/stats"
}

/// What may stand behind `curl-lb top`.
struct TopOptions: ParsableCommand {
    static let name = "top"
    static let configuration = CommandConfiguration(
        commandName: "curl-lb \(name)",
        abstract: "Show a running balancer and its backends, and keep showing them.",
        discussion: """
            Asks the admin API for its state again and again, and shows what was counted between two answers. q or Ctrl-C \
            ends it. Colours are left out when NO_COLOR is set.
            """
    )

    @Option(
        help: ArgumentHelp(
            "Where the admin API listens, in place of LB_ADMIN.",
            valueName: "http://host:port | unix:/path"
        )
    )
    var admin: String?

    @Option(
        help: ArgumentHelp(
            "A file that holds the token of the admin API, in place of LB_ADMIN_TOKEN.",
            valueName: "path"
        )
    )
    var tokenFile: String?

    @Option(help: ArgumentHelp("From one look to the next, from 100ms to 1h.", valueName: "duration"))
    var interval = "1s"

    @Flag(help: "Look twice, an interval apart, print what was counted meanwhile, and exit.")
    var once = false

    /// Decides what the arguments behind `top` ask for.
    static func decide(_ arguments: ArraySlice<String>, _ environment: [String: String]) -> CommandOutcome {
        decide(arguments) { options throws(SettingsError) in .top(try options.request(environment: environment)) }
    }

    /// The request; throws one line for each mistake.
    func request(environment: [String: String]) throws(SettingsError) -> TopRequest {
        var problems: [String] = []
        func noted<Value>(_ value: Result<Value, Expectation>, _ name: String, _ text: String) -> Value? {
            switch value {
            case .success(let value): return value
            case .failure(let problem):
                problems.append("\(name) \(text.isEmpty ? "" : quoted(text) + ": ")\(problem.phrase)")
                return nil
            }
        }
        let place = noted(
            admin.map(Self.place) ?? Self.placeOfSetting(environment["LB_ADMIN"] ?? ""),
            admin == nil ? "LB_ADMIN" : "--admin",
            admin ?? environment["LB_ADMIN"] ?? ""
        )
        let token = noted(
            Self.token(tokenFile.map { "file:\($0)" } ?? environment["LB_ADMIN_TOKEN"] ?? "none"),
            tokenFile == nil ? "LB_ADMIN_TOKEN" : "--token-file",
            // A token itself is not repeated.
            tokenFile ?? ""
        )
        let interval = noted(Self.interval(interval), "--interval", interval)
        guard let place, let token, let interval else { throw SettingsError(problems: problems) }
        return TopRequest(
            url: place.url + TopRequest.path,
            socketPath: place.socketPath,
            token: token,
            interval: interval,
            isOnce: once,
            isColourful: environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        )
    }

    // MARK: Values

    private static let expectedPlace: Expectation = "expected http://host:port, host:port or unix:/path"

    /// Where the admin API is, as a base URL without a slash at its end.
    private static func place(_ text: String) -> Result<(url: String, socketPath: String?), Expectation> {
        if text.hasPrefix("https://") || text.hasPrefix("http://") {
            let scheme = text.hasPrefix("https://") ? "https://" : "http://"
            let rest = text.dropFirst(scheme.count)
            let authority = rest.hasSuffix("/") ? rest.dropLast() : rest
            return HostAndPort.parse(String(authority), ports: 1...65535).map { ("\(scheme)\($0)", nil) }
        }
        guard !text.contains("://") else { return .failure(expectedPlace) }
        let address: ListenAddress
        switch parseListenAddress(text) {
        case .success(let parsed): address = parsed
        case .failure(let problem): return .failure(problem)
        }
        switch address {
        case .unix(let path): return .success(("http://localhost", path))
        case .tcp(_, port: 0):
            return .failure("expected a port of its own: say where, with --admin http://host:port")
        // Where this machine reaches it.
        case .tcp("0.0.0.0", let port): return .success(("http://127.0.0.1:\(port)", nil))
        case .tcp("::", let port): return .success(("http://[::1]:\(port)", nil))
        case .tcp: return .success(("http://\(address)", nil))
        }
    }

    /// The same from the setting of the balancer, or its default.
    private static func placeOfSetting(_ text: String) -> Result<(url: String, socketPath: String?), Expectation> {
        switch text {
        case "": place("127.0.0.1:9900")
        case "off": .failure("there is no admin API to ask: say where one is, with --admin http://host:port")
        default: place(text)
        }
    }

    /// A token, `file:` and the path of its file, or `none`.
    private static func token(_ text: String) -> Result<String?, Expectation> {
        if text == "none" { return .success(nil) }
        var token = text
        if text.hasPrefix("file:") {
            guard let (_, bytes) = try? secretFile(text, longest: AdminToken.longest) else {
                return .failure("expected a readable file that holds the token")
            }
            token = String(decoding: bytes, as: UTF8.self)
        }
        guard AdminToken.isValid(token.utf8) else {
            return .failure(
                "expected a token of letters, digits or -._~+/=, from \(AdminToken.shortest) to \(AdminToken.longest) of them"
            )
        }
        return .success(token)
    }

    private static func interval(_ text: String) -> Result<Duration, Expectation> {
        guard let interval = parseDuration(text), (.milliseconds(100)...(.seconds(3600))).contains(interval) else {
            return .failure("expected a duration with a unit between 100ms and 1h, such as 2s")
        }
        return .success(interval)
    }
}
