// Which field lines are for this connection only (RFC 9110 section 7.6.1).

/// What the `Connection` options of a message ask for, apart from naming fields to remove.
@frozen
public struct ConnectionOptions: OptionSet, Sendable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The connection ends after this message.
    public static let close = ConnectionOptions(rawValue: 1)
    /// The connection is kept, said explicitly.
    public static let keepAlive = ConnectionOptions(rawValue: 2)
    /// The `Upgrade` field is meant for us.
    public static let upgrade = ConnectionOptions(rawValue: 4)
    /// The `TE` field is meant for us.
    public static let te = ConnectionOptions(rawValue: 8)
    /// Other fields are named that go no further than us.
    public static let namesFields = ConnectionOptions(rawValue: 16)
}

extension FieldSection {
    /// How many options the `Connection` fields of one message may have together.
    ///
    /// Each one may have to be compared with each line; real messages have one to three.
    static let maxConnectionOptionCount = 64

    /// The fields no `Connection` option can remove.
    ///
    /// Each of them is meant for whoever answers, so that no sender may name it (RFC 9110 section 7.6.1); and a proxy before us
    /// may pass on the options of its client, who would take away what that proxy says of it. Without `Host` and
    /// `Content-Length` routing and framing would be another's choice; without those after them a client could hide who it is
    /// and which way it came; without the last three it could appear without its credentials, and a response without its time.
    private static var protectedNames: UInt64 {
        FieldName.host.bit | FieldName.contentLength.bit
            | FieldName.xForwardedFor.bit | FieldName.xForwardedProto.bit | FieldName.xForwardedHost.bit
            | FieldName.xForwardedPort.bit | FieldName.xForwardedOther.bit | FieldName.forwarded.bit
            | FieldName.xRealIP.bit | FieldName.via.bit | FieldName.maxForwards.bit | FieldName.earlyData.bit
            | FieldName.xRequestID.bit | FieldName.traceparent.bit
            | FieldName.authorization.bit | FieldName.cookie.bit | FieldName.date.bit
    }

    /// Marks the lines that a `Connection` option names, in addition to those that their name alone marks.
    ///
    /// `Connection`, `Keep-Alive`, `Proxy-Connection`, `TE`, `Transfer-Encoding`, `Upgrade`, `HTTP2-Settings`,
    /// `Proxy-Authenticate`, `Proxy-Authorization` and `Proxy-Authentication-Info` are marked when they are parsed, whether
    /// an option names them or not. `Trailer` stays end-to-end unless named. `Host`, `Content-Length`, and what tells who a
    /// client is and which way it came cannot be removed by an option. Fields that the proxy adds are to be added after this. Costs nothing when the options are at most
    /// `close`, `keep-alive` and the names above.
    ///
    /// - Parameter bytes: The span the section was parsed from.
    public mutating func markHopByHop(_ bytes: Span<UInt8>) {
        guard connectionOptions.contains(.namesFields) else { return }
        for index in 0..<lines.count where lines[index].name == .connection {
            let value = lines[index].valueRange
            var position = value.lowerBound
            while let option = bytes.nextListMember(from: &position, upTo: value.upperBound) {
                mark(option, bytes)
            }
        }
    }

    /// Reads the options of all `Connection` lines; false if there are too many.
    mutating func readConnectionOptions(_ bytes: Span<UInt8>) -> Bool {
        guard contains(.connection) else { return true }
        var optionCount = 0
        for index in 0..<lines.count where lines[index].name == .connection {
            let value = lines[index].valueRange
            var position = value.lowerBound
            while let option = bytes.nextListMember(from: &position, upTo: value.upperBound) {
                optionCount += 1
                guard optionCount <= FieldSection.maxConnectionOptionCount else { return false }
                connectionOptions.insert(FieldSection.meaning(of: option, bytes))
            }
        }
        return true
    }

    private static func meaning(of option: Range<Int>, _ bytes: Span<UInt8>) -> ConnectionOptions {
        let name = FieldName(bytes, option)
        if name == .keepAlive { return .keepAlive }
        if name == .upgrade { return .upgrade }
        if name == .te { return .te }
        if name.isHopByHop || name.bit & protectedNames != 0 { return [] }
        let isClose = option.count == 5 && bytes.lowercasedWord(option) == 0x65_736F_6C63
        return isClose ? .close : .namesFields
    }

    private mutating func mark(_ option: Range<Int>, _ bytes: Span<UInt8>) {
        let name = FieldName(bytes, option)
        guard name.bit & FieldSection.protectedNames == 0 else { return }
        if name == .other {
            for index in 0..<lines.count where lines[index].name == name {
                if bytes.equalsIgnoringCase(lines[index].nameRange, option) { lines[index].isHopByHop = true }
            }
        } else if contains(name) {
            for index in 0..<lines.count where lines[index].name == name { lines[index].isHopByHop = true }
        }
    }
}
