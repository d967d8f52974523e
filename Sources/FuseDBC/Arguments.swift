internal import CFuseDB
internal import FuseDB

// What C programs pass, checked before anything is done with it: whatever would be a failed precondition in Swift is an
// error here.

/// The bytes of a pointer and a length that fit each other. Those of NULL are none, somewhere: spans have an address.
@inline(__always)
func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> UnsafeRawBufferPointer {
  UnsafeRawBufferPointer(start: start ?? UnsafeRawPointer(("" as StaticString).utf8Start), count: count)
}

/// The bytes of a pointer and a length.
@inline(__always)
func given(
  _ start: UnsafeRawPointer?, _ count: Int, _ name: StaticString
) throws(FuseError) -> UnsafeRawBufferPointer {
  guard count >= 0, start != nil || count == 0 else { throw badBytes(count, name) }
  return bytes(start, count)
}

@inline(never)
private func badBytes(_ count: Int, _ name: StaticString) -> FuseError {
  .slip(count < 0 ? "'\(name)' is longer than memory can be" : "'\(name)' is NULL and is to have \(count) bytes")
}

/// The same of a span.
func given(_ span: fuse_span, _ name: StaticString) throws(FuseError) -> UnsafeRawBufferPointer {
  try given(span.data, span.size, name)
}

/// A text.
func text(_ start: UnsafeRawPointer?, _ count: Int, _ name: StaticString) throws(FuseError) -> String {
  guard let text = String(validating: try given(start, count, name), as: UTF8.self) else {
    throw .slip("'\(name)' is not UTF-8")
  }
  return text
}

/// A path of a file.
func path(_ start: UnsafeRawPointer?, _ count: Int, _ name: StaticString) throws(FuseError) -> String {
  // SAFETY: the array copies the bytes, which are there until the caller's call returns.
  let path = String(path: Array(unsafe try given(start, count, name)))
  guard !path.isEmpty else { throw .slip("'\(name)' is empty; name a file") }
  guard !path.utf8.contains(0) else { throw .slip("'\(name)' holds a zero byte, as no path does") }
  return path
}

/// An array of so many elements.
func array<Element>(
  _ start: UnsafePointer<Element>?, _ count: Int, _ name: StaticString
) throws(FuseError) -> UnsafeBufferPointer<Element> {
  guard count >= 0, count <= Int.max / max(1, MemoryLayout<Element>.stride) else {
    throw .slip("'\(name)' is longer than memory can be")
  }
  guard start != nil || count == 0 else { throw .slip("'\(name)' is NULL and is to have \(count) elements") }
  return UnsafeBufferPointer(start: start, count: count)
}

/// Where a result goes.
func slot<Value>(_ slot: UnsafeMutablePointer<Value>?, _ name: StaticString) throws(FuseError) -> UnsafeMutablePointer<
  Value
> {
  guard let slot else { throw .slip("'\(name)' is NULL, so that there is no place for the result") }
  return slot
}

/// A number that Swift counts with.
func count(_ number: UInt64, _ name: StaticString) throws(FuseError) -> Int {
  guard let count = Int(exactly: number) else { throw .slip("'\(name)' is \(number) and at most \(Int.max)") }
  return count
}

/// How many threads; nil for the default.
func threads(_ number: UInt32, _ name: StaticString) throws(FuseError) -> Int? {
  guard number <= 1024 else { throw .slip("'\(name)' is \(number) and at most 1024") }
  return number == 0 ? nil : Int(number)
}

/// A share, where there is one.
func share(_ share: Double, isGiven: Bool, _ name: StaticString) throws(FuseError) -> Double? {
  guard isGiven else { return nil }
  guard (0...1).contains(share) else { throw .slip("'\(name)' is \(share) and must be a share, from 0 to 1") }
  return share
}

/// One of the constants of the header, which count from 0.
func choice<Choice>(_ number: Int32, _ name: StaticString, _ choices: [Choice]) throws(FuseError) -> Choice {
  guard choices.indices.contains(Int(number)) else {
    throw .slip("'\(name)' is \(number); the header has constants for 0 to \(choices.count - 1)")
  }
  return choices[Int(number)]
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

  init(_ slot: UnsafeMutablePointer<Report>?, _ name: StaticString) throws(FuseError) {
    if let slot { _ = try sized(UnsafeRawPointer(slot), name) }
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

/// Paths of files.
func paths(
  _ start: UnsafePointer<fuse_span>?, _ count: Int, _ name: StaticString
) throws(FuseError) -> [String] {
  var paths: [String] = []
  for span in try array(start, count, name) { paths.append(try path(span.data, span.size, name)) }
  return paths
}
