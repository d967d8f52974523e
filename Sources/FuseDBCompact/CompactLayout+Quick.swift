internal import CFuseRows
internal import FuseDBFormat
internal import FuseDBValues

// The quick way to objects and their fields, which has an answer where everything is as it should be. What it has none for is read once more,
// step by step, by what says what is wrong.

extension CompactLayout {
  /// Appends the MessagePack of an object, or says that this is not the way.
  func expandQuickly(_ reference: UInt64, of file: RawSpan, into out: inout [UInt8]) -> Bool {
    guard let offset = quickOffset(ofRow: reference, in: file) else { return false }
    // SAFETY: the file is there until this function ends, and there are enough bytes after rows and tables.
    var rows = unsafe quickRows(of: file)
    var value = unsafe fuse_row_value(at: rows.file, end: rows.file, depth: 0, isWhole: true, isInPart: false)
    guard unsafe fuse_row_find(&rows, offset, &value) == fuse_row_done else { return false }
    return unsafe Self.expandQuickly(&value, &rows, into: &out)
  }

  /// Appends the MessagePack of what stands at a path, and says whether anything does; nil where this is not the way.
  func fieldQuickly(
    _ path: FusePath, of reference: UInt64, in file: RawSpan, into out: inout [UInt8]
  ) -> Bool? {
    guard let offset = quickOffset(ofRow: reference, in: file) else { return nil }
    // SAFETY: the file is there until this function ends, and there are enough bytes after rows and tables.
    var rows = unsafe quickRows(of: file)
    var value = unsafe fuse_row_value(at: rows.file, end: rows.file, depth: 0, isWhole: true, isInPart: false)
    guard unsafe fuse_row_find(&rows, offset, &value) == fuse_row_done else { return nil }
    for step in path.steps {
      let name = step.name.span
      let index = Int64(step.number ?? -1)
      let outcome = unsafe name.withUnsafeBufferPointer { name in
        unsafe fuse_row_enter(&rows, &value, name.baseAddress, name.count, index)
      }
      if outcome == fuse_row_absent { return false }
      guard outcome == fuse_row_done else { return nil }
    }
    unsafe value.isWhole = false
    return unsafe Self.expandQuickly(&value, &rows, into: &out) ? true : nil
  }

  /// Where a row begins, if what is read beyond its end, and beyond those of tables, lies in the file.
  @inline(__always)
  func quickOffset(ofRowAt offset: UInt64, in file: RawSpan) -> Int? {
    let end = max(rowsEnd, shapes.range.upperBound, parts.range.upperBound)
    guard end <= file.byteCount &- Int(fuse_rows_slack), offset >= UInt64(Header.byteCount), offset < UInt64(rowsEnd)
    else { return nil }
    return Int(offset)
  }

  /// The same of a reference.
  @inline(__always)
  func quickOffset(ofRow reference: UInt64, in file: RawSpan) -> Int? {
    let end = max(rowsEnd, shapes.range.upperBound, parts.range.upperBound)
    guard end <= file.byteCount &- Int(fuse_rows_slack), reference <= UInt64(rowsEnd) >> blocks.shift else {
      return nil
    }
    return Header.byteCount &+ Int(reference &<< blocks.shift)
  }

  // SAFETY: whoever calls this uses it no longer than the file is there.
  /// The rows and the tables of a file.
  @unsafe
  @inline(__always)
  func quickRows(of file: RawSpan) -> fuse_rows {
    let start = unsafe file.withUnsafeBytes { unsafe $0.baseAddress!.assumingMemoryBound(to: UInt8.self) }
    return unsafe fuse_rows(
      file: start, rowsEnd: start + rowsEnd, shapes: shapes.quick(from: start), parts: parts.quick(from: start))
  }

  // SAFETY: the value lies in the file of the rows, which is there; what is written is as much as there is room for.
  /// Appends the MessagePack of a value, or says that this is not the way.
  @unsafe
  @inline(__always)
  private static func expandQuickly(
    _ value: inout fuse_row_value, _ rows: inout fuse_rows, into out: inout [UInt8]
  ) -> Bool {
    let slack = Int(fuse_rows_slack)
    var room = max(out.capacity &- out.count, 1024)
    while true {
      var outcome: Int64 = 0
      out.append(addingCapacity: room) { span in
        unsafe span.withUnsafeMutableBufferPointer { bytes, count in
          outcome = unsafe fuse_row_expand(&rows, &value, bytes.baseAddress! + count, room &- slack)
          if outcome > 0 { count += Int(outcome) }
        }
      }
      if outcome > 0 { return true }
      guard outcome == fuse_row_full, room < FormatLimits.objectByteCount else { return false }
      room = min(4 &* room, FormatLimits.objectByteCount)
    }
  }
}

extension CompactItems {
  // SAFETY: the table lies in the file that begins there; whoever calls this uses it no longer than that is there.
  @unsafe
  @inline(__always)
  fileprivate func quick(from file: UnsafePointer<UInt8>) -> fuse_items {
    unsafe fuse_items(
      places: file + range.lowerBound + Self.headByteCount, items: file + start,
      byteCount: UInt64(range.upperBound &- start), count: UInt64(count), most: UInt64(mostByteCount),
      isWide: width != 4)
  }
}
