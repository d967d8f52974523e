internal import FuseDBFormat
internal import FuseDBSystem

/// A pack that another thread seals.
struct SealingPack {
  static let mostEntries = 1 << 15

  let pack: OpenPack
  let work: BackgroundWork<Result<PackView, FuseError>>

  init(_ pack: OpenPack) {
    self.pack = pack
    // SAFETY: until the work was waited for, nothing else of the pack is used than its entries, which do not change.
    nonisolated(unsafe) let shared = pack
    work = BackgroundWork(isWorthThread: true) {
      do throws(FuseError) { return .success(unsafe try shared.seal()) } catch { return .failure(error) }
    }
  }

  /// Waits; what can't be sealed is removed.
  func end() {
    if case .failure = work.wait() { pack.abandon() }
  }
}

/// A frame that another thread packs.
struct PackingFrame {
  let frame: OpenFrame
  let contents: [UInt8]
  /// The pack whose dictionary is used.
  let packName: String?
  let work: BackgroundWork<Result<(StoreCodec, [UInt8])?, FuseError>>

  init(_ frame: OpenFrame, _ dictionary: OpenDictionary?, packName: String?, isBehind: Bool) {
    self.frame = frame
    self.packName = packName
    let contents = frame.contents
    self.contents = contents
    let compression = frame.compression
    let known = dictionary
    work = BackgroundWork(isWorthThread: isBehind && contents.count > 16 << 10) {
      do throws(FuseError) {
        let tools = try StoreTools.take()
        defer { tools.giveBack() }
        if let known, known.compression == compression, StoreTools.isWorthPacking(contents.rawSpan, compression) {
          return .success(
            try known.dictionary.packed(contents.rawSpan, tools, at: known.offset).map { (.primed, $0) })
        }
        return .success(try tools.packed(contents.rawSpan, compression))
      } catch { return .failure(error) }
    }
  }
}
