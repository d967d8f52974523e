internal import CFuseHTTP
internal import FuseDB
internal import FuseDBWeb

/// `GET /v1/NAME/get?key=…` and `/v1/NAME/keys/…`: what is asked for most, so nothing is allocated on the way.
enum LookupAnswer {
  static func answer(_ exchange: Exchange, _ slot: Slot) {
    guard let key = exchange.parameter(FUSE_PARAMETER_KEY) else {
      return exchange.refuse(400, "request", "the query has no 'key'; ask for /v1/\(slot.name)/get?key=KEY")
    }
    guard let question = Question(exchange) else { return }
    // SAFETY: it stays as long as its slot.
    guard let served = unsafe slot.served else { return }
    var generation = 0
    var isFound = false
    do {
      isFound = try unsafe served._withUnsafeGuaranteedRef { database in
        do {
          let isFound = try database.reader.withReader { reader in
            generation = reader.generation
            return try question.find(key, in: reader) { match, object in
              try write(question, key, match, object, exchange)
            }
          }
          database.reader.countLookups(hits: isFound ? 1 : 0, misses: isFound ? 0 : 1, failures: 0)
          return isFound
        } catch {
          database.reader.countLookups(hits: 0, misses: 0, failures: 1)
          throw error
        }
      }
    } catch let error as FuseError {
      return exchange.write(Problem(error), generation: generation)
    } catch {
      return exchange.refuse(500, "request", "\(error)")
    }
    guard isFound else { return writeAbsent(exchange, key, question, slot, generation) }
    exchange.answer(200, question.isMessagePack ? .messagePack : .json, generation: generation, isTagged: true)
  }

  @inline(__always)
  private static func write(
    _ question: Question, _ key: Piece, _ match: Piece?, _ object: Piece, _ exchange: Exchange
  ) throws(FuseError) -> Bool {
    try question.withWanted(object) { value throws(FuseError) in
      guard !question.isMessagePack else { return exchange.out.append(value) }
      guard match != nil else { return try exchange.out.append(row: key, value: value, "}\n") }
      exchange.out.append("{\"key\":")
      exchange.out.append(key: key)
      if let match {
        exchange.out.append(",\"match\":")
        exchange.out.append(key: match)
      }
      exchange.out.append(",\"value\":")
      try exchange.out.append(value: value)
      exchange.out.append("}\n")
    }
  }

  @inline(never)
  private static func writeAbsent(
    _ exchange: Exchange, _ key: Piece, _ question: Question, _ slot: Slot, _ generation: Int
  ) {
    // Of a key that is there, the field is what is absent; which of them it is, a reader of the text wants to know.
    var name: [UInt8] = []
    EscapedText.append(unsafe key.span, to: &name)
    if name.count > 200 { name = Array(name.prefix(200)) + Array("…".utf8) }
    let what = question.field == nil ? "" : ", or its value lacks the field"
    let found = question.matching == .exact ? "has no key" : "has no key that covers"
    // SAFETY: the key's bytes stay until the request is answered.
    let problem = Problem(
      status: 404, code: "absent", detail: "'\(slot.name)' \(found) '\(String(decoding: name, as: UTF8.self))'\(what)")
    exchange.write(problem, generation: generation)
  }
}
