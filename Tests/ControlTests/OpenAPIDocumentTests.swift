// That the description of the admin API describes what is there: its routes, its methods, and the objects that it answers with.

import Foundation
import HTTPWire
import Testing

@testable import Control

@Suite("OpenAPI document", .timeLimit(.minutes(5)))
struct OpenAPIDocumentTests {
    private typealias Object = [String: Any]

    private func document() throws -> Object {
        try #require(try JSONSerialization.jsonObject(with: Data(OpenAPIDocument.json.utf8)) as? Object)
    }

    @Test func `each route with each of its methods is described, and no other`() throws {
        let paths = try #require(try document()["paths"] as? [String: Object])
        #expect(Set(paths.keys) == Set(AdminRoute.all.map(\.path)))
        for (route, path) in AdminRoute.all {
            let operations = Set(try #require(paths[path]).keys).subtracting(["parameters"])
            #expect(operations == Set(route.methods.map { $0.spelling.lowercased() }), "\(path)")
        }
    }

    @Test func `every reference leads somewhere, and every status has a phrase`() throws {
        let document = try document()
        var references: Set<String> = []
        func walk(_ value: Any) {
            if let object = value as? Object {
                if let reference = object["$ref"] as? String { references.insert(reference) }
                object.values.forEach(walk)
            } else if let list = value as? [Any] {
                list.forEach(walk)
            }
        }
        walk(document)
        #expect(references.count > 10)
        for reference in references {
            var place: Any? = document
            for part in reference.split(separator: "/").dropFirst() { place = (place as? Object)?[String(part)] }
            #expect(place != nil, "\(reference)")
        }
        for path in try #require(document["paths"] as? [String: Object]).values {
            for case let operation as Object in path.values {
                for status in try #require(operation["responses"] as? Object).keys {
                    #expect(AdminResponse.reasonPhrase(Int(status) ?? 0) != "Error", "\(status)")
                }
            }
        }
    }

    @Test(arguments: [
        ("/stats", "Stats"), ("/backends", "Backends"), ("/backends/a:80", "Backend"), ("/config", "Settings"),
    ])
    func `an object has the members that its schema requires, and none that is not described`(
        path: String,
        schema: String
    ) throws {
        let components = try #require(try document()["components"] as? Object)
        let schemas = try #require(components["schemas"] as? [String: Object])
        let body = try #require(try AdminScene().ask(.get, path)?.body)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? Object)
        check(object, as: ["$ref": "#/components/schemas/\(schema)"], schemas, at: schema)
    }

    /// Holds objects, and those within them, against their schemas' members.
    private func check(_ value: Any, as schema: Object, _ schemas: [String: Object], at place: String) {
        if let name = (schema["$ref"] as? String)?.split(separator: "/").last {
            check(value, as: schemas[String(name)] ?? [:], schemas, at: place)
        } else if let values = value as? [Any], let items = schema["items"] as? Object {
            for value in values { check(value, as: items, schemas, at: "\(place)[]") }
        } else if let object = value as? Object, let properties = schema["properties"] as? [String: Object] {
            let required = Set(schema["required"] as? [String] ?? [])
            #expect(required.subtracting(object.keys).isEmpty, "\(place) lacks what is required")
            #expect(Set(object.keys).subtracting(properties.keys).isEmpty, "\(place) has what is not described")
            for (key, value) in object {
                if let schema = properties[key] { check(value, as: schema, schemas, at: "\(place).\(key)") }
            }
        }
    }
}
