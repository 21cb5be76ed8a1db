// Tests of the command line of `curl-lb top`.

import Foundation
import Testing

@testable import Control

@Suite struct TopOptionsTests {
    private func decide(_ arguments: [String], _ environment: [String: String] = [:]) -> CommandOutcome {
        CommandOutcome.decide(arguments: ["top"] + arguments, environment: environment, version: VersionReport())
    }

    private func request(
        _ url: String = "http://127.0.0.1:9900/stats",
        socketPath: String? = nil,
        token: String? = nil,
        interval: Duration = .seconds(1),
        isOnce: Bool = false,
        isColourful: Bool = true
    ) -> CommandOutcome {
        .top(
            TopRequest(
                url: url,
                socketPath: socketPath,
                token: token,
                interval: interval,
                isOnce: isOnce,
                isColourful: isColourful
            )
        )
    }

    @Test(
        "where the admin API is",
        arguments: [
            ([], [:], "http://127.0.0.1:9900/stats", nil),
            ([], ["LB_ADMIN": "127.0.0.1:9901"], "http://127.0.0.1:9901/stats", nil),
            ([], ["LB_ADMIN": "*:9901"], "http://127.0.0.1:9901/stats", nil),
            ([], ["LB_ADMIN": "[::]:9901"], "http://[::1]:9901/stats", nil),
            ([], ["LB_ADMIN": "unix:/run/admin.sock"], "http://localhost/stats", "/run/admin.sock"),
            (["--admin", "http://edge:9900"], ["LB_ADMIN": "off"], "http://edge:9900/stats", nil),
            (["--admin", "http://edge:9900/"], [:], "http://edge:9900/stats", nil),
            (["--admin", "https://edge"], [:], "https://edge/stats", nil),
            (["--admin", "10.0.0.1:1"], [:], "http://10.0.0.1:1/stats", nil),
            (["--admin", "unix:/a"], [:], "http://localhost/stats", "/a"),
        ] as [([String], [String: String], String, String?)]
    )
    func place(arguments: [String], environment: [String: String], url: String, socketPath: String?) {
        #expect(decide(arguments, environment) == request(url, socketPath: socketPath))
    }

    @Test func `intervals, one look, and colours`() {
        #expect(decide(["--interval", "250ms", "--once"]) == request(interval: .milliseconds(250), isOnce: true))
        #expect(decide([], ["NO_COLOR": "1"]) == request(isColourful: false))
        #expect(decide([], ["NO_COLOR": ""]) == request())
        #expect(decide([], ["TERM": "dumb"]) == request(isColourful: false))
    }

    @Test func `the token comes from a file or the environment`() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID().uuidString)").path
        try "an-operator's-token\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(
            decide(["--token-file", path])
                == .fail([
                    "curl-lb top: --token-file \"\(path)\": expected a token of letters, digits or -._~+/=, from 16 to 256 of them"
                ])
        )
        try "open-sesame-open-sesame==\n".write(toFile: path, atomically: true, encoding: .utf8)
        let expected = request(token: "open-sesame-open-sesame==")
        #expect(decide(["--token-file", path], ["LB_ADMIN_TOKEN": "another-token-of-somebody"]) == expected)
        #expect(decide([], ["LB_ADMIN_TOKEN": "file:\(path)"]) == expected)
        #expect(decide([], ["LB_ADMIN_TOKEN": "open-sesame-open-sesame=="]) == expected)
        #expect(decide([], ["LB_ADMIN_TOKEN": "none"]) == request())
    }

    @Test(
        "a mistake is one line that says what was expected",
        arguments: [
            (
                ["--admin", "ftp://edge"], [:],
                #"--admin "ftp://edge": expected http://host:port, host:port or unix:/path"#
            ),
            (
                ["--admin", "http://edge:9900/stats"], [:],
                #"--admin "http://edge:9900/stats": expected a port between 1 and 65535, not "9900/stats""#
            ),
            (["--admin", "9900"], [:], #"--admin "9900": expected host:port; did you mean 127.0.0.1:9900 or *:9900?"#),
            (
                [], ["LB_ADMIN": "off"],
                #"LB_ADMIN "off": there is no admin API to ask: say where one is, with --admin http://host:port"#
            ),
            (
                [], ["LB_ADMIN": "127.0.0.1:0"],
                #"LB_ADMIN "127.0.0.1:0": expected a port of its own: say where, with --admin http://host:port"#
            ),
            (
                [], ["LB_ADMIN_TOKEN": "not a token"],
                "LB_ADMIN_TOKEN expected a token of letters, digits or -._~+/=, from 16 to 256 of them"
            ),
            (
                ["--token-file", "/nowhere"], [:],
                #"--token-file "/nowhere": expected a readable file that holds the token"#
            ),
            (
                ["--interval", "1ms"], [:],
                #"--interval "1ms": expected a duration with a unit between 100ms and 1h, such as 2s"#
            ),
            (
                ["--interval", "1"], [:],
                #"--interval "1": expected a duration with a unit between 100ms and 1h, such as 2s"#
            ),
        ] as [([String], [String: String], String)]
    )
    func mistakes(arguments: [String], environment: [String: String], line: String) {
        #expect(decide(arguments, environment) == .fail(["curl-lb top: \(line)"]))
    }

    @Test func `an unknown option is told, and help is given`() {
        guard case .fail(let lines) = decide(["--onc"]) else { return #expect(Bool(false), "no failure") }
        #expect(lines.count == 1 && lines[0].hasPrefix("curl-lb top: "))
        guard case .print(let text) = decide(["--help"]) else { return #expect(Bool(false), "no help") }
        #expect(text.contains("--once") && text.contains("--token-file"))
    }
}
