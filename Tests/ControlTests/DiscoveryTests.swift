// Following sources of discovery: names, with a resolver that the tests play, files and programs.

import Balancing
import Forwarding
import Foundation
import Testing

@testable import Control

@Suite("Discovery", .timeLimit(.minutes(5))) struct DiscoveryTests {
    // MARK: Names

    @Test func `the members follow a name's addresses, as one change each time`() throws {
        let scene = DiscoveryScene()
        scene.resolver.answer("app", "10.0.0.1", "10.0.0.2")
        try scene.configure("http://z dns://app:81;weight=2 http://y")
        scene.director.waitForFirstAnswers()
        #expect(scene.names == "z:80 app:81/10.0.0.1 app:81/10.0.0.2 y:80")
        #expect(scene.director.members.map(\.weight) == [1, 2, 2, 1])
        #expect(scene.director.members[1].source == .discovery("dns://app:81"))

        let stayed = scene.director.members[2]
        let count = scene.changes.count
        scene.resolver.answer("app", "10.0.0.2", "10.0.0.3")
        try scene.waitFor("z:80 app:81/10.0.0.2 app:81/10.0.0.3 y:80")
        #expect(scene.director.members[1] == stayed)
        #expect(scene.changes.count == count + 1)
        #expect(scene.changes.last?.first == .remove(name: "app:81/10.0.0.1"))
        try scene.waitFor(
            line: "notice: dns://app:81: added app:81/10.0.0.3; removed app:81/10.0.0.1; 4 backends in all"
        )
    }

    @Test func `the last good answer stays when the resolver fails, which is said once, and once that it is over`()
        throws
    {
        let scene = DiscoveryScene()
        scene.resolver.answer("app", "10.0.0.1")
        try scene.configure("dns://app")
        try scene.waitFor("app:80/10.0.0.1")
        scene.resolver.fail("app", "Temporary failure in name resolution")
        try scene.waitFor(line: "warning: dns://app:80: app is not resolved: Temporary failure")
        let lookups = scene.resolver.lookups
        try eventually("more lookups") { scene.resolver.lookups >= lookups + 3 }
        #expect(scene.names == "app:80/10.0.0.1")
        scene.resolver.answer("app", "10.0.0.1")
        try scene.waitFor(line: "notice: dns://app:80: answers again")
        #expect(
            scene.lines.all.filter { $0.hasPrefix("warning") } == [
                "warning: dns://app:80: app is not resolved: Temporary failure in name resolution;"
                    + " its 1 backends stay as they are"
            ]
        )
        #expect(scene.changes.count == 1)
    }

    @Test func `a name that is not resolved yet does not keep the start waiting, and is when it can be`() throws {
        let scene = DiscoveryScene()
        let start = ContinuousClock.now
        try scene.configure("dns://app")
        scene.director.waitForFirstAnswers()
        #expect(ContinuousClock.now - start < PoolDirector.firstAnswers, "an answer ends the wait, a bad one, too")
        #expect(scene.names == "")
        try scene.waitFor(
            line: "warning: dns://app:80: app is not resolved: no such name; it has given no backends yet"
        )
        scene.resolver.answer("app", "10.0.0.1")
        try scene.waitFor("app:80/10.0.0.1")
    }

    @Test func `a resolver that does not answer is asked once, whatever happens meanwhile`() throws {
        let scene = DiscoveryScene()
        scene.resolver.answer("app", "10.0.0.1")
        try scene.configure("dns://app")
        try scene.waitFor("app:80/10.0.0.1")
        scene.resolver.isSilent = true
        let lookups = scene.resolver.lookups
        for _ in 0..<5 {
            scene.fail()
            usleep(100_000)
        }
        #expect(scene.resolver.lookups <= lookups + 1)
        #expect(scene.names == "app:80/10.0.0.1")
        // Others are not held up.
        try scene.configure("dns://app http://b")
        #expect(scene.names == "app:80/10.0.0.1 b:80")
        scene.resolver.answer("app", "10.0.0.2")
        scene.resolver.isSilent = false
        try scene.waitFor("app:80/10.0.0.2 b:80")
        #expect(scene.resolver.mostPending == 1)
    }

    @Test func `the failure of a backend brings a lookup about long before the interval is over`() throws {
        let scene = DiscoveryScene(interval: .seconds(3600))
        scene.resolver.answer("app", "10.0.0.1")
        try scene.configure("dns://app")
        try scene.waitFor("app:80/10.0.0.1")
        scene.resolver.answer("app", "10.0.0.2")
        scene.fail()
        try scene.waitFor("app:80/10.0.0.2")
    }

    @Test func `of two backends with one name the first stays, and a line says so once`() throws {
        let scene = DiscoveryScene()
        scene.resolver.answer("a", "10.0.0.1")
        scene.resolver.answer("b", "10.0.0.1", "10.0.0.2")
        try scene.configure("dns://a;name=x dns://b;name=x")
        try scene.waitFor("x/10.0.0.1 x/10.0.0.2")
        try scene.waitFor(line: "warning: dns://b:80: x/10.0.0.1 is left out, the name is taken (dns://a:80)")
        let lookups = scene.resolver.lookups
        try eventually("more lookups") { scene.resolver.lookups >= lookups + 4 }
        #expect(scene.lines.all.filter { $0.contains("left out") }.count == 1)
    }

    // MARK: Other configurations

    @Test func `a source that stays is not disturbed, and other options hold as soon as it has been asked again`()
        throws
    {
        let scene = DiscoveryScene(interval: .seconds(3600))
        scene.resolver.answer("app", "10.0.0.1")
        try scene.configure("dns://app")
        try scene.waitFor("app:80/10.0.0.1")
        try scene.configure("http://b dns://app")
        #expect(scene.names == "b:80 app:80/10.0.0.1")
        #expect(scene.resolver.lookups == 1)

        scene.resolver.isSilent = true
        try scene.configure("http://b dns://app;weight=7")
        #expect(scene.names == "b:80 app:80/10.0.0.1", "what it has found stays until then")
        scene.resolver.isSilent = false
        try eventually("the weight") { scene.director.members.last?.weight == 7 }
        #expect(scene.changes.allSatisfy { changes in !changes.contains { $0 == .remove(name: "app:80/10.0.0.1") } })

        try scene.configure("http://b")
        #expect(scene.names == "b:80")
    }

    @Test func `who makes room for a source stays until it has answered`() throws {
        let scene = DiscoveryScene()
        try scene.configure("http://a http://b")
        scene.resolver.isSilent = true
        try scene.configure("http://b dns://app")
        #expect(scene.names == "b:80 a:80")
        try scene.director.remove("a:80")
        #expect(scene.names == "b:80", "the operator does not wait")

        try scene.configure("dns://app")
        #expect(scene.names == "b:80")
        scene.resolver.answer("app", "10.0.0.1")
        scene.resolver.isSilent = false
        try scene.waitFor("app:80/10.0.0.1")
    }

    @Test func `a source that has answered badly is not awaited again`() throws {
        let scene = DiscoveryScene()
        try scene.configure("http://a dns://app")
        try scene.waitFor(line: "app is not resolved")
        scene.director.waitForFirstAnswers()
        try scene.configure("http://b dns://app")
        #expect(scene.names == "b:80")
    }

    @Test func `but no longer than for the first answers, good or bad`() throws {
        let scene = DiscoveryScene()
        try scene.configure("http://a")
        try scene.configure("dns://app")
        try scene.waitFor("")

        try scene.configure("http://a")
        scene.resolver.isSilent = true
        defer { scene.resolver.isSilent = false }
        try scene.configure("dns://other")
        #expect(scene.names == "a:80")
        try scene.waitFor("")
    }

    @Test func `what the operator has changed of a found backend holds while it is found`() throws {
        let scene = DiscoveryScene()
        scene.resolver.answer("app", "10.0.0.1", "10.0.0.2")
        try scene.configure("dns://app")
        try scene.waitFor("app:80/10.0.0.1 app:80/10.0.0.2")
        try scene.director.setState(of: "app:80/10.0.0.1", to: .drain)
        try scene.director.remove("app:80/10.0.0.2")
        scene.resolver.answer("app", "10.0.0.1", "10.0.0.2", "10.0.0.3")
        try scene.waitFor("app:80/10.0.0.1 app:80/10.0.0.3")
        #expect(scene.director.members[0].state == .drain)
    }

    // MARK: Files

    /// A scene with a file that lists backends.
    private func withFile(_ text: String?, _ test: (DiscoveryScene, _ path: String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "discovery-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "list").path
        if let text { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        try test(DiscoveryScene(), path)
    }

    @Test func `the members follow a file, replaced or changed in place`() throws {
        try withFile("http://a;weight=2\n") { scene, path in
            try scene.configure("file:\(path);max_conns=9")
            scene.director.waitForFirstAnswers()
            #expect(scene.names == "a:80")
            #expect(scene.director.members[0].setting.maxConnections == 9)
            try "http://a;weight=2\nhttp://b\n".write(toFile: path, atomically: true, encoding: .utf8)
            try scene.waitFor("a:80 b:80")
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seekToEnd()
            try file.write(contentsOf: Data("http://c\n".utf8))
            try scene.waitFor("a:80 b:80 c:80")
            try file.truncate(atOffset: 0)
            try scene.waitFor(line: "expected a backend, or the word none if there is none; its 3 backends stay")
            try file.seek(toOffset: 0)
            try file.write(contentsOf: Data("none # for now\n".utf8))
            try scene.waitFor("")
            #expect(!scene.changes.contains { $0.contains(.remove(name: "a:80")) && $0.count < 3 })
        }
    }

    @Test func `a mistake, and a file that is gone, change nothing and are told`() throws {
        try withFile("http://a\n") { scene, path in
            try scene.configure("file:\(path)")
            try scene.waitFor("a:80")
            try "http://b\nhttp://a;wieght=2\n".write(toFile: path, atomically: true, encoding: .utf8)
            try scene.waitFor(line: #"warning: file:\#(path): line 2: "http://a;wieght=2": expected the option"#)
            try FileManager.default.removeItem(atPath: path)
            try scene.waitFor(line: "the file cannot be read: No such file or directory; its 1 backends stay")
            #expect(scene.names == "a:80")
            try "http://a\n".write(toFile: path, atomically: true, encoding: .utf8)
            try scene.waitFor(line: "notice: file:\(path): answers again")
            #expect(scene.changes.count == 1)
        }
    }

    @Test func `a file that comes later is taken then`() throws {
        try withFile(nil) { scene, path in
            try scene.configure("file:\(path)")
            scene.director.waitForFirstAnswers()
            #expect(scene.names == "")
            try "http://a\n".write(toFile: path, atomically: true, encoding: .utf8)
            try scene.waitFor("a:80")
        }
    }

    @Test func `what is no file of a list's size is not read`() throws {
        try withFile(nil) { _, path in
            #expect(mkfifo(path, 0o600) == 0)
            #expect(ListFile.read(path) == .failure(ListFailure(text: "expected a regular file")))
            try FileManager.default.removeItem(atPath: path)
            try Data(count: ListFile.maximumSize + 1).write(to: URL(fileURLWithPath: path))
            #expect(ListFile.read(path) == .failure(ListFailure(text: "expected at most 1MiB")))
        }
    }

    // MARK: Programs

    /// A scene with a program that lists backends.
    private func withProgram(
        _ script: String,
        timeout: Duration = .seconds(30),
        _ test: (DiscoveryScene, _ path: String) throws -> Void
    ) throws {
        try withFile(nil) { _, path in
            try write(script, to: path)
            try test(DiscoveryScene(programTimeout: timeout), path)
        }
    }

    private func write(_ script: String, to path: String) throws {
        let other = path + ".new"
        try "#!/bin/sh\n\(script)\n".write(toFile: other, atomically: false, encoding: .utf8)
        #expect(chmod(other, 0o755) == 0 && rename(other, path) == 0)
    }

    @Test func `the members follow what a program prints`() throws {
        try withProgram("echo http://a; echo 'http://b # two'; cat") { scene, path in
            try scene.configure("exec:\(path);weight=3")
            scene.director.waitForFirstAnswers()
            #expect(scene.names == "a:80 b:80")
            #expect(scene.director.members.map(\.weight) == [3, 3])
            try write("echo http://b", to: path)
            try scene.waitFor("b:80")
            try write("echo http://c; echo 'the database is gone' >&2; exit 3", to: path)
            try scene.waitFor(
                line: #"the program ended with exit code 3, saying "the database is gone"; its 1 backends stay"#
            )
            try write("kill -9 $$", to: path)
            try scene.waitFor(line: "the program was ended by signal 9; its 1 backends stay")
            #expect(scene.names == "b:80")
        }
    }

    @Test func `a program that does not end is ended, with all that it has started`() throws {
        try withProgram("echo $$ > \"$0.pid\"; sleep 1000 & echo http://a; wait", timeout: .milliseconds(300)) {
            scene,
            path in
            try scene.configure("exec:\(path)")
            try scene.waitFor(line: "the program runs for longer than 300ms; it has given no backends yet")
            #expect(scene.names == "")
            let group = try #require(
                pid_t(try String(contentsOfFile: path + ".pid", encoding: .utf8).trimmingCharacters(in: .newlines))
            )
            try scene.configure("")
            try eventually("the program's group to be gone") { kill(-group, 0) != 0 && errno == ESRCH }
        }
    }

    @Test(
        "what a program may not do",
        arguments: [
            ("yes http://a", "expected at most 1MiB of output"),
            ("echo http://a; exec /no/such/program", "the program ended with exit code 127, saying"),
            ("exec >&- 2>&-; sleep 1000", "the program runs for longer than 1s"),
            ("echo http://a; sleep 1000 & exit 0", "the program runs for longer than 1s"),
        ]
    )
    func limits(script: String, problem: String) throws {
        try withProgram(script) { _, path in
            let result = ListProgram.run(path, timeout: problem.contains("longer") ? .seconds(1) : .seconds(60))
            guard case .failure(let failure) = result else {
                Issue.record("it was taken: \(result)")
                return
            }
            #expect(failure.text.hasPrefix(problem))
        }
    }

    @Test func `a program that cannot be run is told`() throws {
        try withProgram("true") { _, path in
            try "no program".write(toFile: path, atomically: false, encoding: .utf8)
            #expect(
                ListProgram.run(path, timeout: .seconds(9))
                    == .failure(ListFailure(text: "the program cannot be run: Exec format error"))
            )
            try FileManager.default.removeItem(atPath: path)
            #expect(
                ListProgram.run(path, timeout: .seconds(9))
                    == .failure(ListFailure(text: "the program cannot be run: No such file or directory"))
            )
        }
    }

    @Test func `a program has no input, no signals held back, and a process group of its own`() throws {
        try withProgram(
            "grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'; wc -c; ps -o pgid= -p $$ | tr -d ' '; echo $$"
        ) { _, path in
            let output = try ListProgram.run(path, timeout: .seconds(60)).get().split(separator: "\n").map(String.init)
            #expect(output.count == 5)
            #expect(output.first == "SigBlk:0000000000000000")
            #expect(output[2] == "0")
            #expect(output[3] == output[4])
        }
    }

    // MARK: The system's resolver

    @Test func `localhost has an address, and a name that cannot exist has none`() throws {
        let addresses = try NameLookup.addresses(of: "localhost").get()
        #expect(addresses.contains("127.0.0.1") || addresses.contains("::1"))
        #expect(addresses == (try NameLookup.addresses(of: "localhost").get()))
        guard case .failure(let failure) = NameLookup.addresses(of: "name.invalid") else {
            Issue.record("name.invalid was resolved")
            return
        }
        #expect(!failure.text.isEmpty)
    }
}
