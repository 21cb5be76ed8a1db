// The command that repeats a failed attempt: the same request, and no secret.

import Foundation
import Testing
import Upstream

@testable import Forwarding

@Suite("Reproduce command")
struct ReproduceCommandTests {
    private let origin = Origin(scheme: .http, host: "10.0.0.1", port: 3000)
    private let usual = "curl --http1.1 -sv -o /dev/null --globoff --path-as-is"

    private func command(_ lines: String..., to origin: Origin? = nil) -> String {
        let head = Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
        return head.withUnsafeBytes { ReproduceCommand(head: $0, to: origin ?? self.origin).text }
    }

    @Test func `a plain request`() {
        #expect(
            command("GET /a?b=c HTTP/1.1", "Host: app", "User-Agent: x", "Accept: */*")
                == "\(usual) -H 'Host: app' -H 'User-Agent: x' -H 'Accept: */*' 'http://10.0.0.1:3000/a?b=c'"
        )
    }

    @Test func `what curl would add is taken away, and an empty field stays`() {
        #expect(
            command("GET / HTTP/1.1", "Host: app", "X-Empty:")
                == "\(usual) -H 'Host: app' -H 'X-Empty;' -H User-Agent: -H Accept: http://10.0.0.1:3000/"
        )
    }

    @Test func `a method and a body`() {
        #expect(
            command("PUT / HTTP/1.1", "Host: app", "User-Agent: x", "Accept: y", "Content-Length: 3")
                == "\(usual) -X PUT -H 'Host: app' -H 'User-Agent: x' -H 'Accept: y' -H Content-Type: -H Expect:"
                + " --data-binary @BODY http://10.0.0.1:3000/"
        )
        #expect(command("HEAD / HTTP/1.1", "Accept: y", "User-Agent: x").contains(" --head "))
        #expect(command("POST / HTTP/1.1", "Content-Length: 0").contains("-X POST -H User-Agent:"))
        #expect(!command("POST / HTTP/1.1", "Content-Length: 0").contains("BODY"))
        #expect(command("GET / HTTP/1.1", "Transfer-Encoding: chunked").contains("-X GET"))
        #expect(
            command("OPTIONS * HTTP/1.1", "User-Agent: x", "Accept: y")
                == "\(usual) -X OPTIONS -H 'User-Agent: x' -H 'Accept: y' --request-target '*' http://10.0.0.1:3000/"
        )
    }

    @Test func `each way to a backend`() {
        var origin = Origin(scheme: .http, host: "localhost", port: 80, unixSocketPath: "/run/my app.sock")
        #expect(
            command("GET / HTTP/1.1", to: origin).hasSuffix(" --unix-socket '/run/my app.sock' http://localhost:80/")
        )
        origin = Origin(scheme: .https, host: "::1", port: 8443)
        #expect(command("GET / HTTP/1.1", to: origin).hasSuffix(" 'https://[::1]:8443/'"))
        origin.verifiesCertificate = false
        origin.serverName = "app.internal"
        #expect(
            command("GET / HTTP/1.1", to: origin)
                .hasSuffix(" --connect-to '::[::1]:8443' --insecure https://app.internal:8443/")
        )
        origin.verifiesCertificate = true
        origin.certificateAuthorityFile = "/etc/ca.pem"
        #expect(command("GET / HTTP/1.1", to: origin).contains(" --cacert /etc/ca.pem "))
    }

    @Test(
        arguments: [
            "Authorization: Basic hush", "authorization:hush", "Proxy-Authorization: Bearer hush",
            "Cookie: sid=hush; a=hush",
            "X-Api-Key: hush", "X-Auth-Token: hush", "X-CSRF-TOKEN: hush", "X-Amz-Security-Token: hush",
            "Api_Key: hush",
            "X-Forwarded-Access-Token: hush", "X-Session-Id: hush", "Referer: http://x/?token=hush",
        ]
    )
    func `no credential stands in it`(field: String) {
        let text = command("GET / HTTP/1.1", field)
        #expect(!text.contains("hush"), "\(text)")
        #expect(text.contains(ReproduceCommand.redaction))
    }

    @Test(
        arguments: [
            ("/?token=hush", "/?token=REDACTED"), ("/?a=1&key=hush&b=2", "/?a=1&key=REDACTED&b=2"),
            ("/?PassWord=hush", "/?PassWord=REDACTED"), ("/?access_token=hush&x", "/?access_token=REDACTED&x"),
            ("/?t%6Fken=hush", "/?t%6Fken=REDACTED"), ("/?X-Amz-Signature=hush", "/?X-Amz-Signature=REDACTED"),
            ("/?api_key=hush?token=hush", "/?api_key=REDACTED"), ("/?monkey=1&keys=2", "/?monkey=1&keys=2"),
            ("/?code=hush&state=s", "/?code=REDACTED&state=s"), ("/token=open", "/token=open"), ("/?key", "/?key"),
            ("/?%=1&%zz=2&=3", "/?%=1&%zz=2&=3"),
        ]
    )
    func `values of secret parameters are replaced, others stay`(target: String, expected: String) {
        #expect(ReproduceCommand.withoutSecrets(target) == expected)
    }

    /// Has a shell read the words.
    private func words(_ command: String, shell: String) throws -> [[UInt8]] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: shell)
        process.arguments = ["-c", "printf '%s\\0' \(command)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init).dropLast()
    }

    @Test func `a shell reads back what was sent, and nothing of it is a command`() throws {
        let values = [
            "a'b", "$(touch /tmp/x)`id`", #"\n\x41 "q" \\"#, "; rm -rf * #", "!history", "\u{E9}\u{FF}'\\ \u{80}",
        ]
        for value in values {
            let head = "GET / HTTP/1.1\r\nX-Value: \(value)\r\nAccept: a\r\nUser-Agent: b\r\n\r\n"
                .unicodeScalars.map { UInt8($0.value) }
            let text = head.withUnsafeBytes { ReproduceCommand(head: $0, to: origin).text }
            #expect(text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }, "\(text)")
            let expected = Array("X-Value: ".utf8) + value.unicodeScalars.map { UInt8($0.value) }
            #expect(try words(text, shell: "/bin/bash").contains(expected), "\(text)")
            if value.allSatisfy(\.isASCII) { #expect(try words(text, shell: "/bin/sh").contains(expected), "\(text)") }
        }
    }
}
