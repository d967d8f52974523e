internal import FuseDBFormat
internal import FuseDBReading
internal import FuseDBSystem
internal import FuseDBValues

/// Hands events to any number of consumers, each of which gets all from when it began.
final class EventStreams<Event: Sendable>: Sendable {
  /// A consumer that is slower loses the oldest.
  static var bufferedCount: Int { 64 }

  private struct State: Sendable {
    var consumers: [Int: AsyncStream<Event>.Continuation] = [:]
    var begunCount = 0
    var isFinished = false
  }

  // The continuations are called outside of it: they call back when a consumer goes.
  private let state = Monitor(State())

  /// How many consumers there are.
  var count: Int { state.change { $0.consumers.count } }

  func stream() -> AsyncStream<Event> {
    let (stream, consumer) = AsyncStream.makeStream(
      of: Event.self, bufferingPolicy: .bufferingNewest(Self.bufferedCount))
    let number: Int? = state.change { state in
      guard !state.isFinished else { return nil }
      state.begunCount += 1
      state.consumers[state.begunCount] = consumer
      return state.begunCount
    }
    guard let number else {
      consumer.finish()
      return stream
    }
    consumer.onTermination = { [weak self] _ in self?.state.change { $0.consumers[number] = nil } }
    return stream
  }

  func send(_ event: Event) {
    for consumer in state.change({ $0.consumers }).values { consumer.yield(event) }
  }

  /// Ends all streams, also those of later consumers.
  func finish() {
    let consumers = state.change { state in
      state.isFinished = true
      return state.consumers
    }
    for consumer in consumers.values { consumer.finish() }
  }
}
