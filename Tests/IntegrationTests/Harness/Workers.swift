// Which worker serves a connection.

import Foundation

extension CurlLB {
    /// Tells workers apart: the number of the epoll descriptor that the connection stands in, once a worker has taken it.
    func worker(of connection: Connection) throws -> Int {
        let folder = "/proc/\(process.pid)"
        var found: Int?
        try eventually("a worker to take the connection") {
            guard let socket = try socket(of: connection) else { return false }
            let numbers = process.descriptorNumbers
            let links = numbers.map { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/fd/\($0)") }
            guard let index = links.firstIndex(of: "socket:[\(socket)]") else { return false }
            found =
                zip(numbers, links).first { number, link in
                    link == "anon_inode:[eventpoll]"
                        && ProcFile("\(folder)/fdinfo/\(number)").text.split(separator: "\n").contains { line in
                            let words = line.split(whereSeparator: \.isWhitespace)
                            return words.count > 1 && words[0] == "tfd:" && words[1] == "\(numbers[index])"
                        }
                }?.0
            return found != nil
        }
        guard let found else { preconditionFailure("it has been found") }
        return found
    }

    /// The inode of the balancer's end of a connection.
    private func socket(of connection: Connection) throws -> String? {
        func hexadecimal(_ port: UInt16) -> String { String(format: "%04X", Int(port)) }
        return ProcFile("/proc/\(process.pid)/net/tcp").text.split(separator: "\n").lazy
            .map { $0.split(separator: " ", omittingEmptySubsequences: true) }
            .first {
                $0.count > 9 && $0[1].hasSuffix(":\(hexadecimal(port))")
                    && $0[2].hasSuffix(":\(hexadecimal(connection.port))")
            }
            .map { String($0[9]) }
    }
}
