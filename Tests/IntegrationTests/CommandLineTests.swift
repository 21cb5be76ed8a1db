// Tests of the program as it is started by a person who errs, or who only looks.

import Testing

@Suite(.timeLimit(.minutes(5))) struct CommandLineTests {
    private func run(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> (status: ExitStatus, output: String, error: String) {
        let process = try ChildProcess(Program.curlLB, arguments, environment: environment)
        defer { process.kill() }
        let status = try process.waitForExit()
        return (status, process.standardOutput?.text ?? "", process.standardError.text)
    }

    @Test("a mistake ends the program with its line and exit code 2", arguments: Mistake.all)
    func mistake(_ mistake: Mistake) throws {
        let run = try run(mistake.arguments, mistake.environment)
        #expect(run.status == .code(2))
        #expect(run.error == "\(mistake.line)\n")
        #expect(run.output.isEmpty)
    }

    @Test func `all mistakes are shown together`() throws {
        let run = try run(["127.0.0.1:3000"], ["LB_RETRIES": "many", "LB_WORKERS": "0"])
        #expect(run.status == .code(2))
        #expect(run.error.split(separator: "\n").count == 3)
    }

    @Test func `--check says that the settings are valid`() throws {
        let run = try run(["--check", "http://127.0.0.1:3000"])
        #expect(run == (.code(0), "curl-lb: the settings are valid\n", ""))
    }

    @Test func `--version names the libraries in use`() throws {
        let run = try run(["--version"])
        #expect(run.status == .code(0))
        #expect(run.output.hasPrefix("curl-lb "))
        #expect(run.output.contains("\nlibcurl "))
        #expect(run.error.isEmpty)
    }

    @Test("--help shows the settings", arguments: ["--help", "-h"])
    func help(flag: String) throws {
        let run = try run([flag], ["LB_RETRIES": "bad"])
        #expect(run.status == .code(0))
        #expect(run.output.contains("LB_BACKENDS") && run.output.contains("--print-settings"))
        #expect(run.error.isEmpty)
    }

    @Test func `what --print-settings prints is taken back`() throws {
        let first = try run(["--print-settings", "http://a", "http://b;name=blue"], ["LB_WORKERS": "3"])
        #expect(first.status == .code(0))
        let lines = first.output.split(separator: "\n").map { $0.prefix { $0 != "#" } }
        var environment: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].filter { $0 != " " && $0 != "'" }
            if value != "cores" { environment[String(parts[0])] = String(value) }
        }
        let second = try run(["--print-settings"], environment)
        #expect(second.status == .code(0))
        let again = second.output.split(separator: "\n").map { $0.prefix { $0 != "#" } }
        #expect(again == lines)
    }
}
