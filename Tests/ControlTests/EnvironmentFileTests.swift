// Tests of files of settings: what each line says, what is a mistake, and what a change leaves as it was.

import Testing

@testable import Control

@Suite struct EnvironmentFileTests {
    private func values(_ text: String) -> [String] {
        EnvironmentFile(Array(text.utf8)).assignments.map { "\($0.name)=\($0.value)" }
    }

    @Test(
        "lines are read as systemd reads them",
        arguments: [
            ("A=b", ["A=b"]), ("A=b\n", ["A=b"]), ("\n\n  \nA=b\n\n", ["A=b"]), ("# A=x\n;A=y\n \t# z\nA=b", ["A=b"]),
            ("A=", ["A="]), ("A=\nB=c", ["A=", "B=c"]), ("  A=b  ", ["A=b"]), ("A = b c \t", ["A=b c"]),
            ("A=b # c", ["A=b # c"]), ("A=b=c", ["A=b=c"]), ("A=\r\nB=c\r\n", ["A=", "B=c"]),
            ("A='b c'", ["A=b c"]), ("A='b\\n\"$'", ["A=b\\n\"$"]), ("A='b\nc'\nD=e", ["A=b\nc", "D=e"]),
            ("A=''", ["A="]),
            (#"A="b c""#, ["A=b c"]), (#"A="b\"c\\d\$e\`f\ng""#, [#"A=b"c\d$e`f\ng"#]), ("A=\"b\\\nc\"", ["A=bc"]),
            ("A=\"b\nc\"  \nD=e", ["A=b\nc", "D=e"]), (##"A="# b""##, ["A=# b"]),
            ("A=b\\\nc", ["A=bc"]), ("A=b \\\n  c", ["A=b   c"]), ("A=b\\\r\nc", ["A=bc"]), (#"A=b\ "#, ["A=b "]),
            (#"A=b\\c"#, [#"A=b\c"#]), (#"A=b"c"d"#, [#"A=b"c"d"#]), (#"A=it's"#, ["A=it's"]), ("A=b\\", [#"A=b\"#]),
            ("A=é", ["A=é"]), ("_a1=b", ["_a1=b"]), ("", []), ("#", []),
        ] as [(String, [String])]
    )
    func syntax(text: String, expected: [String]) {
        #expect(values(text) == expected)
        #expect(EnvironmentFile(Array(text.utf8)).mistakes.isEmpty)
    }

    @Test(
        "what would be misunderstood is a mistake, and told with its line",
        arguments: [
            ("A=b\nC", "2: expected NAME=value, not \"C\""),
            ("export A=b", "1: expected the name of a setting, not \"export A\"; leave export out"),
            ("=b", "1: expected the name of a setting, not \"\""),
            ("1A=b", "1: expected the name of a setting, not \"1A\""),
            ("A-B=c", "1: expected the name of a setting, not \"A-B\""), ("A='b\nc\n", "1: the quote is not closed"),
            ("\nA=\"b", "2: the quote is not closed"),
            ("A='b'c", "1: expected nothing behind the closing quote, not \"c\""),
            (#"A="b" # c"#, #"1: expected nothing behind the closing quote, not " # c""#),
            ("A=b\nA=c", "2: A stands on line 1 already"), ("A='\n\n'\nA=c", "4: A stands on line 1 already"),
            ("# b\\\nA=c", "1: a comment ends in a backslash: systemd takes the next line as a part of it"),
            ("A=b\u{0}c", "1: A: expected text in UTF-8"),
        ]
    )
    func mistakes(text: String, expected: String) {
        #expect(EnvironmentFile(Array(text.utf8)).mistakes.map { "\($0.line): \($0.text)" } == [expected])
    }

    @Test func `bytes that are no text are a mistake`() {
        let file = EnvironmentFile(Array("A=b\nC=".utf8) + [0xFF, 0x0A])
        #expect(file.mistakes.map(\.text) == ["C: expected text in UTF-8"])
        #expect(file.assignments.map(\.name) == ["A"])
    }

    @Test(
        "a value is replaced, and every other byte stays",
        arguments: [
            ("A=b", "c", "A=c"), ("# x \nA=b  \nC=d", "e", "# x \nA=e  \nC=d"), ("A =  'b\nc' \n#", "e", "A =  e \n#"),
            ("A=", "b", "A=b"), ("A=\n", "b", "A=b\n"), ("A= \n", "b", "A= b\n"), ("A=b\\\n  c\nD=e", "f", "A=f\nD=e"),
            ("A=b", "c d", "A=\"c d\""), ("A=b", "", "A=\"\""), ("A=b", #"a"b\c$d`e"#, #"A="a\"b\\c\$d\`e""#),
            ("A=b\r\nC=d\r\n", "e", "A=e\r\nC=d\r\n"), ("A=b", "c;d=1", "A=\"c;d=1\""),
        ]
    )
    func replacing(text: String, value: String, expected: String) throws {
        let file = EnvironmentFile(Array(text.utf8))
        let changed = file.replacing(try #require(file["A"]), with: value)
        #expect(String(decoding: changed, as: UTF8.self) == expected)
        #expect(EnvironmentFile(changed)["A"]?.value == value)
    }

    @Test(arguments: [("", "A=b\n"), ("C=d\n", "C=d\nA=b\n"), ("C=d", "C=d\nA=b\n")])
    func `a line is added at the end`(text: String, expected: String) {
        #expect(String(decoding: EnvironmentFile(Array(text.utf8)).adding("A", "b"), as: UTF8.self) == expected)
    }
}
