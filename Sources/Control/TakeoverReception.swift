// The thread that receives processes which want to take over: who asks, who has got the sockets, and who is waited for.

internal import Foundation
internal import Front
internal import Glibc
internal import Logging

/// Passes the listening sockets on, to one process at a time: a later one takes the place of one that is not ready yet.
///
/// It waits for all at once, so that none is in the way of another, or of the end. Confined to its thread.
final class TakeoverReception {
    /// No message has room for more.
    private static let mostSockets = 250
    /// How long somebody who has connected may take to say what it wants.
    private static let haste = Duration.seconds(10)
    /// So many may be there at a time.
    private static let mostGuests = 8
    /// How long nobody is let in when the process or the system has no descriptor left.
    private static let exhaustionPause = Duration.seconds(1)
    /// How often it is said that others were turned away.
    private static let reportInterval = Duration.seconds(60)

    private typealias Instant = ContinuousClock.Instant

    /// Somebody who has connected.
    private struct Guest {
        let connection: LocalConnection
        var deadline: Instant
        /// What it was given; nil before it has asked.
        var heritage: [InheritedSocket]?
        /// Called when it is waited for no longer.
        var dismiss: (@Sendable () -> Void)?
    }

    private let giver: TakeoverGiver
    private let listeners: ListenerGroup
    private let names: TakeoverDoors
    private let patience: Duration
    private let diagnostics: Logger
    private let parts: TakeoverGiver.Parts
    private var guests: [Guest] = []
    /// The process that has taken over.
    private var successor: LocalConnection?
    /// Whether the names are given back.
    private var isClosed = false
    private var pausedUntil: Instant?
    private var nextReport: Instant?

    init(
        _ giver: TakeoverGiver,
        _ listeners: ListenerGroup,
        at place: TakeoverPlace,
        patience: Duration,
        _ diagnostics: Logger,
        _ parts: TakeoverGiver.Parts
    ) {
        self.giver = giver
        self.listeners = listeners
        self.patience = patience
        self.diagnostics = diagnostics
        self.parts = parts
        names = TakeoverDoors(place.names(for: listeners.addresses), diagnostics)
        names.open()
    }

    /// Until nobody can come any more.
    func run() {
        while true {
            let (invitations, isClosing) = giver.takeNews()
            for invitation in invitations { receive(invitation) }
            if isClosing, !isClosed { close() }
            if isClosed, guests.isEmpty { return }
            wait()
        }
    }

    // MARK: Waiting

    private func wait() {
        let now = ContinuousClock.now
        if let until = pausedUntil, until <= now { pausedUntil = nil }
        // Who comes while this process leaves finds the next one at the same name.
        let doors = successor == nil && !isClosed && pausedUntil == nil ? names.listeners : []
        let descriptors = [giver.bellDescriptor] + guests.map(\.connection.descriptor) + doors.map(\.descriptor)
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let times =
            guests.filter(isBounded).map(\.deadline) + [pausedUntil, isClosed ? nil : names.nextTry].compactMap(\.self)
        let limit = Self.milliseconds(until: times.min(), from: now)
        guard poll(&waiting, nfds_t(waiting.count), limit) >= 0 else { return }
        let ready = Set(waiting.filter { $0.revents != 0 }.map(\.fd))
        // Who has got the sockets comes first: it may be ready.
        for descriptor in guests.sorted(by: { $0.heritage != nil && $1.heritage == nil }).map(\.connection.descriptor)
        where ready.contains(descriptor) {
            hear(descriptor)
        }
        for guest in guests where isBounded(guest) && guest.deadline <= ContinuousClock.now {
            dismiss(guest, because: "it has taken too long")
        }
        for door in doors where ready.contains(door.descriptor) && successor == nil { open(door) }
        if !isClosed { names.open() }
    }

    /// Whether a guest is waited for for so long only: not when it is the only one that can serve.
    private func isBounded(_ guest: Guest) -> Bool { !isClosed || guest.heritage == nil }

    private static func milliseconds(until time: Instant?, from now: Instant) -> CInt {
        guard let time else { return -1 }
        return CInt(clamping: Int(max(.zero, now.duration(to: time)) / .milliseconds(1)) + 1)
    }

    // MARK: Who comes

    private func open(_ door: LocalListener) {
        guard let connection = door.accept() else {
            // Without descriptors it would be looked at again and again; of those that come and go at once there is nothing to say.
            if errno != EAGAIN, errno != ECONNABORTED, errno != EINTR { pausedUntil = .now + Self.exhaustionPause }
            return
        }
        guard connection.isOurs else {
            report("a process of another user wanted to take over, and was refused")
            return
        }
        if guests.count >= Self.mostGuests, let silent = guests.firstIndex(where: { $0.heritage == nil }) {
            guests.remove(at: silent)
        }
        connection.setPatience(1)
        guests.append(Guest(connection: connection, deadline: .now + Self.haste))
    }

    private func receive(_ invitation: TakeoverGiver.Invitation) {
        guard successor == nil, !isClosed else { return invitation.dismiss() }
        invitation.connection.setPatience(1)
        guests.append(
            Guest(connection: invitation.connection, deadline: .now + patience, dismiss: invitation.dismiss)
        )
    }

    private func report(_ text: String) {
        let now = ContinuousClock.now
        if let nextReport, now < nextReport { return }
        nextReport = now + Self.reportInterval
        diagnostics.warning("\(text)")
    }

    // MARK: What they say

    private func hear(_ descriptor: CInt) {
        guard let index = guests.firstIndex(where: { $0.connection.descriptor == descriptor }) else { return }
        var guest = guests[index]
        guard case .success(let received) = guest.connection.receive() else {
            guests.remove(at: index)
            if guest.heritage != nil { missed("is gone before it was ready") }
            return
        }
        switch (TakeoverMessage(received.text), guest.heritage) {
        case (.hello, nil):
            guests.remove(at: index)
            if let former = guests.first(where: { $0.heritage != nil }) {
                dismiss(former, because: "another process asks in its place")
            }
            guard pass(to: &guest) else { return }
            guests.append(guest)
        case (.ready(let places), let heritage?) where places.allSatisfy(heritage.indices.contains):
            guests.remove(at: index)
            leave(to: guest.connection, with: Set(places.map { heritage[$0].descriptor }))
        default:
            guests.remove(at: index)
            _ = guest.connection.send(TakeoverMessage.refused("the running process speaks another language").text)
            if guest.heritage != nil { missed("does not speak our language") }
        }
    }

    /// Gives somebody the sockets.
    private func pass(to guest: inout Guest) -> Bool {
        let connection = guest.connection
        let heritage = listeners.heritage
        guard heritage.count <= Self.mostSockets else {
            let reason = "more than \(Self.mostSockets) addresses cannot be passed on"
            _ = connection.send(TakeoverMessage.refused(reason).text)
            return false
        }
        let sockets = heritage.map {
            TakeoverMessage.PassedSocket(wanted: $0.wanted, address: $0.address, isOwned: $0.isOwned)
        }
        let offer = TakeoverMessage.sockets(pid: Int(getpid()), sockets).text
        // Once they are closed their numbers may be other files'. Who asks then finds nobody, and begins by itself.
        guard listeners.pass({ connection.send(offer, descriptors: heritage.map(\.descriptor)) }) else {
            listeners.takeBack()
            return false
        }
        guest.heritage = heritage
        guest.deadline = .now + patience
        diagnostics.notice("another process wants to take over; serving on until it is ready")
        return true
    }

    /// Lets somebody go who is waited for no longer.
    private func dismiss(_ guest: Guest, because reason: String) {
        guests.removeAll { $0.connection === guest.connection }
        // It must not go on as if it were the one that serves.
        _ = guest.connection.send(TakeoverMessage.refused(reason).text)
        if let end = guest.dismiss {
            // With the sockets it may have begun to serve: it finishes what it has, unless it does not hear.
            let pause: DispatchTimeInterval = guest.heritage == nil ? .seconds(0) : .seconds(5)
            DispatchQueue.global().asyncAfter(deadline: .now() + pause, execute: end)
        }
        if guest.heritage != nil || guest.dismiss != nil { missed("was not ready in time: \(reason)") }
    }

    private func missed(_ what: String) {
        listeners.takeBack()
        let rest = isClosed ? "this one has ended accepting" : "serving on"
        diagnostics.warning("the process that wanted to take over \(what); \(rest)")
        if !isClosed { parts.stay() }
    }

    // MARK: Going

    private func leave(to connection: LocalConnection, with descriptors: Set<CInt>) {
        listeners.leave(descriptors)
        successor = connection
        guests = []
        parts.leave()
        // Else when no worker accepts any more.
        if isClosed { _ = connection.send(TakeoverMessage.gone.text) }
    }

    private func close() {
        isClosed = true
        // Before the other one is told, which wants the names. Who waits at them finds that out, and looks again.
        names.close()
        _ = successor?.send(TakeoverMessage.gone.text)
        guests.removeAll { $0.heritage == nil }
        giver.hasClosed()
    }
}
