// A configured backend as the workers take it.

internal import Forwarding

extension BackendConfiguration {
    /// The backend that a setting describes.
    ///
    /// - Parameter weight: In place of the setting's.
    init(_ backend: BackendSetting, weight: Int? = nil) {
        self.init(
            name: backend.name,
            origin: backend.origin,
            weight: weight ?? backend.weight,
            isBackup: backend.isBackup,
            maximumInFlight: backend.maxConnections,
            health: backend.health
        )
    }
}
