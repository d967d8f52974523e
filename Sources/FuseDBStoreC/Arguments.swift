internal import CFuseDB
internal import CFuseDBStore
internal import CFuseHandles
internal import CFuseSystem
internal import FuseDBFormat
internal import FuseDBStore
internal import FuseDBSystem

// What C programs pass, checked before anything is done with it.

/// The bytes of a pointer and a length.
func given(_ start: UnsafeRawPointer?, _ count: Int, _ name: StaticString) throws(FuseError) -> UnsafeRawBufferPointer {
  guard count >= 0 else { throw .slip("'\(name)' is longer than memory can be") }
  guard start != nil || count == 0 else { throw .slip("'\(name)' is NULL and is to have \(count) bytes") }
  return UnsafeRawBufferPointer(start: start ?? UnsafeRawPointer(("" as StaticString).utf8Start), count: count)
}

/// A path of a file, or a name in a store: bytes that need not be UTF-8.
func path(_ start: UnsafeRawPointer?, _ count: Int, _ name: StaticString) throws(FuseError) -> String {
  let text = String(path: Array(try given(start, count, name)))
  guard !text.isEmpty else { throw .slip("'\(name)' is empty") }
  guard !text.utf8.contains(0) else { throw .slip("'\(name)' holds a zero byte, as no path does") }
  return text
}

/// Where a result goes.
func slot<Value>(
  _ slot: UnsafeMutablePointer<Value>?, _ name: StaticString
) throws(FuseError) -> UnsafeMutablePointer<Value> {
  guard let slot else { throw .slip("'\(name)' is NULL, so that there is no place for the result") }
  return slot
}

/// Options, which begin with their size.
///
/// - Parameter known: a struct of zeros.
func options<Options: BitwiseCopyable>(
  _ options: UnsafePointer<Options>?, _ known: Options, _ name: StaticString
) throws(FuseError) -> Options {
  guard let options else { return known }
  let bytes = try sized(UnsafeRawPointer(options), name)
  guard bytes.dropFirst(MemoryLayout<Options>.size).allSatisfy({ $0 == 0 }) else {
    throw .slip("'\(name)' asks for what this version of the library does not have")
  }
  var copy = known
  withUnsafeMutableBytes(of: &copy) { copy in
    copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(copy.count)))
  }
  return copy
}

/// Where a report goes, which begins with the size that the caller has room for.
struct ReportSlot<Report: BitwiseCopyable> {
  private let start: UnsafeMutableRawPointer?

  init(_ slot: UnsafeMutablePointer<Report>?) throws(FuseError) {
    if let slot { _ = try sized(UnsafeRawPointer(slot), "report") }
    start = UnsafeMutableRawPointer(slot)
  }

  /// - Parameter report: with any size.
  func fill(_ report: Report) {
    guard let start else { return }
    let size = start.load(as: Int.self)
    withUnsafeBytes(of: report) { report in
      let count = min(size, report.count)
      start.copyMemory(from: report.baseAddress!, byteCount: count)
      (start + count).initializeMemory(as: UInt8.self, repeating: 0, count: size - count)
    }
    start.storeBytes(of: size, as: Int.self)
  }
}

/// The bytes of a struct that begins with its size.
private func sized(_ start: UnsafeRawPointer, _ name: StaticString) throws(FuseError) -> UnsafeRawBufferPointer {
  let size = start.load(as: Int.self)
  guard size >= MemoryLayout<Int>.size, size <= 1 << 16 else {
    throw .slip("the size that '\(name)' begins with is \(size); set it to its sizeof, as the header's functions do")
  }
  return UnsafeRawBufferPointer(start: start, count: size)
}

// MARK: Ids

/// An id.
func identifier(_ id: UnsafePointer<fuse_store_id>?) throws(FuseError) -> FuseStore.ObjectID {
  guard let id else { throw .slip("'id' is NULL") }
  let bytes = Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(id), count: FuseStore.ObjectID.byteCount))
  guard let found = FuseStore.ObjectID(bytes.rawSpan) else { throw .slip("'id' is none") }
  return found
}

extension FuseStore.ObjectID {
  /// The same as C has it.
  var forC: fuse_store_id {
    var id = fuse_store_id()
    withUnsafeMutableBytes(of: &id) { $0.copyBytes(from: bytes) }
    return id
  }
}

// MARK: Long calls

/// A function of C that is told how far a call is.
private struct ProgressCallback {
  let function: @convention(c) (UnsafeMutableRawPointer?, Double) -> Int32
  let context: UnsafeMutableRawPointer?
  let ending: UnsafeMutablePointer<fuse_ending>

  func callAsFunction(_ share: Double) { if function(context, share) != 0 { fuse_ending_end(ending) } }
}

/// Does `body` as a long call that can be ended, and gives it what to tell progress to.
func longCall<Result>(
  _ given: UnsafePointer<fuse_store_call>?, _ body: (_ progress: ((Double) -> Void)?) throws(FuseError) -> Result
) throws(FuseError) -> Result {
  guard let given else { return try body(nil) }
  let call = try options(given, fuse_store_call(), "call")
  // On the heap, for its address stays the same in all threads.
  let ending = UnsafeMutablePointer<fuse_ending>.allocate(capacity: 1)
  ending.initialize(to: fuse_ending_make(nil))
  defer { ending.deallocate() }
  fuse_ending_poll(ending, call.poll, call.context)
  return try Cancellation.with(ending) { () throws(FuseError) in
    try Cancellation.check()
    guard let function = call.progress else { return try body(nil) }
    let callback = ProgressCallback(function: function, context: call.context, ending: ending)
    return try body { callback($0) }
  }
}

// MARK: Buffers

extension UnsafeMutablePointer<fuse_buffer> {
  /// Makes these its bytes.
  func set(_ bytes: [UInt8]) throws(FuseError) {
    guard pointee.capacity >= 0, pointee.data != nil || pointee.capacity == 0 else {
      throw .slip("'bytes' is no buffer; begin with FUSE_BUFFER_EMPTY")
    }
    if bytes.count > pointee.capacity {
      guard let grown = fuse_memory_grow(pointee.data, bytes.count) else {
        throw .outOfMemory("copy \(bytes.count) bytes")
      }
      pointee.data = grown.assumingMemoryBound(to: UInt8.self)
      pointee.capacity = bytes.count
    }
    if !bytes.isEmpty { pointee.data!.update(from: bytes, count: bytes.count) }
    pointee.size = bytes.count
  }
}
