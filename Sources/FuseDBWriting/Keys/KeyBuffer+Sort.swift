internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

// SAFETY: all rows are of this buffer, and each names a record inside the block, of which the key has `keyByteCount`
// bytes and then eight readable ones. Indices stay below the rows' count, and a depth is at most the length of a key
// that is read from there.
extension KeyBuffer {
  /// Below this many rows, inserting each where it belongs is quicker.
  private static let fewRows = 12

  /// Below this many rows, comparing is quicker than counting.
  private static let fewRowsToCount = 256

  /// Puts the rows in the order of their keys, equal keys in the order of their positions; and the keys' first bytes back
  /// into the rows.
  ///
  /// Keys are sorted by eight bytes at a time: those that share eight bytes take their next eight into their rows and are
  /// sorted by those. So what is looked at are integers side by side, and a key's own bytes are fetched only when it goes on
  /// with the next eight. Many rows are sorted by a digit of those integers, which needs no branch that depends on a key;
  /// few by quicksort (Bentley and Sedgewick, "Fast Algorithms for Sorting and Searching Strings", 1997).
  ///
  /// - Complexity: O(n log n + bytes that keys share with their neighbours).
  func sort() {
    // SAFETY: the rows are this buffer's, and each names a record of it.
    let rows = unsafe rows
    unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * Digit.count) { counts in
      unsafe sortByDigits(rows, depth: 0, counts)
    }
    for i in 0..<rows.count {
      unsafe rows[i].prefix = Self.prefix(of: key(rows[i], from: 0), Int(rows[i].keyByteCount))
    }
  }

  /// Sorts by digits as long as there are many rows.
  ///
  /// - Parameter counts: room for two numbers for each value of a digit.
  @unsafe
  private func sortByDigits(
    _ all: UnsafeMutableBufferPointer<Row>, depth start: Int, _ counts: UnsafeMutableBufferPointer<UInt32>
  ) {
    var (rows, depth) = unsafe (all, start)
    while rows.count >= Self.fewRowsToCount {
      guard let digit = unsafe Digit(of: rows) else {
        unsafe rows = withNextBytes(of: rows, depth: depth)
        depth += 8
        continue
      }
      unsafe digit.sort(rows, counts)
      // The rows with one value after the other; the most of them last, so that the stack stays as deep as the logarithm.
      var largest = 0..<0
      var begin = 0
      while begin < rows.count {
        let value = unsafe rows[begin].prefix & digit.mask
        var end = begin + 1
        while end < rows.count, unsafe rows[end].prefix & digit.mask == value { end &+= 1 }
        let smaller = end - begin > largest.count ? largest : begin..<end
        if end - begin > largest.count { largest = begin..<end }
        if smaller.count > 1 {
          unsafe sortByDigits(UnsafeMutableBufferPointer(rebasing: rows[smaller]), depth: depth, counts)
        }
        begin = end
      }
      unsafe rows = UnsafeMutableBufferPointer(rebasing: rows[largest])
    }
    unsafe sort(rows, depth: depth, patience: Self.patience(rows.count))
  }

  /// Some bits of the prefixes by which rows are put into order: the first ones that are not the same in all of them, so that bits
  /// that say nothing, such as the upper half of each digit in a text, are passed over.
  private struct Digit {
    private static let bitCount = 8
    /// How many values it has.
    static let count = 1 << bitCount

    /// Its bits in a prefix.
    let mask: UInt64
    /// Two groups of bits that stand together: where the lower end of each is, and the bits of each in the digit.
    private let highShift: UInt64
    private let highMask: UInt64
    private let lowShift: UInt64
    private let lowMask: UInt64
    private let lowCount: UInt64

    /// Nil where all prefixes are the same.
    @unsafe
    init?(of rows: UnsafeMutableBufferPointer<Row>) {
      var (all, any): (UInt64, UInt64) = (.max, 0)
      for i in 0..<rows.count {
        let prefix = unsafe rows[i].prefix
        all &= prefix
        any |= prefix
      }
      let varying = all ^ any
      guard varying != 0 else { return nil }
      let high = Self.firstGroup(of: varying, atMost: Self.bitCount)
      let rest = varying & ~(~0 &<< high.shift)
      let low = rest == 0 ? (shift: 0, count: 0) : Self.firstGroup(of: rest, atMost: Self.bitCount - Int(high.count))
      highShift = high.shift
      highMask = 1 &<< high.count &- 1
      lowShift = low.shift
      lowMask = 1 &<< low.count &- 1
      lowCount = low.count
      mask = highMask &<< highShift | lowMask &<< lowShift
    }

    /// The highest bits of a number, not 0, that stand together.
    private static func firstGroup(of bits: UInt64, atMost count: Int) -> (shift: UInt64, count: UInt64) {
      let zeros = bits.leadingZeroBitCount
      let count = min((~(bits << zeros)).leadingZeroBitCount, count)
      return (UInt64(64 - zeros - count), UInt64(count))
    }

    @inline(__always)
    private func of(_ prefix: UInt64) -> Int {
      Int(
        truncatingIfNeeded: (prefix &>> highShift & highMask) &<< lowCount | prefix &>> lowShift & lowMask)
    }

    /// Puts rows into the order of their digits, in place: each pass puts every row that it looks at where it belongs, and takes what
    /// stands there for the next pass. (Skarupke, "I Wrote a Faster Sorting Algorithm", 2016.)
    @unsafe
    func sort(_ rows: UnsafeMutableBufferPointer<Row>, _ counts: UnsafeMutableBufferPointer<UInt32>) {
      // SAFETY: digits are below `count`. Of each value, `next` is where its next row goes, and `ends` where its rows end: the places
      // are as many as the rows that belong there.
      let next = unsafe UnsafeMutableBufferPointer(rebasing: counts[..<Self.count])
      let ends = unsafe UnsafeMutableBufferPointer(rebasing: counts[Self.count...])
      unsafe ends.update(repeating: 0)
      for i in 0..<rows.count { unsafe ends[of(rows[i].prefix)] &+= 1 }
      var end: UInt32 = 0
      for value in 0..<Self.count {
        unsafe next[value] = end
        unsafe end &+= ends[value]
        unsafe ends[value] = end
      }
      var isDone = false
      while !isDone {
        isDone = true
        for value in 0..<Self.count {
          var place = unsafe next[value]
          let end = unsafe ends[value]
          if place == end { continue }
          isDone = false
          while place < end {
            let row = unsafe rows[Int(place)]
            let value = of(row.prefix)
            let target = unsafe next[value]
            unsafe rows[Int(place)] = rows[Int(target)]
            unsafe rows[Int(target)] = row
            unsafe next[value] = target &+ 1
            place &+= 1
          }
        }
      }
    }
  }

  @unsafe
  private func key(_ row: Row, from depth: Int) -> UnsafeRawPointer {
    unsafe UnsafeRawPointer(memory.start) + Int(row.offset) + Self.overhead + depth
  }

  @unsafe
  private func position(_ row: Row) -> UInt64 {
    unsafe memory.start.loadUnaligned(fromByteOffset: Int(row.offset) + 8, as: UInt64.self)
  }

  /// - Parameter patience: how many partitions may follow each other before a sort that no order of rows slows down
  ///   takes over.
  @unsafe
  private func sort(_ all: UnsafeMutableBufferPointer<Row>, depth start: Int, patience: Int) {
    var (rows, depth, patience) = unsafe (all, start, patience)
    while rows.count > Self.fewRows {
      patience -= 1
      guard patience > 0 else {
        return unsafe rows.sort { left, right in unsafe precedes(left, right, depth: depth) }
      }
      let (less, greater) = unsafe Self.partition(rows)
      let equal = unsafe withNextBytes(of: UnsafeMutableBufferPointer(rebasing: rows[less..<greater]), depth: depth)
      if less == 0, greater == rows.count {
        unsafe rows = equal
        depth += 8
        patience = Self.patience(equal.count)
        continue
      }
      unsafe sort(equal, depth: depth + 8, patience: Self.patience(equal.count))
      let front = unsafe UnsafeMutableBufferPointer(rebasing: rows[..<less])
      let back = unsafe UnsafeMutableBufferPointer(rebasing: rows[greater...])
      // The smaller one first: so the stack stays as deep as the logarithm.
      unsafe sort(front.count < back.count ? front : back, depth: depth, patience: patience)
      unsafe rows = front.count < back.count ? back : front
    }
    unsafe insertionSort(rows, depth: depth)
  }

  private static func patience(_ count: Int) -> Int { 4 * (Int.bitWidth - count.leadingZeroBitCount) }

  /// Moves what is less than a pivot to the front and what is greater to the back. Returns where the rest stands.
  @unsafe
  private static func partition(_ rows: UnsafeMutableBufferPointer<Row>) -> (less: Int, greater: Int) {
    let pivot = unsafe pivot(of: rows)
    var (less, next, greater) = (0, 0, rows.count)
    while next < greater {
      let prefix = unsafe rows[next].prefix
      if prefix < pivot {
        unsafe rows.swapAt(less, next)
        less &+= 1
        next &+= 1
      } else if prefix > pivot {
        greater &-= 1
        unsafe rows.swapAt(next, greater)
      } else {
        next &+= 1
      }
    }
    return (less, greater)
  }

  /// Of rows whose keys share all bytes up to and with those at `depth`, or end inside of these: puts those that end
  /// where they belong, before the others, which take their next eight bytes and are returned.
  @unsafe
  private func withNextBytes(
    of rows: UnsafeMutableBufferPointer<Row>, depth: Int
  ) -> UnsafeMutableBufferPointer<Row> {
    guard rows.count > 1 else { return unsafe UnsafeMutableBufferPointer(rebasing: rows[rows.count...]) }
    var ended = 0
    for i in 0..<rows.count where unsafe Int(rows[i].keyByteCount) <= depth + 8 {
      unsafe rows.swapAt(ended, i)
      ended += 1
    }
    if ended > 1 {
      // Zeros stand for what they lack, so the length decides between them.
      var few = unsafe UnsafeMutableBufferPointer(rebasing: rows[..<ended])
      unsafe few.sort { left, right in
        unsafe left.keyByteCount != right.keyByteCount
          ? left.keyByteCount < right.keyByteCount : position(left) < position(right)
      }
    }
    let rest = unsafe UnsafeMutableBufferPointer(rebasing: rows[ended...])
    for i in 0..<rest.count {
      let left = unsafe Int(rest[i].keyByteCount) - depth - 8
      unsafe rest[i].prefix = Self.prefix(of: key(rest[i], from: depth + 8), left)
    }
    return unsafe rest
  }

  @unsafe
  private func insertionSort(_ rows: UnsafeMutableBufferPointer<Row>, depth: Int) {
    guard rows.count > 1 else { return }
    for i in 1..<rows.count {
      let row = unsafe rows[i]
      var target = i
      while target > 0, unsafe precedes(row, rows[target &- 1], depth: depth) {
        unsafe rows[target] = rows[target &- 1]
        target &-= 1
      }
      unsafe rows[target] = row
    }
  }

  /// Whether a key comes before another, of which the rows hold the bytes at `depth`.
  @inline(__always)
  @unsafe
  private func precedes(_ left: Row, _ right: Row, depth: Int) -> Bool {
    if left.prefix != right.prefix { return left.prefix < right.prefix }
    return unsafe precedesAfterPrefix(left, right, depth: depth)
  }

  @inline(never)
  @unsafe
  private func precedesAfterPrefix(_ left: Row, _ right: Row, depth: Int) -> Bool {
    // SAFETY: both spans are the rest of a key in the block.
    let leftRest = unsafe RawSpan(_unsafeStart: key(left, from: depth), byteCount: Int(left.keyByteCount) - depth)
    let rightRest = unsafe RawSpan(_unsafeStart: key(right, from: depth), byteCount: Int(right.keyByteCount) - depth)
    let order = leftRest.compare(rightRest)
    return unsafe order != 0 ? order < 0 : position(left) < position(right)
  }

  /// The median of three rows, or of three such medians.
  @unsafe
  private static func pivot(of rows: UnsafeMutableBufferPointer<Row>) -> UInt64 {
    func median(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 { max(min(a, b), min(max(a, b), c)) }
    let (last, middle) = (rows.count - 1, rows.count / 2)
    guard rows.count > 100 else {
      return unsafe median(rows[0].prefix, rows[middle].prefix, rows[last].prefix)
    }
    let step = rows.count / 8
    return unsafe median(
      median(rows[0].prefix, rows[step].prefix, rows[2 * step].prefix),
      median(rows[middle - step].prefix, rows[middle].prefix, rows[middle + step].prefix),
      median(rows[last - 2 * step].prefix, rows[last - step].prefix, rows[last].prefix))
  }
}
