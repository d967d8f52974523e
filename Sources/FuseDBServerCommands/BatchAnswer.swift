internal import CFuseHTTP
internal import FuseDB
internal import FuseDBCommands
internal import FuseDBWeb

/// `POST /v1/NAME/get`: many keys of one file, and an answer in their order, of which only a part is in memory.
@safe
final class BatchAnswer {
  /// How the answer is spelled.
  enum Form {
    case lines, array, messagePack
  }

  /// How much of it is made before it is sent.
  private static let partByteCount = 1 << 18

  private let question: Question
  private let form: Form
  private let database: Unmanaged<ReloadableReader>
  private let reader: FuseReader
  private let keys: KeyList
  // SAFETY: what the keys are in, freed at the end.
  private let kept: UnsafeMutableRawPointer?
  private var next: Int

  static func answer(_ exchange: Exchange, _ slot: Slot, _ keyLimit: Int) {
    guard exchange.parameter(FUSE_PARAMETER_KEY) == nil else {
      return exchange.refuse(400, "request", "a POST has its keys in the body, and not in the address")
    }
    guard let question = Question(exchange) else { return }
    // SAFETY: C keeps the keys until the request is answered.
    let found = unsafe fuse_exchange_keys(exchange.pointer, keyLimit)
    if let problem = unsafe found.problem {
      let sentence = unsafe String(cString: problem)
      let isTooMany = unsafe found.is_too_long != 0
      return exchange.refuse(
        isTooMany ? 413 : 400, isTooMany ? "tooLong" : "invalidValue",
        unsafe "offset \(found.offset) of the body: \(sentence)")
    }
    var form = unsafe found.is_array != 0 ? Form.array : .lines
    if let accept = exchange.accept, accept.count >= 16 {
      if accept.contains("application/x-ndjson") {
        form = .lines
      } else if accept.contains("application/json") {
        form = .array
      }
    }
    if question.isMessagePack { form = .messagePack }
    let keys = unsafe KeyList(start: found.keys, count: found.count)
    // SAFETY: it stays as long as its slot.
    guard let served = unsafe slot.served else { return }
    unsafe served._withUnsafeGuaranteedRef { database in
      let store = database.reader
      store.withReader { reader in
        begin(form, keys.count, exchange)
        exchange.answer(
          200, form == .lines ? .lines : form == .array ? .json : .messagePack, generation: reader.generation)
        var next = 0
        // SAFETY: the text is that of the exchange.
        unsafe write(keys, &next, question, form, reader, store, exchange.text)
        guard next < keys.count else { return unsafe end(form, exchange.text) }
        let kept = unsafe fuse_exchange_keep(exchange.pointer)
        guard unsafe kept != nil else {
          return exchange.refuse(503, "unavailable", "memory is too short for the answer; ask again later, or for less")
        }
        let stream = unsafe BatchAnswer(question, form, .passUnretained(store), reader, keys, kept, next)
        // SAFETY: the reference is released at the end, once.
        unsafe fuse_exchange_stream(
          exchange.pointer, Unmanaged.passRetained(stream).toOpaque(),
          { stream, text in
            unsafe Unmanaged<BatchAnswer>.fromOpaque(stream)._withUnsafeGuaranteedRef { unsafe $0.more(text) } ? 1 : 0
          }, { unsafe Unmanaged<BatchAnswer>.fromOpaque($0).release() })
      }
    }
  }

  // SAFETY: the file that is served stays as long as the server runs, and what is kept is this object's from now on.
  @unsafe
  private init(
    _ question: Question, _ form: Form, _ store: Unmanaged<ReloadableReader>, _ reader: FuseReader, _ keys: KeyList,
    _ kept: UnsafeMutableRawPointer?, _ next: Int
  ) {
    self.question = question
    self.form = form
    unsafe database = store
    self.reader = reader
    self.keys = keys
    unsafe self.kept = kept
    self.next = next
  }

  // SAFETY: nobody else frees it.
  deinit { unsafe fuse_kept_free(kept) }

  /// Appends the next part; whether there is more after it.
  @unsafe
  private func more(_ text: UnsafeMutablePointer<fuse_text>) -> Bool {
    // SAFETY: the files that are served stay as long as the server runs.
    unsafe database._withUnsafeGuaranteedRef { store in
      unsafe Self.write(keys, &next, question, form, reader, store, text)
    }
    guard next == keys.count else { return true }
    unsafe Self.end(form, text)
    return false
  }

  private static func begin(_ form: Form, _ count: Int, _ exchange: Exchange) {
    switch form {
    case .lines: break
    case .array: exchange.out.append("[")
    case .messagePack:
      exchange.out.append([
        0xDD, UInt8(count >> 24 & 255), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255),
      ])
    }
  }

  @unsafe
  private static func end(_ form: Form, _ text: UnsafeMutablePointer<fuse_text>) {
    // SAFETY: the caller's text.
    if form == .array { unsafe TextPlace(text).append("]\n") }
  }

  /// Answers keys from `next` on, until a part is full.
  @unsafe
  private static func write(
    _ keys: KeyList, _ next: inout Int, _ question: Question, _ form: Form, _ reader: FuseReader,
    _ store: ReloadableReader,
    _ text: UnsafeMutablePointer<fuse_text>
  ) {
    // SAFETY: the caller's text, for as long as this runs.
    let out = unsafe TextPlace(text)
    let (first, start) = (next, out.count)
    var hits = 0
    var misses = 0
    var failures = 0
    while next < keys.count, !out.isFull(partByteCount) {
      let rowStart = out.count
      do throws(FuseError) {
        if question.matching == .exact {
          var place = next
          defer { next = place }
          try reader.answer(keys[next...]) { (_, bytes) throws(FuseError) in
            let object: Piece? = if let bytes { Piece(bytes) } else { nil }
            let isThere = try Self.write(keys[place], nil, object, place, question, form, out)
            if isThere { hits += 1 } else { misses += 1 }
            place += 1
            return !out.isFull(partByteCount)
          }
        } else {
          let (key, number) = (keys[next], next)
          let isThere = try plainly {
            try question.find(key.piece, in: reader) { match, object in
              try Self.write(key, match, object, number, question, form, out)
            }
          }
          if isThere { hits += 1 } else { misses += 1 }
          // Where nothing covers the key, nothing was written.
          if out.count == rowStart { _ = try Self.write(key, nil, nil, number, question, form, out) }
          next += 1
        }
      } catch {
        failures += 1
        // Of a file that was cut, what was read before may be wrong, too.
        let isCut = error.code == .truncated
        if isCut { out.count = start } else if question.matching != .exact { out.count = rowStart }
        let end = min(next + 1, keys.count)
        for number in (isCut ? first : next)..<end { Self.write(error, of: keys[number], number, form, out) }
        next = end
      }
    }
    store.countLookups(hits: hits, misses: misses, failures: failures)
  }

  /// Throws nothing but ``FuseError``.
  private static func plainly(_ body: () throws -> Bool) throws(FuseError) -> Bool {
    do { return try body() } catch let error as FuseError { throw error } catch { preconditionFailure("\(error)") }
  }

  /// Appends what answers a key; whether it is there.
  @inline(__always)
  private static func write(
    _ key: KeyList.Key, _ match: Piece?, _ object: Piece?, _ number: Int, _ question: Question, _ form: Form,
    _ out: TextPlace
  ) throws(FuseError) -> Bool {
    let start = out.count
    do throws(FuseError) {
      if form == .array, number > 0 { out.append(",\n") }
      guard form != .messagePack else {
        if let object {
          out.append([0x91])
          if try question.withWanted(object, { value throws(FuseError) in out.append(value) }) { return true }
          out.count = start
        }
        out.append([0x90])
        return false
      }
      if let object, match == nil, question.field == nil {
        try out.append(row: key.piece, value: object, form == .lines ? "}\n" : "}")
        return true
      }
      out.append("{\"key\":")
      out.append(key: key.piece)
      let end = out.count
      if let object {
        if let match {
          out.append(",\"match\":")
          out.append(key: match)
        }
        out.append(",\"value\":")
        if try question.withWanted(object, { value throws(FuseError) in try out.append(value: value) }) {
          out.append(form == .lines ? "}\n" : "}")
          return true
        }
        out.count = end
      }
      out.append(form == .lines ? ",\"found\":false}\n" : ",\"found\":false}")
      return false
    } catch {
      out.count = start
      throw error
    }
  }

  /// Appends that a key could not be answered.
  private static func write(_ error: FuseError, of key: KeyList.Key, _ number: Int, _ form: Form, _ out: TextPlace) {
    guard form != .messagePack else { return out.append([0xC0]) }
    if form == .array, number > 0 { out.append(",\n") }
    out.append("{\"key\":")
    out.append(key: key.piece)
    var writer = JSONWriter()
    writer.append(",\"error\":")
    writer.append(members: [("code", .text(error.code.rawValue)), ("detail", .text(error.message))])
    out.append(writer.out)
    out.append(form == .lines ? "}\n" : "}")
  }
}

/// Keys that C took out of a body.
@safe
struct KeyList: RandomAccessCollection {
  // SAFETY: C's, for as long as the request is answered; there are `count`.
  let start: UnsafeMutablePointer<fuse_bytes>?
  let count: Int

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(index: Int) -> Key {
    // SAFETY: the index is one of them.
    Key(unsafe Piece(start![index]) ?? .empty)
  }

  struct Key: FuseKeyBytes {
    let piece: Piece

    init(_ piece: Piece) { self.piece = piece }

    var keyBytes: RawSpan {
      @_lifetime(borrow self)
      get {
        // SAFETY: C keeps the bytes for as long as the request is answered.
        unsafe _overrideLifetime(piece.span, borrowing: self)
      }
    }
  }
}
