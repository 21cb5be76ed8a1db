// What two processes say to each other when one takes over from the other.

import Front

/// The words of a takeover, in their order: `hello`, `sockets` or `refused`, `ready`, `gone`.
///
/// Texts, so that two versions of the program understand each other, or see that they do not: the first line names the version of the
/// agreement.
enum TakeoverMessage: Equatable {
    /// The one that comes asks for the sockets.
    case hello
    /// The one that runs passes them on, in the order of the descriptors that come along, and says who it is.
    case sockets(pid: Int, [PassedSocket])
    /// It does not.
    case refused(String)
    /// The one that comes accepts from these of the sockets, by their places in the list.
    case ready([Int])
    /// The one that ran accepts no more, and its name is free.
    case gone

    /// A socket as it is told of, beside its descriptor.
    struct PassedSocket: Equatable {
        let wanted: ListenAddress
        let address: ListenAddress
        let isOwned: Bool
    }

    private static let agreement = "curl-lb takeover 1"

    var text: String {
        switch self {
        case .hello: return Self.agreement
        case .sockets(let pid, let sockets):
            let lines = sockets.map { "socket \($0.isOwned ? "own" : "other") \($0.wanted) \($0.address)" }
            return ([Self.agreement, "pid \(pid)"] + lines).joined(separator: "\n")
        case .refused(let reason): return "\(Self.agreement)\nrefused \(reason)"
        case .ready(let places): return (["ready"] + places.map(String.init)).joined(separator: " ")
        case .gone: return "gone"
        }
    }

    init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let words = lines[0].split(separator: " ").map(String.init)
        switch words.first {
        case "ready":
            let places = words.dropFirst().compactMap { wholeNumber($0) }
            guard places.count == words.count - 1 else { return nil }
            self = .ready(places)
        case "gone": self = .gone
        default:
            guard lines[0] == Self.agreement else { return nil }
            guard lines.count > 1 else {
                self = .hello
                return
            }
            guard let answer = Self.answer(lines.dropFirst()) else { return nil }
            self = answer
        }
    }

    private static func answer(_ lines: ArraySlice<String>) -> TakeoverMessage? {
        let first = lines.first ?? ""
        if first.hasPrefix("refused ") { return .refused(String(first.dropFirst("refused ".count))) }
        guard first.hasPrefix("pid "), let pid = wholeNumber(first.dropFirst(4)) else { return nil }
        var sockets: [PassedSocket] = []
        for line in lines.dropFirst() {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, words[0] == "socket", words[1] == "own" || words[1] == "other",
                case .success(let wanted) = parseListenAddress(words[2]),
                case .success(let address) = parseListenAddress(words[3])
            else { return nil }
            sockets.append(PassedSocket(wanted: wanted, address: address, isOwned: words[1] == "own"))
        }
        return .sockets(pid: pid, sockets)
    }
}
