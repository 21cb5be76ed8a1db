// Real servers as backends: nginx, Flask, and the demo origin of this repository.

import Foundation

extension Scene {
    /// A port that was free a moment ago, for servers that cannot be given port 0.
    private func freePort() throws -> UInt16 {
        let descriptor = try SocketAddress.loopback(port: 0).bind()
        defer { close(descriptor) }
        return SocketAddress.port(of: descriptor)
    }

    private func waitUntilListening(_ process: ChildProcess, port: UInt16) throws {
        try eventually("a server on port \(port); it said: \(process.standardError.text)") {
            if let status = process.exitStatus {
                throw Disappointment("ended with \(status): \(process.standardError.text)")
            }
            return (try? Connection.to(port: port)) != nil
        }
    }

    /// An nginx of our own with one server, whose block gets these lines; the port it listens on.
    func nginx(isSecure: Bool = false, _ lines: String) throws -> UInt16 {
        guard let program = Program.installed("nginx") else { throw Disappointment("nginx is not installed") }
        let folder = try folder()
        let port = try freePort()
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(folder)/\($0);" }
        let configuration = """
            daemon off;
            master_process off;
            pid \(folder)/pid;
            events {}
            http {
                access_log off;
                default_type text/plain;
                \(paths.joined(separator: "\n"))
                server {
                    listen 127.0.0.1:\(port)\(isSecure ? " ssl" : "");
                    \(lines)
                }
            }
            """
        try configuration.write(toFile: "\(folder)/nginx.conf", atomically: true, encoding: .utf8)
        let process = try process(program, ["-e", "stderr", "-p", folder, "-c", "\(folder)/nginx.conf"])
        try waitUntilListening(process, port: port)
        return port
    }

    /// A self-signed certificate for a host name; the paths of certificate and key.
    func certificate(for host: String) throws -> (certificate: String, key: String) {
        guard let program = Program.installed("openssl") else { throw Disappointment("openssl is not installed") }
        let folder = try folder()
        let paths = (certificate: "\(folder)/certificate.pem", key: "\(folder)/key.pem")
        let process = try process(
            program,
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)", "-keyout", paths.key,
                "-out", paths.certificate,
            ]
        )
        guard try process.waitForExit() == .code(0) else { throw Disappointment(process.standardError.text) }
        return paths
    }

    /// The demo origin; its URL.
    func demoOrigin(_ name: String) throws -> String {
        let process = try process(Program.origin, ["--port", "0", "--name", name])
        try eventually("the demo origin's start: \(process.standardError.text)") {
            process.standardOutput?.lines.isEmpty == false
        }
        let words = (process.standardOutput?.lines.first ?? "").split(separator: " ")
        guard let url = words.first(where: { $0.hasPrefix("http://") }) else {
            throw Disappointment("no URL: \(words)")
        }
        return String(url)
    }

    /// The Flask origin; its URL.
    func flask(_ name: String) throws -> String {
        guard let python = Program.installed("python3") else { throw Disappointment("python3 is not installed") }
        let port = try freePort()
        let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/").dropFirst()
        let process = try process(python, ["\(root)/backends/flask/app.py", "--port", "\(port)", "--name", name])
        try waitUntilListening(process, port: port)
        return "http://127.0.0.1:\(port)"
    }
}
