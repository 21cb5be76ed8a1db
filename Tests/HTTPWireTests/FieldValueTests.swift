// Reading values: lists, comparison, and the page a client would rather read.

import HTTPWire
import Testing

struct AcceptRow: Sendable, CustomTestStringConvertible {
    let accept: String
    let format: PageFormat
    var testDescription: String { accept }
}

@Suite("Field values", .tags(.wire))
struct FieldValueTests {
    @Test(
        arguments: zip(
            ["a, b,c", "", " , ,\t,", ",a , b\t,", "a b", "\"x,y\""],
            [["a", "b", "c"], [], [], ["a", "b"], ["a b"], ["\"x", "y\""]]
        )
    )
    func `a list yields its members without white space and empty ones`(_ value: String, _ members: [String]) {
        let input = bytes("[\(value)]")
        var position = 1
        var found: [String] = []
        while let member = input.span.nextListMember(from: &position, upTo: input.count - 1) {
            found.append(text(input, member))
        }
        #expect(found == members)
    }

    @Test func `letters are compared without case and nothing else is`() {
        let input = bytes("Ab-1@`aB-1`[{")
        expectEqual(input.span.equalsIgnoringCase(0..<4, 6..<10), true)
        expectEqual(input.span.equalsIgnoringCase(4..<5, 5..<6), false)
        expectEqual(input.span.equalsIgnoringCase(11..<12, 12..<13), false)
        expectEqual(input.span.equalsIgnoringCase(0..<4, 6..<9), false)
        expectEqual(input.span.equalsIgnoringCase(0..<4, "aB-1"), true)
        expectEqual(input.span.equalsIgnoringCase(4..<5, "`"), false)
        expectEqual(input.span.equalsIgnoringCase(0..<4, "ab-"), false)
        expectEqual(input.span.equalsIgnoringCase(0..<0, ""), true)
    }

    static let accepts: [AcceptRow] = [
        .init(accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", format: .html),
        .init(accept: "application/xhtml+xml", format: .html),
        .init(accept: "TEXT/HTML;level=1", format: .html),
        .init(accept: "application/json, text/plain, */*", format: .json),
        .init(accept: "application/problem+json", format: .json),
        .init(accept: "image/png, application/json;q=0.1", format: .json),
        .init(accept: "text/plain, text/html", format: .text),
        .init(accept: "*/*", format: .text),
        .init(accept: "image/avif,image/webp", format: .text),
        .init(accept: "+json", format: .json),
        .init(accept: "", format: .text),
        .init(accept: ";,;", format: .text),
    ]

    @Test(arguments: accepts)
    func `an error page has the format that Accept names first`(_ row: AcceptRow) {
        let input = bytes(row.accept)
        expectEqual(PageFormat.preferred(in: input.span, accept: 0..<input.count), row.format)
    }

    @Test func `without Accept an error page is text`() {
        let input = bytes("x")
        expectEqual(PageFormat.preferred(in: input.span, accept: nil), .text)
    }
}
