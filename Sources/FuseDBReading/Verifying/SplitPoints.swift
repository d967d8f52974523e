internal import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues

/// Where a file may be cut into parts that are walked at the same time.
///
/// These are guesses, from unchecked bytes. A walk over the part before shows whether one is right: it
/// arrives exactly there. A wrong one costs time and changes nothing that is found.
struct SplitPoints {
  /// From here the parts begin; the first is the section's begin, the rest ascend.
  var records: [Int]
  var entries: [Int]

  /// How many entries in a row have to make sense.
  private static let entriesToTry = 8
  /// How far from an offset in the index such a row may begin and end; longer keys make larger parts. Two characters of
  /// a key, taken for a length, lead beyond it: 0x2020 is more.
  private static let bytesToTry = 4096
  private static let bytesToEnd = 8192
  /// Parts of a very large file are larger, so that they stay few.
  private static let mostParts = 1024
  /// Fewest offsets in the index from which offsets of objects are taken.
  private static let fewestSamples = 64

  init(data: Range<Int>, index: Range<Int>, of file: RawSpan, partByteCount: Int) {
    let entryStep = max(partByteCount, index.count / Self.mostParts + 1)
    entries = [index.lowerBound]
    var targets: [Int] = []
    for point in stride(from: index.lowerBound + entryStep, to: index.upperBound, by: entryStep) {
      guard let found = Self.entry(near: point, data: data, index: index, in: file, targets: &targets) else { continue }
      if found > entries[entries.count - 1] { entries.append(found) }
    }

    let recordStep = max(partByteCount, data.count / Self.mostParts + 1)
    records = [data.lowerBound]
    guard data.count > recordStep else { return }
    let sampleStep = max(1, index.count / max(Self.fewestSamples, 4 * (data.count / recordStep)))
    for point in stride(from: index.lowerBound, to: index.upperBound, by: sampleStep) {
      _ = Self.entry(near: point, data: data, index: index, in: file, targets: &targets)
    }
    targets.sort()
    for target in targets where target - records[records.count - 1] >= recordStep { records.append(target) }
  }

  /// The parts between the points of a section that ends at `end`.
  static func parts(from points: [Int], until end: Int) -> [Range<Int>] {
    zip(points, points.dropFirst() + [end]).map { $0..<$1 }
  }

  /// Where an entry probably begins, not far after `point`; and which objects those before it point at.
  ///
  /// Bytes that are no entry often lead to one: a length that stands anywhere may end where an entry ends, and from
  /// there on all is right. So the answer is where a row of entries ends that makes sense, not where it begins.
  private static func entry(
    near point: Int, data: Range<Int>, index: Range<Int>, in file: RawSpan, targets: inout [Int]
  ) -> Int? {
    let lastTarget = data.upperBound - ObjectRecord.overhead
    let count = targets.count
    for start in point..<min(point + bytesToTry, index.upperBound) {
      var offset = start
      var previous: Range<Int>?
      for _ in 0..<entriesToTry where offset < index.upperBound {
        guard let entry = IndexEntry(at: offset, in: file), entry.end <= min(index.upperBound, point + bytesToEnd),
          entry.objectOffset >= UInt64(data.lowerBound), entry.objectOffset <= UInt64(max(0, lastTarget)),
          previous.map({ file.isAscending($0, entry.keyRange) }) ?? true
        else {
          targets.removeSubrange(count...)
          break
        }
        targets.append(Int(entry.objectOffset))
        previous = entry.keyRange
        offset = entry.end
      }
      if targets.count > count { return offset < index.upperBound ? offset : nil }
    }
    return nil
  }
}
