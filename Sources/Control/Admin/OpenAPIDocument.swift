// The description of the admin API for programs: OpenAPI 3.1.

/// What `/openapi.json` answers; a test compares it with the routes and with the answers.
enum OpenAPIDocument {
    static let json = #"""
        {
          "openapi": "3.1.0",
          "info": {
            "title": "curl-lb admin API",
            "version": "\#(VersionReport.programVersion)",
            "description": "State, metrics and health of a running curl-lb, and changes of its backends. Times are in seconds, ages counted back from now.",
            "license": {"name": "MIT", "identifier": "MIT"}
          },
          "servers": [{"url": "/"}],
          "security": [{}, {"token": []}],
          "tags": [{"name": "process"}, {"name": "backends"}],
          "paths": {
            "/": {
              "get": {
                "operationId": "getPage", "summary": "The dashboard", "tags": ["process"], "security": [{}],
                "responses": {"200": {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}}
              }
            },
            "/healthz": {
              "get": {
                "operationId": "getLiveness", "summary": "Whether the process serves", "tags": ["process"], "security": [{}],
                "responses": {"200": {"$ref": "#/components/responses/Fine"}}
              }
            },
            "/readyz": {
              "get": {
                "operationId": "getReadiness", "summary": "Whether connections are accepted and a backend is usable",
                "tags": ["process"], "security": [{}],
                "responses": {
                  "200": {"$ref": "#/components/responses/Fine"},
                  "503": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/metrics": {
              "get": {
                "operationId": "getMetrics", "summary": "Metrics in Prometheus' text format", "tags": ["process"],
                "responses": {
                  "200": {"description": "The exposition.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/stats": {
              "get": {
                "operationId": "getStats", "summary": "The whole state", "tags": ["process"],
                "responses": {
                  "200": {"description": "The state.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Stats"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/events": {
              "get": {
                "operationId": "getEvents", "tags": ["process"],
                "summary": "Server-sent events without end: stats (once a second), failure, change",
                "responses": {
                  "200": {"description": "Events.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/config": {
              "get": {
                "operationId": "getSettings", "summary": "The effective settings, without secrets", "tags": ["process"],
                "responses": {
                  "200": {"description": "The settings.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Settings"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"}
                }
              },
              "post": {
                "operationId": "writeSettings", "tags": ["process"],
                "summary": "Writes the backends, as they are now, into the file that LB_ENV_FILE names",
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SettingsWrite"}}}},
                "responses": {
                  "200": {"description": "They are written.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/WrittenSettings"}}}},
                  "400": {"$ref": "#/components/responses/Problem"}, "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"}, "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"}, "415": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/openapi.json": {
              "get": {
                "operationId": "getDescription", "summary": "This description", "tags": ["process"],
                "responses": {
                  "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/backends": {
              "get": {
                "operationId": "getBackends", "summary": "All backends, former ones last", "tags": ["backends"],
                "responses": {
                  "200": {"description": "The backends.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Backends"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"}
                }
              },
              "post": {
                "operationId": "addBackend", "summary": "Adds a backend, which gets requests once it is found healthy", "tags": ["backends"],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BackendAddition"}}}},
                "responses": {
                  "201": {
                    "description": "It is a member.",
                    "headers": {"Location": {"description": "Where it is found.", "required": true, "schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Backend"}}},
                    "links": {
                      "read": {"operationId": "getBackend", "parameters": {"name": "$response.body#/name"}},
                      "change": {"operationId": "changeBackend", "parameters": {"name": "$response.body#/name"}},
                      "remove": {"operationId": "removeBackend", "parameters": {"name": "$response.body#/name"}}
                    }
                  },
                  "202": {
                    "description": "It is a member, but not every worker goes by that yet.",
                    "headers": {"Location": {"description": "Where it is found.", "required": true, "schema": {"type": "string"}}},
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Backend"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"}, "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"}, "409": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"}, "415": {"$ref": "#/components/responses/Problem"},
                  "422": {"$ref": "#/components/responses/Problem"}
                }
              }
            },
            "/backends/{name}": {
              "parameters": [{
                "name": "name", "in": "path", "required": true, "description": "The backend's name, such as 10.0.0.1:80.",
                "schema": {"type": "string", "minLength": 1}
              }],
              "get": {
                "operationId": "getBackend", "summary": "One backend", "tags": ["backends"],
                "responses": {
                  "200": {"description": "The backend.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Backend"}}}},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"}
                }
              },
              "patch": {
                "operationId": "changeBackend", "tags": ["backends"],
                "summary": "Changes weight and state: both or neither; answered when it holds for every worker",
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BackendPatch"}}}},
                "responses": {
                  "200": {"description": "The backend.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Backend"}}}},
                  "202": {
                    "description": "The backend; not every worker goes by the change yet.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Backend"}}}
                  },
                  "400": {"$ref": "#/components/responses/Problem"}, "401": {"$ref": "#/components/responses/Problem"},
                  "403": {"$ref": "#/components/responses/Problem"}, "404": {"$ref": "#/components/responses/Problem"},
                  "413": {"$ref": "#/components/responses/Problem"}, "415": {"$ref": "#/components/responses/Problem"},
                  "422": {"$ref": "#/components/responses/Problem"}
                }
              },
              "delete": {
                "operationId": "removeBackend", "summary": "Removes a backend, which finishes what it has", "tags": ["backends"],
                "responses": {
                  "202": {"description": "It is no member any more, but not every worker goes by that yet."},
                  "204": {"description": "It is no member any more."},
                  "401": {"$ref": "#/components/responses/Problem"}, "403": {"$ref": "#/components/responses/Problem"},
                  "404": {"$ref": "#/components/responses/Problem"}
                }
              }
            }
          },
          "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "LB_ADMIN_TOKEN, if it is set."}},
            "responses": {
              "Fine": {"description": "Yes.", "content": {"text/plain": {"schema": {"type": "string"}}}},
              "Problem": {"description": "No, and why.", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
            },
            "schemas": \#(schemas)
          }
        }

        """#
}
