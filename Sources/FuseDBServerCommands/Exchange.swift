internal import CFuseHTTP
internal import FuseDB

// SAFETY: C makes an exchange and keeps it, its request and its text until the answer was sent. What is here is used in the call that got the
// exchange alone, and by one thread at a time.

/// A request and its answer.
@safe
struct Exchange {
  let pointer: OpaquePointer
  private let request: UnsafePointer<fuse_request>
  let text: UnsafeMutablePointer<fuse_text>

  @inline(__always)
  @unsafe
  init(_ pointer: OpaquePointer) {
    unsafe self.pointer = pointer
    unsafe request = fuse_exchange_request(pointer)
    unsafe text = fuse_exchange_text(pointer)
  }

  // MARK: The request

  var method: fuse_method { unsafe request.pointee.method }
  var verb: fuse_verb { unsafe request.pointee.verb }
  var wantsMessagePack: Bool { unsafe request.pointee.wants_messagepack != 0 }
  var isKnown: Bool { unsafe request.pointee.is_known != 0 }
  /// Whether it is GET or HEAD; otherwise the answer says so.
  var isReading: Bool {
    if method != FUSE_POST { return true }
    refuse(405, "method", "this address is read with GET or HEAD", headers: [("Allow", "GET, HEAD")])
    return false
  }

  /// A parameter of the query, or the key in the path.
  func parameter(_ parameter: fuse_parameter) -> Piece? { unsafe Piece(fuse_parameter(request, parameter)) }

  var path: Piece { unsafe Piece(request.pointee.path) ?? .empty }
  var query: Piece? { unsafe Piece(request.pointee.query) }
  var body: Piece? { unsafe Piece(request.pointee.body) }
  var accept: Piece? { unsafe Piece(request.pointee.accept) }

  /// Whether the request names this file.
  func isName(_ name: [UInt8]) -> Bool {
    let given = unsafe request.pointee.name
    guard unsafe given.count == name.count, let start = unsafe given.start else { return false }
    for i in name.indices where unsafe start[i] != name[i] { return false }
    return true
  }

  // MARK: The answer

  /// What kinds of answers there are.
  enum Kind {
    case json, lines, messagePack, problem, metrics, other(String)
  }

  /// Begins the answer.
  ///
  /// - Parameters:
  ///   - generation: that of the file that answers; 0 where none does.
  ///   - isTagged: whether it bears an ETag, and whoever has it already gets no body.
  func answer(_ status: Int, _ kind: Kind, generation: Int = 0, isTagged: Bool = false) {
    let name: StaticString
    switch kind {
    case .json: name = "application/json"
    case .lines: name = "application/x-ndjson"
    case .messagePack: name = "application/msgpack"
    case .problem: name = "application/problem+json"
    case .metrics: name = "text/plain; version=0.0.4; charset=utf-8"
    case .other(let name): return answer(status, of: name)
    }
    unsafe name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount + 1) {
      unsafe fuse_exchange_answer(pointer, Int32(status), $0, UInt64(generation), isTagged ? 1 : 0)
    }
  }

  private func answer(_ status: Int, of kind: String) {
    unsafe fuse_exchange_answer(pointer, Int32(status), fuse_interned_kind(kind), 0, 0)
  }

  func header(_ name: String, _ value: String) { _ = unsafe fuse_exchange_header(pointer, name, value) }

  var out: TextPlace { unsafe TextPlace(text) }

  /// Takes back what was written.
  func clear() { out.count = 0 }

  /// Answers with a problem document.
  @inline(never)
  func refuse(_ status: Int, _ code: String, _ detail: String, headers: [(name: String, value: String)] = []) {
    for (name, value) in headers { header(name, value) }
    write(Problem(status: status, code: code, detail: detail))
  }

  /// Answers with what an error says.
  @inline(never)
  func refuse(_ error: FuseError) { write(Problem(error)) }

  func write(_ problem: Problem, generation: Int = 0) {
    clear()
    answer(problem.status, .problem, generation: generation)
    out.append(problem.bytes)
  }
}

// SAFETY: as for the exchange that it is of, or the mapping: used while that is.
/// Bytes in place.
@safe
struct Piece {
  let start: UnsafePointer<UInt8>
  let count: Int

  /// None where C has none.
  @inline(__always)
  init?(_ bytes: fuse_bytes) {
    guard let start = unsafe bytes.start else { return nil }
    unsafe self.start = start
    count = unsafe bytes.count
  }

  @inline(__always)
  init(_ span: RawSpan) {
    count = span.byteCount
    unsafe start = span.withUnsafeBytes { bytes in
      // Of no bytes there may be no address.
      unsafe bytes.baseAddress.map { unsafe $0.assumingMemoryBound(to: UInt8.self) } ?? Piece.empty.start
    }
  }

  static var empty: Piece {
    let text: StaticString = ""
    return unsafe Piece(fuse_bytes(start: text.utf8Start, count: 0))!
  }

  @unsafe
  var span: RawSpan {
    @_lifetime(immortal)
    get {
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: count)
      return unsafe _overrideLifetime(span, copying: ())
    }
  }

  var bytes: [UInt8] { unsafe Array(UnsafeBufferPointer(start: start, count: count)) }

  var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Whether a text is somewhere in it.
  func contains(_ text: StaticString) -> Bool {
    unsafe fuse_contains(start, count, text.utf8Start, text.utf8CodeUnitCount) != 0
  }

  func equals(_ text: StaticString) -> Bool {
    guard text.utf8CodeUnitCount == count else { return false }
    for i in 0..<count where unsafe start[i] != text.utf8Start[i] { return false }
    return true
  }
}
