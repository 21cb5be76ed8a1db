// Tests of LB_RETRY_ON: what its words mean, and how they are printed.

import Balancing
import Testing

@testable import Control

@Suite struct RetrySettingTests {
    @Test(
        arguments: [
            ("none", []), ("safe", .safe), ("gateway", .gateway), ("all-retryable-errors", .allErrors),
            ("conn-failure", .connectionFailure), ("empty-response", .emptyResponse), ("junk-response", .junkResponse),
            ("response-timeout", .responseTimeout), ("empty-response conn-failure", .safe),
            ("safe,502,503,504", .gateway), ("gateway,\n500 junk-response,response-timeout", .allErrors),
        ] as [(String, RetryConditions)]
    )
    func `words add up`(text: String, conditions: RetryConditions) throws {
        let kind = SettingKind<RetryConditions>.retryConditions
        #expect(try kind.parse(text) == conditions)
        #expect(try kind.parse(kind.print(conditions)) == conditions)
    }

    @Test(arguments: [
        ("conn-failure,empty-response", "safe"), ("504,503,502,safe", "gateway"), ("none", "none"),
        ("503,conn-failure", "conn-failure,503"), ("425 421 safe", "conn-failure,empty-response,421,425"),
    ])
    func `a list is printed in one order, or as the preset that it is`(text: String, printed: String) throws {
        let kind = SettingKind<RetryConditions>.retryConditions
        #expect(try kind.print(kind.parse(text)) == printed)
    }

    @Test func `each status that can be in the set has a word`() throws {
        let kind = SettingKind<RetryConditions>.retryConditions
        for status in 100...599 {
            let conditions = RetryConditions.status(status)
            #expect((try? kind.parse("\(status)")) == conditions)
            #expect((conditions != nil) == RetryConditions.statuses.contains(status))
        }
    }
}
