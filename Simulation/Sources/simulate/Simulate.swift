// The command: which scenarios, how large, and where the results go.

internal import Balancing
internal import Foundation
internal import Simulation

/// A mistake on the command line.
struct UsageError: Error { let message: String }

/// What the command line asks for.
struct Options {
    static let usage = """
        usage: scripts/simulate [SCENARIO…] [--policy POLICY]… [--backends N] [--requests N] [--seed N] [--output FOLDER]
               scripts/simulate picks [--policy POLICY]… [--backends N]… [--output FOLDER]
               scripts/simulate list
        """

    var scenarios: [Scenario] = []
    var asksForPicks = false
    var asksForList = false
    var policies: [NamedPolicy] = []
    var backends: [Int] = []
    var requests = 400_000
    var seed: UInt64 = 1
    var output: String?

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--policy": policies.append(try Self.policy(try Self.value(of: word, &rest)))
            case "--backends": backends.append(try Self.number(word, &rest, in: 1...1_000_000))
            case "--requests": requests = try Self.number(word, &rest, in: 1000...1_000_000_000)
            case "--seed": seed = UInt64(try Self.number(word, &rest, in: 0...Int.max))
            case "--output": output = try Self.value(of: word, &rest)
            case "picks": asksForPicks = true
            case "list": asksForList = true
            default: scenarios.append(try Self.scenario(word))
            }
        }
        if scenarios.isEmpty, !asksForPicks { scenarios = Scenario.all }
    }

    private static func scenario(_ name: String) throws -> Scenario {
        guard let scenario = Scenario.all.first(where: { $0.name == name }) else {
            let names = Scenario.all.map(\.name).joined(separator: ", ")
            throw UsageError(message: "no scenario is called '\(name)'; there are \(names)\n\(usage)")
        }
        return scenario
    }

    private static func policy(_ name: String) throws -> NamedPolicy {
        guard let policy = NamedPolicy.all.first(where: { $0.name == name }) else {
            let names = NamedPolicy.all.map(\.name).joined(separator: ", ")
            throw UsageError(message: "no policy is called '\(name)'; there are \(names)")
        }
        return policy
    }

    private static func value(of option: String, _ rest: inout ArraySlice<String>) throws -> String {
        guard let value = rest.popFirst() else { throw UsageError(message: "\(option) needs a value\n\(usage)") }
        return value
    }

    private static func number(
        _ option: String,
        _ rest: inout ArraySlice<String>,
        in range: ClosedRange<Int>
    ) throws -> Int {
        let value = try value(of: option, &rest)
        guard let number = Int(value), range.contains(number) else {
            throw UsageError(
                message: "\(option) needs a number from \(range.lowerBound) to \(range.upperBound), not '\(value)'"
            )
        }
        return number
    }
}

@main
enum Simulate {
    static func main() {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            if arguments.contains("--help") || arguments.contains("-h") { return print(Options.usage) }
            try run(try Options(arguments), arguments)
        } catch let error as UsageError {
            fail(error.message, status: 2)
        } catch {
            fail("\(error)", status: 1)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        FileHandle.standardError.write(Data("simulate: \(message)\n".utf8))
        exit(status)
    }

    private static func run(_ options: Options, _ arguments: [String]) throws {
        if options.asksForList {
            for scenario in Scenario.all { print("\(scenario.name): \(scenario.text)\n") }
            return
        }
        let command = (["scripts/simulate"] + arguments).joined(separator: " ")
        if options.asksForPicks { try measurePicks(options, command) }
        if !options.scenarios.isEmpty { try simulate(options, command) }
    }

    private static func measurePicks(_ options: Options, _ command: String) throws {
        let sizes = options.backends.isEmpty ? [3, 100, 1000, 10_000] : options.backends
        let tables = try Picks.tables(options.policies.isEmpty ? .all : options.policies, sizes: sizes)
        for (title, table) in tables { print("\(title), ns\n\n\(table.text)\n") }
        guard let output = options.output else { return }
        let parts = tables.map {
            "**\($0.title.prefix(1).uppercased() + $0.title.dropFirst())**\n\n\($0.table.markdown)"
        }
        try Document(folder: output).replace("picks", with: parts.joined(separator: "\n\n"), command: command)
    }

    private static func simulate(_ options: Options, _ command: String) throws {
        var parts: [String] = []
        var records: [Record] = []
        for scenario in options.scenarios {
            print("\(scenario.name): \(scenario.text)\n")
            let size = Size(
                backends: options.backends.first ?? scenario.backends,
                requests: options.requests,
                seed: options.seed
            )
            let table: Table
            switch scenario.content {
            case .table(let make): table = try make(size)
            case .runs(let make):
                let policies = options.policies.isEmpty ? scenario.policies : options.policies
                let own = try play(make(size), policies, scenario.name, seed: options.seed)
                records += own
                table = Report.table(own)
            }
            print("\(table.text)\n")
            parts.append("### \(scenario.name)\n\n\(wrapped(scenario.text))\n\n\(table.markdown)")
        }
        guard let output = options.output else { return }
        let document = Document(folder: output)
        let runs = "seed \(options.seed), \(options.requests) requests in each run"
        try document.replace("results", with: ([runs + "."] + parts).joined(separator: "\n\n"), command: command)
        try document.write(picture: Picture.svg(records))
    }

    private static func play(
        _ cases: [Case],
        _ policies: [NamedPolicy],
        _ scenario: String,
        seed: UInt64
    ) throws -> [Record] {
        var records: [Record] = []
        for single in cases {
            for policy in policies {
                let results = try Run(single.plan, policy: policy.policy, seed: seed).play()
                precondition(results.total.all == single.plan.requests, "each request ends once")
                records.append(
                    Record(scenario: scenario, caseName: single.name, policy: policy.name, results: results)
                )
            }
        }
        return records
    }

    /// Lines of at most 120 characters.
    private static func wrapped(_ text: String) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.count + 1 + word.count <= 120 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.joined(separator: "\n")
    }
}
