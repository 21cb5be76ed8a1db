// Tests of writing what the operator has done back into the file of settings.

import Balancing
import Foundation
import Testing

@testable import Control

@Suite struct SettingsFileTests {
    private static let file = """
        # Ours.
        LB_POLICY=first

        LB_BACKENDS="
          http://a;weight=2;name=one,
          http://b;proxy=socks5://user:p%40ss@10.0.0.1:1080
          dns://app:80
        "   
        ; The end
        """

    /// The members that a file's list makes, with sources left out.
    private func members(
        _ text: String = file,
        _ changes: [String: MemberOverrides] = [:],
        without removed: Set<String> = [],
        adding added: [String] = []
    ) throws -> [MemberReport] {
        let value = EnvironmentFile(Array(text.utf8))["LB_BACKENDS"]?.value ?? ""
        let configured = try BackendEntry.parse(entries: listEntries(value)).compactMap { entry -> MemberReport? in
            guard case .backend(let backend) = entry, !removed.contains(backend.name) else { return nil }
            return MemberReport(
                setting: backend,
                source: .configuration,
                overrides: changes[backend.name] ?? MemberOverrides()
            )
        }
        return try configured
            + BackendSetting.parse(entries: added).map {
                MemberReport(setting: $0, source: .operator, overrides: changes[$0.name] ?? MemberOverrides())
            }
    }

    private func written(_ members: [MemberReport], removed: Set<String> = []) throws -> String {
        try written(Self.file, members, removed: removed)
    }

    private func written(
        _ text: String,
        _ members: [MemberReport],
        removed: Set<String> = [],
        inherited: String? = nil
    ) throws -> String {
        let bytes = try SettingsFile.rewritten(
            Array(text.utf8),
            members,
            removed: removed,
            inherited: inherited,
            path: "FILE"
        ).bytes
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `where nothing was done, nothing is written`() throws {
        #expect(try written(members()) == Self.file)
        #expect(try written("LB_BACKENDS=http://a;\n", members("LB_BACKENDS=http://a;\n")) == "LB_BACKENDS=http://a;\n")
    }

    @Test func `weights and states stand at their backends, and all else is as it was, to the byte`() throws {
        let changed = try written(
            members(
                Self.file,
                ["one": MemberOverrides(weight: 7), "b:80": MemberOverrides(weight: 3, state: .drain)]
            )
        )
        #expect(
            changed
                == Self.file.replacing(";weight=2;", with: ";weight=7;")
                .replacing("10.0.0.1:1080", with: "10.0.0.1:1080;weight=3;state=drain")
        )
        // And back.
        let back = try written(
            changed,
            members(changed, ["one": .init(weight: 2), "b:80": .init(weight: 1, state: .ready)])
        )
        #expect(back == Self.file)
    }

    @Test func `who was removed has left the list, who was added stands at its end as the others do`() throws {
        let changed = try written(
            members(
                Self.file,
                ["new": MemberOverrides(weight: 4)],
                without: ["one"],
                adding: ["https://c;name=new;verify=off", "http://d;proxy=http://me:s%3Bc@p:1"]
            ),
            removed: ["one"]
        )
        #expect(
            changed
                == Self.file.replacing("http://a;weight=2;name=one,\n  ", with: "")
                .replacing(
                    "\n  dns://app:80",
                    with:
                        "\n  dns://app:80\n  https://c:443;name=new;weight=4;verify=off\n  http://d:80;proxy=http://me:s%3Bc@p:1"
                )
        )
        #expect(try members(changed).map(\.name) == ["b:80", "new", "d:80"])
    }

    @Test func `an entry that is nobody's yet stays`() throws {
        #expect(try written(members(Self.file, without: ["one", "b:80"])) == Self.file)
    }

    @Test func `when the first has left, a source may be the first`() throws {
        let text = "LB_BACKENDS=http://a,dns://app:80\n"
        #expect(try written(text, [], removed: ["a:80"]) == "LB_BACKENDS=dns://app:80\n")
    }

    @Test func `what a source has found cannot be written, and is named`() throws {
        let backend = try #require(try BackendSetting.parse(entries: ["http://10.0.0.9"]).first)
        let found = MemberReport(
            setting: backend,
            source: .discovery("dns://app:80"),
            overrides: MemberOverrides(weight: 5)
        )
        let result = try SettingsFile.rewritten(
            Array(Self.file.utf8),
            members() + [found],
            removed: [],
            inherited: nil,
            path: "FILE"
        )
        #expect(result.bytes == Array(Self.file.utf8))
        #expect(result.unwritten == [.discovered(name: "10.0.0.9:80")])
    }

    @Test func `a file without a list gets a line that takes the environment's place`() throws {
        let environment = "http://a,http://b"
        let text = "LB_RETRIES=1\n"
        let all = try members("LB_BACKENDS=\(environment)", ["b:80": MemberOverrides(state: .maintenance)])
        #expect(
            try written(text, all, inherited: environment)
                == "LB_RETRIES=1\nLB_BACKENDS=\"http://a,http://b;state=maintenance\"\n"
        )
    }

    @Test func `a file with a mistake is left alone`() throws {
        #expect(throws: SettingsFileError.self) { try written("LB_BACKENDS='http://a", members("")) }
    }

    // MARK: The file

    @Test func `the file is replaced with its permissions, also behind a link, and nothing else is left`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "curl-lb-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "real").path
        let link = folder.appending(path: "link").path
        try Self.file.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        let unwritten = try SettingsFile.write(
            members(Self.file, ["one": MemberOverrides(weight: 7)]),
            removed: [],
            to: link
        )
        #expect(unwritten.isEmpty)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text == Self.file.replacing(";weight=2;", with: ";weight=7;"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link", "real"])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o640)
        #expect(throws: SettingsFileError.self) {
            try SettingsFile.write([], removed: [], to: folder.appending(path: "none").path)
        }
    }

    @Test func `what a process that was killed has left behind is not in the way`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "curl-lb-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "env").path
        try Self.file.write(toFile: path, atomically: true, encoding: .utf8)
        // In a container each process has the number that the one before had.
        try "LB_".write(toFile: "\(path).\(getpid()).new", atomically: true, encoding: .utf8)
        try SettingsFile.write(members(Self.file, ["one": MemberOverrides(weight: 7)]), removed: [], to: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("weight=7"))
    }
}
