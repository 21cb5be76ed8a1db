// What the target and the fields of a complete request head mean, and whether they agree.

extension RequestHead {
    /// Reads the target, once the method and the version are known.
    mutating func readTarget(_ bytes: Span<UInt8>) -> RequestRefusal? {
        pathRange = targetRange
        if method == .connect {
            targetForm = .authority
            return .connectRefused
        }
        let first = bytes[targetRange.lowerBound]
        if first == Byte.slash { return nil }
        if first == 0x2A, targetRange.count == 1 {
            targetForm = .asterisk
            return method == .options ? nil : .asteriskWithoutOptions
        }
        return readAbsoluteTarget(bytes)
    }

    private mutating func readAbsoluteTarget(_ bytes: Span<UInt8>) -> RequestRefusal? {
        var position = targetRange.lowerBound
        let end = targetRange.upperBound
        while position < end, bytes[position].isSchemeByte { position &+= 1 }
        let scheme = targetRange.lowerBound..<position
        guard !scheme.isEmpty, bytes[scheme.lowerBound].isLetter, position + 2 < end, bytes[position] == Byte.colon,
            bytes[position + 1] == Byte.slash, bytes[position + 2] == Byte.slash
        else { return .malformedTarget }
        targetForm = .absolute
        guard bytes.equalsIgnoringCase(scheme, "http") || bytes.equalsIgnoringCase(scheme, "https") else {
            return .unsupportedScheme
        }
        position += 3
        let start = position
        while position < end, bytes[position] != Byte.slash, bytes[position] != Byte.questionMark {
            if bytes[position] == 0x40 { return .userinfoInTarget }
            position &+= 1
        }
        guard Authority.isValid(start..<position, bytes) else { return .malformedAuthority }
        authorityRange = start..<position
        pathRange = position..<end
        if position == end {
            pathPrefix = method == .options ? .asterisk : .slash
        } else if bytes[position] == Byte.questionMark {
            pathPrefix = .slash
        }
        return nil
    }

    /// Reads the fields, once all are there.
    mutating func readFields(_ bytes: Span<UInt8>) -> RequestRefusal? {
        if let refusal = readHost(bytes) { return refusal }
        guard fields.readConnectionOptions(bytes) else { return .tooManyConnectionOptions }
        switch fields.declaredFraming(bytes, minorVersion: minorVersion, toleratesRepeatedLength: false) {
        case .nothing: break
        case .length(let length): framing = .length(length)
        case .chunked: framing = .chunked
        case .refused(let refusal): return RequestRefusal(refusal)
        }
        let options = fields.connectionOptions
        isPersistent = !options.contains(.close) && (minorVersion > 0 || options.contains(.keepAlive))
        if minorVersion > 0 {
            // An h2c or TLS tunnel would carry requests past everything that looks at them: that wish is not heard.
            wantsUpgrade =
                options.contains(.upgrade) && fields.contains(.upgrade) && !hasProtocol("h2c", bytes)
                && !hasProtocol("tls", bytes)
            expectsContinue = hasMember("100-continue", of: .expect, bytes)
        }
        acceptsTrailers = hasMember("trailers", of: .te, bytes)
        if let value = fields.value(.maxForwards) {
            maxForwards =
                switch bytes.decimal(value) {
                case .value(let number): number
                case .tooLarge: .max
                case .malformed: nil
                }
        }
        return nil
    }

    /// Checks `Host` (RFC 9112 section 3.2): one and only one, also beside an absolute target; HTTP/1.0 may have none.
    ///
    /// An empty value is legal and is kept: it says that the client knows no name for us.
    private mutating func readHost(_ bytes: Span<UInt8>) -> RequestRefusal? {
        if fields.isRepeated(.host) { return .repeatedHost }
        guard let value = fields.value(.host) else { return minorVersion > 0 ? .missingHost : nil }
        hostValueRange = value
        return value.isEmpty || Authority.isValid(value, bytes) ? nil : .malformedHost
    }

    /// Whether a protocol is asked for, in whatever version (RFC 9110 section 7.8).
    private func hasProtocol(_ name: StaticString, _ bytes: Span<UInt8>) -> Bool {
        for index in 0..<fields.count where fields[index].name == .upgrade {
            let value = fields[index].valueRange
            var position = value.lowerBound
            while let member = bytes.nextListMember(from: &position, upTo: value.upperBound) {
                var end = member.lowerBound
                while end < member.upperBound, bytes[end] != Byte.slash { end &+= 1 }
                if bytes.equalsIgnoringCase(bytes.trimmed(member.lowerBound..<end), name) { return true }
            }
        }
        return false
    }

    private func hasMember(_ member: StaticString, of name: FieldName, _ bytes: Span<UInt8>) -> Bool {
        guard fields.contains(name) else { return false }
        for index in 0..<fields.count where fields[index].name == name {
            let value = fields[index].valueRange
            var position = value.lowerBound
            while let range = bytes.nextListMember(from: &position, upTo: value.upperBound) {
                if bytes.equalsIgnoringCase(range, member) { return true }
            }
        }
        return false
    }
}

extension UInt8 {
    /// Whether the byte may stand in a scheme (RFC 3986 section 3.1).
    fileprivate var isSchemeByte: Bool {
        isIn(low: 0x03FF_6800_0000_0000, high: 0x07FF_FFFE_07FF_FFFE)
    }
}
