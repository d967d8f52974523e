/// The interface, described for programs: `/openapi.json`. A test compares it with what the server does.
enum OpenAPI {
  /// - Parameter keyLimit: how many keys a request may ask for or be given.
  static func document(keyLimit: Int) -> String {
    #"""
    {
      "openapi": "3.0.3",
      "info": {
        "title": "FuseDB",
        "version": "1",
        "description": "Look-ups in the files that 'fusedb serve' serves. spec/serve.md says what clients may rely on."
      },
      "paths": {
        "/v1/": {"get": {
          "operationId": "names", "summary": "What is served",
          "responses": {"200": {"description": "The files", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Names"}}}}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/v1/{name}/get": {
          "parameters": [{"$ref": "#/components/parameters/name"}],
          "get": {
            "operationId": "get", "summary": "The value under a key",
            "parameters": [
              {"name": "key", "in": "query", "required": true, "description": "The key, of UTF-8 text or of any bytes, percent-encoded. 'key64' takes base64url in its place.", "schema": {"type": "string"}},
              {"$ref": "#/components/parameters/match"}, {"$ref": "#/components/parameters/field"}
            ],
            "responses": {"200": {"$ref": "#/components/responses/Answer"}, "304": {"description": "The client has it: If-None-Match"}, "404": {"$ref": "#/components/responses/Problem"}, "default": {"$ref": "#/components/responses/Problem"}}
          },
          "post": {
            "operationId": "getMany", "summary": "The values under many keys, of one generation of the file",
            "parameters": [{"$ref": "#/components/parameters/match"}, {"$ref": "#/components/parameters/field"}],
            "requestBody": {"required": true, "content": {
              "application/json": {"schema": {"type": "array", "maxItems": \#(keyLimit), "items": {"$ref": "#/components/schemas/Key"}}},
              "application/x-ndjson": {"schema": {"type": "string", "description": "A key a line"}}
            }},
            "responses": {"200": {"description": "A row for each key, in their order", "content": {
              "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}},
              "application/x-ndjson": {"schema": {"type": "string", "description": "A row a line"}},
              "application/msgpack": {"schema": {"type": "string", "format": "binary"}}
            }}, "default": {"$ref": "#/components/responses/Problem"}}
          }
        },
        "/v1/{name}/keys/{key}": {
          "get": {
            "operationId": "getByPath", "summary": "The value under a key",
            "parameters": [
              {"$ref": "#/components/parameters/name"},
              {"name": "key", "in": "path", "required": true, "description": "The rest of the path, percent-encoded; slashes may stay. /keys64/ takes base64url in its place.", "schema": {"type": "string"}},
              {"$ref": "#/components/parameters/match"}, {"$ref": "#/components/parameters/field"}
            ],
            "responses": {"200": {"$ref": "#/components/responses/Answer"}, "304": {"description": "The client has it: If-None-Match"}, "404": {"$ref": "#/components/responses/Problem"}, "default": {"$ref": "#/components/responses/Problem"}}
          }
        },
        "/v1/{name}/prefix": {"get": {
          "operationId": "prefix", "summary": "Keys that begin alike, with their values",
          "parameters": [
            {"$ref": "#/components/parameters/name"},
            {"name": "prefix", "in": "query", "schema": {"type": "string"}, "description": "How they begin; all keys without it"},
            {"$ref": "#/components/parameters/field"}, {"$ref": "#/components/parameters/limit"}, {"$ref": "#/components/parameters/after"}
          ],
          "responses": {"200": {"description": "A page", "content": {"application/json": {"schema": {
            "type": "object", "required": ["entries", "next"],
            "properties": {"entries": {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}, "next": {"$ref": "#/components/schemas/Cursor"}}
          }}}}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/v1/{name}/aliases": {"get": {
          "operationId": "aliases", "summary": "All keys that share the object of a key",
          "parameters": [
            {"$ref": "#/components/parameters/name"},
            {"name": "key", "in": "query", "required": true, "schema": {"type": "string"}},
            {"$ref": "#/components/parameters/limit"}, {"$ref": "#/components/parameters/after"}
          ],
          "responses": {"200": {"description": "A page", "content": {"application/json": {"schema": {
            "type": "object", "required": ["keys", "next"],
            "properties": {"keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}}, "next": {"$ref": "#/components/schemas/Cursor"}}
          }}}}, "404": {"$ref": "#/components/responses/Problem"}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/v1/{name}/diff": {"get": {
          "operationId": "diff", "summary": "The keys whose answers differ from those of another file that is served",
          "parameters": [
            {"$ref": "#/components/parameters/name"},
            {"name": "from", "in": "query", "required": true, "schema": {"type": "string"}, "description": "The name of the other file"},
            {"$ref": "#/components/parameters/limit"}, {"$ref": "#/components/parameters/after"}
          ],
          "responses": {"200": {"description": "A page", "content": {"application/json": {"schema": {
            "type": "object", "required": ["changes", "next"],
            "properties": {"changes": {"type": "array", "items": {
              "type": "object", "required": ["key", "change"],
              "properties": {"key": {"$ref": "#/components/schemas/Key"}, "change": {"enum": ["added", "removed", "changed"]}, "old": {}, "new": {}}
            }}, "next": {"$ref": "#/components/schemas/Cursor"}}
          }}}}, "404": {"$ref": "#/components/responses/Problem"}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/v1/{name}/stats": {"get": {
          "operationId": "stats", "summary": "What the file holds, in numbers",
          "parameters": [{"$ref": "#/components/parameters/name"}],
          "responses": {"200": {"description": "The numbers of 'fusedb stats --json'", "content": {"application/json": {"schema": {"type": "object", "required": ["name", "generation", "keys", "objects", "bytes"]}}}}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/healthz": {"get": {
          "operationId": "health", "summary": "Whether the server runs", "security": [],
          "responses": {"200": {"$ref": "#/components/responses/Status"}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/readyz": {"get": {
          "operationId": "ready", "summary": "Whether all files are there and fresh", "security": [],
          "responses": {"200": {"$ref": "#/components/responses/Status"}, "503": {"$ref": "#/components/responses/Problem"}, "default": {"$ref": "#/components/responses/Problem"}}
        }},
        "/metrics": {"get": {
          "operationId": "metrics", "summary": "Counters, as Prometheus reads them",
          "responses": {"200": {"description": "The counters", "content": {"text/plain": {"schema": {"type": "string"}}}}, "default": {"$ref": "#/components/responses/Problem"}}
        }}
      },
      "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "With --token-file alone"}},
        "parameters": {
          "name": {"name": "name", "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*$"}},
          "match": {"name": "match", "in": "query", "schema": {"type": "string", "enum": ["exact", "network", "domain", "email", "prefix"]}},
          "field": {"name": "field", "in": "query", "schema": {"type": "string", "minLength": 1}, "description": "A path of names in the value, such as location.country"},
          "limit": {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": \#(keyLimit), "default": \#(min(100, keyLimit))}},
          "after": {"name": "after", "in": "query", "schema": {"type": "string"}, "description": "What the page before had as 'next'"}
        },
        "schemas": {
          "Key": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["$bin"], "properties": {"$bin": {"type": "string", "pattern": "^([0-9A-Fa-f]{2})*$"}}, "additionalProperties": false}]},
          "Row": {
            "type": "object", "required": ["key"],
            "properties": {
              "key": {"$ref": "#/components/schemas/Key"}, "match": {"$ref": "#/components/schemas/Key"}, "value": {},
              "found": {"type": "boolean", "enum": [false]}, "error": {"type": "object"}
            }
          },
          "Cursor": {"type": "string", "nullable": true},
          "Names": {
            "type": "object", "required": ["files"],
            "properties": {"files": {"type": "array", "items": {
              "type": "object", "required": ["name", "state"],
              "properties": {"name": {"type": "string"}, "state": {"type": "string", "enum": ["serving", "waiting"]}}
            }}}
          },
          "Problem": {
            "type": "object", "required": ["type", "title", "status", "code", "detail"],
            "properties": {
              "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "code": {"type": "string"},
              "detail": {"type": "string"}, "offset": {"type": "integer"}
            }
          }
        },
        "responses": {
          "Answer": {"description": "The value", "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Row"}},
            "application/msgpack": {"schema": {"type": "string", "format": "binary"}}
          }},
          "Status": {"description": "It does", "content": {"application/json": {"schema": {"type": "object", "required": ["status"]}}}},
          "Problem": {"description": "What is wrong", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        }
      },
      "security": [{}, {"token": []}]
    }

    """#
  }
}
