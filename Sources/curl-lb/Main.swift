// The program's entry: settings in, a running balancer out.

import Control
import Upstream

@main
enum Main {
    static func main() {
        let (settings, _) = settingsOrExit(version: VersionReport(libraries: CurlLibrary.report))
        Program(settings).run()
    }
}
