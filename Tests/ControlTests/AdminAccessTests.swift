// Who may use the admin API, and that a browser cannot be made to.

import Front
import HTTPWire
import Testing

@testable import Control

@Suite("Admin access", .timeLimit(.minutes(5)))
struct AdminAccessTests {
    private static let token = "0123456789abcdef"

    private func status(_ scene: AdminScene, _ request: AdminRequest) -> Int {
        scene.ask(request, #"{"state": "drain"}"#)?.status ?? 0
    }

    private func drain(
        host: String? = "localhost:9900",
        origin: String? = nil,
        contentType: String? = "application/json",
        authorization: String? = nil
    ) -> AdminRequest {
        AdminRequest(
            method: .patch,
            path: "/backends/a:80",
            host: host,
            origin: origin,
            contentType: contentType,
            authorization: authorization
        )
    }

    @Test(
        arguments: [
            ("localhost", true), ("localhost:9900", true), ("LOCALHOST:1", true), ("127.0.0.1", true),
            ("127.9.9.9:80", true),
            ("[::1]:9900", true), ("[0:0::1]", true), ("10.0.0.5:9900", true), ("evil.example", false),
            ("localhost.evil.example", false), ("127.0.0.1.evil.example", false), ("10.0.0.6", false), ("", false),
            ("127.0.0.1@evil.example", false), ("[::1", false), ("0.0.0.0:9900", false), ("127.1", false), (nil, false),
        ] as [(String?, Bool)]
    )
    func `the Host of a request is the listener's`(host: String?, isOwn: Bool) throws {
        // As if it could listen there without a token: the address listened at counts.
        let scene = try AdminScene(at: .tcp(host: "10.0.0.5", port: 9900))
        #expect(status(scene, drain(host: host)) == (isOwn ? 200 : 403))
        // What a page at a name that was rebound would read.
        #expect(status(scene, AdminRequest(path: "/stats", host: host)) == (isOwn ? 200 : 403))
        #expect(status(scene, AdminRequest(path: "/config", host: host)) == (isOwn ? 200 : 403))
        // Probes come by any name; the page holds nothing.
        #expect(status(scene, AdminRequest(path: "/healthz", host: host)) == 200)
        #expect(status(scene, AdminRequest(path: "/", host: host)) == 200)
    }

    @Test(arguments: [
        ("http://localhost:9900", true), ("https://localhost:9900", true), ("HTTP://LOCALHOST:9900", true),
        ("http://localhost:3000", false), ("http://127.0.0.1:9900", false), ("https://evil.example", false),
        ("null", false), ("", false), ("http://localhost:9900.evil.example", false),
    ])
    func `the Origin of a request, if it has one, is the listener's`(origin: String, isOwn: Bool) throws {
        let scene = try AdminScene()
        #expect(status(scene, drain(origin: origin)) == (isOwn ? 200 : 403))
        #expect(
            status(scene, AdminRequest(path: "/stats", host: "localhost:9900", origin: origin)) == (isOwn ? 200 : 403)
        )
    }

    @Test(arguments: ["same-origin", "none", "same-site", "cross-site", "", "other"])
    func `what a page elsewhere embeds is refused, for it has no Origin, and may be what a person opens`(
        site: String
    )
        throws
    {
        let isOwn = ["same-origin", "none"].contains(site)
        let scene = try AdminScene()
        func read(_ path: String, _ scene: AdminScene) -> Int {
            status(scene, AdminRequest(path: path, host: "localhost:9900", fetchSite: site, authorization: bearer))
        }
        let bearer = "Bearer \(Self.token)"
        for path in ["/stats", "/metrics", "/openapi.json"] { #expect(read(path, scene) == (isOwn ? 200 : 403)) }
        for path in ["/", "/healthz"] { #expect(read(path, scene) == 200) }
        // No page elsewhere has the token.
        #expect(read("/stats", try AdminScene(token: Self.token)) == 200)
    }

    @Test(
        arguments: [
            ("application/json", 200), ("text/plain", 415), ("application/x-www-form-urlencoded", 415),
            ("multipart/form-data", 415), ("", 415), (nil, 415), ("application/problem+json", 415),
        ] as [(String?, Int)]
    )
    func `a change has a content type that no form can send`(contentType: String?, expected: Int) throws {
        #expect(status(try AdminScene(), drain(contentType: contentType)) == expected)
    }

    @Test(arguments: [
        ("Application/JSON; charset=utf-8", "application/json"), ("application/json", "application/json"),
        (" ;", ""), ("", ""), ("text/plain ; a=b", "text/plain"),
    ])
    func `parameters of a content type do not count`(value: String, type: String) {
        #expect(AdminRequest.mediaType(value) == type)
    }

    @Test(
        arguments: [
            ("Bearer 0123456789abcdef", 200), ("bearer  0123456789abcdef", 200), ("Bearer 0123456789abcdeF", 401),
            ("Bearer 0123456789abcdef0", 401), ("Bearer 0123456789abcde", 401), ("Bearer", 401), ("Bearer ", 401),
            ("Basic 0123456789abcdef", 401), ("0123456789abcdef", 401), ("", 401), (nil, 401),
        ] as [(String?, Int)]
    )
    func `with a token everything but probes and the page needs it`(authorization: String?, expected: Int) throws {
        let scene = try AdminScene(token: Self.token)
        let isShown = expected == 200
        for path in ["/stats", "/metrics", "/config", "/backends", "/backends/a:80", "/openapi.json"] {
            let request = AdminRequest(path: path, host: "localhost", authorization: authorization)
            #expect(status(scene, request) == expected, "\(path)")
        }
        let unknown = AdminRequest(path: "/nothing", host: "localhost", authorization: authorization)
        #expect(status(scene, unknown) == (isShown ? 404 : 401))
        let events = AdminRequest(path: "/events", host: "localhost", authorization: authorization)
        #expect(scene.ask(events)?.status == (isShown ? nil : 401))
        #expect(status(scene, drain(authorization: authorization)) == expected)
        for path in ["/", "/healthz"] {
            #expect(status(scene, AdminRequest(path: path, authorization: authorization)) == 200)
        }
    }

    @Test func `a refusal says which scheme is wanted`() throws {
        let response = try AdminScene(token: Self.token).ask(.get, "/stats")
        #expect(response?["WWW-Authenticate"] == #"Bearer realm="curl-lb""#)
        #expect(response?.text.contains(Self.token) == false)
    }

    @Test func `with a token, a listener at all addresses takes changes under any name, and Prometheus reads by any`()
        throws
    {
        let all = try AdminScene(at: .tcp(host: "0.0.0.0", port: 9900), token: Self.token)
        let bearer = "Bearer \(Self.token)"
        #expect(status(all, drain(host: "lb.internal:9900", authorization: bearer)) == 200)
        let own = try AdminScene(at: .tcp(host: "lb.internal", port: 9900), token: Self.token)
        #expect(status(own, drain(host: "lb.internal:9900", authorization: bearer)) == 200)
        #expect(status(own, drain(host: "other.internal:9900", authorization: bearer)) == 403)
        #expect(status(own, AdminRequest(path: "/metrics", host: "other.internal", authorization: bearer)) == 200)
    }

    @Test func `no browser connects to a Unix-domain socket`() throws {
        let scene = try AdminScene(at: .unix(path: "/run/lb.sock"))
        #expect(status(scene, drain(host: "whatever")) == 200)
        #expect(status(scene, drain(host: nil)) == 200)
    }
}
