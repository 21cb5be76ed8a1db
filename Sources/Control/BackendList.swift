// LB_BACKENDS as a text that is changed in place: what the operator has done is written into it, and the rest stays as it is.

internal import Balancing
internal import Upstream

/// What of the operator's changes a list cannot say.
public enum UnwrittenChange: Sendable, Equatable, CustomStringConvertible {
    /// A weight or a state of a backend that a source has found: the list has the source, not the backend.
    case discovered(name: String)

    public var description: String {
        switch self {
        case .discovered(let name): "\(name) is found by a source, and has no entry of its own"
        }
    }
}

/// The value of `LB_BACKENDS`, entry by entry.
struct BackendList {
    /// One entry, and what stands in front of it.
    fileprivate struct Entry {
        var separator: String
        var text: String
    }

    private var entries: [Entry] = []
    /// What stands behind the last one.
    private var end = ""

    init(_ value: String) {
        var separator = ""
        var text = ""
        for character in value {
            if character == "," || character.isWhitespace {
                if !text.isEmpty {
                    entries.append(Entry(separator: separator, text: text))
                    (separator, text) = ("", "")
                }
                separator.append(character)
            } else {
                text.append(character)
            }
        }
        if text.isEmpty { end = separator } else { entries.append(Entry(separator: separator, text: text)) }
    }

    /// The value as it stands now.
    var value: String { entries.map { $0.separator + $0.text }.joined() + end }

    /// Writes into the list what the operator has made of its members; returns what it cannot say.
    ///
    /// A backend that the operator has removed leaves the list, one that he has added stands at its end, and a weight or a state is an option
    /// of its entry. Everything else of an entry stays, to the letter, and so do entries that are nobody's: the list may have been edited
    /// and not been read yet.
    mutating func take(_ members: [MemberReport], removed: Set<String>) -> [UnwrittenChange] {
        let configured = Dictionary(
            members.filter { $0.source == .configuration }.map { ($0.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        // What stands behind the first one is the first when that has left.
        var separator = entries.first?.separator
        entries = entries.compactMap { entry -> Entry? in
            var entry = entry
            if case .success(let backend) = BackendSetting.parse(BackendText(entry.text)) {
                if removed.contains(backend.name) { return nil }
                if let member = configured[backend.name] {
                    if member.weight != backend.weight { entry.set(.weight, to: "\(member.weight)", default: "1") }
                    if member.state != backend.state { entry.set(.state, to: member.state.rawValue, default: "ready") }
                }
            }
            if let first = separator.take() { entry.separator = first }
            return entry
        }
        for member in members where member.source == .operator {
            var backend = member.setting
            backend.weight = member.weight
            backend.state = member.state
            entries.append(Entry(separator: entries.isEmpty ? "" : usualSeparator, text: backend.text(revealing: true)))
        }
        return members.compactMap { member in
            guard case .discovery = member.source, member.overrides != MemberOverrides() else { return nil }
            return .discovered(name: member.name)
        }
    }

    /// What stands between two entries, as far as there are two.
    private var usualSeparator: String { entries.count > 1 ? entries[entries.count - 1].separator : " " }
}

extension BackendList.Entry {
    /// Gives an option a value; one that is at its default is left out.
    fileprivate mutating func set(_ key: BackendOptions.Key, to value: String, default defaultValue: String) {
        var parts = text.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        let place = parts.dropFirst().firstIndex { $0.hasPrefix("\(key.rawValue)=") }
        let option = "\(key.rawValue)=\(value)"
        if let place {
            if value == defaultValue { parts.remove(at: place) } else { parts[place] = option }
        } else if value != defaultValue {
            // An empty part at the end is a semicolon too many, which is allowed.
            if parts.last == "" { parts.removeLast() }
            parts.append(option)
        }
        text = parts.joined(separator: ";")
    }
}
