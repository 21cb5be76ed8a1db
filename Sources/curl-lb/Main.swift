// The program's entry: settings in, a running balancer out.

import Control
import Upstream

@main
enum Main {
    static func main() {
        let (settings, provenance) = settingsOrExit(version: VersionReport(libraries: CurlLibrary.report))
        Program(settings, provenance).run()
    }
}
