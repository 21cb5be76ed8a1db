// Tests of the dashboard's page: that it is whole, and needs nothing from anywhere.

import Testing

@testable import Control

@Suite struct DashboardPageTests {
    private let html = DashboardPage.html

    private func count(_ part: String) -> Int { html.ranges(of: part).count }

    @Test func `style and scripts are in the page, once`() {
        #expect(html.hasPrefix("<!doctype html>\n"))
        #expect(count("<style>") == 1 && count("</style>") == 1)
        #expect(count("<script") == 1 && count("</script>") == 1)
        #expect(html.contains("prefers-color-scheme: dark") && html.contains("new Dashboard()"))
        #expect(html.hasSuffix("</html>\n"))
    }

    @Test func `nothing is fetched from anywhere else`() {
        #expect(count("https://") == 0)
        // Names of the drawing language, which nobody fetches.
        #expect(count("http://") == count("http://www.w3.org/2000/svg"))
        #expect(count("@import") == 0 && count("url(") == 0 && count(" src=") == 0)
    }

    @Test(
        "nothing that comes in can become markup or code",
        arguments: [
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "setHTML",
            "DOMParser",
            " onclick=", " style=",
        ]
    )
    func isNeverUsed(_ word: String) {
        #expect(count(word) == 0)
    }

    @Test func `the policy names hashes, and allows nothing else`() {
        let policy = DashboardPage.contentSecurityPolicy
        #expect(policy.contains(/script-src 'sha256-[A-Za-z0-9+\/]{43}='/))
        #expect(policy.contains(/style-src 'sha256-[A-Za-z0-9+\/]{43}='/))
        #expect(!policy.contains("unsafe") && policy.hasPrefix("default-src 'none'; "))
        #expect(policy.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
    }
}
