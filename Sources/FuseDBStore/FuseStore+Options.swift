extension FuseStore {
  /// How contents are cut into chunks.
  public enum Chunking: Sendable, Equatable {
    /// Where the contents say so: a change in one place leaves the chunks elsewhere as they are. `average` is a power of two.
    case contentDefined(least: Int, average: Int, most: Int)
    /// Every so many bytes, for contents that change in place.
    case fixed(Int)
    /// For look-up files (`.fsdb`): between records, and the key index apart from them. Other contents are cut as by default.
    case lookupFile

    /// 4, 16 and 64 KiB.
    public static let standard = Chunking.contentDefined(least: 4 << 10, average: 16 << 10, most: 64 << 10)

    /// What is wrong with its numbers; nil where nothing is.
    var fault: String? {
      switch self {
      case .lookupFile: return nil
      case .fixed(let count):
        return (512...StoreLimits.chunkByteCount).contains(count) ? nil : "fixed chunks have 512 bytes to 16 MiB"
      case .contentDefined(let least, let average, let most):
        guard least >= 64, least < average, average < most, most <= StoreLimits.chunkByteCount else {
          return
            "chunks have at least 64 bytes and at most 16 MiB, the least fewer than the average, that fewer than the most"
        }
        return average & (average - 1) == 0 ? nil : "the average of chunks is a power of two"
      }
    }

    /// The most bytes of a chunk.
    var most: Int {
      switch self {
      case .contentDefined(_, _, let most): most
      case .fixed(let count): count
      case .lookupFile: Self.standard.most
      }
    }

    /// Objects of no more bytes are one chunk.
    var whole: Int {
      switch self {
      case .contentDefined(_, let average, _): average
      case .fixed(let count): count
      case .lookupFile: Self.standard.whole
      }
    }
  }

  /// How chunks are packed.
  public enum Compression: Sendable, Equatable {
    /// By zstd, small objects at level 3 and chunks of large ones at level 5, unless a sample says that it would save nothing: photographs and
    /// archives stay as they are.
    case automatic
    /// By zstd, at a level from -7 to 19.
    case zstd(level: Int)
    /// By zlib, at a level from 1 to 9.
    case zlib(level: Int)
    /// Not at all: what is read can be used in place.
    case none

    /// What is wrong with its level; nil where nothing is.
    var fault: String? {
      switch self {
      case .zstd(let level): (-7...19).contains(level) ? nil : "zstd has the levels from -7 to 19"
      case .zlib(let level): (1...9).contains(level) ? nil : "zlib has the levels from 1 to 9"
      default: nil
      }
    }

    var codec: StoreCodec {
      switch self {
      case .automatic, .zstd: .zstd
      case .zlib: .zlib
      case .none: .raw
      }
    }
    var level: Int32 {
      switch self {
      case .automatic: 3
      case .zstd(let level), .zlib(let level): Int32(level)
      case .none: 0
      }
    }
    /// For chunks of objects that have several, where it is not the one for others: each stands alone, so more is sought in it.
    var levelOfChunks: Int32? { self == .automatic ? 5 : nil }
    var samples: Bool { self == .automatic }
  }

  /// What a new store is like.
  public struct Configuration: Sendable, Equatable {
    /// How contents are cut unless a put says otherwise.
    public var chunking: Chunking
    /// How chunks are packed unless a put says otherwise.
    public var compression: Compression
    /// How many bytes a pack has when the next one begins.
    public var packByteCount: Int

    /// Content-defined chunks of 4 to 64 KiB, zstd where it saves something, packs of 64 MiB.
    public init(
      chunking: Chunking = .standard, compression: Compression = .automatic, packByteCount: Int = 64 << 20
    ) {
      self.chunking = chunking
      self.compression = compression
      self.packByteCount = packByteCount
    }

    var fault: String? {
      if let fault = chunking.fault ?? compression.fault { return fault }
      return (1 << 16...1 << 40).contains(packByteCount) ? nil : "packs have from 64 KiB to 1 TiB"
    }
  }
}
