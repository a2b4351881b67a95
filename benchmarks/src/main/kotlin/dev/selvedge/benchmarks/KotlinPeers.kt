package dev.selvedge.benchmarks

import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import java.util.function.IntUnaryOperator
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.flatMapMerge
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.fold
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield

/** What the benchmarks ask of Kotlin's coroutines, as one would write it in Kotlin. */
object KotlinPeers {
  private val threads: CoroutineDispatcher =
    Executors.newVirtualThreadPerTaskExecutor().asCoroutineDispatcher()

  /** The sum of bodies that pause by suspending, on the default dispatcher. */
  @JvmStatic
  fun sum(forks: Int, pauseMillis: Long, body: IntUnaryOperator): Int =
    runBlocking(Dispatchers.Default) {
      coroutineScope {
        List(forks) {
            async {
              if (pauseMillis > 0) delay(pauseMillis)
              body.applyAsInt(it)
            }
          }
          .awaitAll()
          .sum()
      }
    }

  /** The sum of bodies that block, each on a virtual thread. */
  @JvmStatic
  fun sumOnThreads(forks: Int, pauseMillis: Long, body: IntUnaryOperator): Int =
    runBlocking(threads) {
      coroutineScope {
        List(forks) {
            async {
              if (pauseMillis > 0) Thread.sleep(pauseMillis)
              body.applyAsInt(it)
            }
          }
          .awaitAll()
          .sum()
      }
    }

  @JvmStatic
  fun gather(forks: Int, body: IntUnaryOperator): List<Int> =
    runBlocking(Dispatchers.Default) {
      coroutineScope { List(forks) { async { body.applyAsInt(it) } }.awaitAll() }
    }

  /** Each level forks so many, down to the leaves. */
  @JvmStatic
  fun nested(width: Int, depth: Int): Int = runBlocking(Dispatchers.Default) { tree(width, depth) }

  private suspend fun tree(width: Int, depth: Int): Int =
    if (depth == 0) 1
    else coroutineScope { List(width) { async { tree(width, depth - 1) } }.awaitAll().sum() }

  /** How many of the bodies have not failed. */
  @JvmStatic
  fun countSuccesses(forks: Int, body: IntUnaryOperator): Int =
    runBlocking(Dispatchers.Default) {
      supervisorScope {
        List(forks) { async { body.applyAsInt(it) } }
          .count {
            try {
              it.await()
              true
            } catch (_: IllegalStateException) {
              false
            }
          }
      }
    }

  /** Runs the action when the others are waiting; it throws. */
  @JvmStatic
  fun failFast(forks: Int, action: Runnable) {
    val waiting = AtomicInteger()
    runBlocking(Dispatchers.Default) {
      coroutineScope {
        repeat(forks - 1) {
          launch {
            waiting.incrementAndGet()
            awaitCancellation()
          }
        }
        launch {
          while (waiting.get() < forks - 1) yield()
          action.run()
        }
      }
    }
  }

  /** The first of several delays to pass; the others are cancelled. */
  @JvmStatic
  fun firstOf(delaysMillis: LongArray): Long =
    runBlocking(Dispatchers.Default) {
      coroutineScope {
        val replicas =
          delaysMillis.map {
            async {
              delay(it)
              it
            }
          }
        val first = select { replicas.forEach { replica -> replica.onAwait { it } } }
        replicas.forEach { it.cancel() }
        first
      }
    }

  @OptIn(ExperimentalCoroutinesApi::class)
  @JvmStatic
  fun boundedMap(inputs: Int, limit: Int, mapper: IntUnaryOperator): Long =
    runBlocking(Dispatchers.Default) {
      (0 until inputs)
        .asFlow()
        .flatMapMerge(limit) { flow { emit(mapper.applyAsInt(it)) } }
        .fold(0L) { sum, value -> sum + value }
    }

  @OptIn(DelicateCoroutinesApi::class)
  @JvmStatic
  fun spawn(body: Runnable) {
    GlobalScope.launch { body.run() }
  }

  /** Whether the limit passed first. */
  @JvmStatic
  fun timesOut(limitMillis: Long): Boolean =
    runBlocking(Dispatchers.Default) {
      try {
        withTimeout(limitMillis) { awaitCancellation() }
      } catch (_: TimeoutCancellationException) {
        true
      }
    }

  @JvmStatic
  fun withinLimit(limitMillis: Long, value: Int): Int =
    runBlocking(Dispatchers.Default) { withTimeout(limitMillis) { async { value }.await() } }

  /** Coroutines that wait until they are cancelled or let go. */
  class Parked(count: Int, limitMillis: Long) {
    private val gate = CompletableDeferred<Unit>()
    private val job: Job

    init {
      val waiting = CountDownLatch(count)
      @OptIn(DelicateCoroutinesApi::class)
      job =
        GlobalScope.launch {
          repeat(count) {
            launch {
              if (limitMillis > 0) {
                withTimeout(limitMillis) {
                  waiting.countDown()
                  gate.await()
                }
              } else {
                waiting.countDown()
                gate.await()
              }
            }
          }
        }
      waiting.await()
    }

    fun cancel() = runBlocking { job.cancelAndJoin() }

    fun letGo() = runBlocking {
      gate.complete(Unit)
      job.join()
    }
  }
}
