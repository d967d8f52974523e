internal import FuseDBFormat

extension MessagePackHead {
  /// A number of any type, where `T` holds it exactly; nil for anything else. [W10]
  func exactly<T: BinaryFloatingPoint>(_ type: T.Type) -> T? {
    switch kind {
    case .unsigned: T(exactly: bits)
    case .signed: T(exactly: Int64(bitPattern: bits))
    case .float32: Float(bitPattern: UInt32(truncatingIfNeeded: bits)).exactly(type)
    case .float64: Double(bitPattern: bits).exactly(type)
    default: nil
    }
  }
}

extension BinaryFloatingPoint {
  /// The same number as a `T`, if that holds it; what else a NaN says may be lost.
  func exactly<T: BinaryFloatingPoint>(_ type: T.Type) -> T? { isNaN ? T(self) : T(exactly: self) }
}
