// Where a backend is, as text.

import Testing
import Upstream

@Suite("Origin")
struct OriginTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let origin: Origin
        let text: String
        var testDescription: String { text }
    }

    @Test(arguments: [
        Row(origin: Origin(scheme: .http, host: "a.example", port: 80), text: "http://a.example:80"),
        Row(origin: Origin(scheme: .https, host: "192.0.2.7", port: 8443), text: "https://192.0.2.7:8443"),
        Row(origin: Origin(scheme: .http, host: "::1", port: 65_535), text: "http://[::1]:65535"),
        Row(
            origin: Origin(scheme: .http, host: "localhost", port: 80, unixSocketPath: "/run/a.sock"),
            text: "http+unix:///run/a.sock"
        ),
        Row(
            origin: Origin(scheme: .https, host: "10.0.0.1", port: 443, verifiesCertificate: false, serverName: "a"),
            text: "https://10.0.0.1:443"
        ),
    ])
    func `an origin reads as its URL, without options`(_ row: Row) {
        #expect(row.origin.description == row.text)
    }

    @Test func `certificates are verified unless somebody says otherwise`() {
        #expect(Origin(scheme: .https, host: "a", port: 443).verifiesCertificate)
    }

    @Test func `libcurl is ready, and says what it is`() {
        #expect(CurlLibrary.prepare() == nil)
        #expect(CurlLibrary.report.count == 3)
        #expect(CurlLibrary.report[0].hasPrefix("libcurl "))
    }
}
