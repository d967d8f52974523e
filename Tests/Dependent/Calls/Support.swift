import Dispatch
import FuseDB

#if canImport(Glibc)
  import Glibc
#endif

/// What the calls store. In generic functions the name stands for any type of this kind.
struct Org: Organization, Hashable {
  var name: String
  var asn: UInt32
}

protocol Organization: Codable, Equatable, Sendable {
  init(name: String, asn: UInt32)
  var name: String { get }
  var asn: UInt32 { get }
}

// What generic functions replace by parameters of the same names.
typealias Key = String
typealias Store = ReloadableReader

protocol AnyKey: FuseTableKey, FuseKeyBytes, ExpressibleByStringLiteral, Hashable, Sendable {}
extension String: AnyKey {}

protocol AnyStore: Reloadable {
  init(path: String, options: ServingOptions) throws(FuseError)
}
extension ReloadableReader: AnyStore {}

/// An error of the caller's own.
struct Own: Error, Equatable {
  let text: String

  struct Coded: Codable { let text: String }
}

func expect(_ isTrue: Bool, _ file: StaticString = #fileID, _ line: UInt = #line) {
  precondition(isTrue, "not as expected", file: file, line: line)
}

func write(_ text: String, to path: String) {
  let file = fopen(path, "wb")!
  expect(fputs(text, file) >= 0 && fclose(file) == 0)
}

func makeFolder(_ path: String) { expect(mkdir(path, 0o755) == 0) }

/// A file with three keys: 8.8.8.8 and gmail.com share an object, 1.1.1.1 has one of its own.
func makeFile(_ path: String, _ name: String = "Google LLC", options: FuseWriter.Options = .init()) throws {
  let writer = FuseWriter(options)
  try writer.add(["8.8.8.8", "gmail.com"], Org(name: name, asn: 15169))
  try writer.add("1.1.1.1", Org(name: "Cloudflare, Inc.", asn: 13335))
  try writer.build(to: path)
}

/// Does what is asynchronous, on threads of others, and waits for it.
func runToEnd(_ body: @escaping @Sendable () async throws -> Void) {
  let isDone = DispatchSemaphore(value: 0)
  Task.detached {
    do { try await body() } catch { fatalError("\(error)") }
    isDone.signal()
  }
  isDone.wait()
}

/// Waits for what is asynchronous, where the caller is not.
func runAndExit(_ body: @escaping @Sendable () async throws -> Void) -> Never {
  Task.detached {
    do { try await body() } catch { fatalError("\(error)") }
    exit(0)
  }
  dispatchMain()
}
