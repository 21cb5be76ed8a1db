// Every input that the fuzzers have kept, held once more against the same properties.

import Foundation
import Testing
import WireProperties

/// One kept input: a unit of a corpus, or what broke a property once.
struct KeptInput: Sendable, CustomTestStringConvertible {
    let file: URL

    var testDescription: String { file.pathComponents.suffix(3).joined(separator: "/") }

    var bytes: [UInt8] { get throws { try Array(Data(contentsOf: file)) } }
}

/// A fuzzer's target, and the property it checks.
enum FuzzTarget: String, CaseIterable, Sendable {
    case request
    case response
    case body
    case fields
    case reader

    func check(_ input: [UInt8]) throws(Violation) {
        switch self {
        case .request: try RequestProperties.check(input)
        case .response: try ResponseProperties.check(input)
        case .body: try BodyProperties.check(input)
        case .fields: try FieldProperties.check(input)
        case .reader: try ReaderProperties.check(input)
        }
    }

    /// What is kept for the target in `Fuzzing/Corpus` or `Fuzzing/Regressions`; a folder need not exist.
    func inputs(_ folder: String) -> [KeptInput] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fuzzing").standardized
        let directory = root.appending(path: folder).appending(path: rawValue)
        let files = try? FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        return (files ?? []).sorted { $0.path < $1.path }.map { KeptInput(file: $0) }
    }
}

@Suite("Replay of fuzzed inputs")
struct WireReplayTests {
    @Test(arguments: FuzzTarget.allCases)
    func `every unit of the corpus keeps the properties`(target: FuzzTarget) throws {
        let inputs = target.inputs("Corpus")
        #expect(inputs.count >= 50, "the corpus is found")
        try replay(inputs, of: target)
    }

    @Test(arguments: FuzzTarget.allCases)
    func `every input that broke a property once keeps them now`(target: FuzzTarget) throws {
        try replay(target.inputs("Regressions"), of: target)
    }

    @Test(arguments: FuzzTarget.allCases)
    func `inputs cut short and with one byte changed keep the properties`(target: FuzzTarget) throws {
        for input in target.inputs("Corpus") {
            let bytes = try input.bytes
            guard !bytes.isEmpty else { continue }
            let place = Int(truncatingIfNeeded: bytes.fingerprint % UInt64(bytes.count))
            var changed = bytes
            changed[place] ^= 0x20
            for variant in [changed, Array(bytes[..<place])] { replay(variant, of: target, as: input) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `inputs without one byte of a line's end keep the properties`(target: FuzzTarget) throws {
        for input in target.inputs("Corpus") {
            let bytes = try input.bytes
            for place in bytes.indices where bytes[place] == 0x0D || bytes[place] == 0x0A {
                var shortened = bytes
                shortened.remove(at: place)
                replay(shortened, of: target, as: input)
            }
        }
    }

    private func replay(_ inputs: [KeptInput], of target: FuzzTarget) throws {
        for input in inputs { replay(try input.bytes, of: target, as: input) }
    }

    private func replay(_ bytes: [UInt8], of target: FuzzTarget, as input: KeptInput) {
        do {
            try target.check(bytes)
        } catch {
            Issue.record("\(input.testDescription): does not hold: \(error)")
        }
    }
}
