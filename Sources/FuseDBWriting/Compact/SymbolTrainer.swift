internal import FuseDBCompact
internal import FuseDBFormat

/// Finds the symbols for some texts, by a rule that leaves no choice. See spec/decisions/0041-compact.md.
package struct SymbolTrainer {
  private static let roundCount = 8
  /// What a byte alone gains: it would be two bytes without a symbol, but most bytes are in longer ones.
  private static let gainOfByte = 4

  private var gains = Gains()

  package init() {}

  /// - Parameter sample: where the texts stand in `bytes`.
  /// - Complexity: O(bytes of the sample); memory for each different pair of neighbours.
  package mutating func coder(for sample: [Range<Int>], in bytes: RawSpan) -> SymbolCoder {
    var coder = SymbolCoder([])
    for _ in 0..<Self.roundCount {
      gains.removeAll()
      for range in sample { count(range, in: bytes, coder) }
      coder = SymbolCoder(gains.largest(CompactForm.mostSymbols))
    }
    return coder
  }

  private mutating func count(_ range: Range<Int>, in bytes: RawSpan, _ coder: SymbolCoder) {
    var at = range.lowerBound
    var last: SymbolText?
    while at < range.upperBound {
      let text = coder.token(at: at..<range.upperBound, of: bytes).text
      gains.add(text.byteCount > 1 ? text.byteCount : Self.gainOfByte, to: text)
      if let last, last.byteCount + text.byteCount <= CompactForm.mostSymbolBytes {
        gains.add(last.byteCount + text.byteCount, to: last.followed(by: text))
      }
      last = text
      at += text.byteCount
    }
  }

  /// What texts have gained: a hash table that is as full as three quarters at most.
  private struct Gains {
    private struct Entry {
      var text: SymbolText
      var gain: UInt64
    }

    private var entries = [Entry](repeating: Entry(text: SymbolText(bits: 0, byteCount: 0), gain: 0), count: 1 << 12)
    private var count = 0

    mutating func removeAll() {
      for place in entries.indices { entries[place].gain = 0 }
      count = 0
    }

    @inline(__always)
    mutating func add(_ gain: Int, to text: SymbolText) {
      var place = place(of: text)
      while entries[place].gain != 0 {
        if entries[place].text == text {
          entries[place].gain &+= UInt64(truncatingIfNeeded: gain)
          return
        }
        place = (place &+ 1) & (entries.count &- 1)
      }
      entries[place] = Entry(text: text, gain: UInt64(truncatingIfNeeded: gain))
      count += 1
      if count > entries.count / 4 * 3 { grow() }
    }

    @inline(__always)
    private func place(of text: SymbolText) -> Int {
      let mixed = (text.bits ^ UInt64(truncatingIfNeeded: text.byteCount)) &* 0x9E37_79B9_7F4A_7C15
      return Int(truncatingIfNeeded: ((mixed ^ mixed &>> 32) &* 0x9E37_79B9_7F4A_7C15) &>> 32) & (entries.count &- 1)
    }

    @inline(never)
    private mutating func grow() {
      let before = entries
      let free = Entry(text: SymbolText(bits: 0, byteCount: 0), gain: 0)
      entries = [Entry](repeating: free, count: 2 * before.count)
      for entry in before where entry.gain != 0 {
        var place = place(of: entry.text)
        while entries[place].gain != 0 { place = (place + 1) & (entries.count - 1) }
        entries[place] = entry
      }
    }

    /// The texts that have gained most, by falling gain, equal ones in the order of their bytes.
    func largest(_ most: Int) -> [SymbolText] {
      var best: [Entry] = []
      for entry in entries where entry.gain != 0 {
        if best.count == most, !Self.isBefore(entry, best[most - 1]) { continue }
        // Few of many get in, so moving them costs little.
        var (low, high) = (0, best.count)
        while low < high {
          let middle = (low + high) / 2
          if Self.isBefore(best[middle], entry) { low = middle + 1 } else { high = middle }
        }
        if best.count == most { best.removeLast() }
        best.insert(entry, at: low)
      }
      return best.map(\.text)
    }

    @inline(__always)
    private static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
      left.gain == right.gain ? left.text < right.text : left.gain > right.gain
    }
  }
}

/// Chooses the texts to train symbols with, from keys that come in their order: runs of 16 keys, evenly over all. Of each run they are the
/// first key, and of the others what they don't share with it.
package struct SymbolSample {
  private static let runKeyCount = 16
  private static let mostRuns = 1024

  private let keyCount: Int
  private let runCount: Int
  private var nextRun = 0
  /// Runs that are not over: the number of the first key, and where it stands.
  private var open: [(first: Int, head: Range<Int>)] = []
  private var number = 0
  /// Where the texts stand.
  package private(set) var texts: [Range<Int>] = []

  /// - Parameter keyCount: how many keys will come.
  package init(keyCount: Int) {
    self.keyCount = keyCount
    runCount = min(keyCount / Self.runKeyCount + 1, Self.mostRuns)
  }

  /// Adds the next key.
  @inline(__always)
  package mutating func add(_ key: Range<Int>, in bytes: RawSpan) {
    if !open.isEmpty || number == nextRun * keyCount / runCount { take(key, in: bytes) }
    number += 1
  }

  private mutating func take(_ key: Range<Int>, in bytes: RawSpan) {
    // Runs of few keys overlap.
    if let first = open.first, number - first.first >= Self.runKeyCount { open.removeFirst() }
    for run in open {
      let head = bytes.extracting(run.head.lowerBound..<min(run.head.upperBound, run.head.lowerBound + 255))
      texts.append(key.lowerBound + head.sharedByteCount(with: bytes.extracting(key))..<key.upperBound)
    }
    if nextRun < runCount, number == nextRun * keyCount / runCount {
      texts.append(key)
      open.append((number, key))
      nextRun += 1
    }
  }
}
