// What a process that is running already is to get along with.

import Testing

extension ChildProcess {
    /// Lets it open that many more descriptors than it has.
    func leaveDescriptors(_ count: Int) throws {
        let used = Set(descriptorNumbers)
        // The kernel gives the lowest number that is free, and none at the limit or beyond.
        var limit = 0
        var free = 0
        while free < count || used.contains(limit) {
            if !used.contains(limit) { free += 1 }
            limit += 1
        }
        // util-linux, on every Debian.
        let command = try ChildProcess("/usr/bin/prlimit", ["--pid=\(pid)", "--nofile=\(limit):\(limit)"])
        try #require(try command.waitForExit() == .code(0))
    }
}
