// Tests that every mistake is answered by its one line, and several mistakes by one line each.

import Testing

@testable import Control

@Suite struct MistakeTests {
    @Test("a mistake is answered by exactly its line", arguments: Mistake.all)
    func oneLine(_ mistake: Mistake) {
        let outcome = CommandOutcome.decide(
            arguments: mistake.arguments,
            environment: mistake.environment,
            version: VersionReport()
        )
        #expect(outcome == .fail([mistake.line]))
    }

    @Test("a flag that only looks finds the same mistake", arguments: ["--check", "--print-settings"])
    func looking(flag: String) {
        let outcome = CommandOutcome.decide(
            arguments: [flag, "http://a"],
            environment: ["LB_WORKERS": "0"],
            version: VersionReport()
        )
        #expect(outcome == .fail([#"curl-lb: LB_WORKERS="0": expected a whole number between 1 and 256"#]))
    }

    @Test func `the exit code of a refusal is 2`() {
        #expect(CommandOutcome.refusalExitCode == 2)
    }

    @Test func `every mistake is reported, in the order of the table, then unknown names`() {
        let environment = [
            "LB_RETRIES": "many", "LB_WORKERS": "0", "LB_LISTEN": "5000 a:b",
            "LB_BACKENDS": "ftp://a,http://b/x;weight=x", "LB_Z": "", "LB_LOGLEVEL": "info",
        ]
        let error = #expect(throws: SettingsError.self) {
            try Settings.load(environment: environment, arguments: ["c"])
        }
        #expect(
            error?.problems == [
                #"LB_LISTEN="5000": expected host:port; did you mean 127.0.0.1:5000 or *:5000?"#,
                #"LB_LISTEN="a:b": expected a port between 0 and 65535, not "b""#,
                #"LB_BACKENDS="ftp://a": expected http://, https:// or http+unix:///, not ftp://"#,
                #"LB_BACKENDS="http://b/x;weight=x": expected no path in a backend's URL, not "/x": requests keep their own"#,
                #"LB_BACKENDS="http://b/x;weight=x": expected a whole number between 0 and 65535 after weight=, not "x""#,
                #"LB_WORKERS="0": expected a whole number between 1 and 256"#,
                #"LB_RETRIES="many": expected a whole number between 0 and 100"#,
                #"backend "c": expected a URL such as http://127.0.0.1:3000 or http+unix:///run/app.sock;"#
                    + " did you mean http://c?",
                "LB_LOGLEVEL is not a setting; did you mean LB_LOG_LEVEL?",
                "LB_Z is not a setting; curl-lb --help lists them all",
            ]
        )
    }

    @Test func `a very long value is cut`() {
        let error = #expect(throws: SettingsError.self) {
            try Settings.load(
                environment: ["LB_RETRIES": String(repeating: "9", count: 100_000)],
                arguments: ["http://a"]
            )
        }
        #expect((error?.problems.first?.count ?? .max) < 300)
    }

    @Test("any value reads back as printed, or is refused on lines in plain sight", arguments: 0..<8 as Range<UInt64>)
    func arbitraryValues(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let fragments = [
            "hash:", "header:", "cookie:", "ip", "weight=", "backup=", "max_conns=",
            "http://", "https://", "http+unix:///", "unix:/", "127.0.0.1", "[::1]", "a", ":", "80", ";", "name=", "on",
            "verify=", "off", "sni=", "cacert=", "@", "/", "?", "#", ",", " ", "\n", "\u{1}", "\u{1B}[31m", "\u{202E}",
            "é", "\u{301}", "\"", "\\", "1", ".", "ms", "s", "KiB", "-", "*", "=", "[", "]", "%", "\r\n", "\u{85}",
        ]
        for row in SettingsTable.rows where !row.isSecret {
            for _ in 0..<25 {
                let count = Int.random(in: 0...6, using: &generator)
                let value = (0..<count).compactMap { _ in fragments.randomElement(using: &generator) }.joined()
                let context: Comment = "seed \(seed), \(row.name)=\(quoted(value))"
                var environment = ["LB_BACKENDS": "http://z"]
                environment[row.name] = value
                do throws(SettingsError) {
                    let settings = try Settings.load(environment: environment).settings
                    environment[row.name] = row.print(settings)
                    let again = try Settings.load(environment: environment).settings
                    #expect(again == settings, context)
                } catch {
                    for line in error.problems where !line.hasPrefix("no backend: ") {
                        let isPlain = line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
                        #expect(line.hasPrefix("\(row.name)=") && isPlain, context)
                    }
                }
            }
        }
    }
}

/// The SplitMix64 generator: the same numbers for the same seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
