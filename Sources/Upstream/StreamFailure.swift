// Why a stream failed, as facts: nothing here decides whose fault it was or what comes next.

/// What libcurl or the backend's bytes said when a stream failed.
public struct StreamFailure: Error, Sendable, Equatable {
    /// How far the stream had come.
    public enum Phase: String, Sendable, CaseIterable {
        case resolve
        case connect
        case tls
        case send
        case responseHead = "response head"
        case responseBody = "response body"
    }

    /// What happened.
    public enum Cause: Sendable, Equatable {
        /// libcurl reported this CURLcode.
        case curl(Int32)
        /// The backend ended the connection in an orderly way, too early.
        case closed
        /// The backend's bytes break HTTP; the word names the rule.
        case malformed(String)
    }

    public var phase: Phase
    public var cause: Cause
    /// A sentence: libcurl's own where it has one.
    public var text: String
    /// The errno behind it, or 0.
    public var systemError: Int32
    /// Whether any byte of the request was handed to the kernel.
    public var wasRequestSent: Bool
    /// Whether any byte of a response had come.
    public var wasResponseBegun: Bool
    /// Whether the connection had served an exchange before.
    public var wasReused: Bool

    /// libcurl's number for the failure; nil where libcurl reported none.
    public var curlCode: Int32? {
        guard case .curl(let code) = cause, code != 0 else { return nil }
        return code
    }

    public init(
        phase: Phase,
        cause: Cause,
        text: String,
        systemError: Int32 = 0,
        wasRequestSent: Bool,
        wasResponseBegun: Bool,
        wasReused: Bool
    ) {
        self.phase = phase
        self.cause = cause
        self.text = text
        self.systemError = systemError
        self.wasRequestSent = wasRequestSent
        self.wasResponseBegun = wasResponseBegun
        self.wasReused = wasReused
    }
}
