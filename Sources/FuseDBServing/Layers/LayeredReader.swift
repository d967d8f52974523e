public import FuseDBFormat
public import FuseDBReading
public import FuseDBValues

/// A stack of databases that answers as one: a small file of one's own over a vendor's, say.
///
///     let vendor = try ReloadableReader(path: "city.fsdb")
///     let own = try FuseReader(path: "own.fsdb")
///     let geo = LayeredReader([.file(own), .reloadable(vendor)])
///     try geo.withLongestMatch(of: FuseAddress("10.1.2.3")!) { $0.key }   // own.fsdb says 10.1.0.0/16
///
/// **Which layer answers.** Under a key: the uppermost that has it. Of an address the longest block in any layer, of a text the longest key, of a
/// domain or an e-mail address the key that covers it best, as in one file; of equal ones that of the upper layer. So a block
/// of the vendor's wins where it lies inside of one's own; to hide it, the upper layer needs a block as long. Where a closure
/// combines, all layers that answer take part.
///
/// **One state for each call.** A layer that reloads is asked once in a call, and stays what it is until the call ends. For several calls on the same
/// files, make a stack of their ``Reloadable/snapshot()``s: ``snapshot()``.
///
/// It has no state of its own and takes no lock; any number of threads may use it.
public final class LayeredReader: Sendable {
  /// One database of the stack.
  public enum Layer: Sendable {
    /// A file that stays as it is.
    case file(FuseReader)
    /// The newest file of what reloads.
    case reloadable(any Reloadable)

    @inlinable
    func withReader<Result>(_ body: (FuseReader) throws -> Result) throws -> Result {
      switch self {
      case .file(let reader): try body(reader)
      case .reloadable(let store): try store.withReader(body)
      }
    }
  }

  /// Makes one value of those that several layers have, the winner's first: never fewer than one.
  public typealias Combiner = @Sendable ([FuseValue]) throws -> FuseValue

  /// The databases, the uppermost first.
  public let layers: [Layer]
  /// What makes one value of several; nil where the winner's counts.
  public let combine: Combiner?

  /// - Parameters:
  ///   - layers: the databases, the uppermost first.
  ///   - combine: makes one value of those that several layers have; nil for the winner's. The calls that take keys use it, and ``value(ofLongestMatch:)``.
  /// - Precondition: there is a layer.
  public init(_ layers: [Layer], combine: Combiner? = nil) {
    precondition(!layers.isEmpty, "a stack has a layer at least")
    self.layers = layers
    self.combine = combine
  }

  /// The same stack with each layer as it is now.
  ///
  /// - Complexity: O(layers). See ``Reloadable/snapshot()``.
  public func snapshot() -> LayeredReader {
    LayeredReader(
      layers.map { layer in
        switch layer {
        case .file: layer
        case .reloadable(let store): .file(store.snapshot())
        }
      }, combine: combine)
  }

  // MARK: Keys

  /// Whether a layer holds `key`.
  ///
  /// - Throws: as ``FuseReader/contains(_:)-(RawSpan)``, of the first layer that cannot tell.
  /// - Complexity: O(layers).
  public func contains(_ key: some FuseKey) throws -> Bool {
    for layer in layers where try layer.withReader({ try $0.contains(key) }) { return true }
    return false
  }

  /// Calls `body` with the bytes of the object under `key`, of the uppermost layer that has it or combined, and returns what it returns; nil when no layer
  /// has such a key.
  ///
  /// - Throws: as ``FuseReader/withBytes(forKey:_:)-(RawSpan,_)``, of the first layer that cannot tell: a damaged one is not passed over. And what the
  ///   closures throw.
  /// - Complexity: O(layers), and where a closure combines O(bytes of the objects).
  public func withBytes<Result>(forKey key: some FuseKey, _ body: (RawSpan) throws -> Result) throws -> Result? {
    if let combine {
      let values = try layers.compactMap { layer in try layer.withReader { try $0[key] } }
      guard !values.isEmpty else { return nil }
      let bytes = try combine(values).messagePack
      return try body(bytes.rawSpan)
    }
    for layer in layers {
      if let result = try layer.withReader({ try $0.withBytes(forKey: key, body) }) { return result }
    }
    return nil
  }

  /// Calls `body` with the value under `key`, and returns what it returns; nil when no layer has such a key, too.
  ///
  /// - Throws: as ``withBytes(forKey:_:)``; with code `invalidValue` as ``FuseReader/withValue(forKey:_:)-(RawSpan,_)``.
  /// - Complexity: as ``withBytes(forKey:_:)``, and O(heads of the value).
  public func withValue<Result>(forKey key: some FuseKey, _ body: (FuseView) throws -> Result?) throws -> Result? {
    let result: Result?? = try withBytes(forKey: key) { try body(FuseView(validating: $0)) }
    return result ?? nil
  }

  /// The object under `key` as a typed value; nil when no layer has such a key.
  ///
  /// - Throws: as ``withBytes(forKey:_:)``; with code `invalidValue` when that is no such value.
  /// - Complexity: as ``withBytes(forKey:_:)``, and O(bytes of the object).
  public func value<Value: Decodable>(
    _ type: Value.Type = Value.self, forKey key: some FuseKey, decoder: FuseDecoder = FuseDecoder()
  ) throws -> Value? {
    try withBytes(forKey: key) { try decoder.decode(type, from: $0) }
  }

  /// The value under `key`, whatever it is; nil when no layer has such a key: `try stack["8.8.8.8"]`.
  ///
  /// - Throws: as ``withBytes(forKey:_:)``.
  /// - Complexity: as ``withBytes(forKey:_:)``, and O(bytes of the object).
  public subscript(key: some FuseKey) -> FuseValue? {
    get throws { try withBytes(forKey: key) { try FuseValue(messagePack: $0) } }
  }
}
