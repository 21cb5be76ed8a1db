// The admin API without its sockets: a request comes in as a value, a response goes out as one.

internal import Balancing
internal import HTTPWire
internal import Logging
internal import Telemetry

/// Answers requests.
///
/// Confined to the thread of the admin API, since it may take locks and its time.
struct AdminAPI {
    /// The most bytes of a request's body.
    static let longestBody = 64 * 1024

    let access: AdminAccess
    let sources: AdminSources
    let diagnostics: Logger

    /// What is to be done about a request whose head has come.
    enum Admission {
        /// It is answered by that, whatever its body is.
        case answer(AdminResponse)
        /// It is answered once its body has come.
        case wantsBody(AdminRoute)
        /// It gets an event stream.
        case stream
    }

    /// Whether a request is one that not everyone may make.
    func isAdmitted(_ request: AdminRequest) -> Bool {
        let route = AdminRoute(path: request.path)
        return route?.isPublic != true && access.problem(with: request, at: route) == nil
    }

    func admit(_ request: AdminRequest) -> Admission {
        let route = AdminRoute(path: request.path)
        if let problem = access.problem(with: request, at: route) { return .answer(problem.response) }
        guard let route else {
            let isAsterisk = request.path == "*"
            return .answer(
                isAsterisk
                    ? Problem(
                        .methodNotAllowed,
                        "The API is described at /openapi.json.",
                        fields: [("Allow", AdminRoute.allMethods)]
                    ).response
                    : Problem(.notFound, "Nothing is at this path; /openapi.json describes what is where.").response
            )
        }
        guard route.allows(request.method) else {
            return .answer(
                Problem(
                    .methodNotAllowed,
                    "Expected one of the methods \(route.allow).",
                    fields: [("Allow", route.allow)]
                ).response
            )
        }
        switch request.method {
        case .post, .patch:
            guard request.contentType == "application/json" else {
                return .answer(Problem(.unsupportedMediaType, "Expected Content-Type: application/json.").response)
            }
            return .wantsBody(route)
        case .get where route == .events:
            return .stream
        case .get, .head, .put, .delete, .options, .trace, .connect, .query, .other:
            return .answer(answer(request.method, route, []))
        }
    }

    /// Answers a request that was admitted.
    func answer(_ method: Method, _ route: AdminRoute, _ body: [UInt8]) -> AdminResponse {
        do throws(Problem) {
            return switch (route, method) {
            case (.backends, .post): try add(body)
            case (.settings, .post): try writeBackends(body)
            case (.backend(let name), .patch): try adjust(name, body)
            case (.backend(let name), .delete): try remove(name)
            case (_, _): try read(route)
            }
        } catch {
            return error.response
        }
    }

    /// What is there to read.
    private func read(_ route: AdminRoute) throws(Problem) -> AdminResponse {
        switch route {
        case .page:
            var response = AdminResponse.text(DashboardPage.html, contentType: "text/html; charset=utf-8")
            response.fields = [("Content-Security-Policy", DashboardPage.contentSecurityPolicy)]
            return response
        case .liveness: return .text("ok\n")
        case .readiness: return try readiness()
        case .metrics:
            return .text(PrometheusText.render(sources.snapshot()), contentType: PrometheusText.contentType)
        case .stats: return .json(sources.snapshot())
        // The head of a stream, for HEAD.
        case .events: return .events
        case .backends: return .json(BackendList(backends: sources.backends()))
        case .backend(let name): return .json(try backend(name))
        case .settings: return .json(SettingList(settings: sources.settings))
        case .description: return .text(OpenAPIDocument.json, contentType: "application/json")
        }
    }

    private func readiness() throws(Problem) -> AdminResponse {
        switch sources.phase {
        case .starting: throw Problem(.starting, "Clients are not served yet.")
        case .draining: throw Problem(.draining, "No more connections are accepted.")
        case .serving: break
        }
        guard sources.isAnyUsable else { throw Problem(.noBackend, "No backend is usable.") }
        return .text("ok\n")
    }

    private struct BackendList: Encodable {
        let backends: [BackendStats]
    }

    private struct SettingList: Encodable {
        let settings: [SettingReport]
    }

    private func backend(_ name: String) throws(Problem) -> BackendStats {
        guard let backend = sources.backend(name) else { throw unknown(name) }
        return backend
    }

    // MARK: Changes

    private func add(_ body: [UInt8]) throws(Problem) -> AdminResponse {
        guard let addition = decoded(BackendAddition.self, from: body) else {
            throw Problem(.malformedBody, BackendAddition.expectation)
        }
        let setting: BackendSetting
        do throws(ValueError) {
            guard let parsed = try BackendSetting.parse(entries: [addition.backend]).first else {
                throw ValueError(addition.backend, "expected a backend")
            }
            setting = parsed
        } catch {
            let reasons = error.refusals.map { "\(quoted($0.value)): \($0.reason)" }
            throw Problem(.invalidValue, reasons.joined(separator: "; "))
        }
        let isHeld = try apply("backend \(setting.name) added: \(setting)") { () throws(PoolRefusal) in
            try sources.director.add(setting)
        }
        let location = "/backends/\(percentEncoded(setting.name, sparing: ":"))"
        return .json(try backend(setting.name), status: isHeld ? 201 : 202, fields: [("Location", location)])
    }

    private func adjust(_ name: String, _ body: [UInt8]) throws(Problem) -> AdminResponse {
        guard let adjustment = decoded(BackendPatch.self, from: body)?.adjustment else {
            throw Problem(.malformedBody, BackendPatch.expectation)
        }
        let weight: String? =
            switch adjustment.weight {
            case .keep: nil
            case .ofSetting: "the weight of its setting"
            case .own(let weight): "weight \(weight)"
            }
        let told = [weight, adjustment.state?.rawValue].compactMap(\.self).joined(separator: ", ")
        let isHeld = try apply("backend \(name): \(told)") { () throws(PoolRefusal) in
            try sources.director.adjust(name, adjustment)
        }
        return .json(try backend(name), status: isHeld ? 200 : 202)
    }

    private func remove(_ name: String) throws(Problem) -> AdminResponse {
        let isHeld = try apply("backend \(name) removed") { () throws(PoolRefusal) in try sources.director.remove(name)
        }
        return AdminResponse(status: isHeld ? 204 : 202)
    }

    private struct WrittenSettings: Encodable {
        let file: String
        let unwritten: [String]
    }

    /// Writes what the operator has done into the file of settings.
    private func writeBackends(_ body: [UInt8]) throws(Problem) -> AdminResponse {
        guard decoded(SettingsWrite.self, from: body) != nil else {
            throw Problem(.malformedBody, SettingsWrite.expectation)
        }
        guard let file = sources.settingsFile else {
            throw Problem(
                .noSettingsFile,
                "The backends are in no file: start with \(SettingsTable.environmentFile.name), and without backends on the command line."
            )
        }
        do throws(SettingsFileError) {
            let unwritten = try SettingsFile.write(
                sources.director.members,
                removed: sources.director.removed,
                to: file.path,
                inherited: file.inherited
            )
            diagnostics.notice("operator: \(SettingsTable.backends.name) written to \(file.path)")
            return .json(WrittenSettings(file: file.path, unwritten: unwritten.map { "\($0)" }))
        } catch {
            throw Problem(.settingsNotWritten, "\(error); the file is as it was.")
        }
    }

    /// Makes a change, and comes back when it holds for every worker, or does not after a while.
    ///
    /// - Parameter text: What is told of it.
    /// - Returns: Whether it holds for every worker.
    private func apply(_ text: String, _ change: () throws(PoolRefusal) -> Void) throws(Problem) -> Bool {
        do throws(PoolRefusal) {
            try change()
        } catch {
            switch error {
            case .unknown(let name): throw unknown(name)
            case .taken(let name):
                throw Problem(
                    .nameTaken,
                    "A backend has the name \(quoted(name)) already; give another one with ;name=."
                )
            case .outOfRange(let value):
                let weights = PoolRoster.weights
                throw Problem(
                    .invalidValue,
                    "Expected a weight from \(weights.lowerBound) to \(weights.upperBound), not \(value)."
                )
            }
        }
        diagnostics.notice("operator: \(text)")
        let isHeld = sources.waitForAdoption()
        if !isHeld { diagnostics.warning("operator: \(text): not every worker goes by it yet") }
        return isHeld
    }

    private func unknown(_ name: String) -> Problem {
        Problem(.unknownBackend, "No backend has the name \(quoted(name)).")
    }
}
