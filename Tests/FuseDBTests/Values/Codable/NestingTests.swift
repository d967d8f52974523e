import Foundation
import Testing

import FuseDB

/// Values inside each other: 128 arrays and maps, on a small stack too, and no more. [V3]
struct `Values inside each other` {
  /// Does `body` on a thread with a stack of so many bytes.
  private static func onStack<Result: Sendable>(_ byteCount: Int, _ body: @escaping @Sendable () -> Result) -> Result {
    let result = Monitor<Result?>(nil)
    let thread = Thread {
      let value = body()
      result.change { $0 = value }
    }
    thread.stackSize = byteCount
    thread.start()
    return result.wait { $0 }
  }

  private static let nil128 = [UInt8](repeating: 0x91, count: 128) + [0xC0]

  @Test func `are decoded and encoded to 128 levels on a stack of 512 KB`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let isWell = Self.onStack(512 << 10) { () -> Bool in
        do {
          let decoder = FuseDecoder()
          // Each object of the chain is a map.
          let chain = try decoder.decode(Chain.self, from: try FuseEncoder().encode(Chain(length: 128)))
          // {"inside":{"_0":{"inside":…{"end":{}}}}}
          let nest = try FuseEncoder().encode((0..<63).reduce(Nest.end) { nest, _ in .inside(nest) })
          _ = try decoder.decode(Nest.self, from: nest)
          let value = try decoder.decode(FuseValue.self, from: Self.nil128)
          return try chain.length == 128 && FuseEncoder().encode(value) == Self.nil128
        } catch {
          print(error)
          return false
        }
      }
      exit44(if: isWell)
    }
  }

  @Test func `are tried to 128 levels on a stack of 1 MB`() async {
    await #expect(processExitsWith: .exitCode(44)) {
      let isWell = Self.onStack(1 << 20) { () -> Bool in
        do {
          var tried = try FuseDecoder().decode(Tried.self, from: Self.nil128)
          var depth = 0
          while case .list(let elements) = tried {
            depth += 1
            tried = elements[0]
          }
          return depth == 128 && tried == .null
        } catch { return false }
      }
      exit44(if: isWell)
    }
  }

  @Test func `deeper than that are refused, whichever way [W8] [W21]`() throws {
    let deep = [UInt8](repeating: 0x91, count: 129) + [0xC0]
    for bytes in [deep, [UInt8](repeating: 0x91, count: 1_000_000), [UInt8](repeating: 0x81, count: 1_000_000)] {
      #expect(failure { _ = try FuseDecoder().decode(Tried.self, from: bytes) }?.code == .invalidValue)
      #expect(failure { _ = try FuseDecoder().decode(FuseValue.self, from: bytes) }?.code == .invalidValue)
      #expect(failure { _ = try FuseDecoder().decode([[Int]].self, from: bytes) }?.code == .invalidValue)
    }
    #expect(failure { _ = try FuseEncoder().encode(Chain(length: 129)) }?.code == .invalidValue)
    // With the place, where that is known: 128 arrays and maps are around it.
    let error = failure { _ = try FuseEncoder().encode(["a": [Chain(length: 200)]]) }
    #expect(error?.codingPath == "a.0" + String(repeating: ".next", count: 127))
    let value = (0..<129).reduce(FuseValue.null) { value, _ in .array([value]) }
    #expect(failure { _ = try FuseEncoder().encode(value) }?.code == .invalidValue)
    let inside = failure { _ = try FuseEncoder().encode(["a": [value]]) }
    #expect(inside?.code == .invalidValue)
    #expect(inside?.codingPath == "a.0")
    #expect(inside?.offset == nil, "nothing is written yet")
    let writer = FuseWriter()
    #expect(failure { try writer.add(["k"], Chain(length: 129)) }?.code == .invalidValue)
    try writer.add(["k"], Chain(length: 128))
  }

  /// A class that holds itself.
  final class Loop: Encodable {
    var next: Loop?
    var list: [Loop] = []
    var byName: [String: Loop] = [:]
  }

  @Test(arguments: ["next", "list", "byName"])
  func `without an end are refused, on a stack of 1 MB`(way: String) async {
    await #expect(processExitsWith: .exitCode(44)) { [way] in
      let error = Self.onStack(1 << 20) { () -> FuseError? in
        let loop = Loop()
        switch way {
        case "next": loop.next = loop
        case "list": loop.list = [loop]
        default: loop.byName = ["x": loop]
        }
        do {
          _ = try FuseEncoder().encode(loop)
          return nil
        } catch { return error as? FuseError }
      }
      exit44(if: error?.code == .invalidValue && error?.codingPath?.hasPrefix(way) == true)
    }
  }
}
