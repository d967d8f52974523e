import FuseDB
import FuseDBExplorer
import FuseDBWeb
import ProgramSupport
import Testing

import Glibc

/// Files that tests serve, and questions to them.
final class ExplorerFiles {
  let scratch = Scratch()
  private(set) var databases: [ServedDatabase] = []
  private var explorer: Explorer?

  /// Serves a file of some objects with their keys.
  @discardableResult
  func serve(
    _ name: String, _ objects: [(keys: [[UInt8]], value: FuseValue)], reverse: Bool = false
  ) throws -> ServedDatabase {
    let path = try build(name, objects, reverse: reverse)
    var options = ServingOptions()
    options.keptFileCount = 1
    let database = ServedDatabase(name: name, reader: try ReloadableReader(path: path, options: options))
    databases.append(database)
    explorer = nil
    return database
  }

  /// Builds a file, in place of the one with this name.
  @discardableResult
  func build(_ name: String, _ objects: [(keys: [[UInt8]], value: FuseValue)], reverse: Bool = false) throws -> String {
    var options = FuseWriter.Options()
    options.reverseIndex = reverse
    let writer = FuseWriter(options)
    for object in objects { try writer.add(object.keys, object.value) }
    let path = scratch.path("\(name).fsdb")
    _ = try writer.build(to: path)
    return path
  }

  /// Writes over bytes of a file that is there, as no program should.
  func overwrite(_ name: String, _ bytes: [UInt8], at offset: Int) throws {
    let descriptor = unsafe open(scratch.path(name), O_WRONLY)
    defer { close(descriptor) }
    try #require(unsafe pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count)
  }

  /// Asks for a view, with a query that is spelled.
  func ask(
    _ path: [String], _ query: [(name: String, value: [UInt8])] = [], method: WebRequest.Method = .get,
    headers: [(name: String, value: String)] = [], isKnown: Bool = false
  ) throws -> WebResponse {
    if explorer == nil { explorer = Explorer(databases: databases) }
    let request = WebRequest(
      method: method, path: path.map { Array($0.utf8) }, query: query, headers: headers, isKnown: isKnown)
    let answer = try #require(explorer).answer(to: request)
    return try #require(answer)
  }

  /// The page that is shown.
  func page(_ path: [String], _ query: [(name: String, value: [UInt8])] = []) throws -> String {
    let answer = try ask(path, query)
    #expect(answer.kind == "text/html; charset=utf-8")
    return String(decoding: answer.body, as: UTF8.self)
  }

  /// What its JSON twin says.
  func twin(_ path: [String], _ query: [(name: String, value: [UInt8])] = []) throws -> FuseValue {
    let answer = try ask(path, query + [(name: "format", value: Array("json".utf8))])
    #expect(answer.kind == "application/json")
    return try FuseValue(json: String(decoding: answer.body, as: UTF8.self))
  }
}

extension [UInt8] {
  /// The bytes of a text.
  init(_ text: String) { self = Array(text.utf8) }
}
