// The page that stands at the root of the admin API.

/// A page without data of its own: what it shows it asks the API for.
enum DashboardPage {
    /// What the page may do.
    static let contentSecurityPolicy =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// The page.
    static let html = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>curl-lb</title>
        <style>
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; }
        </style>
        </head>
        <body>
        <h1>curl-lb</h1>
        <ul>
        <li><a href="/stats">State</a></li>
        <li><a href="/metrics">Metrics</a></li>
        <li><a href="/backends">Backends</a></li>
        <li><a href="/config">Settings</a></li>
        <li><a href="/openapi.json">Description of the API</a></li>
        </ul>
        </body>
        </html>

        """
}
