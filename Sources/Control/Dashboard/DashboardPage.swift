// The dashboard: one page, put together from its sources, that needs nothing from anywhere else.

internal import Crypto
internal import FoundationEssentials

/// The page that shows the balancer at work.
///
/// It holds no figure itself: it asks for `events`, and sends changes to `backends`, relative to where it lies.
enum DashboardPage {
    /// The page.
    static let html = parts.page
    /// What a browser may do for it: run these scripts, show this style, and talk to where it came from.
    ///
    /// Scripts and styles are named by their hashes (CSP level 3, section 8.4), so that nothing that a message brings into the page is
    /// ever run; where browsers know trusted types, no text becomes markup either.
    static let contentSecurityPolicy = [
        "default-src 'none'",
        "script-src '\(hash(parts.script))'",
        "style-src '\(hash(parts.style))'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ].joined(separator: "; ")

    private static let parts: (page: String, style: String, script: String) = {
        let style = joined([
            PackageResources.dashboard_css, PackageResources.lists_css, PackageResources.narrow_css,
        ])
        // Each uses what stands in those before it.
        let script = joined([
            PackageResources.elements_js, PackageResources.figures_js, PackageResources.link_js,
            PackageResources.drawings_js, PackageResources.standing_js, PackageResources.row_js,
            PackageResources.backends_js, PackageResources.tails_js, PackageResources.dashboard_js,
        ])
        let page = String(decoding: PackageResources.dashboard_html, as: UTF8.self)
            .replacing("<style></style>", with: "<style>\(style)</style>", maxReplacements: 1)
            .replacing(emptyScript, with: emptyScript.replacing(">", with: ">\(script)", maxReplacements: 1))
        return (page, style, script)
    }()

    private static let emptyScript = #"<script type="module"></script>"#

    private static func joined(_ sources: [[UInt8]]) -> String {
        "\n" + sources.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    }

    /// A source expression for what stands between the tags.
    private static func hash(_ text: String) -> String {
        "sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())"
    }
}
