internal import CFusePages
internal import FuseDB
internal import FuseDBCommands
internal import FuseDBDelivery
internal import FuseDBInput

/// Counters of `fusedb follow` as Prometheus reads them: in a file, at an address, or both.
@safe
final class Metrics {
  /// Where they are asked for; nil where nobody listens.
  private(set) var url: String?
  private let name: String
  private let path: String?
  /// What came of the attempts before there was anything to serve.
  private var before = FuseSubscription.Status()
  // SAFETY: nil, or made in init, ended in deinit and used by this object alone.
  private let page: OpaquePointer?

  /// - Parameter address: a numeric address and a port, as `127.0.0.1:9187` or `[::1]:0`, with 0 for a free one.
  /// - Throws: ``FuseError`` with code `inputOutput` where nothing can listen there.
  init(_ name: String, path: String?, listening address: ListenAddress?) throws(FuseError) {
    self.name = name
    self.path = path
    guard let address else {
      unsafe page = nil
      return
    }
    // SAFETY: the call copies the texts.
    unsafe page = fuse_page_serve(
      address.host, address.port, "/metrics", "text/plain; version=0.0.4; charset=utf-8")
    guard let page = unsafe page else { throw .system("listen at \(address)") }
    url = "http://\(ListenAddress(host: address.host, port: unsafe fuse_page_port(page)))/metrics"
    try show(before)
  }

  // SAFETY: this object alone has the page, and ends here.
  deinit { unsafe fuse_page_end(page) }

  /// An attempt failed before there was anything to serve.
  func fail() throws(FuseError) {
    before.attemptCount += 1
    before.failureCount += 1
    try show(before)
  }

  /// What came of the attempts so far.
  func set(_ status: FuseSubscription.Status) throws(FuseError) {
    var all = status
    all.attemptCount += before.attemptCount
    all.failureCount += before.failureCount
    try show(all)
  }

  private func show(_ status: FuseSubscription.Status) throws(FuseError) {
    let text = Self.text(of: status, name)
    // SAFETY: the call copies the bytes that it is given.
    if let page = unsafe page, unsafe fuse_page_set(page, Array(text.utf8), text.utf8.count) == 0 {
      throw FuseError(.inputOutput, "memory is too short for a page of counters")
    }
    if let path { try SmallFile.write(Array(text.utf8), to: path) }
  }

  private static func text(of status: FuseSubscription.Status, _ name: String) -> String {
    let rows: [(name: String, kind: String, help: String, value: String)] = [
      ("attempts_total", "counter", "How often the remote was asked.", "\(status.attemptCount)"),
      ("updates_total", "counter", "How often another version came.", "\(status.updateCount)"),
      ("failures_total", "counter", "How many attempts failed.", "\(status.failureCount)"),
      ("refusals_total", "counter", "How many failed because what came was refused.", "\(status.refusalCount)"),
      ("bytes_total", "counter", "Bytes that went over the wire.", "\(status.byteCount)"),
      ("requests_total", "counter", "Requests that were made.", "\(status.requestCount)"),
      ("generation", "gauge", "The generation of the file that serves.", "\(status.generation)"),
      (
        "last_success_timestamp_seconds", "gauge", "When the remote last answered, in seconds since 1970.",
        "\(status.timeOfSuccess)"
      ),
    ]
    return rows.map { row in
      """
      # HELP fusedb_follow_\(row.name) \(row.help)
      # TYPE fusedb_follow_\(row.name) \(row.kind)
      fusedb_follow_\(row.name){name="\(name)"} \(row.value)

      """
    }.joined()
  }
}
