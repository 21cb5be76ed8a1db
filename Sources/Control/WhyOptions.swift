// The command line of `curl-lb why`, and the question that comes of it.

import ArgumentParser
import Configuration
public import Front

/// A request whose way a running balancer is asked to explain.
public struct WhyQuestion: Sendable, Equatable {
    /// Where the balancer listens.
    public var address: ListenAddress
    public var host: String
    /// Path and query.
    public var target: String
    /// Further field lines, such as `Cookie: a=b`.
    public var fields: [String]
}

/// What may stand behind `curl-lb why`.
struct WhyOptions: ParsableCommand {
    static let name = "why"
    static let configuration = CommandConfiguration(
        commandName: "curl-lb \(name)",
        abstract: "Ask the running balancer to which backend a request goes, and why.",
        discussion: """
            Sends a HEAD request to the address in LB_LISTEN, which goes to a backend as any other. The balancer explains to
            addresses in its LB_TRUSTED alone.
            """
    )

    @Argument(help: "The request's URL, or its path.")
    var url = "/"

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp("A field of the request; may be given several times.", valueName: "name: value")
    )
    var header: [String] = []

    @Option(help: ArgumentHelp("Where the balancer listens, in place of LB_LISTEN.", valueName: "host:port"))
    var at: String?

    /// Decides what the arguments behind `why` ask for.
    static func decide(_ arguments: ArraySlice<String>, _ environment: [String: String]) -> CommandOutcome {
        decide(arguments) { options throws(SettingsError) in .why(try options.question(environment: environment)) }
    }

    /// The question; throws one line for each mistake.
    func question(environment: [String: String]) throws(SettingsError) -> WhyQuestion {
        let address = try address(environment)
        // What begins with a slash is a path, whatever URL stands in its query.
        let afterScheme = url.hasPrefix("/") ? nil : url.firstRange(of: "://").map { url[$0.upperBound...] }
        guard url.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), afterScheme != nil || url.hasPrefix("/") else {
            throw SettingsError(problems: [
                "\(quoted(url)): expected a URL or a path such as /index?q=1, without spaces"
            ])
        }
        let host = afterScheme?.prefix { $0 != "/" && $0 != "?" }
        var target = host.map { url[$0.endIndex...] } ?? url[...]
        if !target.hasPrefix("/") { target = "/" + target }
        for field in header {
            guard field.contains(":"), isToken(String(field.prefix { $0 != ":" })),
                field.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
            else { throw SettingsError(problems: ["\(quoted(field)): expected a field such as Cookie: a=b after -H"]) }
        }
        let own =
            switch address {
            case .tcp: "\(address)"
            case .unix: "localhost"
            }
        return WhyQuestion(address: address, host: host.map(String.init) ?? own, target: String(target), fields: header)
    }

    /// The address to ask at: the first that the balancer listens on, where this machine reaches it.
    private func address(_ environment: [String: String]) throws(SettingsError) -> ListenAddress {
        let row = SettingsTable.listen
        let address: ListenAddress
        if let at {
            switch parseListenAddress(at) {
            case .success(let parsed): address = parsed
            case .failure(let problem): throw SettingsError(problems: ["--at \(quoted(at)): \(problem.phrase)"])
            }
        } else {
            var settings = Settings()
            var variables = environment
            if let path = environment[SettingsTable.environmentFile.name] {
                // Where the balancer listens is asked, not whether the rest of its file is right.
                var provenance = Provenance()
                _ = provenance.take(path, over: &variables, [row.name])
            }
            do {
                let provider = EnvironmentVariablesProvider(environmentVariables: variables)
                _ = try row.read(from: ConfigReader(provider: provider), into: &settings)
            } catch {
                throw SettingsError(problems: error.refusals.map { "\(row.name)=\(quoted($0.value)): \($0.reason)" })
            }
            address = settings.listenAddresses[0]
        }
        switch address {
        case .unix: return address
        case .tcp(_, port: 0):
            throw SettingsError(problems: ["\(row.name) leaves the port to the kernel: say where, with --at host:port"])
        case .tcp("0.0.0.0", let port): return .tcp(host: "127.0.0.1", port: port)
        case .tcp("::", let port): return .tcp(host: "::1", port: port)
        case .tcp: return address
        }
    }
}
