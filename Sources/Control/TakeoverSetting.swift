// LB_TAKEOVER_SOCKET: where a process that is to take over finds the one that runs.

import Front

/// Where a running process can be asked for its listening sockets.
public enum TakeoverPlace: Sendable, Equatable {
    /// At names made of its user and of the addresses that it listens on.
    case automatic
    /// Nowhere.
    case off
    /// At a Unix-domain socket.
    case path(String)
}

extension SettingsTable {
    static let takeoverSocket = Setting(
        "LB_TAKEOVER_SOCKET",
        \.takeoverPlace,
        default: .automatic,
        .takeoverPlace,
        "Where curl-lb --takeover finds the process that runs: auto for names made of its user and LB_LISTEN, or a path."
    )
}

extension SettingKind where Value == TakeoverPlace {
    /// `auto`, `off`, or the path of a socket.
    static let takeoverPlace: SettingKind = {
        let expectation = "auto, off or the path of a socket, such as /run/curl-lb/takeover.sock"
        return SettingKind(
            form: "auto, off or a path",
            expectation: expectation,
            parse: { text throws(ValueError) in
                switch text {
                case "auto": return .automatic
                case "off": return .off
                default: break
                }
                guard text.hasPrefix("/") else {
                    throw ValueError(text, "expected \(expectation)" + suggestion(for: text, among: ["auto", "off"]))
                }
                if let problem = socketPathProblem(text, example: "/run/curl-lb/takeover.sock") {
                    throw ValueError(text, problem.phrase)
                }
                return .path(text)
            },
            print: { place in
                switch place {
                case .automatic: "auto"
                case .off: "off"
                case .path(let path): path
                }
            }
        )
    }()
}
