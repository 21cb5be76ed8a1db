// The routes of the admin API: the one table that dispatch, Allow and the description are checked against.

internal import HTTPWire

/// What a path stands for.
enum AdminRoute: Sendable, Equatable {
    case page
    case liveness
    case readiness
    case metrics
    case stats
    case events
    case backends
    case backend(name: String)
    case settings
    case description

    /// Every route, with its path as the description has it; that of one backend with a place for its name.
    static let all: [(route: AdminRoute, path: String)] = [
        (.page, "/"), (.liveness, "/healthz"), (.readiness, "/readyz"), (.metrics, "/metrics"), (.stats, "/stats"),
        (.events, "/events"), (.backends, "/backends"), (.backend(name: ""), "/backends/{name}"),
        (.settings, "/config"),
        (.description, "/openapi.json"),
    ]

    /// The value of `Allow` where it is about no route.
    static let allMethods = "GET, HEAD, POST, PATCH, DELETE"

    /// nil for a path that stands for nothing.
    init?(path: String) {
        if let fixed = Self.all.first(where: { $0.path == path && !path.contains("{") }) {
            self = fixed.route
            return
        }
        // The rest is the name: those of Unix-domain sockets have slashes, which not every client encodes.
        let prefix = "/backends/"
        guard path.hasPrefix(prefix), let name = percentDecoded(path.dropFirst(prefix.count)), !name.isEmpty else {
            return nil
        }
        self = .backend(name: name)
    }

    /// What can be done with it; HEAD wherever there is GET.
    var methods: [Method] {
        switch self {
        case .page, .liveness, .readiness, .metrics, .stats, .events, .description: [.get]
        case .backends, .settings: [.get, .post]
        case .backend: [.get, .patch, .delete]
        }
    }

    func allows(_ method: Method) -> Bool { methods.contains(method == .head ? .get : method) }

    /// The value of `Allow`.
    var allow: String {
        methods.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.spelling] }.joined(separator: ", ")
    }

    /// Whether it is there for everyone: probes send no token, and the page holds no data.
    var isPublic: Bool {
        switch self {
        case .page, .liveness, .readiness: true
        case .metrics, .stats, .events, .backends, .backend, .settings, .description: false
        }
    }
}
