internal import CFuseHTTP
internal import FuseDB
internal import FuseDBWeb

/// What was counted, as Prometheus reads it.
enum Metrics {
  static func text(of service: Service) -> String {
    var text = ""
    func family(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: String)]) {
      text += "# HELP fusedb_serve_\(name) \(help)\n# TYPE fusedb_serve_\(name) \(kind)\n"
      for (labels, value) in samples { text += "fusedb_serve_\(name)\(labels) \(value)\n" }
    }
    let files = service.slots.compactMap { slot in slot.database.map { (slot.name, $0.reader.counters) } }
    func each(_ name: String, _ kind: String, _ help: String, _ value: (ServingCounters) -> String?) {
      family(
        name, kind, help,
        files.compactMap { file in value(file.1).map { ("{name=\"\(file.0)\"}", $0) } })
    }
    family(
      "up", "gauge", "Whether a sound file was loaded.",
      service.slots.map { ("{name=\"\($0.name)\"}", $0.database == nil ? "0" : "1") })
    each("generation", "gauge", "The generation of the file that serves.") { "\($0.generation)" }
    each("reloads_total", "counter", "How often a file replaced another.") { "\($0.reloadCount)" }
    family(
      "refusals_total", "counter", "How often a file was refused.",
      service.slots.map {
        ("{name=\"\($0.name)\"}", "\($0.earlyRefusalCount + ($0.database?.reader.counters.refusalCount ?? 0))")
      })
    each("loaded_timestamp_seconds", "gauge", "When the file that serves was loaded, in seconds since 1970.") {
      "\($0.loadedAt)"
    }
    each("data_age_seconds", "gauge", "How old the data are, by their metadata 'built'.") { $0.dataAge.map { "\($0)" } }
    family(
      "lookups_total", "counter", "Look-ups, by what they came to.",
      files.flatMap { name, counters in
        [("hit", counters.hitCount), ("miss", counters.missCount), ("failure", counters.failureCount)].map {
          ("{name=\"\(name)\",result=\"\($0.0)\"}", "\($0.1)")
        }
      })
    each("hit_ratio", "gauge", "The share of look-ups that found their key.") { counters in
      counters.lookupCount == 0 ? nil : "\(Double(counters.hitCount) / Double(counters.lookupCount))"
    }
    guard let counts = service.counts else { return text }
    family("connections_total", "counter", "Connections that were accepted.", [("", "\(counts.connections)")])
    family("open_connections", "gauge", "Connections that are open.", [("", "\(counts.open_connections)")])
    family(
      "dropped_connections_total", "counter", "Connections that were ended for want of time or room.",
      [("", "\(counts.dropped_connections)")])
    family(
      "refused_requests_total", "counter", "Requests refused for their form, length, host or token.",
      [("", "\(counts.refused_requests)")])
    family("slow_requests_total", "counter", "Requests that other threads answered.", [("", "\(counts.slow_requests)")])
    family("answer_bytes_total", "counter", "Bytes of bodies of answers.", [("", "\(counts.bytes)")])
    let answers = counts.answers
    family(
      "answers_total", "counter", "Answers, by the first digit of their status.",
      [("2xx", answers.2), ("3xx", answers.3), ("4xx", answers.4), ("5xx", answers.5)].map {
        ("{status=\"\($0.0)\"}", "\($0.1)")
      })
    appendHistogram(counts, to: &text)
    return text
  }

  private static func appendHistogram(_ counts: fuse_http_counts, to text: inout String) {
    let name = "fusedb_serve_request_seconds"
    text += "# HELP \(name) From the first line of a request to the end of its answer.\n# TYPE \(name) histogram\n"
    var sum: UInt64 = 0
    let buckets = counts.buckets
    // SAFETY: a tuple of UInt64 is an array of them.
    let numbers = unsafe withUnsafeBytes(of: buckets) { unsafe Array($0.bindMemory(to: UInt64.self)) }
    for (number, count) in numbers.enumerated() {
      sum += count
      let bound = number < Int(FUSE_BUCKET_COUNT) ? "\(Double(fuse_bucket_bound(number)) / 1e6)" : "+Inf"
      text += "\(name)_bucket{le=\"\(bound)\"} \(sum)\n"
    }
    text += "\(name)_sum \(Double(counts.nanoseconds) / 1e9)\n\(name)_count \(sum)\n"
  }
}
