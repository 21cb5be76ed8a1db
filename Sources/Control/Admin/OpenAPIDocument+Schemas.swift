// What the objects of the admin API are made of, as JSON Schema.

extension OpenAPIDocument {
    static let schemas = #"""
        {
          "Problem": {
            "type": "object", "required": ["type", "title", "status", "detail", "reason"], "additionalProperties": false,
            "properties": {
              "type": {"const": "about:blank"}, "title": {"type": "string"}, "status": {"type": "integer"},
              "detail": {"type": "string"}, "reason": {"type": "string", "pattern": "^[a-z0-9_]+$"}
            }
          },
          "BackendAddition": {
            "type": "object", "required": ["backend"], "additionalProperties": false,
            "properties": {
              "backend": {
                "type": "string", "description": "As in LB_BACKENDS; sources of backends are not taken.",
                "pattern": "^[A-Za-z+]+://", "minLength": 8, "maxLength": 4096, "examples": ["http://10.0.0.1:80;weight=2"]
              }
            }
          },
          "SettingsWrite": {
            "type": "object", "required": ["write"], "additionalProperties": false,
            "properties": {"write": {"type": "string", "enum": ["backends"]}}
          },
          "WrittenSettings": {
            "type": "object", "required": ["file", "unwritten"], "additionalProperties": false,
            "properties": {
              "file": {"type": "string"},
              "unwritten": {
                "type": "array", "items": {"type": "string"},
                "description": "What a file cannot hold, such as the weight of a backend that a source has found."
              }
            }
          },
          "BackendPatch": {
            "type": "object", "minProperties": 1, "additionalProperties": false,
            "properties": {
              "weight": {"type": ["integer", "null"], "minimum": 0, "maximum": 65535, "description": "null: back to its setting's."},
              "state": {"$ref": "#/components/schemas/AdministrativeState"}
            }
          },
          "AdministrativeState": {"type": "string", "enum": ["ready", "drain", "maintenance"]},
          "Backends": {
            "type": "object", "required": ["backends"], "additionalProperties": false,
            "properties": {"backends": {"type": "array", "items": {"$ref": "#/components/schemas/Backend"}}}
          },
          "Backend": {
            "type": "object", "additionalProperties": false,
            "required": [
              "name", "address", "is_member", "operational", "administrative", "requested", "takes_requests", "weight",
              "is_backup", "in_flight", "maximum_in_flight", "source", "health", "counts"
            ],
            "properties": {
              "name": {"type": "string"},
              "address": {"type": ["string", "null"], "description": "null for a former member, as other members are."},
              "is_member": {"type": "boolean"},
              "operational": {"enum": ["unchecked", "up", "down", "ejected", null]},
              "administrative": {"enum": ["ready", "drain", "maintenance", null], "description": "The operator's word."},
              "requested": {
                "enum": ["ready", "drain", "maintenance", null],
                "description": "The backend's own word, from the answers to its health checks; the stricter of the two holds."
              },
              "takes_requests": {"type": "boolean", "description": "Whether requests go to it unless it is full."},
              "weight": {"type": "integer", "minimum": 0},
              "is_backup": {"type": "boolean"},
              "in_flight": {"type": "integer"},
              "maximum_in_flight": {"type": "integer", "minimum": 0, "description": "0: any number."},
              "source": {"type": ["string", "null"], "description": "configuration, operator, or a source such as dns://app:80."},
              "health": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Health"}]},
              "counts": {"$ref": "#/components/schemas/BackendCounts"}
            }
          },
          "Health": {
            "type": "object", "additionalProperties": false,
            "required": ["weight_percent", "check", "ejections", "ejection", "latest_change", "probes"],
            "properties": {
              "weight_percent": {"type": "integer", "minimum": 0, "maximum": 100},
              "check": {"type": "string", "description": "connect, off, or the path that is asked for."},
              "ejections": {"type": "integer", "minimum": 0},
              "ejection": {
                "type": ["object", "null"], "required": ["reason", "age", "ends_in"], "additionalProperties": false,
                "properties": {"reason": {"type": "string"}, "age": {"type": "number"}, "ends_in": {"type": "number"}}
              },
              "latest_change": {
                "type": ["object", "null"], "required": ["age", "text"], "additionalProperties": false,
                "properties": {"age": {"type": "number"}, "text": {"type": "string"}}
              },
              "probes": {
                "type": "array", "maxItems": 20,
                "items": {
                  "type": "object", "required": ["age", "is_good", "text", "milliseconds"], "additionalProperties": false,
                  "properties": {
                    "age": {"type": "number"}, "is_good": {"type": "boolean"}, "text": {"type": "string"},
                    "milliseconds": {"type": ["number", "null"]}
                  }
                }
              }
            }
          },
          "LabelledCount": {
            "type": "object", "required": ["label", "count"], "additionalProperties": false,
            "properties": {"label": {"type": "string"}, "count": {"type": "integer", "minimum": 0}}
          },
          "LabelledCounts": {"type": "array", "items": {"$ref": "#/components/schemas/LabelledCount"}},
          "Count": {"type": "integer", "minimum": 0},
          "Histogram": {"type": "object", "description": "Durations counted since the start."},
          "BackendCounts": {
            "type": "object", "additionalProperties": false,
            "required": [
              "responses", "attempts", "retries", "hedges", "hedges_won", "outrun", "failures", "connections_opened",
              "connections_closed", "connections_reused", "connections_stale",
              "bytes_sent", "bytes_received", "first_byte", "request", "queue", "dns", "connect",
              "tls", "wait", "body"
            ],
            "properties": {
              "responses": {"$ref": "#/components/schemas/LabelledCounts"},
              "attempts": {"$ref": "#/components/schemas/Count"}, "retries": {"$ref": "#/components/schemas/Count"},
              "hedges": {"$ref": "#/components/schemas/Count"}, "hedges_won": {"$ref": "#/components/schemas/Count"},
              "outrun": {"$ref": "#/components/schemas/Count"},
              "failures": {"$ref": "#/components/schemas/LabelledCounts"},
              "connections_opened": {"$ref": "#/components/schemas/Count"},
              "connections_closed": {"$ref": "#/components/schemas/Count"},
              "connections_reused": {"$ref": "#/components/schemas/Count"},
              "connections_stale": {"$ref": "#/components/schemas/Count"},
              "bytes_sent": {"$ref": "#/components/schemas/Count"}, "bytes_received": {"$ref": "#/components/schemas/Count"},
              "first_byte": {"$ref": "#/components/schemas/Histogram"}, "request": {"$ref": "#/components/schemas/Histogram"},
              "queue": {"$ref": "#/components/schemas/Histogram"}, "dns": {"$ref": "#/components/schemas/Histogram"},
              "connect": {"$ref": "#/components/schemas/Histogram"}, "tls": {"$ref": "#/components/schemas/Histogram"},
              "wait": {"$ref": "#/components/schemas/Histogram"}, "body": {"$ref": "#/components/schemas/Histogram"}
            }
          },
          "Stats": {
            "type": "object",
            "required": [
              "time", "name", "build", "process", "policy", "pool_version", "is_panic", "queue_waiting", "backends", "clients",
              "loops", "surprises", "additional"
            ],
            "properties": {
              "time": {"type": "number", "description": "Since 1970."}, "name": {"type": "string"},
              "build": {"type": "object"}, "process": {"type": "object"}, "policy": {"type": "string"},
              "pool_version": {"type": "integer"}, "is_panic": {"type": "boolean"},
              "queue_waiting": {"type": "integer"},
              "backends": {"type": "array", "items": {"$ref": "#/components/schemas/Backend"}},
              "clients": {"type": "object"}, "loops": {"type": "array", "items": {"type": "object"}},
              "access_log": {"type": "object"}, "surprises": {"$ref": "#/components/schemas/LabelledCounts"},
              "additional": {"type": "array", "items": {"type": "object"}}
            }
          },
          "Settings": {
            "type": "object", "required": ["settings"], "additionalProperties": false,
            "properties": {
              "settings": {
                "type": "array",
                "items": {
                  "type": "object", "required": ["name", "value", "source"], "additionalProperties": false,
                  "properties": {
                    "name": {"type": "string"}, "value": {"type": "string"},
                    "source": {"enum": ["default", "environment", "command line"]}
                  }
                }
              }
            }
          }
        }
        """#
}
