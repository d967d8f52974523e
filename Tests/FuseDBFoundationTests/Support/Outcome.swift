import Foundation
import FuseDB

/// What a type sees when it is decoded: the kind of error, and the coding path, or that there is none.
struct Seen: Equatable, CustomStringConvertible {
  var kind: String
  var path: String?

  init(_ error: DecodingError) {
    let context: DecodingError.Context
    switch error {
    case .keyNotFound(let key, let its): (kind, context) = ("keyNotFound \(key.stringValue)", its)
    case .typeMismatch(_, let its): (kind, context) = ("typeMismatch", its)
    case .valueNotFound(_, let its): (kind, context) = ("valueNotFound", its)
    case .dataCorrupted(let its): (kind, context) = ("dataCorrupted", its)
    @unknown default: (kind, context) = ("unknown", .init(codingPath: [], debugDescription: ""))
    }
    path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
  }

  init(kind: String, path: String?) {
    self.kind = kind
    self.path = path
  }

  var description: String { "\(kind) at /\(path ?? "…")" }
}

/// Decodes a `Value`, and keeps the error.
struct Attempt<Value: Decodable>: Decodable {
  let seen: Seen
  let value: Value?

  init(from decoder: any Decoder) throws {
    do {
      value = try decoder.singleValueContainer().decode(Value.self)
      seen = Seen(kind: "a value", path: "")
    } catch let error as DecodingError {
      value = nil
      seen = Seen(error)
    }
  }
}

/// A decoding of JSON text, by both decoders.
struct Trial: Sendable {
  let name: String
  let json: String
  /// What JSONDecoder says; without a coding path where it gives up, as it does with numbers that don't fit.
  let byJSON: @Sendable (String) throws -> Seen
  let byFuseDB: @Sendable (String) throws -> (Seen, FuseError?)

  init<Value: Decodable & SendableMetatype>(_ type: Value.Type, _ json: String) {
    name = "\(type) of \(json)"
    self.json = json
    byJSON = { json in
      do {
        return try JSONDecoder().decode(Attempt<Value>.self, from: Data(json.utf8)).seen
      } catch DecodingError.dataCorrupted {
        return Seen(kind: "dataCorrupted", path: nil)
      }
    }
    byFuseDB = { json in
      let bytes = try FuseValue(json: json).messagePack
      let seen = try FuseDecoder().decode(Attempt<Value>.self, from: bytes).seen
      do {
        _ = try FuseDecoder().decode(type, from: bytes)
        return (seen, nil)
      } catch {
        return (seen, error as? FuseError)
      }
    }
  }
}

extension Trial: CustomStringConvertible {
  var description: String { name }
}
