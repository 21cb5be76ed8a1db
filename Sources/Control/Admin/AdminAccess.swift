// Who may use the admin API: the token, and what keeps a browser on this machine from being used against it.

internal import Front
internal import HTTPWire

/// The rules of access.
///
/// A page in a browser can have requests sent to any address that the browser reaches, this machine's own among them. So a request has
/// to name this listener in `Host` (which a name that was rebound to 127.0.0.1 does not), `Origin` has to be the listener's own if a
/// browser sends one, `Sec-Fetch-Site` tells of no page elsewhere, a change has a content type that no page can send elsewhere without
/// asking first, and there is no CORS.
struct AdminAccess: Sendable {
    /// The address that is listened at, with its port.
    let address: ListenAddress
    let token: AdminToken?

    /// Why a request may not be answered; nil when it may.
    func problem(with request: AdminRequest, at route: AdminRoute?) -> Problem? {
        if route?.isPublic == true { return nil }
        if let token, !isShown(token, in: request) {
            return Problem(
                .unauthorized,
                "Expected the field Authorization: Bearer with the token of LB_ADMIN_TOKEN.",
                fields: [("WWW-Authenticate", #"Bearer realm="curl-lb""#)]
            )
        }
        // With a token, a page elsewhere has nothing that it could read with.
        let isChange = !request.method.isSafe
        if token == nil || isChange, !isOwn(request.host) {
            return Problem(
                .hostNotAllowed,
                "Expected a Host that is this listener's: localhost, an address of loopback, or that of LB_ADMIN."
            )
        }
        if let origin = request.origin, !isOwn(origin: origin, host: request.host ?? "") {
            return Problem(.originNotAllowed, "Expected no request of a page that is not this listener's own.")
        }
        // Without an origin, as what a page embeds is asked for: it reads nothing of that, but learns how large it is and how long it took.
        if token == nil, let site = request.fetchSite, !["same-origin", "none"].contains(site) {
            return Problem(.originNotAllowed, "Expected no request of a page that is not this listener's own.")
        }
        return nil
    }

    private func isShown(_ token: AdminToken, in request: AdminRequest) -> Bool {
        guard let field = request.authorization else { return false }
        let scheme = field.prefix { $0 != " " }
        return scheme.lowercased() == "bearer" && token.matches(field[scheme.endIndex...].drop { $0 == " " }.utf8)
    }

    /// Whether a `Host` is this listener's, whatever its port: that may be another one behind a tunnel.
    private func isOwn(_ host: String?) -> Bool {
        switch address {
        // No browser connects there.
        case .unix: return true
        case .tcp(let own, _):
            guard let host, let name = (try? HostAndPort.parse(host, ports: 0...65535).get())?.host else {
                return false
            }
            // One that listens at all addresses has as many names, and a token.
            return isLoopback(name) || name == own || (token != nil && ["0.0.0.0", "::", "*"].contains(own))
        }
    }

    private func isOwn(origin: String, host: String) -> Bool {
        ["http://", "https://"].contains { origin.lowercased() == $0 + host.lowercased() }
    }
}
