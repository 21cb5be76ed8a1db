// The difference between two lists of members, as changes of the pool.

internal import Balancing
internal import Forwarding

/// By which changes a pool goes over from one list of members to another.
enum PoolDifference {
    /// The fewest changes that there are: a member that stays as it is has none.
    ///
    /// A member of the same incarnation is changed in place. Another one of the same name comes new, and the former one drains.
    static func changes(from present: [MemberReport], to wanted: [MemberReport]) -> [PoolChange] {
        let before = Dictionary(uniqueKeysWithValues: present.map { ($0.name, $0) })
        let after = Dictionary(uniqueKeysWithValues: wanted.map { ($0.name, $0) })
        var changes: [PoolChange] = []
        var order: [String] = []
        for member in present {
            if after[member.name]?.incarnation == member.incarnation {
                order.append(member.name)
            } else {
                changes.append(.remove(name: member.name))
            }
        }
        for member in wanted {
            if let former = before[member.name], former.incarnation == member.incarnation {
                changes += self.changes(from: former, to: member)
            } else {
                changes.append(.add(BackendConfiguration(member.setting, weight: member.weight)))
                if member.state != .ready { changes.append(.administrative(name: member.name, member.state)) }
                order.append(member.name)
            }
        }
        let wantedOrder = wanted.map(\.name)
        if order != wantedOrder { changes.append(.order(names: wantedOrder)) }
        return changes
    }

    /// What changes in place.
    private static func changes(from former: MemberReport, to member: MemberReport) -> [PoolChange] {
        let name = member.name
        let (old, new) = (former.setting, member.setting)
        var changes: [PoolChange] = []
        if former.weight != member.weight { changes.append(.weight(name: name, member.weight)) }
        if old.isBackup != new.isBackup { changes.append(.backup(name: name, new.isBackup)) }
        if old.maxConnections != new.maxConnections {
            changes.append(.maximumInFlight(name: name, new.maxConnections))
        }
        if old.health != new.health { changes.append(.health(name: name, new.health)) }
        if former.state != member.state { changes.append(.administrative(name: name, member.state)) }
        return changes
    }
}
