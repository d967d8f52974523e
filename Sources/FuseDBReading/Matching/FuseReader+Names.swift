internal import CFuseIntrinsics
package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

// Names and what covers them. See spec/matches.md §2 and §3.

extension FuseReader {
  /// The entry of the key that covers a name best. [Q3]
  package func entry(covering name: RawSpan, _ work: inout MatchWork) throws(FuseError) -> IndexEntry? {
    try entry(covering: name, local: name.extracting(first: 0), &work)
  }

  /// The entry of the key that covers an address best. [Q4] [Q5]
  package func entry(coveringAddress address: RawSpan, _ work: inout MatchWork) throws(FuseError) -> IndexEntry? {
    guard let at = address.lastIndex(of: UInt8(ascii: "@"), in: 0..<address.byteCount), at > 0 else { return nil }
    return try entry(
      covering: address.extracting(droppingFirst: at + 1), local: address.extracting(first: at + 1), &work)
  }

  /// - Parameter local: what is before the name, with the `@`; of a name alone, nothing.
  private func entry(
    covering name: RawSpan, local: RawSpan, _ work: inout MatchWork
  ) throws(FuseError) -> IndexEntry? {
    var count = name.byteCount
    // [Q1] Also of a dot with no name before it.
    guard count > 0 else { return nil }
    if name.loadInside(at: count - 1, as: UInt8.self) == UInt8(ascii: ".") { count &-= 1 }
    guard count > 0, count <= LowerName.mostBytes else { return nil }
    let lengths = index.lengths
    let asksAddress = local.byteCount > 0 && lengths.hasAddresses && lengths.has(local.byteCount + count)
    let room = LowerName.room + (asksAddress ? local.byteCount : 0)
    let found = unsafe try withUnsafeTemporaryAllocation(
      byteCount: room + LowerName.byteCount, alignment: 16
    ) { memory throws(FuseError) -> IndexEntry? in
      // SAFETY: the memory has room for the address before the name, and for what `LowerName` says from there on.
      let start = unsafe memory.baseAddress! + room
      guard let name = unsafe LowerName(name.extracting(first: count), at: start) else { return nil }
      if asksAddress {
        unsafe local.withUnsafeBytes {
          unsafe (start - $0.count).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
      }
      return try entry(covering: name, localByteCount: asksAddress ? local.byteCount : 0, &work)
    }
    if found == nil { try mapping.checkNotShrunk() }
    return found
  }

  /// - Parameter localByteCount: how many bytes before the name are an address with it; 0 for none.
  private func entry(
    covering name: LowerName, localByteCount: Int, _ work: inout MatchWork
  ) throws(FuseError) -> IndexEntry? {
    let lengths = index.lengths
    // SAFETY: a group of questions ends where there is no room for three more. Before the name there is room for `*.`, and before
    // each of its labels but the first there are two bytes of it, since no label is empty.
    return unsafe try withUnsafeTemporaryAllocation(
      of: KeyQuestion.self, capacity: KeyQuestion.atOnce
    ) { (questions) throws(FuseError) -> IndexEntry? in
      var count = 0
      if localByteCount > 0 {
        unsafe questions.initializeElement(
          at: 0, to: question(name.start - localByteCount, count: localByteCount + name.count))
        count = 1
      }
      var label = 0
      while label <= name.dotCount {
        repeat {
          let start = unsafe label == 0 ? 0 : Int(name.dots[label &- 1]) &+ 1
          let length = name.count &- start
          // The forms of the names at hand in the order in which they answer, a bit each. [Q3]
          var forms = lengths.forms(nameLength: length, dots: name.dotCount &- label, isWhole: label == 0)
          // A key that is the question itself may have any form.
          if label == 0, name.isWild { forms |= 1 }
          while forms != 0 {
            let place = forms.trailingZeroBitCount
            forms &= forms &- 1
            let mark = label == 0 ? place : 2 &- place
            unsafe questions.initializeElement(
              at: count, to: question(name.start + (start &- mark), count: length &+ mark, mark: mark))
            count &+= 1
          }
          label &+= 1
        } while label <= name.dotCount && count <= KeyQuestion.atOnce &- 3
        if let entry = try unsafe answer(questions, count: count, &work) { return entry }
        count = 0
      }
      return nil
    }
  }
}

/// A name in lower case, with room before it and the places of its dots after it.
@safe
struct LowerName {
  /// So many bytes are before the name.
  static let room = 16
  /// So many bytes are for the name and its dots.
  static let byteCount = 512
  private static let dotsStart = 272
  /// As ``KeyLengths/nameByteCount``, which is a call from here.
  static var mostBytes: Int { 253 }

  let start: UnsafeMutableRawPointer
  let count: Int
  let dots: UnsafePointer<UInt8>
  let dotCount: Int

  /// Whether the first label is `*`, and not the last.
  @inline(__always)
  var isWild: Bool {
    // SAFETY: a name has at least one byte, and room after it.
    unsafe dotCount > 0 && dots[0] == 1 && start.load(as: UInt8.self) == UInt8(ascii: "*")
  }

  /// Nil where a label is empty. [Q1]
  ///
  /// - Parameters:
  ///   - name: 1 to 253 bytes.
  ///   - start: has room for ``byteCount`` bytes.
  @inline(__always)
  init?(_ name: RawSpan, at start: UnsafeMutableRawPointer) {
    // SAFETY: a name of 253 bytes and 16 more end before the dots begin, and those end before ``byteCount``.
    unsafe self.start = start
    let dots = unsafe (start + Self.dotsStart).assumingMemoryBound(to: UInt8.self)
    count = name.byteCount
    let found = unsafe name.withUnsafeBytes { bytes in
      unsafe fuse_lower_name(
        bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), bytes.count,
        start.assumingMemoryBound(to: UInt8.self), dots)
    }
    guard found >= 0 else { return nil }
    unsafe self.dots = UnsafePointer(dots)
    dotCount = Int(found)
  }
}
