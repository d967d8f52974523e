internal import CZstd
internal import FuseDBFormat

extension StoreTools {
  /// How `pack --deep` packs. Tables for every byte in reach would take 49 MiB a thread; these take 9. What is far away is found by its long
  /// matches, and a thousandth is lost at most.
  private static var deepParameters: [(ZSTD_cParameter, Int32)] {
    [
      (ZSTD_c_compressionLevel, 17), (ZSTD_c_hashLog, 19), (ZSTD_c_chainLog, 20),
      // All of the prefix stays in reach.
      (ZSTD_c_windowLog, DeepFrame.windowBitCount), (ZSTD_c_enableLongDistanceMatching, 1), (ZSTD_c_ldmHashLog, 18),
      (ZSTD_c_ldmMinMatch, 32), (ZSTD_c_ldmHashRateLog, 3),
    ]
  }

  /// The bytes packed by zstd, as what follows `prefix`; nil where that takes as many bytes or more. [SD2]
  func packed(_ bytes: RawSpan, after prefix: RawSpan) throws(FuseError) -> [UInt8]? {
    var packed = [UInt8](repeating: 0, count: bytes.byteCount)
    // SAFETY: the library reads the bytes of both spans, which stay until the call that uses them has returned, and writes at most as many as the
    // array has.
    let count: Int? = unsafe bytes.withUnsafeBytes { bytes in
      unsafe prefix.withUnsafeBytes { prefix in
        unsafe packed.withUnsafeMutableBytes { packed in
          unsafe ZSTD_CCtx_reset(packer, ZSTD_reset_session_and_parameters)
          for (parameter, value) in Self.deepParameters { unsafe ZSTD_CCtx_setParameter(packer, parameter, value) }
          unsafe ZSTD_CCtx_refPrefix(packer, prefix.baseAddress, prefix.count)
          let result = unsafe ZSTD_compress2(
            packer, packed.baseAddress, packed.count, bytes.baseAddress, bytes.count)
          unsafe ZSTD_CCtx_reset(packer, ZSTD_reset_session_and_parameters)
          return ZSTD_isError(result) == 0 ? result : nil
        }
      }
    }
    guard let count else { return nil }
    packed.removeLast(bytes.byteCount - count)
    return packed
  }

  /// What ``packed(_:after:)`` packed; nil where these are not what packing gave.
  func unpacked(_ bytes: RawSpan, after prefix: RawSpan, byteCount: Int) throws(FuseError) -> [UInt8]? {
    guard byteCount <= DeepFrame.mostByteCount else { return nil }
    var contents = [UInt8](repeating: 0, count: byteCount)
    // SAFETY: the library reads the bytes of both spans, which stay until it has returned, and writes at most as many as the array has.
    let count: Int? = unsafe bytes.withUnsafeBytes { bytes in
      unsafe prefix.withUnsafeBytes { prefix in
        unsafe contents.withUnsafeMutableBytes { contents in
          unsafe ZSTD_DCtx_refPrefix(unpacker, prefix.baseAddress, prefix.count)
          let result = unsafe ZSTD_decompressDCtx(
            unpacker, contents.baseAddress, contents.count, bytes.baseAddress, bytes.count)
          unsafe ZSTD_DCtx_reset(unpacker, ZSTD_reset_session_and_parameters)
          return ZSTD_isError(result) == 0 ? result : nil
        }
      }
    }
    return count == byteCount ? contents : nil
  }
}
