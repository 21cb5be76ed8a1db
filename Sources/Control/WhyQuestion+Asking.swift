// The question put to a running balancer, over a plain blocking socket.

import Front
import Glibc

/// Why there is no explanation.
public struct WhyFailure: Error, Equatable, CustomStringConvertible {
    public let description: String
}

extension WhyQuestion {
    /// How long the balancer may take for anything, in seconds.
    private static let patience = 60
    /// More than any head.
    private static let maximumHead = 1 << 21

    /// Asks, and tells the answer as text for people.
    public func ask() throws(WhyFailure) -> String {
        let head = try head()
        let lines = head.split(separator: "\r\n").map(String.init)
        let status = lines.first?.split(separator: " ").dropFirst().first.map(String.init) ?? "no status"
        let name = "x-lb-explain:"
        // One for each balancer on the way that was willing; the last line is the nearest one's.
        let explanations = lines.filter { $0.lowercased().hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
        guard let explanation = explanations.last else {
            throw WhyFailure(
                description:
                    "the answer of \(address) (\(status)) explains nothing: a balancer explains to addresses in its"
                    + " LB_TRUSTED alone"
            )
        }
        return "HEAD \(target) at \(address): \(status)\n\(ExplanationTable(explanation).text)"
    }

    private var request: String {
        let lines = fields.map { "\($0)\r\n" }.joined()
        return "HEAD \(target) HTTP/1.1\r\nHost: \(host)\r\nX-LB-Explain: 1\r\nConnection: close\r\n\(lines)\r\n"
    }

    /// The head of the answer.
    private func head() throws(WhyFailure) -> String {
        let descriptor = try connected()
        defer { close(descriptor) }
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { throw failure("cannot send to \(address)") }
            rest = rest.dropFirst(count)
        }
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while received.count < Self.maximumHead {
            let count = recv(descriptor, &piece, piece.count, 0)
            if count < 0 { throw failure("no answer from \(address)") }
            received += piece[..<count]
            if let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
                return String(decoding: received[..<end.lowerBound], as: UTF8.self)
            }
            if count == 0 { break }
        }
        throw WhyFailure(description: "\(address) has sent no head of HTTP")
    }

    private func connected() throws(WhyFailure) -> CInt {
        switch address {
        case .tcp(let host, let port):
            var hints = addrinfo()
            hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            let code = getaddrinfo(host, String(port), &hints, &found)
            guard code == 0, let found else {
                throw WhyFailure(description: "cannot look up \(host): \(String(cString: gai_strerror(code)))")
            }
            defer { freeaddrinfo(found) }
            // A balancer on 127.0.0.1 is reached by `localhost`, though ::1 comes first.
            var next = found
            while true {
                let this = next.pointee
                do throws(WhyFailure) {
                    return try connected(this.ai_family, this.ai_addr, this.ai_addrlen)
                } catch {
                    guard let other = this.ai_next else { throw error }
                    next = other
                }
            }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            let result = withUnsafePointer(to: &address) { pointer -> Result<CInt, WhyFailure> in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    Result { () throws(WhyFailure) in try connected(AF_UNIX, address, size) }
                }
            }
            return try result.get()
        }
    }

    private func connected(
        _ family: CInt,
        _ address: UnsafePointer<sockaddr>?,
        _ size: socklen_t
    ) throws(WhyFailure) -> CInt {
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw failure("no socket") }
        var limit = timeval(tv_sec: Self.patience, tv_usec: 0)
        let size1 = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size1)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size1)
        guard connect(descriptor, address, size) == 0 else {
            let problem = failure("cannot connect to \(self.address)")
            close(descriptor)
            throw problem
        }
        return descriptor
    }

    private func failure(_ what: String) -> WhyFailure {
        WhyFailure(description: "\(what): \(String(cString: strerror(errno)))")
    }
}
