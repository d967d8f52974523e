import FuseDB
import Glibc
import ProgramSupport

/// What one thread does, or several, one after the other.
struct ReadingThread: Sendable {
  private var reader: Witness<ReloadableReader>
  private var pool: Witness<FusePool>
  private var random: SeededRandom
  private(set) var threadCount = 0

  init(_ stage: Stage, seed: UInt64) {
    reader = Witness(stage.reader, buildsRise: stage.buildsRise)
    pool = Witness(stage.pool, buildsRise: stage.buildsRise)
    random = SeededRandom(seed: seed)
  }

  var answerCount: Int { reader.answerCount + pool.answerCount }

  /// Reads until the stage is over, or until the thread has read so many times.
  mutating func run(on stage: Stage, atMost count: Int) {
    threadCount += 1
    do {
      var done = 0
      while done < count, !stage.isOver {
        done += 1
        // Leaves time for the thread that replaces files, and begins anew at another moment.
        if done % 50 == 0 { usleep(100) }
        if random.below(2) == 0 {
          try reader.read(&random) { random in try pool.read(&random) { _ in } }
        } else {
          try pool.read(&random) { random in try reader.read(&random) { _ in } }
        }
      }
    } catch {
      stage.fail("\(error)")
    }
  }

  /// The same on one thread after the other: what a thread leaves behind, the next one finds.
  mutating func runOnManyThreads(on stage: Stage) {
    while !stage.isOver {
      let (start, count) = (self, 1 + random.below(100))
      let work = BackgroundWork(isWorthThread: true) {
        var next = start
        next.run(on: stage, atMost: count)
        return next
      }
      self = work.wait()
      _ = random.next()
    }
  }
}
