/// The bytes of a value that is being decoded.
///
/// All decoders and containers of one value share it. They hold places in the bytes, and no bytes: when the value is
/// decoded, the state forgets them, and who kept a container is told that there is nothing.
@safe
final class DecodingState {
  let decoder: FuseDecoder
  // SAFETY: given at init, good until `end`; read by `bytes` alone.
  private var start: UnsafeRawPointer?
  private var byteCount: Int

  @unsafe
  init(_ decoder: FuseDecoder, _ bytes: UnsafeRawBufferPointer) {
    self.decoder = decoder
    unsafe start = bytes.baseAddress
    byteCount = bytes.count
  }

  /// Forgets the bytes.
  func end() {
    unsafe start = nil
    byteCount = 0
  }

  /// The bytes; none when the value is decoded.
  @inline(__always)
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // SAFETY: `end` is called before the bytes go, by the function that decodes; this object's users are inside it.
      unsafe _overrideLifetime(
        RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: start, count: byteCount)), borrowing: self)
    }
  }

  /// The head of the value at `offset`.
  @inline(__always)
  func head(at offset: Int) -> MessagePackHead { MessagePackHead(at: offset, in: bytes) }

  /// Where the value at `offset` ends.
  @inline(__always)
  func end(ofValueAt offset: Int) -> Int { MessagePackHead.end(ofValueAt: offset, in: bytes) }
}
