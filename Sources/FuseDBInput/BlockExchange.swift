package import FuseDBFormat
internal import FuseDBSystem
internal import FuseDBValues
internal import FuseDBWriting

/// Where the thread that cuts blocks and those that parse them meet.
package final class BlockExchange: Sendable {
  /// What the thread that cuts can do next.
  package enum Turn {
    /// Fill this block.
    case cut(InputBlock)
    /// All blocks are on their way: parse this one.
    case parse(InputBlock)
    /// Something failed, and nothing that follows is of use.
    case stop
  }

  private struct State {
    /// Cut and not yet taken, in their order.
    var waiting: [InputBlock] = []
    var free: [InputBlock] = []
    var blockCount = 0
    /// Whether a block is longer than usual: there is at most one, which is what bounds the memory of long records.
    var hasLongBlock = false
    var isClosed = false
    /// What failed first in the order of the input, and in which block.
    var failure: (block: Int, error: FuseError)?
    var totals = FuseInput.Counts()
    /// Bad records, after which others were read.
    var flaws = RecordFlaws()
    /// The block with the last of them that is told.
    var lastBlock = Int.max

    /// The block after which nothing is of use.
    var end: Int { min(failure?.block ?? .max, lastBlock) }
  }

  private let state = Monitor(State())
  let blockByteCount: Int
  private let mostBlocks: Int
  private let policy: FlawPolicy

  /// - Parameters:
  ///   - blockByteCount: the size of a block; one whose record was longer is not used again.
  ///   - mostBlocks: how many blocks there may be at a time.
  ///   - policy: what happens to bad records.
  package init(blockByteCount: Int, mostBlocks: Int, policy: FlawPolicy = .told(atMost: 1)) {
    self.policy = policy
    self.blockByteCount = blockByteCount
    self.mostBlocks = mostBlocks
  }

  // MARK: For the thread that cuts

  /// Waits for something to do.
  package func nextTurn() -> Turn {
    let (blockByteCount, mostBlocks) = (blockByteCount, mostBlocks)
    return state.wait { state in
      if state.end < .max { return .stop }
      if let block = state.free.popLast() { return .cut(block) }
      if state.blockCount < mostBlocks {
        do throws(FuseError) {
          let block = try InputBlock(byteCount: blockByteCount)
          state.blockCount += 1
          return .cut(block)
        } catch {
          // Where memory is short, fewer blocks do as well; but one is needed.
          if state.blockCount == 0 {
            state.failure = (0, error)
            return .stop
          }
        }
      }
      return state.waiting.isEmpty ? nil : .parse(state.waiting.removeFirst())
    }
  }

  /// Waits until the block that is being filled may become longer than usual, which at most one at a time may be. `parse` is
  /// called with blocks that are in the way. Returns false when something failed.
  package func mayLengthen(_ block: InputBlock, parse: (InputBlock) -> Void) -> Bool {
    if block.room > blockByteCount { return true }
    while true {
      let turn = state.wait { state -> Turn? in
        if state.end < .max { return .stop }
        guard state.hasLongBlock else {
          state.hasLongBlock = true
          return .cut(block)
        }
        return state.waiting.isEmpty ? nil : .parse(state.waiting.removeFirst())
      }
      switch turn {
      case .cut: return true
      case .parse(let other): parse(other)
      case .stop: return false
      }
    }
  }

  /// Hands a block over to be parsed.
  package func handOver(_ block: InputBlock) { state.change { $0.waiting.append(block) } }

  /// Says that no block follows.
  package func close() { state.change { $0.isClosed = true } }

  /// Lets go of the blocks, when all were parsed.
  func releaseAll() { state.change { $0.free = [] } }

  /// What was parsed so far.
  var totals: FuseInput.Counts { state.change { $0.totals } }

  /// What failed first in the order of the input.
  package var failure: FuseError? { failures.first }

  /// Whether nothing that follows is of use.
  var isStopped: Bool { state.change { $0.end < .max } }

  /// What failed, in the order of the input: the bad records that are told, and what nothing can follow.
  var failures: [FuseError] {
    state.change { state in
      guard case .told(let count) = policy else { return state.failure.map { [$0.error] } ?? [] }
      let flaws = state.flaws.first(count, upTo: state.end)
      guard let failure = state.failure, failure.block <= state.end, flaws.count < count else { return flaws }
      return flaws + [failure.error]
    }
  }

  /// The bad records that were skipped: how many, and the first of them.
  var skipped: (count: Int, first: [FuseError]) {
    state.change { ($0.flaws.count, $0.flaws.first(policy.mostRemembered)) }
  }

  // MARK: For the threads that parse

  /// Waits for a block to parse; nil when none follows that is of use.
  package func take() -> InputBlock? {
    state.wait { state -> InputBlock?? in
      if let first = state.waiting.first {
        // Blocks before the one that failed may fail, too, and then that counts.
        if state.end < first.number { return .some(nil) }
        return state.waiting.removeFirst()
      }
      return state.isClosed ? .some(nil) : nil
    }
  }

  /// Takes back a block.
  package func takeBack(_ block: InputBlock) { takeBack(block, FuseInput.Counts()) }

  /// Takes back a block that was parsed, with what it held.
  func takeBack(_ block: InputBlock, _ totals: FuseInput.Counts) {
    let isUsual = block.room == blockByteCount
    if !isUsual { block.release() }
    state.change { state in
      state.totals.recordCount += totals.recordCount
      state.totals.keyCount += totals.keyCount
      if isUsual {
        state.free.append(block)
      } else {
        state.blockCount -= 1
        state.hasLongBlock = false
      }
    }
  }

  /// Remembers the bad records of a block, the first of `count`.
  func note(_ flaws: [FuseError], count: Int, block number: Int) {
    guard count > 0 else { return }
    state.change { state in
      if let last = state.flaws.add(flaws, count: count, block: number, policy) {
        state.lastBlock = min(state.lastBlock, last)
      }
    }
  }

  /// Remembers what failed in block `number`, unless an earlier one failed.
  package func fail(block number: Int, _ error: FuseError) {
    state.change { state in
      if let known = state.failure, known.block < number { return }
      state.failure = (number, error)
    }
  }
}
