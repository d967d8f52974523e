internal import CFuseHTTP
internal import FuseDB
internal import FuseDBCommands
internal import FuseDBExplorer
internal import FuseDBWeb

// What may take long, and so is answered by threads that no other request waits for.

extension Service {
  func answerSlowly(_ exchange: Exchange) {
    do throws(FuseError) {
      switch exchange.verb {
      case FUSE_VERB_OTHER: return answerByExplorer(exchange)
      case _ where !exchange.isReading: return
      case FUSE_VERB_NAMES: return listNames(exchange)
      case FUSE_VERB_METRICS:
        exchange.answer(200, .metrics)
        return exchange.out.append(Array(Metrics.text(of: self).utf8))
      case FUSE_VERB_READY: return tellWhetherReady(exchange)
      case FUSE_VERB_DOCUMENT:
        exchange.answer(200, .json, isTagged: true)
        return exchange.out.append(Array(OpenAPI.document(keyLimit: keyLimit).utf8))
      default: break
      }
      guard let slot = slot(exchange), let database = slot.database else { return }
      let reader = database.reader.snapshot()
      switch exchange.verb {
      case FUSE_VERB_PREFIX: try ListAnswers(exchange, reader, keyLimit)?.answerPrefix()
      case FUSE_VERB_ALIASES: try ListAnswers(exchange, reader, keyLimit)?.answerAliases()
      case FUSE_VERB_DIFF: try answerDiff(exchange, reader)
      case FUSE_VERB_STATS: try answerStats(exchange, slot, reader)
      default: exchange.refuse(404, "absent", "there is nothing at this address; /openapi.json lists the addresses")
      }
    } catch {
      exchange.refuse(error)
    }
  }

  private func answerDiff(_ exchange: Exchange, _ reader: FuseReader) throws(FuseError) {
    guard let name = exchange.parameter(FUSE_PARAMETER_FROM) else {
      return exchange.refuse(
        400, "request", "the query has no 'from'; it is the name of another file, as /v1/ lists them")
    }
    guard let other = slots.first(where: { name.bytes == $0.nameBytes })?.database else {
      return exchange.refuse(
        404, "unknownName", "'from' is no name of a file that is served; /v1/ lists those that are")
    }
    try ListAnswers(exchange, reader, keyLimit)?.answerDifferences(from: other.reader.snapshot())
  }

  private func answerStats(_ exchange: Exchange, _ slot: Slot, _ reader: FuseReader) throws(FuseError) {
    let statistics = try slot.statistics(of: reader)
    let metadata = try reader.metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    var writer = JSONWriter()
    let file: [(name: String, value: ReportValue)] = [
      ("name", .text(slot.name)), ("generation", .count(reader.generation)),
    ]
    let texts = metadata.map { (name: $0.key, value: ReportValue.text($0.value)) }
    writer.append(members: file + statistics.sizes + statistics.counts + [("meta", .members(texts))])
    writer.append("\n")
    exchange.answer(200, .json, generation: reader.generation, isTagged: true)
    exchange.out.append(writer.out)
  }

  private func listNames(_ exchange: Exchange) {
    let files = slots.map { slot -> ReportValue in
      guard let database = slot.database else {
        return .members([
          ("name", .text(slot.name)), ("state", .text("waiting")),
          ("reason", slot.reason.map { .text($0.message) } ?? .null),
        ])
      }
      let reader = database.reader.snapshot()
      let counters = database.reader.counters
      return .members([
        ("name", .text(slot.name)), ("state", .text("serving")), ("generation", .count(reader.generation)),
        ("keys", .count(reader.keyCount)), ("bytes", .count(reader.byteCount)),
        ("checksum", .text(reader.checksum.hexadecimal)), ("loaded", .text(UTCTime.text(of: counters.loadedAt))),
        ("built", counters.builtAt.map { .text(UTCTime.text(of: $0)) } ?? .null),
      ])
    }
    var writer = JSONWriter()
    writer.append(members: [("files", .list(files))])
    writer.append("\n")
    exchange.answer(200, .json)
    exchange.out.append(writer.out)
  }

  /// Whether all files serve, and are fresh.
  private func tellWhetherReady(_ exchange: Exchange) {
    for slot in slots {
      guard let database = slot.database else {
        return exchange.refuse(503, "unavailable", "nothing sound was loaded for '\(slot.name)' yet")
      }
      guard let staleAfter else { continue }
      let counters = database.reader.counters
      let age = counters.dataAge ?? counters.gatheredAt - counters.loadedAt
      guard age > staleAfter else { continue }
      return exchange.refuse(
        503, "stale",
        "the data of '\(slot.name)' are \(Int(age)) seconds old, and --stale-after allows \(Int(staleAfter)); build the file anew"
      )
    }
    exchange.answer(200, .json)
    exchange.out.append("{\"status\":\"ready\"}\n")
  }

  /// Hands the request to the pages.
  private func answerByExplorer(_ exchange: Exchange) {
    guard let request = exchange.webRequest else { return }
    guard let response = explorer.answer(to: request) else {
      return exchange.refuse(
        404, "absent", "there is nothing at this address; /openapi.json lists those of the interface")
    }
    exchange.answer(response.status, .other(response.kind))
    for (name, value) in response.headers { exchange.header(name, value) }
    exchange.out.append(response.body)
  }
}

extension Exchange {
  /// The request as pages take it; nil where it is wrong, which the answer then says.
  fileprivate var webRequest: WebRequest? {
    var path: [[UInt8]] = []
    let raw = self.path.bytes.dropFirst()
    if !raw.isEmpty {
      for segment in raw.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        guard let decoded = Self.decoded(segment, plusIsSpace: false) else {
          refuse(400, "request", "the path has a '%' without two hexadecimal digits after it; write '%' itself as %25")
          return nil
        }
        path.append(decoded)
      }
    }
    var query: [(name: String, value: [UInt8])] = []
    for part in (self.query?.bytes ?? []).split(separator: UInt8(ascii: "&")) {
      let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      guard let name = Self.decoded(part[..<equals], plusIsSpace: true),
        let value = Self.decoded(equals == part.endIndex ? [] : part[(equals + 1)...], plusIsSpace: true)
      else {
        refuse(400, "request", "the query has a '%' without two hexadecimal digits after it; write '%' itself as %25")
        return nil
      }
      query.append((String(decoding: name, as: UTF8.self), value))
    }
    let method: WebRequest.Method = self.method == FUSE_POST ? .post : self.method == FUSE_HEAD ? .head : .get
    return WebRequest(
      method: method, path: path, query: query, headers: headers, body: body?.bytes ?? [], isKnown: isKnown)
  }

  private static func decoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> [UInt8]? {
    guard !bytes.isEmpty else { return [] }
    // SAFETY: the text is this call's own, and what C reads stays during the call.
    var text = unsafe fuse_text()
    defer { unsafe fuse_text_free(&text) }
    let isDecoded = unsafe bytes.withUnsafeBufferPointer { bytes in
      unsafe fuse_percent_decode(fuse_bytes(start: bytes.baseAddress, count: bytes.count), plusIsSpace ? 1 : 0, &text)
    }
    guard isDecoded != 0 else { return nil }
    return unsafe Array(UnsafeBufferPointer(start: text.start, count: text.count))
  }

  // SAFETY: the call ends before what it is given does, and the bytes are copied.
  /// All headers, with names in lower case.
  private var headers: [(name: String, value: String)] {
    let found = FoundHeaders()
    unsafe fuse_exchange_headers(pointer, Unmanaged.passUnretained(found).toOpaque()) { context, name, value in
      let found = unsafe Unmanaged<FoundHeaders>.fromOpaque(context!).takeUnretainedValue()
      unsafe found.headers.append(
        (Piece(name)?.string.lowercased() ?? "", Piece(value)?.string ?? ""))
      return 1
    }
    return found.headers
  }
}

/// Headers that were gone through.
private final class FoundHeaders {
  var headers: [(name: String, value: String)] = []
}
