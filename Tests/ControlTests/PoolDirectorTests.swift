// Who is a member, and by which changes the pool comes to it.

import Balancing
import Forwarding
import Logging
import Synchronization
import Testing
import Upstream

@testable import Control

@Suite("Pool director", .timeLimit(.minutes(5)))
struct PoolDirectorTests {
    /// A director, and what it has had changed.
    private final class Scene: Sendable {
        private let calls = Calls()
        let director: PoolDirector

        init(_ backends: String = "") throws {
            director = PoolDirector(
                policy: .roundRobin,
                discovery: Settings().discovery,
                resolve: { _ in .failure(LookupFailure(text: "no resolver")) },
                diagnostics: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                failures: { _ in 0 },
                apply: { [calls] changes throws(PoolRefusal) in try calls.take(changes) }
            )
            try configure(backends)
            _ = changes()
        }

        /// Keeps changes, and refuses what a pool would.
        private final class Calls: Sendable {
            let all = Mutex<[[PoolChange]]>([])

            func take(_ changes: [PoolChange]) throws(PoolRefusal) {
                for case .weight(_, let weight) in changes where !PoolRoster.weights.contains(weight) {
                    throw .outOfRange(weight)
                }
                all.withLock { $0.append(changes) }
            }
        }

        /// What has been changed since this was asked last: one list for each change of the pool.
        func changes() -> [[PoolChange]] {
            calls.all.withLock { calls in
                defer { calls = [] }
                return calls
            }
        }

        func configure(_ text: String, policy: Policy? = nil) throws {
            try director.configure(try BackendEntry.parse(entries: listEntries(text)), policy: policy)
        }

        var names: String { director.members.map(\.name).joined(separator: " ") }
    }

    private static func setting(_ text: String) throws -> [BackendSetting] {
        try BackendSetting.parse(entries: listEntries(text))
    }

    private func configuration(_ text: String) throws -> BackendConfiguration {
        BackendConfiguration(try #require(try Self.setting(text).first))
    }

    // MARK: Differences

    @Test func `the first configuration adds its backends in order, as one change`() throws {
        let scene = try Scene()
        try scene.configure("http://a http://b;weight=3;backup=on;max_conns=5")
        #expect(
            scene.changes() == [
                [
                    .add(try configuration("http://a")),
                    .add(try configuration("http://b;weight=3;backup=on;max_conns=5")),
                ]
            ]
        )
        #expect(scene.names == "a:80 b:80")
        #expect(scene.director.members.map(\.source) == [.configuration, .configuration])
    }

    @Test func `the same configuration again changes nothing`() throws {
        let scene = try Scene("http://a http://b;weight=3")
        let before = scene.director.members
        try scene.configure("http://a http://b;weight=3")
        #expect(scene.changes() == [])
        #expect(scene.director.members == before)
    }

    @Test(
        "one backend as it was, and as it is now",
        arguments: [
            ("http://a", "http://a;weight=5", [.weight(name: "a:80", 5)]),
            ("http://a;max_conns=5", "http://a", [.maximumInFlight(name: "a:80", 0)]),
            ("http://a", "http://a;backup=on", [.backup(name: "a:80", true)]),
            (
                "http://a;weight=2", "http://a;backup=on;max_conns=1",
                [.weight(name: "a:80", 1), .backup(name: "a:80", true), .maximumInFlight(name: "a:80", 1)]
            ),
        ] as [(String, String, [PoolChange])]
    )
    func inPlace(before: String, after: String, changes: [PoolChange]) throws {
        let scene = try Scene("\(before) http://z")
        let incarnations = scene.director.members.map(\.incarnation)
        try scene.configure("\(after) http://z")
        #expect(scene.changes() == [changes])
        #expect(scene.director.members.map(\.incarnation) == incarnations)
    }

    @Test(
        "another origin under the same name",
        arguments: [
            ("http://a;name=x", "http://b;name=x"), ("http://a;name=x", "https://a:80;name=x"),
            ("https://a;name=x", "https://a;name=x;verify=off"), ("https://a;name=x", "https://a;name=x;sni=b"),
        ]
    )
    func anotherOrigin(before: String, after: String) throws {
        let scene = try Scene("\(before) http://z")
        try scene.configure("\(after) http://z")
        #expect(
            scene.changes() == [
                [.remove(name: "x"), .add(try configuration(after)), .order(names: ["x", "z:80"])]
            ]
        )
        #expect(scene.director.members.map(\.incarnation) == [3, 2])
    }

    @Test func `who comes and who goes does so in one change, in the order of the configuration`() throws {
        let scene = try Scene("http://a http://b http://c")
        try scene.configure("http://b http://d http://c")
        #expect(
            scene.changes() == [
                [
                    .remove(name: "a:80"), .add(try configuration("http://d")),
                    .order(names: ["b:80", "d:80", "c:80"]),
                ]
            ]
        )
        try scene.configure("http://b http://d http://c http://e")
        #expect(scene.changes() == [[.add(try configuration("http://e"))]])
        try scene.configure("http://e http://b http://d http://c")
        #expect(scene.changes() == [[.order(names: ["e:80", "b:80", "d:80", "c:80"])]])
        try scene.configure("")
        #expect(scene.changes() == [["e:80", "b:80", "d:80", "c:80"].map { .remove(name: $0) }])
        #expect(scene.director.members.isEmpty)
    }

    @Test func `a policy goes with the backends, when it is another one`() throws {
        let scene = try Scene("http://a")
        try scene.configure("http://a;weight=2", policy: .leastConnections)
        #expect(scene.changes() == [[.weight(name: "a:80", 2), .policy(.leastConnections)]])
        try scene.configure("http://a;weight=2", policy: .leastConnections)
        try scene.configure("http://a;weight=2")
        #expect(scene.changes() == [])
        #expect(scene.director.policy == .leastConnections)
    }

    // MARK: The operator

    @Test func `weight and drain by the operator hold over other configurations until the member is gone`() throws {
        let scene = try Scene("http://a http://b")
        try scene.director.setWeight(of: "a:80", to: 7)
        try scene.director.setState(of: "a:80", to: .drain)
        #expect(scene.changes() == [[.weight(name: "a:80", 7)], [.administrative(name: "a:80", .drain)]])

        try scene.configure("http://a;weight=3;max_conns=2 http://b")
        #expect(scene.changes() == [[.maximumInFlight(name: "a:80", 2)]])
        #expect(scene.director.members[0].overrides == MemberOverrides(weight: 7, state: .drain))
        #expect(scene.director.members[0].weight == 7)

        try scene.configure("http://b")
        try scene.configure("http://b http://a;weight=3")
        #expect(scene.changes() == [[.remove(name: "a:80")], [.add(try configuration("http://a;weight=3"))]])
        #expect(scene.director.members[1].overrides == MemberOverrides())
    }

    @Test func `they hold for another origin under the same name`() throws {
        let scene = try Scene("http://a;name=x")
        try scene.director.setWeight(of: "x", to: 7)
        try scene.director.setState(of: "x", to: .maintenance)
        _ = scene.changes()
        try scene.configure("http://b;name=x")
        #expect(
            scene.changes() == [
                [
                    .remove(name: "x"), .add(try configuration("http://b;name=x;weight=7")),
                    .administrative(name: "x", .maintenance),
                ]
            ]
        )
    }

    @Test func `the operator gives back what he has changed`() throws {
        let scene = try Scene("http://a;weight=3")
        try scene.director.setWeight(of: "a:80", to: 7)
        try scene.director.setState(of: "a:80", to: .drain)
        try scene.director.setWeight(of: "a:80", to: nil)
        try scene.director.setState(of: "a:80", to: .ready)
        #expect(scene.changes().suffix(2) == [[.weight(name: "a:80", 3)], [.administrative(name: "a:80", .ready)]])
        #expect(scene.director.members[0].overrides == MemberOverrides())
    }

    @Test func `a backend that the operator adds stays beside every configuration`() throws {
        let scene = try Scene("http://a")
        try scene.director.add(try Self.setting("http://x")[0])
        #expect(scene.changes() == [[.add(try configuration("http://x"))]])
        try scene.configure("http://b")
        #expect(scene.names == "b:80 x:80")
        #expect(scene.director.members[1].source == .operator)
    }

    @Test func `the configuration takes over what it has as the operator made it`() throws {
        let scene = try Scene("http://a")
        try scene.director.add(try Self.setting("http://x;weight=2")[0])
        let incarnation = scene.director.members[1].incarnation
        try scene.configure("http://a http://x;weight=3")
        #expect(scene.director.members[1].source == .operator)
        #expect(scene.director.members[1].weight == 2)
        try scene.configure("http://a http://x;weight=2")
        #expect(scene.director.members[1].source == .configuration)
        #expect(scene.director.members[1].incarnation == incarnation)
        try scene.configure("http://a")
        #expect(scene.names == "a:80")
    }

    @Test func `a member that the operator removes comes back only when its source has dropped it and has it again`()
        throws
    {
        let scene = try Scene("http://a http://b")
        try scene.director.remove("a:80")
        #expect(scene.changes() == [[.remove(name: "a:80")]])
        try scene.configure("http://a http://b;weight=2")
        #expect(scene.names == "b:80")
        try scene.configure("http://b")
        try scene.configure("http://a http://b")
        #expect(scene.names == "a:80 b:80")
    }

    @Test func `the operator may put another one into the place of a member that he removed`() throws {
        let scene = try Scene("http://a;name=x http://b")
        try scene.director.remove("x")
        try scene.director.add(try Self.setting("http://c;name=x")[0])
        #expect(scene.names == "b:80 x")
        try scene.configure("http://a;name=x http://b")
        #expect(scene.director.members.map(\.source) == [.configuration, .operator])
        try scene.director.remove("x")
        #expect(scene.names == "b:80")
    }

    @Test func `what is refused changes nothing`() throws {
        let scene = try Scene("http://a")
        let before = scene.director.members
        #expect(throws: PoolRefusal.taken(name: "a:80")) { try scene.director.add(try Self.setting("http://a")[0]) }
        #expect(throws: PoolRefusal.unknown(name: "x")) { try scene.director.remove("x") }
        #expect(throws: PoolRefusal.unknown(name: "x")) { try scene.director.setWeight(of: "x", to: 1) }
        #expect(throws: PoolRefusal.unknown(name: "x")) { try scene.director.setState(of: "x", to: .drain) }
        #expect(throws: PoolRefusal.outOfRange(65536)) { try scene.director.setWeight(of: "a:80", to: 65536) }
        #expect(scene.changes() == [])
        #expect(scene.director.members == before)
    }

    // MARK: Observers

    @Test func `observers hear of the members at once and of every change, in order`() async throws {
        let scene = try Scene("http://a")
        let (news, heard) = AsyncStream.makeStream(of: PoolNews.self)
        scene.director.observe { heard.yield($0) }
        try scene.configure("http://a http://b")
        try scene.configure("http://a http://b")
        try scene.director.setWeight(of: "b:80", to: 2)
        var names: [[String]] = []
        var changes: [[PoolChange]] = []
        for await item in news {
            names.append(item.members.map(\.name))
            changes.append(item.changes)
            if names.count == 3 { break }
        }
        #expect(names == [["a:80"], ["a:80", "b:80"], ["a:80", "b:80"]])
        #expect(changes == [[], [.add(try configuration("http://b"))], [.weight(name: "b:80", 2)]])
    }
}
